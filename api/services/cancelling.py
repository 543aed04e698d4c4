"""One cancel: shown before, done in one transaction with all that follows, undone in one step."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from api.services import circulation_step  # noqa: F401 (a step of the cascade)
from api.services.cascade import (
    Change,
    ChangeOf,
    is_too_late,
    next_visits,
    run_cascade,
    undo_cascade,
)
from api.services.publishing import begin_change
from data.db import audit_store, event_store, publication_store
from data.db.publication_store import RegionHead
from data.model.accounts import Caller
from data.model.cancellation import Cancellation, Scope, ServiceException
from data.model.errors import ConflictError, InputError
from data.model.place import StopId
from data.model.public_timetable import PublicStop
from data.model.publication import Moment, PromisedVisit, VisitId, VisitState, moment_of

_LOOK_AHEAD_DAYS = 200
"""How far ahead the next visit of a stop is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPreview:
    """What a cancellation would do: the visits, and what each stop has instead."""

    head: RegionHead
    asked: Cancellation
    visits: tuple[PromisedVisit, ...]
    next_after: Mapping[StopId, PromisedVisit | None]
    next_before: Mapping[StopId, PromisedVisit | None]
    stops: Mapping[StopId, PublicStop]
    vehicles: Mapping[str, str]
    now: Moment

    @property
    def seen(self) -> str:
        """Stands for exactly these visits in exactly this state."""
        told = "\n".join(f"{v.visit_id} {v.sequence}" for v in self.visits)
        return hashlib.sha256(told.encode()).hexdigest()[:32]

    @property
    def people_expected(self) -> float | None:
        """Persons' visits that are lost on average; ``None`` where nothing was estimated."""
        known = [
            s.visits_expected
            for v in self.visits
            if (s := self.stops.get(v.stop_id)) and s.visits_expected is not None
        ]
        return sum(known) if known else None

    @property
    def people(self) -> int:
        """Residents of the stops, as far as their number is known, each stop once."""
        ids = {v.stop_id for v in self.visits}
        return sum(s.people or 0 for i in ids if (s := self.stops.get(i)))

    def stop_name(self, stop_id: StopId) -> str:
        stop = self.stops.get(stop_id)
        return stop.name if stop else stop_id


def preview(
    session: Session, region_id: str, asked: Cancellation, *, at: datetime
) -> CancelPreview:
    """What would be cancelled.

    Raises
    ------
    NotFoundError
        ``region.unknown``, ``visit.unknown``.
    InputError
        ``cancel.past`` for days that are over; ``cancel.nothing`` where no visit is left to
        cancel (a span of days without service may be closed all the same).
    """
    head = publication_store.region_head(session, region_id)
    now = moment_of(at, head.time_zone)
    visits = _asked_visits(session, region_id, asked, now)
    stops, vehicles = names_of(session, region_id)
    until = now[0] + timedelta(days=_LOOK_AHEAD_DAYS)
    coming = publication_store.load_visits(
        session, region_id, from_date=now[0] - timedelta(days=1), until_date=until
    )
    ids = {v.visit_id for v in visits}
    stop_ids = tuple(dict.fromkeys(v.stop_id for v in visits))
    left = [v for v in coming if v.visit_id not in ids]
    return CancelPreview(
        head=head,
        asked=asked,
        visits=visits,
        next_before=next_visits(coming, stop_ids, now),
        next_after=next_visits(left, stop_ids, now),
        stops=stops,
        vehicles=vehicles,
        now=now,
    )


def cancel(
    session: Session,
    region_id: str,
    asked: Cancellation,
    *,
    seen: str | None,
    by: Caller,
    at: datetime,
) -> ServiceException:
    """Cancel, with all that follows.

    Parameters
    ----------
    seen
        ``CancelPreview.seen`` of what was shown; ``None`` takes whatever there is.

    Raises
    ------
    ConflictError
        ``cancel.changed`` where the visits are not those that were shown.
    """
    begin_change(session, region_id, None, at=at)
    found = preview(session, region_id, asked, at=at)
    if seen is not None and seen != found.seen:
        raise ConflictError("cancel.changed", count=len(found.visits))
    exception = ServiceException(
        exception_id=uuid.uuid4().hex,
        region_id=region_id,
        kind=asked.kind,
        from_date=asked.from_date or found.visits[0].service_date,
        until_date=asked.last_date or found.visits[-1].service_date,
        vehicle_id=asked.vehicle_id,
        visit_ids=tuple(v.visit_id for v in found.visits),
        reason=asked.reason.value,
        note=asked.note.strip(),
        created_at=at,
        created_by=by.account_id,
    )
    publication_store.add_exception(session, exception)
    effects = run_cascade(session, _change(found, exception, at))
    exception = replace(exception, effects=effects)
    publication_store.save_exception(session, exception)
    audit_store.record(
        session,
        by,
        "visits.cancel",
        exception.exception_id,
        region_id=region_id,
        scope=asked.scope.value,
        reason=exception.reason,
        visits=len(exception.visit_ids),
    )
    _emit(session, exception)
    return exception


def undo(
    session: Session, region_id: str, exception_id: str, *, by: Caller, at: datetime
) -> ServiceException:
    """Take a cancellation back: every step restores what it had changed.

    Visits that would have begun by now stay cancelled, for nobody was there; those that were under
    way when they were cancelled, and are not over, go on.

    Raises
    ------
    NotFoundError
        ``exception.unknown``.
    ConflictError
        ``cancel.undone`` for one taken back already, ``cancel.still_closed`` where another
        exception closes the day, ``cancel.changed_since`` where a visit has become another.
    InputError
        ``cancel.passed`` where all of it is over.
    """
    begin_change(session, region_id, None, at=at)
    exception = publication_store.get_exception(session, region_id, exception_id)
    head = publication_store.region_head(session, region_id)
    now = moment_of(at, head.time_zone)
    visits = publication_store.get_visits(session, region_id, exception.visit_ids)
    _check_undo(session, exception, visits, now, at)
    change = Change(
        kind=ChangeOf.CANCEL,
        region_id=region_id,
        at=at,
        now=now,
        before=visits,
        after=visits,
        next_before={},
        next_after={},
        exception_id=exception_id,
        reason=exception.reason,
    )
    undo_cascade(session, change, exception.effects)
    undone = replace(exception, undone_at=at, undone_by=by.account_id)
    publication_store.save_exception(session, undone)
    audit_store.record(session, by, "visits.uncancel", exception_id, region_id=region_id)
    _emit(session, undone)
    return undone


def _emit(session: Session, exception: ServiceException) -> None:
    event_store.emit(
        session,
        "timetable",
        exception.exception_id,
        exception.region_id,
        undone=exception.is_undone,
        visits=len(exception.visit_ids),
    )


def _asked_visits(
    session: Session, region_id: str, asked: Cancellation, now: Moment
) -> tuple[PromisedVisit, ...]:
    if asked.scope is Scope.VISIT:
        assert asked.visit_id is not None  # checked by Cancellation
        found = publication_store.get_visits(session, region_id, [asked.visit_id])
    else:
        first, last = asked.from_date, asked.last_date
        assert first is not None  # checked by Cancellation
        assert last is not None
        found = publication_store.load_visits(
            session, region_id, from_date=first, until_date=last, vehicle_id=asked.vehicle_id
        )
    left = [v for v in found if v.is_coming and v.ends > now]
    if not left and asked.last_date is not None and asked.last_date < now[0]:
        raise InputError("cancel.past", date=asked.last_date.isoformat(), today=now[0].isoformat())
    is_closure = asked.scope in (Scope.CLOSED, Scope.VEHICLE)
    if not left and not is_closure:
        raise InputError("cancel.nothing")
    return tuple(sorted(left, key=lambda v: (v.opens_date, v.opens_s, v.visit_id)))


def _change(found: CancelPreview, exception: ServiceException, at: datetime) -> Change:
    after = tuple(
        replace(
            v,
            state=VisitState.CANCELLED,
            reason=exception.reason,
            sequence=v.sequence + 1,
            changed_at=at,
        )
        for v in found.visits
    )
    return Change(
        kind=ChangeOf.CANCEL,
        region_id=exception.region_id,
        at=at,
        now=found.now,
        before=found.visits,
        after=after,
        next_before=found.next_before,
        next_after=found.next_after,
        exception_id=exception.exception_id,
        reason=exception.reason,
        note=exception.note,
    )


def _check_undo(
    session: Session,
    exception: ServiceException,
    visits: Sequence[PromisedVisit],
    now: Moment,
    at: datetime,
) -> None:
    if exception.is_undone:
        raise ConflictError("cancel.undone")
    left = [v for v in visits if not is_too_late(v, now, at)]
    is_over = not left if visits else exception.until_date < now[0]
    if is_over:
        raise InputError("cancel.passed", date=exception.until_date.isoformat())
    others = publication_store.list_exceptions(
        session,
        exception.region_id,
        from_date=exception.from_date,
        until_date=max((v.service_date for v in left), default=exception.until_date),
    )
    for other in others:
        closure = other.closure
        if other.exception_id == exception.exception_id or closure is None:
            continue
        for visit in left:
            if closure.holds(visit):
                raise ConflictError(
                    "cancel.still_closed",
                    date=visit.service_date.isoformat(),
                    exception_id=other.exception_id,
                )


def names_of(session: Session, region_id: str) -> tuple[dict[StopId, PublicStop], dict[str, str]]:
    """Stops and vehicles by id, as the newest timetables that name them do."""
    stops: dict[StopId, PublicStop] = {}
    vehicles: dict[str, str] = {}
    for timetable in reversed(publication_store.list_timetables(session, region_id, limit=8)):
        for place in timetable.places.get("stops", []):
            stop = PublicStop.from_json(place)
            stops[stop.stop_id] = stop
        for vehicle in timetable.places.get("vehicles", []):
            vehicles[vehicle["vehicle_id"]] = vehicle["name"]
    return stops, vehicles


def own_visits(session: Session, exception: ServiceException) -> tuple[PromisedVisit, ...]:
    """The visits of an exception as they stand now, by date."""
    ids = [VisitId(i) for i in exception.visit_ids]
    visits = publication_store.get_visits(session, exception.region_id, ids)
    return tuple(sorted(visits, key=lambda v: (v.opens_date, v.opens_s)))

"""Timetables as they were published, each promised visit, exceptions and notices.

Every change begins with ``advance``: it raises the region's counter and keeps other writers waiting
until the transaction ends, so that two publications or a publication and a cancellation follow one
another.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select, update

from data.db.tables.publication import (
    NoticeRow,
    PublicationRow,
    ServiceExceptionRow,
    StopVisitRow,
    TimetableRow,
)
from data.db.tables.regions import RegionRow
from data.model.cancellation import Effect, ExceptionKind, Notice, ServiceException
from data.model.errors import ConflictError, NotFoundError
from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.publication import PromisedVisit, VisitId, VisitState
from data.model.service_time import date_of

_MOST_IDS = 500
"""Ids in one query; databases limit the number of parameters."""
_VISIT_COLUMNS: Any = [getattr(StopVisitRow, n) for n in PromisedVisit.__dataclass_fields__]
"""Visits are read as plain rows: there are thousands, and none is changed as an object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """One published version of a region's timetable."""

    timetable_id: str
    region_id: str
    version: int
    plan_id: str
    plan_revision: int
    from_date: date
    until_date: date
    note: str = ""
    changes: Mapping[str, int] = field(default_factory=dict)
    """How many visits were kept, altered, moved, added, withdrawn and dropped."""
    places: Mapping[str, Any] = field(default_factory=dict)
    """Stops and vehicles as they were called when it was published."""
    published_at: datetime
    published_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionHead:
    """What stands above a region's timetable."""

    region_id: str
    names: Mapping[str, str]
    time_zone: str
    language: str
    revision: int

    def name_in(self, language: str) -> str:
        return self.names.get(language) or next(iter(self.names.values()), self.region_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationState:
    """The counter of all that readers see of a region; 0 where nothing was ever published."""

    revision: int
    changed_at: datetime | None


def region_head(session: Session, region_id: str) -> RegionHead:
    """A region without what is in it; one that was put away has no timetable any more.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    row = session.get(RegionRow, region_id)
    if row is None or row.closed_at is not None:
        raise NotFoundError("region.unknown", region_id=region_id)
    return RegionHead(**{name: getattr(row, name) for name in RegionHead.__dataclass_fields__})


def today_in(session: Session, region_id: str, at: datetime) -> date:
    """The date by a region's clocks; errors as in ``region_head``."""
    return date_of(at, ZoneInfo(region_head(session, region_id).time_zone))


def publication_state(session: Session, region_id: str) -> PublicationState:
    """How often what readers see has changed, and when last."""
    row = session.get(PublicationRow, region_id)
    if row is None:
        return PublicationState(revision=0, changed_at=None)
    return PublicationState(revision=row.revision, changed_at=row.changed_at)


def advance(session: Session, region_id: str, *, at: datetime) -> int:
    """Raise the counter before a change; other writers of the region wait. Gives its new value."""
    raise_it = (
        update(PublicationRow)
        .where(col(PublicationRow.region_id) == region_id)
        .values(revision=col(PublicationRow.revision) + 1, changed_at=at)
        .execution_options(synchronize_session=False)
    )
    if session.exec(raise_it).rowcount == 0:
        try:
            with session.begin_nested():
                session.add(PublicationRow(region_id=region_id, revision=1, changed_at=at))
        except IntegrityError:
            # Somebody else was the first in the meantime.
            session.exec(raise_it)
    asked = select(PublicationRow.revision).where(PublicationRow.region_id == region_id)
    return session.exec(asked).one()


def add_timetable(session: Session, timetable: Timetable) -> None:
    """Store a new version.

    Raises
    ------
    ConflictError
        ``timetable.stale`` where the version is there already.
    """
    try:
        with session.begin_nested():
            session.add(TimetableRow(**asdict(timetable)))
    except IntegrityError:
        raise ConflictError("timetable.stale", version=timetable.version) from None


def list_timetables(
    session: Session, region_id: str, *, limit: int | None = None, before: int | None = None
) -> tuple[Timetable, ...]:
    """Versions of a region, the newest first; ``before`` gives those of a lower number."""
    asked = select(TimetableRow).where(TimetableRow.region_id == region_id)
    if before is not None:
        asked = asked.where(col(TimetableRow.version) < before)
    asked = asked.order_by(col(TimetableRow.version).desc()).limit(limit)
    return tuple(_timetable(row) for row in session.exec(asked))


def newest_timetable(session: Session, region_id: str) -> Timetable | None:
    """The version that holds now; ``None`` where nothing was ever published."""
    return next(iter(list_timetables(session, region_id, limit=1)), None)


def newest_timetable_id(session: Session, region_id: str) -> str | None:
    """The id of the version that holds now."""
    asked = select(TimetableRow.timetable_id).where(TimetableRow.region_id == region_id)
    return session.exec(asked.order_by(col(TimetableRow.version).desc()).limit(1)).first()


def get_timetable(session: Session, region_id: str, version: int) -> Timetable:
    """One version.

    Raises
    ------
    NotFoundError
        ``timetable.unknown``.
    """
    asked = select(TimetableRow).where(
        TimetableRow.region_id == region_id, TimetableRow.version == version
    )
    row = session.exec(asked).first()
    if row is None:
        raise NotFoundError("timetable.unknown", version=version)
    return _timetable(row)


def load_visits(
    session: Session,
    region_id: str,
    *,
    from_date: date | None = None,
    until_date: date | None = None,
    stop_id: StopId | None = None,
    vehicle_id: VehicleId | None = None,
    states: Sequence[VisitState] = (),
) -> tuple[PromisedVisit, ...]:
    """Visits of a region by service date, vehicle and place in the run."""
    asked = select(*_VISIT_COLUMNS).where(StopVisitRow.region_id == region_id)
    if from_date is not None:
        asked = asked.where(col(StopVisitRow.service_date) >= from_date)
    if until_date is not None:
        asked = asked.where(col(StopVisitRow.service_date) <= until_date)
    if stop_id is not None:
        asked = asked.where(StopVisitRow.stop_id == stop_id)
    if vehicle_id is not None:
        asked = asked.where(StopVisitRow.vehicle_id == vehicle_id)
    if states:
        asked = asked.where(col(StopVisitRow.state).in_([s.value for s in states]))
    asked = asked.order_by(
        col(StopVisitRow.service_date),
        col(StopVisitRow.vehicle_id),
        col(StopVisitRow.start_s),
        col(StopVisitRow.visit_id),
    )
    return tuple(_visit(row) for row in session.exec(asked))


def get_visits(
    session: Session, region_id: str, visit_ids: Iterable[VisitId]
) -> tuple[PromisedVisit, ...]:
    """Visits by their ids, in the order asked for.

    Raises
    ------
    NotFoundError
        ``visit.unknown`` for an id that the region does not have.
    """
    ids = list(dict.fromkeys(visit_ids))
    found: dict[str, PromisedVisit] = {}
    for start in range(0, len(ids), _MOST_IDS):
        asked = select(*_VISIT_COLUMNS).where(
            StopVisitRow.region_id == region_id,
            col(StopVisitRow.visit_id).in_(ids[start : start + _MOST_IDS]),
        )
        found |= {row.visit_id: _visit(row) for row in session.exec(asked)}
    for visit_id in ids:
        if visit_id not in found:
            raise NotFoundError("visit.unknown", visit_id=visit_id)
    return tuple(found[visit_id] for visit_id in ids)


def put_visits(session: Session, visits: Iterable[PromisedVisit]) -> None:
    """Add visits, or take over what they have become."""
    known: dict[str, StopVisitRow] = {}
    visits = tuple(visits)
    ids = [v.visit_id for v in visits]
    for start in range(0, len(ids), _MOST_IDS):
        part = ids[start : start + _MOST_IDS]
        asked = select(StopVisitRow).where(col(StopVisitRow.visit_id).in_(part))
        known |= {row.visit_id: row for row in session.exec(asked)}
    for visit in visits:
        values = asdict(visit) | {"services": sorted(visit.services), "state": visit.state.value}
        row = known.get(visit.visit_id)
        if row is None:
            session.add(StopVisitRow(**values))
            continue
        for name, value in values.items():
            setattr(row, name, value)
    session.flush()


def next_date(session: Session, region_id: str, on: date) -> date | None:
    """The first service date, not before another, that has a visit to come."""
    asked = select(func.min(StopVisitRow.service_date)).where(
        StopVisitRow.region_id == region_id,
        StopVisitRow.state == VisitState.PLANNED.value,
        col(StopVisitRow.service_date) >= on,
    )
    return session.exec(asked).one()


def add_exception(session: Session, exception: ServiceException) -> None:
    """Store what a day has brought."""
    session.add(ServiceExceptionRow(**_exception_values(exception)))
    session.flush()


def save_exception(session: Session, exception: ServiceException) -> None:
    """Take over the effects of an exception, or that it was undone."""
    row = _exception_row(session, exception.region_id, exception.exception_id)
    for name, value in _exception_values(exception).items():
        setattr(row, name, value)
    session.flush()


def get_exception(session: Session, region_id: str, exception_id: str) -> ServiceException:
    """One exception.

    Raises
    ------
    NotFoundError
        ``exception.unknown``.
    """
    return _exception(_exception_row(session, region_id, exception_id))


def list_exceptions(
    session: Session,
    region_id: str,
    *,
    from_date: date | None = None,
    until_date: date | None = None,
    kinds: Sequence[ExceptionKind] = (),
    with_undone: bool = False,
) -> tuple[ServiceException, ...]:
    """Exceptions that touch a span of dates, the newest first."""
    asked = select(ServiceExceptionRow).where(ServiceExceptionRow.region_id == region_id)
    if from_date is not None:
        asked = asked.where(col(ServiceExceptionRow.until_date) >= from_date)
    if until_date is not None:
        asked = asked.where(col(ServiceExceptionRow.from_date) <= until_date)
    if kinds:
        asked = asked.where(col(ServiceExceptionRow.kind).in_([k.value for k in kinds]))
    if not with_undone:
        asked = asked.where(col(ServiceExceptionRow.undone_at).is_(None))
    newest_first = col(ServiceExceptionRow.created_at).desc()
    asked = asked.order_by(newest_first, col(ServiceExceptionRow.exception_id))
    return tuple(_exception(row) for row in session.exec(asked))


def add_notices(session: Session, notices: Iterable[Notice]) -> None:
    """Tell readers something."""
    session.add_all(NoticeRow(**asdict(n) | {"facts": dict(n.facts)}) for n in notices)
    session.flush()


def load_notices(
    session: Session,
    region_id: str,
    *,
    shown_on: date | None = None,
    stop_id: StopId | None = None,
    exception_id: str | None = None,
    with_withdrawn: bool = False,
) -> tuple[Notice, ...]:
    """Notices of a region, the newest first."""
    asked = select(NoticeRow).where(NoticeRow.region_id == region_id)
    if shown_on is not None:
        asked = asked.where(
            col(NoticeRow.shown_from_date) <= shown_on,
            col(NoticeRow.shown_until_date) >= shown_on,
        )
    if stop_id is not None:
        asked = asked.where(NoticeRow.stop_id == stop_id)
    if exception_id is not None:
        asked = asked.where(NoticeRow.exception_id == exception_id)
    if not with_withdrawn:
        asked = asked.where(col(NoticeRow.withdrawn_at).is_(None))
    asked = asked.order_by(col(NoticeRow.created_at).desc(), col(NoticeRow.notice_id))
    return tuple(notice_of(row) for row in session.exec(asked))


def find_notice(session: Session, notice_id: str) -> Notice | None:
    """A notice by its id, withdrawn or not."""
    row = session.get(NoticeRow, notice_id)
    return None if row is None else notice_of(row)


def set_withdrawn(session: Session, notice_ids: Iterable[str], at: datetime | None) -> None:
    """Withdraw notices, or with ``None`` show them again."""
    for notice_id in notice_ids:
        row = session.get(NoticeRow, notice_id)
        if row is None:
            raise NotFoundError("notice.unknown", notice_id=notice_id)
        row.withdrawn_at = at
    session.flush()


def _timetable(row: TimetableRow) -> Timetable:
    return Timetable(**{name: getattr(row, name) for name in Timetable.__dataclass_fields__})


def _visit(row: Any) -> PromisedVisit:
    values = dict(row._mapping)
    values["services"] = frozenset(values["services"])
    values["state"] = VisitState(values["state"])
    return PromisedVisit(**values)


def _exception_row(session: Session, region_id: str, exception_id: str) -> ServiceExceptionRow:
    row = session.get(ServiceExceptionRow, exception_id)
    if row is None or row.region_id != region_id:
        raise NotFoundError("exception.unknown", exception_id=exception_id)
    return row


def _exception_values(exception: ServiceException) -> dict[str, Any]:
    values = {n: getattr(exception, n) for n in ServiceException.__dataclass_fields__}
    return values | {
        "kind": exception.kind.value,
        "visit_ids": list(exception.visit_ids),
        "effects": [asdict(e) for e in exception.effects],
    }


def _exception(row: ServiceExceptionRow) -> ServiceException:
    values = {name: getattr(row, name) for name in ServiceException.__dataclass_fields__}
    return ServiceException(
        **values
        | {
            "kind": ExceptionKind(row.kind),
            "visit_ids": tuple(VisitId(i) for i in row.visit_ids),
            "effects": tuple(Effect(**e) for e in row.effects),
        }
    )


def notice_of(row: NoticeRow) -> Notice:
    """A notice as it is stored."""
    return Notice(**{name: getattr(row, name) for name in Notice.__dataclass_fields__})

"""Publish a plan: show what it changes for readers, then promise its visits in one transaction."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from api.services import circulation_step  # noqa: F401 (a step of the cascade)
from api.services.cascade import Change, ChangeOf, next_visits, run_cascade
from api.services.letter_queue import queue_notices
from api.services.plan_documents import OpenedPlan, open_plan
from data.db import audit_store, event_store, publication_store, region_store
from data.db.publication_store import RegionHead, Timetable
from data.model.accounts import Caller
from data.model.cancellation import Notice
from data.model.errors import ConflictError, InputError, NotFoundError, RequestError
from data.model.plan import Violation
from data.model.public_timetable import places_of
from data.model.publication import (
    ChangeKind,
    Closure,
    PromisedVisit,
    Publishing,
    Reconciled,
    VisitChange,
    lay,
    moment_of,
    reconcile,
)
from data.model.publication_diff import StopDiff, diff_by_stop
from data.model.region import Region
from planner.score import check

DEFAULT_DAYS = 182
"""Half a year is promised where no last date is named."""
MOST_DAYS = 400
NEAR_DAYS = 28
"""Changes so near are told to the readers of the stop."""
NOTE_CHARS = 1000
_MOST_LISTED = 50
"""Changes or broken rules listed in a refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishAsked:
    """What is to be published, from when to when."""

    plan_id: str
    from_date: date | None = None
    """First service date; ``None``: tomorrow, or the plan's first date where that is later."""
    until_date: date | None = None
    """Last service date; ``None``: half a year, or the end of a plan of dates."""
    note: str = ""
    max_changes: int | None = None
    """Promised times that may be lost at most; ``None`` sets no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishPreview:
    """What a publication would do; ``revision`` guards it against changes in the meantime."""

    head: RegionHead
    opened: OpenedPlan
    newest: Timetable | None
    revision: int
    from_date: date
    until_date: date
    result: Reconciled
    stops: tuple[StopDiff, ...]
    violations: tuple[Violation, ...]
    max_changes: int | None
    publishing: Publishing
    promised: tuple[PromisedVisit, ...] = ()
    """What was promised before."""

    @property
    def is_over_cap(self) -> bool:
        return self.max_changes is not None and self.result.num_changed > self.max_changes

    @property
    def is_possible(self) -> bool:
        """Whether it would be accepted as it is."""
        return not self.violations and not self.is_over_cap

    def stop_name(self, stop_id: str) -> str:
        """A stop's name, also of one that the plan does not know any more."""
        known = {s.stop_id: s.name for s in self.opened.request.stops}
        if stop_id in known:
            return known[stop_id]  # type: ignore[index]
        places = self.newest.places.get("stops", []) if self.newest else []
        return next((p["name"] for p in places if p["stop_id"] == stop_id), stop_id)


def preview(
    session: Session, region_id: str, asked: PublishAsked, *, at: datetime
) -> PublishPreview:
    """What publishing a plan would change.

    Raises
    ------
    NotFoundError
        ``region.unknown``, ``plan.unknown``.
    InputError
        ``publish.past``, ``publish.too_far``, ``publish.ends_before``,
        ``publish.too_long``, ``publish.nothing``, ``publish.note_long``.
    """
    head = publication_store.region_head(session, region_id)
    opened = open_plan(session, asked.plan_id)
    if opened.stored.region_id != region_id:
        raise NotFoundError("plan.unknown", plan_id=asked.plan_id)
    if len(asked.note) > NOTE_CHARS:
        raise InputError("publish.note_long", length=len(asked.note), limit=NOTE_CHARS)
    now = moment_of(at, head.time_zone)
    first, last = _span(asked, opened, now[0])
    laid = lay(opened.request, opened.plan, from_date=first, until_date=last)
    if not laid:
        raise InputError("publish.nothing", first=first.isoformat(), last=last.isoformat())
    publishing = Publishing(
        region_id=region_id,
        timetable_id=uuid.uuid4().hex,
        from_date=first,
        now=now,
        reach_days=min(opened.request.cycle.num_days, NEAR_DAYS),
        at=at,
        make_id=lambda: uuid.uuid4().hex,
    )
    region = region_store.load_region(session, region_id)
    exceptions = publication_store.list_exceptions(
        session, region_id, from_date=first, until_date=last
    )
    closures = [c for e in exceptions if (c := e.closure) is not None]
    promised = publication_store.load_visits(session, region_id, from_date=min(first, now[0]))
    result = reconcile(promised, laid, [*closures, *region_closures(region)], publishing=publishing)
    return PublishPreview(
        head=head,
        opened=opened,
        newest=publication_store.newest_timetable(session, region_id),
        revision=publication_store.publication_state(session, region_id).revision,
        from_date=first,
        until_date=last,
        result=result,
        stops=diff_by_stop(result.changes),
        violations=check(opened.request, opened.plan),
        max_changes=asked.max_changes,
        publishing=publishing,
        promised=promised,
    )


def publish(
    session: Session,
    region_id: str,
    asked: PublishAsked,
    *,
    expect_revision: int | None,
    by: Caller,
    at: datetime,
) -> Timetable:
    """Promise a plan's visits as the region's new timetable.

    Parameters
    ----------
    expect_revision
        Of what readers see, as the preview told it; ``None`` takes whatever there is.

    Raises
    ------
    ConflictError
        ``request.stale`` where something has changed since the preview.
    RequestError
        ``publish.broken_rules``, ``publish.over_cap``, with what is wrong as ``problems``.
    """
    begin_change(session, region_id, expect_revision, at=at)
    found = preview(session, region_id, asked, at=at)
    _refuse(found)
    version = found.newest.version + 1 if found.newest else 1
    timetable = Timetable(
        timetable_id=found.publishing.timetable_id,
        region_id=region_id,
        version=version,
        plan_id=asked.plan_id,
        plan_revision=found.opened.stored.revision,
        from_date=found.from_date,
        until_date=found.until_date,
        note=asked.note,
        changes=found.result.counts,
        places=places_of(found.opened.request.stops, found.opened.request.vehicles),
        published_at=at,
        published_by=by.account_id,
    )
    publication_store.add_timetable(session, timetable)
    publication_store.put_visits(session, found.result.to_store)
    run_cascade(session, _change(found))
    notices = _notices(found)
    publication_store.add_notices(session, notices)
    queue_notices(session, notices)
    audit_store.record(
        session,
        by,
        "timetable.publish",
        timetable.timetable_id,
        region_id=region_id,
        version=version,
        plan_id=asked.plan_id,
        **found.result.counts,
    )
    event_store.emit(session, "timetable", region_id, region_id, version=version)
    return timetable


def begin_change(
    session: Session, region_id: str, expect_revision: int | None, *, at: datetime
) -> int:
    """Make other changes of what readers see wait; gives the revision that this change makes.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    ConflictError
        ``request.stale``.
    """
    publication_store.region_head(session, region_id)
    revision = publication_store.advance(session, region_id, at=at)
    seen = revision - 1
    if expect_revision is not None and expect_revision != seen:
        newest = publication_store.newest_timetable(session, region_id)
        current = {"revision": seen, "version": newest.version if newest else 0}
        raise ConflictError("request.stale", revision=seen, sent=expect_revision, current=current)
    return revision


def _span(asked: PublishAsked, opened: OpenedPlan, today: date) -> tuple[date, date]:
    cycle = opened.request.cycle
    first = asked.from_date or max(today + timedelta(days=1), cycle.first_date)
    if (first - today).days > MOST_DAYS:
        raise InputError("publish.too_far", first=first.isoformat(), limit=MOST_DAYS)
    if first < today:
        raise InputError("publish.past", first=first.isoformat(), today=today.isoformat())
    last = asked.until_date or first + timedelta(days=DEFAULT_DAYS)
    if not cycle.repeats:
        last = min(last, cycle.last_date)
    if last < first:
        raise InputError("publish.ends_before", first=first.isoformat(), last=last.isoformat())
    if (last - first).days >= MOST_DAYS:
        raise InputError("publish.too_long", days=(last - first).days + 1, limit=MOST_DAYS)
    return first, last


def region_closures(region: Region) -> Iterator[Closure]:
    """Dates that the region has closed since the plan was made."""
    for on in region.calendar.closed_dates:
        yield Closure(from_date=on, until_date=on)
    for vehicle in region.vehicles:
        for on in vehicle.off_dates:
            yield Closure(from_date=on, until_date=on, vehicle_id=vehicle.vehicle_id)


def _refuse(found: PublishPreview) -> None:
    if found.violations:
        raise RequestError(
            "publish.broken_rules",
            count=len(found.violations),
            problems=list(found.violations[:_MOST_LISTED]),
        )
    if found.is_over_cap:
        lost = found.result.of(ChangeKind.MOVED, ChangeKind.WITHDRAWN)
        raise RequestError(
            "publish.over_cap",
            found=found.result.num_changed,
            limit=found.max_changes,
            problems=[_told(found, change) for change in lost[:_MOST_LISTED]],
        )


def _told(found: PublishPreview, change: VisitChange) -> Violation:
    """A lost time with the facts that its message names."""
    before, after = change.before or change.after, change.after
    return Violation(
        code=f"publish.change.{change.kind.value}",
        facts={
            "stop_id": after.stop_id,
            "stop": found.stop_name(after.stop_id),
            "visit_id": after.visit_id,
            "old_date": before.opens_date.isoformat(),
            "old_time": clock(before.opens_s),
            "new_date": after.opens_date.isoformat(),
            "new_time": clock(after.opens_s),
        },
    )


def _change(found: PublishPreview) -> Change:
    """What the publication means to whatever hangs on visits."""
    kinds = (ChangeKind.MOVED, ChangeKind.WITHDRAWN, ChangeKind.ALTERED, ChangeKind.ADDED)
    changes = found.result.of(*kinds)
    before = {v.visit_id: v for v in found.promised}
    after = before | {v.visit_id: v for v in found.result.to_store}
    now, stop_ids = found.publishing.now, {c.after.stop_id for c in changes}
    return Change(
        kind=ChangeOf.PUBLISH,
        region_id=found.head.region_id,
        at=found.publishing.at,
        now=now,
        before=tuple(c.before for c in changes if c.before is not None),
        after=tuple(c.after for c in changes),
        next_before=next_visits(before.values(), stop_ids, now),
        next_after=next_visits(after.values(), stop_ids, now),
    )


def clock(seconds: int) -> str:
    """Seconds from midnight as ``HH:MM``."""
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"


def _notices(found: PublishPreview) -> list[Notice]:
    """One notice for each stop that loses a time in the coming weeks."""
    today = found.publishing.now[0]
    last = today + timedelta(days=NEAR_DAYS)
    lost: dict[str, list[VisitChange]] = {}
    for change in found.result.of(ChangeKind.MOVED, ChangeKind.WITHDRAWN):
        if change.first_date <= last:
            lost.setdefault(change.after.stop_id, []).append(change)
    return [_notice(found, changes, today) for changes in lost.values()]


def _notice(found: PublishPreview, changes: Sequence[VisitChange], today: date) -> Notice:
    first = changes[0]
    before = first.before or first.after
    facts: dict[str, object] = {
        "old_date": before.opens_date.isoformat(),
        "old_start_s": before.opens_s,
    }
    if first.kind is ChangeKind.MOVED:
        facts |= {
            "new_date": first.after.opens_date.isoformat(),
            "new_start_s": first.after.opens_s,
        }
    return Notice(
        notice_id=uuid.uuid4().hex,
        region_id=first.after.region_id,
        stop_id=first.after.stop_id,
        code=f"notice.{first.kind.value}",
        facts=facts | {"count": len(changes)},
        visit_id=first.after.visit_id,
        shown_from_date=today,
        shown_until_date=max(c.first_date for c in changes),
        created_at=found.publishing.at,
    )

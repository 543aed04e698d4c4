"""Stop visits as they were promised to readers, and what a newer plan does to them.

A plan laid on dates gives visits without an id. ``reconcile`` holds them against what was promised
before: a visit keeps its lasting id as long as readers would call it the same one. The past is
never changed, a cancelled visit stays cancelled, an id is given once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NewType
from zoneinfo import ZoneInfo

from data.model.calendar import DAY_S, HOUR_S, MINUTE_S
from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.plan import Plan, PlanRequest
from data.model.riders import services_on
from data.model.timetable import run_dates

VisitId = NewType("VisitId", str)

type Moment = tuple[date, int]
"""A date and seconds from its midnight, by the region's clocks."""


def moment_of(at: datetime, time_zone: str) -> Moment:
    """An instant by the clocks of a time zone."""
    local = at.astimezone(ZoneInfo(time_zone))
    return local.date(), local.hour * HOUR_S + local.minute * MINUTE_S + local.second


class VisitState(StrEnum):
    """What has become of a promised visit."""

    PLANNED = "planned"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    """Not in a later timetable."""
    DONE = "done"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaidVisit:
    """A visit of a plan on a date, not yet promised to anybody.

    Times are seconds from midnight of ``service_date``, the date of the run; they may pass 86 400.
    """

    stop_id: StopId
    vehicle_id: VehicleId
    service_date: date
    position: int
    """Place in the run, from 0."""
    arrival_s: int
    start_s: int
    end_s: int
    departure_s: int
    services: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not 0 <= self.arrival_s <= self.start_s < self.end_s <= self.departure_s:
            raise ValueError(
                f"visit of {self.stop_id} on {self.service_date}: times {self.arrival_s}, "
                f"{self.start_s}, {self.end_s}, {self.departure_s} do not follow one another"
            )

    @property
    def opens_date(self) -> date:
        """The date on which the doors open; after midnight it is later than the run's."""
        return self.service_date + timedelta(days=self.start_s // DAY_S)

    @property
    def opens_s(self) -> int:
        """Opening on ``opens_date`` in whole minutes, as printed."""
        return self.start_s % DAY_S // MINUTE_S * MINUTE_S

    @property
    def closes_s(self) -> int:
        """Closing in whole minutes, seconds from midnight of ``opens_date``."""
        return (self.end_s - self.start_s // DAY_S * DAY_S) // MINUTE_S * MINUTE_S

    @property
    def begins(self) -> Moment:
        """When the doors open."""
        return self.opens_date, self.start_s % DAY_S

    @property
    def ends(self) -> Moment:
        """When the doors close."""
        days, s = divmod(self.end_s, DAY_S)
        return self.service_date + timedelta(days=days), s


@dataclass(frozen=True, slots=True, kw_only=True)
class PromisedVisit(LaidVisit):
    """A stop visit as readers know it; ``visit_id`` lasts through every change.

    ``sequence`` counts the changes that calendars must take over (RFC 5545, 3.8.7.4).
    """

    visit_id: VisitId
    region_id: str
    timetable_id: str
    """The timetable that promised it or changed it last."""
    state: VisitState = VisitState.PLANNED
    reason: str = ""
    """Code of why it is cancelled."""
    sequence: int = 0
    make_up_for: VisitId | None = None
    """The cancelled visit that this one stands in for."""
    published_at: datetime
    changed_at: datetime

    @property
    def is_coming(self) -> bool:
        """Whether the doors are still meant to open."""
        return self.state is VisitState.PLANNED

    @property
    def is_told(self) -> bool:
        """Whether readers are shown it, if only as cancelled."""
        return self.state is not VisitState.WITHDRAWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """Dates without service, of one vehicle or, without one, of all."""

    from_date: date
    until_date: date
    vehicle_id: VehicleId | None = None

    def holds(self, visit: LaidVisit) -> bool:
        """Whether a visit falls into it."""
        return self.from_date <= visit.service_date <= self.until_date and self.vehicle_id in (
            None,
            visit.vehicle_id,
        )


class ChangeKind(StrEnum):
    """What a newer timetable does to a visit."""

    KEPT = "kept"
    ALTERED = "altered"
    """Same time; another vehicle or other services come."""
    MOVED = "moved"
    ADDED = "added"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitChange:
    """One visit before and after; ``before`` is ``None`` for one that is added."""

    kind: ChangeKind
    before: PromisedVisit | None
    after: PromisedVisit

    @property
    def first_date(self) -> date:
        """The first date that readers would look at."""
        dates = [self.after.opens_date] + ([self.before.opens_date] if self.before else [])
        return min(dates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What a plan does to what was promised, by date; ``dropped`` fell on closed days."""

    changes: tuple[VisitChange, ...]
    dropped: tuple[LaidVisit, ...] = ()

    @property
    def to_store(self) -> tuple[PromisedVisit, ...]:
        """Visits that are new or not what they were."""
        return tuple(c.after for c in self.changes if c.after != c.before)

    def of(self, *kinds: ChangeKind) -> tuple[VisitChange, ...]:
        """The changes of some kinds."""
        return tuple(c for c in self.changes if c.kind in kinds)

    @property
    def num_changed(self) -> int:
        """Promised times that readers lose: moved or withdrawn. Added ones cost nobody anything."""
        return len(self.of(ChangeKind.MOVED, ChangeKind.WITHDRAWN))

    @property
    def counts(self) -> dict[str, int]:
        """How many visits of each kind, and how many were dropped."""
        found = {kind.value: len(self.of(kind)) for kind in ChangeKind}
        return found | {"dropped": len(self.dropped)}


def lay(
    request: PlanRequest, plan: Plan, *, from_date: date, until_date: date
) -> tuple[LaidVisit, ...]:
    """The visits of a plan on the service dates of a span, both ends included, by date and time."""
    stops = {s.stop_id: s for s in request.stops}
    laid = []
    for run in plan.runs:
        for on in run_dates(request, plan, run, until_date):
            if on < from_date:
                continue
            for position, visit in enumerate(run.visits):
                stop = stops[visit.stop_id]
                laid.append(
                    LaidVisit(
                        stop_id=visit.stop_id,
                        vehicle_id=run.vehicle_id,
                        service_date=on,
                        position=position,
                        arrival_s=visit.arrival_s,
                        start_s=visit.start_s,
                        end_s=visit.end_s,
                        departure_s=visit.departure_s,
                        services=services_on(request, run, stop, on),
                    )
                )
    return tuple(sorted(laid, key=lambda v: (v.service_date, v.vehicle_id, v.position)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """The circumstances of a publication.

    Parameters
    ----------
    from_date
        First service date for which the new timetable holds; earlier visits stay as they are.
    now
        By the region's clocks: a visit that has begun is the past.
    reach_days
        How far a visit may move and still be the same one to its readers: a cycle.
    make_id
        Gives a fresh id with every call.
    """

    region_id: str
    timetable_id: str
    from_date: date
    now: Moment
    reach_days: int
    at: datetime
    make_id: Callable[[], str]

    def is_past(self, visit: LaidVisit) -> bool:
        """Whether a visit may not be changed any more."""
        return visit.service_date < self.from_date or visit.begins <= self.now


def reconcile(
    promised: Iterable[PromisedVisit],
    laid: Iterable[LaidVisit],
    closures: Sequence[Closure] = (),
    *,
    publishing: Publishing,
) -> Reconciled:
    """What becomes of the promised visits when a plan's visits are published.

    A visit keeps its id if the plan has one of its stop on the same date, or else the nearest free
    one within ``reach_days``. A cancelled visit is the same one on its own date alone, and stays
    cancelled. A make-up visit that the plan does not know stays where its vehicle is not elsewhere
    at that hour.
    """
    old_by_stop: dict[StopId, list[PromisedVisit]] = defaultdict(list)
    passed: dict[tuple[StopId, date], int] = defaultdict(int)
    for visit in promised:
        if not visit.is_told:
            continue
        if publishing.is_past(visit) or visit.state in (VisitState.DONE, VisitState.PARTIAL):
            passed[visit.stop_id, visit.opens_date] += 1
        else:
            old_by_stop[visit.stop_id].append(visit)
    new_by_stop: dict[StopId, list[LaidVisit]] = defaultdict(list)
    dropped = []
    for new in laid:
        if publishing.is_past(new):
            continue
        if any(c.holds(new) for c in closures):
            dropped.append(new)
        elif passed[new.stop_id, new.opens_date]:
            # What has begun today is not promised a second time.
            passed[new.stop_id, new.opens_date] -= 1
        else:
            new_by_stop[new.stop_id].append(new)
    busy = [v for visits in new_by_stop.values() for v in visits]
    found: list[VisitChange] = []
    for stop_id in {**old_by_stop, **new_by_stop}:
        found += _of_stop(old_by_stop[stop_id], new_by_stop[stop_id], busy, publishing)
    found.sort(key=lambda c: (c.first_date, c.after.opens_s, c.after.stop_id, c.after.visit_id))
    return Reconciled(changes=tuple(found), dropped=tuple(dropped))


def _of_stop(
    old: Sequence[PromisedVisit],
    new: Sequence[LaidVisit],
    busy: Sequence[LaidVisit],
    publishing: Publishing,
) -> list[VisitChange]:
    pairs = _paired(old, new, publishing.reach_days)
    found = [_changed(old[i], new[j], publishing) for i, j in pairs.items()]
    for i, visit in enumerate(old):
        if i in pairs:
            continue
        stays = visit.state is VisitState.CANCELLED or (
            visit.make_up_for is not None and not any(_clash(visit, other) for other in busy)
        )
        kind = ChangeKind.KEPT if stays else ChangeKind.WITHDRAWN
        after = visit if stays else _renewed(visit, publishing, state=VisitState.WITHDRAWN)
        found.append(VisitChange(kind=kind, before=visit, after=after))
    taken = set(pairs.values())
    for j, laid in enumerate(new):
        if j not in taken:
            found.append(
                VisitChange(kind=ChangeKind.ADDED, before=None, after=_new(laid, publishing))
            )
    return found


def _paired(
    old: Sequence[PromisedVisit], new: Sequence[LaidVisit], reach_days: int
) -> dict[int, int]:
    """Which new visit each old one becomes: the nearest pairs first."""
    ways = []
    for i, was in enumerate(old):
        stays_put = was.state is VisitState.CANCELLED or was.make_up_for is not None
        reach = 0 if stays_put else reach_days
        for j, now in enumerate(new):
            days = abs((now.opens_date - was.opens_date).days)
            if days <= reach:
                seconds = abs(now.start_s % DAY_S - was.start_s % DAY_S)
                unlike = (was.vehicle_id != now.vehicle_id) + (was.services != now.services)
                ways.append((days, seconds, unlike, abs(now.end_s - was.end_s), i, j))
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for *_, i, j in sorted(ways):
        if i not in pairs and j not in taken:
            pairs[i] = j
            taken.add(j)
    return pairs


def _changed(was: PromisedVisit, now: LaidVisit, publishing: Publishing) -> VisitChange:
    if was.state is VisitState.CANCELLED:
        return VisitChange(kind=ChangeKind.KEPT, before=was, after=was)
    same_time = (was.opens_date, was.opens_s, was.closes_s) == (
        now.opens_date,
        now.opens_s,
        now.closes_s,
    )
    same_callers = (was.vehicle_id, was.services) == (now.vehicle_id, now.services)
    if same_time and same_callers:
        # Seconds and the place in the run are for the crew; readers see no change.
        after = was if _laid(was) == now else replace(was, **_times(now))
        return VisitChange(kind=ChangeKind.KEPT, before=was, after=after)
    kind = ChangeKind.ALTERED if same_time else ChangeKind.MOVED
    return VisitChange(kind=kind, before=was, after=_renewed(was, publishing, **_times(now)))


def _laid(visit: PromisedVisit) -> LaidVisit:
    return LaidVisit(**_times(visit))


def _times(visit: LaidVisit) -> dict[str, Any]:
    """What a plan says of a visit."""
    return {name: getattr(visit, name) for name in LaidVisit.__dataclass_fields__}


def _renewed(visit: PromisedVisit, publishing: Publishing, **changes: Any) -> PromisedVisit:
    """The visit after a change that calendars must take over."""
    return replace(
        visit,
        **changes,
        sequence=visit.sequence + 1,
        timetable_id=publishing.timetable_id,
        changed_at=publishing.at,
    )


def _new(laid: LaidVisit, publishing: Publishing) -> PromisedVisit:
    return PromisedVisit(
        **_times(laid),
        visit_id=VisitId(publishing.make_id()),
        region_id=publishing.region_id,
        timetable_id=publishing.timetable_id,
        published_at=publishing.at,
        changed_at=publishing.at,
    )


def _clash(visit: LaidVisit, other: LaidVisit) -> bool:
    """Whether one vehicle would have to be at two places at once."""
    return (
        (visit.vehicle_id, visit.service_date) == (other.vehicle_id, other.service_date)
        and visit.arrival_s < other.departure_s
        and other.arrival_s < visit.departure_s
    )

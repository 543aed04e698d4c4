"""The runs of two weeks as they are promised, as a plan of dates that the planner can look at.

Every promised time is pinned; days that may not be used are closed in a copy of the calendar.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.db.publication_store import Timetable
from data.model.calendar import DAYS_PER_WEEK, Cycle
from data.model.cancellation import ServiceException
from data.model.fleet import Vehicle, VehicleId
from data.model.pins import Pins, VisitPin
from data.model.place import Stop, StopId
from data.model.plan import Plan, PlanRequest
from data.model.publication import Closure, Moment, PromisedVisit
from data.model.timetable import run_dates
from data.model.travel import TravelMatrix
from planner.edit import Add, Edit, Remove, apply

_ALIAS = "\N{ZERO WIDTH SPACE}make-up"
"""The stop under a second name: its regular visits stay what they are."""
_IN_SERVICE = "\N{ZERO WIDTH SPACE}in service"
"""What every vehicle can but those that are out of service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedVisit:
    """A cancelled visit with everything the search reads."""

    missed: PromisedVisit
    exception: ServiceException
    timetable: Timetable
    now: Moment
    visits: tuple[PromisedVisit, ...]
    """All visits meant to happen, from the week before on."""
    closures: tuple[Closure, ...]
    last_date: date
    without: frozenset[VehicleId] = frozenset()
    """Vehicles that are out of service, nobody knows until when."""

    @property
    def first_date(self) -> date:
        """First date that may be offered: a day's notice, and after the cancelled visit."""
        return max(self.now[0], self.missed.service_date) + timedelta(days=1)

    @property
    def own_dates(self) -> frozenset[date]:
        """Dates on which the stop is visited anyway."""
        stop_id = self.missed.stop_id
        return frozenset(v.service_date for v in self.visits if v.stop_id == stop_id)


def once_more(stop: Stop, open_s: int, *, by_some: bool = False) -> Stop:
    """The stop as it is to be visited once more, whoever comes along.

    Parameters
    ----------
    by_some
        Only by vehicles that are in service (``MissedVisit.without``).
    """
    return replace(
        stop,
        stop_id=StopId(stop.stop_id + _ALIAS),
        service_s=open_s,
        service_most_s=None,
        visits_per_cycle=1,
        recurrence=None,
        min_gap_days=1,
        max_gap_days=None,
        services=frozenset(),
        services_visits=None,
        mandatory=False,
        needs=stop.needs | {_IN_SERVICE} if by_some else stop.needs,
    )


def runs_as_promised(
    request: PlanRequest, plan: Plan, case: MissedVisit, monday: date, stop: Stop
) -> tuple[PlanRequest, Plan]:
    """The runs of a week and of the one before as they are promised, and what they are judged by.

    The week before is there for rules of two weeks. Every promised time is pinned.
    """
    start = monday - timedelta(weeks=1)
    last = monday + timedelta(days=DAYS_PER_WEEK - 1)
    cycle = Cycle(start_date=start, num_weeks=2, repeats=False)
    runs = tuple(
        replace(run, day=(on - start).days)
        for run in plan.runs
        for on in run_dates(request, plan, run, last)
        if on >= start
    )
    promised = {
        (v.vehicle_id, (v.service_date - start).days, v.stop_id): v
        for v in case.visits
        if start <= v.service_date <= last
    }
    visited = {v.stop_id for v in promised.values()} | {v.stop_id for r in runs for v in r.visits}
    travel = {
        vehicle_id: _with_alias(matrix, case.missed.stop_id, stop.stop_id)
        for vehicle_id, matrix in request.travel.items()
    }
    dated = replace(
        request,
        cycle=cycle,
        stops=(*(s for s in request.stops if s.stop_id in visited), stop),
        travel=travel,
        pins=Pins(),
        change_cap=None,
        specialists=(),
    )
    bare = Plan(runs=tuple(replace(r, specialist_ids=()) for r in runs))
    edits = _edits(bare, promised)
    laid = apply(dated, bare, edits) if edits else bare
    pins = tuple(
        VisitPin(
            stop_id=v.stop_id,
            day=r.day,
            vehicle_id=r.vehicle_id,
            earliest_s=v.start_s,
            latest_s=v.start_s,
        )
        for r in laid.runs
        for v in r.visits
    )
    return replace(_closed(dated, case, start), pins=Pins(visits=pins)), laid


def _edits(
    plan: Plan, promised: Mapping[tuple[VehicleId, int, StopId], PromisedVisit]
) -> list[Edit]:
    """What makes the plan's runs those that are promised: cancelled ones out, make-ups in."""
    planned = {(r.vehicle_id, r.day, v.stop_id) for r in plan.runs for v in r.visits}
    edits: list[Edit] = [
        Remove(stop_id=stop_id, day=day)
        for vehicle_id, day, stop_id in sorted(planned - promised.keys())
    ]
    for vehicle_id, day, stop_id in sorted(promised.keys() - planned):
        visit = promised[vehicle_id, day, stop_id]
        edits.append(Add(stop_id=stop_id, vehicle_id=vehicle_id, day=day, at_s=visit.start_s))
    return edits


def _closed(request: PlanRequest, case: MissedVisit, start: date) -> PlanRequest:
    """The request with every date closed that may not be offered."""
    dates = [start + timedelta(days=k) for k in range(request.cycle.num_days)]
    open_dates = range(DAYS_PER_WEEK, request.cycle.num_days)
    barred = {
        on
        for k, on in enumerate(dates)
        if k not in open_dates
        or not case.first_date <= on <= case.last_date
        or on in case.own_dates
        or any(c.vehicle_id is None and c.from_date <= on <= c.until_date for c in case.closures)
    }
    off: dict[VehicleId, set[date]] = {}
    for closure in case.closures:
        if closure.vehicle_id is not None:
            days = {on for on in dates if closure.from_date <= on <= closure.until_date}
            off.setdefault(closure.vehicle_id, set()).update(days)
    closed = {**request.calendar.closed_dates, **dict.fromkeys(barred, "")}
    vehicles = tuple(
        replace(
            v,
            off_dates=v.off_dates | off.get(v.vehicle_id, set()),
            abilities=v.abilities | _serving(v, case),
        )
        for v in request.vehicles
    )
    return replace(
        request, calendar=replace(request.calendar, closed_dates=closed), vehicles=vehicles
    )


def _serving(vehicle: Vehicle, case: MissedVisit) -> frozenset[str]:
    return frozenset() if vehicle.vehicle_id in case.without else frozenset({_IN_SERVICE})


def _with_alias(matrix: TravelMatrix, point: str, alias: str) -> TravelMatrix:
    """The matrix with a point under a second name."""
    if point not in matrix.index:
        return matrix
    order = np.append(np.arange(len(matrix.point_ids)), matrix.index[point])
    cut = np.ix_(order, order)

    def wider(part: NDArray[np.int32] | None) -> Any:
        return None if part is None else part[cut]

    return TravelMatrix(
        point_ids=(*matrix.point_ids, alias),
        travel_s=matrix.travel_s[cut],
        travel_m=matrix.travel_m[cut],
        source=matrix.source,
        is_estimated=matrix.is_estimated,
        base_s=wider(matrix.base_s),
        buffer_s=wider(matrix.buffer_s),
    )

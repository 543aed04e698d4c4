"""From a ``PlanRequest`` to the search's ``Problem``, with the reasons that are known at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from data.model.errors import RequestError
from data.model.fleet import VehicleId
from data.model.nights import NO_NIGHTS, Nights, ends_on
from data.model.plan import PlanRequest, Unserved
from data.model.travel import TravelMatrix
from planner.aboard import Aboard, Deal, possible_rides
from planner.duty import duty_window, vehicle_day, weeks_of
from planner.dwell import LEAST_PRIZE, kept_extra_s, levels_s, with_service, worth_of_stops
from planner.options import open_slots, options_of
from planner.pinning import Fixing, fixing_of
from planner.problem import (
    NO_LIMIT,
    NO_ROAD,
    Floats,
    Level,
    Problem,
    Slot,
    Solution,
    VehicleDay,
    build_problem,
)
from planner.rhythm import NO_DATE

VISIT_REWARD_S = 4.0 * 3600
"""By how much a tour's day with visits is made cheaper than one without, seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A problem and what its indices stand for."""

    request: PlanRequest
    problem: Problem
    unserved: Mapping[int, Unserved] = field(default_factory=dict)
    """Stops that no plan can serve, by index, with the reason."""
    duty: Mapping[VehicleId, tuple[int, int]] = field(default_factory=dict)
    """Duty window used for each vehicle, cut where daily rest asks for it."""

    vehicles: tuple[int, ...] = ()
    """Index in the request of each vehicle of the problem; a vehicle whose days differ in what it
    may serve is several there."""
    nights: Nights = field(default_factory=dict)
    """Nights spent away from base."""
    fixing: Fixing | None = None
    """What pins and bans leave."""
    away_s: float = 0.0
    """What the nights cost, with the seconds by which their days look too cheap in the problem."""

    def rank(self, solution: Solution) -> tuple[int, float, float]:
        """Order of solutions of one request, whatever nights they spend away: smaller is better."""
        return (solution.mandatory_unserved, -solution.prize, solution.cost + self.away_s)

    aboard: Aboard | None = None
    """Who rides where; ``None`` where no stop asks for a service."""

    def vehicle_of(self, run: VehicleDay) -> int:
        """Index in the request of the vehicle that a vehicle-day belongs to."""
        return self.vehicles[run.vehicle]


def compile_request(
    request: PlanRequest, nights: Nights = NO_NIGHTS, deal: Deal | None = None
) -> Compiled:
    """The search problem of a planning request whose vehicles spend these nights away.

    ``deal`` says which specialist rides where; without it every ride that is possible by itself is
    taken, and no hours of specialists are kept: a relaxation where these rides do not go together.

    Travel cost is driving seconds. Daily rest is kept by
    construction: where a vehicle works on two days in a row, its duty window is cut so that any
    two such shifts leave the rest, at home or away.

    Raises
    ------
    RequestError
        ``request.no_vehicle``, ``request.no_stop``, ``request.no_working_day``, or
        ``request.travel_missing`` if a matrix lacks a point.
    """
    _check(request)
    classes, class_of = _travel_classes(request)
    depot_node = {d.depot_id: len(request.stops) + k for k, d in enumerate(request.depots)}
    duty = {v.vehicle_id: duty_window(request, v) for v in request.vehicles}
    weeks = weeks_of(request)
    runs = [
        vehicle_day(
            request,
            number,
            day,
            class_of[vehicle.vehicle_id],
            depot_node,
            duty,
            weeks,
            ends_on(vehicle, day, nights),
        )
        for number, vehicle in enumerate(request.vehicles)
        for day in request.working_days(vehicle)
    ]
    aboard = Aboard.of(request, possible_rides(request, nights) if deal is None else deal)
    if aboard is not None and deal is not None:
        runs = [aboard.narrowed(run) for run in runs]
    able = np.array(
        [[stop.needs <= v.abilities for v in request.vehicles] for stop in request.stops],
        np.bool_,
    ).reshape(len(request.stops), len(request.vehicles))
    times = np.stack([_seconds(m, request) for m in classes])
    runs, away_s = _with_ways(request, runs, times, nights) if nights else (runs, 0.0)
    fixing = fixing_of(request) if request.pins else None
    options: list[list[list[Slot]]] = []
    levels: list[list[Level]] = []
    unserved: dict[int, Unserved] = {}
    worth, kept = worth_of_stops(request), kept_extra_s(request)
    for index, stop in enumerate(request.stops):
        options.append([])
        levels.append([])
        for extra_s in levels_s(stop, kept.get(index)):
            longer = with_service(stop, stop.service_s + extra_s) if extra_s else stop
            found = options_of(request, longer, index, runs, able[index], times)
            coming = aboard if stop.services else None
            if coming is not None and not isinstance(found, Unserved):
                found = options_of(request, longer, index, runs, able[index], times, None, coming)
            if fixing is not None and not isinstance(found, Unserved):
                found = options_of(request, longer, index, runs, able[index], times, fixing, coming)
            if isinstance(found, Unserved):
                # What is too long by a little is too long by more.
                if not options[index]:
                    unserved[index] = found
                break
            gain = worth[index] * request.dwell_worth.share(extra_s)
            options[index] += found
            levels[index] += [(float(extra_s), gain)] * len(found)
    runs, may_serve, vehicles = _numbered(runs, able, _blocked(fixing, aboard))
    pinned = fixing.days if fixing is not None else {}
    problem = build_problem(
        cost=times,
        time=times,
        options=options,
        runs=runs,
        occupied=[float(s.occupied_s) for s in request.stops],
        prize=[max(s.prize, LEAST_PRIZE) for s in request.stops],
        mandatory=[
            (s.mandatory and not _has_no_date(unserved.get(k))) or k in pinned
            for k, s in enumerate(request.stops)
        ],
        clock_tolerance=[
            float(request.clock_tolerance_s)
            if s.visits_per_cycle > 1 or request.recurrence_of(s) is not None
            else NO_LIMIT
            for s in request.stops
        ],
        clock_grid=_clock_grid(request.clock_tolerance_s),
        may_serve=may_serve,
        weeks=weeks,
        levels=levels,
    )
    return Compiled(
        request=request,
        problem=problem,
        unserved=unserved,
        duty=duty,
        vehicles=vehicles,
        nights=dict(nights),
        fixing=fixing,
        away_s=away_s,
        aboard=aboard,
    )


def latest_start(compiled: Compiled, index: int, slot: Slot, own_s: float) -> tuple[float, float]:
    """What bounds a visit's start, whatever the open time: (latest start, due).

    The start is at most the first; the start plus the seconds beyond the least open time at most
    the second, which comes from the window of the slot.

    Parameters
    ----------
    slot
        Of an option with ``own_s`` seconds beyond the least.
    """
    stop = compiled.request.stops[index]
    day, low, high = slot
    last = NO_LIMIT
    if compiled.fixing is not None:
        _, last = compiled.fixing.spans.get((index, day), (0.0, NO_LIMIT))
    ends = [
        hi
        for _, (_, lo, hi) in open_slots(with_service(stop, stop.service_s), day)
        if lo <= low and high <= hi - own_s
    ]
    return last, min(ends, default=high + own_s)


def _has_no_date(unserved: Unserved | None) -> bool:
    """Whether a stop is left out because its rule gives it no date: nothing is owed to it."""
    return unserved is not None and unserved.reason == NO_DATE


def _check(request: PlanRequest) -> None:
    if not request.vehicles:
        raise RequestError("request.no_vehicle")
    if not request.stops:
        raise RequestError("request.no_stop")
    if not any(request.working_days(v) for v in request.vehicles):
        raise RequestError(
            "request.no_working_day",
            start=request.cycle.first_date.isoformat(),
            end=request.cycle.last_date.isoformat(),
        )
    points = [d.depot_id for d in request.depots] + [s.stop_id for s in request.stops]
    for vehicle in request.vehicles:
        matrix = request.travel.get(vehicle.vehicle_id)
        known = matrix.index if matrix is not None else {}
        for point in points:
            if point not in known:
                raise RequestError("request.travel_missing", point=point, vehicle=vehicle.name)


def _travel_classes(request: PlanRequest) -> tuple[list[TravelMatrix], dict[str, int]]:
    """The distinct matrices, and each vehicle's place among them."""
    classes: list[TravelMatrix] = []
    class_of: dict[str, int] = {}
    for vehicle in request.vehicles:
        matrix = request.travel[vehicle.vehicle_id]
        for number, known in enumerate(classes):
            if known is matrix:
                class_of[vehicle.vehicle_id] = number
                break
        else:
            class_of[vehicle.vehicle_id] = len(classes)
            classes.append(matrix)
    return classes, class_of


def _seconds(matrix: TravelMatrix, request: PlanRequest) -> Floats:
    points = [s.stop_id for s in request.stops] + [d.depot_id for d in request.depots]
    rows = np.array([matrix.index[p] for p in points], np.intp)
    seconds = matrix.travel_s[np.ix_(rows, rows)].astype(np.float64)
    seconds[seconds < 0] = NO_ROAD
    return seconds


def _clock_grid(tolerance_s: int) -> float:
    """Nominal clock times lie on five minutes where the tolerance leaves room for it."""
    return next((float(g) for g in (300, 60) if tolerance_s >= g), 1.0)


def _blocked(fixing: Fixing | None, aboard: Aboard | None) -> Any:
    """Visits by stop, vehicle and day that pins or services rule out; ``None`` if none can be."""
    if aboard is None:
        return None if fixing is None else fixing.blocked
    return aboard.lacking if fixing is None else fixing.blocked | aboard.lacking


def _numbered(
    runs: list[VehicleDay], able: Any, blocked: Any
) -> tuple[list[VehicleDay], Any, tuple[int, ...]]:
    """Vehicle-days by the numbers of the problem's vehicles, what these may serve, who they are.

    A vehicle has a number more for each set of stops that pins, or the services aboard, leave to
    some of its days; ``blocked`` says so by stop, vehicle and day.
    """
    columns = list(able.T)
    vehicles = list(range(len(columns)))
    number: dict[tuple[int, bytes], int] = {}
    numbered = []
    for run in runs:
        column = able[:, run.vehicle]
        if blocked is not None:
            column = column & ~blocked[:, run.vehicle, run.day]
        if (column == able[:, run.vehicle]).all():
            numbered.append(run)
            continue
        key = run.vehicle, column.tobytes()
        if key not in number:
            number[key] = len(columns)
            columns.append(column)
            vehicles.append(run.vehicle)
        numbered.append(replace(run, vehicle=number[key]))
    # The problem numbers no vehicle past the last that has a run.
    num = 1 + max(r.vehicle for r in numbered)
    return numbered, np.stack(columns, axis=1)[:, :num], tuple(vehicles)


def _with_ways(
    request: PlanRequest, runs: list[VehicleDay], times: Floats, nights: Nights
) -> tuple[list[VehicleDay], float]:
    """The runs made cheaper by the way between their two ends where a night lies beside them.

    Else a tour's day would be cheapest without any visit, as if the vehicle had no way to go. As
    each of them must have a visit, having one is rewarded besides: that adds as much to all
    solutions that may be used, and sets none of them apart.

    Returns
    -------
    tuple
        The runs, and the seconds by which a tour's days look too cheap, with those of its nights.
    """
    cost_of = {d.depot_id: d.night_cost_s for d in request.depots}
    total_s = float(sum(cost_of[place] for place in nights.values()))
    changed = []
    for run in runs:
        vehicle_id = request.vehicles[run.vehicle].vehicle_id
        way_s = float(times[run.travel_class, run.start_node, run.end_node])
        is_away = (vehicle_id, run.day) in nights or (vehicle_id, run.day - 1) in nights
        if is_away and way_s < NO_ROAD:
            reward_s = way_s + VISIT_REWARD_S
            total_s += reward_s
            changed.append(replace(run, fixed_cost=-reward_s))
        else:
            changed.append(run)
    return changed, total_s

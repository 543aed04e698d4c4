"""From a ``PlanRequest`` to the search's ``Problem``, with the reasons that are known at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from data.model.calendar import DAY_S, DAYS_PER_WEEK, MINUTE_S, Cycle
from data.model.errors import RequestError
from data.model.fleet import CrewRules, Vehicle, VehicleId
from data.model.nights import NO_NIGHTS, Nights, ends_on
from data.model.place import DepotId, Stop
from data.model.plan import PlanRequest, Unserved
from data.model.travel import TravelMatrix
from planner.aboard import Aboard, Deal, possible_rides, why_no_service
from planner.dwell import LEAST_PRIZE, kept_extra_s, levels_s, with_service, worth_of_stops
from planner.patterns import MOST_PATTERNS
from planner.pinning import Fixing, fixing_of, why_not
from planner.problem import (
    NO_LIMIT,
    NO_ROAD,
    Floats,
    Level,
    Problem,
    Slot,
    Solution,
    VehicleDay,
    Week,
    build_problem,
)
from planner.rhythm import NO_DATE, has_no_date, patterns_of, why_no_dates

VISIT_REWARD_S = 4.0 * 3600
"""By how much a tour's day with visits is made cheaper than one without, seconds."""
LONGEST_MEAL_S = 2 * 3600
"""Longest meal where the rules set none."""
_CUT_STEP_S = 1800
_PINNED_FACTOR = 20
"""So many times more patterns are looked through for those that hold a pinned day."""


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
    weeks = _weeks(request)
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
            found = _options(request, longer, index, runs, able[index], times)
            coming = aboard if stop.services else None
            if coming is not None and not isinstance(found, Unserved):
                found = _options(request, longer, index, runs, able[index], times, None, coming)
            if fixing is not None and not isinstance(found, Unserved):
                found = _options(request, longer, index, runs, able[index], times, fixing, coming)
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
        for _, (_, lo, hi) in _open_slots(with_service(stop, stop.service_s), day)
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


def duty_window(request: PlanRequest, vehicle: Vehicle) -> tuple[int, int]:
    """The vehicle's duty window, cut so that two days in a row keep the daily rest.

    Between two shifts in one window of length ``w`` lie at least ``24 h - w``. That must reach
    ``daily_rest_s`` and, with the meal, ``rest_shift_ratio`` times the longest shift that fits.
    Of the possible cuts the one is taken that the most stops' windows allow, then the earliest.
    """
    start, end = vehicle.duty_start_s, vehicle.duty_end_s
    days = set(request.working_days(vehicle))
    total = request.cycle.num_days
    after = {(d + 1) % total if request.cycle.repeats else d + 1 for d in days}
    if not after & days:
        return start, end
    longest = longest_duty(request.crew_rules.get(vehicle.vehicle_id, CrewRules()))
    if end - start <= longest:
        return start, end
    cuts = [*range(start, end - longest, _CUT_STEP_S), end - longest]
    best = max(cuts, key=lambda s: (_openings(request, s, s + longest), -s))
    return best, best + longest


def longest_duty(rules: CrewRules) -> int:
    """Longest span from sign-on to sign-off, seconds, that keeps daily rest day after day."""
    longest = DAY_S
    if rules.daily_rest_s is not None:
        longest = DAY_S - rules.daily_rest_s
    if rules.rest_shift_ratio is not None:
        longest = min(longest, _longest_by_ratio(rules, rules.rest_shift_ratio))
    return longest


def _longest_by_ratio(rules: CrewRules, ratio: float) -> int:
    """Longest window with ``24 h - window + meal >= ratio * work`` for every shift inside it."""
    meal = rules.meal_min_s or 0
    after = rules.meal_after_s if rules.meal_after_s is not None else DAY_S
    most = rules.shift_max_s if rules.shift_max_s is not None else DAY_S

    def keeps(window: int) -> bool:
        short = min(window, most, after)
        long = min(window - meal, most)
        return DAY_S - window >= ratio * short and (
            long <= after or DAY_S - window + meal >= ratio * long
        )

    return next((w for w in range(DAY_S, 0, -60) if keeps(w)), 60)


def _openings(request: PlanRequest, lo: int, hi: int) -> int:
    """How many stops have a window that a duty from ``lo`` to ``hi`` can use."""
    return sum(
        not s.windows
        or any(min(w.end_s, hi) - max(w.start_s, lo) >= s.service_s for w in s.windows)
        for s in request.stops
    )


def _weeks(request: PlanRequest) -> list[Week]:
    """Week limits of all vehicles, ``num_weeks`` rows each; empty if no vehicle has any.

    On a dated horizon one more row, without limits, stands for the weeks after it.
    """
    rules = [request.crew_rules.get(v.vehicle_id, CrewRules()) for v in request.vehicles]
    if all(
        r.week_work_max_s is None and r.drive_week_max_s is None and r.drive_two_week_max_s is None
        for r in rules
    ):
        return []
    num = request.cycle.num_weeks
    past = len(rules) * num
    rows = [
        Week(
            next_week=number * num + (week + 1) % num
            if request.cycle.repeats or week + 1 < num
            else past,
            max_work=_limit(rule.week_work_max_s),
            max_drive=_limit(rule.drive_week_max_s),
            max_drive_with_next=_limit(rule.drive_two_week_max_s),
        )
        for number, rule in enumerate(rules)
        for week in range(num)
    ]
    return rows if request.cycle.repeats else [*rows, Week(next_week=past)]


def _limit(value: int | None) -> float:
    return NO_LIMIT if value is None else float(value)


def vehicle_day(
    request: PlanRequest,
    number: int,
    day: int,
    travel_class: int,
    depot_node: Mapping[Any, int],
    duty: Mapping[Any, tuple[int, int]],
    weeks: list[Week],
    ends: tuple[DepotId, DepotId] | None = None,
) -> VehicleDay:
    """A vehicle's day as the search sees it: its places' nodes, duty window and crew limits.

    ``ends`` are where the run starts and ends; ``None`` means the vehicle's own depots.
    """
    vehicle = request.vehicles[number]
    start, end = ends or ends_on(vehicle, day, NO_NIGHTS)
    rules = request.crew_rules.get(vehicle.vehicle_id, CrewRules())
    has_meal = rules.meal_after_s is not None and rules.meal_min_s is not None
    lo, hi = duty[vehicle.vehicle_id]
    least_meal = float(rules.meal_min_s or 0)
    most_meal = float(rules.meal_max_s or LONGEST_MEAL_S)
    return VehicleDay(
        vehicle=number,
        day=day,
        start_node=depot_node[start],
        end_node=depot_node[end],
        travel_class=travel_class,
        max_work=_limit(rules.shift_max_s),
        max_drive=_limit(rules.drive_daily_max_s),
        max_stops=vehicle.max_stops_per_run,
        duty_lo=float(lo),
        duty_hi=float(hi),
        prep=float(request.prep_s(vehicle, start)),
        closing=float(request.closing_s(vehicle, end)),
        meal_after=_limit(rules.meal_after_s) if has_meal else NO_LIMIT,
        meal_min=least_meal if has_meal else 0.0,
        meal_max=max(least_meal, most_meal) if has_meal else 0.0,
        meal_lo=float(request.meal_window_start_s),
        meal_hi=float(request.meal_window_end_s),
        drive_continuous=_limit(rules.drive_continuous_max_s),
        # Without a break that resets it, the limit holds for the whole run.
        break_length=_limit(rules.break_s),
        break_parts=tuple(float(p) for p in rules.break_split_s),
        week=number * request.cycle.num_weeks + day // DAYS_PER_WEEK if weeks else -1,
    )


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


def _options(
    request: PlanRequest,
    stop: Stop,
    index: int,
    runs: list[VehicleDay],
    able: Any,
    times: Floats,
    fixing: Fixing | None = None,
    aboard: Aboard | None = None,
) -> list[list[Slot]] | Unserved:
    """The visit options of a stop that pins and riders leave it, or the reason why it has none."""
    vehicles = request.vehicles
    if has_no_date(request, stop):
        return why_no_dates(request, stop)
    if not able.any():
        nearest = min(vehicles, key=lambda v: len(stop.needs - v.abilities))
        missing = ", ".join(sorted(stop.needs - nearest.abilities))
        return _left_out(stop, "ability", vehicle=nearest.name, missing=missing)
    fit = [r for r in runs if able[r.vehicle]]
    if aboard is not None:
        fit = [r for r in fit if not aboard.lacking[index, r.vehicle, r.day]]
        if not fit:
            return why_no_service(request, stop)
    if fixing is not None:
        fit = [r for r in fit if not fixing.blocked[index, r.vehicle, r.day]]
        if not fit:
            return why_not(request, fixing, index, {})
    if not fit:
        return _left_out(stop, "no_day", vehicle=vehicles[int(np.argmax(able))].name)
    out = [float(times[r.travel_class, r.start_node, index]) for r in fit]
    back = [float(times[r.travel_class, index, r.end_node]) for r in fit]
    excess = [
        shift_excess(r, a, b, stop.occupied_s) for r, a, b in zip(fit, out, back, strict=True)
    ]
    if fixing is None and all(e is not None for e in excess):
        if aboard is not None:
            return why_no_service(request, stop)
        least = min(range(len(fit)), key=lambda k: out[k] + back[k])
        return _too_far(stop, vehicles[fit[least].vehicle], excess[least], out[least] + back[least])
    windows: dict[int, list[tuple[int, Slot]]] = {}
    for run, there, home, over in zip(fit, out, back, excess, strict=True):
        if over is None and run.day not in windows:
            usable = [
                (k, slot)
                for k, slot in _slots(stop, run.day, index, fixing)
                if _reaches(run, slot, there, home, stop.occupied_s)
            ]
            if usable:
                windows[run.day] = usable
    if fixing is not None:
        return _pinned_options(request, stop, index, windows, fixing, aboard)
    vehicle = vehicles[fit[0].vehicle].name
    if aboard is not None and not windows:
        return why_no_service(request, stop)
    if not windows:
        return _left_out(stop, "window", vehicle=vehicle, service_min=stop.service_s // MINUTE_S)
    weekdays = stop.weekdays
    days = [d for d in windows if not weekdays or Cycle.weekday_of(d) in weekdays]
    if aboard is not None and not days:
        return why_no_service(request, stop)
    if not days:
        return _left_out(stop, "no_day", vehicle=vehicle)
    if aboard is not None:
        patterns = _served_patterns(request, stop, index, days, aboard)
        if not patterns:
            return why_no_service(request, stop)
        return [option for pattern in patterns for option in _with_windows(pattern, windows)]
    patterns = patterns_of(request, stop, days)
    if not patterns and request.recurrence_of(stop) is not None:
        return why_no_dates(request, stop)
    if not patterns:
        return _left_out(
            stop,
            "no_pattern",
            visits=stop.visits_per_cycle,
            num_days=len(days),
            min_gap_days=stop.min_gap_days,
            max_gap_days=stop.max_gap_days or request.cycle.num_days,
        )
    return [option for pattern in patterns for option in _with_windows(pattern, windows)]


def _served_patterns(
    request: PlanRequest, stop: Stop, index: int, days: Collection[int], aboard: Aboard
) -> tuple[tuple[int, ...], ...]:
    """The patterns with as many days on which the stop's services come as it asks for."""
    limit = MOST_PATTERNS * (1 if stop.services_at_every_visit else _PINNED_FACTOR)
    found = [p for p in patterns_of(request, stop, days, limit) if aboard.is_enough(index, p)]
    return tuple(found[:MOST_PATTERNS])


def _pinned_options(
    request: PlanRequest,
    stop: Stop,
    index: int,
    windows: Mapping[int, list[tuple[int, Slot]]],
    fixing: Fixing,
    aboard: Aboard | None,
) -> list[list[Slot]] | Unserved:
    """The options that hold every pinned day, of the days that pins and bans leave."""
    days = [d for d in windows if not stop.weekdays or Cycle.weekday_of(d) in stop.weekdays]
    pinned = fixing.days.get(index, frozenset())
    is_counted = request.recurrence_of(stop) is None
    if is_counted and len(pinned) >= stop.visits_per_cycle:
        days = [d for d in days if d in pinned]
    limit = MOST_PATTERNS * (_PINNED_FACTOR if pinned else 1)
    found = [
        p
        for p in patterns_of(request, stop, days, limit)
        if pinned <= set(p) and (aboard is None or aboard.is_enough(index, p))
    ]
    if not found or (is_counted and len(pinned) > stop.visits_per_cycle):
        return why_not(request, fixing, index, windows)
    return [o for pattern in found[:MOST_PATTERNS] for o in _with_windows(pattern, windows)]


def _left_out(stop: Stop, reason: str, **facts: object) -> Unserved:
    named = {"stop": stop.name, **facts}
    return Unserved(stop_id=stop.stop_id, reason=f"unserved.{reason}", facts=named)


def _too_far(
    stop: Stop, vehicle: Vehicle, excess: tuple[str, float, float] | None, drive: float
) -> Unserved:
    """The reason why even the nearest vehicle cannot make a run to the stop alone."""
    reason, needed, limit = excess or ("unreachable", NO_ROAD, NO_ROAD)
    if reason == "unreachable":
        return _left_out(stop, reason, vehicle=vehicle.name)
    facts: dict[str, object] = {
        "vehicle": vehicle.name,
        "found_min": -int(-needed // MINUTE_S),
        "limit_min": int(limit // MINUTE_S),
    }
    if reason == "too_far":
        facts["drive_min"] = -int(-drive // MINUTE_S)
    return _left_out(stop, reason, **facts)


def shift_excess(
    run: VehicleDay, out: float, back: float, occupied: float
) -> tuple[str, float, float] | None:
    """(reason, needed, allowed seconds) of a run to one stop alone, if it breaks a limit."""
    drive = out + back
    work = run.prep + drive + occupied + run.closing
    span = work + (run.meal_min if work > run.meal_after else 0.0)
    if max(out, back) >= NO_ROAD:
        return "unreachable", NO_ROAD, NO_ROAD
    if drive > run.max_drive:
        return "drive_limit", drive, run.max_drive
    if work > run.max_work:
        return "too_far", work, run.max_work
    if span > run.duty_hi - run.duty_lo:
        return "too_far", span, run.duty_hi - run.duty_lo
    if max(out, back) > run.drive_continuous:
        return "drive_limit", max(out, back), run.drive_continuous
    return None


def _slots(
    stop: Stop, day: int, index: int = 0, fixing: Fixing | None = None
) -> list[tuple[int, Slot]]:
    """Windows of a stop on a day as (number of the window, slot of the occupied time's start).

    Slots that the day's pins rule out are left out.
    """
    slots = _open_slots(stop, day)
    if fixing is None:
        return slots
    narrowed = ((number, fixing.narrowed(index, slot)) for number, slot in slots)
    return [(number, slot) for number, slot in narrowed if slot is not None]


def _open_slots(stop: Stop, day: int) -> list[tuple[int, Slot]]:
    if not stop.windows:
        return [(-1, (day, 0.0, NO_LIMIT))]
    weekday = Cycle.weekday_of(day)
    found = []
    for number, window in enumerate(stop.windows):
        lo = float(max(0, window.start_s - stop.setup_s))
        hi = float(window.end_s - stop.service_s - stop.setup_s)
        if window.applies_on(weekday) and hi >= lo:
            found.append((number, (day, lo, hi)))
    return found


def _reaches(run: VehicleDay, slot: Slot, out: float, back: float, occupied: float) -> bool:
    """Whether a run to the stop alone can start in the slot."""
    _, lo, hi = slot
    earliest = max(lo, run.duty_lo + run.prep + out)
    latest = min(hi, run.duty_hi - run.closing - back - occupied)
    return earliest <= latest


def _with_windows(
    pattern: tuple[int, ...], windows: Mapping[int, list[tuple[int, Slot]]]
) -> list[list[Slot]]:
    """Options of a pattern: one for each window that all its days share.

    Days that share no window take the first of their own each.
    """
    by_number = [dict(windows[day]) for day in pattern]
    shared = [k for k in by_number[0] if all(k in slots for slots in by_number)]
    if shared:
        return [[slots[k] for slots in by_number] for k in shared]
    return [[next(iter(slots.values())) for slots in by_number]]

"""A vehicle's day as the search sees it: duty window, crew limits, weeks."""

from collections.abc import Mapping
from typing import Any

from data.model.calendar import DAY_S, DAYS_PER_WEEK
from data.model.fleet import CrewRules, Vehicle
from data.model.nights import NO_NIGHTS, ends_on
from data.model.place import DepotId
from data.model.plan import PlanRequest
from planner.problem import NO_LIMIT, VehicleDay, Week

LONGEST_MEAL_S = 2 * 3600
"""Longest meal where the rules set none."""
_CUT_STEP_S = 1800


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


def weeks_of(request: PlanRequest) -> list[Week]:
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


def _limit(value: int | None) -> float:
    return NO_LIMIT if value is None else float(value)

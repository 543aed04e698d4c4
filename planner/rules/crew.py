"""Limits on a crew's driving, work, meals and rest.

A vehicle has one crew; a calendar week is Monday to Sunday; where the cycle repeats, weeks and
nights also pair across its seam. Clock times are local: a night in which the clocks change is
taken as 24 hours.
"""

import math
from collections.abc import Callable, Iterator

from data.model.calendar import DAY_S, DAYS_PER_WEEK
from data.model.fleet import CrewRules, Vehicle
from data.model.plan import Run, Violation
from planner.rules.view import PlanView, clock, leaves_at_s, minutes


def daily_driving(view: PlanView) -> Iterator[Violation]:
    """Driving of a run stays within the daily limit, or the extended one where granted."""
    for _, rules, duty in view.crews():
        limit_s = rules.drive_daily_max_s
        if limit_s is not None:
            limit_s = max(limit_s, rules.drive_extended_max_s or 0)
            for run in duty:
                if run.drive_s > limit_s:
                    yield _too_much(view, "rule.drive_daily", run, run.drive_s, limit_s)


def driving_extensions(view: PlanView) -> Iterator[Violation]:
    """The daily driving limit is extended at most so many times in a calendar week."""
    for vehicle, rules, duty in view.crews():
        limit_s, limit = rules.drive_daily_max_s, rules.drive_extended_per_week
        if limit_s is None or limit is None or rules.drive_extended_max_s is None:
            continue
        for week in range(view.request.cycle.num_weeks):
            found = sum(1 for r in duty if r.day // DAYS_PER_WEEK == week and r.drive_s > limit_s)
            if found > limit:
                yield _of_week(
                    view, "rule.drive_extensions", vehicle, week, found=found, limit=limit
                )


def weekly_driving(view: PlanView) -> Iterator[Violation]:
    """Driving of a calendar week stays within its limit."""
    for vehicle, rules, duty in view.crews():
        limit_s = rules.drive_week_max_s
        for week, found_s in enumerate(_by_week(view, duty, _driving_s)):
            if limit_s is not None and found_s > limit_s:
                amounts = {"found_min": minutes(found_s), "limit_min": minutes(limit_s)}
                yield _of_week(view, "rule.drive_week", vehicle, week, **amounts)


def two_week_driving(view: PlanView) -> Iterator[Violation]:
    """Driving of any two consecutive calendar weeks stays in its limit.

    Where the cycle repeats, the last and the first follow one another.
    """
    for vehicle, rules, duty in view.crews():
        limit_s = rules.drive_two_week_max_s
        weeks = _by_week(view, duty, _driving_s)
        after = [*weeks[1:], weeks[0] if view.request.cycle.repeats else 0]
        for week, (driven_s, next_s) in enumerate(zip(weeks, after, strict=True)):
            found_s = driven_s + next_s
            if limit_s is not None and found_s > limit_s:
                amounts = {"found_min": minutes(found_s), "limit_min": minutes(limit_s)}
                yield _of_week(view, "rule.drive_two_weeks", vehicle, week, **amounts)


def continuous_driving(view: PlanView) -> Iterator[Violation]:
    """Driving since the last break stays within the limit.

    A stay at a place, with or without a meal, is a break if it lasts ``break_s``, or if it ends a
    series of stays that are at least the parts of a split break, in order. Where no set says how
    long a break is, nothing counts as one.

    References
    ----------
    Regulation (EC) No 561/2006, article 7; driving is counted afresh from the earliest break that
    is complete (Court of Justice, C-116/92).
    """
    for _, rules, duty in view.crews():
        limit_s = rules.drive_continuous_max_s
        for run in duty:
            found_s = _longest_driving_s(run, rules)
            if limit_s is not None and found_s > limit_s:
                yield _too_much(view, "rule.drive_continuous", run, found_s, limit_s)


def _longest_driving_s(run: Run, rules: CrewRules) -> int:
    """Longest driving of a run between two breaks, seconds."""
    longest_s = driven_s = parts_taken = 0
    for index, visit in enumerate(run.visits):
        driven_s += visit.drive_s
        longest_s = max(longest_s, driven_s)
        stay_s = leaves_at_s(run, index) - visit.arrival_s
        split = rules.break_split_s
        if parts_taken < len(split) and stay_s >= split[parts_taken]:
            parts_taken += 1
        is_whole = rules.break_s is not None and stay_s >= rules.break_s
        if is_whole or (split and parts_taken == len(split)):
            driven_s = parts_taken = 0
    return max(longest_s, driven_s + run.return_drive_s)


def shift_length(view: PlanView) -> Iterator[Violation]:
    """Work of a run (sign-on to sign-off less the meal) stays within the longest shift."""
    for _, rules, duty in view.crews():
        for run in duty:
            if rules.shift_max_s is not None and run.work_s > rules.shift_max_s:
                yield _too_much(view, "rule.shift", run, run.work_s, rules.shift_max_s)


def meal_is_taken(view: PlanView) -> Iterator[Violation]:
    """A run with more work than ``meal_after_s`` has a meal; a meal has its due length."""
    for _, rules, duty in view.crews():
        for run in duty:
            if run.meal is None:
                if rules.meal_after_s is not None and run.work_s > rules.meal_after_s:
                    yield _too_much(view, "rule.meal_missing", run, run.work_s, rules.meal_after_s)
                continue
            length_s = run.meal.end_s - run.meal.start_s
            if length_s < (rules.meal_min_s or 0):
                yield _too_much(view, "rule.meal_short", run, length_s, rules.meal_min_s or 0)
            if rules.meal_max_s is not None and length_s > rules.meal_max_s:
                yield _too_much(view, "rule.meal_long", run, length_s, rules.meal_max_s)


def meal_is_well_placed(view: PlanView) -> Iterator[Violation]:
    """A meal is taken parked after a visit has ended, inside the request's meal window."""
    window = (view.request.meal_window_start_s, view.request.meal_window_end_s)
    for run, _ in view.runs():
        meal = run.meal
        if meal is None:
            continue
        facts = {"start": clock(meal.start_s), "end": clock(meal.end_s)}
        if not (window[0] <= meal.start_s and meal.end_s <= window[1]):
            yield view.of_run(
                "rule.meal_outside_window",
                run,
                window=f"{clock(window[0])}–{clock(window[1])}",
                **facts,
            )
        if not 0 <= meal.after_visit < len(run.visits):
            yield view.of_run("rule.meal_nowhere", run, after_visit=meal.after_visit, **facts)
            continue
        visit = run.visits[meal.after_visit]
        stop = view.stops.get(visit.stop_id)
        free_s = visit.end_s + (stop.teardown_s if stop else 0)
        if meal.start_s < free_s:
            yield view.of_visit("rule.meal_in_service", run, visit, limit=clock(free_s), **facts)


def daily_rest(view: PlanView) -> Iterator[Violation]:
    """Between two shifts of a crew, also over the seam of the cycle, lies the daily rest."""
    for _, rules, duty in view.crews():
        limit_s = rules.daily_rest_s
        for run, next_day, rest_s in _nights(view, duty):
            if limit_s is not None and rest_s < limit_s:
                yield view.of_run(
                    "rule.daily_rest",
                    run,
                    next_date=view.date_of(next_day).isoformat(),
                    found_min=minutes(rest_s),
                    limit_min=minutes(limit_s),
                )


def rest_by_shift(view: PlanView) -> Iterator[Violation]:
    """Rest and meal together last so many times the work of the shift before.

    References
    ----------
    Приказ Минтранса России от 20.08.2004 № 15, п. 25: double the working time.
    """
    for _, rules, duty in view.crews():
        ratio = rules.rest_shift_ratio
        for run, next_day, rest_s in _nights(view, duty):
            meal_s = run.meal.end_s - run.meal.start_s if run.meal else 0
            if ratio is not None and rest_s + meal_s < ratio * run.work_s:
                yield view.of_run(
                    "rule.rest_by_shift",
                    run,
                    next_date=view.date_of(next_day).isoformat(),
                    ratio=int(ratio) if ratio == int(ratio) else ratio,
                    work_min=minutes(run.work_s),
                    found_min=minutes(rest_s + meal_s),
                    limit_min=minutes(math.ceil(ratio * run.work_s)),
                )


def weekly_work(view: PlanView) -> Iterator[Violation]:
    """Work of a calendar week stays within its limit."""
    for vehicle, rules, duty in view.crews():
        limit_s = rules.week_work_max_s
        for week, found_s in enumerate(_by_week(view, duty, _work_s)):
            if limit_s is not None and found_s > limit_s:
                amounts = {"found_min": minutes(found_s), "limit_min": minutes(limit_s)}
                yield _of_week(view, "rule.week_work", vehicle, week, **amounts)


def _driving_s(run: Run) -> int:
    return run.drive_s


def _work_s(run: Run) -> int:
    return run.work_s


def _by_week(view: PlanView, duty: list[Run], amount_s: Callable[[Run], int]) -> list[int]:
    weeks = [0] * view.request.cycle.num_weeks
    for run in duty:
        weeks[run.day // DAYS_PER_WEEK] += amount_s(run)
    return weeks


def _nights(view: PlanView, duty: list[Run]) -> Iterator[tuple[Run, int, int]]:
    """Each run of a crew with the day of its next one and the rest in between, seconds."""
    for run, later, day in view.followers(duty):
        yield run, day, (day - run.day) * DAY_S + later.sign_on_s - run.sign_off_s


def _too_much(view: PlanView, code: str, run: Run, found_s: int, limit_s: int) -> Violation:
    return view.of_run(code, run, found_min=minutes(found_s), limit_min=minutes(limit_s))


def _of_week(view: PlanView, code: str, vehicle: Vehicle, week: int, **amounts: float) -> Violation:
    named: dict[str, object] = {
        "vehicle_id": str(vehicle.vehicle_id),
        "vehicle": vehicle.name,
        "week": week + 1,
        "date": view.date_of(week * DAYS_PER_WEEK).isoformat(),
    }
    return Violation(code=code, facts=named | amounts)

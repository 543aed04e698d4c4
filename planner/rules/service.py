"""What stops are owed: visits, gaps, weekdays, clock times, windows, a fitting vehicle."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from data.model.plan import Violation
from planner.rules.recurrence import is_owed_nothing, rhythm_of
from planner.rules.view import PlanView, clock, minutes, weekdays


def stops_get_their_visits(view: PlanView) -> Iterator[Violation]:
    """A visited stop gets exactly its visits per cycle; fewer or more are neither.

    Stops with a rule are judged by ``planner.rules.recurrence``.
    """
    for stop_id, found in view.visits.items():
        stop = view.stops[stop_id]
        if view.request.recurrence_of(stop) is not None:
            continue
        if found and len(found) != stop.visits_per_cycle:
            yield view.of_stop(
                "rule.visits_wrong", stop, found=len(found), limit=stop.visits_per_cycle
            )


def unserved_are_listed(view: PlanView) -> Iterator[Violation]:
    """A stop stands once among the unserved if it has no visit, and not at all if it has."""
    listed = Counter(u.stop_id for u in view.plan.unserved)
    for stop_id, found in view.visits.items():
        stop, times = view.stops[stop_id], listed[stop_id]
        if not found and times == 0:
            yield view.of_stop("rule.unserved_not_listed", stop)
        if found and times > 0:
            yield view.of_stop("rule.unserved_but_visited", stop, found=len(found))
        if times > 1:
            yield view.of_stop("rule.unserved_listed_twice", stop, found=times)


def mandatory_stops_are_served(view: PlanView) -> Iterator[Violation]:
    """A mandatory stop has visits, unless its rule gives it no date in the horizon."""
    for stop_id, found in view.visits.items():
        stop = view.stops[stop_id]
        if stop.mandatory and not found and not is_owed_nothing(view.request, stop):
            yield view.of_stop("rule.mandatory_unserved", stop, limit=stop.visits_per_cycle)


def gaps_keep_their_limits(view: PlanView) -> Iterator[Violation]:
    """Days between consecutive visits lie between the least and greatest gap.

    Where the cycle repeats, the gap from the last visit to the first of the next cycle counts too.
    For a stop with a rule the gaps are those between the dates of the rule, so that a date that is
    dropped makes no gap too long.
    """
    for stop_id, found in view.visits.items():
        if not found:
            continue
        stop = view.stops[stop_id]
        days = [run.day for run, _ in found]
        if view.request.recurrence_of(stop) is not None:
            days = [view.request.cycle.day_of(on) for on in rhythm_of(view, stop).nominal]
        if view.request.cycle.repeats and days:
            days.append(days[0] + view.request.cycle.num_days)
        for day, later in pairwise(days):
            facts = {
                "found": later - day,
                "day": day,
                "date": view.date_of(day).isoformat(),
                "next_date": view.date_of(later).isoformat(),
            }
            if later - day < stop.min_gap_days:
                yield view.of_stop("rule.gap_too_short", stop, limit=stop.min_gap_days, **facts)
            if stop.max_gap_days is not None and later - day > stop.max_gap_days:
                yield view.of_stop("rule.gap_too_long", stop, limit=stop.max_gap_days, **facts)


def weekday_stays_the_same(view: PlanView) -> Iterator[Violation]:
    """Where asked, all visits of a stop fall on one weekday (Monday is 0).

    A rule says itself what weekdays it has; dates named besides it may be of any.
    """
    for stop_id, visits in view.visits.items():
        stop = view.stops[stop_id]
        recurrence = view.request.recurrence_of(stop)
        if recurrence is not None and recurrence.rule:
            continue
        extra = recurrence.extra_dates if recurrence is not None else frozenset()
        found = [(r, v) for r, v in visits if view.date_of(r.day) not in extra]
        first = found[0][0].day if found else 0
        for run, visit in found:
            if stop.same_weekday and (run.day - first) % 7 != 0:
                yield view.of_visit(
                    "rule.weekday_changes", run, visit, first_date=view.date_of(first).isoformat()
                )


def weekdays_are_allowed(view: PlanView) -> Iterator[Violation]:
    """Visits fall on weekdays that the stop allows (Monday is 0)."""
    for stop_id, found in view.visits.items():
        stop = view.stops[stop_id]
        for run, visit in found:
            weekday = view.request.cycle.weekday_of(run.day)
            if stop.weekdays and weekday not in stop.weekdays:
                yield view.of_visit(
                    "rule.weekday_not_allowed",
                    run,
                    visit,
                    weekday=weekdays({weekday}),
                    allowed=weekdays(stop.weekdays),
                )


def clock_time_is_kept(view: PlanView) -> Iterator[Violation]:
    """Starts of a stop's visits differ by at most twice the tolerance."""
    limit_s = 2 * view.request.clock_tolerance_s
    for stop_id, found in view.visits.items():
        starts = [visit.start_s for _, visit in found]
        if starts and max(starts) - min(starts) > limit_s:
            yield view.of_stop(
                "rule.clock_time_changes",
                view.stops[stop_id],
                earliest=clock(min(starts)),
                latest=clock(max(starts)),
                found_min=minutes(max(starts) - min(starts)),
                limit_min=minutes(limit_s),
            )


def windows_hold_the_service(view: PlanView) -> Iterator[Violation]:
    """The whole service time lies inside one window that applies on the weekday of the visit."""
    for stop_id, found in view.visits.items():
        stop = view.stops[stop_id]
        for run, visit in found:
            weekday = view.request.cycle.weekday_of(run.day)
            open_today = [w for w in stop.windows if w.applies_on(weekday)]
            if stop.windows and not any(
                w.start_s <= visit.start_s and visit.end_s <= w.end_s for w in open_today
            ):
                yield view.of_visit(
                    "rule.window_missed",
                    run,
                    visit,
                    start=clock(visit.start_s),
                    end=clock(visit.end_s),
                    windows=", ".join(f"{clock(w.start_s)}–{clock(w.end_s)}" for w in open_today)
                    or "—",
                )


def vehicle_has_the_abilities(view: PlanView) -> Iterator[Violation]:
    """A vehicle has every ability that a stop on its run asks for."""
    for stop_id, found in view.visits.items():
        stop = view.stops[stop_id]
        for run, visit in found:
            missing = stop.needs - view.vehicles[run.vehicle_id].abilities
            if missing:
                yield view.of_visit(
                    "rule.ability_missing", run, visit, missing=", ".join(sorted(missing))
                )

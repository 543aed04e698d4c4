"""When a stop is visited, in words: "second Tuesday of the month", "Fridays, every 3 weeks"."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from data.model.calendar import DAY_S
from data.model.labels import Labels
from data.model.place import Stop, StopId
from data.model.plan import Plan, PlanRequest, StopVisit
from data.model.recurrence import Frequency, RecurrenceRule
from data.model.seasons import Season
from data.model.timetable import visit_series

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMED = {1: "1", 2: "2", 3: "3", 4: "4", 5: "5", -1: "last"}
_LEAP_YEAR = 2024


def rule_text(rule: RecurrenceRule, weekday: int, label: Labels) -> str:
    """A rule of one weekday as a person says it.

    Parameters
    ----------
    weekday
        Where the rule itself names none; Monday is 0.
    """
    if rule.frequency is Frequency.MONTHLY:
        days = ", ".join(_nth(position, day, label) for position, day in rule.weekdays)
        if rule.interval == 1:
            text = label("rhythm.monthly", days=days)
        else:
            text = label.count("rhythm.every_months", rule.interval, days=days)
    elif rule.interval == 1:
        text = label(f"rhythm.each.{_DAYS[weekday]}")
    else:
        on = label(f"rhythm.on.{_DAYS[weekday]}")
        text = label.count("rhythm.every_weeks", rule.interval, days=on)
    if rule.months:
        months = [label.day(date(_LEAP_YEAR, month, 1), "LLLL") for month in rule.months]
        text = f"{text} ({', '.join(months)})"
    return text


def _nth(position: int, day: int, label: Labels) -> str:
    if position in _NAMED:
        return label(f"rhythm.nth.{_NAMED[position]}.{_DAYS[day]}")
    if position == 0:
        return label(f"rhythm.each.{_DAYS[day]}")
    return label("rhythm.from_end", n=-position, days=label(f"rhythm.on.{_DAYS[day]}"))


def stop_rhythms(request: PlanRequest, plan: Plan, label: Labels) -> Mapping[StopId, str]:
    """For every visited stop when it is visited, with its season and school time."""
    last = request.cycle.date_of(request.cycle.num_days - 1)
    told: dict[StopId, dict[str, None]] = {}
    stops = {s.stop_id: s for s in request.stops}
    if not request.cycle.repeats:
        plan = _without_clocks(request, plan)
    for series in visit_series(request, plan, last):
        text = rule_text(series.rule, series.dates[0].weekday(), label)
        if not request.cycle.repeats and len(series.dates) == 1:
            text = label.day(series.dates[0])
        told.setdefault(series.stop.stop_id, {})[text] = None
    return {
        stop_id: ", ".join(["; ".join(texts), *_limits(stops[stop_id], label)])
        for stop_id, texts in told.items()
    }


def _without_clocks(request: PlanRequest, plan: Plan) -> Plan:
    """The plan's dates alone: a visit that is minutes off or by another vehicle is no other day."""
    vehicle_id = request.vehicles[0].vehicle_id

    def on_date(visit: StopVisit) -> StopVisit:
        midnight_s = visit.start_s - visit.start_s % DAY_S
        return replace(visit, start_s=midnight_s, end_s=midnight_s)

    runs = (
        replace(run, vehicle_id=vehicle_id, visits=tuple(on_date(v) for v in run.visits))
        for run in plan.runs
    )
    return replace(plan, runs=tuple(runs))


def _limits(stop: Stop, label: Labels) -> list[str]:
    """Season and school time of a stop in words."""
    if stop.recurrence is None:
        return []
    limits = [_season(season, label) for season in stop.recurrence.seasons]
    if stop.recurrence.school_time is not None:
        limits.append(label(f"rhythm.school.{stop.recurrence.school_time.value}"))
    return limits


def _season(season: Season, label: Labels) -> str:
    first = date(_LEAP_YEAR, season.first_month, season.first_day)
    last = date(_LEAP_YEAR, season.last_month, season.last_day)
    return label("rhythm.season", first=label.day(first, "d MMMM"), last=label.day(last, "d MMMM"))

"""What crews are promised to drive and work in the weeks around a date, for limits on weeks."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from itertools import pairwise

from sqlmodel import Session

from api.services.promised_days import PromisedDay, promised_span
from data.model.calendar import DAYS_PER_WEEK
from data.model.fleet import CrewRules, VehicleId
from data.model.plan import PlanRequest
from data.model.recurrence import monday_of
from planner.rescue_request import WeekUse


def weeks_used(
    session: Session, region_id: str, request: PlanRequest, on: date
) -> Mapping[VehicleId, WeekUse]:
    """Driving and work of each vehicle on the other dates of the week of a date.

    Past dates count as they were promised. Nothing is read where no rule limits a week.
    """
    if not any(_limits_weeks(rules) for rules in request.crew_rules.values()):
        return {}
    monday = monday_of(on)
    week = timedelta(days=DAYS_PER_WEEK)
    days = promised_span(session, region_id, monday - week, monday + 2 * week - timedelta(days=1))
    by_vehicle: dict[VehicleId, list[PromisedDay]] = defaultdict(list)
    for day in days:
        if day.run.stops and day.run.service_date != on:
            by_vehicle[day.vehicle_id].append(day)
    return {
        vehicle_id: _use(mine, request.crew_rules.get(vehicle_id, CrewRules()), monday)
        for vehicle_id, mine in by_vehicle.items()
    }


def _limits_weeks(rules: CrewRules) -> bool:
    return (
        rules.drive_extended_per_week,
        rules.drive_week_max_s,
        rules.drive_two_week_max_s,
        rules.week_work_max_s,
    ) != (None, None, None, None)


def _use(days: Collection[PromisedDay], rules: CrewRules, monday: date) -> WeekUse:
    week = timedelta(days=DAYS_PER_WEEK)

    def of_week(first: date) -> list[PromisedDay]:
        return [d for d in days if first <= d.run.service_date < first + week]

    same = of_week(monday)
    usual_s = rules.drive_daily_max_s
    return WeekUse(
        drive_s=_sum_driven_s(same),
        work_s=sum(worked_s(d, rules) for d in same),
        num_extended=sum(usual_s is not None and driven_s(d) > usual_s for d in same),
        near_drive_s=max(
            _sum_driven_s(of_week(monday - week)), _sum_driven_s(of_week(monday + week))
        ),
    )


def _sum_driven_s(days: Iterable[PromisedDay]) -> int:
    return sum(driven_s(d) for d in days)


def driven_s(day: PromisedDay) -> int:
    """Driving of a promised day: the plan's, or by its road times where its stops have changed."""
    if day.plan_run is not None and day.is_as_planned:
        return day.plan_run.drive_s
    matrix = day.request.travel.get(day.vehicle_id) or next(iter(day.request.travel.values()))
    return sum(
        matrix.seconds(a, b)
        for a, b in pairwise(day.run.place_ids)
        if a in matrix.index and b in matrix.index
    )


def worked_s(day: PromisedDay, rules: CrewRules) -> int:
    """Work of a promised day, the meal that is due in it left out."""
    if day.plan_run is not None and day.is_as_planned:
        return day.plan_run.work_s
    run = day.run
    if run.depart_at is None or run.return_at is None:
        return 0
    span_s = round((run.return_at - run.depart_at).total_seconds())
    if day.vehicle is not None:
        span_s += day.vehicle.prep_s + day.vehicle.closing_s
    has_meal = rules.meal_after_s is not None and span_s > rules.meal_after_s
    return span_s - (rules.meal_min_s or 0 if has_meal else 0)

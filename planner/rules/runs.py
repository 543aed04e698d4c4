"""When runs go and whether their times add up."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from data.model.calendar import DAY_S
from data.model.fleet import Vehicle
from data.model.plan import Run, Violation
from data.model.travel import UNREACHABLE, TravelMatrix
from planner.rules.view import PlanView, clock, leaves_at_s, minutes, weekdays


def everything_is_known(view: PlanView) -> Iterator[Violation]:
    """Every id and day of the plan is one of the request's.

    A vehicle with runs also has crew rules (empty ones if it has no limits), travel and depots.
    """
    request = view.request
    depots = {d.depot_id for d in request.depots}
    for run in view.plan.runs:
        if run.vehicle_id not in view.vehicles:
            yield view.of_run("rule.vehicle_unknown", run)
        if not 0 <= run.day < request.cycle.num_days:
            yield view.of_run("rule.day_outside_cycle", run, limit=request.cycle.num_days)
        for visit in run.visits:
            if visit.stop_id not in view.stops:
                yield view.of_visit("rule.stop_unknown", run, visit)
    for unserved in view.plan.unserved:
        if unserved.stop_id not in view.stops:
            yield Violation(code="rule.unserved_unknown", facts={"stop_id": str(unserved.stop_id)})
    for vehicle_id, duty in view.duties.items():
        vehicle = view.vehicles[vehicle_id]
        named = {"vehicle_id": str(vehicle_id), "vehicle": vehicle.name}
        if duty and vehicle_id not in request.crew_rules:
            yield Violation(code="rule.crew_rules_missing", facts=named)
        if duty and vehicle_id not in request.travel:
            yield Violation(code="rule.travel_missing", facts=named)
        used = {place for run in duty for place in run.ends(vehicle)}
        for depot_id in sorted(used - depots):
            yield Violation(code="rule.depot_unknown", facts=named | {"depot_id": str(depot_id)})


def days_are_working_days(view: PlanView) -> Iterator[Violation]:
    """Runs go on dates with service on which their vehicle works."""
    calendar = view.request.calendar
    for run, vehicle in view.runs():
        on = view.date_of(run.day)
        if not view.request.cycle.covers(on):
            yield view.of_run(
                "rule.date_outside_plan",
                run,
                first=view.request.cycle.first_date.isoformat(),
                last=view.request.cycle.last_date.isoformat(),
            )
        elif on in calendar.closed_dates:
            yield view.of_run("rule.date_closed", run, name=calendar.closed_dates[on])
        elif not calendar.is_working(on):
            yield view.of_run("rule.weekday_without_service", run)
        if on in vehicle.off_dates:
            yield view.of_run("rule.vehicle_off", run)
        if vehicle.weekdays and on.weekday() not in vehicle.weekdays:
            yield view.of_run("rule.vehicle_weekday", run, allowed=weekdays(vehicle.weekdays))


def one_run_per_vehicle_day(view: PlanView) -> Iterator[Violation]:
    """A vehicle leaves its depot at most once a day."""
    for duty in view.duties.values():
        for day, found in Counter(run.day for run in duty).items():
            if found > 1:
                run = next(r for r in duty if r.day == day)
                yield view.of_run("rule.runs_per_day", run, found=found, limit=1)


def runs_follow_one_another(view: PlanView) -> Iterator[Violation]:
    """A run that passes midnight ends before the vehicle's next one starts, also past the seam."""
    for duty in view.duties.values():
        for run, later, day in view.followers(duty):
            begins_s = (day - run.day) * DAY_S + later.sign_on_s
            if run.sign_off_s > begins_s and day != run.day:
                yield view.of_run(
                    "rule.runs_overlap",
                    run,
                    next_date=view.date_of(day).isoformat(),
                    found=clock(run.sign_off_s),
                    limit=clock(begins_s),
                )


def runs_visit_something(view: PlanView) -> Iterator[Violation]:
    """A run has at least one visit."""
    for run, _ in view.runs():
        if not run.visits:
            yield view.of_run("rule.run_empty", run)


def stops_per_run_are_limited(view: PlanView) -> Iterator[Violation]:
    """A run has at most the vehicle's greatest number of visits."""
    for run, vehicle in view.runs():
        limit = vehicle.max_stops_per_run
        if limit is not None and len(run.visits) > limit:
            yield view.of_run("rule.stops_per_run", run, found=len(run.visits), limit=limit)


def legs_follow_the_travel_matrix(view: PlanView) -> Iterator[Violation]:
    """Seconds and metres of every leg are those of the vehicle's matrix, on a road that leads."""
    for run, vehicle in view.runs():
        matrix = view.request.travel.get(vehicle.vehicle_id)
        if matrix is not None:
            yield from _wrong_legs(view, run, vehicle, matrix)


def _wrong_legs(
    view: PlanView, run: Run, vehicle: Vehicle, matrix: TravelMatrix
) -> Iterator[Violation]:
    start, end = run.ends(vehicle)
    points = [str(start), *(str(v.stop_id) for v in run.visits), str(end)]
    told = [(v.drive_s, v.drive_m) for v in run.visits]
    told.append((run.return_drive_s, run.return_drive_m))
    names = view.names
    for (origin, target), (drive_s, drive_m) in zip(pairwise(points), told, strict=True):
        leg = {
            "origin_id": origin,
            "origin": names.get(origin, origin),
            "target_id": target,
            "target": names.get(target, target),
        }
        absent = [p for p in (origin, target) if p not in matrix.index]
        if absent:
            if all(p in names for p in absent):
                yield view.of_run("rule.leg_without_travel", run, **leg)
            continue
        limit_s, limit_m = matrix.seconds(origin, target), matrix.metres(origin, target)
        if UNREACHABLE in (limit_s, limit_m):
            yield view.of_run("rule.leg_unreachable", run, **leg)
            continue
        if drive_s != limit_s:
            yield view.of_run("rule.leg_time", run, **leg, found_s=drive_s, limit_s=limit_s)
        if drive_m != limit_m:
            yield view.of_run("rule.leg_distance", run, **leg, found_m=drive_m, limit_m=limit_m)


def times_add_up(view: PlanView) -> Iterator[Violation]:
    """Preparation, driving, setup, service, teardown and closing follow one another.

    A vehicle may wait at a place, not on the road: it arrives exactly one leg after it left. At a
    lodging its check takes the place of preparation and closing.
    """
    for run, vehicle in view.runs():
        start, end = (view.depots.get(place) for place in run.ends(vehicle))
        prep_s = start.check_s if start and start.is_lodging else vehicle.prep_s
        closing_s = end.check_s if end and end.is_lodging else vehicle.closing_s
        if run.sign_on_s + prep_s > run.depart_s:
            yield view.of_run(
                "rule.preparation_short",
                run,
                found_min=minutes(run.depart_s - run.sign_on_s),
                limit_min=minutes(prep_s),
            )
        yield from _visit_times(view, run)
        if run.visits:
            yield from _arrival(view, run, len(run.visits))
        if run.return_s + closing_s > run.sign_off_s:
            yield view.of_run(
                "rule.closing_short",
                run,
                found_min=minutes(run.sign_off_s - run.return_s),
                limit_min=minutes(closing_s),
            )


def _visit_times(view: PlanView, run: Run) -> Iterator[Violation]:
    for index, visit in enumerate(run.visits):
        yield from _arrival(view, run, index)
        stop = view.stops.get(visit.stop_id)
        if stop is None:
            continue
        spans = (
            ("rule.setup_short", visit.start_s - visit.arrival_s, stop.setup_s),
            ("rule.teardown_short", visit.departure_s - visit.end_s, stop.teardown_s),
        )
        for code, found_s, limit_s in spans:
            if found_s < limit_s:
                yield view.of_visit(
                    code, run, visit, found_min=minutes(found_s), limit_min=minutes(limit_s)
                )
        # Where the plan may choose, planner.rules.dwell judges.
        if stop.service_most_s is None and visit.end_s - visit.start_s != stop.service_s:
            yield view.of_visit(
                "rule.service_time",
                run,
                visit,
                found_min=minutes(visit.end_s - visit.start_s),
                limit_min=minutes(stop.service_s),
            )


def _arrival(view: PlanView, run: Run, index: int) -> Iterator[Violation]:
    """The arrival at a visit, or at the depot for the index past the last visit."""
    left_s = leaves_at_s(run, index - 1) if index else run.depart_s
    if index < len(run.visits):
        visit = run.visits[index]
        if visit.arrival_s != left_s + visit.drive_s:
            yield view.of_visit(
                "rule.arrival",
                run,
                visit,
                found=clock(visit.arrival_s),
                limit=clock(left_s + visit.drive_s),
            )
    elif run.return_s != left_s + run.return_drive_s:
        yield view.of_run(
            "rule.return",
            run,
            found=clock(run.return_s),
            limit=clock(left_s + run.return_drive_s),
        )


def duty_lies_in_its_window(view: PlanView) -> Iterator[Violation]:
    """Sign-on and sign-off lie inside the vehicle's duty window."""
    for run, vehicle in view.runs():
        if run.sign_on_s < vehicle.duty_start_s:
            yield view.of_run(
                "rule.duty_early",
                run,
                found=clock(run.sign_on_s),
                limit=clock(vehicle.duty_start_s),
            )
        if run.sign_off_s > vehicle.duty_end_s:
            yield view.of_run(
                "rule.duty_late",
                run,
                found=clock(run.sign_off_s),
                limit=clock(vehicle.duty_end_s),
            )

"""Who rides along: services at the stops that ask for them, and what specialists may do.

A specialist rides the whole run, from leaving the depot to the return to it.
"""

from collections import defaultdict
from collections.abc import Iterator

from data.model.calendar import DAYS_PER_WEEK
from data.model.crew import Specialist, SpecialistId
from data.model.plan import Run, Violation
from planner.rules.view import PlanView, clock, weekdays


def specialists_are_known(view: PlanView) -> Iterator[Violation]:
    """Whoever rides is one of the request's specialists and stands once on the run."""
    known = _people(view)
    for run, _ in view.runs():
        for rider in sorted(set(run.specialist_ids)):
            if rider not in known:
                yield view.of_run("rule.specialist_unknown", run, specialist_id=str(rider))
            elif run.specialist_ids.count(rider) > 1:
                yield view.of_run("rule.specialist_listed_twice", run, person=known[rider].name)


def services_come_to_their_stops(view: PlanView) -> Iterator[Violation]:
    """At as many visits of a stop as it asks for all of its services are aboard.

    Where that is every visit, each visit without them is named; else the stop, with the number.
    """
    for stop_id, found in view.visits.items():
        stop = view.stops[stop_id]
        if not found or not stop.services:
            continue
        missing = [(run, visit, stop.services - _services(view, run)) for run, visit in found]
        if stop.services_at_every_visit:
            for run, visit, lacking in missing:
                if lacking:
                    named = ", ".join(sorted(lacking))
                    yield view.of_visit("rule.service_missing", run, visit, services=named)
            continue
        num = sum(not lacking for _, _, lacking in missing)
        due = min(stop.services_visits or 0, len(found))
        if num < due:
            yield view.of_stop(
                "rule.service_visits",
                stop,
                services=", ".join(sorted(stop.services)),
                found=num,
                limit=due,
            )


def specialists_ride_on_their_days(view: PlanView) -> Iterator[Violation]:
    """A specialist rides on his weekdays and on no date on which he is off."""
    for run, person in _rides(view):
        on = view.date_of(run.day)
        if on in person.off_dates:
            yield view.of_run("rule.specialist_off", run, person=person.name)
        if person.weekdays and on.weekday() not in person.weekdays:
            yield view.of_run(
                "rule.specialist_weekday",
                run,
                person=person.name,
                allowed=weekdays(person.weekdays),
            )


def specialists_ride_in_their_hours(view: PlanView) -> Iterator[Violation]:
    """The vehicle leaves and returns within the hours of everyone who rides."""
    for run, person in _rides(view):
        is_early = person.duty_start_s is not None and run.depart_s < person.duty_start_s
        is_late = person.duty_end_s is not None and run.return_s > person.duty_end_s
        if is_early or is_late:
            ends = [
                "…" if s is None else clock(s) for s in (person.duty_start_s, person.duty_end_s)
            ]
            yield view.of_run(
                "rule.specialist_hours",
                run,
                person=person.name,
                start=clock(run.depart_s),
                end=clock(run.return_s),
                hours="–".join(ends),
            )


def specialists_sleep_at_home(view: PlanView) -> Iterator[Violation]:
    """Nobody rides with a run that starts or ends at a lodging."""
    lodgings = {d.depot_id: d.name for d in view.request.depots if d.is_lodging}
    for run, person in _rides(view):
        away = [d for d in (run.start_depot_id, run.end_depot_id) if d in lodgings]
        if away:
            yield view.of_run(
                "rule.specialist_away", run, person=person.name, place=lodgings[away[0]]
            )


def specialists_ride_where_they_may(view: PlanView) -> Iterator[Violation]:
    """A specialist rides only on vehicles that his row allows."""
    for run, person in _rides(view):
        if person.vehicle_ids and run.vehicle_id not in person.vehicle_ids:
            names = [v.name for v in view.request.vehicles if v.vehicle_id in person.vehicle_ids]
            yield view.of_run(
                "rule.specialist_vehicle", run, person=person.name, allowed=", ".join(names) or "—"
            )


def specialists_ride_once_a_day(view: PlanView) -> Iterator[Violation]:
    """A specialist rides with one vehicle a day."""
    days: dict[tuple[SpecialistId, int], list[Run]] = defaultdict(list)
    people = _people(view)
    for run, person in _rides(view):
        days[person.specialist_id, run.day].append(run)
    for (rider, _), found in days.items():
        if len(found) > 1:
            others = [view.vehicles[r.vehicle_id].name for r in found]
            yield view.of_run(
                "rule.specialist_twice",
                found[0],
                person=people[rider].name,
                vehicles=", ".join(others),
            )


def seats_are_enough(view: PlanView) -> Iterator[Violation]:
    """No more specialists ride than the vehicle has seats for."""
    for run, vehicle in view.runs():
        found = len(set(run.specialist_ids))
        if vehicle.seats is not None and found > vehicle.seats:
            yield view.of_run("rule.seats", run, found=found, limit=vehicle.seats)


def specialists_ride_few_days_a_week(view: PlanView) -> Iterator[Violation]:
    """A specialist rides on at most so many days of a calendar week."""
    weeks: dict[tuple[SpecialistId, int], set[int]] = defaultdict(set)
    for run, person in _rides(view):
        weeks[person.specialist_id, run.day // DAYS_PER_WEEK].add(run.day)
    people = _people(view)
    for (rider, week), days in sorted(weeks.items()):
        limit = people[rider].days_per_week_max
        if limit is not None and len(days) > limit:
            yield Violation(
                code="rule.specialist_days",
                facts={
                    "specialist_id": str(rider),
                    "person": people[rider].name,
                    "week": week + 1,
                    "date": view.date_of(week * DAYS_PER_WEEK).isoformat(),
                    "found": len(days),
                    "limit": limit,
                },
            )


def specialists_are_needed(view: PlanView) -> Iterator[Violation]:
    """A specialist rides only where a stop of the run asks for his service."""
    asked = {
        (run.vehicle_id, run.day): {
            c
            for visit in run.visits
            if visit.stop_id in view.stops
            for c in view.stops[visit.stop_id].services
        }
        for run, _ in view.runs()
    }
    for run, person in _rides(view):
        if person.service not in asked[run.vehicle_id, run.day]:
            yield view.of_run(
                "rule.specialist_idle", run, person=person.name, services=person.service
            )


def _people(view: PlanView) -> dict[SpecialistId, Specialist]:
    return {p.specialist_id: p for p in view.request.specialists}


def _rides(view: PlanView) -> Iterator[tuple[Run, Specialist]]:
    """Every run with each known specialist aboard."""
    people = _people(view)
    for run, _ in view.runs():
        for rider in dict.fromkeys(run.specialist_ids):
            if rider in people:
                yield run, people[rider]


def _services(view: PlanView, run: Run) -> set[str]:
    people = _people(view)
    return {people[r].service for r in run.specialist_ids if r in people}

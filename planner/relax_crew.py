"""Changes about specialists that may serve a stop: fewer visits with them, more hours or days."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from data.model.calendar import DAYS_PER_WEEK, HOUR_S, MINUTE_S
from data.model.crew import Specialist, SpecialistId
from data.model.place import Stop
from data.model.plan import Plan, PlanRequest

LONGER_S = (HOUR_S // 2, HOUR_S, 2 * HOUR_S)
"""By how much a specialist's hours are made longer at each end, seconds."""


def of_services(stop: Stop) -> Iterator[tuple[str, Mapping[str, Any], Stop]]:
    """The stop with its services at one visit only, then with none of them."""
    if not stop.services:
        return
    facts = {"services": ", ".join(sorted(stop.services))}
    if stop.services_at_every_visit and stop.visits_per_cycle > 1:
        yield "relax.services_visits", facts, replace(stop, services_visits=1)
    yield "relax.services", facts, replace(stop, services=frozenset(), services_visits=None)


def of_specialists(
    request: PlanRequest, plan: Plan, stop: Stop
) -> Iterator[tuple[str, Mapping[str, Any], PlanRequest]]:
    """Requests in which a specialist of the stop's services works longer, rides on any vehicle or
    on one more day.

    A day more is a date beyond those on which the specialist rides in the plan and beyond the
    weekly limit; he rides with one vehicle then, and other dates are not won. For a stop with
    several visits it is a weekday of all weeks.
    """
    people = [p for p in request.specialists if p.service in stop.services]
    for longer_s in LONGER_S:
        for person in people:
            if person.duty_start_s is not None or person.duty_end_s is not None:
                facts = _facts(person) | {"minutes": longer_s // MINUTE_S}
                yield "relax.specialist_hours", facts, _with_hours(request, person, longer_s)
    for person in people:
        if person.vehicle_ids:
            yield "relax.specialist_vehicle", _facts(person), _with_any_vehicle(request, person)
    for person in people:
        for days in _more_days(request, plan, person, stop):
            dates = [request.cycle.date_of(d).isoformat() for d in days]
            facts = _facts(person) | {"dates": ", ".join(dates)}
            yield "relax.specialist_day", facts, _with_days(request, person, days)


def _facts(person: Specialist) -> dict[str, Any]:
    return {"person": person.name, "services": person.service}


def _with_hours(request: PlanRequest, person: Specialist, longer_s: int) -> PlanRequest:
    start_s, end_s = person.duty_start_s, person.duty_end_s
    longer = replace(
        person,
        duty_start_s=None if start_s is None else max(0, start_s - longer_s),
        duty_end_s=None if end_s is None else end_s + longer_s,
    )
    return _with_person(request, longer)


def _with_any_vehicle(request: PlanRequest, person: Specialist) -> PlanRequest:
    return _with_person(request, replace(person, vehicle_ids=frozenset()))


def _with_person(request: PlanRequest, person: Specialist) -> PlanRequest:
    people = [person if p.specialist_id == person.specialist_id else p for p in request.specialists]
    return replace(request, specialists=tuple(people))


def _more_days(
    request: PlanRequest, plan: Plan, person: Specialist, stop: Stop
) -> list[tuple[int, ...]]:
    """Days, or weekdays of all weeks, on which a vehicle goes that he might ride and does not."""
    able = [
        v
        for v in request.vehicles
        if stop.needs <= v.abilities and person.may_ride(v.vehicle_id) and v.seats != 0
    ]
    riding = _riding(plan, person)
    days = sorted({d for v in able for d in request.working_days(v)} - riding)
    if stop.weekdays:
        days = [d for d in days if d % DAYS_PER_WEEK in stop.weekdays]
    if stop.visits_per_cycle == 1:
        return [(day,) for day in days]
    by_weekday: dict[int, list[int]] = defaultdict(list)
    for day in days:
        by_weekday[day % DAYS_PER_WEEK].append(day)
    return [tuple(group) for _, group in sorted(by_weekday.items())]


def _riding(plan: Plan, person: Specialist) -> set[int]:
    return {r.day for r in plan.runs if person.specialist_id in r.specialist_ids}


def _with_days(request: PlanRequest, person: Specialist, days: tuple[int, ...]) -> PlanRequest:
    """The request with the specialist once more, on these days alone, when he then is nowhere else.

    A second row keeps his weekly limit for all other days.
    """
    dates = {request.cycle.date_of(d): d for d in range(request.cycle.num_days)}
    more = replace(
        person,
        specialist_id=SpecialistId(f"{person.specialist_id}+1"),
        weekdays=frozenset(),
        off_dates=frozenset(on for on, day in dates.items() if day not in days),
        days_per_week_max=None,
    )
    taken = frozenset(on for on, day in dates.items() if day in days)
    own = replace(person, off_dates=person.off_dates | taken)
    changed = _with_person(request, own)
    return replace(changed, specialists=(*changed.specialists, more))

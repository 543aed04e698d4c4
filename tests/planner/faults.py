"""The example plan with one thing changed, for tests of the rules."""

from dataclasses import replace
from datetime import date
from typing import Any

from data.model.calendar import HOUR_S, MINUTE_S, ServiceCalendar
from data.model.crew import Specialist, SpecialistId
from data.model.fleet import CrewRules
from data.model.pins import KeptRun, KeptVisit, Pins
from data.model.place import Stop, StopId
from data.model.plan import Plan, PlanRequest, Run, StopVisit, Unserved
from data.model.recurrence import Recurrence
from tests.planner.examples import (
    BOLSHAKOVO,
    CHERNYAKHOVSK,
    FIRST,
    KALINOVKA,
    KALUZHSKOE,
    RULES,
    SECOND,
    ZAGORSKOE,
    clock_min,
    make_meal,
    make_plan,
    make_request,
    make_run,
    matrix,
    shifted,
    tour_plan,
    tour_request,
)

Case = tuple[PlanRequest, Plan]
REQUEST, PLAN = make_request(), make_plan()
TUESDAY = date(2026, 12, 1)


def with_stop(stop: Stop, **changes: Any) -> Case:
    stops = tuple(replace(s, **changes) if s is stop else s for s in REQUEST.stops)
    return replace(REQUEST, stops=stops), PLAN


def with_vehicle(**changes: Any) -> Case:
    return replace(REQUEST, vehicles=(replace(FIRST, **changes), SECOND)), PLAN


def with_rules(**changes: Any) -> Case:
    crew_rules = {**REQUEST.crew_rules, FIRST.vehicle_id: replace(RULES, **changes)}
    return replace(REQUEST, crew_rules=crew_rules), PLAN


def with_request(**changes: Any) -> Case:
    return replace(REQUEST, **changes), PLAN


def with_rule(stop: Stop, calendar: ServiceCalendar | None = None, **rule: Any) -> Case:
    """The plan on its dates, not repeated, where a stop has a rule begun on its first Tuesday."""
    weekly = Recurrence(rule="FREQ=WEEKLY;INTERVAL=1", start_date=TUESDAY)
    recurrence = replace(weekly, **rule)
    request, plan = with_stop(stop, recurrence=recurrence)
    cycle = replace(request.cycle, repeats=False)
    return replace(request, cycle=cycle, calendar=calendar or request.calendar), plan


def with_visit_twice() -> Case:
    """Kaluzhskoe is visited twice on its Tuesday, at clock times that may differ."""
    visits = [(KALUZHSKOE, clock_min("10:00")), (KALUZHSKOE, clock_min("14:00"))]
    run = make_run(REQUEST, FIRST, 1, visits)
    stops = (replace(KALUZHSKOE, recurrence=Recurrence(rule="FREQ=WEEKLY;INTERVAL=2")),)
    request = replace(
        REQUEST,
        stops=stops,
        cycle=replace(REQUEST.cycle, repeats=False),
        clock_tolerance_s=4 * HOUR_S,
        crew_rules={FIRST.vehicle_id: CrewRules(), SECOND.vehicle_id: CrewRules()},
    )
    return request, replace(PLAN, runs=(run,), unserved=())


def with_runs(*runs: Run, crew_rules: CrewRules = RULES) -> Case:
    request = replace(REQUEST, crew_rules={**REQUEST.crew_rules, FIRST.vehicle_id: crew_rules})
    return request, replace(PLAN, runs=runs)


def with_unserved(*stop_ids: str) -> Case:
    unserved = tuple(Unserved(stop_id=StopId(s), reason="unserved.no_capacity") for s in stop_ids)
    return REQUEST, replace(PLAN, unserved=unserved)


def with_cell(*, seconds: int | None = None, metres: int | None = None) -> Case:
    """The leg from Kalinovka to Kaluzhskoe has other figures."""
    changed = matrix()
    if seconds is not None:
        changed.travel_s[1, 2] = seconds
    if metres is not None:
        changed.travel_m[1, 2] = metres
    return with_request(travel={FIRST.vehicle_id: changed, SECOND.vehicle_id: changed})


def with_stranger() -> Case:
    """A run of the second vehicle opens at a place that the request does not know."""
    visit = StopVisit(
        stop_id=StopId("nowhere"),
        arrival_s=10 * HOUR_S,
        start_s=10 * HOUR_S,
        end_s=11 * HOUR_S,
        departure_s=11 * HOUR_S,
        drive_s=HOUR_S,
        drive_m=50_000,
    )
    run = Run(
        vehicle_id=SECOND.vehicle_id,
        day=0,
        sign_on_s=8 * HOUR_S,
        depart_s=9 * HOUR_S,
        visits=(visit,),
        return_s=12 * HOUR_S,
        sign_off_s=13 * HOUR_S,
        return_drive_s=HOUR_S,
        return_drive_m=50_000,
    )
    return with_runs(*PLAN.runs, run)


def with_two_runs_a_day() -> Case:
    """Kalinovka in the morning, Kaluzhskoe on a second run in the afternoon."""
    morning = make_run(REQUEST, FIRST, 1, [(KALINOVKA, clock_min("10:00"))])
    afternoon = make_run(REQUEST, FIRST, 1, [(KALUZHSKOE, clock_min("14:00"))])
    return with_runs(morning, afternoon, PLAN.runs[1], crew_rules=CrewRules())


def with_overlapping_runs() -> Case:
    """The run of the second Tuesday is so late that it meets the first one of the next cycle."""
    late = shifted(PLAN.runs[1], 7 * 24 * HOUR_S)
    request, plan = with_runs(PLAN.runs[0], late, crew_rules=CrewRules())
    stops = tuple(replace(s, windows=()) for s in request.stops)
    return replace(
        request,
        stops=stops,
        vehicles=(replace(FIRST, duty_end_s=8 * 24 * HOUR_S), SECOND),
        clock_tolerance_s=7 * 24 * HOUR_S,
        meal_window_end_s=8 * 24 * HOUR_S,
    ), plan


def with_tour(*, goes: bool = True, returns: bool = True, **lodging: Any) -> Case:
    """A night in Bolshakovo; only to it or only from it, or at a lodging that is different.

    Checks at the base last as long as at the lodging.
    """
    request = tour_request()
    short = replace(request.vehicles[0], prep_s=10 * MINUTE_S, closing_s=10 * MINUTE_S)
    request = replace(request, vehicles=(short, SECOND))
    night = BOLSHAKOVO.depot_id
    ten = clock_min("10:00")
    out = make_run(request, short, 1, [(KALINOVKA, ten)], end=night if goes else None)
    home = make_run(request, short, 2, [(KALUZHSKOE, ten)], start=night if returns else None)
    runs = (out, home, tour_plan().runs[2])
    place = replace(BOLSHAKOVO, **lodging)
    return replace(request, depots=(CHERNYAKHOVSK, place)), replace(PLAN, runs=runs)


def with_tourer(**changes: Any) -> Case:
    request, plan = with_tour()
    return replace(request, vehicles=(replace(request.vehicles[0], **changes), SECOND)), plan


def with_kept_end() -> Case:
    """The run of Tuesday is kept as one that came home."""
    request, plan = with_tour()
    visits = tuple(KeptVisit(stop_id=v.stop_id, start_s=v.start_s) for v in plan.runs[0].visits)
    kept = KeptRun(vehicle_id=FIRST.vehicle_id, day=1, visits=visits)
    return replace(request, pins=Pins(kept=(kept,))), plan


def with_empty_run() -> Case:
    empty = replace(
        PLAN.runs[0],
        vehicle_id=SECOND.vehicle_id,
        day=0,
        visits=(),
        meal=None,
        return_drive_s=0,
        return_drive_m=0,
    )
    return with_runs(*PLAN.runs, empty)


def with_first_run(**changes: Any) -> Case:
    return with_runs(replace(PLAN.runs[0], **changes), PLAN.runs[1])


def with_an_early_closing() -> Case:
    """Kalinovka may be open for 80 to 100 minutes, and is for 85 on its first date, then 90."""
    request, plan = with_stop(KALINOVKA, service_s=80 * 60, service_most_s=100 * 60)
    first = plan.runs[0]
    early = replace(first.visits[0], end_s=first.visits[0].end_s - 5 * MINUTE_S)
    run = replace(first, visits=(early, *first.visits[1:]))
    return request, replace(plan, runs=(run, *plan.runs[1:]))


def with_wrong_arrival() -> Case:
    first, second = PLAN.runs[0].visits
    return with_first_run(visits=(first, replace(second, arrival_s=second.arrival_s - 60)))


def with_meal(start: str | None, end: str = "", after_visit: int = 0) -> Case:
    """The first run with another meal, or none, its other times following."""
    meal = make_meal(start, end, after_visit) if start else None
    openings = [(KALINOVKA, clock_min("10:00")), (KALUZHSKOE, clock_min("14:00"))]
    return with_runs(make_run(REQUEST, FIRST, 1, openings, meal), PLAN.runs[1])


ANNA = Specialist(specialist_id=SpecialistId("anna"), name="Анна", service="children")
OLEG = replace(ANNA, specialist_id=SpecialistId("oleg"), name="Олег")


def with_riders(
    people: tuple[Specialist, ...],
    first: tuple[str, ...],
    second: tuple[str, ...],
    *,
    services: frozenset[str] = frozenset({"children"}),
    services_visits: int | None = 1,
    visits: int = 2,
    seats: int | None = None,
) -> Case:
    """Kalinovka, visited by both runs, asks for a service; these ride with the two runs."""
    request, plan = with_stop(KALINOVKA, services=services, services_visits=services_visits)
    request = replace(request, specialists=people, vehicles=(replace(FIRST, seats=seats), SECOND))
    runs = [
        replace(run, specialist_ids=tuple(SpecialistId(r) for r in riders))
        for run, riders in zip(plan.runs, (first, second), strict=True)
    ]
    if visits > len(runs):
        # A third visit the day after the first, with nobody aboard.
        stop = next(s for s in request.stops if s.stop_id == KALINOVKA.stop_id)
        more = replace(stop, visits_per_cycle=3, min_gap_days=1, same_weekday=False)
        stops = tuple(more if s.stop_id == stop.stop_id else s for s in request.stops)
        between = make_run(request, FIRST, 2, [(more, clock_min("10:00"))])
        between = replace(between, meal=None)
        request = replace(request, stops=stops)
        runs.insert(1, between)
    return request, replace(plan, runs=tuple(runs))


def with_two_places_at_once() -> Case:
    """Anna rides with both vehicles on the first Tuesday; each opens at Kalinovka or Kaluzhskoe."""
    request, plan = with_riders((ANNA,), ("anna",), ())
    stops = tuple(
        replace(s, services=frozenset({"children"})) if s is ZAGORSKOE else s for s in request.stops
    )
    other = make_run(request, SECOND, 1, [(ZAGORSKOE, clock_min("11:00"))])
    riding = replace(other, specialist_ids=(ANNA.specialist_id,))
    vehicles = (request.vehicles[0], replace(SECOND, weekdays=frozenset({1})))
    return replace(request, stops=stops, vehicles=vehicles), replace(
        plan, runs=(*plan.runs, riding), unserved=()
    )


def with_a_rider_on_tour() -> Case:
    """Anna rides to Kalinovka on the day that ends at a lodging."""
    request, plan = with_tour()
    stops = tuple(
        replace(s, services=frozenset({"children"}), services_visits=1)
        if s.stop_id == KALINOVKA.stop_id
        else s
        for s in request.stops
    )
    out = replace(plan.runs[0], specialist_ids=(ANNA.specialist_id,))
    return replace(request, stops=stops, specialists=(ANNA,)), replace(
        plan, runs=(out, *plan.runs[1:])
    )

"""Every rule passes the example plan and alone finds the fault made for it."""

import ast
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st

import api
from data.model.calendar import HOUR_S, MINUTE_S, Cycle, ServiceCalendar, Window
from data.model.crew import Specialist, SpecialistId
from data.model.fleet import CrewRules, Vehicle, VehicleId
from data.model.pins import ChangeCap, Forbidden, KeptRun, KeptVisit, Pins, PublishedTime, VisitPin
from data.model.place import DepotId, DepotKind, Stop, StopId
from data.model.plan import Plan, PlanRequest, Run, StopVisit, Unserved
from data.model.recurrence import Recurrence
from data.model.seasons import DateSpan, SchoolCalendar, SchoolTime, parse_season
from data.model.travel import UNREACHABLE
from planner import rules
from planner.score import check
from tests.planner.examples import (
    BOLSHAKOVO,
    CHERNYAKHOVSK,
    FIRST,
    KALINOVKA,
    KALUZHSKOE,
    KAMENSKOE,
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


BREAKING: dict[str, Callable[[], Case]] = {
    "rule.vehicle_unknown": lambda: with_runs(
        *PLAN.runs, replace(PLAN.runs[0], vehicle_id=VehicleId("nobody"))
    ),
    "rule.day_outside_cycle": lambda: with_runs(*PLAN.runs, replace(PLAN.runs[0], day=14)),
    "rule.stop_unknown": with_stranger,
    "rule.unserved_unknown": lambda: with_unserved("zagorskoe", "nowhere"),
    "rule.crew_rules_missing": lambda: with_request(crew_rules={}),
    "rule.travel_missing": lambda: with_request(travel={}),
    "rule.depot_unknown": lambda: with_request(depots=()),
    "rule.visits_wrong": lambda: with_stop(KALINOVKA, visits_per_cycle=3),
    "rule.unserved_not_listed": with_unserved,
    "rule.unserved_but_visited": lambda: with_unserved("zagorskoe", "kaluzhskoe"),
    "rule.unserved_listed_twice": lambda: with_unserved("zagorskoe", "zagorskoe"),
    "rule.mandatory_unserved": lambda: with_stop(ZAGORSKOE, mandatory=True),
    "rule.gap_too_short": lambda: with_stop(KALINOVKA, min_gap_days=8),
    "rule.gap_too_long": lambda: with_stop(KALINOVKA, max_gap_days=6),
    "rule.weekday_changes": lambda: with_runs(PLAN.runs[0], replace(PLAN.runs[1], day=7)),
    "rule.weekday_not_allowed": lambda: with_stop(KALUZHSKOE, weekdays=frozenset({3})),
    "rule.clock_time_changes": lambda: with_runs(PLAN.runs[0], shifted(PLAN.runs[1], 16 * 60)),
    "rule.window_missed": lambda: with_stop(KALUZHSKOE, windows=KALUZHSKOE.windows[:1]),
    "rule.ability_missing": lambda: with_vehicle(abilities=frozenset({"wifi"})),
    "rule.date_closed": lambda: with_request(
        calendar=ServiceCalendar(closed_dates={TUESDAY: "праздник"})
    ),
    "rule.weekday_without_service": lambda: with_request(
        calendar=ServiceCalendar(weekdays=frozenset({0, 2, 3, 4}))
    ),
    "rule.vehicle_off": lambda: with_vehicle(off_dates=frozenset({TUESDAY})),
    "rule.vehicle_weekday": lambda: with_vehicle(weekdays=frozenset({0, 2})),
    "rule.runs_per_day": with_two_runs_a_day,
    "rule.runs_overlap": with_overlapping_runs,
    "rule.run_empty": with_empty_run,
    "rule.stops_per_run": lambda: with_vehicle(max_stops_per_run=1),
    "rule.leg_without_travel": lambda: with_request(
        travel=dict.fromkeys(
            REQUEST.travel, matrix().restricted_to(["chernyakhovsk", "kalinovka", "kamenskoe"])
        )
    ),
    "rule.leg_unreachable": lambda: with_cell(seconds=UNREACHABLE),
    "rule.leg_time": lambda: with_cell(seconds=541),
    "rule.leg_distance": lambda: with_cell(metres=9001),
    "rule.preparation_short": lambda: with_vehicle(prep_s=21 * MINUTE_S),
    "rule.setup_short": lambda: with_stop(KALINOVKA, setup_s=11 * MINUTE_S),
    "rule.teardown_short": lambda: with_stop(KAMENSKOE, teardown_s=6 * MINUTE_S),
    "rule.service_time": lambda: with_stop(KAMENSKOE, service_s=61 * MINUTE_S),
    "rule.dwell_short": lambda: with_stop(
        KAMENSKOE, service_s=61 * MINUTE_S, service_most_s=90 * MINUTE_S
    ),
    "rule.dwell_long": lambda: with_stop(
        KAMENSKOE, service_s=40 * MINUTE_S, service_most_s=59 * MINUTE_S
    ),
    "rule.dwell_differs": with_an_early_closing,
    "rule.arrival": with_wrong_arrival,
    "rule.return": lambda: with_first_run(
        return_s=PLAN.runs[0].return_s + 60, sign_off_s=PLAN.runs[0].sign_off_s + 60
    ),
    "rule.closing_short": lambda: with_vehicle(closing_s=21 * MINUTE_S),
    "rule.duty_early": lambda: with_vehicle(duty_start_s=9 * HOUR_S + 7 * MINUTE_S),
    "rule.duty_late": lambda: with_vehicle(duty_end_s=15 * HOUR_S + 49 * MINUTE_S),
    # The second run drives 24 + 30 + 18 = 72 minutes, the first 24 + 9 + 25 = 58.
    "rule.drive_daily": lambda: with_rules(drive_daily_max_s=71 * MINUTE_S),
    "rule.drive_extensions": lambda: with_rules(
        drive_daily_max_s=60 * MINUTE_S, drive_extended_max_s=72 * 60, drive_extended_per_week=0
    ),
    "rule.drive_week": lambda: with_rules(drive_week_max_s=71 * MINUTE_S),
    "rule.drive_two_weeks": lambda: with_rules(drive_two_week_max_s=129 * MINUTE_S),
    "rule.drive_continuous": lambda: with_rules(drive_continuous_max_s=29 * MINUTE_S),
    # The first run works from 09:06 to 15:50 less 45 minutes: 5 h 59.
    "rule.shift": lambda: with_rules(shift_max_s=358 * MINUTE_S),
    "rule.meal_missing": lambda: with_meal(None),
    "rule.meal_short": lambda: with_rules(meal_min_s=46 * MINUTE_S),
    "rule.meal_long": lambda: with_rules(meal_max_s=44 * MINUTE_S),
    "rule.meal_outside_window": lambda: with_request(
        meal_window_start_s=11 * HOUR_S + 36 * MINUTE_S
    ),
    "rule.meal_nowhere": lambda: with_meal("12:00", "12:45", 2),
    "rule.meal_in_service": lambda: with_meal("11:34", "12:20"),
    # Seven days less 9 h 06 to 15:50: from Tuesday 15:50 to Tuesday 09:21 are 161 h 31.
    "rule.daily_rest": lambda: with_rules(daily_rest_s=161 * HOUR_S + 32 * MINUTE_S),
    "rule.rest_by_shift": lambda: with_rules(rest_shift_ratio=28.0),
    "rule.week_work": lambda: with_rules(week_work_max_s=358 * MINUTE_S),
    "rule.visit_off_rule": lambda: with_rule(KALINOVKA, rule="FREQ=WEEKLY;INTERVAL=2"),
    "rule.visit_missed": lambda: with_rule(KALUZHSKOE),
    "rule.visit_twice": with_visit_twice,
    "rule.visit_on_exception": lambda: with_rule(
        KALINOVKA, exceptions=frozenset({date(2026, 12, 8)})
    ),
    "rule.visit_out_of_season": lambda: with_rule(
        KALINOVKA, seasons=(parse_season("06-01/12-05"),)
    ),
    "rule.visit_out_of_school_time": lambda: with_rule(
        KALINOVKA,
        ServiceCalendar(
            schools={
                "oblast": SchoolCalendar(
                    terms=(DateSpan(first=date(2026, 11, 2), last=date(2026, 12, 6)),),
                    holidays=(DateSpan(first=date(2026, 12, 7), last=date(2026, 12, 20)),),
                )
            }
        ),
        school_time=SchoolTime.TERM,
        school="oblast",
    ),
    "rule.date_outside_plan": lambda: with_request(
        cycle=replace(REQUEST.cycle, repeats=False, until_date=date(2026, 12, 7))
    ),
    "rule.specialist_unknown": lambda: with_riders((ANNA,), ("anna", "nobody"), ()),
    "rule.specialist_listed_twice": lambda: with_riders((ANNA,), ("anna", "anna"), ()),
    "rule.service_missing": lambda: with_riders((ANNA,), ("anna",), (), services_visits=None),
    "rule.service_visits": lambda: with_riders((ANNA,), ("anna",), (), services_visits=2, visits=3),
    "rule.specialist_off": lambda: with_riders(
        (replace(ANNA, off_dates=frozenset({TUESDAY})),), ("anna",), ()
    ),
    "rule.specialist_weekday": lambda: with_riders(
        (replace(ANNA, weekdays=frozenset({0, 2})),), ("anna",), ()
    ),
    # The first run leaves at 09:26 and is back at 15:30.
    "rule.specialist_hours": lambda: with_riders(
        (replace(ANNA, duty_start_s=9 * HOUR_S + 27 * MINUTE_S),), ("anna",), ()
    ),
    "rule.specialist_vehicle": lambda: with_riders(
        (replace(ANNA, vehicle_ids=frozenset({SECOND.vehicle_id})),), ("anna",), ()
    ),
    "rule.specialist_away": with_a_rider_on_tour,
    "rule.specialist_twice": with_two_places_at_once,
    "rule.seats": lambda: with_riders((ANNA, OLEG), ("anna", "oleg"), (), seats=1),
    "rule.specialist_days": lambda: with_riders(
        (replace(ANNA, days_per_week_max=0),), ("anna",), ()
    ),
    "rule.specialist_idle": lambda: with_riders((ANNA,), ("anna",), (), services=frozenset()),
    "rule.pin_missed": lambda: with_request(
        pins=Pins(visits=(VisitPin(stop_id=KALUZHSKOE.stop_id, day=1, latest_s=13 * HOUR_S),))
    ),
    "rule.kept_run_changed": lambda: with_request(
        pins=Pins(kept=(KeptRun(vehicle_id=FIRST.vehicle_id, day=8),))
    ),
    "rule.visit_forbidden": lambda: with_request(
        pins=Pins(forbidden=(Forbidden(stop_id=KAMENSKOE.stop_id, weekday=1),))
    ),
    "rule.kept_run_ends": with_kept_end,
    "rule.ends_elsewhere": lambda: with_tour(returns=False, kind=DepotKind.BASE),
    "rule.starts_elsewhere": lambda: with_tour(goes=False, kind=DepotKind.BASE),
    "rule.night_not_followed": lambda: with_tour(returns=False),
    "rule.night_not_before": lambda: with_tour(goes=False),
    "rule.lodging_not_allowed": lambda: with_tourer(lodging_ids=frozenset({DepotId("hostel")})),
    "rule.lodging_too_short": lambda: with_tour(room_m=9.4),
    "rule.nights_in_a_row": lambda: with_tourer(max_nights_away=0),
    "rule.too_many_changes": lambda: with_request(
        change_cap=ChangeCap(
            published=(PublishedTime(stop_id=KAMENSKOE.stop_id, day=8, start_s=13 * HOUR_S),),
            max_changes=0,
        )
    ),
}


def test_the_example_keeps_every_rule() -> None:
    """The plan from which all faults are made has none."""
    assert check(REQUEST, PLAN) == ()


@pytest.mark.parametrize("code", BREAKING)
def test_a_fault_breaks_its_rule_alone(code: str) -> None:
    """Each change is found by the rule that it is made for, and by no other."""
    request, plan = BREAKING[code]()
    assert {v.code for v in check(request, plan)} == {code}


def codes_in_source() -> set[str]:
    folder = Path(str(rules.__file__)).parent
    sources = [p.read_text(encoding="utf-8") for p in folder.glob("*.py")]
    return {code for text in sources for code in re.findall(r'"(rule\.\w+)"', text)}


def test_every_code_has_a_fault_made_for_it() -> None:
    """No rule goes untried."""
    assert codes_in_source() == set(BREAKING)


@pytest.mark.parametrize("code", BREAKING)
def test_a_violation_gives_every_fact_that_its_message_names(code: str) -> None:
    """The text of a violation has all its blanks filled in."""
    folder = Path(str(api.__file__)).parent / "locales" / "en" / "LC_MESSAGES"
    found = []
    for catalogue in folder.glob("*.po"):
        with catalogue.open("rb") as source:
            found.append(read_po(source).get(code))
    (message,) = [m for m in found if m is not None]
    wanted = set(re.findall(r"\{(\w+)", str(message.string)))
    for violation in check(*BREAKING[code]()):
        assert wanted <= set(violation.facts)


@settings(deadline=None)
@given(minutes=st.integers(-12 * 60, 12 * 60))
def test_shifting_a_run_breaks_only_what_the_clock_says(minutes: int) -> None:
    """A run moved as a whole still adds up; duty, windows, meal and clock time judge the rest."""
    start = clock_min("10:15") + minutes
    expected = set()
    if abs(start - clock_min("10:00")) > 30:
        expected.add("rule.clock_time_changes")
    if start < clock_min("09:00") or start + 90 > clock_min("18:00"):
        expected.add("rule.window_missed")
    if clock_min("09:21") + minutes < clock_min("08:00"):
        expected.add("rule.duty_early")
    if clock_min("14:58") + minutes > clock_min("18:00"):
        expected.add("rule.duty_late")
    if not clock_min("11:00") <= clock_min("11:50") + minutes <= clock_min("14:15"):
        expected.add("rule.meal_outside_window")
    request, plan = with_runs(PLAN.runs[0], shifted(PLAN.runs[1], minutes * MINUTE_S))
    assert {v.code for v in check(request, plan)} == expected


def test_a_night_away_keeps_every_rule() -> None:
    """From Chernyakhovsk to Bolshakovo and back the next day is a plan like any other."""
    assert check(tour_request(), tour_plan()) == ()
    assert check(*with_tour()) == ()


def test_rest_away_counts_from_sign_off_to_sign_on_at_the_lodging() -> None:
    """The doors at Kalinovka close at 11:30: with packing, 15 min of driving and 10 min of check
    it is 12:00. On Wednesday they open at 10:00 after 10 + 20 + 10 min, so duty begins at 9:20:
    21 h 20 min of rest."""
    request, plan = tour_request(), tour_plan()

    def broken(rest_s: int) -> list[str]:
        crew = {**request.crew_rules, FIRST.vehicle_id: replace(RULES, daily_rest_s=rest_s)}
        return [v.code for v in check(replace(request, crew_rules=crew), plan)]

    assert broken(21 * HOUR_S + 20 * MINUTE_S) == []
    assert broken(21 * HOUR_S + 21 * MINUTE_S) == ["rule.daily_rest"]


def test_no_night_lies_over_the_seam() -> None:
    """The last day of the cycle is not followed by its first: the vehicle must be at home."""
    request, plan = tour_request(), tour_plan()
    out, home, _ = plan.runs
    weekend = ServiceCalendar(weekdays=frozenset(range(7)))
    whole = replace(request.vehicles[0], weekdays=frozenset(), off_dates=frozenset())
    request = replace(request, calendar=weekend, vehicles=(whole, SECOND))
    runs = (replace(home, day=0), replace(out, day=13))
    codes = {v.code for v in check(request, replace(plan, runs=runs))}
    assert {"rule.night_not_followed", "rule.night_not_before"} <= codes


def test_gaps_count_across_the_seam() -> None:
    """Days 1 and 3 of two weeks are two days apart, and twelve over the seam."""
    stop = replace(KALINOVKA, same_weekday=False, min_gap_days=1, max_gap_days=11)
    moved = replace(PLAN.runs[1], day=3)
    request = replace(with_stop(KALINOVKA)[0], stops=(stop, *REQUEST.stops[1:]))
    request = replace(request, vehicles=(replace(FIRST, off_dates=frozenset()), SECOND))
    (found,) = check(request, replace(PLAN, runs=(PLAN.runs[0], moved)))
    assert found.code == "rule.gap_too_long"
    assert (found.facts["found"], found.facts["limit"]) == (12, 11)
    assert found.facts["next_date"] == "2026-12-15"


def test_one_visit_a_cycle_has_the_cycle_as_its_gap() -> None:
    """A stop visited once in two weeks is 14 days from its next visit."""
    codes = [v.code for v in check(*with_stop(KALUZHSKOE, max_gap_days=13))]
    assert codes == ["rule.gap_too_long"]
    assert check(*with_stop(KALUZHSKOE, max_gap_days=14)) == ()


def test_two_weeks_pair_over_the_seam() -> None:
    """A cycle of one week meets itself: its driving counts twice."""
    request, plan = with_rules(drive_two_week_max_s=115 * MINUTE_S)
    stops = (replace(KALINOVKA, visits_per_cycle=1), KALUZHSKOE)
    request = replace(request, cycle=Cycle(start_date=date(2026, 11, 30), num_weeks=1), stops=stops)
    (found,) = check(request, replace(plan, runs=plan.runs[:1], unserved=()))
    assert found.code == "rule.drive_two_weeks"
    assert (found.facts["found_min"], found.facts["limit_min"]) == (116, 115)


def test_a_single_run_rests_until_the_next_cycle() -> None:
    """The night after the last run ends with the first run of the next cycle."""
    request, plan = with_rules(daily_rest_s=14 * 24 * HOUR_S)
    stops = (replace(KALINOVKA, visits_per_cycle=1, max_gap_days=None), KALUZHSKOE)
    request = replace(request, stops=stops)
    (found,) = check(request, replace(plan, runs=plan.runs[:1], unserved=()))
    assert found.code == "rule.daily_rest"
    assert found.facts["next_date"] == "2026-12-15"
    assert found.facts["found_min"] == 14 * 24 * 60 - (clock_min("15:50") - clock_min("09:06"))


def driving_case(legs_min: list[int], stays_min: list[int], crew: CrewRules) -> set[str]:
    """Codes of a run with the given legs and stays between them."""
    names = [f"p{i}" for i in range(len(stays_min))]
    stops = tuple(
        replace(ZAGORSKOE, stop_id=StopId(n), service_s=stay * 60, setup_s=0, teardown_s=0)
        for n, stay in zip(names, stays_min, strict=True)
    )
    size = len(names) + 1
    cells = np.zeros((size, size), dtype=np.int32)
    for index, leg in enumerate(legs_min):
        cells[index % size, (index + 1) % size] = leg * 60
    travel = replace(matrix(), point_ids=("chernyakhovsk", *names), travel_s=cells, travel_m=cells)
    vehicle = Vehicle(
        vehicle_id=VehicleId("kibo-1"),
        name="КИБО-1",
        depot_id=FIRST.depot_id,
        duty_start_s=0,
        duty_end_s=24 * HOUR_S,
    )
    request = replace(
        REQUEST,
        vehicles=(vehicle,),
        stops=stops,
        travel={vehicle.vehicle_id: travel},
        crew_rules={vehicle.vehicle_id: crew},
    )
    opens, openings = 60 + legs_min[0], []
    for stop, stay, leg in zip(stops, stays_min, legs_min[1:], strict=True):
        openings.append((stop, opens))
        opens += stay + leg
    run = make_run(request, vehicle, 0, openings)
    return {v.code for v in check(request, Plan(runs=(run,)))}


SPLIT = CrewRules(
    drive_continuous_max_s=270 * MINUTE_S,
    break_s=45 * MINUTE_S,
    break_split_s=(15 * MINUTE_S, 30 * MINUTE_S),
)


@pytest.mark.parametrize(
    ("legs", "stays", "is_kept"),
    [
        ([200, 70], [20], True),  # 270 in one go
        ([200, 71], [44], False),  # one minute too much, the stay too short
        ([200, 200], [45], True),  # a whole break between
        ([100, 100, 200], [15, 30], True),  # the two parts in order
        ([100, 100, 200], [30, 15], False),  # the parts in the wrong order
        ([100, 100, 70], [30, 15], True),
        ([90, 90, 90, 100], [30, 15, 30], True),  # 30 stands for the first part
        ([100, 100, 271], [15, 30], False),  # too long after the break
        ([271, 10], [45], False),  # too long before it
    ],
)
def test_breaks_split_in_order(legs: list[int], stays: list[int], *, is_kept: bool) -> None:
    """A break of 45 minutes may be 15 and then 30; a longer stay may stand for the first part."""
    expected = set() if is_kept else {"rule.drive_continuous"}
    assert driving_case(legs, stays, SPLIT) == expected


def test_a_meal_is_a_break_from_driving() -> None:
    """A meal of 45 minutes after a short stop resets continuous driving."""
    crew = replace(RULES, drive_continuous_max_s=25 * MINUTE_S, break_s=2 * HOUR_S + 30 * MINUTE_S)
    # At Kalinovka the bus stands 09:50 to 12:20: setup, service, teardown and the meal.
    request, plan = with_runs(*PLAN.runs, crew_rules=crew)
    found = [v for v in check(request, plan) if v.facts.get("day") == 1]
    assert not found


def test_windows_apply_on_their_weekdays() -> None:
    """The afternoon window of Kaluzhskoe is for Tuesdays; on a Wednesday it does not help."""
    (found,) = check(*with_runs(replace(PLAN.runs[0], day=2), replace(PLAN.runs[1], day=9)))[:1]
    assert found.code == "rule.window_missed"
    assert found.facts["windows"] == "09:00–13:00"


def test_a_service_may_not_span_two_windows() -> None:
    """Two windows that meet are two windows: the whole service lies inside one."""
    halves = (
        Window(start_s=9 * HOUR_S, end_s=11 * HOUR_S),
        Window(start_s=11 * HOUR_S, end_s=18 * HOUR_S),
    )
    assert {v.code for v in check(*with_stop(KALINOVKA, windows=halves))} == {"rule.window_missed"}


def test_a_moved_working_day_has_service() -> None:
    """A date that works although its weekday does not is no fault."""
    calendar = ServiceCalendar(
        weekdays=frozenset({0}),
        extra_dates={TUESDAY: "перенос", date(2026, 12, 8): "перенос"},
    )
    assert check(*with_request(calendar=calendar)) == ()


def test_the_checker_knows_nothing_of_the_solver() -> None:
    """Rules and score import the domain types and themselves, and no other code of ours."""
    folder = Path(str(rules.__file__)).parent
    ours = ("planner", "fleet", "maps", "api", "data")
    for path in (*folder.glob("*.py"), folder.parent / "score.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0
                names = [node.module or ""]
            for name in names:
                if name.split(".")[0] in ours:
                    assert name.startswith(("data.model.", "planner.rules")), f"{path.name}: {name}"

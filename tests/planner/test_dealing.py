"""Who rides where is decided with the plan, and what comes out keeps every rule."""

from dataclasses import replace
from datetime import date

import pytest

from data.model.fleet import VehicleId
from data.model.pins import Pins, VisitPin
from data.model.plan import Plan, PlanRequest
from data.model.recurrence import Recurrence
from planner.aboard import deal_of, is_settled, keeps_limits, possible_rides
from planner.capped import cap_changes, solve_capped
from planner.params import SolveParams
from planner.score import check, summarise
from planner.solve import Progress, solve
from tests.planner.crews import (
    CHILDREN,
    best_of_all_deals,
    make_person,
    random_crew,
    served_stop,
)
from tests.planner.instances import HOUR_S, make_request, make_stop
from tests.planner.test_tours import far_request

QUICK = SolveParams(work_limit=6000, workers=1, rounds=2, time_limit_s=120)


def solved(request: PlanRequest, params: SolveParams = QUICK, start: Plan | None = None) -> Plan:
    """The plan of a request, which breaks no rule but that of stops that nothing can serve."""
    plan = solve(request, params, start=start)
    assert {v.code for v in check(request, plan)} <= {"rule.mandatory_unserved"}
    return plan


def rides(plan: Plan) -> set[tuple[str, int, str]]:
    return {(str(r.vehicle_id), r.day, str(p)) for r in plan.runs for p in r.specialist_ids}


def names_left(plan: Plan) -> set[str]:
    return {str(u.stop_id) for u in plan.unserved}


@pytest.mark.parametrize("seed", range(8))
def test_no_other_deal_serves_more(seed: int) -> None:
    """On tiny requests the plan is as good as the best of all deals, each searched by itself."""
    request = random_crew(seed)
    plan = solved(request)
    left = {u.stop_id for u in plan.unserved}
    missing = sum(s.mandatory for s in request.stops if s.stop_id in left)
    prize = sum(s.prize for s in request.stops if not s.mandatory and s.stop_id not in left)
    best = best_of_all_deals(request)
    assert (missing, -prize) <= (best[0], best[1] + 1e-6)


def test_a_settled_deal_needs_no_search_and_no_idle_rides() -> None:
    """With no limits the specialist goes wherever a stop asks for her, and nowhere else."""
    stops = (
        served_stop("school", weekdays=frozenset({2})),
        make_stop("club", service_s=6 * HOUR_S),
    )
    request = replace(make_request(stops), specialists=(make_person("anna"),))
    assert is_settled(request, possible_rides(request))
    plan = solved(request)
    assert plan.unserved == ()
    (school,) = [r for r in plan.runs if any(v.stop_id == "school" for v in r.visits)]
    assert rides(plan) == {("bus-0", school.day, "anna")}


def test_few_days_are_spent_where_most_is_won() -> None:
    """One day a week: the day on which two stops are open beats that of the better single one."""
    stops = (
        served_stop("a", weekdays=frozenset({0}), prize=150.0),
        served_stop("b", weekdays=frozenset({3}), prize=100.0),
        served_stop("c", weekdays=frozenset({3}), prize=100.0),
    )
    anna = make_person("anna", days_per_week_max=1)
    plan = solved(replace(make_request(stops, vehicles=2), specialists=(anna,)))
    assert [str(u.stop_id) for u in plan.unserved] == ["a"]
    assert {day for _, day, _ in rides(plan)} == {3}


def test_a_stop_may_ask_for_a_service_at_some_visits_only() -> None:
    """Of four weekly visits two have the specialist, who comes every other week."""
    off = frozenset({date(2026, 3, 9), date(2026, 3, 23)})
    anna = make_person("anna", weekdays=frozenset({0}), off_dates=off)
    wish = {"visits_per_cycle": 4, "min_gap_days": 7, "services_visits": 2}
    request = make_request((served_stop("school", **wish),), weeks=4)
    plan = solved(replace(request, specialists=(anna,)))
    assert plan.days_of(request.stops[0].stop_id) == (0, 7, 14, 21)
    assert {day for _, day, _ in rides(plan)} == {0, 14}
    every = make_request((served_stop("school", visits_per_cycle=4, min_gap_days=7),), weeks=4)
    left = solve(replace(every, specialists=(anna,)), QUICK)
    assert [u.reason for u in left.unserved] == ["unserved.service_no_day"]


def test_one_seat_takes_one_specialist() -> None:
    """Two services on one day need two seats, or two vehicles."""
    monday = frozenset({0})
    stops = (
        served_stop("school", weekdays=monday),
        served_stop("office", weekdays=monday, services=frozenset({"social"})),
    )
    people = (make_person("anna"), make_person("oleg", service="social"))
    for num, seats, unserved in ((1, 1, 1), (1, 2, 0), (2, 1, 0)):
        request = make_request(stops, vehicles=num)
        vehicles = tuple(replace(v, seats=seats) for v in request.vehicles)
        plan = solved(replace(request, vehicles=vehicles, specialists=people))
        assert len(plan.unserved) == unserved


def test_own_hours_hold_the_whole_ride() -> None:
    """A run with her aboard leaves after nine and is back by two; the long stop has its own day."""
    stops = (served_stop("school", service_s=3 * HOUR_S), make_stop("club", service_s=5 * HOUR_S))
    anna = make_person("anna", duty_start_s=9 * HOUR_S, duty_end_s=14 * HOUR_S)
    request = replace(make_request(stops), specialists=(anna,))
    plan = solved(request)
    assert plan.unserved == ()
    (run,) = [r for r in plan.runs if r.specialist_ids]
    assert run.depart_s >= 9 * HOUR_S
    assert run.return_s <= 14 * HOUR_S
    short = make_person("anna", duty_start_s=11 * HOUR_S, duty_end_s=14 * HOUR_S)
    left = solve(replace(request, specialists=(short,)), QUICK)
    assert [str(u.stop_id) for u in left.unserved] == ["school"]


def test_the_same_seed_gives_the_same_plan() -> None:
    """With a limit on work the deal is found anew as it was."""
    request = random_crew(3)
    first, second = solved(request), solved(request)
    assert first.runs == second.runs
    assert first.provenance is not None
    assert second.provenance is not None
    assert first.provenance.problem_hash == second.provenance.problem_hash
    assert first.provenance.parameters == second.provenance.parameters


def test_whoever_rides_is_part_of_the_problem() -> None:
    """One day more or less of a specialist is another problem."""
    request = random_crew(3)
    anna = replace(request.specialists[0], days_per_week_max=3)
    hashes = set()
    for people in (request.specialists, (anna, request.specialists[1])):
        plan = solve(replace(request, specialists=people), replace(QUICK, work_limit=50))
        assert plan.provenance is not None
        hashes.add(plan.provenance.problem_hash)
    assert len(hashes) == 2


@pytest.mark.parametrize("seed", [0, 4])
def test_going_on_from_a_plan_is_never_worse(seed: int) -> None:
    """Even with next to no work the earlier plan with its riders stands."""
    request = random_crew(seed)
    plan = solved(request)
    again = solved(request, replace(QUICK, work_limit=10, seed=9), start=plan)
    assert (
        summarise(request, again).prize_collected >= summarise(request, plan).prize_collected - 1e-6
    )


def test_a_cancelled_search_gives_a_plan_that_keeps_the_rules() -> None:
    """Cancelled at once, the deal by need stands."""
    request = random_crew(1)
    plan = solve(request, replace(QUICK, work_limit=None), should_stop=lambda: True)
    assert {v.code for v in check(request, plan)} <= {"rule.mandatory_unserved"}
    assert plan.provenance is not None
    assert plan.provenance.stopped_by == "cancelled"


def test_progress_rises_to_the_end() -> None:
    """One progress over all deals, never going back."""
    told: list[Progress] = []
    solve(random_crew(2), QUICK, progress=told.append)
    fractions = [p.fraction for p in told]
    assert fractions == sorted(fractions)
    assert 0 < fractions[0] <= fractions[-1] <= 1


def test_a_deal_is_read_back_from_its_plan() -> None:
    """What rides in a plan keeps the limits of the request; of a vehicle that is gone, none."""
    request = random_crew(5)
    plan = solved(request)
    deal = deal_of(request, plan)
    assert keeps_limits(request, deal)
    assert len(deal) == len(rides(plan))
    lone = replace(request, vehicles=request.vehicles[:1])
    assert {vehicle for _, vehicle, _ in deal_of(lone, plan)} <= {0}


def test_a_service_that_nobody_gives_is_told() -> None:
    """A stop that only lacks a specialist says which one; others are planned as ever."""
    stops = (served_stop("school"), make_stop("club"))
    plan = solved(make_request(stops))
    (left,) = plan.unserved
    assert (left.stop_id, left.reason) == ("school", "unserved.service_nobody")
    assert left.facts["services"] == ", ".join(CHILDREN)
    other = make_person("anna", vehicle_ids=frozenset({VehicleId("bus-9")}))
    plan = solved(replace(make_request(stops), specialists=(other,)))
    assert [u.reason for u in plan.unserved] == ["unserved.service_no_day"]


def test_specialists_sleep_at_home() -> None:
    """Far stops take a tour with a night; the one of them that asks for Anna is left out."""
    request = far_request((400, 100), (300, 300, 300, 300), away_min=200, days=3)
    stops = tuple(
        replace(s, services=CHILDREN) if s.stop_id in ("far0", "near0") else s
        for s in request.stops
    )
    anna = make_person("anna", days_per_week_max=2)
    plan = solved(replace(request, stops=stops, specialists=(anna,)))
    assert any(r.end_depot_id is not None for r in plan.runs)
    riding = [r for r in plan.runs if r.specialist_ids]
    assert {str(v.stop_id) for r in riding for v in r.visits} >= {"near0"}
    assert not [r for r in riding if r.start_depot_id or r.end_depot_id]
    assert "far0" in names_left(plan)


def test_dates_of_a_dated_plan_have_their_own_riders() -> None:
    """Six weeks by date, a school every second week: Anna rides on its dates, not on those off."""
    school = served_stop(
        "school",
        recurrence=Recurrence(rule="FREQ=WEEKLY;INTERVAL=2"),
        weekdays=frozenset({1, 3}),
    )
    request = make_request((school, make_stop("club")), weeks=6)
    request = replace(request, cycle=replace(request.cycle, repeats=False))
    off = frozenset(request.cycle.date_of(d) for d in range(42) if d % 7 == 1)
    anna = make_person("anna", off_dates=off, days_per_week_max=1)
    plan = solved(replace(request, specialists=(anna,)))
    assert plan.unserved == ()
    days = plan.days_of(school.stop_id)
    assert len(days) == 3
    assert {day for _, day, _ in rides(plan)} == set(days)
    assert {day % 7 for day in days} == {3}


def test_few_published_times_change_with_specialists_too() -> None:
    """Under a cap of no changes the plan stands, riders and all, when one more stop is asked."""
    request = random_crew(2)
    plan = solved(request)
    capped = cap_changes(request, plan, 0)
    again = solve_capped(capped, replace(QUICK, work_limit=2000), start=plan)
    assert {v.code for v in check(capped, again)} <= {"rule.mandatory_unserved"}
    assert {(v.stop_id, r.day) for r in again.runs for v in r.visits} >= {
        (v.stop_id, r.day) for r in plan.runs for v in r.visits
    }


def test_a_pinned_visit_draws_its_specialist() -> None:
    """A visit pinned to a vehicle and day has the specialist there, at the cost of a better day."""
    stops = (
        served_stop("a", weekdays=frozenset({0}), prize=500.0),
        served_stop("b", weekdays=frozenset({3}), prize=10.0),
    )
    anna = make_person("anna", days_per_week_max=1)
    request = replace(make_request(stops, vehicles=2), specialists=(anna,))
    pin = VisitPin(stop_id=stops[1].stop_id, day=3, vehicle_id=VehicleId("bus-1"))
    plan = solved(replace(request, pins=Pins(visits=(pin,))))
    assert rides(plan) == {("bus-1", 3, "anna")}

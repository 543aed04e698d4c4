"""Nights away: chosen where they serve more people, paid for, kept from an earlier plan."""

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.model.fleet import CrewRules
from data.model.nights import nights_of, tour_days
from data.model.pins import KeptRun, KeptVisit, Pins
from data.model.place import Depot, DepotId, DepotKind, StopId
from data.model.plan import Plan, PlanRequest
from planner.alone import impossible_stops
from planner.bound import prize_bound
from planner.compile import compile_request
from planner.edit import Move, Remove, judge
from planner.insert import best_places
from planner.nights import allowed, may_be_away
from planner.params import SolveParams
from planner.resume import solution_of
from planner.score import check, summarise
from planner.solve import solve
from tests.planner.examples import FIRST, KALUZHSKOE, tour_plan, tour_request
from tests.planner.instances import HOUR_S, make_request, make_stop

QUICK = SolveParams(work_limit=600, workers=1, time_limit_s=60.0)
LODGING = Depot(
    depot_id=DepotId("inn"),
    name="Гостиница, Нестеров",
    lon=22.57,
    lat=54.63,
    kind=DepotKind.LODGING,
    check_s=600,
    night_cost_s=3600,
)
RULES = CrewRules(shift_max_s=8 * HOUR_S, daily_rest_s=12 * HOUR_S)


def far_request(
    near: tuple[int, ...],
    far: tuple[int, ...],
    *,
    away_min: int,
    nights: int = 1,
    days: int = 2,
    mandatory: bool = False,
) -> PlanRequest:
    """Stops of an hour near the base and near a lodging; prizes by group; a minute is a minute.

    Stops of a group and their base or lodging are ten minutes apart, the groups ``away_min``.
    """
    stops = tuple(
        make_stop(f"{group}{k}", prize=float(prize), mandatory=mandatory)
        for group, prizes in (("near", near), ("far", far))
        for k, prize in enumerate(prizes)
    )
    request = make_request(stops, rules=RULES)
    points = (*(str(s.stop_id) for s in stops), str(request.depots[0].depot_id), "inn")
    side = [p.startswith("far") or p == "inn" for p in points]
    travel_s = np.array(
        [
            [0 if i == j else (600 if a == b else 60 * away_min) for j, b in enumerate(side)]
            for i, a in enumerate(side)
        ],
        np.int32,
    )
    vehicle = replace(request.vehicles[0], max_nights_away=nights, weekdays=frozenset(range(days)))
    matrix = replace(
        request.travel[vehicle.vehicle_id],
        point_ids=points,
        travel_s=travel_s,
        travel_m=travel_s * 15,
    )
    return replace(
        request,
        depots=(*request.depots, LODGING),
        vehicles=(vehicle,),
        travel={vehicle.vehicle_id: matrix},
    )


def most_prize(request: PlanRequest, nights: tuple[int, ...]) -> float | None:
    """Most prize with these nights, trying every stop on every day in every order.

    A plain count: preparation, legs, stops and closing within eight hours. ``None`` where a day
    beside a night stays empty in every way.
    """
    (vehicle,), matrix = request.vehicles, request.travel[request.vehicles[0].vehicle_id]
    base, days = str(request.depots[0].depot_id), request.working_days(vehicle)
    beside = {d for n in nights for d in (n, n + 1)}

    def fits(day: int, stops: tuple[str, ...]) -> bool:
        start, end = ("inn" if d in nights else base for d in (day - 1, day))
        checks = sum(600 if place == "inn" else vehicle.prep_s for place in (start, end))
        return any(
            checks
            + sum(matrix.seconds(a, b) for a, b in zip((start, *o), (*o, end), strict=True))
            + HOUR_S * len(stops)
            <= 8 * HOUR_S
            for o in permutations(stops)
        )

    best: float | None = None
    names = [str(s.stop_id) for s in request.stops]
    prize = {str(s.stop_id): s.prize for s in request.stops}
    for chosen in product((-1, *days), repeat=len(names)):
        of_day = {d: tuple(n for n, c in zip(names, chosen, strict=True) if c == d) for d in days}
        if any(not of_day[d] for d in beside):
            continue
        worth = sum(prize[n] for d in days for n in of_day[d])
        if (best is None or worth > best) and all(fits(d, s) for d, s in of_day.items() if s):
            best = worth
    return best


@settings(deadline=None, max_examples=12, derandomize=True)
@given(
    near=st.lists(st.integers(1, 9), min_size=0, max_size=2),
    far=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    away_min=st.sampled_from((60, 150, 190, 240, 330)),
)
def test_a_night_is_spent_exactly_when_it_serves_more(
    near: list[int], far: list[int], away_min: int
) -> None:
    """Against every configuration, every day of every stop and every order."""
    request = far_request(tuple(near), tuple(far), away_min=away_min)
    plan = solve(request, QUICK)
    assert check(request, plan) == ()
    at_home, away = most_prize(request, ()) or 0.0, most_prize(request, (0,)) or 0.0
    assert summarise(request, plan).prize_collected == pytest.approx(max(at_home, away))
    if away > at_home:
        assert nights_of(request, plan)
    if at_home == max(at_home, away) == 0:
        assert plan.runs == ()


def test_far_settlements_are_reached_with_a_night_alone() -> None:
    """Four hours away no day trip fits into eight hours; with one night all three are served."""
    request = far_request((), (5, 4, 3), away_min=240)
    plan = solve(request, QUICK)
    assert check(request, plan) == ()
    assert {v.stop_id for r in plan.runs for v in r.visits} == {"far0", "far1", "far2"}
    out, home = plan.runs
    assert (out.start_depot_id, out.end_depot_id) == (None, "inn")
    assert (home.start_depot_id, home.end_depot_id) == ("inn", None)
    assert tour_days(plan, out) == tour_days(plan, home) == (0, 1)
    at_home = replace(request, vehicles=(replace(request.vehicles[0], max_nights_away=0),))
    assert solve(at_home, QUICK).runs == ()
    assert {u.reason for u in impossible_stops(at_home).values()} == {"unserved.too_far"}
    assert impossible_stops(request) == {}


def test_to_save_driving_a_night_must_save_more_than_it_costs() -> None:
    """Six far stops take two days. A night saves twice 90 minutes less twice ten: 160 minutes."""

    def nights(cost_min: int) -> int:
        request = far_request((), (1,) * 6, away_min=90)
        inn = replace(LODGING, night_cost_s=60 * cost_min)
        request = replace(request, depots=(request.depots[0], inn))
        plan = solve(request, QUICK)
        assert check(request, plan) == ()
        assert summarise(request, plan).stops_served == 6
        return len(nights_of(request, plan))

    assert nights(150) == 1
    assert nights(170) == 0


def test_no_more_nights_in_a_row_than_allowed() -> None:
    """Three days far away take two nights; with one allowed the checker passes what is left."""
    request = far_request((), (9, 8, 7, 6, 5, 4, 3, 2, 1), away_min=240, nights=2, days=3)
    two = solve(request, QUICK)
    assert check(request, two) == ()
    assert len(nights_of(request, two)) == 2
    one = replace(request, vehicles=(replace(request.vehicles[0], max_nights_away=1),))
    plan = solve(one, QUICK)
    assert check(one, plan) == ()
    assert len(nights_of(one, plan)) == 1
    assert {v.code for v in check(one, two)} == {"rule.nights_in_a_row"}


def test_the_same_seed_and_work_give_the_same_tours() -> None:
    """Configurations are drawn from the seed alone."""
    request = far_request((3, 2), (5, 4, 3), away_min=150, days=5)
    assert solve(request, QUICK).runs == solve(request, QUICK).runs


def test_without_leave_nothing_changes() -> None:
    """A lodging that no vehicle may use leaves the search as it is."""
    request = far_request((3, 2), (5, 4), away_min=100, nights=0)
    bare = replace(request, depots=request.depots[:1])
    assert not may_be_away(request)
    assert solve(request, QUICK).runs == solve(bare, QUICK).runs


def test_a_search_goes_on_from_a_plan_with_its_nights() -> None:
    """All of an earlier tour is taken up, and without time for tours its nights stay."""
    request, plan = tour_request(), tour_plan()
    whole = solution_of(compile_request(request, nights_of(request, plan)), plan)
    assert len(whole.unserved) == 1
    again = solve(request, replace(QUICK, tour_ratio=0.0), start=plan)
    assert check(request, again) == ()
    assert nights_of(request, again) == nights_of(request, plan)


def test_a_kept_run_keeps_its_night() -> None:
    """The first day of a tour is kept: it still ends at the lodging, and the tour goes on."""
    request, plan = tour_request(), tour_plan()
    out = plan.runs[0]
    kept = KeptRun(
        vehicle_id=FIRST.vehicle_id,
        day=out.day,
        visits=tuple(KeptVisit(stop_id=v.stop_id, start_s=v.start_s) for v in out.visits),
        end_depot_id=out.end_depot_id,
    )
    request = replace(request, pins=Pins(kept=(kept,)))
    after = solve(request, QUICK, start=plan)
    assert check(request, after) == ()
    assert nights_of(request, after)[FIRST.vehicle_id, out.day] == out.end_depot_id


def test_a_move_that_breaks_a_tour_says_so() -> None:
    """The only stop of the second day moved away leaves the vehicle at the lodging."""
    request, plan = tour_request(), tour_plan()
    gone = judge(request, plan, Remove(stop_id=KALUZHSKOE.stop_id))
    assert "rule.night_not_followed" in {v.code for v in gone.violations}
    moved = judge(
        request,
        plan,
        Move(stop_id=KALUZHSKOE.stop_id, from_day=2, vehicle_id=FIRST.vehicle_id, day=1),
    )
    assert "rule.night_not_followed" in {v.code for v in moved.violations}
    out = next(r for r in moved.plan.runs if r.day == 1)
    assert out.end_depot_id == plan.runs[0].end_depot_id
    assert not {v.code for v in moved.violations} & {"rule.leg_time", "rule.closing_short"}


def test_a_stop_is_put_into_a_tour() -> None:
    """Places on a tour's days are timed from and to the lodging and judged like all others."""
    request, plan = tour_request(), tour_plan()
    (stop,) = (s for s in request.stops if s.stop_id == StopId("zagorskoe"))
    places = best_places(request, plan, stop)
    # Kaluzhskoe - Zagorskoe - home: 12 + 20 in place of 25 minutes.
    assert places[0].added_drive_s == (12 + 20 - 25) * 60
    assert places[0].edits[0].day in {1, 2}
    assert all(not p.judgement.violations for p in places)


def test_the_bound_holds_for_tours() -> None:
    """No tour collects more than the bound that is told."""
    request = far_request((4, 3), (9, 8, 7), away_min=200)
    bound, _ = prize_bound(request)
    assert summarise(request, solve(request, QUICK)).prize_collected <= bound + 1e-6


def test_nights_that_are_not_allowed_are_left_out() -> None:
    """A night before a day off, at another lodging, or one too many does not stay."""
    request = far_request((1,), (1,), away_min=60, days=3)
    v = request.vehicles[0].vehicle_id
    inn = LODGING.depot_id
    wanted = frozenset({(v, 0, inn), (v, 1, inn), (v, 2, inn), (v, 1, DepotId("elsewhere"))})
    assert allowed(request, wanted) == {(v, 0, inn)}


def test_cancelled_at_once_there_is_still_a_plan() -> None:
    """The best plan so far is a plan like any other."""
    request = far_request((3, 2), (5, 4, 3), away_min=150, days=5)
    plan: Plan = solve(request, SolveParams(time_limit_s=30, workers=2), should_stop=lambda: True)
    assert check(request, plan) == ()
    assert plan.provenance is not None
    assert plan.provenance.stopped_by == "cancelled"

"""The frontier is a set of real plans of which none dominates another, and its ends are good."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from data.model.access import Access, Home
from data.model.place import SettlementId, StopId
from data.model.plan import Plan, PlanRequest, Unserved
from planner.access import measure, served_stops
from planner.cover import floor_of
from planner.frontier import FrontierProgress, frontier
from planner.frontier_points import Point, judged, non_dominated, thinned, with_ends
from planner.params import SolveParams
from planner.score import check, summarise
from planner.solve import solve
from planner.steer import with_driving_limit, with_weekly_sums, worst_first
from tests.planner.examples import make_plan
from tests.planner.instances import make_request, make_stop

QUICK = SolveParams(seed=1, work_limit=1500, workers=1, time_limit_s=60.0)


def region(num: int = 26) -> PlanRequest:
    """One bus, a week, and villages along a road: the farther from the base, the fewer people."""
    ids = [f"v{k}" for k in range(num)]
    stops = tuple(
        make_stop(
            name,
            settlement_ids=(SettlementId(name),),
            people=600 - 20 * k,
            prize=600.0 - 20 * k,
            service_s=5400,
        )
        for k, name in enumerate(ids)
    )
    plain = make_request(stops, vehicles=1)
    at = np.array([5.0 * (k + 1) for k in range(num)] + [0.0])
    minutes = np.abs(at[:, None] - at[None])
    matrix = replace(
        next(iter(plain.travel.values())),
        travel_s=(60 * minutes).astype(np.int32),
        travel_m=(1000 * minutes).astype(np.int32),
    )
    homes = tuple(
        Home(
            settlement_id=SettlementId(name),
            name=name,
            people=600 - 20 * k,
            library_s=300 + 300 * k,
        )
        for k, name in enumerate(ids)
    )
    near = {
        StopId(name): tuple(
            (h, 300 * abs(h - k)) for h in range(num) if 300 * abs(h - k) < 300 + 300 * h
        )
        for k, name in enumerate(ids)
    }
    return replace(
        plain,
        travel=dict.fromkeys(plain.travel, matrix),
        access=Access(homes=homes, near=near),
    )


@pytest.fixture(scope="module")
def request_() -> PlanRequest:
    return region()


@pytest.fixture(scope="module")
def points(request_: PlanRequest) -> tuple[Point, ...]:
    return frontier(request_, QUICK).points


def test_every_plan_keeps_every_rule_and_has_its_own_figures(
    request_: PlanRequest, points: tuple[Point, ...]
) -> None:
    """Each is checked anew by the request itself, and its figures are those of its plan."""
    assert len(points) >= 4
    assert request_.access is not None
    for point in points:
        assert check(request_, point.plan) == ()
        assert summarise(request_, point.plan) == point.summary
        assert measure(request_.access, served_stops(point.plan)) == point.access


def test_no_plan_dominates_another(points: tuple[Point, ...]) -> None:
    """Each is better than each other one in at least one figure."""
    for one, other in permutations(points, 2):
        assert any(a < b for a, b in zip(one.figures, other.figures, strict=True))


def test_the_ends_are_marked_once(points: tuple[Point, ...]) -> None:
    """The most people, the fairest and the least driving plan are the best of all in that."""
    for axis, mark in enumerate(("is_most_people", "is_fairest", "is_least_driving")):
        (end,) = (p for p in points if getattr(p, mark))
        assert end.figures[axis] == min(p.figures[axis] for p in points)


def test_the_end_of_most_people_is_as_good_as_a_plain_search(
    request_: PlanRequest, points: tuple[Point, ...]
) -> None:
    """On a problem that both solve to the end, sharing the work loses nobody."""
    plain = solve(request_, QUICK)
    assert points[0].summary.prize_collected >= summarise(request_, plain).prize_collected - 1e-6


def test_something_is_traded(points: tuple[Point, ...]) -> None:
    """The fairest plan has less P90 than that of most people, the sparing one fewer kilometres."""
    most, fairest = points[0], next(p for p in points if p.is_fairest)
    assert fairest.figures[1] < most.figures[1]
    sparing = next(p for p in points if p.is_least_driving)
    assert sparing.summary.drive_m < 0.5 * most.summary.drive_m


def test_the_same_work_finds_the_same_frontier(
    request_: PlanRequest, points: tuple[Point, ...]
) -> None:
    """With a limit on work and one worker nothing depends on the clock."""
    again = frontier(request_, QUICK).points
    assert [p.figures for p in again] == [p.figures for p in points]


def test_without_access_people_and_kilometres_are_traded(request_: PlanRequest) -> None:
    """No fairness is claimed; more people always cost more kilometres."""
    found = frontier(replace(request_, access=None), QUICK).points
    assert not any(p.is_fairest or p.access for p in found)
    metres = [p.summary.drive_m for p in found]
    assert metres == sorted(metres, reverse=True) and len(set(metres)) == len(metres)


def test_stopping_keeps_what_is_found(request_: PlanRequest) -> None:
    """Asked to stop during the second search, the first plan is there and checked."""
    seen: list[FrontierProgress] = []
    found = frontier(
        request_,
        replace(QUICK, work_limit=100_000, time_limit_s=600.0),
        progress=seen.append,
        should_stop=lambda: bool(seen),
    )
    assert found.points
    assert found.num_searches < found.num_planned
    assert seen[0].num_plans == 1
    assert seen[0].prize > 0


def test_too_few_plans_are_refused(request_: PlanRequest) -> None:
    """Two plans cannot be the ends of three figures."""
    with pytest.raises(ValueError, match="num_plans"):
        frontier(request_, QUICK, num_plans=2)


def test_thinning_keeps_the_ends_and_spreads_the_rest(points: tuple[Point, ...]) -> None:
    """Of three the ends remain; each more adds one and drops none."""
    few = thinned(points, 3)
    assert 1 <= len(few) <= 3
    for axis in range(3):
        least = min(p.figures[axis] for p in points)
        assert min(p.figures[axis] for p in few) == least
    assert {p.figures for p in few} <= {p.figures for p in thinned(points, 4)}
    assert with_ends([]) == []


def test_equal_plans_stand_once(points: tuple[Point, ...]) -> None:
    """A plan given twice is one point, and a dominated one none."""
    worse = replace(points[0], summary=replace(points[0].summary, drive_m=10**9))
    assert non_dominated([worse, *points, *points]) == list(points)


def test_a_plan_that_breaks_a_rule_is_no_point(request_: PlanRequest) -> None:
    """Runs of another request do not enter the frontier."""
    assert judged(request_, make_plan()) is None
    idle = Plan(
        runs=(),
        unserved=tuple(Unserved(stop_id=s.stop_id, reason="test") for s in request_.stops),
    )
    point = judged(request_, idle)
    assert point is not None and point.summary.drive_m == 0


@pytest.mark.parametrize("limit_s", [0, 299, 900, 1500, 3000, 9000])
@pytest.mark.parametrize("served", [(), ("v3",), ("v5", "v11"), ("v25",)])
def test_a_floor_says_the_same_as_p90(
    request_: PlanRequest, limit_s: int, served: tuple[str, ...]
) -> None:
    """P90 is at most a limit just where the people left far off are few enough."""
    access = request_.access
    assert access is not None
    stops = [StopId(s) for s in served]
    target = floor_of(access, limit_s)
    left = sum(r.people for r in target.remote if r.stops.isdisjoint(stops))
    p90_s = measure(access, stops).p90_s
    assert p90_s is not None
    assert (left <= target.most_people) == (p90_s <= limit_s)


def test_variants_steer_but_stay_answers_to_the_request(request_: PlanRequest) -> None:
    """Far stops gain worth; a tighter driving limit only adds to the rules."""
    access = request_.access
    assert access is not None
    fair = worst_first(request_, access, 1.0)
    ratio = [f.prize / s.prize for f, s in zip(fair.stops, request_.stops, strict=True)]
    assert ratio == sorted(ratio) and ratio[-1] > ratio[0]
    vehicle = request_.vehicles[0].vehicle_id
    tight = with_driving_limit(request_, {vehicle: 3600.0})
    assert tight.crew_rules[vehicle].drive_week_max_s == 3600
    plan = solve(tight, QUICK)
    assert sum(r.drive_s for r in plan.runs) <= 3600
    assert check(request_, plan) == ()
    again = with_weekly_sums(tight)
    assert again.crew_rules[vehicle].drive_week_max_s == 3600

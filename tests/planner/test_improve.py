"""The search finds optima of tiny problems, repeats itself, and keeps the best when stopped."""

from dataclasses import replace

import numpy as np
import pytest

from planner.baseline import build_baseline
from planner.chain import BEGINNING_STEPS, MOST_BEGINNINGS, Chain
from planner.improve import SearchState, optimise
from planner.kernel import arrays
from planner.params import SolveParams
from planner.problem import NO_LIMIT, Problem, VehicleDay, build_problem
from tests.planner.instances import brute_force, least_work, random_problem

# The guard is far off: the first search of a fresh machine also waits for the kernels to compile.
QUICK = SolveParams(work_limit=1500, workers=1, rounds=2, time_limit_s=600)


@pytest.mark.parametrize("seed", range(5))
def test_tiny_problems_are_solved_to_the_optimum(seed: int) -> None:
    """Prize and cost equal those of trying everything."""
    problem = random_problem(seed)
    found = optimise(problem, QUICK)
    assert (found.prize, round(found.cost, 6)) == brute_force(problem)
    assert found.stopped_by == "work_limit"


@pytest.mark.parametrize("seed", range(4))
def test_one_more_vehicle_never_worsens_the_optimum(seed: int) -> None:
    """A further vehicle may stay at home."""
    one = optimise(random_problem(seed, vehicles=1), QUICK)
    problem = random_problem(seed, vehicles=1)
    more = tuple(replace(r, vehicle=1) for r in problem.runs)
    wider = replace(
        problem,
        runs=(*problem.runs, *more),
        may_serve=np.ones((problem.num_stops, 2), np.bool_),
    )
    assert optimise(wider, QUICK).rank <= one.rank


def test_every_route_keeps_every_rule() -> None:
    """Each run of a larger solution is feasible for the plain-Python judge."""
    problem = random_problem(3, stops=12, vehicles=2, days=3)
    found = optimise(problem, QUICK)
    for row, stops in enumerate(found.routes):
        visits = []
        for stop in stops:
            slots = problem.slots_of_option(found.option[stop])
            lo, hi = next((lo, hi) for day, lo, hi in slots if day == problem.runs[row].day)
            visits.append((stop, lo, hi))
        assert not stops or least_work(problem, row, visits) is not None
    served = [s for s, o in enumerate(found.option) if o >= 0]
    for stop in served:
        days = {problem.runs[r].day for r, route in enumerate(found.routes) if stop in route}
        assert days == {d for d, _, _ in problem.slots_of_option(found.option[stop])}


@pytest.mark.parametrize("workers", [1, 2])
def test_same_seed_same_plan(workers: int) -> None:
    """With a work limit the solution repeats bit for bit; another seed searches elsewhere."""
    problem = random_problem(5, stops=14, vehicles=2, days=3)
    params = replace(QUICK, workers=workers)
    first, second = optimise(problem, params), optimise(problem, params)
    assert (first.routes, first.option, first.cost) == (second.routes, second.option, second.cost)


def test_cancel_keeps_the_best_so_far() -> None:
    """A search that is stopped at once still answers with a feasible solution."""
    problem = random_problem(2, stops=12, vehicles=2, days=3)
    states: list[SearchState] = []
    params = SolveParams(time_limit_s=60, workers=1)
    found = optimise(problem, params, progress=states.append, should_stop=lambda: True)
    assert found.stopped_by == "cancelled"
    assert found.prize > 0
    assert all(0 <= s.fraction <= 1 for s in states)


def test_a_start_is_never_worsened() -> None:
    """Searching on from a solution returns one at least as good."""
    problem = random_problem(7, stops=12, vehicles=2, days=3)
    start = optimise(problem, QUICK)
    again = optimise(problem, replace(QUICK, seed=9, work_limit=50), start=start)
    assert again.rank <= start.rank


def test_the_search_beats_the_baseline() -> None:
    """Cheapest insertion is what the search starts from."""
    problem = random_problem(11, stops=20, vehicles=2, days=3)
    assert optimise(problem, QUICK).rank <= build_baseline(problem).rank


def consistent_problem(tolerance: float) -> Problem:
    """Two stops visited on both days; another stop's window pushes the second day's times."""
    legs = np.array(
        [
            [0.0, 1.0, 1.0, 10.0],
            [1.0, 0.0, 1.0, 10.0],
            [1.0, 1.0, 0.0, 10.0],
            [10.0, 10.0, 10.0, 0.0],
        ]
    )
    both = [[(0, 0.0, 200.0), (1, 0.0, 200.0)]]
    runs = [
        VehicleDay(vehicle=0, day=d, start_node=3, end_node=3, duty_hi=300.0, max_work=150.0)
        for d in range(2)
    ]
    return build_problem(
        cost=legs,
        time=legs,
        options=[both, both, [[(1, 0.0, 15.0)]]],
        runs=runs,
        occupied=[20.0, 20.0, 60.0],
        clock_tolerance=[tolerance, tolerance, NO_LIMIT],
        clock_grid=1.0,
    )


@pytest.mark.parametrize("tolerance", [0.0, 5.0, 30.0])
def test_visits_of_a_stop_share_their_clock_time(tolerance: float) -> None:
    """All three stops are served and every visit can start near its stop's nominal time."""
    problem = consistent_problem(tolerance)
    found = optimise(problem, QUICK)
    assert found.unserved == ()
    for row, stops in enumerate(found.routes):
        visits = []
        for stop in stops:
            slots = problem.slots_of_option(found.option[stop])
            lo, hi = next((lo, hi) for day, lo, hi in slots if day == row)
            when = found.anchor[stop]
            if not np.isnan(when):
                lo, hi = max(lo, when - tolerance), min(hi, when + tolerance)
            visits.append((stop, lo, hi))
        assert least_work(problem, row, visits) is not None
    assert all(not np.isnan(found.anchor[s]) for s in (0, 1))


def test_nothing_to_plan_is_an_answer() -> None:
    """No vehicle-day, or no stop with an option, leaves all unserved."""
    legs = np.zeros((2, 2))
    none = build_problem(cost=legs, time=legs, options=[[[(0, 0.0, 9.0)]]], runs=[], occupied=[1.0])
    assert optimise(none, QUICK).unserved == (0,)
    run = VehicleDay(vehicle=0, day=0, start_node=1, end_node=1)
    shut = build_problem(cost=legs, time=legs, options=[[]], runs=[run], occupied=[1.0])
    found = optimise(shut, QUICK)
    assert found.unserved == (0,)
    assert found.mandatory_unserved == 1


@pytest.mark.parametrize("num_marking", [0, 2])
def test_the_best_kept_is_the_best_seen(num_marking: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The best routes are worth what was noted of them; so where few runs are looked at."""
    monkeypatch.setattr(arrays, "MARKING", num_marking)
    monkeypatch.setattr(arrays, "MANY_STOPS", 0)
    monkeypatch.setattr(arrays, "MANY_RUNS", 1)
    problem = random_problem(5, stops=30, vehicles=3, days=3)
    states: list[SearchState] = []
    params = replace(QUICK, work_limit=4000, rounds=1, master_ratio=0.0)
    found = optimise(problem, params, progress=states.append)
    again = optimise(problem, params)
    assert arrays.pack(problem).num_marking == num_marking
    assert (found.routes, found.cost) == (again.routes, again.cost)
    assert all(s.prize <= found.prize for s in states)
    assert sorted({s for route in found.routes for s in route}) == [
        s for s, o in enumerate(found.option) if o >= 0
    ]
    assert found.rank <= build_baseline(problem).rank


@pytest.mark.parametrize("seed", range(8))
def test_a_mandatory_stop_is_taken_by_a_run_that_comes_nowhere_near(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All runs near it are another vehicle's, which may not serve it; the far one must."""
    monkeypatch.setattr(arrays, "MARKING", 1)
    monkeypatch.setattr(arrays, "MANY_STOPS", 0)
    monkeypatch.setattr(arrays, "MANY_RUNS", 1)
    at = np.array([0.0, 1.0, 2.0, 50.0, 51.0, 52.0, 53.0, 25.0])  # the last is the depot
    legs = np.abs(at[:, None] - at[None])
    may_serve = np.array([[False, True]] + [[True, False]] * 2 + [[False, True]] * 4)
    problem = build_problem(
        cost=legs,
        time=legs,
        options=[[[(0, 0.0, NO_LIMIT)]] for _ in range(7)],
        runs=[VehicleDay(vehicle=v, day=0, start_node=7, end_node=7) for v in range(2)],
        occupied=[1.0] * 7,
        may_serve=may_serve,
    )
    params = SolveParams(seed=seed, work_limit=1, workers=1, rounds=1, master_ratio=0.0)
    assert optimise(problem, params).unserved == ()


def test_a_small_problem_begins_several_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many beginnings as the work is worth for its stops; one where a plan is begun from, and
    one where a single day leaves no days to choose."""
    begun = []
    again = Chain.begin_again

    def begin_again(chain: Chain) -> None:
        begun.append(chain)
        again(chain)

    monkeypatch.setattr(Chain, "begin_again", begin_again)
    problem = random_problem(3, stops=4, vehicles=1, days=3)
    worth = BEGINNING_STEPS * problem.num_stops
    params = replace(QUICK, work_limit=5 * worth, rounds=1)
    first = optimise(problem, params)
    assert len(begun) == min(5, MOST_BEGINNINGS) - 1
    optimise(problem, params, start=first)
    optimise(random_problem(3, stops=4, vehicles=1, days=1), params)
    assert len(begun) == min(5, MOST_BEGINNINGS) - 1

"""Clock times of a run agree with trying every minute of departure and every meal."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from planner.schedule import Site, time_sites
from tests.planner.instances import least_work, random_problem


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
@example(seed=89)  # a meal that must be longer to count as the break from driving
def test_a_run_is_timed_with_least_work(seed: int) -> None:
    """There are times exactly where the plain-Python twin finds some, and they cost as little."""
    problem = random_problem(seed, stops=5)
    rng = np.random.default_rng(seed + 1)
    order = [int(s) for s in rng.permutation(5)[: rng.integers(1, 4)]]
    if sum(problem.demand[s] for s in order) > problem.runs[0].capacity:
        return
    slots = [problem.slots_of_option(int(problem.option_ptr[s]))[0] for s in order]
    expected = least_work(
        problem, 0, [(s, lo, hi) for s, (_, lo, hi) in zip(order, slots, strict=True)]
    )
    run = problem.runs[0]
    nodes = [run.start_node, *order]
    sites = [
        Site(
            lo=int(lo),
            hi=int(hi),
            occupied=int(problem.occupied[stop]),
            setup=0,
            into=int(problem.time[0, nodes[k], stop]),
            grid=1,
        )
        for k, (stop, (_, lo, hi)) in enumerate(zip(order, slots, strict=True))
    ]
    timing = time_sites(run, sites, int(problem.time[0, order[-1], run.end_node]))
    assert (timing is not None) == (expected is not None)
    if timing is not None:
        assert timing.work == expected

"""The compiled judge of a run agrees with trying every minute of departure and every meal."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from planner.kernel.arrays import new_state, pack
from planner.kernel.layout import HI, LO, WORK
from planner.kernel.runs import refresh
from tests.planner.instances import least_work, random_problem


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
@example(seed=89)  # a meal that must be longer to count as the break from driving
def test_a_run_is_judged_as_by_hand(seed: int) -> None:
    """Feasibility and least work equal those of the plain-Python twin."""
    problem = random_problem(seed, stops=5)
    rng = np.random.default_rng(seed + 1)
    order = [int(s) for s in rng.permutation(5)[: rng.integers(1, 4)]]
    slots = [problem.slots_of_option(int(problem.option_ptr[s]))[0] for s in order]
    expected = least_work(
        problem, 0, [(s, lo, hi) for s, (_, lo, hi) in zip(order, slots, strict=True)]
    )
    data, state = pack(problem), new_state(problem)
    load = sum(problem.demand[s] for s in order)
    if load > problem.runs[0].capacity or len(order) + 2 > state.seq.shape[1]:
        return
    state.length[0] = len(order)
    for at, (stop, slot) in enumerate(zip(order, slots, strict=True), 1):
        state.seq[0, at] = stop
        state.seg[0, at, LO], state.seg[0, at, HI] = slot[1], slot[2]
        state.stay[0, at] = problem.occupied[stop]
    is_kept = refresh(data, state, 0)
    assert is_kept == (expected is not None)
    if expected is not None:
        assert abs(state.tot[0, WORK] - expected) < 1e-6

"""What the search carries along equals what is computed anew, and an exchange can be undone."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.chain import Chain
from planner.kernel.arrays import new_state, pack
from planner.kernel.copies import copy_state
from planner.kernel.layout import DAY, State
from planner.kernel.runs import refresh
from planner.kernel.tails import cross, keeps_limits, swap_tails
from planner.params import SolveParams
from planner.problem import Problem
from tests.planner.instances import random_problem

PARAMS = SolveParams(work_limit=1, workers=1)


def _searched(seed: int, steps: int) -> tuple[Problem, Chain]:
    problem = random_problem(seed, stops=14, vehicles=2, days=3)
    chain = Chain(problem, pack(problem), PARAMS, 0)
    chain.step(steps, 1.0, 1.0)
    return problem, chain


def _facts(problem: Problem, state: State) -> list[object]:
    """All that a state says of its runs and stops."""
    facts: list[object] = [state.option.tolist(), state.place[state.option >= 0].tolist()]
    for run in range(problem.num_runs):
        last = int(state.length[run]) + 1
        facts += [
            state.seq[run, : last + 1].tolist(),
            state.slot[run, 1:last].tolist(),
            state.seg[run, : last + 1].round(6).tolist(),
            state.stay[run, 1:last].tolist(),
            state.tot[run].round(6).tolist(),
        ]
    return facts


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.integers(1, 300))
def test_sums_and_segments_are_those_of_the_routes(seed: int, steps: int) -> None:
    """After any number of steps: as computed anew, in both states, and every visit is where it is
    said to be."""
    problem, chain = _searched(seed, steps)
    assert _facts(problem, chain.work) == _facts(problem, chain.now)
    carried = _facts(problem, chain.work)
    week = chain.work.week.copy()
    for run in range(problem.num_runs):
        assert refresh(chain.data, chain.work, run)
    assert _facts(problem, chain.work) == carried
    assert np.allclose(chain.work.week, week)
    for stop in np.flatnonzero(chain.work.option >= 0):
        first, last = problem.option_slot_ptr[chain.work.option[stop] :][:2]
        for visit, slot in enumerate(problem.option_slot[first:last]):
            run = int(chain.work.place[stop, visit])
            at = chain.work.seq[run, 1 : 1 + chain.work.length[run]].tolist().index(stop)
            assert chain.work.slot[run, at + 1] == slot
            assert chain.data.run_i[run, DAY] == problem.slot_day[slot]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), cuts=st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_an_exchange_of_ends_is_undone_by_another(seed: int, cuts: tuple[int, int]) -> None:
    """Both runs change their ends; the same exchange again restores everything."""
    problem, chain = _searched(seed, 50)
    state = new_state(problem)
    copy_state(state, chain.work)
    before = _facts(problem, state)
    one, two = next(
        (a, b)
        for a in range(problem.num_runs)
        for b in range(a)
        if problem.runs[a].day == problem.runs[b].day
    )
    at = [min(cut, int(state.length[run])) for cut, run in zip(cuts, (one, two), strict=True)]
    joined = at[0] + int(state.length[two]) - at[1], at[1] + int(state.length[one]) - at[0]
    if max(joined) + 3 > state.seq.shape[1]:
        return
    ends = [
        state.seq[run, p + 1 : state.length[run] + 1].tolist()
        for run, p in zip((one, two), at, strict=True)
    ]
    cross(chain.data, state, chain.scratch, one, at[0], two, at[1])
    after = [
        state.seq[run, p + 1 : state.length[run] + 1].tolist()
        for run, p in zip((one, two), at, strict=True)
    ]
    assert after == ends[::-1]
    cross(chain.data, state, chain.scratch, one, at[0], two, at[1])
    assert _facts(problem, state) == before


def test_exchanged_ends_keep_every_rule() -> None:
    """Where the move says that it was done, both runs are feasible; it is done now and then."""
    problem, chain = _searched(5, 50)
    num_done = 0
    for step in range(200):
        chain.scratch.touched[0] = 0
        chain.scratch.is_touched[:] = 0
        stop = step % problem.num_stops
        if swap_tails(chain.data, chain.work, chain.scratch, chain.rng, stop):
            num_done += 1
            assert chain.scratch.touched[0] == 2
        for run in range(problem.num_runs):
            assert refresh(chain.data, chain.work, run)
            assert keeps_limits(chain.data, chain.work, run)
    assert num_done > 0


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.integers(1, 200))
def test_a_new_beginning_forgets_the_way_but_not_the_best(seed: int, steps: int) -> None:
    """A chain that begins again serves nothing at first, then goes on in sound states, and its best
    never gets worse."""
    problem, chain = _searched(seed, steps)
    best, rank = _facts(problem, chain.best), chain.rank
    chain.begin_again()
    assert (chain.now.option < 0).all()
    assert (_facts(problem, chain.best), chain.rank) == (best, rank)
    chain.step(steps, 1.0, 1.0)
    assert chain.rank <= rank
    carried = _facts(problem, chain.work)
    for run in range(problem.num_runs):
        assert refresh(chain.data, chain.work, run)
    assert _facts(problem, chain.work) == carried

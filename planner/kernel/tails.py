"""Exchange the ends of two runs of a day, or cut one run in two.

References
----------
Potvin, Rousseau (1995), doi:10.1057/jors.1995.204: 2-opt*.
"""

from planner.kernel.compiled import compiled
from planner.kernel.layout import (
    B_DUR,
    B_EARLY,
    B_LATE,
    CAPACITY,
    CLASS,
    DAY,
    DRIVE,
    EPS,
    F_DUR,
    F_EARLY,
    F_LATE,
    FAR,
    HI,
    LO,
    LOAD,
    MAX_DRIVE,
    MAX_STOPS,
    VEHICLE,
    WEEK,
    Data,
    Scratch,
    State,
    Words,
)
from planner.kernel.moves import touch
from planner.kernel.places import keeps_week
from planner.kernel.random import draw, draw_below
from planner.kernel.runs import join, refresh

CUT_RATIO = 0.2
"""Share of exchanges whose other run is an unused one."""
TAKE_RATIO = 0.3
"""Chance of each near stop, the nearest first, to be the one that is joined to."""


@compiled
def hand_over(state: State, stop: int, source: int, target: int) -> None:
    """Note that a visit of a stop now stands in another run."""
    v = 0
    while state.place[stop, v] != source:
        v += 1
    state.place[stop, v] = target


@compiled
def cross(
    data: Data, state: State, scratch: Scratch, one: int, at_one: int, two: int, at_two: int
) -> bool:
    """Exchange what follows two positions of two runs; false if a rule then breaks.

    Crossing once more at the same positions undoes it.
    """
    len_one = state.length[one]
    len_two = state.length[two]
    for p in range(at_one + 1, len_one + 1):
        stop = state.seq[one, p]
        scratch.node[p] = stop
        scratch.pick[p] = state.slot[one, p]
        scratch.seg[p, LO] = state.seg[one, p, LO]
        scratch.seg[p, HI] = state.seg[one, p, HI]
        scratch.stay[p] = state.stay[one, p]
        hand_over(state, stop, one, two)
    for p in range(at_two + 1, len_two + 1):
        q = at_one + p - at_two
        stop = state.seq[two, p]
        state.seq[one, q] = stop
        state.slot[one, q] = state.slot[two, p]
        state.seg[one, q, LO] = state.seg[two, p, LO]
        state.seg[one, q, HI] = state.seg[two, p, HI]
        state.stay[one, q] = state.stay[two, p]
        hand_over(state, stop, two, one)
    for p in range(at_one + 1, len_one + 1):
        q = at_two + p - at_one
        state.seq[two, q] = scratch.node[p]
        state.slot[two, q] = scratch.pick[p]
        state.seg[two, q, LO] = scratch.seg[p, LO]
        state.seg[two, q, HI] = scratch.seg[p, HI]
        state.stay[two, q] = scratch.stay[p]
    state.length[one] = at_one + len_two - at_two
    state.length[two] = at_two + len_one - at_one
    is_kept = refresh(data, state, one)
    return refresh(data, state, two) and is_kept


@compiled
def keeps_limits(data: Data, state: State, run: int) -> bool:
    """Whether a run keeps what ``refresh`` does not judge."""
    limits = data.run_f[run]
    if (
        state.tot[run, LOAD] > limits[CAPACITY] + EPS
        or state.tot[run, DRIVE] > limits[MAX_DRIVE] + EPS
        or state.length[run] > data.run_i[run, MAX_STOPS]
    ):
        return False
    for p in range(1, state.length[run] + 1):
        if data.may[state.seq[run, p], data.run_i[run, VEHICLE]] == 0:
            return False
    return bool(data.run_i[run, WEEK] < 0 or keeps_week(data, state, run, 0.0, 0.0))


@compiled
def may_join(data: Data, state: State, head: int, at_head: int, tail: int, at_tail: int) -> bool:
    """Whether the beginning of a run can go on with the end of another, by the clock alone."""
    if at_head + state.length[tail] - at_tail + 3 > state.seq.shape[1]:
        return False
    first = data.run_i[head, CLASS]
    here = state.seq[head, at_head]
    there = state.seq[tail, at_tail + 1]
    if data.time[first, here, there] >= FAR or data.cost[first, here, there] >= FAR:
        return False
    if not data.is_timed:
        return True
    one = state.seg[head, at_head]
    two = state.seg[tail, at_tail + 1]
    _d, _e, _l, warp = join(
        one[F_DUR],
        one[F_EARLY],
        one[F_LATE],
        data.time[first, here, there],
        two[B_DUR],
        two[B_EARLY],
        two[B_LATE],
    )
    return warp <= EPS


@compiled
def swap_tails(data: Data, state: State, scratch: Scratch, rng: Words, seed: int) -> bool:
    """Join a stop to a near one of another run of its day; true if that kept the rules."""
    option = state.option[seed]
    if option < 0:
        return False
    visits = data.option_slot_ptr[option + 1] - data.option_slot_ptr[option]
    one = state.place[seed, draw_below(rng, visits)]
    day = data.run_i[one, DAY]
    at_one = 1
    while state.seq[one, at_one] != seed:
        at_one += 1
    is_before = draw(rng) < 0.5
    two = -1
    at_two = 0
    if draw(rng) < CUT_RATIO:
        for index in range(data.day_ptr[day], data.day_ptr[day + 1]):
            run = data.day_runs[index]
            if state.length[run] == 0:
                two = run
                break
    else:
        for k in range(data.near.shape[1]):
            if draw(rng) >= TAKE_RATIO:
                continue
            other = data.near[seed, k]
            choice = state.option[other]
            if choice < 0:
                continue
            for v in range(data.option_slot_ptr[choice + 1] - data.option_slot_ptr[choice]):
                run = state.place[other, v]
                if run != one and data.run_i[run, DAY] == day:
                    two = run
            if two >= 0:
                at_two = 1
                while state.seq[two, at_two] != other:
                    at_two += 1
                if not is_before:
                    at_two -= 1
                break
    if two < 0:
        return False
    if is_before:
        at_one -= 1
    if at_one == 0 and at_two == 0:
        return False
    if not may_join(data, state, one, at_one, two, at_two):
        return False
    if not may_join(data, state, two, at_two, one, at_one):
        return False
    is_kept = cross(data, state, scratch, one, at_one, two, at_two)
    if is_kept and keeps_limits(data, state, one) and keeps_limits(data, state, two):
        touch(scratch, one)
        touch(scratch, two)
        return True
    cross(data, state, scratch, one, at_one, two, at_two)
    return False

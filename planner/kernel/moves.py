"""Put stops in and take them out."""

from planner.kernel.compiled import compiled
from planner.kernel.layout import HI, LO, NUM_SEG, SLOT_STAY, Data, Scratch, State
from planner.kernel.runs import refresh_from


@compiled
def put(
    data: Data,
    state: State,
    run: int,
    position: int,
    stop: int,
    slot: int,
    visit: int,
    lo: float,
    hi: float,
) -> bool:
    """Put one visit into a run after a position; false if the run then breaks a rule."""
    length = state.length[run]
    for p in range(length + 1, position, -1):
        state.seq[run, p + 1] = state.seq[run, p]
        state.slot[run, p + 1] = state.slot[run, p]
        for c in range(NUM_SEG):
            state.seg[run, p + 1, c] = state.seg[run, p, c]
        state.stay[run, p + 1] = state.stay[run, p]
    state.seq[run, position + 1] = stop
    state.slot[run, position + 1] = slot
    state.seg[run, position + 1, LO] = lo
    state.seg[run, position + 1, HI] = hi
    state.stay[run, position + 1] = data.slot_f[slot, SLOT_STAY]
    state.length[run] = length + 1
    state.place[stop, visit] = run
    return refresh_from(data, state, run, position + 1, position + 1)


@compiled
def take_from(state: State, run: int, stop: int) -> None:
    """Take a stop out of a run, whose segments and sums are then to be set anew."""
    length = state.length[run]
    at = 1
    while state.seq[run, at] != stop:
        at += 1
    for p in range(at, length + 1):
        state.seq[run, p] = state.seq[run, p + 1]
        state.slot[run, p] = state.slot[run, p + 1]
        state.seg[run, p, LO] = state.seg[run, p + 1, LO]
        state.seg[run, p, HI] = state.seg[run, p + 1, HI]
        state.stay[run, p] = state.stay[run, p + 1]
    state.length[run] = length - 1


@compiled
def touch(scratch: Scratch, run: int) -> None:
    """Note that a run differs from the accepted state."""
    if scratch.is_touched[run] == 0:
        scratch.is_touched[run] = 1
        scratch.touched[0] += 1
        scratch.touched[scratch.touched[0]] = run


@compiled
def take_out(data: Data, state: State, scratch: Scratch, stop: int) -> None:
    """Take all visits of a stop out of their runs, which are then to be set anew."""
    option = state.option[stop]
    for v in range(data.option_slot_ptr[option + 1] - data.option_slot_ptr[option]):
        run = state.place[stop, v]
        touch(scratch, run)
        take_from(state, run, stop)
    state.option[stop] = -1

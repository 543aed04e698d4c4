"""Copies and sums of states."""

from planner.kernel.compiled import compiled
from planner.kernel.layout import (
    COST,
    LOSS,
    MANDATORY,
    NUM_SEG,
    NUM_TOT,
    PAIN,
    PENALTY,
    PRIZE,
    Data,
    Scratch,
    State,
)


@compiled
def copy_run(target: State, source: State, run: int) -> None:
    """Make a run of one state equal to that of another."""
    last = source.length[run] + 1
    for p in range(last + 1):
        target.seq[run, p] = source.seq[run, p]
        target.slot[run, p] = source.slot[run, p]
        target.stay[run, p] = source.stay[run, p]
        for c in range(NUM_SEG):
            target.seg[run, p, c] = source.seg[run, p, c]
    for c in range(NUM_TOT):
        target.tot[run, c] = source.tot[run, c]
    target.length[run] = source.length[run]


@compiled
def copy_stop(target: State, source: State, stop: int) -> None:
    """Make a stop's option, anchor and runs equal."""
    target.option[stop] = source.option[stop]
    target.anchor[stop] = source.anchor[stop]
    for v in range(source.place.shape[1]):
        target.place[stop, v] = source.place[stop, v]


@compiled
def copy_state(target: State, source: State) -> None:
    """Make a whole state equal to another."""
    for run in range(source.length.shape[0]):
        copy_run(target, source, run)
    for stop in range(source.option.shape[0]):
        copy_stop(target, source, stop)
    for week in range(source.week.shape[0]):
        target.week[week, 0] = source.week[week, 0]
        target.week[week, 1] = source.week[week, 1]


@compiled
def note_change(scratch: Scratch, num_listed: int) -> None:
    """Note the touched runs and listed stops of an accepted step as unlike the best state's."""
    if scratch.stale_run[0] < 0:
        return
    for t in range(1, scratch.touched[0] + 1):
        run = scratch.touched[t]
        if scratch.is_stale_run[run] == 0:
            scratch.is_stale_run[run] = 1
            scratch.stale_run[0] += 1
            scratch.stale_run[scratch.stale_run[0]] = run
    for c in range(1, num_listed + 1):
        stop = scratch.removed[c]
        if scratch.is_stale_stop[stop] == 0:
            scratch.is_stale_stop[stop] = 1
            scratch.stale_stop[0] += 1
            scratch.stale_stop[scratch.stale_stop[0]] = stop


@compiled
def renew_best(best: State, source: State, scratch: Scratch) -> None:
    """Make the best state equal to another by copying what is noted to differ."""
    if scratch.stale_run[0] < 0:
        copy_state(best, source)
        scratch.is_stale_run[:] = 0
        scratch.is_stale_stop[:] = 0
    else:
        for k in range(1, scratch.stale_run[0] + 1):
            copy_run(best, source, scratch.stale_run[k])
            scratch.is_stale_run[scratch.stale_run[k]] = 0
        for k in range(1, scratch.stale_stop[0] + 1):
            copy_stop(best, source, scratch.stale_stop[k])
            scratch.is_stale_stop[scratch.stale_stop[k]] = 0
        for week in range(source.week.shape[0]):
            best.week[week, 0] = source.week[week, 0]
            best.week[week, 1] = source.week[week, 1]
    scratch.stale_run[0] = 0
    scratch.stale_stop[0] = 0


@compiled
def measure(data: Data, state: State) -> tuple[float, float, float, float]:
    """(mandatory unserved, prize not collected, cost, penalty) of a state."""
    missing = 0.0
    prize = 0.0
    penalty = 0.0
    cost = 0.0
    for stop in range(state.option.shape[0]):
        if state.option[stop] < 0:
            penalty += data.stop_f[stop, PENALTY]
            if data.stop_i[stop, MANDATORY] != 0:
                missing += 1.0
            else:
                prize += data.stop_f[stop, PRIZE]
        elif data.has_levels:
            prize += data.option_f[state.option[stop], LOSS]
            penalty += data.option_f[state.option[stop], PAIN]
    for run in range(state.length.shape[0]):
        cost += state.tot[run, COST]
    return missing, prize, cost, penalty

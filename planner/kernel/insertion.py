"""Put a stop where it costs least, at one clock time for all its visits."""

from planner.kernel.compiled import compiled
from planner.kernel.layout import (
    ANCHORED,
    BIG,
    EPS,
    LEVEL_OPTION,
    LEVEL_SLOT,
    SIMPLE,
    SLOT_HI,
    SLOT_LO,
    SLOT_STAY,
    TOLERANCE,
    Data,
    Scratch,
    State,
    Words,
)
from planner.kernel.moves import put, take_from, touch
from planner.kernel.places import NUM_CANDIDATES, judge_with, keeps_week, search_slot
from planner.kernel.random import draw
from planner.kernel.runs import refresh


@compiled
def fit_anchor(
    data: Data,
    state: State,
    scratch: Scratch,
    stop: int,
    option: int,
    base: int,
    early: float,
    late: float,
) -> float:
    """A nominal start for the picked places of an option, BIG if none fits exactly.

    ``scratch.pick`` holds the picked candidate of each slot row, counted from slot ``base``.
    """
    tolerance = data.stop_f[stop, TOLERANCE]
    grid = data.grid
    first = data.option_slot_ptr[option]
    visits = data.option_slot_ptr[option + 1] - first
    least = -(-(early - EPS) // grid) * grid
    most = (late + EPS) // grid * grid
    middle = (0.5 * (least + most)) // grid * grid
    for attempt in range(3):
        if most < least - EPS:
            return BIG
        anchor = middle if attempt == 0 else (least if attempt == 1 else most)
        is_fit = True
        for v in range(visits):
            slot = data.option_slot[first + v]
            row = slot - base
            k = scratch.pick[v]
            lo = max(data.slot_f[slot, SLOT_LO], anchor - tolerance)
            hi = min(data.slot_f[slot, SLOT_HI], anchor + tolerance)
            if (
                hi < lo - EPS
                or judge_with(
                    data,
                    state,
                    scratch,
                    scratch.cand_at[row, k, 0],
                    stop,
                    scratch.cand_at[row, k, 1],
                    lo,
                    hi,
                    data.slot_f[slot, SLOT_STAY],
                )
                < 0.0
            ):
                is_fit = False
                break
        if is_fit:
            return anchor
        if most - least < EPS:
            break
    return BIG


@compiled
def insert_stop(
    data: Data,
    state: State,
    scratch: Scratch,
    rng: Words,
    blink: float,
    stop: int,
    level: int,
    touched_only: bool,  # noqa: FBT001 - kernels know no keywords
) -> bool:
    """Put a stop with a length of stay where it costs least over options, days and positions.

    True if done.
    """
    base = data.level_i[level, LEVEL_SLOT]
    num_slots = data.level_i[level + 1, LEVEL_SLOT] - base
    first_option = data.level_i[level, LEVEL_OPTION]
    is_simple = data.stop_i[stop, SIMPLE] != 0
    is_anchored = data.stop_i[stop, ANCHORED] != 0
    best = BIG
    best_option = -1
    best_anchor = 0.0
    if is_simple:
        for row in range(num_slots):
            search_slot(
                data, state, scratch, rng, blink, stop, base + row, 0, 1, best, touched_only
            )
            if scratch.cand_cost[0, 0] < best:
                best = scratch.cand_cost[0, 0]
                best_option = base + row
                scratch.best[0] = scratch.cand_at[0, 0, 0]
                scratch.best[1] = scratch.cand_at[0, 0, 1]
        if best_option < 0:
            return False
        # With one slot an option, slots and options of a stop run in the same order.
        slot = best_option
        best_option = first_option + slot - base
        run = scratch.best[0]
        touch(scratch, run)
        put(
            data,
            state,
            run,
            scratch.best[1],
            stop,
            slot,
            0,
            data.slot_f[slot, SLOT_LO],
            data.slot_f[slot, SLOT_HI],
        )
        state.option[stop] = best_option
        return True
    keep = NUM_CANDIDATES if is_anchored else 1
    for row in range(num_slots):
        search_slot(
            data, state, scratch, rng, blink, stop, base + row, row, keep, BIG, touched_only
        )
    tolerance = data.stop_f[stop, TOLERANCE]
    for option in range(first_option, data.level_i[level + 1, LEVEL_OPTION]):
        first = data.option_slot_ptr[option]
        visits = data.option_slot_ptr[option + 1] - first
        worth = 0.0
        early = -BIG
        late = BIG
        is_possible = True
        for v in range(visits):
            row = data.option_slot[first + v] - base
            pick = -1
            for k in range(keep):
                if scratch.cand_cost[row, k] >= BIG:
                    break
                if not is_anchored:
                    pick = k
                    break
                low = max(early, scratch.cand_range[row, k, 0] - tolerance)
                high = min(late, scratch.cand_range[row, k, 1] + tolerance)
                if low <= high + EPS:
                    pick = k
                    early = low
                    late = high
                    break
            if pick < 0:
                is_possible = False
                break
            scratch.pick[v] = pick
            worth += scratch.cand_cost[row, pick]
            if worth >= best:
                is_possible = False
                break
        if not is_possible or draw(rng) < blink:
            continue
        anchor = 0.0
        if is_anchored and visits > 1:
            anchor = fit_anchor(data, state, scratch, stop, option, base, early, late)
            if anchor >= BIG:
                continue
        best = worth
        best_option = option
        best_anchor = anchor
        for v in range(visits):
            row = data.option_slot[first + v] - base
            scratch.best[2 * v] = scratch.cand_at[row, scratch.pick[v], 0]
            scratch.best[2 * v + 1] = scratch.cand_at[row, scratch.pick[v], 1]
    if best_option < 0:
        return False
    return put_option(data, state, scratch, stop, best_option, best_anchor)


@compiled
def put_option(
    data: Data, state: State, scratch: Scratch, stop: int, option: int, anchor: float
) -> bool:
    """Put all visits of an option at ``scratch.best``; false, and nothing done, if a sum breaks."""
    first = data.option_slot_ptr[option]
    visits = data.option_slot_ptr[option + 1] - first
    is_bound = data.stop_i[stop, ANCHORED] != 0 and visits > 1
    tolerance = data.stop_f[stop, TOLERANCE]
    for v in range(visits):
        slot = data.option_slot[first + v]
        lo = data.slot_f[slot, SLOT_LO]
        hi = data.slot_f[slot, SLOT_HI]
        if is_bound:
            lo = max(lo, anchor - tolerance)
            hi = min(hi, anchor + tolerance)
        run = scratch.best[2 * v]
        touch(scratch, run)
        is_kept = put(data, state, run, scratch.best[2 * v + 1], stop, slot, v, lo, hi)
        if not is_kept or not keeps_week(data, state, run, 0.0, 0.0):
            for w in range(v + 1):
                take_from(state, state.place[stop, w], stop)
                refresh(data, state, state.place[stop, w])
            return False
    state.option[stop] = option
    state.anchor[stop] = anchor if is_bound else BIG
    return True

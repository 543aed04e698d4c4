"""Where a stop fits: best places over options, vehicle-days and positions; put in, take out."""

from planner.kernel.compiled import compiled
from planner.kernel.layout import (
    ANCHORED,
    B_DUR,
    B_EARLY,
    B_LATE,
    BIG,
    CAPACITY,
    CLASS,
    CREW,
    DEMAND,
    DRIVE,
    DUTY_HI,
    DUTY_LO,
    EPS,
    F_DUR,
    F_EARLY,
    F_LATE,
    FAR,
    FIXED,
    HI,
    LO,
    LOAD,
    MAX_DRIVE,
    MAX_STOPS,
    MAX_WORK,
    MEAL_AFTER,
    MEAL_MIN,
    NEXT,
    OCCUPIED,
    PAIR_DRIVE,
    PREV,
    SIMPLE,
    STAND,
    TOLERANCE,
    TWIN,
    VEHICLE,
    WEEK,
    WEEK_DRIVE,
    WEEK_WORK,
    WORK,
    Data,
    Scratch,
    State,
    Words,
)
from planner.kernel.random import draw
from planner.kernel.runs import join, judge, refresh, set_segments

NUM_CANDIDATES = 4


@compiled
def keeps_week(data: Data, state: State, run: int, more_drive: float, more_work: float) -> bool:
    """Whether the week of a run, its neighbours and the seam bear more driving and work."""
    week = data.run_i[run, WEEK]
    if week < 0:
        return True
    limits = data.week_f[week]
    if state.week[week, 0] + more_work > limits[WEEK_WORK] + EPS:
        return False
    drive = state.week[week, 1] + more_drive
    if drive > limits[WEEK_DRIVE] + EPS:
        return False
    after = data.week_i[week, NEXT]
    before = data.week_i[week, PREV]
    other = drive if after == week else state.week[after, 1]
    if drive + other > limits[PAIR_DRIVE] + EPS:
        return False
    if before < 0:
        return True
    other = drive if before == week else state.week[before, 1]
    return bool(drive + other <= data.week_f[before, PAIR_DRIVE] + EPS)


@compiled
def judge_with(
    data: Data,
    state: State,
    scratch: Scratch,
    run: int,
    stop: int,
    position: int,
    lo: float,
    hi: float,
) -> float:
    """Work of a run with a stop put in after a position, -1 if a rule breaks."""
    length = state.length[run]
    node = scratch.node
    seg = scratch.seg
    for p in range(length + 2):
        q = p if p <= position else p + 1
        node[q] = state.seq[run, p]
        seg[q, LO] = state.seg[run, p, LO]
        seg[q, HI] = state.seg[run, p, HI]
    node[position + 1] = stop
    seg[position + 1, LO] = lo
    seg[position + 1, HI] = hi
    if set_segments(data, run, node, seg, length + 2) > EPS:
        return -1.0
    work, _at, _meal = judge(data, run, node, seg, length + 2)
    return work


@compiled
def search_slot(
    data: Data,
    state: State,
    scratch: Scratch,
    rng: Words,
    blink: float,
    stop: int,
    slot: int,
    row: int,
    keep: int,
    bound: float,
    touched_only: bool,  # noqa: FBT001 - kernels know no keywords
) -> None:
    """Best places of one slot into ``scratch`` row ``row``, at most ``keep`` of them.

    Only places cheaper than ``bound`` and than the worst kept are looked at closely.
    """
    lo = data.slot_f[slot, 0]
    hi = data.slot_f[slot, 1]
    occupied = data.stop_f[stop, OCCUPIED]
    demand = data.stop_f[stop, DEMAND]
    cand_cost = scratch.cand_cost[row]
    for k in range(keep):
        cand_cost[k] = BIG
    day = data.slot_day[slot]
    for index in range(data.day_ptr[day], data.day_ptr[day + 1]):
        run = data.day_runs[index]
        if touched_only and scratch.is_touched[run] == 0 and state.length[run] > 0:
            continue
        limits = data.run_f[run]
        kind = data.run_i[run]
        if data.may[stop, kind[VEHICLE]] == 0:
            continue
        length = state.length[run]
        if length >= kind[MAX_STOPS]:
            continue
        totals = state.tot[run]
        if totals[LOAD] + demand > limits[CAPACITY] + EPS:
            continue
        fixed = 0.0
        if length == 0:
            twin = kind[TWIN]
            if twin >= 0 and state.length[twin] == 0:
                continue  # the same empty run was tried before
            fixed = limits[FIXED]
        node = state.seq[run]
        cost = data.cost[kind[CLASS]]
        time = data.time[kind[CLASS]]
        base = totals[STAND] + totals[DRIVE] + occupied
        is_exact = kind[CREW] != 0
        week = kind[WEEK]
        for p in range(length + 1):
            i = node[p]
            j = node[p + 1]
            into = cost[i, stop]
            out = cost[stop, j]
            worth = into + out + fixed
            if length > 0:
                worth -= cost[i, j]
            most = cand_cost[keep - 1]
            if worth >= most - EPS or worth >= bound - EPS:
                continue
            if draw(rng) < blink:
                continue
            leg_in = time[i, stop]
            leg_out = time[stop, j]
            more = leg_in + leg_out
            if length > 0:
                more -= time[i, j]
            if leg_in >= FAR or leg_out >= FAR or into >= FAR or out >= FAR:
                continue
            if totals[DRIVE] + more > limits[MAX_DRIVE] + EPS:
                continue
            least = base + more
            if least > limits[MAX_WORK] + EPS:
                continue
            if week >= 0 and not keeps_week(data, state, run, more, least - totals[WORK]):
                continue
            first = lo
            final = hi
            if data.is_timed or is_exact:
                if is_exact and least > limits[MEAL_AFTER] + EPS:
                    least += limits[MEAL_MIN]
                if least > limits[DUTY_HI] - limits[DUTY_LO] + EPS:
                    continue
                seg = state.seg[run]
                ready = seg[p, F_DUR] + seg[p, F_EARLY] + leg_in
                if ready > hi + EPS:
                    continue
                first = max(first, ready)
                due = seg[p + 1, B_LATE] - leg_out - occupied
                if due < first - EPS:
                    continue
                final = min(final, due)
                d1, e1, l1, w1 = join(
                    seg[p, F_DUR],
                    seg[p, F_EARLY],
                    seg[p, F_LATE],
                    leg_in,
                    occupied,
                    lo,
                    hi,
                )
                d2, _e2, _l2, w2 = join(
                    d1,
                    e1,
                    l1,
                    leg_out,
                    seg[p + 1, B_DUR],
                    seg[p + 1, B_EARLY],
                    seg[p + 1, B_LATE],
                )
                if w1 + w2 > EPS:
                    continue
                work = d2
                if is_exact:
                    work = judge_with(data, state, scratch, run, stop, p, lo, hi)
                    if work < 0.0:
                        continue
                elif work > limits[MAX_WORK] + EPS:
                    continue
                if week >= 0 and not keeps_week(data, state, run, more, work - totals[WORK]):
                    continue
            k = keep - 1
            while k > 0 and cand_cost[k - 1] > worth:
                cand_cost[k] = cand_cost[k - 1]
                scratch.cand_at[row, k, 0] = scratch.cand_at[row, k - 1, 0]
                scratch.cand_at[row, k, 1] = scratch.cand_at[row, k - 1, 1]
                scratch.cand_range[row, k, 0] = scratch.cand_range[row, k - 1, 0]
                scratch.cand_range[row, k, 1] = scratch.cand_range[row, k - 1, 1]
                k -= 1
            cand_cost[k] = worth
            scratch.cand_at[row, k, 0] = run
            scratch.cand_at[row, k, 1] = p
            scratch.cand_range[row, k, 0] = first
            scratch.cand_range[row, k, 1] = final


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
        state.seg[run, p + 1, LO] = state.seg[run, p, LO]
        state.seg[run, p + 1, HI] = state.seg[run, p, HI]
    state.seq[run, position + 1] = stop
    state.slot[run, position + 1] = slot
    state.seg[run, position + 1, LO] = lo
    state.seg[run, position + 1, HI] = hi
    state.length[run] = length + 1
    state.place[stop, visit] = run
    return refresh(data, state, run)


@compiled
def take_from(data: Data, state: State, run: int, stop: int) -> None:
    """Take a stop out of a run."""
    length = state.length[run]
    at = 1
    while state.seq[run, at] != stop:
        at += 1
    for p in range(at, length + 1):
        state.seq[run, p] = state.seq[run, p + 1]
        state.slot[run, p] = state.slot[run, p + 1]
        state.seg[run, p, LO] = state.seg[run, p + 1, LO]
        state.seg[run, p, HI] = state.seg[run, p + 1, HI]
    state.length[run] = length - 1
    refresh(data, state, run)


@compiled
def touch(scratch: Scratch, run: int) -> None:
    """Note that a run differs from the accepted state."""
    if scratch.is_touched[run] == 0:
        scratch.is_touched[run] = 1
        scratch.touched[0] += 1
        scratch.touched[scratch.touched[0]] = run


@compiled
def take_out(data: Data, state: State, scratch: Scratch, stop: int) -> None:
    """Take all visits of a stop out of their runs."""
    option = state.option[stop]
    for v in range(data.option_slot_ptr[option + 1] - data.option_slot_ptr[option]):
        run = state.place[stop, v]
        touch(scratch, run)
        take_from(data, state, run, stop)
    state.option[stop] = -1


@compiled
def fit_anchor(
    data: Data, state: State, scratch: Scratch, stop: int, option: int, early: float, late: float
) -> float:
    """A nominal start for the picked places of an option, BIG if none fits exactly.

    ``scratch.pick`` holds the picked candidate of each slot row.
    """
    tolerance = data.stop_f[stop, TOLERANCE]
    grid = data.grid
    base = data.slot_ptr[stop]
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
            lo = max(data.slot_f[slot, 0], anchor - tolerance)
            hi = min(data.slot_f[slot, 1], anchor + tolerance)
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
    touched_only: bool,  # noqa: FBT001 - kernels know no keywords
) -> bool:
    """Put a stop where it costs least over options, vehicle-days and positions; true if done."""
    base = data.slot_ptr[stop]
    num_slots = data.slot_ptr[stop + 1] - base
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
        best_option = data.option_ptr[stop] + slot - base
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
            data.slot_f[slot, 0],
            data.slot_f[slot, 1],
        )
        state.option[stop] = best_option
        return True
    keep = NUM_CANDIDATES if is_anchored else 1
    for row in range(num_slots):
        search_slot(
            data, state, scratch, rng, blink, stop, base + row, row, keep, BIG, touched_only
        )
    tolerance = data.stop_f[stop, TOLERANCE]
    for option in range(data.option_ptr[stop], data.option_ptr[stop + 1]):
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
            anchor = fit_anchor(data, state, scratch, stop, option, early, late)
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
        lo = data.slot_f[slot, 0]
        hi = data.slot_f[slot, 1]
        if is_bound:
            lo = max(lo, anchor - tolerance)
            hi = min(hi, anchor + tolerance)
        run = scratch.best[2 * v]
        touch(scratch, run)
        is_kept = put(data, state, run, scratch.best[2 * v + 1], stop, slot, v, lo, hi)
        if not is_kept or not keeps_week(data, state, run, 0.0, 0.0):
            for w in range(v + 1):
                take_from(data, state, state.place[stop, w], stop)
            return False
    state.option[stop] = option
    state.anchor[stop] = anchor if is_bound else BIG
    return True

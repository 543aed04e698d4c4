"""Where a stop fits: best places over options, vehicle-days and positions."""

from planner.kernel.compiled import compiled
from planner.kernel.layout import (
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
    PAIR_DRIVE,
    PREV,
    SLOT_HI,
    SLOT_LO,
    SLOT_STAY,
    STAND,
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
from planner.kernel.runs import join, judge, set_segments

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
    stay: float,
) -> float:
    """Work of a run with a stop put in after a position, -1 if a rule breaks."""
    length = state.length[run]
    node = scratch.node
    seg = scratch.seg
    stays = scratch.stay
    for p in range(length + 2):
        q = p if p <= position else p + 1
        node[q] = state.seq[run, p]
        seg[q, LO] = state.seg[run, p, LO]
        seg[q, HI] = state.seg[run, p, HI]
        stays[q] = state.stay[run, p]
    node[position + 1] = stop
    seg[position + 1, LO] = lo
    seg[position + 1, HI] = hi
    stays[position + 1] = stay
    if set_segments(data, run, node, seg, stays, length + 2) > EPS:
        return -1.0
    work, _at, _meal = judge(data, run, node, seg, stays, length + 2)
    return work


@compiled
def mark_runs(data: Data, state: State, scratch: Scratch, stop: int) -> None:
    """Mark the runs that visit stops near a stop, if not all runs are to be looked at."""
    scratch.looks_wide[0] = 0
    scratch.marked[-1] += 1
    for k in range(min(data.num_marking, data.near.shape[1])):
        other = data.near[stop, k]
        option = state.option[other]
        if option >= 0:
            for v in range(data.option_slot_ptr[option + 1] - data.option_slot_ptr[option]):
                scratch.marked[state.place[other, v]] = scratch.marked[-1]


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
    lo = data.slot_f[slot, SLOT_LO]
    hi = data.slot_f[slot, SLOT_HI]
    occupied = data.slot_f[slot, SLOT_STAY]
    demand = data.stop_f[stop, DEMAND]
    cand_cost = scratch.cand_cost[row]
    for k in range(keep):
        cand_cost[k] = BIG
    day = data.slot_day[slot]
    for index in range(data.day_ptr[day], data.day_ptr[day + 1]):
        run = data.day_runs[index]
        if touched_only and scratch.is_touched[run] == 0 and state.length[run] > 0:
            continue
        if (
            data.num_marking > 0
            and scratch.looks_wide[0] == 0
            and state.length[run] > 0
            and scratch.marked[run] != scratch.marked[-1]
        ):
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
        seg = state.seg[run]
        begin = 0
        if data.is_timed:
            # Where the rest of the run must begin before the stop can end, it does not fit.
            while begin < length and seg[begin + 1, B_LATE] < lo + occupied - EPS:
                begin += 1
        for p in range(begin, length + 1):
            if data.is_timed and seg[p, F_DUR] + seg[p, F_EARLY] > hi + EPS:
                break  # the run is later still at all further positions
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
                    work = judge_with(data, state, scratch, run, stop, p, lo, hi, occupied)
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

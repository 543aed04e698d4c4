"""One run: its time segments, its sums and its exact crew check.

References
----------
Vidal, Crainic, Gendreau, Prins (2013), doi:10.1016/j.cor.2012.07.018: concatenation of time
segments (least duration, earliest and latest start with that duration).
"""

from planner.kernel.compiled import compiled
from planner.kernel.layout import (
    B_DUR,
    B_EARLY,
    B_LATE,
    BIG,
    BREAK,
    CLASS,
    CLOSING,
    COST,
    CREW,
    DEMAND,
    DRIVE,
    DRIVE_CONT,
    DUTY_HI,
    DUTY_LO,
    END,
    EPS,
    F_DUR,
    F_EARLY,
    F_LATE,
    FIXED,
    HI,
    LO,
    LOAD,
    MAX_WORK,
    MEAL_AFTER,
    MEAL_HI,
    MEAL_LO,
    MEAL_MAX,
    MEAL_MIN,
    PART_1,
    PART_2,
    PREP,
    STAND,
    START,
    WEEK,
    WORK,
    Data,
    Floats,
    Ints,
    State,
)


@compiled
def join(
    dur_1: float,
    early_1: float,
    late_1: float,
    leg: float,
    dur_2: float,
    early_2: float,
    late_2: float,
) -> tuple[float, float, float, float]:
    """Two segments one after the other: (least duration, earliest, latest start, lateness)."""
    gone = dur_1 + leg
    wait = early_2 - gone - late_1
    wait = max(wait, 0.0)
    warp = early_1 + gone - late_2
    warp = max(warp, 0.0)
    early = early_2 - gone
    early = max(early, early_1)
    late = late_2 - gone
    late = min(late, late_1)
    return dur_1 + dur_2 + leg + wait, early - wait, late + warp, warp


@compiled
def set_segments(data: Data, run: int, node: Ints, seg: Floats, stays: Floats, last: int) -> float:
    """Fill forward and backward segments of positions ``0 … last``; lateness of the whole."""
    return renew_segments(data, run, node, seg, stays, last, 1, last - 1)


@compiled
def renew_segments(
    data: Data, run: int, node: Ints, seg: Floats, stays: Floats, last: int, first: int, final: int
) -> float:
    """Fill forward segments from a position on, backward ones from another one down to 0.

    Gives the lateness that the forward ones add.
    """
    limits = data.run_f[run]
    time = data.time[data.run_i[run, CLASS]]
    seg[0, LO] = limits[DUTY_LO]
    seg[0, HI] = limits[DUTY_HI] - limits[PREP]
    seg[last, LO] = limits[DUTY_LO]
    seg[last, HI] = limits[DUTY_HI] - limits[CLOSING]
    seg[0, F_DUR] = limits[PREP]
    seg[0, F_EARLY] = seg[0, LO]
    seg[0, F_LATE] = seg[0, HI]
    seg[last, B_DUR] = limits[CLOSING]
    seg[last, B_EARLY] = seg[last, LO]
    seg[last, B_LATE] = seg[last, HI]
    late = 0.0
    for p in range(first, last + 1):
        stay = limits[CLOSING] if p == last else stays[p]
        dur, early, due, warp = join(
            seg[p - 1, F_DUR],
            seg[p - 1, F_EARLY],
            seg[p - 1, F_LATE],
            time[node[p - 1], node[p]],
            stay,
            seg[p, LO],
            seg[p, HI],
        )
        late += warp
        seg[p, F_DUR] = dur
        seg[p, F_EARLY] = early
        seg[p, F_LATE] = due
    for p in range(final, -1, -1):
        stay = limits[PREP] if p == 0 else stays[p]
        dur, early, due, warp = join(
            stay,
            seg[p, LO],
            seg[p, HI],
            time[node[p], node[p + 1]],
            seg[p + 1, B_DUR],
            seg[p + 1, B_EARLY],
            seg[p + 1, B_LATE],
        )
        seg[p, B_DUR] = dur
        seg[p, B_EARLY] = early
        seg[p, B_LATE] = due
    return late


@compiled
def keeps_driving_rule(
    data: Data, run: int, node: Ints, stays: Floats, last: int, meal_at: int, meal: float
) -> bool:
    """Whether driving between qualifying stays keeps the continuous limit."""
    limits = data.run_f[run]
    most = limits[DRIVE_CONT]
    if most >= BIG:
        return True
    time = data.time[data.run_i[run, CLASS]]
    driven = 0.0
    part = 0
    for p in range(1, last + 1):
        driven += time[node[p - 1], node[p]]
        if driven > most + EPS:
            return False
        if p == last:
            break
        for kind in range(2):
            if kind == 1 and meal_at != p:
                break
            stay = meal if kind == 1 else stays[p]
            if stay >= limits[BREAK] - EPS:
                driven = 0.0
                part = 0
            elif limits[PART_1] > 0.0:
                if part == 0 and stay >= limits[PART_1] - EPS:
                    part = 1
                elif part == 1 and stay >= limits[PART_2] - EPS:
                    driven = 0.0
                    part = 0
    return True


@compiled
def judge(
    data: Data, run: int, node: Ints, seg: Floats, stays: Floats, last: int
) -> tuple[float, int, float]:
    """Exact crew check of a run whose segments are set.

    Returns
    -------
    (work, meal position, meal length)
        Work is -1 if the run breaks a rule; the position is -1 without a meal. Among feasible
        meal positions the one of least work is taken, the first of equals.
    """
    limits = data.run_f[run]
    dur = seg[last, F_DUR]
    if data.run_i[run, CREW] == 0:
        return (dur if dur <= limits[MAX_WORK] + EPS else -1.0), -1, 0.0
    if (
        dur <= limits[MEAL_AFTER] + EPS
        and dur <= limits[MAX_WORK] + EPS
        and keeps_driving_rule(data, run, node, stays, last, -1, 0.0)
    ):
        return dur, -1, 0.0
    if limits[MEAL_AFTER] >= BIG:
        return -1.0, -1, 0.0
    time = data.time[data.run_i[run, CLASS]]
    best_work = BIG
    best_at = -1
    best_meal = 0.0
    base = limits[PREP] + limits[CLOSING]
    for p in range(1, last + 1):
        base += time[node[p - 1], node[p]]
        if p < last:
            base += stays[p]
    longest = min(limits[MEAL_MAX], limits[MEAL_HI] - limits[MEAL_LO])
    for p in range(1, last):
        least = limits[MEAL_MIN]
        filling = least
        leg = time[node[p], node[p + 1]]
        for attempt in range(3):
            meal = least
            if attempt == 1:
                # A longer meal may take up waiting, which would be work.
                meal = filling
            elif attempt == 2 and limits[DRIVE_CONT] < BIG:
                # A longer meal may count as the break from driving.
                meal = limits[BREAK]
            if attempt > 0 and not least + EPS < meal <= longest + EPS:
                continue
            d1, e1, l1, w1 = join(
                seg[p, F_DUR],
                seg[p, F_EARLY],
                seg[p, F_LATE],
                0.0,
                meal,
                limits[MEAL_LO],
                limits[MEAL_HI] - meal,
            )
            d2, _e2, _l2, w2 = join(
                d1, e1, l1, leg, seg[p + 1, B_DUR], seg[p + 1, B_EARLY], seg[p + 1, B_LATE]
            )
            if w1 > EPS or w2 > EPS:
                if attempt == 0:
                    break
                continue
            work = d2 - meal
            if attempt == 0:
                filling = min(longest, least + work - base)
            if (
                work < best_work - EPS
                and work <= limits[MAX_WORK] + EPS
                and keeps_driving_rule(data, run, node, stays, last, p, meal)
            ):
                best_work = work
                best_at = p
                best_meal = meal
        if best_work <= base + EPS:
            break  # nothing waits: no later meal makes it less
    if best_at < 0:
        return -1.0, -1, 0.0
    return best_work, best_at, best_meal


@compiled
def refresh(data: Data, state: State, run: int) -> bool:
    """Set segments and sums of a run anew and carry its week's sums; false if it breaks a rule."""
    return refresh_from(data, state, run, 1, state.length[run])


@compiled
def refresh_from(data: Data, state: State, run: int, first: int, final: int) -> bool:
    """The same where forward segments before one position and backward ones after another hold."""
    last = state.length[run] + 1
    node = state.seq[run]
    seg = state.seg[run]
    stays = state.stay[run]
    cls = data.run_i[run, CLASS]
    node[0] = data.run_i[run, START]
    node[last] = data.run_i[run, END]
    week = data.run_i[run, WEEK]
    if week >= 0:
        state.week[week, 0] -= state.tot[run, WORK]
        state.week[week, 1] -= state.tot[run, DRIVE]
    load = 0.0
    drive = 0.0
    cost = 0.0
    stand = data.run_f[run, PREP] + data.run_f[run, CLOSING]
    if last > 1:
        cost = data.run_f[run, FIXED]
        for p in range(1, last + 1):
            cost += data.cost[cls, node[p - 1], node[p]]
            drive += data.time[cls, node[p - 1], node[p]]
            if p < last:
                load += data.stop_f[node[p], DEMAND]
                stand += stays[p]
    is_kept = True
    work = 0.0
    if data.is_timed or data.run_i[run, CREW] != 0:
        late = renew_segments(data, run, node, seg, stays, last, first, final)
        if last > 1:
            work, _at, _meal = judge(data, run, node, seg, stays, last)
            is_kept = late <= EPS and work >= 0.0
    elif last > 1:
        work = drive + stand
        is_kept = work <= data.run_f[run, MAX_WORK] + EPS
    state.tot[run, LOAD] = load
    state.tot[run, DRIVE] = drive
    state.tot[run, STAND] = stand
    state.tot[run, COST] = cost
    state.tot[run, WORK] = work
    if week >= 0:
        state.week[week, 0] += work
        state.week[week, 1] += drive
    return is_kept

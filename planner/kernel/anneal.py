"""The search loop: ruin, recreate, accept or undo, remember.

References
----------
Christiaens, Vanden Berghe (2020), doi:10.1287/trsc.2019.0914: slack induction by string removals.
Here a removed stop leaves all its days at once, and it comes back over (option, vehicle-day,
position).
"""

import numpy as np

from planner.kernel.compiled import compiled
from planner.kernel.layout import (
    BIG,
    COST,
    DEMAND,
    DRIVE,
    EPS,
    MANDATORY,
    NUM_SEG,
    NUM_TOT,
    OCCUPIED,
    OPENS,
    PENALTY,
    PRIZE,
    REMOTE,
    TWIN,
    VISITS,
    WIDTH,
    WORK,
    Data,
    Floats,
    Pool,
    Scratch,
    State,
    Words,
)
from planner.kernel.places import insert_stop, take_out
from planner.kernel.random import draw, draw_below
from planner.kernel.runs import refresh

# control: values that live across chunks
NOW, NOW_COST, NOW_PENALTY, BEST_MANDATORY, BEST_PRIZE, BEST_COST, STEPS, ACCEPTED, FOUND = range(9)
NUM_CONTROL = 9
# settings
(
    MEAN_REMOVED,
    MAX_STRING,
    CLUSTER_RATIO,
    BLINK,
    RETRIES,
    POOL_GAP,
) = range(6)
NUM_SETTINGS = 6
SPLIT_RATIO = 0.5
SPLIT_GROW = 0.01
WORST_RATIO = 0.15


@compiled
def copy_run(target: State, source: State, run: int) -> None:
    """Make a run of one state equal to that of another."""
    last = source.length[run] + 1
    for p in range(last + 1):
        target.seq[run, p] = source.seq[run, p]
        target.slot[run, p] = source.slot[run, p]
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
def measure(data: Data, state: State) -> tuple[float, float, float, float]:
    """(mandatory unserved, prize unserved, cost, penalty) of a state."""
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
    for run in range(state.length.shape[0]):
        cost += state.tot[run, COST]
    return missing, prize, cost, penalty


@compiled
def remove(data: Data, state: State, scratch: Scratch, stop: int) -> None:
    """Take a stop out and put it on the list of removed ones."""
    take_out(data, state, scratch, stop)
    scratch.removed[0] += 1
    scratch.removed[scratch.removed[0]] = stop


@compiled
def ruin_cluster(
    data: Data, state: State, scratch: Scratch, rng: Words, seed: int, most: int
) -> None:
    """Remove a stop and near ones from all their days."""
    wanted = 1 + draw_below(rng, most)
    if state.option[seed] >= 0:
        remove(data, state, scratch, seed)
    for k in range(data.near.shape[1]):
        if scratch.removed[0] >= wanted:
            break
        stop = data.near[seed, k]
        if state.option[stop] >= 0 and draw(rng) > 0.1:
            remove(data, state, scratch, stop)


@compiled
def ruin_strings(
    data: Data,
    state: State,
    scratch: Scratch,
    rng: Words,
    seed: int,
    mean_removed: float,
    max_string: float,
) -> None:
    """Remove strings of neighbouring visits from runs near a stop."""
    num_used = 0
    num_visits = 0
    for run in range(state.length.shape[0]):
        scratch.ruined[run] = 0
        if state.length[run] > 0:
            num_used += 1
            num_visits += state.length[run]
    if num_used == 0:
        return
    longest = min(max_string, num_visits / num_used)
    most_strings = 4.0 * mean_removed / (1.0 + longest) - 1.0
    strings = int(draw(rng) * most_strings + 1.0)
    done = 0
    for k in range(-1, data.near.shape[1]):
        if done >= strings:
            break
        stop = seed if k < 0 else data.near[seed, k]
        option = state.option[stop]
        if option < 0:
            continue
        visits = data.option_slot_ptr[option + 1] - data.option_slot_ptr[option]
        run = state.place[stop, draw_below(rng, visits)]
        if scratch.ruined[run] != 0:
            continue
        scratch.ruined[run] = 1
        done += 1
        length = state.length[run]
        size = int(draw(rng) * min(float(length), longest) + 1.0)
        size = min(size, length)
        at = 1
        while state.seq[run, at] != stop:
            at += 1
        spared = 0
        if size > 1 and size < length and draw(rng) < SPLIT_RATIO:
            spared = 1
            while size + spared < length and draw(rng) > SPLIT_GROW:
                spared += 1
                if spared >= size:
                    break
        span = size + spared
        first = at - draw_below(rng, span)
        first = max(1, min(first, length - span + 1))
        skip = first + draw_below(rng, size) if spared > 0 else 0
        count = 0
        for p in range(first, first + span):
            if spared > 0 and skip <= p < skip + spared:
                continue
            scratch.pick[count] = state.seq[run, p]
            count += 1
        for c in range(count):
            remove(data, state, scratch, scratch.pick[c])


@compiled
def ruin_worst(data: Data, state: State, scratch: Scratch, rng: Words, mean_removed: float) -> None:
    """Remove stops of little prize for what they cost, drawn from a few runs."""
    wanted = 1 + draw_below(rng, int(2.0 * mean_removed))
    num_runs = state.length.shape[0]
    for _attempt in range(3 * wanted):
        if scratch.removed[0] >= wanted:
            break
        run = draw_below(rng, num_runs)
        if state.length[run] == 0:
            continue
        worst = -1
        least = BIG
        for p in range(1, state.length[run] + 1):
            stop = state.seq[run, p]
            worth = data.stop_f[stop, PRIZE] * draw(rng)
            if worth < least:
                least = worth
                worst = stop
        remove(data, state, scratch, worst)


@compiled
def order_removed(data: Data, scratch: Scratch, rng: Words) -> None:
    """Sort the removed stops by one of several orders, drawn at random."""
    count = scratch.removed[0]
    kind = draw_below(rng, 12)
    for c in range(1, count + 1):
        stop = scratch.removed[c]
        values = data.stop_f[stop]
        noise = draw(rng)
        if kind < 3:
            key = noise
        elif kind < 6:
            if data.is_selective:
                key = -values[PRIZE] * (0.5 + noise)
            else:
                key = -(values[DEMAND] + values[OCCUPIED]) * data.stop_i[stop, VISITS]
        elif kind < 8:
            if data.is_selective:
                key = -values[PRIZE] * (0.5 + noise) / (values[REMOTE] + EPS)
            else:
                key = -values[REMOTE]
        elif kind == 8:
            key = values[REMOTE]
        elif kind == 9:
            key = values[WIDTH]
        elif kind == 10:
            key = values[OPENS]
        else:
            key = -values[OPENS] - values[WIDTH]
        if data.stop_i[stop, MANDATORY] != 0 and data.is_selective:
            key -= BIG
        b = c
        while b > 1 and scratch.key[b - 1] > key:
            scratch.key[b] = scratch.key[b - 1]
            scratch.removed[b] = scratch.removed[b - 1]
            b -= 1
        scratch.key[b] = key
        scratch.removed[b] = stop


@compiled
def collect_unserved(
    data: Data, state: State, scratch: Scratch, rng: Words, seed: int, retries: int
) -> None:
    """Add some unserved stops, near ones first, to the list to be put in."""
    num_stops = state.option.shape[0]
    room = retries
    for k in range(data.near.shape[1]):
        if 2 * room <= retries:
            break
        stop = data.near[seed, k]
        if state.option[stop] < 0 and scratch.was_unserved[stop] == 0:
            is_new = True
            for c in range(1, scratch.removed[0] + 1):
                if scratch.removed[c] == stop:
                    is_new = False
                    break
            if is_new:
                scratch.was_unserved[stop] = 1
                scratch.removed[0] += 1
                scratch.removed[scratch.removed[0]] = stop
                room -= 1
    start = draw_below(rng, num_stops)
    for k in range(num_stops):
        if room <= 0:
            break
        stop = (start + k) % num_stops
        if state.option[stop] < 0 and scratch.was_unserved[stop] == 0:
            is_new = True
            for c in range(1, scratch.removed[0] + 1):
                if scratch.removed[c] == stop:
                    is_new = False
                    break
            if is_new:
                scratch.was_unserved[stop] = 1
                scratch.removed[0] += 1
                scratch.removed[scratch.removed[0]] = stop
                room -= 1


@compiled
def list_unserved(state: State, scratch: Scratch) -> None:
    """Put every unserved stop on the list to be put in."""
    count = 0
    for stop in range(state.option.shape[0]):
        if state.option[stop] < 0:
            count += 1
            scratch.removed[count] = stop
    scratch.removed[0] = count


@compiled
def remember(data: Data, state: State, pool: Pool, run: int) -> None:
    """Put a run into the pool, or its cheaper order in place of the known one."""
    length = state.length[run]
    if length == 0:
        return
    twin = data.run_i[run, TWIN]
    key = pool.mark[pool.mark.shape[0] - 1 - run] if twin < 0 else np.uint64(0)
    if twin >= 0:
        while data.run_i[twin, TWIN] >= 0:
            twin = data.run_i[twin, TWIN]
        key = pool.mark[pool.mark.shape[0] - 1 - twin]
    for p in range(1, length + 1):
        word = pool.mark[state.slot[run, p]]
        anchor = state.anchor[state.seq[run, p]]
        if anchor < BIG:
            word ^= np.uint64(np.int64(anchor)) * np.uint64(0x9E3779B97F4A7C15)
        key += word
    size = pool.table.shape[0]
    at = np.int64(key % np.uint64(size))
    while pool.table[at] >= 0:
        known = pool.table[at]
        if pool.key[known] == key:
            if state.tot[run, COST] < pool.value[known, 0] - EPS:
                first = pool.ptr[known]
                for p in range(length):
                    pool.slot[first + p] = state.slot[run, p + 1]
                    pool.anchor[first + p] = state.anchor[state.seq[run, p + 1]]
                pool.value[known, 0] = state.tot[run, COST]
                pool.value[known, 1] = state.tot[run, WORK]
                pool.value[known, 2] = state.tot[run, DRIVE]
                pool.run[known] = run
            return
        at = (at + 1) % size
    count = pool.counts[0]
    first = pool.ptr[count]
    if count + 1 >= pool.run.shape[0] or first + length > pool.slot.shape[0]:
        pool.counts[1] += 1
        return
    pool.table[at] = count
    pool.key[count] = key
    pool.run[count] = run
    for p in range(length):
        pool.slot[first + p] = state.slot[run, p + 1]
        pool.anchor[first + p] = state.anchor[state.seq[run, p + 1]]
    pool.value[count, 0] = state.tot[run, COST]
    pool.value[count, 1] = state.tot[run, WORK]
    pool.value[count, 2] = state.tot[run, DRIVE]
    pool.ptr[count + 1] = first + length
    pool.counts[0] = count + 1


@compiled
def recreate(data: Data, state: State, scratch: Scratch, rng: Words, blink: float) -> None:
    """Put the listed stops back; those unserved before only into runs that changed."""
    order_removed(data, scratch, rng)
    for c in range(1, scratch.removed[0] + 1):
        stop = scratch.removed[c]
        was_unserved = scratch.was_unserved[stop] != 0
        touched_only = was_unserved and data.stop_i[stop, VISITS] == 1 and draw(rng) > 0.02
        insert_stop(data, state, scratch, rng, blink, stop, touched_only)
        scratch.was_unserved[stop] = 0


@compiled
def adopt(data: Data, work: State, now: State, best: State, control: Floats) -> None:
    """Go on from a given state: recompute its values, keep it as best if it is better."""
    for run in range(work.length.shape[0]):
        refresh(data, work, run)
    copy_state(now, work)
    missing, prize, cost, penalty = measure(data, work)
    control[NOW] = cost + penalty
    control[NOW_COST] = cost
    control[NOW_PENALTY] = penalty
    if (missing, prize, cost) < (control[BEST_MANDATORY], control[BEST_PRIZE], control[BEST_COST]):
        control[BEST_MANDATORY] = missing
        control[BEST_PRIZE] = prize
        control[BEST_COST] = cost
        copy_state(best, work)


@compiled
def anneal(
    data: Data,
    work: State,
    now: State,
    best: State,
    scratch: Scratch,
    pool: Pool,
    rng: Words,
    control: Floats,
    settings: Floats,
    steps: int,
    heat: float,
    cooling: float,
    is_fresh: bool,  # noqa: FBT001 - kernels know no keywords
) -> float:
    """Run ``steps`` steps from temperature ``heat``, multiplied by ``cooling`` at each step.

    ``work`` and ``now`` are equal at start and end; ``best`` is the best state seen. A fresh start
    first puts in every unserved stop, in a drawn order, and accepts what comes of it.
    """
    num_stops = work.option.shape[0]
    cluster_most = max(1, int(2.0 * settings[MEAN_REMOVED]))
    missing, prize, _cost, _penalty = measure(data, work)
    for _step in range(steps):
        heat *= cooling
        scratch.removed[0] = 0
        scratch.touched[0] = 0
        seed = draw_below(rng, num_stops)
        dice = draw(rng)
        if is_fresh:
            list_unserved(work, scratch)
        elif data.is_selective and dice < WORST_RATIO:
            ruin_worst(data, work, scratch, rng, settings[MEAN_REMOVED])
        elif draw(rng) < settings[CLUSTER_RATIO]:
            ruin_cluster(data, work, scratch, rng, seed, cluster_most)
        else:
            ruin_strings(
                data, work, scratch, rng, seed, settings[MEAN_REMOVED], settings[MAX_STRING]
            )
        if missing + prize > 0.0 and not is_fresh:
            collect_unserved(data, work, scratch, rng, seed, int(settings[RETRIES]))
        num_listed = scratch.removed[0]
        recreate(data, work, scratch, rng, settings[BLINK])
        cost = control[NOW_COST]
        for t in range(1, scratch.touched[0] + 1):
            run = scratch.touched[t]
            cost += work.tot[run, COST] - now.tot[run, COST]
        penalty = control[NOW_PENALTY]
        new_missing = missing
        new_prize = prize
        for c in range(1, num_listed + 1):
            stop = scratch.removed[c]
            change = 0.0
            if work.option[stop] < 0 <= now.option[stop]:
                change = 1.0
            elif now.option[stop] < 0 <= work.option[stop]:
                change = -1.0
            if change != 0.0:
                penalty += change * data.stop_f[stop, PENALTY]
                if data.stop_i[stop, MANDATORY] != 0:
                    new_missing += change
                else:
                    new_prize += change * data.stop_f[stop, PRIZE]
        value = cost + penalty
        limit = control[NOW] - heat * np.log(draw(rng) + 1e-300)
        if is_fresh or (num_listed > 0 and value < limit):
            is_fresh = False
            control[NOW] = value
            control[NOW_COST] = cost
            control[NOW_PENALTY] = penalty
            control[ACCEPTED] += 1.0
            missing = new_missing
            prize = new_prize
            is_best = missing < control[BEST_MANDATORY] - 0.5 or (
                missing < control[BEST_MANDATORY] + 0.5
                and (
                    prize < control[BEST_PRIZE] - EPS
                    or (prize < control[BEST_PRIZE] + EPS and cost < control[BEST_COST] - EPS)
                )
            )
            is_pooled = is_best or value < control[FOUND] * (1.0 + settings[POOL_GAP])
            for t in range(1, scratch.touched[0] + 1):
                run = scratch.touched[t]
                copy_run(now, work, run)
                scratch.is_touched[run] = 0
                if is_pooled:
                    remember(data, work, pool, run)
            for c in range(1, num_listed + 1):
                copy_stop(now, work, scratch.removed[c])
            for week in range(work.week.shape[0]):
                now.week[week, 0] = work.week[week, 0]
                now.week[week, 1] = work.week[week, 1]
            if is_best:
                control[BEST_MANDATORY] = missing
                control[BEST_PRIZE] = max(prize, 0.0)
                control[BEST_COST] = cost
                control[FOUND] = value
                copy_state(best, work)
        else:
            for t in range(1, scratch.touched[0] + 1):
                run = scratch.touched[t]
                copy_run(work, now, run)
                scratch.is_touched[run] = 0
            for c in range(1, num_listed + 1):
                copy_stop(work, now, scratch.removed[c])
            for week in range(work.week.shape[0]):
                work.week[week, 0] = now.week[week, 0]
                work.week[week, 1] = now.week[week, 1]
    control[STEPS] += steps
    return heat

"""What a step takes out, and in which order it is to come back.

References
----------
Christiaens, Vanden Berghe (2020), doi:10.1287/trsc.2019.0914: strings and orders.
"""

from planner.kernel.compiled import compiled
from planner.kernel.layout import (
    BIG,
    DEMAND,
    EPS,
    MANDATORY,
    OCCUPIED,
    OPENS,
    PRIZE,
    REMOTE,
    VISITS,
    WIDTH,
    Data,
    Scratch,
    State,
    Words,
)
from planner.kernel.moves import take_out
from planner.kernel.random import draw, draw_below

SPLIT_RATIO = 0.5
"""Share of strings that spare a part in their middle."""
SPLIT_GROW = 0.01
"""Chance at each visit that the spared part ends."""


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
def list_touched(state: State, scratch: Scratch) -> None:
    """Add the stops of all touched runs to the list, each once."""
    count = scratch.removed[0]
    for c in range(1, count + 1):
        scratch.is_listed[scratch.removed[c]] = 1
    for t in range(1, scratch.touched[0] + 1):
        run = scratch.touched[t]
        for p in range(1, state.length[run] + 1):
            stop = state.seq[run, p]
            if scratch.is_listed[stop] == 0:
                scratch.is_listed[stop] = 1
                count += 1
                scratch.removed[count] = stop
    scratch.removed[0] = count
    for c in range(1, count + 1):
        scratch.is_listed[scratch.removed[c]] = 0

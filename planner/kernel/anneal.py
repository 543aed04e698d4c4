"""The search loop: ruin, recreate, accept or undo, remember.

References
----------
Christiaens, Vanden Berghe (2020), doi:10.1287/trsc.2019.0914: slack induction by string removals.
Here a removed stop leaves all its days at once, and it comes back over (option, vehicle-day,
position).
"""

import numpy as np

from planner.kernel.compiled import compiled
from planner.kernel.copies import copy_run, copy_state, copy_stop, measure, note_change, renew_best
from planner.kernel.insertion import insert_stop
from planner.kernel.layout import (
    COST,
    EPS,
    LEVEL,
    LOSS,
    MANDATORY,
    NUM_LEVELS,
    PAIN,
    PENALTY,
    PRIZE,
    VISITS,
    Data,
    Floats,
    Pool,
    Scratch,
    State,
    Words,
)
from planner.kernel.places import mark_runs
from planner.kernel.pool import remember
from planner.kernel.random import draw, draw_below
from planner.kernel.ruin import (
    collect_unserved,
    list_touched,
    list_unserved,
    order_removed,
    ruin_cluster,
    ruin_strings,
    ruin_worst,
)
from planner.kernel.runs import refresh
from planner.kernel.tails import swap_tails

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
WORST_RATIO = 0.15
CROSS_RATIO = 0.4
"""Share of steps that try to exchange the ends of two runs before they remove stops."""
REDRAW_RATIO = 0.3
"""Chance that a stop comes back with a length of stay drawn anew."""


@compiled
def draw_level(data: Data, scratch: Scratch, rng: Words, stop: int) -> int:
    """The length of stay that a stop comes back with: the one it had, or another one."""
    level = scratch.level[stop]
    if level < 0 or draw(rng) < REDRAW_RATIO:
        level = data.stop_i[stop, LEVEL] + draw_below(rng, data.stop_i[stop, NUM_LEVELS])
    return int(level)


@compiled
def recreate(data: Data, state: State, scratch: Scratch, rng: Words, blink: float) -> None:
    """Put the listed stops back; those unserved before only into runs that changed.

    Where a length of stay fits nowhere the next shorter one is tried.
    """
    order_removed(data, scratch, rng)
    for c in range(1, scratch.removed[0] + 1):
        stop = scratch.removed[c]
        was_unserved = scratch.was_unserved[stop] != 0
        touched_only = was_unserved and data.stop_i[stop, VISITS] == 1 and draw(rng) > 0.02
        scratch.was_unserved[stop] = 0
        if data.stop_i[stop, NUM_LEVELS] == 0:
            continue  # no option, so no length of stay of its own
        first = data.stop_i[stop, LEVEL]
        level = first
        if data.stop_i[stop, NUM_LEVELS] > 1:
            level = draw_level(data, scratch, rng, stop)
        mark_runs(data, state, scratch, stop)
        while not insert_stop(data, state, scratch, rng, blink, stop, level, touched_only):
            if level > first:
                level -= 1
            elif data.num_marking > 0 and data.stop_i[stop, MANDATORY] != 0 and not touched_only:
                # It must be served, if need be by a run that comes nowhere near.
                if scratch.looks_wide[0] != 0:
                    break
                scratch.looks_wide[0] = 1
            else:
                break
        scratch.level[stop] = level


@compiled
def adopt(
    data: Data, work: State, now: State, best: State, scratch: Scratch, control: Floats
) -> None:
    """Go on from a given state: recompute its values, keep it as best if it is better."""
    for run in range(work.length.shape[0]):
        refresh(data, work, run)
    copy_state(now, work)
    scratch.stale_run[0] = -1
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
        is_crossed = (
            not is_fresh and draw(rng) < CROSS_RATIO and swap_tails(data, work, scratch, rng, seed)
        )
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
        for t in range(1, scratch.touched[0] + 1):
            refresh(data, work, scratch.touched[t])
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
            if data.has_levels and work.option[stop] != now.option[stop]:
                if work.option[stop] >= 0:
                    penalty += data.option_f[work.option[stop], PAIN]
                    new_prize += data.option_f[work.option[stop], LOSS]
                if now.option[stop] >= 0:
                    penalty -= data.option_f[now.option[stop], PAIN]
                    new_prize -= data.option_f[now.option[stop], LOSS]
        value = cost + penalty
        if is_crossed:
            list_touched(work, scratch)
            num_listed = scratch.removed[0]
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
            note_change(scratch, num_listed)
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
                renew_best(best, work, scratch)
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

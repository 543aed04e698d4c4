"""The pool: distinct routes met on the way."""

import numpy as np

from planner.kernel.compiled import compiled
from planner.kernel.layout import BIG, COST, DRIVE, EPS, TWIN, WORK, Data, Pool, State


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

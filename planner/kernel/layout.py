"""What the kernels read and write: columns of the flat arrays."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]

BIG = 1e12
"""Stands for infinity in the arrays, so that differences stay finite."""
FAR = 1e8
"""A leg as costly as this does not exist."""
EPS = 1e-7

# run_f: limits of a vehicle-day
(
    CAPACITY,
    MAX_WORK,
    MAX_DRIVE,
    DUTY_LO,
    DUTY_HI,
    PREP,
    CLOSING,
    FIXED,
    MEAL_AFTER,
    MEAL_MIN,
    MEAL_MAX,
    MEAL_LO,
    MEAL_HI,
    DRIVE_CONT,
    BREAK,
    PART_1,
    PART_2,
) = range(17)
NUM_RUN_F = 17
# run_i
VEHICLE, DAY, CLASS, START, END, MAX_STOPS, WEEK, CREW, TWIN = range(9)
NUM_RUN_I = 9
# stop_f
OCCUPIED, DEMAND, PRIZE, TOLERANCE, PENALTY, WIDTH, OPENS, REMOTE = range(8)
NUM_STOP_F = 8
# stop_i
MANDATORY, SIMPLE, VISITS, ANCHORED, LEVEL, NUM_LEVELS = range(6)
NUM_STOP_I = 6
# level_i: first slot and first option of a length of stay; the next one's are its ends
LEVEL_SLOT, LEVEL_OPTION = range(2)
# week_f and week_i
WEEK_WORK, WEEK_DRIVE, PAIR_DRIVE = range(3)
NEXT, PREV = range(2)
# slot_f: earliest and latest start, and how long the visit holds the vehicle
SLOT_LO, SLOT_HI, SLOT_STAY = range(3)
NUM_SLOT_F = 3
# option_f: prize that a longer stay would bring beyond it, and what that costs in the search
LOSS, PAIN = range(2)
NUM_OPTION_F = 2
# seg: window, forward and backward time segments of each position of a run
LO, HI, F_DUR, F_EARLY, F_LATE, B_DUR, B_EARLY, B_LATE = range(8)
NUM_SEG = 8
# tot: sums of a run
LOAD, DRIVE, STAND, COST, WORK = range(5)
NUM_TOT = 5


class Data(NamedTuple):
    """The problem, read only."""

    cost: NDArray[np.float64]
    time: NDArray[np.float64]
    stop_f: NDArray[np.float64]
    stop_i: NDArray[np.int64]
    slot_day: NDArray[np.int64]
    slot_f: NDArray[np.float64]
    option_slot_ptr: NDArray[np.int64]
    option_slot: NDArray[np.int64]
    option_f: NDArray[np.float64]
    level_i: NDArray[np.int64]
    """Slots and options of each length of stay: they stand in one row each."""
    may: NDArray[np.uint8]
    run_f: NDArray[np.float64]
    run_i: NDArray[np.int64]
    day_ptr: NDArray[np.int64]
    day_runs: NDArray[np.int64]
    week_f: NDArray[np.float64]
    week_i: NDArray[np.int64]
    near: NDArray[np.int64]
    num_marking: int
    """Near stops whose runs alone an insertion looks at, besides empty ones; 0: at all runs."""
    is_timed: bool
    is_selective: bool
    has_levels: bool
    """Whether any stop leaves the length of its visits to the search."""
    levels_last: bool
    """Whether all that longer stays bring is worth less than any stop."""
    grid: float


class State(NamedTuple):
    """A set of routes. Position 0 and ``length + 1`` of a run are its depot nodes."""

    seq: NDArray[np.int64]
    slot: NDArray[np.int64]
    seg: NDArray[np.float64]
    stay: NDArray[np.float64]
    """How long each visit holds the vehicle, by run and position."""
    tot: NDArray[np.float64]
    length: NDArray[np.int64]
    option: NDArray[np.int64]
    anchor: NDArray[np.float64]
    place: NDArray[np.int64]
    """Run of each visit of a stop, in the order of its option's slots."""
    week: NDArray[np.float64]


class Scratch(NamedTuple):
    """Room that a kernel writes to and forgets."""

    node: NDArray[np.int64]
    seg: NDArray[np.float64]
    stay: NDArray[np.float64]
    cand_cost: NDArray[np.float64]
    cand_at: NDArray[np.int64]
    cand_range: NDArray[np.float64]
    pick: NDArray[np.int64]
    best: NDArray[np.int64]
    removed: NDArray[np.int64]
    is_listed: NDArray[np.uint8]
    key: NDArray[np.float64]
    was_unserved: NDArray[np.uint8]
    is_touched: NDArray[np.uint8]
    touched: NDArray[np.int64]
    ruined: NDArray[np.uint8]
    marked: NDArray[np.int64]
    """For each run the last insertion that it was marked for; the number of insertions so far."""
    looks_wide: NDArray[np.uint8]
    """One flag: an insertion looks at all runs, marked or not."""
    stale_run: NDArray[np.int64]
    """Runs that differ from the best state: how many, then which; -1 where any may."""
    is_stale_run: NDArray[np.uint8]
    stale_stop: NDArray[np.int64]
    is_stale_stop: NDArray[np.uint8]
    level: NDArray[np.int64]
    """Length of stay that each stop had last; -1 before the first."""


class Pool(NamedTuple):
    """Distinct routes met on the way: hash table and flat store."""

    table: NDArray[np.int64]
    key: NDArray[np.uint64]
    ptr: NDArray[np.int64]
    run: NDArray[np.int64]
    slot: NDArray[np.int64]
    anchor: NDArray[np.float64]
    value: NDArray[np.float64]
    """Cost, work, driving of a route."""
    counts: NDArray[np.int64]
    """Routes held and routes that found no room."""
    mark: NDArray[np.uint64]
    """Random word of each slot and of each kind of vehicle-day."""

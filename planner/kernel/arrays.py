"""A ``Problem`` as the kernels' arrays, and empty states, scratch room and pools for it."""

import numpy as np
from numpy.typing import NDArray

from planner.kernel.layout import (
    BIG,
    FAR,
    LEVEL,
    LEVEL_OPTION,
    LOSS,
    MANDATORY,
    NUM_OPTION_F,
    NUM_RUN_F,
    NUM_RUN_I,
    NUM_SEG,
    NUM_STOP_F,
    NUM_STOP_I,
    NUM_TOT,
    PAIN,
    PENALTY,
    PRIZE,
    Data,
    Pool,
    Scratch,
    State,
)
from planner.kernel.places import NUM_CANDIDATES
from planner.problem import Problem, VehicleDay

NUM_NEAR = 200
NEAREST = 3
MARKING = 12
"""Near stops whose runs an insertion looks at where a day has many runs."""
MANY_RUNS = 12
"""Runs of a day that an insertion may all look at."""
MANY_STOPS = 500
"""Stops of a problem up to which an insertion looks at all runs."""
PRIZE_WORTH = 1.0
"""Worth of an average served prize during the search, in average costs of a served stop."""
LEVEL_WORTH = 1.0
"""Worth of the longest stay at an average stop during the search, in the same unit."""


def pack(problem: Problem) -> Data:
    """The arrays of a problem."""
    n = problem.num_stops
    near, _ = _neighbours(problem)
    day_ptr, day_runs = _runs_by_day(problem)
    data = Data(
        cost=np.ascontiguousarray(problem.cost),
        time=np.ascontiguousarray(problem.time),
        stop_f=_stop_floats(problem),
        stop_i=_stop_ints(problem),
        slot_day=problem.slot_day.astype(np.int64),
        slot_f=_slot_floats(problem),
        option_slot_ptr=problem.option_slot_ptr.astype(np.int64),
        option_slot=problem.option_slot.astype(np.int64),
        option_f=_option_floats(problem),
        level_i=_levels(problem)[1],
        may=np.ascontiguousarray(problem.may_serve, dtype=np.uint8),
        run_f=_run_floats(problem),
        run_i=_run_ints(problem, n),
        day_ptr=day_ptr,
        day_runs=day_runs,
        week_f=_finite(
            np.array(
                [[w.max_work, w.max_drive, w.max_drive_with_next] for w in problem.weeks],
                np.float64,
            ).reshape(-1, 3)
        ),
        week_i=_week_ints(problem),
        near=near,
        num_marking=_num_marking(problem),
        is_timed=_is_timed(problem),
        is_selective=bool((problem.prize[~problem.mandatory] > 0).any()),
        has_levels=problem.has_levels,
        levels_last=problem.levels_come_last,
        grid=problem.clock_grid,
    )
    if data.has_levels:
        _weigh_levels(data, _per_prize(problem), scale_of(problem))
    return data


def scale_of(problem: Problem) -> float:
    """Mean cost to a near neighbour: the unit of the search's temperatures."""
    return _neighbours(problem)[1]


def weigh_prizes(data: Data, prize: float, cost: float, num_served: int) -> float:
    """Set what an unserved prize costs during the search, from a first solution's sums.

    Travel keeps a say, for it leaves room for more stops; the best solution is still the one of
    most prize.

    Returns
    -------
    float
        Unit of the search's temperatures: the average cost of a served stop.
    """
    is_optional = data.stop_i[:, MANDATORY] == 0
    per_prize = PRIZE_WORTH * cost / prize
    data.stop_f[is_optional, PENALTY] = per_prize * data.stop_f[is_optional, PRIZE]
    if data.has_levels:
        _weigh_levels(data, per_prize, cost / num_served)
    return cost / num_served


def _weigh_levels(data: Data, per_prize: float, unit: float) -> None:
    """Set what an option costs during the search for the prize that a longer stay would bring.

    A loss costs what any prize does. Where longer stays come after all stops, the longest one at an
    average stop is worth ``LEVEL_WORTH`` units, so that they are sought too.
    A stop left out costs more by what its shortest stay would.
    """
    loss, pain = data.option_f[:, LOSS], data.option_f[:, PAIN]
    most = np.zeros(len(data.stop_f))
    first = data.level_i[data.stop_i[:, LEVEL], LEVEL_OPTION]
    stop_of = np.repeat(np.arange(len(most)), np.diff(np.append(first, len(loss))))
    np.maximum.at(most, stop_of, loss)
    if not most.any():
        return
    least = LEVEL_WORTH * unit / float(most[most > 0].mean()) if data.levels_last else 0.0
    per_loss = max(per_prize, least)
    pain[:] = per_loss * loss
    is_optional = data.stop_i[:, MANDATORY] == 0
    data.stop_f[is_optional, PENALTY] += (per_loss - per_prize) * most[is_optional]


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.ascontiguousarray(np.clip(values, -BIG, BIG))


def _is_timed(problem: Problem) -> bool:
    """Whether any window can bind; if not, a duration is a plain sum."""
    duties = any(r.duty_lo > 0 or np.isfinite(r.duty_hi) for r in problem.runs)
    return duties or bool((problem.slot_lo > 0).any() or np.isfinite(problem.slot_hi).any())


def _num_marking(problem: Problem) -> int:
    """``MARKING`` where looking at all runs of a day takes too long; it finds less per step."""
    num_days = len({r.day for r in problem.runs})
    is_large = problem.num_stops > MANY_STOPS and problem.num_runs > MANY_RUNS * num_days
    return MARKING if is_large else 0


def _neighbours(problem: Problem) -> tuple[NDArray[np.int64], float]:
    n = problem.num_stops
    if n < 2:
        return np.zeros((n, 0), np.int64), float(max(problem.cost.mean(), 1.0))
    between = problem.cost[:, :n, :n].min(axis=0).astype(np.float64)
    between = between + between.T
    np.fill_diagonal(between, np.inf)
    near = np.argsort(between, axis=1, kind="stable")[:, : min(n - 1, NUM_NEAR)]
    nearest = np.take_along_axis(between, near[:, :NEAREST], axis=1) / 2
    usable = nearest[(nearest < FAR) & (nearest > 0)]
    return near.astype(np.int64), float(usable.mean()) if usable.size else 1.0


def _remoteness(problem: Problem) -> NDArray[np.float64]:
    """Cost from the depots to each stop and back, the least over runs."""
    n = problem.num_stops
    ends = {(r.travel_class, r.start_node, r.end_node) for r in problem.runs}
    if not ends:
        return np.zeros(n)
    trips = [problem.cost[c, s, :n] + problem.cost[c, :n, e] for c, s, e in sorted(ends)]
    return np.asarray(np.min(trips, axis=0), np.float64)


def _slot_floats(problem: Problem) -> NDArray[np.float64]:
    stays = np.repeat(problem.occupied, np.diff(problem.slot_ptr)) + problem.slot_extra
    return _finite(np.stack([problem.slot_lo, problem.slot_hi, stays], axis=1).reshape(-1, 3))


def _option_floats(problem: Problem) -> NDArray[np.float64]:
    """Losses; their cost in the search is set by ``_weigh_levels``."""
    table = np.zeros((len(problem.option_gain), NUM_OPTION_F))
    most = np.repeat(problem.most_gain(), np.diff(problem.option_ptr))
    table[:, LOSS] = most - problem.option_gain
    return table


def _levels(problem: Problem) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lengths of stay: the first of each stop, and first slot and option of each of them."""
    ptr, rows = [0], []
    for stop in range(problem.num_stops):
        last = -1.0
        for option in range(int(problem.option_ptr[stop]), int(problem.option_ptr[stop + 1])):
            if problem.option_extra[option] > last:
                last = float(problem.option_extra[option])
                rows.append((int(problem.option_slot[problem.option_slot_ptr[option]]), option))
        ptr.append(len(rows))
    rows.append((len(problem.slot_day), len(problem.option_gain)))
    return np.array(ptr, np.int64), np.array(rows, np.int64)


def _per_prize(problem: Problem) -> float:
    """What a prize is worth before there is a first solution, in costs."""
    optional = problem.prize[(~problem.mandatory) & (problem.prize > 0)]
    return float(PRIZE_WORTH * scale_of(problem) / optional.mean()) if optional.size else 0.0


def _stop_floats(problem: Problem) -> NDArray[np.float64]:
    n = problem.num_stops
    scale = scale_of(problem)
    remote = _remoteness(problem)
    visits = _visits(problem)
    per_prize = _per_prize(problem)
    reach = remote[remote < FAR]
    most = float(reach.max()) if reach.size else scale
    table = np.zeros((n, NUM_STOP_F))
    table[:, 0] = problem.occupied
    table[:, 1] = problem.demand
    table[:, 2] = problem.prize + problem.most_gain()
    table[:, 3] = problem.clock_tolerance
    table[:, 4] = np.where(
        problem.mandatory, 2.0 * visits * (most + 10.0 * scale), per_prize * table[:, 2]
    )
    for stop in range(n):
        slots = slice(problem.slot_ptr[stop], problem.slot_ptr[stop + 1])
        lo, hi = problem.slot_lo[slots], problem.slot_hi[slots]
        if lo.size:
            table[stop, 5] = np.min(hi - lo)
            table[stop, 6] = np.min(lo)
    table[:, 7] = remote
    return _finite(table)


def _visits(problem: Problem) -> NDArray[np.int64]:
    """Most visits that an option of each stop has."""
    sizes = np.diff(problem.option_slot_ptr)
    return np.array(
        [
            max(sizes[problem.option_ptr[s] : problem.option_ptr[s + 1]], default=0)
            for s in range(problem.num_stops)
        ],
        np.int64,
    )


def _stop_ints(problem: Problem) -> NDArray[np.int64]:
    n = problem.num_stops
    visits = _visits(problem)
    table = np.zeros((n, NUM_STOP_I), np.int64)
    table[:, 0] = problem.mandatory
    for stop in range(n):
        options = range(problem.option_ptr[stop], problem.option_ptr[stop + 1])
        first = problem.slot_ptr[stop]
        table[stop, 1] = len(options) == problem.slot_ptr[stop + 1] - first and all(
            list(problem.option_slot[problem.option_slot_ptr[o] : problem.option_slot_ptr[o + 1]])
            == [first + k]
            for k, o in enumerate(options)
        )
    table[:, 2] = visits
    table[:, 3] = np.isfinite(problem.clock_tolerance) & (visits > 1)
    first_level = _levels(problem)[0]
    table[:, 4] = first_level[:-1]
    table[:, 5] = np.diff(first_level)
    return table


def _run_floats(problem: Problem) -> NDArray[np.float64]:
    table = np.zeros((problem.num_runs, NUM_RUN_F))
    for row, run in enumerate(problem.runs):
        parts = (*run.break_parts, 0.0, 0.0)[:2]
        table[row] = (
            run.capacity,
            run.max_work,
            run.max_drive,
            run.duty_lo,
            run.duty_hi,
            run.prep,
            run.closing,
            run.fixed_cost,
            run.meal_after,
            run.meal_min,
            max(run.meal_min, run.meal_max),
            run.meal_lo,
            run.meal_hi,
            run.drive_continuous,
            run.break_length,
            *parts,
        )
    return _finite(table)


def _run_ints(problem: Problem, num_stops: int) -> NDArray[np.int64]:
    table = np.zeros((problem.num_runs, NUM_RUN_I), np.int64)
    first: dict[object, int] = {}
    last: dict[object, int] = {}
    for row, run in enumerate(problem.runs):
        has_crew = np.isfinite(run.meal_after) or np.isfinite(run.drive_continuous)
        kind = (_kind(run), tuple(problem.may_serve[:, run.vehicle]))
        twin = last.get(kind, -1)
        first.setdefault(kind, row)
        last[kind] = row
        most = num_stops if run.max_stops is None else run.max_stops
        table[row] = (
            run.vehicle,
            run.day,
            run.travel_class,
            run.start_node,
            run.end_node,
            most,
            run.week,
            has_crew,
            twin,
        )
    return table


def _kind(run: VehicleDay) -> tuple[object, ...]:
    """All that sets vehicle-days of a day apart, the vehicle's name aside."""
    names = [f for f in VehicleDay.__dataclass_fields__ if f not in ("vehicle", "week")]
    week = ("own", run.vehicle) if run.week >= 0 else ()
    return (*(getattr(run, name) for name in names), week)


def _runs_by_day(problem: Problem) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    days = np.array([r.day for r in problem.runs], np.int64)
    order = np.argsort(days, kind="stable").astype(np.int64)
    counts = np.bincount(days, minlength=problem.num_days) if days.size else np.zeros(1, int)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), order


def _week_ints(problem: Problem) -> NDArray[np.int64]:
    table = np.full((len(problem.weeks), 2), -1, np.int64)
    for row, week in enumerate(problem.weeks):
        table[row, 0] = week.next_week
        table[week.next_week, 1] = row
    return table


def longest_run(problem: Problem) -> int:
    """No run of the problem can have more stops than this."""
    n = problem.num_stops
    least_day = np.zeros(n)
    loads = np.cumsum(np.sort(problem.demand))
    stands = np.cumsum(np.sort(problem.occupied + least_day))
    most = 0
    for run in problem.runs:
        room = run.max_work - run.prep - run.closing
        by_load = int(np.searchsorted(loads, run.capacity + 1e-6, side="right"))
        by_time = int(np.searchsorted(stands, room + 1e-6, side="right"))
        by_count = n if run.max_stops is None else run.max_stops
        most = max(most, min(by_load, by_time, by_count))
    return most


def new_state(problem: Problem) -> State:
    """A state with no stop served."""
    runs, n = problem.num_runs, problem.num_stops
    room = longest_run(problem) + 4
    visits = max(1, int(_visits(problem).max(initial=1)))
    return State(
        seq=np.zeros((runs, room), np.int64),
        slot=np.full((runs, room), -1, np.int64),
        seg=np.zeros((runs, room, NUM_SEG)),
        stay=np.zeros((runs, room)),
        tot=np.zeros((runs, NUM_TOT)),
        length=np.zeros(runs, np.int64),
        option=np.full(n, -1, np.int64),
        anchor=np.full(n, BIG),
        place=np.full((n, visits), -1, np.int64),
        week=np.zeros((max(1, len(problem.weeks)), 2)),
    )


def new_scratch(problem: Problem) -> Scratch:
    """Scratch room for one chain."""
    runs, n = problem.num_runs, problem.num_stops
    room = longest_run(problem) + 5
    rows = int(np.diff(problem.slot_ptr).max(initial=1))
    visits = max(1, int(_visits(problem).max(initial=1)))
    return Scratch(
        node=np.zeros(room, np.int64),
        seg=np.zeros((room, NUM_SEG)),
        stay=np.zeros(room),
        cand_cost=np.full((rows, NUM_CANDIDATES), BIG),
        cand_at=np.zeros((rows, NUM_CANDIDATES, 2), np.int64),
        cand_range=np.zeros((rows, NUM_CANDIDATES, 2)),
        pick=np.zeros(max(room, visits) + 2, np.int64),
        best=np.zeros(2 * visits + 2, np.int64),
        removed=np.zeros(n + 2, np.int64),
        is_listed=np.zeros(n, np.uint8),
        key=np.zeros(n + 2),
        was_unserved=np.zeros(n, np.uint8),
        is_touched=np.zeros(runs, np.uint8),
        touched=np.zeros(runs + 2, np.int64),
        ruined=np.zeros(runs, np.uint8),
        marked=np.zeros(runs + 1, np.int64),
        looks_wide=np.zeros(1, np.uint8),
        stale_run=np.full(runs + 1, -1, np.int64),
        is_stale_run=np.zeros(runs, np.uint8),
        stale_stop=np.zeros(n + 1, np.int64),
        is_stale_stop=np.zeros(n, np.uint8),
        level=np.full(n, -1, np.int64),
    )


def new_pool(problem: Problem, capacity: int, seed: int = 7) -> Pool:
    """An empty pool; equal seeds give equal route keys in every chain."""
    words = np.random.default_rng(seed).integers(
        0, 2**63, len(problem.slot_day) + problem.num_runs, dtype=np.uint64
    )
    room = capacity * max(2, min(longest_run(problem) + 1, 24))
    return Pool(
        table=np.full(2 * capacity + 1, -1, np.int64),
        key=np.zeros(capacity + 1, np.uint64),
        ptr=np.zeros(capacity + 2, np.int64),
        run=np.zeros(capacity + 1, np.int64),
        slot=np.zeros(room, np.int64),
        anchor=np.zeros(room),
        value=np.zeros((capacity + 1, 3)),
        counts=np.zeros(2, np.int64),
        mark=words,
    )


def empty_pool(pool: Pool) -> None:
    """Forget all routes of a pool."""
    pool.table[:] = -1
    pool.counts[:] = 0
    pool.ptr[0] = 0

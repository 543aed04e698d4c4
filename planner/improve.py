"""Search a problem: chains of ruin and recreate on threads, joined by set partitioning.

Each round runs every chain for a share of the time, merges the routes they met, lets
``planner.master`` choose among them, and goes on from the best solution.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isnan

import numpy as np

from planner.balance import even_out
from planner.kernel import anneal as loop
from planner.kernel.arrays import (
    empty_pool,
    new_pool,
    new_scratch,
    new_state,
    pack,
    scale_of,
    weigh_prizes,
)
from planner.kernel.layout import (
    BIG,
    COST,
    DRIVE,
    EPS,
    HI,
    LEVEL,
    LO,
    NUM_LEVELS,
    WORK,
    Data,
    State,
)
from planner.kernel.runs import refresh
from planner.master import Column, Key, choose, groups_of
from planner.params import SolveParams
from planner.problem import Problem, Solution
from planner.stopping import Clock

CHUNK_S = 0.1
CHUNK_STEPS = 1000
FIRST_STEPS = 50
POOL_ROUTES = 40_000
RETRIES = 10.0
POOL_GAP = 0.02
REHEAT = 0.4
"""First temperature of each later round, as a share of the round before."""
SINGLE_DAY_SHARE = 0.25
"""Of the time for set partitioning, what a single day is given: there are no patterns to join."""
HEAT = 1.0
HEAT_OF_ROUTES = 3.0
"""First temperature where order alone is sought: a single day on which all stops are served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchState:
    """How far a search is."""

    fraction: float
    elapsed_s: float
    mandatory_unserved: int
    prize: float
    cost: float


class Chain:
    """One annealing chain with its own arrays and random numbers."""

    def __init__(self, problem: Problem, data: Data, params: SolveParams, number: int) -> None:
        self.problem = problem
        self.data = data
        self.work = new_state(problem)
        self.now = new_state(problem)
        self.best = new_state(problem)
        self.scratch = new_scratch(problem)
        self.pool = new_pool(problem, POOL_ROUTES)
        seed = np.random.SeedSequence([params.seed, number]).generate_state(1, np.uint64)
        self.rng = seed | np.uint64(1)
        self.control = np.full(loop.NUM_CONTROL, BIG)
        self.control[loop.STEPS] = 0
        self.control[loop.ACCEPTED] = 0
        self.settings = np.array(
            [
                params.mean_removed,
                params.max_string,
                _cluster_ratio(problem, params),
                params.blink_ratio,
                RETRIES,
                POOL_GAP,
            ]
        )
        loop.adopt(self.data, self.work, self.now, self.best, self.scratch, self.control)
        self.is_fresh = True

    @property
    def rank(self) -> tuple[float, float, float]:
        """Smaller is better: mandatory unserved, prize unserved, cost."""
        return (
            float(self.control[loop.BEST_MANDATORY]),
            float(self.control[loop.BEST_PRIZE]),
            float(self.control[loop.BEST_COST]),
        )

    def step(self, steps: int, heat: float, cooling: float) -> None:
        """Run some steps."""
        loop.anneal(
            self.data,
            self.work,
            self.now,
            self.best,
            self.scratch,
            self.pool,
            self.rng,
            self.control,
            self.settings,
            steps,
            heat,
            cooling,
            self.is_fresh,
        )
        self.is_fresh = False

    def restart_from(self, solution: Solution) -> None:
        """Go on from a solution, which must keep every rule."""
        write_state(self.problem, solution, self.work)
        loop.adopt(self.data, self.work, self.now, self.best, self.scratch, self.control)
        self.is_fresh = False

    def solution(self) -> Solution:
        """The best solution seen."""
        return read_state(self.problem, self.best)


def _cluster_ratio(problem: Problem, params: SolveParams) -> float:
    if params.cluster_ratio >= 0:
        return params.cluster_ratio
    return 0.7 if problem.num_days > 1 else 0.3


def read_state(problem: Problem, state: State) -> Solution:
    """A kernel state as a ``Solution``."""
    routes = tuple(
        tuple(int(s) for s in state.seq[r, 1 : 1 + int(state.length[r])])
        for r in range(problem.num_runs)
    )
    return make_solution(
        problem,
        routes,
        tuple(int(o) for o in state.option),
        tuple(
            float(a) if a < BIG and o >= 0 else float("nan")
            for a, o in zip(state.anchor, state.option, strict=True)
        ),
        "",
    )


def make_solution(
    problem: Problem,
    routes: tuple[tuple[int, ...], ...],
    option: tuple[int, ...],
    anchor: tuple[float, ...],
    stopped_by: str,
) -> Solution:
    """A solution with its sums computed from the problem."""
    cost = 0.0
    for run, stops in zip(problem.runs, routes, strict=True):
        if stops:
            path = [run.start_node, *stops, run.end_node]
            table = problem.cost[run.travel_class]
            cost += sum(float(table[i, j]) for i, j in pairwise(path))
            cost += run.fixed_cost
    unserved = tuple(s for s, o in enumerate(option) if o < 0)
    return Solution(
        routes=routes,
        option=option,
        anchor=anchor,
        unserved=unserved,
        mandatory_unserved=sum(bool(problem.mandatory[s]) for s in unserved),
        prize=float(
            sum(
                problem.prize[s]
                for s in range(problem.num_stops)
                if option[s] >= 0 and not problem.mandatory[s]
            )
            + sum(problem.option_gain[o] for o in option if o >= 0)
        ),
        cost=cost,
        stopped_by=stopped_by,
    )


def write_state(problem: Problem, solution: Solution, state: State) -> None:
    """Set a kernel state from a solution."""
    state.length[:] = 0
    state.tot[:] = 0
    state.week[:] = 0
    state.option[:] = solution.option
    state.anchor[:] = [BIG if isnan(a) else a for a in solution.anchor]
    slot_of = {}
    for stop, option in enumerate(solution.option):
        if option < 0:
            continue
        first, last = problem.option_slot_ptr[option : option + 2]
        for visit, slot in enumerate(problem.option_slot[first:last]):
            slot_of[stop, int(problem.slot_day[slot])] = (int(slot), visit)
    for row, (run, stops) in enumerate(zip(problem.runs, solution.routes, strict=True)):
        state.length[row] = len(stops)
        for at, stop in enumerate(stops, 1):
            slot, visit = slot_of[stop, run.day]
            anchor, tolerance = solution.anchor[stop], problem.clock_tolerance[stop]
            lo, hi = problem.slot_lo[slot], problem.slot_hi[slot]
            if not isnan(anchor):
                lo, hi = max(lo, anchor - tolerance), min(hi, anchor + tolerance)
            state.seq[row, at] = stop
            state.slot[row, at] = slot
            state.seg[row, at, LO] = max(lo, -BIG)
            state.seg[row, at, HI] = min(hi, BIG)
            state.stay[row, at] = problem.occupied[stop] + problem.slot_extra[slot]
            state.place[stop, visit] = row


def optimise(
    problem: Problem,
    params: SolveParams,
    *,
    progress: Callable[[SearchState], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    start: Solution | None = None,
    pool: dict[Key, Column] | None = None,
) -> Solution:
    """The best solution found within the limits.

    Parameters
    ----------
    progress
        Called several times a second from this thread.
    should_stop
        Asked as often; once true, the search ends with the best solution so far.
    start
        A feasible solution to begin from, as from the second round of a search; the result is
        never worse.
    pool
        Routes of earlier searches of this problem to choose from too; all routes met are added.
        Prizes, what is mandatory and the limits of weeks may differ between the searches.

    References
    ----------
    Christiaens, Vanden Berghe (2020), doi:10.1287/trsc.2019.0914.
    """
    if problem.num_days == 1:
        params = replace(params, master_ratio=SINGLE_DAY_SHARE * params.master_ratio)
    clock = Clock(params, should_stop)
    if problem.num_stops == 0 or problem.num_runs == 0:
        nothing = (-1,) * problem.num_stops
        nowhen = (float("nan"),) * problem.num_stops
        return make_solution(problem, ((),) * problem.num_runs, nothing, nowhen, "complete")
    data = pack(problem)
    chains = [Chain(problem, data, params, k) for k in range(params.workers)]
    num_levels = data.stop_i[:, NUM_LEVELS].copy()
    is_last = problem.levels_come_last
    if is_last:
        data.stop_i[:, NUM_LEVELS] = np.minimum(num_levels, 1)
    unit = _first_unit(problem, data, chains)
    is_order_alone = problem.num_days == 1 and not data.is_selective
    hottest = params.heat_start or (HEAT_OF_ROUTES if is_order_alone else HEAT)
    for chain in chains:
        if start is not None:
            chain.restart_from(start)
            # The first step puts in what the start leaves out.
            chain.is_fresh = True
    group = groups_of(problem)
    columns: dict[Key, Column] = {} if pool is None else pool
    solution = start
    statuses = []
    opened = 0
    for turn in range(params.rounds):
        if is_last:
            # Who is served is settled with the shortest stays; then there is time for longer ones.
            is_late = turn > 0 and turn == params.rounds - 1
            if is_late or (turn > 0 and not _may_serve_more(problem, solution)):
                is_last, opened = False, 0 if _may_serve_more(problem, solution) else turn
                data.stop_i[:, NUM_LEVELS] = num_levels
                for chain in chains:
                    chain.scratch.level[:] = data.stop_i[:, LEVEL] + np.maximum(num_levels, 1) - 1
        cooled = turn - opened if start is None else turn - opened + 1
        hot = unit * max(params.heat_end, hottest * REHEAT**cooled)
        _run_round(chains, clock, turn, (hot, unit * params.heat_end), progress)
        found = min(chains, key=lambda c: c.rank).solution()
        solution = found if solution is None or found.rank < solution.rank else solution
        if clock.is_over():
            break
        _collect(problem, chains, columns)
        for chain in chains:
            chain.restart_from(solution)
        used = frozenset(c.key(group) for c in _columns_of(problem, chains[0].now))
        for column in _columns_of(problem, chains[0].now):
            _add_column(columns, column, group)
        solution, status = _partition(problem, columns, solution, used, clock)
        statuses.append(status)
        for chain in chains:
            chain.restart_from(solution)
    assert solution is not None  # at least one round ran
    if pool is not None:
        _collect(problem, chains, pool)
    stats = {
        "steps": int(sum(c.control[loop.STEPS] for c in chains)),
        "columns": len(columns),
        "partitions": statuses,
        "seconds": clock.elapsed_s(),
    }
    chains[0].restart_from(solution)
    solution = even_out(problem, solution, chains[0].now.tot[:, WORK].tolist())
    return replace(solution, stats=stats, stopped_by=clock.reason())


def _may_serve_more(problem: Problem, solution: Solution | None) -> bool:
    """Whether a stop that has an option is left out."""
    left = () if solution is None else solution.unserved
    return any(problem.option_ptr[s] < problem.option_ptr[s + 1] for s in left)


def _first_unit(problem: Problem, data: Data, chains: list[Chain]) -> float:
    """Unit of the temperatures; where stops are selected, from a first solution's averages."""
    unit = scale_of(problem)
    if not data.is_selective:
        return unit
    chains[0].step(1, unit, 1.0)
    first = chains[0].solution()
    num_served = problem.num_stops - len(first.unserved)
    # A day may be made cheaper, so that it is used; that is no measure of what a stop costs.
    cost = first.cost - sum(
        min(0.0, run.fixed_cost)
        for run, stops in zip(problem.runs, first.routes, strict=True)
        if stops
    )
    if first.prize > 0 and cost > 0:
        unit = weigh_prizes(data, first.prize, cost, num_served)
        for chain in chains:
            loop.adopt(data, chain.work, chain.now, chain.best, chain.scratch, chain.control)
    return unit


def _run_round(
    chains: list[Chain],
    clock: Clock,
    turn: int,
    heats: tuple[float, float],
    progress: Callable[[SearchState], None] | None,
) -> None:
    """Run every chain on a thread of its own; report and ask for cancel from this one."""
    with ThreadPoolExecutor(len(chains)) as threads:
        jobs = [threads.submit(_drive, chain, clock, turn, heats) for chain in chains]
        while wait(jobs, timeout=CHUNK_S).not_done:
            clock.poll()
            if progress is not None:
                progress(_state_now(chains, clock, turn))
        for job in jobs:
            job.result()
    if progress is not None:
        progress(_state_now(chains, clock, turn))


def _drive(chain: Chain, clock: Clock, turn: int, heats: tuple[float, float]) -> None:
    """One chain through one round, in chunks."""
    hot, cold = heats
    total = clock.round_steps(turn)
    begin, end = clock.elapsed_s(), clock.round_end_s(turn)
    done, steps, fraction = 0, FIRST_STEPS, 0.0
    while fraction < 1 or chain.is_fresh:
        if total is not None:
            steps = min(CHUNK_STEPS, total - done)
            share = steps / total
        else:
            share = min(1.0, CHUNK_S / max(CHUNK_S, end - begin))
        cooling = (cold / hot) ** (share / steps)
        before = clock.elapsed_s()
        chain.step(steps, hot * (cold / hot) ** fraction, cooling)
        done += steps
        if total is not None:
            fraction = done / total
        else:
            took = max(1e-4, clock.elapsed_s() - before)
            steps = max(1, int(steps * min(4.0, CHUNK_S / took)))
            fraction = (clock.elapsed_s() - begin) / max(1e-9, end - begin)
        if clock.is_over():
            break


def _state_now(chains: list[Chain], clock: Clock, turn: int) -> SearchState:
    best = min(chains, key=lambda c: c.rank)
    missing, lost, cost = best.rank
    total = float(best.problem.prize[~best.problem.mandatory].sum())
    total += float(best.problem.most_gain().sum())
    return SearchState(
        fraction=clock.fraction(int(best.control[loop.STEPS])),
        elapsed_s=clock.elapsed_s(),
        mandatory_unserved=int(min(missing, best.problem.num_stops)),
        prize=max(0.0, total - lost),
        cost=cost if cost < BIG else 0.0,
    )


def _collect(problem: Problem, chains: list[Chain], columns: dict[Key, Column]) -> None:
    """Move the routes that the chains met into the common pool, the cheapest order of each."""
    group = groups_of(problem)
    stop_of = np.repeat(np.arange(problem.num_stops), np.diff(problem.slot_ptr))
    for chain in chains:
        pool = chain.pool
        for k in range(int(pool.counts[0])):
            first, last = int(pool.ptr[k]), int(pool.ptr[k + 1])
            slots = pool.slot[first:last]
            anchors = pool.anchor[first:last]
            column = Column(
                run=int(pool.run[k]),
                stops=tuple(stop_of[slots].tolist()),
                slots=tuple(slots.tolist()),
                anchors=tuple(a if a < BIG else None for a in anchors.tolist()),
                cost=float(pool.value[k, 0]),
                work=float(pool.value[k, 1]),
                drive=float(pool.value[k, 2]),
            )
            _add_column(columns, column, group)
        empty_pool(pool)
        for column in _columns_of(problem, chain.best):
            _add_column(columns, column, group)


def columns_of(problem: Problem, solution: Solution) -> list[Column]:
    """The routes of a solution as columns."""
    data, state = pack(problem), new_state(problem)
    write_state(problem, solution, state)
    for run in range(problem.num_runs):
        refresh(data, state, run)
    return _columns_of(problem, state)


def _columns_of(problem: Problem, state: State) -> list[Column]:
    """The routes of a state as columns."""
    columns = []
    for run in range(problem.num_runs):
        last = int(state.length[run]) + 1
        if last == 1:
            continue
        stops = tuple(state.seq[run, 1:last].tolist())
        anchors = state.anchor[list(stops)].tolist()
        columns.append(
            Column(
                run=run,
                stops=stops,
                slots=tuple(state.slot[run, 1:last].tolist()),
                anchors=tuple(a if a < BIG else None for a in anchors),
                cost=float(state.tot[run, COST]),
                work=float(state.tot[run, WORK]),
                drive=float(state.tot[run, DRIVE]),
            )
        )
    return columns


def _add_column(columns: dict[Key, Column], column: Column, group: list[int]) -> None:
    """Keep a route unless its stops are known in a cheaper order."""
    key = column.key(group)
    known = columns.get(key)
    if known is None or column.cost < known.cost - EPS:
        columns[key] = column


def _partition(
    problem: Problem,
    columns: dict[Key, Column],
    solution: Solution,
    used: frozenset[Key],
    clock: Clock,
) -> tuple[Solution, str]:
    """The best solution that the routes met can make, or the given one."""
    answer = choose(problem, columns, solution, used, clock.budget(), clock.poll)
    if answer is None:
        return solution, "NONE"
    found = assembled(problem, *answer[:2])
    return (found if found.rank < solution.rank else solution), answer[2]


def assembled(
    problem: Problem, chosen: Mapping[int, Column], option: Mapping[int, int]
) -> Solution:
    """The solution that the chosen columns make, as ``planner.master.choose`` gives them."""
    routes: list[tuple[int, ...]] = [()] * problem.num_runs
    anchor = [float("nan")] * problem.num_stops
    for run, column in chosen.items():
        routes[run] = column.stops
        for stop, when in zip(column.stops, column.anchors, strict=True):
            anchor[stop] = float("nan") if when is None else when
    options = tuple(option.get(s, -1) for s in range(problem.num_stops))
    return make_solution(problem, tuple(routes), options, tuple(anchor), "")

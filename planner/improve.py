"""Search a problem: chains of ruin and recreate on threads, joined by set partitioning.

Each round runs every chain for a share of the time, merges the routes they met, lets
``planner.master`` choose among them, and goes on from the best solution.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

import numpy as np

from planner.balance import even_out
from planner.chain import CHUNK_S, Chain, drive
from planner.kernel import anneal as loop
from planner.kernel.arrays import (
    empty_pool,
    pack,
    scale_of,
    weigh_prizes,
)
from planner.kernel.layout import (
    BIG,
    LEVEL,
    NUM_LEVELS,
    WORK,
    Data,
)
from planner.master import Column, Key, choose, groups_of
from planner.params import SolveParams
from planner.problem import Problem, Solution
from planner.solutions import add_column, assembled, make_solution, state_columns
from planner.stopping import Clock

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
        heats = hot, unit * params.heat_end
        # Which days stops get hardly changes once it is cold: small problems begin several times.
        may_begin_again = start is None and turn == 0 and problem.num_days > 1
        _run_round(chains, clock, turn, heats, progress, may_begin_again=may_begin_again)
        found = min(chains, key=lambda c: c.rank).solution()
        solution = found if solution is None or found.rank < solution.rank else solution
        if clock.is_over():
            break
        _collect(problem, chains, columns)
        for chain in chains:
            chain.restart_from(solution)
        used = frozenset(c.key(group) for c in state_columns(problem, chains[0].now))
        for column in state_columns(problem, chains[0].now):
            add_column(columns, column, group)
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
    *,
    may_begin_again: bool,
) -> None:
    """Run every chain on a thread of its own; report and ask for cancel from this one."""
    with ThreadPoolExecutor(len(chains)) as threads:
        jobs = [
            threads.submit(drive, c, clock, turn, heats, may_begin_again=may_begin_again)
            for c in chains
        ]
        while wait(jobs, timeout=CHUNK_S).not_done:
            clock.poll()
            if progress is not None:
                progress(_state_now(chains, clock, turn))
        for job in jobs:
            job.result()
    if progress is not None:
        progress(_state_now(chains, clock, turn))


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
            add_column(columns, column, group)
        empty_pool(pool)
        for column in state_columns(problem, chain.best):
            add_column(columns, column, group)


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

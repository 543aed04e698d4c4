"""One annealing chain, and the way it goes from hot to cold within a round of the search."""

from dataclasses import dataclass

import numpy as np

from planner.kernel import anneal as loop
from planner.kernel.arrays import new_pool, new_scratch, new_state
from planner.kernel.layout import BIG, Data
from planner.params import SolveParams
from planner.problem import Problem, Solution
from planner.solutions import read_state, write_state
from planner.stopping import Clock

CHUNK_S = 0.1
CHUNK_STEPS = 1000
FIRST_STEPS = 50
POOL_ROUTES = 40_000
RETRIES = 10.0
POOL_GAP = 0.02
BEGINNING_STEPS = 2500
"""Steps a stop that one beginning from nothing is worth, where days are chosen."""
MOST_BEGINNINGS = 8


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

    def begin_again(self) -> None:
        """Go on from nothing; what was found stays known."""
        for used in (self.work.length, self.work.tot, self.work.week):
            used[:] = 0
        self.work.option[:] = -1
        self.work.anchor[:] = BIG
        loop.adopt(self.data, self.work, self.now, self.best, self.scratch, self.control)
        self.is_fresh = True

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leg:
    """A part of a round from hot to cold: steps, or without a work limit seconds from the start."""

    steps: int | None
    begin_s: float
    end_s: float


def drive(
    chain: Chain, clock: Clock, turn: int, heats: tuple[float, float], *, may_begin_again: bool
) -> None:
    """One chain through one round, from as many beginnings as it has steps for."""
    total, end_s = clock.round_steps(turn), clock.round_end_s(turn)
    num_beginnings, steps = 1, total or 0
    if may_begin_again:
        steps = total or _expected_steps(chain, clock, end_s, heats[0])
        worth = BEGINNING_STEPS * chain.problem.num_stops
        num_beginnings = max(1, min(MOST_BEGINNINGS, steps // worth))
    for k in range(num_beginnings):
        if k:
            chain.begin_again()
        if total is not None:
            steps = total * (k + 1) // num_beginnings - total * k // num_beginnings
        begin_s, left = clock.elapsed_s(), num_beginnings - k
        leg = _Leg(
            steps=None if total is None else steps,
            begin_s=begin_s,
            end_s=begin_s + (end_s - begin_s) / left,
        )
        _cool(chain, clock, leg, heats)
        if clock.is_over():
            break


def _expected_steps(chain: Chain, clock: Clock, end_s: float, hot: float) -> int:
    """Steps that fit until a time, by those of a moment; a call costs time of its own."""
    chain.step(FIRST_STEPS, hot, 1.0)
    steps, took = FIRST_STEPS, 0.0
    while took < CHUNK_S / 2 and not clock.is_over():
        steps *= 2
        begin_s = clock.elapsed_s()
        chain.step(steps, hot, 1.0)
        took = clock.elapsed_s() - begin_s
    return int(steps * max(0.0, end_s - clock.elapsed_s()) / max(1e-9, took))


def _cool(chain: Chain, clock: Clock, leg: _Leg, heats: tuple[float, float]) -> None:
    """Steps from hot to cold, in chunks."""
    hot, cold = heats
    done, steps, fraction = 0, FIRST_STEPS, 0.0
    while fraction < 1 or chain.is_fresh:
        if leg.steps is not None:
            steps = min(CHUNK_STEPS, leg.steps - done)
            share = steps / leg.steps
        else:
            share = min(1.0, CHUNK_S / max(CHUNK_S, leg.end_s - leg.begin_s))
        cooling = (cold / hot) ** (share / steps)
        before = clock.elapsed_s()
        chain.step(steps, hot * (cold / hot) ** fraction, cooling)
        done += steps
        if leg.steps is not None:
            fraction = done / leg.steps
        else:
            took = max(1e-4, clock.elapsed_s() - before)
            steps = max(1, int(steps * min(4.0, CHUNK_S / took)))
            fraction = (clock.elapsed_s() - leg.begin_s) / max(1e-9, leg.end_s - leg.begin_s)
        if clock.is_over():
            break

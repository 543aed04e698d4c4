"""Nights away from base, decided together with the plan.

Where each night is spent fixes where runs start and end. A configuration of nights is valued by a
short search from the best plan so far; a local search adds tours, takes nights out and moves them.
What to add first is drawn by an estimate: the people that a tour could still reach near a lodging,
against those whom the vehicle serves on these days now, and the driving that the nights save.
Nothing is proved: another configuration may serve more.

A night is only spent where the vehicle has visits on the day before and on the day after; one that
the search leaves without is taken out, and the plan searched on without it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from data.model.nights import Nights, nights_of
from data.model.plan import Plan, PlanRequest
from planner.choices import best_choice, part_of
from planner.nights import Config, allowed, as_nights, config_of, fixed_nights, spent
from planner.params import SolveParams
from planner.tour_moves import Moves

FIRST_RATIO = 0.3
"""Share of the tours' budget for the plan without any change of nights."""
STEPS_PER_STOP = 20
"""Steps of a short search for each stop, where the budget has room for it."""
LEAST_TRIALS = 10
"""Short searches that the rest of the tours' budget must have room for."""
MOST_TRIAL_S = 3.0
"""Longest short search; a longer budget values more configurations."""
LEAST_S = 0.3
"""Least time of the search that follows, seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one search gave: a plan without provenance, its rank and the nights it spends."""

    plan: Plan
    rank: tuple[float, ...]
    nights: Config


type Search = Callable[
    [Nights, SolveParams, Plan | None, tuple[float, float]], tuple[Plan, tuple[float, ...]]
]
"""A search with these nights from a plan: the plan found and its rank.

The last argument are the shares of the whole budget that are used before it and after it.
"""


def best_nights(
    request: PlanRequest,
    params: SolveParams,
    search: Search,
    *,
    start: Plan | None,
    is_cancelled: Callable[[], bool],
) -> Found:
    """The best configuration of nights found, with the plan that its short search gave.

    Parameters
    ----------
    start
        An earlier plan, whose nights are valued first.

    Notes
    -----
    It uses ``params.tour_ratio`` of the budget.
    """
    budget = _Budget(request, params)

    def run(config: Config, known: Plan | None) -> tuple[Plan, tuple[float, ...]]:
        before = budget.used_ratio()
        part = budget.next_part()
        return search(as_nights(config), part, known, (before, budget.used_ratio()))

    def is_over(_num_valued: int) -> bool:
        return budget.is_over() or is_cancelled()

    def value(config: Config, best: Found | None) -> tuple[Found, tuple[float, ...]]:
        found = _valued(config, start if best is None else best.plan, run)
        return found, found.rank

    base = fixed_nights(request)
    firsts = [base]
    if start is not None:
        known = allowed(request, config_of(nights_of(request, start)))
        firsts = [known] if known == base else [known, base]
    if params.tour_ratio == 0:
        firsts = firsts[:1]
    moves = Moves(request, base)
    best = best_choice(
        firsts,
        value=value,
        neighbour=lambda now, rng: moves.neighbour(
            now.result.nights, now.result.plan, now.choice, rng
        ),
        rng=np.random.default_rng([params.seed, 2]),
        is_over=is_over,
    )
    return best.result


class _Budget:
    """What is left of the tours' share: a longer first search, then short ones of equal length."""

    def __init__(self, request: PlanRequest, params: SolveParams) -> None:
        self._params = params
        self._began = time.perf_counter()
        self._num = 0
        ratio, total = params.tour_ratio, params.work_limit
        self._steps = STEPS_PER_STOP * len(request.stops)
        self._first = ratio * FIRST_RATIO
        self._trial = ratio * (1 - FIRST_RATIO) / LEAST_TRIALS
        if total is not None:
            self._trial = min(self._trial, self._steps / total)
        else:
            self._trial = min(self._trial, MOST_TRIAL_S / params.time_limit_s)

    def _left_s(self) -> float:
        return max(0.0, self._params.time_limit_s - (time.perf_counter() - self._began))

    def used_ratio(self) -> float:
        """Share of the whole budget that is used."""
        if self._params.work_limit is None:
            used = (time.perf_counter() - self._began) / self._params.time_limit_s
        else:
            used = self._first + (self._num - 1) * self._trial if self._num else 0.0
        return min(used, self._params.tour_ratio)

    def is_over(self) -> bool:
        """Whether there is no room for one more short search."""
        left = self._params.tour_ratio - self.used_ratio()
        return self._trial == 0 or left < self._trial * (1 - 1e-9) or self._left_s() <= 0

    def next_part(self) -> SolveParams:
        """Parameters of the next search."""
        share = self._trial if self._num else self._first
        part = part_of(self._params, share, self._num, left_s=self._left_s(), rounds=1)
        self._num += 1
        if self._params.work_limit is None and self._num > 1:
            part = replace(part, work_limit=max(1, self._steps))
        return replace(part, master_ratio=0.0)


def _valued(
    config: Config,
    known: Plan | None,
    run: Callable[[Config, Plan | None], tuple[Plan, tuple[float, ...]]],
) -> Found:
    """What a configuration gives once nights without visits beside them are taken out."""
    plan, rank = run(config, known)
    while (kept := spent(config, plan)) != config:
        config = kept
        plan, rank = run(config, plan)
    return Found(plan=plan, rank=rank, nights=config)

"""A seeded local search over discrete choices round the main search.

Some decisions fix the problem that the main search solves: who rides with which vehicle on which
day, where a night is spent. Each such choice is valued by a short run of the main search that
starts from the best solution so far; what is not worse is kept.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from planner.params import SolveParams

MOST_IDLE = 200
"""Neighbours in a row that are known or not allowed before the search gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Valued[C: Hashable, R]:
    """A choice with what its short run gave."""

    choice: C
    result: R
    rank: tuple[float, ...]
    """Lexicographic, smaller is better."""


def best_choice[C: Hashable, R](
    firsts: Iterable[C],
    *,
    value: Callable[[C, R | None], tuple[R, tuple[float, ...]]],
    neighbour: Callable[[Valued[C, R], np.random.Generator], C | None],
    rng: np.random.Generator,
    is_over: Callable[[int], bool],
) -> Valued[C, R]:
    """The best choice that was valued: all first ones, then neighbours of the best so far.

    Parameters
    ----------
    firsts
        At least one choice; those after the first are valued only while ``is_over`` is false.
    value
        The result of a choice and its rank, given the best result so far to start from.
    neighbour
        A choice near the best one, ``None`` where the draw leads to none. No choice is valued
        twice.
    is_over
        Asked with the number of choices valued so far.

    Raises
    ------
    ValueError
        Without a first choice.
    """
    best: Valued[C, R] | None = None
    seen: set[C] = set()
    for choice in firsts:
        if choice in seen or (best is not None and is_over(len(seen))):
            continue
        seen.add(choice)
        best = _better(choice, best, value)
    if best is None:
        raise ValueError("no first choice")
    idle = 0
    while idle < MOST_IDLE and not is_over(len(seen)):
        drawn = neighbour(best, rng)
        if drawn is None or drawn in seen:
            idle += 1
            continue
        idle = 0
        seen.add(drawn)
        best = _better(drawn, best, value)
    return best


def _better[C: Hashable, R](
    choice: C,
    best: Valued[C, R] | None,
    value: Callable[[C, R | None], tuple[R, tuple[float, ...]]],
) -> Valued[C, R]:
    """The choice with its value, or the best one where that is better."""
    result, rank = value(choice, None if best is None else best.result)
    if best is not None and rank > best.rank:
        return best
    return Valued(choice=choice, result=result, rank=rank)


def part_of(
    params: SolveParams, ratio: float, number: int, *, left_s: float, rounds: int | None = None
) -> SolveParams:
    """Parameters of one of several searches that share a budget.

    Parameters
    ----------
    ratio
        Share of the work or, without a limit on work, of the time.
    number
        Makes the seed another one for every part.
    left_s
        Seconds that are left of the whole; with a limit on work the only guard.
    """
    work = params.work_limit
    time_s = left_s if work is not None else min(left_s, params.time_limit_s * ratio)
    return replace(
        params,
        seed=params.seed + number,
        time_limit_s=max(0.01, time_s),
        work_limit=None if work is None else max(1, round(work * ratio)),
        rounds=params.rounds if rounds is None else rounds,
    )

"""What every published problem offers, and the outcome of one measurement."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from api.bench.effort import Effort
from data.model.plan import Violation
from planner.problem import Problem, Solution

TOLERANCE = 1e-6
"""Sums of double precision distances may pass a limit by this much."""


def broken(code: str, **facts: object) -> Violation:
    """A broken rule with its amounts."""
    return Violation(code=code, facts=facts)


def length_of(way: Iterable[tuple[float, float]]) -> float:
    """Length of a way through points, straight from one to the next."""
    return sum(math.dist(a, b) for a, b in pairwise(way))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tour:
    """One vehicle's visits on one day, in order; places are numbered as in the file.

    ``vehicle`` and ``starts`` (when each visit begins) matter where the published rules ask.
    """

    day: int
    places: tuple[int, ...]
    vehicle: int = 0
    starts: tuple[float, ...] = ()


class Instance(Protocol):
    """A published problem.

    ``problem`` states it for the search. ``violations`` and ``value`` judge tours by the
    published rules alone and share nothing with ``problem`` but the file's numbers.
    """

    @property
    def name(self) -> str: ...

    @property
    def is_maximised(self) -> bool: ...

    def problem(self) -> Problem: ...

    def tours(self, problem: Problem, solution: Solution) -> tuple[Tour, ...]: ...

    def violations(self, tours: Sequence[Tour]) -> tuple[Violation, ...]: ...

    def value(self, tours: Sequence[Tour]) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One instance measured; ``cost`` is ``None`` unless its checker passed the solution."""

    instance: str
    best_known: float | None
    cost: float | None
    effort: Effort
    violations: tuple[Violation, ...] = ()
    is_maximised: bool = False
    peers: tuple[tuple[str, float | None], ...] = ()
    """Other solvers' values on the same instance, checked by the same rules."""

    @property
    def is_feasible(self) -> bool:
        return self.cost is not None

    @property
    def gap_pct(self) -> float | None:
        """Per cent that the value found is worse than the best known; negative is better."""
        return gap_pct(self.cost, self.best_known, is_maximised=self.is_maximised)


def gap_pct(value: float | None, best_known: float | None, *, is_maximised: bool) -> float | None:
    """Per cent that a value is worse than the best known; ``None`` where either is missing."""
    if value is None or not best_known:
        return None
    worse = best_known - value if is_maximised else value - best_known
    return 100.0 * worse / best_known


def judged(
    instance: Instance, tours: Sequence[Tour], *, best: float | None, effort: Effort
) -> Outcome:
    """The outcome of tours: first the instance's own rules, then, if all hold, the value."""
    violations = instance.violations(tours)
    return Outcome(
        instance=instance.name,
        best_known=best,
        cost=None if violations else instance.value(tours),
        effort=effort,
        violations=violations,
        is_maximised=instance.is_maximised,
    )


def numbered_tours(problem: Problem, solution: Solution, *, first: int) -> tuple[Tour, ...]:
    """The routes of a solution as tours; stop 0 of the search is place ``first`` of the file."""
    return tuple(
        Tour(day=run.day, places=tuple(stop + first for stop in route))
        for run, route in zip(problem.runs, solution.routes, strict=True)
        if route
    )

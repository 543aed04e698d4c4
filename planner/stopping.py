"""When a search stops: work limit, wall-clock guard, cancel."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from planner.params import SolveParams

DETERMINISTIC_PER_STEP = 2e-5
"""Deterministic seconds of set partitioning that go with one step of a chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one set partitioning model may use."""

    seconds: float
    deterministic: float | None
    """Limit in the solver's deterministic time; ``None`` where only the clock counts."""
    workers: int
    max_columns: int


class Clock:
    """The limits of one search and how much of them is used."""

    def __init__(self, params: SolveParams, should_stop: Callable[[], bool] | None = None) -> None:
        self._params = params
        self._should_stop = should_stop
        self._start = time.perf_counter()
        self._is_cancelled = False
        self._has_timed_out = False
        shares = [2.0] + [1.0] * (params.rounds - 1)
        self._shares = [s / sum(shares) for s in shares]

    def elapsed_s(self) -> float:
        return time.perf_counter() - self._start

    def poll(self) -> bool:
        """Ask the caller whether to stop; for the calling thread alone."""
        if not self._is_cancelled and self._should_stop is not None and self._should_stop():
            self._is_cancelled = True
        return self._is_cancelled

    def is_over(self) -> bool:
        """Whether no further work may be done."""
        if self.elapsed_s() >= self._params.time_limit_s:
            self._has_timed_out = True
        return self._is_cancelled or self._has_timed_out

    def round_end_s(self, turn: int) -> float:
        """Elapsed time at which a round's chains end."""
        limit = self._params.time_limit_s
        if self._params.work_limit is not None:
            return limit
        search = limit * (1 - self._params.master_ratio)
        return search * sum(self._shares[: turn + 1]) + (limit - search) * turn / len(self._shares)

    def round_steps(self, turn: int) -> int | None:
        """Steps of each chain in a round, ``None`` without a work limit."""
        total = self._params.work_limit
        if total is None:
            return None
        before = round(total * sum(self._shares[:turn]))
        return max(1, round(total * sum(self._shares[: turn + 1])) - before)

    def fraction(self, steps: int) -> float:
        """Share of the limits that is used after some steps of a chain."""
        by_time = self.elapsed_s() / self._params.time_limit_s
        total = self._params.work_limit
        return min(1.0, max(by_time, steps / total if total is not None else 0.0))

    def budget(self) -> Budget:
        """What the set partitioning after a round may use."""
        total = self._params.work_limit
        left = max(0.0, self._params.time_limit_s - self.elapsed_s())
        share = self._params.time_limit_s * self._params.master_ratio / self._params.rounds
        if share == 0:
            left = 0.0
        if total is None:
            return Budget(
                seconds=min(left, share),
                deterministic=None,
                workers=self._params.workers,
                max_columns=self._params.pool_limit,
            )
        return Budget(
            seconds=left if self._params.master_ratio > 0 else 0.0,
            deterministic=max(0.2, total * DETERMINISTIC_PER_STEP / self._params.rounds),
            workers=1,
            max_columns=self._params.pool_limit,
        )

    def reason(self) -> str:
        """Why the search ended, as ``Provenance.stopped_by`` says it."""
        if self._is_cancelled:
            return "cancelled"
        if self._params.work_limit is not None and not self._has_timed_out:
            return "work_limit"
        return "time_limit"

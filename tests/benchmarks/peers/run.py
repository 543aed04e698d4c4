"""One solve, in processes of its own: equal wall time, memory given back, nothing left behind."""

import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from api.bench.effort import Effort, Stopwatch
from planner.warm_up import warm_up
from tests.benchmarks.peers.families import OURS, Case, Judged, case_of

FAIR_RATIO = 0.85
"""Share of the processor time that a solve's rivals got, below which it is solved again."""
FULL_RATIO = 0.9
"""Share of the time limit below which a solve ended of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to solve: picklable, so that a process of its own can read it anew."""

    family: str
    file: Path
    legs: Path | None
    spread: float

    def case(self) -> Case:
        return case_of(self.family, self.file, self.legs, self.spread)


def solve_once(asked: Asked, solver: str, seconds: float, seed: int) -> tuple[Judged, Effort]:
    """One solve in this process, and what it took."""
    case = asked.case()
    if solver == OURS or solver not in case.processes:
        warm_up()
    watch = Stopwatch()
    judged = case.solvers[solver](seconds, seed)
    return judged, watch.read()


def solve(asked: Asked, case: Case, solver: str, seconds: float, seed: int) -> dict[str, Any]:
    """The better of a solver's processes, which run side by side."""
    count = case.processes.get(solver, 1)
    seeds = [seed + k for k in range(count)]
    results: list[tuple[Judged, Effort]] = []
    num_ended = 0
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(solve_once, asked, solver, seconds, s) for s in seeds]
        for job in jobs:
            try:
                results.append(job.result())
            except (BrokenProcessPool, MemoryError):  # the system ended it, for want of memory
                gone = Effort(seconds=seconds, cpu_s=0.0, load=os.getloadavg()[0])
                results.append(((None, 0), gone))
                num_ended += 1
    values = [value for (value, _), _ in results if value is not None]
    best = (max if case.is_maximised else min)(values) if values else None
    effort = Effort(
        seconds=max(e.seconds for _, e in results),
        cpu_s=sum(e.cpu_s for _, e in results),
        load=max(e.load for _, e in results),
    )
    return {
        "family": asked.family,
        "instance": case.name,
        "solver": solver,
        "time_limit_s": seconds,
        "seed": seed,
        "value": best,
        "broken_rules": 0 if values else max(number for (_, number), _ in results),
        **effort.to_record(),
        "attempts": 1,
        "processes": count,
        "processes_ended": num_ended,
        "best_known": case.best_known,
        "is_maximised": case.is_maximised,
        **case.facts,
    }


def starved(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of one instance's records those that got clearly less processor time than another.

    A solve that ended before its time, by itself or for want of memory, is none of them.
    """
    full = [
        r
        for r in records
        if r["seconds"] >= FULL_RATIO * r["time_limit_s"] and not r["processes_ended"]
    ]
    most = max((r["cpu_s"] / r["seconds"] for r in full), default=0.0)
    return [r for r in full if r["cpu_s"] / r["seconds"] < FAIR_RATIO * most]

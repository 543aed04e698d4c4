"""One solve, in processes of its own: equal wall time, memory given back, nothing left behind."""

import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from planner.warm_up import warm_up
from tests.benchmarks.peers.families import OURS, Case, Judged, case_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to solve: picklable, so that a process of its own can read it anew."""

    family: str
    file: Path
    legs: Path | None
    spread: float

    def case(self) -> Case:
        return case_of(self.family, self.file, self.legs, self.spread)


def solve_once(asked: Asked, solver: str, seconds: float, seed: int) -> tuple[Judged, float]:
    """One solve in this process, and the seconds it took."""
    case = asked.case()
    if solver == OURS or solver not in case.processes:
        warm_up()
    began = time.perf_counter()
    judged = case.solvers[solver](seconds, seed)
    return judged, time.perf_counter() - began


def solve(asked: Asked, case: Case, solver: str, seconds: float, seed: int) -> dict[str, Any]:
    """The better of a solver's processes, which run side by side."""
    count = case.processes.get(solver, 1)
    seeds = [seed + k for k in range(count)]
    results: list[tuple[Judged, float]] = []
    num_ended = 0
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(solve_once, asked, solver, seconds, s) for s in seeds]
        for job in jobs:
            try:
                results.append(job.result())
            except (BrokenProcessPool, MemoryError):  # the system ended it, for want of memory
                results.append(((None, 0), seconds))
                num_ended += 1
    values = [value for (value, _), _ in results if value is not None]
    best = (max if case.is_maximised else min)(values) if values else None
    return {
        "family": asked.family,
        "instance": case.name,
        "solver": solver,
        "time_limit_s": seconds,
        "seed": seed,
        "value": best,
        "broken_rules": 0 if values else max(number for (_, number), _ in results),
        "seconds": round(max(took for _, took in results), 2),
        "processes": count,
        "processes_ended": num_ended,
        "best_known": case.best_known,
        "is_maximised": case.is_maximised,
        **case.facts,
    }

"""The best solution of a load's program: relaxed first, then decided where that leaves a doubt.

Without the demand for whole numbers the program is solved at once, for thousands of candidates. The
prices of that solution tell which items are clearly in or clearly out; only the others, the core,
go to the integer solver. The relaxed value is a bound that no load at all can pass, so the gap that
is told is honest though most items were never branched on.

References
----------
Balas, Zemel (1980), doi:10.1287/opre.28.5.1130: the core of a large knapsack.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from planner.load_program import GRAIN, Program

CORE_ITEMS = 600
"""So many items are decided by the integer solver, the most doubtful."""
_SURE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Values of the columns, what they gain and what no solution can pass, in grains."""

    values: NDArray[np.int64]
    gain: int
    bound: float
    is_optimal: bool


def solve(program: Program, *, seed: int, work: float, guard_s: float) -> Solution:
    """The best solution within a limit of work.

    Parameters
    ----------
    work, guard_s
        Limits of the integer solver: in its deterministic seconds, and by the clock.
    """
    relaxed, prices, bound = _relaxed(program)
    free = _core(program, relaxed, prices)
    values, is_done = _decided(program, relaxed, free, seed=seed, work=work, guard_s=guard_s)
    gains = np.asarray(program.gains, dtype=np.int64)
    gain = int(gains @ values)
    return Solution(
        values=values,
        gain=gain,
        bound=max(bound, float(gain)),
        is_optimal=is_done and bound - gain < max(1.0, abs(gain) * 1e-9),
    )


def _relaxed(program: Program) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Values, reduced prices and the gain of the program with parts of items allowed."""
    starts = np.concatenate([[0], np.cumsum([len(row.columns) for row in program.rows])])
    columns = np.fromiter((c for row in program.rows for c in row.columns), dtype=np.int32)
    weights = np.fromiter((w for row in program.rows for w in row.weights), dtype=np.float64)
    shape = (len(program.rows), len(program.gains))
    matrix: Any = csr_matrix((weights, columns, starts), shape=shape)
    found: Any = linprog(
        -np.asarray(program.gains, dtype=np.float64) / GRAIN,
        A_ub=matrix,
        b_ub=np.asarray([row.most for row in program.rows], dtype=np.float64),
        bounds=list(zip(program.least, program.most, strict=True)),
        method="highs",
    )
    if found.status != 0:
        raise RuntimeError(f"the relaxed load was not solved: {found.message}")
    prices = (found.lower.marginals + found.upper.marginals) * GRAIN
    return found.x, prices, float(-found.fun * GRAIN)


def _core(
    program: Program, relaxed: NDArray[np.float64], prices: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Columns to be decided: all that count something, and the items of least certain price."""
    items = slice(0, program.num_items)
    doubt = np.abs(prices[items])
    is_whole = np.abs(relaxed[items] - np.round(relaxed[items])) < _SURE
    doubt[~is_whole] = -1.0
    order = np.argsort(doubt, kind="stable")
    free = np.ones(len(program.gains), dtype=np.bool_)
    free[items] = False
    free[order[: max(CORE_ITEMS, int((~is_whole).sum()))]] = True
    return free


def _decided(
    program: Program,
    relaxed: NDArray[np.float64],
    free: NDArray[np.bool_],
    *,
    seed: int,
    work: float,
    guard_s: float,
) -> tuple[NDArray[np.int64], bool]:
    """Whole values: fixed columns as in the relaxed solution, the others by branching."""
    values = np.round(relaxed).astype(np.int64)
    model = cp_model.CpModel()
    variables = {
        int(c): model.new_int_var(program.least[c], program.most[c], "")
        for c in np.flatnonzero(free)
    }
    for row in program.rows:
        own = [(variables[c], w) for c, w in zip(row.columns, row.weights, strict=True) if free[c]]
        fixed = sum(
            w * int(values[c]) for c, w in zip(row.columns, row.weights, strict=True) if not free[c]
        )
        if own:
            left = cp_model.LinearExpr.weighted_sum([v for v, _ in own], [w for _, w in own])
            model.add(left <= row.most - fixed)
    gains = [program.gains[c] for c in variables]
    model.maximize(cp_model.LinearExpr.weighted_sum(list(variables.values()), gains))
    for column, variable in variables.items():
        # Rounded down, a solution of the relaxed program keeps every row but those of misses.
        model.add_hint(variable, int(np.floor(relaxed[column] + _SURE)))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    solver.parameters.max_deterministic_time = work
    solver.parameters.max_time_in_seconds = guard_s
    solver.parameters.relative_gap_limit = 1e-4
    solver.parameters.linearization_level = 2
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        raise RuntimeError(f"no load was found: {solver.status_name(status)}")
    for column, variable in variables.items():
        values[column] = solver.value(variable)
    return values, status == cp_model.OPTIMAL

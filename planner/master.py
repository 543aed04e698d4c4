"""Set partitioning: the best choice among all routes met, with visit options and week limits.

References
----------
Foster, Ryan (1976), doi:10.1057/jors.1976.23: vehicle routes chosen by an integer program.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from math import isnan
from typing import Any

import numpy as np
from ortools.sat.python import cp_model
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from planner.problem import Problem, Solution
from planner.stopping import Budget

COST_GRAIN = 100
"""Costs enter the model in hundredths."""
POLL_S = 0.05
"""How often a running solve looks whether it is cancelled, seconds."""
MOST_LP_COLUMNS = 15_000
MOST_WEIGHT = 2**52
_GAIN_GRAINS = 4096
"""The prize of the longest stays at all stops is told apart to so many parts."""


Key = tuple[int, frozenset[tuple[int, float | None]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A route that keeps every rule of its vehicle-day.

    ``slots`` are in order of driving; ``anchors`` are their stops' nominal starts, ``None`` where
    no clock-time rule applies.
    """

    run: int
    stops: tuple[int, ...]
    slots: tuple[int, ...]
    anchors: tuple[float | None, ...]
    cost: float
    work: float
    drive: float

    def key(self, group: Sequence[int]) -> Key:
        """What makes two routes the same: their kind of vehicle-day and their visits."""
        return group[self.run], frozenset(zip(self.slots, self.anchors, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """A limit on what the chosen routes add up to: of kilometres, of hours."""

    amount: Callable[[Column], float]
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """Something that counts as covered where one of its stops is served."""

    weight: int
    stops: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Further limits on a choice of routes: sums, and the weight of what may stay uncovered."""

    sums: tuple[Sum, ...] = ()
    covers: tuple[Cover, ...] = ()
    most_uncovered: int = 0


NO_SIDE = Side()


@dataclass(slots=True)
class _Rows:
    """Linear rows over columns (x), options (y), unserved stops (u) and uncovered things (m)."""

    kinds: list[tuple[str, Any]] = field(default_factory=list)
    equal: list[tuple[list[int], list[float], float]] = field(default_factory=list)
    at_most: list[tuple[list[int], list[float], float]] = field(default_factory=list)
    weight: list[int] = field(default_factory=list)

    def variable(self, kind: str, what: Any, weight: int) -> int:
        self.kinds.append((kind, what))
        self.weight.append(weight)
        return len(self.kinds) - 1


def nominal(solution: Solution, stop: int) -> float | None:
    """Nominal start of a stop, ``None`` where no clock-time rule applies."""
    anchor = solution.anchor[stop]
    return None if isnan(anchor) else anchor


def groups_of(problem: Problem) -> list[int]:
    """For each vehicle-day the first one that is its equal in all but the vehicle's name."""
    first: dict[object, int] = {}
    group = []
    for row, run in enumerate(problem.runs):
        vehicle = (run.vehicle,) if run.week >= 0 else tuple(problem.may_serve[:, run.vehicle])
        names = [f for f in run.__dataclass_fields__ if f not in ("vehicle", "week")]
        kind = (tuple(getattr(run, f) for f in names), vehicle)
        group.append(first.setdefault(kind, row))
    return group


def choose(
    problem: Problem,
    columns: Mapping[Key, Column],
    incumbent: Solution,
    used: frozenset[Key],
    budget: Budget,
    is_cancelled: Callable[[], bool] = lambda: False,
    side: Side = NO_SIDE,
) -> tuple[dict[int, Column], dict[int, int], str] | None:
    """The best set of columns within the budget.

    Parameters
    ----------
    columns
        Routes to choose from by their key.
    used
        Keys of the incumbent's routes, which are among them.
    side
        Limits besides those of the problem; the incumbent, a hint, need not keep them.

    Returns
    -------
    tuple or None
        Column of each used vehicle-day, option of each served stop, and the solver's status;
        ``None`` if nothing was found.
    """
    if budget.seconds < 0.05 or not columns:
        return None
    began = time.perf_counter()
    group = groups_of(problem)
    kept = list(columns.values())
    if len(kept) > budget.max_columns:
        kept = _by_reduced_cost(problem, kept, incumbent, used, budget, group, side)
    rows = _state(problem, kept, incumbent, side)
    model = cp_model.CpModel()
    variables = [model.new_bool_var("") for _ in rows.kinds]
    for numbers, factors, right in rows.equal:
        whole = [int(f) for f in factors]
        model.add(
            cp_model.LinearExpr.weighted_sum([variables[k] for k in numbers], whole) == int(right)
        )
    for numbers, factors, right in rows.at_most:
        whole = [int(np.ceil(f)) for f in factors]
        model.add(
            cp_model.LinearExpr.weighted_sum([variables[k] for k in numbers], whole)
            <= int(np.floor(right))
        )
    model.minimize(cp_model.LinearExpr.weighted_sum(variables, rows.weight))
    _hint(model, variables, rows, kept, incumbent, used, group, side)
    solver = cp_model.CpSolver()
    left = budget.seconds - (time.perf_counter() - began)
    solver.parameters.max_time_in_seconds = max(0.05, left)
    solver.parameters.num_workers = budget.workers
    solver.parameters.random_seed = 1
    # On these models probing takes longer than the whole search that follows.
    solver.parameters.cp_model_probing_level = 0
    solver.parameters.symmetry_level = 0
    if budget.deterministic is not None:
        solver.parameters.max_deterministic_time = budget.deterministic
    # The solver's own handler would swallow Ctrl-C and leave the default one, which kills.
    solver.parameters.catch_sigint_signal = False
    status = _solve(solver, model, is_cancelled)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    values = [bool(solver.value(v)) for v in variables]
    chosen, option = _read(problem, kept, rows, values)
    return chosen, option, str(solver.status_name(status))


def _solve(
    solver: cp_model.CpSolver, model: cp_model.CpModel, is_cancelled: Callable[[], bool]
) -> cp_model.CpSolverStatus:
    """Solve in a thread of its own, so that a Ctrl-C is heard and ends the search at once."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        solving = pool.submit(solver.solve, model)
        while not wait([solving], timeout=POLL_S).done:
            if is_cancelled():
                solver.stop_search()
        return solving.result()


def _weights(problem: Problem, columns: Sequence[Column]) -> tuple[list[int], list[int]]:
    """Whole-number weights of columns and of unserved stops, in lexicographic order.

    One grain of prize outweighs the dearest choice of columns, one mandatory stop all prizes.
    Where that would leave the range of whole numbers, prizes are rounded to a coarser grain.
    What longer stays would bring weighs on the columns, in equal parts on the visits of a stop.
    """
    costs = [round(c.cost * COST_GRAIN) for c in columns]
    dearest: dict[int, int] = defaultdict(int)
    cheapest: dict[int, int] = defaultdict(int)
    for column, cost in zip(columns, costs, strict=True):
        dearest[column.run] = max(dearest[column.run], cost)
        cheapest[column.run] = min(cheapest[column.run], cost)
    step = sum(dearest.values()) - sum(cheapest.values()) + 1
    optional = np.where(problem.mandatory, 0.0, problem.prize)
    most_gain = problem.most_gain()
    grain = 1.0 if np.all(optional == np.round(optional)) else 0.01
    if problem.has_levels:
        grain = min(grain, max(most_gain.sum() / _GAIN_GRAINS, 1e-12))
        optional = optional + most_gain
    total = max(1.0, float(optional.sum()) / grain)
    missing = int(problem.mandatory.sum()) + 1
    while step * (total + 2) * missing > MOST_WEIGHT and total > 1:
        grain *= 2
        total /= 2
    if problem.has_levels:
        loss = _slot_losses(problem)
        costs = [
            cost + step * round(sum(loss[slot] for slot in column.slots) / grain)
            for column, cost in zip(columns, costs, strict=True)
        ]
    prizes = [step * round(float(p) / grain) for p in optional]
    all_prizes = sum(prizes) + step
    return costs, [all_prizes if m else p for m, p in zip(problem.mandatory, prizes, strict=True)]


def _slot_losses(problem: Problem) -> list[float]:
    """For each slot its part of the prize that a longer stay at its stop would bring."""
    loss = np.zeros(len(problem.slot_day))
    most = problem.most_gain()
    for stop in range(problem.num_stops):
        for option in range(int(problem.option_ptr[stop]), int(problem.option_ptr[stop + 1])):
            first, last = problem.option_slot_ptr[option : option + 2]
            slots = problem.option_slot[first:last]
            loss[slots] = (most[stop] - problem.option_gain[option]) / len(slots)
    return [float(x) for x in loss]


def _state(problem: Problem, columns: Sequence[Column], incumbent: Solution, side: Side) -> _Rows:
    """The rows of the model over some columns.

    Where the incumbent serves all mandatory stops, none may be left out.
    """
    rows = _Rows()
    costs, missing = _weights(problem, columns)
    for k, cost in enumerate(costs):
        rows.variable("x", k, cost)
    by_stop: dict[int, list[int]] = defaultdict(list)
    by_visit: dict[tuple[int, float | None], list[int]] = defaultdict(list)
    anchors: dict[int, set[float]] = defaultdict(set)
    group = groups_of(problem)
    by_group: dict[int, list[int]] = defaultdict(list)
    for k, column in enumerate(columns):
        by_group[group[column.run]].append(k)
        for stop, slot, anchor in zip(column.stops, column.slots, column.anchors, strict=True):
            by_stop[stop].append(k)
            by_visit[slot, anchor].append(k)
            if anchor is not None:
                anchors[stop].add(anchor)
    size = {g: group.count(g) for g in set(group)}
    for g, numbers in sorted(by_group.items()):
        rows.at_most.append((numbers, [1.0] * len(numbers), float(size[g])))
    left_out: dict[int, int | None] = {}
    for stop in range(problem.num_stops):
        if by_stop[stop]:
            is_due = bool(problem.mandatory[stop]) and incumbent.mandatory_unserved == 0
            unserved = [] if is_due else [rows.variable("u", stop, missing[stop])]
            left_out[stop] = unserved[0] if unserved else None
            _state_stop(problem, rows, stop, by_stop[stop], by_visit, anchors[stop], unserved)
    _state_weeks(problem, rows, columns)
    _state_side(rows, columns, side, left_out)
    return rows


def _state_stop(
    problem: Problem,
    rows: _Rows,
    stop: int,
    numbers: list[int],
    by_visit: Mapping[tuple[int, float | None], list[int]],
    anchors: set[float],
    unserved: list[int],
) -> None:
    """One option or none; each of its slots is visited exactly once, at one nominal start."""
    options = range(int(problem.option_ptr[stop]), int(problem.option_ptr[stop + 1]))
    slots_of = {
        o: problem.option_slot[problem.option_slot_ptr[o] : problem.option_slot_ptr[o + 1]]
        for o in options
    }
    if all(len(s) == 1 for s in slots_of.values()):
        rows.equal.append(([*numbers, *unserved], [1.0] * len([*numbers, *unserved]), 1.0))
        return
    chosen: list[int] = list(unserved)
    visits: dict[tuple[int, float | None], list[int]] = {
        (slot, anchor): []
        for slot in range(int(problem.slot_ptr[stop]), int(problem.slot_ptr[stop + 1]))
        for anchor in (None, *sorted(anchors))
        if by_visit.get((slot, anchor))
    }
    for option, slots in slots_of.items():
        for anchor in (None, *sorted(anchors)):
            if all((int(s), anchor) in visits for s in slots):
                y = rows.variable("y", (stop, option, anchor), 0)
                chosen.append(y)
                for s in slots:
                    visits[int(s), anchor].append(y)
    rows.equal.append((chosen, [1.0] * len(chosen), 1.0))
    for key, ys in visits.items():
        xs = by_visit[key]
        rows.equal.append(([*xs, *ys], [1.0] * len(xs) + [-1.0] * len(ys), 0.0))


def _state_side(
    rows: _Rows, columns: Sequence[Column], side: Side, left_out: Mapping[int, int | None]
) -> None:
    """Sums of the chosen routes, and the weight of what no served stop covers.

    ``left_out[stop]`` is the variable of the stop's being unserved, ``None`` where it never is; a
    stop that no column visits is not in it.
    """
    numbers = list(range(len(columns)))
    for limit in side.sums:
        rows.at_most.append((numbers, [limit.amount(c) for c in columns], limit.most))
    missed, weights = [], []
    for k, cover in enumerate(side.covers):
        known = [s for s in sorted(cover.stops) if s in left_out]
        without = [u for s in known if (u := left_out[s]) is not None]
        if len(without) < len(known):
            continue
        m = rows.variable("m", k, 0)
        # All stops unserved leaves it uncovered.
        rows.at_most.append(
            ([*without, m], [1.0] * len(without) + [-1.0], float(max(0, len(without) - 1)))
        )
        if not without:
            rows.equal.append(([m], [1.0], 1.0))
        missed.append(m)
        weights.append(float(cover.weight))
    if missed:
        rows.at_most.append((missed, weights, float(side.most_uncovered)))


def _state_weeks(problem: Problem, rows: _Rows, columns: Sequence[Column]) -> None:
    """Weekly and two-week sums of work and driving."""
    by_week: dict[int, list[int]] = defaultdict(list)
    for k, column in enumerate(columns):
        row = problem.runs[column.run].week
        if row >= 0:
            by_week[row].append(k)
    for number, week in enumerate(problem.weeks):
        own = by_week[number]
        after = by_week[week.next_week]
        twice = 2.0 if week.next_week == number else 1.0
        drive = [columns[k].drive for k in own]
        if np.isfinite(week.max_work):
            rows.at_most.append((own, [columns[k].work for k in own], week.max_work))
        if np.isfinite(week.max_drive):
            rows.at_most.append((own, drive, week.max_drive))
        if np.isfinite(week.max_drive_with_next):
            both = own if twice == 2.0 else [*own, *after]
            sums = [twice * columns[k].drive for k in both]
            rows.at_most.append((both, sums, week.max_drive_with_next))


def _by_reduced_cost(
    problem: Problem,
    columns: list[Column],
    incumbent: Solution,
    used: frozenset[Key],
    budget: Budget,
    group: Sequence[int],
    side: Side,
) -> list[Column]:
    """The columns of least reduced cost in the linear relaxation, the incumbent's among them."""
    columns = columns[-MOST_LP_COLUMNS:] + [
        c for c in columns[:-MOST_LP_COLUMNS] if c.key(group) in used
    ]
    rows = _state(problem, columns, incumbent, side)
    num = len(rows.kinds)
    weight = np.array(rows.weight, np.float64)
    weight /= max(1.0, float(np.median(weight[: len(columns)])))
    weight = np.minimum(weight, 1e5)
    options: dict[str, Any] = {"presolve": True}
    if budget.deterministic is None:
        options["time_limit"] = max(0.2, budget.seconds / 3)
    solve: Any = linprog  # its stubs know no sparse matrices
    answer = solve(
        weight,
        A_eq=_matrix(rows.equal, num),
        b_eq=[right for _, _, right in rows.equal],
        A_ub=_matrix(rows.at_most, num),
        b_ub=[right for _, _, right in rows.at_most],
        bounds=(0, None),
        method="highs",
        options=options,
    )
    if answer.x is None or answer.status != 0:
        order = np.arange(len(columns))[::-1]
    else:
        reduced = np.asarray(answer.lower.marginals)[: len(columns)]
        order = np.argsort(reduced, kind="stable")
    kept = {int(k) for k in order[: budget.max_columns]}
    kept |= {k for k, c in enumerate(columns) if c.key(group) in used}
    return [columns[k] for k in sorted(kept)]


def _matrix(
    rows: Sequence[tuple[list[int], list[float], float]], num: int
) -> "csr_matrix[np.float64]":
    ptr = np.cumsum([0] + [len(numbers) for numbers, _, _ in rows])
    index = [k for numbers, _, _ in rows for k in numbers]
    value = [f for _, factors, _ in rows for f in factors]
    return csr_matrix((np.array(value, np.float64), index, ptr), shape=(len(rows), num))


def _hint(
    model: cp_model.CpModel,
    variables: Sequence[cp_model.IntVar],
    rows: _Rows,
    columns: Sequence[Column],
    incumbent: Solution,
    used: frozenset[Key],
    group: Sequence[int],
    side: Side,
) -> None:
    """Start the solver from the incumbent."""
    for number, (kind, what) in enumerate(rows.kinds):
        if kind == "x":
            value = columns[what].key(group) in used
        elif kind == "y":
            stop, option, anchor = what
            value = incumbent.option[stop] == option and anchor == nominal(incumbent, stop)
        elif kind == "m":
            value = all(incumbent.option[stop] < 0 for stop in side.covers[what].stops)
        else:
            value = incumbent.option[what] < 0
        model.add_hint(variables[number], value)


def _read(
    problem: Problem, columns: Sequence[Column], rows: _Rows, values: Sequence[bool]
) -> tuple[dict[int, Column], dict[int, int]]:
    """Chosen columns on vehicle-days and chosen options."""
    group = groups_of(problem)
    free: dict[int, list[int]] = defaultdict(list)
    for row, g in enumerate(group):
        free[g].append(row)
    chosen: dict[int, Column] = {}
    option: dict[int, int] = {}
    for (kind, what), value in zip(rows.kinds, values, strict=True):
        if not value:
            continue
        if kind == "x":
            column = columns[what]
            rest = free[group[column.run]]
            chosen[rest.pop(rest.index(column.run) if column.run in rest else 0)] = column
        elif kind == "y":
            option[what[0]] = what[1]
    single: dict[int, int] = {}
    for stop in range(problem.num_stops):
        for o in range(int(problem.option_ptr[stop]), int(problem.option_ptr[stop + 1])):
            first, last = problem.option_slot_ptr[o : o + 2]
            if last - first == 1:
                single.setdefault(int(problem.option_slot[first]), o)
    for column in chosen.values():
        for stop, slot in zip(column.stops, column.slots, strict=True):
            option.setdefault(stop, single.get(slot, -1))
    return chosen, option

"""Solutions as kernel states and as columns, and back."""

from collections.abc import Mapping
from itertools import pairwise
from math import isnan

from planner.kernel.arrays import new_state, pack
from planner.kernel.layout import BIG, COST, DRIVE, EPS, HI, LO, WORK, State
from planner.kernel.runs import refresh
from planner.master import Column, Key
from planner.problem import Problem, Solution


def read_state(problem: Problem, state: State) -> Solution:
    """A kernel state as a ``Solution``."""
    routes = tuple(
        tuple(int(s) for s in state.seq[r, 1 : 1 + int(state.length[r])])
        for r in range(problem.num_runs)
    )
    return make_solution(
        problem,
        routes,
        tuple(int(o) for o in state.option),
        tuple(
            float(a) if a < BIG and o >= 0 else float("nan")
            for a, o in zip(state.anchor, state.option, strict=True)
        ),
        "",
    )


def make_solution(
    problem: Problem,
    routes: tuple[tuple[int, ...], ...],
    option: tuple[int, ...],
    anchor: tuple[float, ...],
    stopped_by: str,
) -> Solution:
    """A solution with its sums computed from the problem."""
    cost = 0.0
    for run, stops in zip(problem.runs, routes, strict=True):
        if stops:
            path = [run.start_node, *stops, run.end_node]
            table = problem.cost[run.travel_class]
            cost += sum(float(table[i, j]) for i, j in pairwise(path))
            cost += run.fixed_cost
    unserved = tuple(s for s, o in enumerate(option) if o < 0)
    return Solution(
        routes=routes,
        option=option,
        anchor=anchor,
        unserved=unserved,
        mandatory_unserved=sum(bool(problem.mandatory[s]) for s in unserved),
        prize=float(
            sum(
                problem.prize[s]
                for s in range(problem.num_stops)
                if option[s] >= 0 and not problem.mandatory[s]
            )
            + sum(problem.option_gain[o] for o in option if o >= 0)
        ),
        cost=cost,
        stopped_by=stopped_by,
    )


def write_state(problem: Problem, solution: Solution, state: State) -> None:
    """Set a kernel state from a solution."""
    state.length[:] = 0
    state.tot[:] = 0
    state.week[:] = 0
    state.option[:] = solution.option
    state.anchor[:] = [BIG if isnan(a) else a for a in solution.anchor]
    slot_of = {}
    for stop, option in enumerate(solution.option):
        if option < 0:
            continue
        first, last = problem.option_slot_ptr[option : option + 2]
        for visit, slot in enumerate(problem.option_slot[first:last]):
            slot_of[stop, int(problem.slot_day[slot])] = (int(slot), visit)
    for row, (run, stops) in enumerate(zip(problem.runs, solution.routes, strict=True)):
        state.length[row] = len(stops)
        for at, stop in enumerate(stops, 1):
            slot, visit = slot_of[stop, run.day]
            anchor, tolerance = solution.anchor[stop], problem.clock_tolerance[stop]
            lo, hi = problem.slot_lo[slot], problem.slot_hi[slot]
            if not isnan(anchor):
                lo, hi = max(lo, anchor - tolerance), min(hi, anchor + tolerance)
            state.seq[row, at] = stop
            state.slot[row, at] = slot
            state.seg[row, at, LO] = max(lo, -BIG)
            state.seg[row, at, HI] = min(hi, BIG)
            state.stay[row, at] = problem.occupied[stop] + problem.slot_extra[slot]
            state.place[stop, visit] = row


def columns_of(problem: Problem, solution: Solution) -> list[Column]:
    """The routes of a solution as columns."""
    data, state = pack(problem), new_state(problem)
    write_state(problem, solution, state)
    for run in range(problem.num_runs):
        refresh(data, state, run)
    return state_columns(problem, state)


def state_columns(problem: Problem, state: State) -> list[Column]:
    """The routes of a state as columns."""
    columns = []
    for run in range(problem.num_runs):
        last = int(state.length[run]) + 1
        if last == 1:
            continue
        stops = tuple(state.seq[run, 1:last].tolist())
        anchors = state.anchor[list(stops)].tolist()
        columns.append(
            Column(
                run=run,
                stops=stops,
                slots=tuple(state.slot[run, 1:last].tolist()),
                anchors=tuple(a if a < BIG else None for a in anchors),
                cost=float(state.tot[run, COST]),
                work=float(state.tot[run, WORK]),
                drive=float(state.tot[run, DRIVE]),
            )
        )
    return columns


def add_column(columns: dict[Key, Column], column: Column, group: list[int]) -> None:
    """Keep a route unless its stops are known in a cheaper order."""
    key = column.key(group)
    known = columns.get(key)
    if known is None or column.cost < known.cost - EPS:
        columns[key] = column


def assembled(
    problem: Problem, chosen: Mapping[int, Column], option: Mapping[int, int]
) -> Solution:
    """The solution that the chosen columns make, as ``planner.master.choose`` gives them."""
    routes: list[tuple[int, ...]] = [()] * problem.num_runs
    anchor = [float("nan")] * problem.num_stops
    for run, column in chosen.items():
        routes[run] = column.stops
        for stop, when in zip(column.stops, column.anchors, strict=True):
            anchor[stop] = float("nan") if when is None else when
    options = tuple(option.get(s, -1) for s in range(problem.num_stops))
    return make_solution(problem, tuple(routes), options, tuple(anchor), "")

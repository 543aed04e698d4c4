"""An earlier plan as a start of the search: what still holds is kept, the rest is left out.

The plan may answer another request: stops may be gone, rules may have changed. A visit holds if
its vehicle goes that day, may serve the stop and finds a slot at that time; a stop is kept if all
its visits hold together; and from a run that breaks a limit stops are taken, the least wanted
first, until the rest keeps every limit.
"""

from collections.abc import Iterator
from math import isfinite, nan

from data.model.plan import Plan
from planner.compile import Compiled
from planner.kernel.arrays import new_state, pack
from planner.kernel.layout import WORK, Data, State
from planner.kernel.runs import refresh
from planner.problem import NO_LIMIT, Problem, Solution
from planner.solutions import make_solution, write_state

_Visits = dict[int, dict[int, float]]
"""By stop: the start of the occupied time by vehicle-day."""


def solution_of(compiled: Compiled, plan: Plan) -> Solution:
    """The part of a plan that keeps every rule of the compiled request.

    Visits keep their vehicle, day and order; their clock times hold within the tolerance of the
    request.
    """
    problem = compiled.problem
    visits = _known_visits(compiled, plan)
    open_s = _extra_s(compiled, plan)
    option: dict[int, int] = {}
    anchor: dict[int, float] = {}
    for stop, starts in visits.items():
        found = _option(problem, stop, starts, open_s.get(stop, 0.0))
        if found is not None:
            option[stop], anchor[stop] = found
    data = pack(problem)
    room = int(new_state(problem).seq.shape[1]) - 2
    while True:
        solution = _solution(problem, visits, option, anchor)
        row = next((r for r, s in enumerate(solution.routes) if len(s) > room), None)
        if row is None:
            row = _broken(problem, data, solution)
        if row is None:
            return solution
        del option[_least_wanted(problem, solution.routes[row])]


def _known_visits(compiled: Compiled, plan: Plan) -> _Visits:
    """The plan's visits by index, those left out whose stop, vehicle or day is gone."""
    request, problem = compiled.request, compiled.problem
    stops = {s.stop_id: k for k, s in enumerate(request.stops)}
    rows = {
        (request.vehicles[compiled.vehicle_of(r)].vehicle_id, r.day): row
        for row, r in enumerate(problem.runs)
    }
    visits: _Visits = {}
    for run in plan.runs:
        row = rows.get((run.vehicle_id, run.day))
        for visit in run.visits:
            stop = stops.get(visit.stop_id)
            if (
                row is None
                or stop is None
                or not problem.may_serve[stop, problem.runs[row].vehicle]
            ):
                continue
            start = visit.start_s - request.stops[stop].setup_s
            visits.setdefault(stop, {})[row] = float(start)
    return visits


def _extra_s(compiled: Compiled, plan: Plan) -> dict[int, float]:
    """By stop the least time beyond what it is owed that its visits are open for."""
    stops = {s.stop_id: k for k, s in enumerate(compiled.request.stops)}
    extra: dict[int, float] = {}
    for run in plan.runs:
        for visit in run.visits:
            stop = stops.get(visit.stop_id)
            if stop is not None:
                longer = visit.end_s - visit.start_s - compiled.request.stops[stop].service_s
                extra[stop] = min(extra.get(stop, NO_LIMIT), float(longer))
    return extra


def _option(
    problem: Problem, stop: int, starts: dict[int, float], extra_s: float
) -> tuple[int, float] | None:
    """The option that the visits are, with the nominal start; ``None`` if they are none.

    Of several lengths of stay it is the longest that is no longer than theirs, else the least.
    """
    by_day = {problem.runs[row].day: start for row, start in starts.items()}
    if len(by_day) < len(starts):
        return None
    nominal = _nominal(problem, stop, list(by_day.values()))
    if nominal is None:
        return None
    numbers = range(int(problem.option_ptr[stop]), int(problem.option_ptr[stop + 1]))
    fitting = [o for o in numbers if problem.option_extra[o] <= extra_s]
    for option in sorted(fitting, key=lambda o: -problem.option_extra[o]) or numbers:
        slots = problem.slots_of_option(option)
        if {day for day, _, _ in slots} == by_day.keys() and all(
            lo <= by_day[day] <= hi for day, lo, hi in slots
        ):
            return option, nominal
    return None


def _nominal(problem: Problem, stop: int, starts: list[float]) -> float | None:
    """A nominal start near all visits, ``nan`` where no such rule applies, ``None`` if too far."""
    tolerance = float(problem.clock_tolerance[stop])
    if len(starts) < 2 or not isfinite(tolerance):
        return nan
    low, high = max(starts) - tolerance, min(starts) + tolerance
    if low > high:
        return None
    grid = problem.clock_grid
    middle = (low + high) / 2
    on_grid = (round(middle / grid) * grid, -(-low // grid) * grid)
    return next((float(a) for a in on_grid if low <= a <= high), float(middle // 1))


def _solution(
    problem: Problem, visits: _Visits, option: dict[int, int], anchor: dict[int, float]
) -> Solution:
    routes: list[list[tuple[float, int]]] = [[] for _ in problem.runs]
    for stop in option:
        for row, start in visits[stop].items():
            routes[row].append((start, stop))
    n = problem.num_stops
    return make_solution(
        problem,
        tuple(tuple(stop for _, stop in sorted(route)) for route in routes),
        tuple(option.get(s, -1) for s in range(n)),
        tuple(anchor[s] if s in option else nan for s in range(n)),
        "",
    )


def _broken(problem: Problem, data: Data, solution: Solution) -> int | None:
    """A vehicle-day that breaks a limit of its own, or the longest of a week that breaks one."""
    state = new_state(problem)
    write_state(problem, solution, state)
    for row in range(problem.num_runs):
        run = problem.runs[row]
        is_short = run.max_stops is None or len(solution.routes[row]) <= run.max_stops
        if (
            not refresh(data, state, row)
            or not is_short
            or not _keeps_drive(problem, solution, row)
        ):
            return row
    return next(_over_week(problem, state), None)


def _keeps_drive(problem: Problem, solution: Solution, row: int) -> bool:
    """Whether the driving and load of a vehicle-day keep their limits."""
    run, stops = problem.runs[row], list(solution.routes[row])
    if not stops:
        return True
    path = [run.start_node, *stops, run.end_node]
    drive = float(problem.time[run.travel_class][path[:-1], path[1:]].sum())
    return drive <= run.max_drive and float(problem.demand[stops].sum()) <= run.capacity


def _over_week(problem: Problem, state: State) -> Iterator[int]:
    """The longest vehicle-day of every week that works or drives too much."""
    for number, week in enumerate(problem.weeks):
        work, drive = state.week[number]
        pair = drive + state.week[week.next_week, 1]
        if work > week.max_work or drive > week.max_drive or pair > week.max_drive_with_next:
            rows = [r for r, run in enumerate(problem.runs) if run.week == number]
            used = [r for r in rows if state.length[r]]
            if used:
                yield max(used, key=lambda r: float(state.tot[r, WORK]))


def _least_wanted(problem: Problem, stops: tuple[int, ...]) -> int:
    return min(stops, key=lambda s: (bool(problem.mandatory[s]), float(problem.prize[s]), s))

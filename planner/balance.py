"""Even work between weeks and equal vehicles, at no cost to anything else.

On which of several possible days a run is made, and by which of two equal vehicles, changes
neither travel nor people reached; the choice is used to even out the work.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from data.model.calendar import DAYS_PER_WEEK
from planner.problem import Problem, Solution


def even_out(problem: Problem, solution: Solution, work: Sequence[float]) -> Solution:
    """The same runs on days and vehicles that share the work more evenly.

    First a vehicle's runs are spread over its weeks, as far as their stops may be visited on
    another day at the same times; then the runs of a day are dealt out among equal vehicles, so
    that a stop keeps its vehicle and the vehicles work about equally.

    Parameters
    ----------
    work
        Work of each vehicle-day in the solution.

    Returns
    -------
    Solution
        The given one where the moved runs would break a week's limit.
    """
    spread, spread_work = _spread(problem, solution, list(work))
    dealt = _dealt(problem, spread, spread_work)
    if _keeps_weeks(problem, spread, spread_work, dealt):
        return _with_routes(problem, spread, dealt)
    return solution


def _spread(
    problem: Problem, solution: Solution, work: list[float]
) -> tuple[Solution, list[float]]:
    """Runs moved from a vehicle's busiest week to its idlest, while that evens the weeks."""
    routes, option = list(solution.routes), list(solution.option)
    rows: dict[int, list[int]] = defaultdict(list)
    for row, run in enumerate(problem.runs):
        rows[run.vehicle].append(row)
    for own in rows.values():
        weeks = {problem.runs[r].day // DAYS_PER_WEEK for r in own}
        loads = dict.fromkeys(weeks, 0.0)
        for row in own:
            loads[problem.runs[row].day // DAYS_PER_WEEK] += work[row]
        while len(weeks) > 1:
            busy, idle = (
                max(weeks, key=lambda w: (loads[w], -w)),
                min(weeks, key=lambda w: (loads[w], w)),
            )
            move = _best_move(problem, routes, option, work, own, busy, idle, loads)
            if move is None:
                break
            source, target, chosen = move
            routes[target], routes[source] = routes[source], ()
            work[target], work[source] = work[source], 0.0
            for stop, number in zip(routes[target], chosen, strict=True):
                option[stop] = number
            loads[busy] -= work[target]
            loads[idle] += work[target]
    return replace(solution, routes=tuple(routes), option=tuple(option)), work


def _best_move(
    problem: Problem,
    routes: list[tuple[int, ...]],
    option: list[int],
    work: list[float],
    rows: list[int],
    busy: int,
    idle: int,
    loads: dict[int, float],
) -> tuple[int, int, list[int]] | None:
    """Run, free vehicle-day and options of the move that brings two weeks closest, if any does."""
    gap = loads[busy] - loads[idle]
    best: tuple[float, bool, int, int, list[int]] | None = None
    for source in rows:
        if problem.runs[source].day // DAYS_PER_WEEK != busy or not 0 < work[source] < gap:
            continue
        for target in rows:
            if problem.runs[target].day // DAYS_PER_WEEK != idle or routes[target]:
                continue
            chosen = _options_on(problem, routes[source], option, source, target)
            if chosen is None:
                continue
            days = problem.runs[source].day, problem.runs[target].day
            is_other = days[0] % DAYS_PER_WEEK != days[1] % DAYS_PER_WEEK
            found = (abs(gap - 2 * work[source]), is_other, source, target, chosen)
            best = found if best is None or found[:4] < best[:4] else best
    return None if best is None else best[2:]


def _options_on(
    problem: Problem, stops: tuple[int, ...], option: list[int], source: int, target: int
) -> list[int] | None:
    """Options that visit the stops on the target's day at the same times, once each."""
    day = problem.runs[target].day
    if replace(problem.runs[source], day=day, week=0) != replace(problem.runs[target], week=0):
        return None
    chosen = []
    for stop in stops:
        now = problem.slots_of_option(option[stop])
        wanted = ((day, *now[0][1:]),)
        first, last = problem.option_ptr[stop : stop + 2]
        extra = problem.option_extra[option[stop]]
        alike = [o for o in range(first, last) if problem.option_extra[o] == extra]
        found = next((o for o in alike if problem.slots_of_option(o) == wanted), None)
        if len(now) != 1 or found is None:
            return None
        chosen.append(found)
    return chosen


def _dealt(problem: Problem, solution: Solution, work: Sequence[float]) -> dict[int, int]:
    """For each vehicle-day the one whose run it takes, among equal vehicles of a day."""
    days: dict[tuple[int, object], list[int]] = defaultdict(list)
    for row in range(problem.num_runs):
        days[problem.runs[row].day, _kind(problem, row)].append(row)
    week_work: dict[tuple[int, int], float] = defaultdict(float)
    total: dict[int, float] = defaultdict(float)
    keeper: dict[int, int] = {}
    moved = {}
    for (day, _), rows in sorted(days.items(), key=lambda item: (item[0][0], item[1][0])):
        week = day // DAYS_PER_WEEK
        free = list(rows)
        for source in sorted(rows, key=lambda r: (-work[r], r)):
            kept = Counter(keeper[s] for s in solution.routes[source] if s in keeper)
            vehicles = {r: problem.runs[r].vehicle for r in free}
            target = min(
                free,
                key=lambda r: (
                    -kept[vehicles[r]],
                    week_work[vehicles[r], week],
                    total[vehicles[r]],
                    r,
                ),
            )
            free.remove(target)
            moved[target] = source
            keeper.update(dict.fromkeys(solution.routes[source], vehicles[target]))
            week_work[vehicles[target], week] += work[source]
            total[vehicles[target]] += work[source]
    return moved


def _with_routes(problem: Problem, solution: Solution, moved: dict[int, int]) -> Solution:
    routes = tuple(solution.routes[moved[r]] for r in range(problem.num_runs))
    return replace(solution, routes=routes)


def _kind(problem: Problem, row: int) -> object:
    """All that a vehicle-day must share with another to make its run."""
    run = problem.runs[row]
    names = [f for f in run.__dataclass_fields__ if f not in ("vehicle", "week")]
    limits: tuple[float, ...] = ()
    if run.week >= 0:
        week = problem.weeks[run.week]
        limits = (week.max_work, week.max_drive, week.max_drive_with_next)
    able = tuple(problem.may_serve[:, run.vehicle].tolist())
    return (*(getattr(run, n) for n in names), limits, able)


def _keeps_weeks(
    problem: Problem, solution: Solution, work: Sequence[float], moved: dict[int, int]
) -> bool:
    """Whether the week limits hold with the runs where they were moved."""
    works = [0.0] * len(problem.weeks)
    drives = [0.0] * len(problem.weeks)
    for target, source in moved.items():
        run = problem.runs[target]
        stops = solution.routes[source]
        if run.week >= 0 and stops:
            path = [run.start_node, *stops, run.end_node]
            legs = problem.time[run.travel_class][path[:-1], path[1:]]
            works[run.week] += work[source]
            drives[run.week] += float(legs.sum())
    return all(
        works[k] <= week.max_work
        and drives[k] <= week.max_drive
        and drives[k] + drives[week.next_week] <= week.max_drive_with_next
        for k, week in enumerate(problem.weeks)
    )

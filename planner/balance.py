"""Even work between equal vehicles, at no cost to anything else.

Which of two equal vehicles makes which run of a day changes neither travel nor people reached;
the choice is used to even out the vehicles' weeks.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from data.model.calendar import DAYS_PER_WEEK
from planner.problem import Problem, Solution


def even_out(problem: Problem, solution: Solution, work: Sequence[float]) -> Solution:
    """The same runs, dealt out so that equal vehicles work about equally each week.

    Parameters
    ----------
    work
        Work of each vehicle-day in the solution.

    Returns
    -------
    Solution
        The given one where the dealt runs would break a week's limit.
    """
    days: dict[tuple[int, object], list[int]] = defaultdict(list)
    for row in range(problem.num_runs):
        days[problem.runs[row].day, _kind(problem, row)].append(row)
    week_work: dict[tuple[int, int], float] = defaultdict(float)
    total: dict[int, float] = defaultdict(float)
    moved = {}
    for (day, _), rows in sorted(days.items(), key=lambda item: (item[0][0], item[1][0])):
        week = day // DAYS_PER_WEEK
        free = list(rows)
        for source in sorted(rows, key=lambda r: (-work[r], r)):
            vehicles = {r: problem.runs[r].vehicle for r in free}
            target = min(free, key=lambda r: (week_work[vehicles[r], week], total[vehicles[r]], r))
            free.remove(target)
            moved[target] = source
            week_work[vehicles[target], week] += work[source]
            total[vehicles[target]] += work[source]
    if not _keeps_weeks(problem, solution, work, moved):
        return solution
    return replace(
        solution, routes=tuple(solution.routes[moved[r]] for r in range(problem.num_runs))
    )


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

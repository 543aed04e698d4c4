"""Chao, Golden and Wasil's team orienteering problems.

References
----------
Chao, Golden, Wasil 1996, doi:10.1016/0377-2217(94)00289-4.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from api.bench.instance import TOLERANCE, Tour, broken, length_of, numbered_tours
from api.bench.text import Row, read_rows, take
from data.model.errors import InputError
from data.model.plan import Violation
from planner.problem import Problem, Solution, VehicleDay, build_problem


@dataclass(frozen=True, slots=True, kw_only=True)
class TopInstance:
    """Collect the most score with ``num_tours`` ways from the first point to the last.

    ``points`` are x, y, score; each way is at most ``max_length`` long.
    """

    name: str
    num_tours: int
    max_length: float
    points: tuple[tuple[float, float, float], ...]
    is_maximised: bool = True

    def problem(self) -> Problem:
        """The search's statement: scores are prizes, no stop is mandatory."""
        inner = self.points[1:-1]
        order = [*inner, self.points[0], self.points[-1]]
        places = np.array([(x, y) for x, y, _ in order])
        distance = np.hypot(*(places[:, None, :] - places[None, :, :]).transpose(2, 0, 1))
        runs = [
            VehicleDay(
                vehicle=vehicle,
                day=0,
                start_node=len(inner),
                end_node=len(inner) + 1,
                max_work=self.max_length,
            )
            for vehicle in range(self.num_tours)
        ]
        return build_problem(
            cost=distance,
            time=distance,
            options=[[[(0, 0.0, math.inf)]] for _ in inner],
            runs=runs,
            occupied=[0.0] * len(inner),
            prize=[score for _, _, score in inner],
            mandatory=[False] * len(inner),
        )

    def tours(self, problem: Problem, solution: Solution) -> tuple[Tour, ...]:
        """A solution of ``problem`` in the file's numbers, the first point being 0."""
        return numbered_tours(problem, solution, first=1)

    def violations(self, tours: Sequence[Tour]) -> tuple[Violation, ...]:
        """Every broken rule: number of tours, length, each point once at most."""
        found = []
        if len(tours) > self.num_tours:
            team = self.num_tours
            found.append(broken("bench.too_many_routes", day=1, found=len(tours), limit=team))
        last = len(self.points) - 1
        for tour in tours:
            length = length_of(self.points[p][:2] for p in (0, *tour.places, last))
            if length > self.max_length + TOLERANCE:
                limit = self.max_length
                found.append(
                    broken("bench.over_duration", day=1, found=round(length, 6), limit=limit)
                )
        visits = Counter(place for tour in tours for place in tour.places)
        for place, count in sorted(visits.items()):
            if count > 1 or not 0 < place < last:
                found.append(broken("bench.wrong_visits", place=place, found=count, expected=1))
        return tuple(found)

    def value(self, tours: Sequence[Tour]) -> float:
        """Score collected."""
        return sum(self.points[place][2] for tour in tours for place in tour.places)


def read_top(file: Path) -> TopInstance:
    """A problem in Chao's format.

    Raises
    ------
    InputError
        If a header line is missing, the count of points differs or a value cannot be.
    """
    rows = read_rows(file)
    size, team, limit = (
        _headed(take(rows, i, file, heading), heading)
        for i, heading in enumerate(("n", "m", "tmax"))
    )
    num_points = size.whole(1, "n", least=2)
    points = [
        (row.number(0, "x"), row.number(1, "y"), row.positive(2, "score"))
        for row in (take(rows, 3 + i, file, f"point {i + 1}") for i in range(num_points))
    ]
    return TopInstance(
        name=file.stem,
        num_tours=team.whole(1, "m", least=1),
        max_length=limit.positive(1, "tmax"),
        points=tuple(points),
    )


def _headed(row: Row, heading: str) -> Row:
    if row.words[0].rstrip(":;").lower() != heading:
        raise InputError("bench.no_heading", file=row.file, heading=heading)
    return row

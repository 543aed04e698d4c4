"""Solomon's and Gehring and Homberger's vehicle routing problems with time windows.

References
----------
Solomon 1987, doi:10.1287/opre.35.2.254.
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
class Place:
    """The depot or a customer; service starts between ``ready`` and ``due``."""

    x: float
    y: float
    demand: float
    ready: float
    due: float
    service: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VrptwInstance:
    """A problem with time windows, total distance minimised; place 0 is the depot."""

    name: str
    num_vehicles: int
    capacity: float
    places: tuple[Place, ...]
    is_maximised: bool = False

    def problem(self) -> Problem:
        """The search's statement: one day, one option for each customer."""
        order = [*self.places[1:], self.places[0]]
        points = np.array([(p.x, p.y) for p in order])
        distance = np.hypot(*(points[:, None, :] - points[None, :, :]).transpose(2, 0, 1))
        depot, base = self.places[0], len(order) - 1
        runs = [
            VehicleDay(
                vehicle=vehicle,
                day=0,
                start_node=base,
                end_node=base,
                capacity=self.capacity,
                duty_lo=depot.ready,
                duty_hi=depot.due,
            )
            for vehicle in range(self.num_vehicles)
        ]
        return build_problem(
            cost=distance,
            time=distance,
            options=[[[(0, p.ready, p.due)]] for p in self.places[1:]],
            runs=runs,
            occupied=[p.service for p in self.places[1:]],
            demand=[p.demand for p in self.places[1:]],
        )

    def tours(self, problem: Problem, solution: Solution) -> tuple[Tour, ...]:
        """A solution of ``problem`` in the file's numbers."""
        return numbered_tours(problem, solution, first=1)

    def violations(self, tours: Sequence[Tour]) -> tuple[Violation, ...]:
        """Every broken rule: fleet, capacity, windows, and each customer exactly once."""
        found = []
        limit: float
        if len(tours) > self.num_vehicles:
            limit = self.num_vehicles
            found.append(broken("bench.too_many_routes", day=1, found=len(tours), limit=limit))
        for tour in tours:
            load = sum(self.places[p].demand for p in tour.places)
            if load > self.capacity + TOLERANCE:
                limit = self.capacity
                found.append(broken("bench.over_capacity", day=1, found=load, limit=limit))
            found += self._late(tour)
        visits = Counter(place for tour in tours for place in tour.places)
        for place in range(1, len(self.places)):
            if visits[place] != 1:
                found.append(
                    broken("bench.wrong_visits", place=place, found=visits[place], expected=1)
                )
        return tuple(found)

    def _late(self, tour: Tour) -> list[Violation]:
        """Places of a tour, depot included, that a vehicle leaving at once reaches too late."""
        late = []
        clock, at = self.places[0].ready, self.places[0]
        for number in (*tour.places, 0):
            place = self.places[number]
            clock += math.dist((at.x, at.y), (place.x, place.y))
            if number:
                clock = max(clock, place.ready)
            if clock > place.due + TOLERANCE:
                found = round(clock, 6)
                late.append(broken("bench.late", place=number, found=found, limit=place.due))
            clock += place.service if number else 0.0
            at = place
        return late

    def value(self, tours: Sequence[Tour]) -> float:
        """Total distance."""
        return sum(
            length_of((self.places[p].x, self.places[p].y) for p in (0, *tour.places, 0))
            for tour in tours
        )


def read_vrptw(file: Path) -> VrptwInstance:
    """A problem in Solomon's format.

    Raises
    ------
    InputError
        If the headings are missing, the file ends early or a value cannot be.
    """
    rows = read_rows(file)
    fleet = _after(rows, file, "VEHICLE")
    customers = _after(rows, file, "CUSTOMER")
    size = take(rows, fleet + 1, file, "NUMBER CAPACITY")
    take(rows, customers + 2, file, "customer 1")
    places = [_place(row, number) for number, row in enumerate(rows[customers + 1 :])]
    return VrptwInstance(
        name=file.stem,
        num_vehicles=size.whole(0, "NUMBER", least=1),
        capacity=size.positive(1, "CAPACITY"),
        places=tuple(places),
    )


def _after(rows: Sequence[Row], file: Path, heading: str) -> int:
    """Index of the line of column names that follows a heading."""
    for index, row in enumerate(rows):
        if row.words[0].upper() == heading:
            return index + 1
    raise InputError("bench.no_heading", file=file, heading=heading)


def _place(row: Row, number: int) -> Place:
    if row.whole(0, "CUST NO.") != number:
        raise row.refusal(0, f"CUST NO. {number}")
    place = Place(
        x=row.number(1, "XCOORD."),
        y=row.number(2, "YCOORD."),
        demand=row.positive(3, "DEMAND"),
        ready=row.positive(4, "READY TIME"),
        due=row.positive(5, "DUE DATE"),
        service=row.positive(6, "SERVICE TIME"),
    )
    if place.due < place.ready:
        raise row.refusal(5, f"DUE DATE ≥ {place.ready:g}")
    return place

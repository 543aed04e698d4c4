"""Cordeau's periodic vehicle routing problems.

References
----------
Cordeau, Gendreau, Laporte 1997, A tabu search heuristic for periodic and multi-depot vehicle
routing problems, doi:10.1002/(SICI)1097-0037(199709)30:2<105::AID-NET5>3.0.CO;2-G.
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
from planner.problem import NO_LIMIT, Problem, Slot, Solution, VehicleDay, build_problem

PERIODIC = 1
"""Problem type of the header; the others are multi-depot and split problems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One customer; ``patterns`` are the sets of days (from 0) on which it may be visited."""

    x: float
    y: float
    service: float
    demand: float
    patterns: tuple[frozenset[int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PvrpInstance:
    """A periodic problem: at most ``num_vehicles`` routes a day, least total distance.

    ``max_duration[t]`` and ``capacity[t]`` bound each route of day ``t``; 0 sets no limit.
    Customers are numbered from 1.
    """

    name: str
    num_vehicles: int
    max_duration: tuple[float, ...]
    capacity: tuple[float, ...]
    depot: tuple[float, float]
    customers: tuple[Customer, ...]
    is_maximised: bool = False

    def problem(self) -> Problem:
        """The search's statement: one option for each pattern, distance is cost and time."""
        points = np.array([(c.x, c.y) for c in self.customers] + [self.depot])
        distance = np.hypot(*(points[:, None, :] - points[None, :, :]).transpose(2, 0, 1))
        base = len(self.customers)
        options: list[list[list[Slot]]] = [
            [[(day, 0.0, math.inf) for day in sorted(pattern)] for pattern in c.patterns]
            for c in self.customers
        ]
        runs = [
            VehicleDay(
                vehicle=vehicle,
                day=day,
                start_node=base,
                end_node=base,
                capacity=self.capacity[day] or NO_LIMIT,
                max_work=self.max_duration[day] or NO_LIMIT,
            )
            for day in range(len(self.capacity))
            for vehicle in range(self.num_vehicles)
        ]
        return build_problem(
            cost=distance,
            time=distance,
            options=options,
            runs=runs,
            occupied=[c.service for c in self.customers],
            demand=[c.demand for c in self.customers],
            mandatory=[bool(c.patterns) for c in self.customers],
        )

    def tours(self, problem: Problem, solution: Solution) -> tuple[Tour, ...]:
        """A solution of ``problem`` in the file's numbers."""
        return numbered_tours(problem, solution, first=1)

    def violations(self, tours: Sequence[Tour]) -> tuple[Violation, ...]:
        """Every broken rule: routes a day, capacity, duration, and each customer's pattern."""
        found = []
        for day, count in sorted(Counter(t.day for t in tours).items()):
            if count > self.num_vehicles:
                limit = self.num_vehicles
                found.append(broken("bench.too_many_routes", day=day + 1, found=count, limit=limit))
        for tour in tours:
            served = [self.customers[place - 1] for place in tour.places]
            load = sum(c.demand for c in served)
            duration = self.length(tour) + sum(c.service for c in served)
            for code, amount, bound in (
                ("bench.over_capacity", load, self.capacity[tour.day]),
                ("bench.over_duration", duration, self.max_duration[tour.day]),
            ):
                if bound and amount > bound + TOLERANCE:
                    found.append(
                        broken(code, day=tour.day + 1, found=round(amount, 6), limit=bound)
                    )
        for place, customer in enumerate(self.customers, start=1):
            visited = sorted(t.day for t in tours for p in t.places if p == place)
            once_a_day = len(set(visited)) == len(visited)
            if not once_a_day or frozenset(visited) not in (customer.patterns or (frozenset(),)):
                listed = ", ".join(str(day + 1) for day in visited) or "-"
                found.append(broken("bench.wrong_pattern", place=place, found=listed))
        return tuple(found)

    def length(self, tour: Tour) -> float:
        """Distance of a tour from the depot and back."""
        stops = [(self.customers[p - 1].x, self.customers[p - 1].y) for p in tour.places]
        return length_of([self.depot, *stops, self.depot])

    def value(self, tours: Sequence[Tour]) -> float:
        """Total distance of all days."""
        return sum(self.length(tour) for tour in tours)


def read_pvrp(file: Path) -> PvrpInstance:
    """A periodic problem in Cordeau's format.

    Raises
    ------
    InputError
        If the file is of another type, ends early or holds a value that cannot be.
    """
    rows = read_rows(file)
    head = take(rows, 0, file, "type m n t")
    if head.whole(0, "type") != PERIODIC:
        raise InputError(
            "bench.wrong_type", file=file, line=head.line, found=head.words[0], expected=PERIODIC
        )
    num_vehicles = head.whole(1, "m", least=1)
    num_customers = head.whole(2, "n", least=1)
    num_days = head.whole(3, "t", least=1)
    limits = [take(rows, 1 + day, file, "D Q") for day in range(num_days)]
    depot = take(rows, 1 + num_days, file, "depot")
    first = 2 + num_days
    customers = [
        _customer(take(rows, first + i, file, f"customer {i + 1}"), num_days)
        for i in range(num_customers)
    ]
    return PvrpInstance(
        name=file.stem,
        num_vehicles=num_vehicles,
        max_duration=tuple(row.positive(0, "D") for row in limits),
        capacity=tuple(row.positive(1, "Q") for row in limits),
        depot=(depot.number(1, "x"), depot.number(2, "y")),
        customers=tuple(customers),
    )


def _customer(row: Row, num_days: int) -> Customer:
    frequency = row.whole(5, "frequency")
    num_patterns = row.whole(6, "a")
    patterns = []
    for column in range(7, 7 + num_patterns):
        code = row.whole(column, "pattern", least=1)
        # The leftmost bit of a code of t bits is the first day.
        days = frozenset(d for d in range(num_days) if code >> (num_days - 1 - d) & 1)
        if len(days) != frequency or code >> num_days:
            raise row.refusal(column, f"pattern of {frequency} of {num_days} days")
        patterns.append(days)
    return Customer(
        x=row.number(1, "x"),
        y=row.number(2, "y"),
        service=row.positive(3, "service"),
        demand=row.positive(4, "demand"),
        patterns=tuple(patterns),
    )

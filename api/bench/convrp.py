"""Consistent vehicle routing: the same driver at nearly the same time on every day of a visit.

References
----------
Groër, Golden, Wasil 2009, The consistent vehicle routing problem, doi:10.1287/msom.1080.0243.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from api.bench.instance import TOLERANCE, Tour, broken, length_of
from api.bench.text import Row, read_rows, take
from data.model.errors import InputError
from data.model.plan import Violation
from planner.problem import NO_LIMIT, Problem, Solution, VehicleDay, build_problem

DEFAULT_SPREAD = 5.0
"""Groër's bound on arrival times for the small instances; the files name none."""
GRAINS = 20
"""Nominal times lie this many to a spread."""
SPARE_VEHICLES = 3
"""Vehicles beyond what loads and times ask for at least; the published fleet has no bound."""
_NO_DURATION = 9_999_999.0
"""Published files write "no limit" like this, and as 1e+07."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvrpCustomer:
    """One customer; ``demand`` and ``service`` by the days (from 0) on which it is visited."""

    x: float
    y: float
    demand: dict[int, float]
    service: dict[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvrpInstance:
    """Least total distance with one driver for each customer and arrivals within a spread.

    ``spread`` is the most that the first and the last arrival of a customer's days may be apart;
    infinite asks for the same driver only. Customers are numbered from 1. Drivers may leave the
    depot later than at time 0 and wait on the way; waiting counts for ``max_duration``, leaving
    late does not.
    """

    name: str
    num_days: int
    capacity: float
    max_duration: float
    depot: tuple[float, float]
    customers: tuple[ConvrpCustomer, ...]
    spread: float = DEFAULT_SPREAD
    is_maximised: bool = False

    @property
    def num_vehicles(self) -> int:
        """Drivers that the search may use: a few more than the fullest day asks for."""
        points = self._points()
        apart = np.hypot(*(points[:, None, :] - points[None, :, :]).transpose(2, 0, 1))
        np.fill_diagonal(apart, np.inf)
        nearest = apart.min(axis=1)
        needed = 1
        for day in range(self.num_days):
            there = [i for i, c in enumerate(self.customers) if day in c.demand]
            load = sum(self.customers[i].demand[day] for i in there)
            needed = max(needed, math.ceil(load / self.capacity - TOLERANCE))
            if math.isfinite(self.max_duration):
                stay = sum(self.customers[i].service[day] + float(nearest[i]) for i in there)
                needed = max(needed, math.ceil(stay / self.max_duration))
        return min(len(self.customers), math.ceil(1.25 * needed) + SPARE_VEHICLES)

    @property
    def horizon(self) -> float:
        """Time by which the search has all drivers back, where the duration has no limit.

        Half as much again as the tour of a full vehicle to the farthest place and back.
        """
        if math.isfinite(self.max_duration):
            return self.max_duration
        points = self._points()
        apart = np.hypot(*(points[:, None, :] - points[None, :, :]).transpose(2, 0, 1))
        far = float(apart[-1].max())
        np.fill_diagonal(apart, np.inf)
        least = min((d for c in self.customers for d in c.demand.values() if d > 0), default=1.0)
        mean = np.mean([d for c in self.customers for d in c.demand.values()] or [least])
        stay = max((s for c in self.customers for s in c.service.values()), default=0.0)
        full = min(len(self.customers), self.capacity / max(least, float(mean)))
        return 1.5 * (2 * far + full * (float(apart.min(axis=1).mean()) * 1.5 + stay))

    def _points(self) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
        return np.array([(c.x, c.y) for c in self.customers] + [self.depot], np.float64)

    def problem(self) -> Problem:
        """The search's statement: a search day is one day of one driver.

        Search day ``day · K + k`` is day ``day`` of driver ``k``, and each customer has one option
        for each driver: all its days with that driver. So no step of the search can break up a
        customer's days, and the clock-time rule holds the spread.
        """
        drivers = range(self.num_vehicles)
        points = self._points()
        distance = np.hypot(*(points[:, None, :] - points[None, :, :]).transpose(2, 0, 1))
        base = len(self.customers)
        runs = [
            VehicleDay(
                vehicle=k,
                day=day * len(drivers) + k,
                start_node=base,
                end_node=base,
                capacity=self.capacity,
                max_work=self.max_duration,
                duty_hi=self.horizon,
            )
            for day in range(self.num_days)
            for k in drivers
        ]
        half = self.spread / 2
        return build_problem(
            cost=distance,
            time=distance,
            options=[
                [
                    [(day * len(drivers) + k, 0.0, math.inf) for day in sorted(c.demand)]
                    for k in drivers
                    if c.demand
                ]
                for c in self.customers
            ],
            runs=runs,
            # The search knows one demand and one service a stop: the greatest of its days. Only
            # the small published instances vary them; there this asks for more than the rules do.
            occupied=[max(c.service.values(), default=0.0) for c in self.customers],
            demand=[max(c.demand.values(), default=0.0) for c in self.customers],
            mandatory=[bool(c.demand) for c in self.customers],
            clock_tolerance=[half] * len(self.customers),
            clock_grid=self.spread / GRAINS if math.isfinite(self.spread) else 1.0,
        )

    def alone(self, day: int) -> "ConvrpInstance":
        """One day as a problem of its own, without any promise to the other days."""
        return replace(
            self,
            name=f"{self.name} day {day + 1}",
            num_days=1,
            spread=math.inf,
            customers=tuple(
                replace(c, demand={0: c.demand[day]}, service={0: c.service[day]})
                for c in self.customers
                if day in c.demand
            ),
        )

    def tours(self, problem: Problem, solution: Solution) -> tuple[Tour, ...]:
        """A solution of ``problem`` in the file's numbers, with its clock times."""
        num_drivers = len(problem.runs) // self.num_days
        tours = []
        for run, route in zip(problem.runs, solution.routes, strict=True):
            if not route:
                continue
            day, driver = divmod(run.day, num_drivers)
            places = tuple(stop + 1 for stop in route)
            half = self.spread / 2
            windows = [
                (max(0.0, a - half), a + half) if math.isfinite(a) else (0.0, math.inf)
                for a in (solution.anchor[stop] for stop in route)
            ]
            starts = self._starts(day, places, windows)
            tours.append(Tour(day=day, places=places, vehicle=driver, starts=starts))
        return tuple(tours)

    def _starts(
        self, day: int, places: Sequence[int], windows: Sequence[tuple[float, float]]
    ) -> tuple[float, ...]:
        """Arrivals that end as early as can be and then leave the depot as late as can be."""
        legs = self._legs(places)
        stays = [self.customers[p - 1].service[day] for p in places]
        starts, clock = [], legs[0]
        for (lo, _), stay, leg in zip(windows, stays, legs[1:], strict=True):
            starts.append(max(clock, lo))
            clock = starts[-1] + stay + leg
        latest = math.inf
        for at in range(len(starts) - 1, -1, -1):
            if at < len(starts) - 1:
                latest = starts[at + 1] - legs[at + 1] - stays[at]
                starts[at] = max(starts[at], min(latest, windows[at][1]))
        return tuple(starts)

    def _legs(self, places: Sequence[int]) -> list[float]:
        stops = [(self.customers[p - 1].x, self.customers[p - 1].y) for p in places]
        way = [self.depot, *stops, self.depot]
        return [math.dist(a, b) for a, b in pairwise(way)]

    def violations(self, tours: Sequence[Tour]) -> tuple[Violation, ...]:
        """Every broken rule: days, load, time, one tour a driver and day, driver and spread."""
        found: list[Violation] = []
        seen = [(tour.day, tour.vehicle) for tour in tours]
        for day, vehicle in sorted({pair for pair in seen if seen.count(pair) > 1}):
            found.append(broken("bench.driver_twice", day=day + 1, driver=vehicle + 1))
        for tour in tours:
            found += self._tour_violations(tour)
        met: dict[int, list[tuple[int, int, float]]] = defaultdict(list)
        for tour in tours:
            for place, start in zip(tour.places, tour.starts, strict=True):
                met[place].append((tour.day, tour.vehicle, start))
        for place, customer in enumerate(self.customers, start=1):
            visits = met[place]
            if sorted(day for day, _, _ in visits) != sorted(customer.demand):
                listed = ", ".join(str(day + 1) for day, _, _ in sorted(visits)) or "-"
                found.append(broken("bench.wrong_days", place=place, found=listed))
                continue
            drivers = {driver for _, driver, _ in visits}
            if len(drivers) > 1:
                found.append(broken("bench.many_drivers", place=place, found=len(drivers)))
            starts = [start for _, _, start in visits]
            apart = max(starts, default=0.0) - min(starts, default=0.0)
            if apart > self.spread + TOLERANCE:
                amount = round(apart, 6)
                found.append(broken("bench.spread", place=place, found=amount, limit=self.spread))
        return tuple(found)

    def _tour_violations(self, tour: Tour) -> list[Violation]:
        """Load, duration and whether each arrival can be made, for one tour."""
        found = []
        day, legs = tour.day + 1, self._legs(tour.places)
        there = [self.customers[p - 1] for p in tour.places]
        load = sum(c.demand.get(tour.day, 0.0) for c in there)
        if load > self.capacity + TOLERANCE:
            found.append(broken("bench.over_capacity", day=day, found=load, limit=self.capacity))
        clock = 0.0
        for place, customer, leg, start in zip(tour.places, there, legs, tour.starts, strict=False):
            if start < clock + leg - TOLERANCE:
                early = round(start, 6)
                found.append(
                    broken("bench.too_soon", place=place, found=early, limit=round(clock + leg, 6))
                )
            clock = start + customer.service.get(tour.day, 0.0)
        duration = clock + legs[-1] - (tour.starts[0] - legs[0])
        if duration > self.max_duration + TOLERANCE:
            limit = self.max_duration
            amount = round(duration, 6)
            found.append(broken("bench.over_duration", day=day, found=amount, limit=limit))
        return found

    def value(self, tours: Sequence[Tour]) -> float:
        """Total distance of all days."""
        return sum(
            length_of(
                [
                    self.depot,
                    *((self.customers[p - 1].x, self.customers[p - 1].y) for p in tour.places),
                    self.depot,
                ]
            )
            for tour in tours
        )

    def widest(self, tours: Sequence[Tour]) -> float:
        """The greatest difference of two arrivals at one customer."""
        met: dict[int, list[float]] = defaultdict(list)
        for tour in tours:
            for place, start in zip(tour.places, tour.starts, strict=True):
                met[place].append(start)
        return max((max(starts) - min(starts) for starts in met.values()), default=0.0)


def read_convrp(file: Path, spread: float = DEFAULT_SPREAD) -> ConvrpInstance:
    """A consistent problem in the TSPLIB-like format of Groër and others.

    Raises
    ------
    InputError
        If a heading is missing, the file ends early or a value cannot be.
    """
    rows = read_rows(file)
    head = {row.words[0].rstrip(":").upper(): row for row in rows if row.words[0].endswith(":")}
    for name in ("DIMENSION", "NUM_DAYS", "CAPACITY", "DISTANCE"):
        if name not in head:
            raise InputError("bench.no_heading", file=file, heading=name)
    num_customers = head["DIMENSION"].whole(1, "DIMENSION", least=2) - 1
    num_days = head["NUM_DAYS"].whole(1, "NUM_DAYS", least=1)
    limit = head["DISTANCE"].positive(1, "DISTANCE")
    places = _section(rows, file, "NODE_COORD_SECTION", num_customers)
    demands = _section(rows, file, "DEMAND_SECTION", num_customers)
    services = _section(rows, file, "SVC_TIME_SECTION", num_customers)
    depot = _section(rows, file, "DEPOT_SECTION", 1)[0]
    return ConvrpInstance(
        name=file.stem,
        num_days=num_days,
        capacity=head["CAPACITY"].positive(1, "CAPACITY"),
        max_duration=limit if 0 < limit < _NO_DURATION else NO_LIMIT,
        depot=(depot.number(0, "x"), depot.number(1, "y")),
        customers=tuple(
            _customer(place, demand, service, num_days)
            for place, demand, service in zip(places, demands, services, strict=True)
        ),
        spread=spread,
    )


def _section(rows: list[Row], file: Path, heading: str, length: int) -> list[Row]:
    for index, row in enumerate(rows):
        if row.words[0].upper() == heading:
            first = index + 1
            return [take(rows, first + i, file, f"{heading} {i + 1}") for i in range(length)]
    raise InputError("bench.no_heading", file=file, heading=heading)


def _customer(place: Row, demand: Row, service: Row, num_days: int) -> ConvrpCustomer:
    amounts = {day: demand.number(1 + day, f"demand of day {day + 1}") for day in range(num_days)}
    days = [day for day, amount in amounts.items() if amount >= 0]
    return ConvrpCustomer(
        x=place.number(1, "x"),
        y=place.number(2, "y"),
        demand={day: amounts[day] for day in days},
        service={day: service.positive(1 + day, f"service of day {day + 1}") for day in days},
    )

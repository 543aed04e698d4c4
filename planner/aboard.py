"""Who may ride with which vehicle on which day, and what that lets a vehicle-day serve.

A *ride* is a specialist (his place in the request), a vehicle and a cycle day; a *deal* is a set of
rides. For a search the deal is given: a vehicle-day may then serve the stops whose services are
aboard, inside the hours of those who give them.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from data.model.calendar import DAYS_PER_WEEK
from data.model.crew import Specialist, SpecialistId, services_of
from data.model.fleet import Vehicle, VehicleId
from data.model.nights import NO_NIGHTS, Nights
from data.model.place import Stop, StopId
from data.model.plan import Plan, PlanRequest, Run, Unserved
from planner.problem import VehicleDay

Ride = tuple[int, int, int]
"""Specialist and vehicle by their place in the request, cycle day."""
Deal = frozenset[Ride]

_Key = tuple[VehicleId, int]


def possible_rides(request: PlanRequest, nights: Nights = NO_NIGHTS) -> Deal:
    """Every ride that is allowed by itself and whose service some stop of the vehicle asks for.

    Specialists sleep at home: nobody rides on a day before or after one of these nights away.
    """
    if not request.specialists:
        return frozenset()
    wanted = [
        {c for s in request.stops if s.needs <= v.abilities for c in s.services}
        for v in request.vehicles
    ]
    return frozenset(
        (number, index, day)
        for index, vehicle in enumerate(request.vehicles)
        for day in request.working_days(vehicle)
        if is_home_and_back(vehicle, day, nights)
        for number, person in enumerate(request.specialists)
        if person.service in wanted[index] and may_ride(request, person, vehicle, day)
    )


def is_home_and_back(vehicle: Vehicle, day: int, nights: Nights) -> bool:
    """Whether a vehicle's run of a day starts and ends at its own depots."""
    return (vehicle.vehicle_id, day - 1) not in nights and (vehicle.vehicle_id, day) not in nights


def may_ride(request: PlanRequest, person: Specialist, vehicle: Vehicle, day: int) -> bool:
    """Whether a specialist may ride with a vehicle on a day on which it goes."""
    return (
        vehicle.seats != 0
        and person.days_per_week_max != 0
        and person.may_ride(vehicle.vehicle_id)
        and person.works_on(request.cycle.date_of(day))
        and have_common_hours(vehicle, [person])
    )


def narrowed(
    vehicle: Vehicle, riders: Iterable[Specialist], lo: float, hi: float
) -> tuple[float, float]:
    """A duty window in which the vehicle leaves and returns inside the hours of all riders."""
    return narrowed_by(riders, (lo, hi), vehicle.prep_s, vehicle.closing_s)


def narrowed_by(
    riders: Iterable[Specialist], duty: tuple[float, float], prep: float, closing: float
) -> tuple[float, float]:
    """A duty window whose preparation may begin before the riders' hours, and closing end after."""
    lo, hi = duty
    for rider in riders:
        if rider.duty_start_s is not None:
            lo = max(lo, rider.duty_start_s - prep)
        if rider.duty_end_s is not None:
            hi = min(hi, rider.duty_end_s + closing)
    return lo, hi


def keeps_limits(request: PlanRequest, deal: Deal) -> bool:
    """Whether rides keep together: one a day and person, seats, days a week, common hours."""
    days = Counter((person, day) for person, _, day in deal)
    weeks = Counter((person, day // DAYS_PER_WEEK) for person, _, day in deal)
    aboard = riders_by_run(deal)
    return (
        all(found == 1 for found in days.values())
        and all(
            (limit := request.specialists[person].days_per_week_max) is None or found <= limit
            for (person, _), found in weeks.items()
        )
        and all(
            fits(request, vehicle, [request.specialists[p] for p in people])
            for (vehicle, _), people in aboard.items()
        )
    )


def fits(request: PlanRequest, vehicle: int, riders: Collection[Specialist]) -> bool:
    """Whether a vehicle has seats for its riders, and they hours that overlap."""
    seats = request.vehicles[vehicle].seats
    has_seats = seats is None or len(riders) <= seats
    return has_seats and have_common_hours(request.vehicles[vehicle], riders)


def have_common_hours(vehicle: Vehicle, riders: Iterable[Specialist]) -> bool:
    """Whether some time between leaving and return lies in the hours of all riders."""
    lo, hi = narrowed(vehicle, riders, vehicle.duty_start_s, vehicle.duty_end_s)
    return hi - lo > vehicle.prep_s + vehicle.closing_s


def is_settled(request: PlanRequest, rides: Deal) -> bool:
    """Whether all rides may be taken together and none of them costs a vehicle hours."""
    return keeps_limits(request, rides) and not any(narrows(request, ride) for ride in rides)


def narrows(request: PlanRequest, ride: Ride) -> bool:
    """Whether the specialist's hours are shorter than the vehicle's."""
    person, vehicle = request.specialists[ride[0]], request.vehicles[ride[1]]
    whole = (vehicle.duty_start_s, vehicle.duty_end_s)
    return narrowed(vehicle, [person], *whole) != whole


def riders_by_run(deal: Deal) -> dict[tuple[int, int], list[int]]:
    """Specialists by vehicle and day, in the order of the request."""
    aboard: dict[tuple[int, int], list[int]] = defaultdict(list)
    for person, vehicle, day in sorted(deal):
        aboard[vehicle, day].append(person)
    return dict(aboard)


def deal_of(request: PlanRequest, plan: Plan, nights: Nights = NO_NIGHTS) -> Deal:
    """The rides of a plan that are possible in a request."""
    people = {p.specialist_id: k for k, p in enumerate(request.specialists)}
    vehicles = {v.vehicle_id: k for k, v in enumerate(request.vehicles)}
    told = {
        (people[rider], vehicles[run.vehicle_id], run.day)
        for run in plan.runs
        if run.vehicle_id in vehicles
        for rider in run.specialist_ids
        if rider in people
    }
    return frozenset(told) & possible_rides(request, nights)


def due_visits(stop: Stop, num_visits: int) -> int:
    """At how many of so many visits a stop's services must be aboard."""
    if stop.services_at_every_visit or stop.services_visits is None:
        return num_visits if stop.services else 0
    return min(stop.services_visits, num_visits)


def within_hours(run: VehicleDay, riders: Iterable[Specialist]) -> VehicleDay:
    """A vehicle-day that leaves and returns inside the hours of those who ride."""
    lo, hi = narrowed_by(riders, (run.duty_lo, run.duty_hi), run.prep, run.closing)
    return replace(run, duty_lo=float(lo), duty_hi=float(hi))


@dataclass(frozen=True, slots=True, kw_only=True)
class Aboard:
    """What a deal lets every vehicle-day serve.

    ``lacking[s, v, d]`` says that vehicle ``v`` must not visit stop ``s`` on cycle day ``d``: a
    service is not aboard. On days on which a stop's services come to one of its vehicles, a stop
    that asks for them at some visits only is left to those vehicles, so that the visit counts.
    """

    request: PlanRequest
    riders: Mapping[tuple[int, int], list[int]]
    lacking: NDArray[np.bool_]
    served_days: Mapping[int, frozenset[int]]
    """Days on which all services of a stop come, by stop; only of stops with services."""

    @classmethod
    def of(cls, request: PlanRequest, deal: Deal) -> "Aboard | None":
        """What the deal allows; ``None`` where no stop asks for a service."""
        asking = [k for k, s in enumerate(request.stops) if s.services]
        if not asking:
            return None
        riders = riders_by_run(deal)
        num_days = request.cycle.num_days
        codes = sorted({c for k in asking for c in request.stops[k].services})
        present = np.zeros((len(codes), len(request.vehicles), num_days), np.bool_)
        for (vehicle, day), people in riders.items():
            for service in services_of([request.specialists[p] for p in people]):
                if service in codes:
                    present[codes.index(service), vehicle, day] = True
        lacking = np.zeros((len(request.stops), len(request.vehicles), num_days), np.bool_)
        served_days = {}
        for index in asking:
            stop = request.stops[index]
            rows = [codes.index(c) for c in sorted(stop.services)]
            comes = present[rows].all(axis=0)
            able = np.array([stop.needs <= v.abilities for v in request.vehicles], np.bool_)
            days = (comes & able[:, None]).any(axis=0)
            lacking[index] = ~comes if stop.services_at_every_visit else ~comes & days[None, :]
            served_days[index] = frozenset(int(d) for d in np.flatnonzero(days))
        return cls(request=request, riders=riders, lacking=lacking, served_days=served_days)

    def narrowed(self, run: VehicleDay) -> VehicleDay:
        """A vehicle-day inside the hours of those who ride."""
        people = self.riders.get((run.vehicle, run.day))
        if not people:
            return run
        return within_hours(run, [self.request.specialists[p] for p in people])

    def is_enough(self, index: int, days: Iterable[int]) -> bool:
        """Whether visits on these days get a stop as many visits with its services as it asks."""
        stop, visits = self.request.stops[index], set(days)
        if not stop.services:
            return True
        return len(self.served_days[index] & visits) >= due_visits(stop, len(visits))

    def needed(self, vehicle: int, day: int, stops: Iterable[Stop]) -> tuple[SpecialistId, ...]:
        """Who of those dealt to a vehicle-day is needed at its stops, one for each service."""
        people = [self.request.specialists[p] for p in self.riders.get((vehicle, day), ())]
        return needed_riders(people, stops)


def needed_riders(
    people: Collection[Specialist], stops: Iterable[Stop]
) -> tuple[SpecialistId, ...]:
    """Of people aboard the first of each service that a stop gets whole."""
    present = services_of(people)
    wanted = {c for s in stops if s.services <= present for c in s.services}
    first: dict[str, SpecialistId] = {}
    for person in people:
        if person.service in wanted:
            first.setdefault(person.service, person.specialist_id)
    return tuple(first.values())


class Crewing:
    """Who is to ride with runs that a person changes, as few as their stops ask for."""

    def __init__(
        self, request: PlanRequest, runs: Iterable[Run], nights: Nights = NO_NIGHTS
    ) -> None:
        self._request = request
        self._nights = nights
        self._order = {p.specialist_id: k for k, p in enumerate(request.specialists)}
        self._rides: dict[_Key, tuple[SpecialistId, ...]] = {}
        self._visits: dict[_Key, tuple[StopId, ...]] = {}
        for run in runs:
            self.settle(run)

    def settle(self, run: Run) -> None:
        """Take note of a run as it is now."""
        key = run.vehicle_id, run.day
        self._rides[key] = run.specialist_ids
        self._visits[key] = tuple(v.stop_id for v in run.visits)

    def drop(self, key: _Key) -> None:
        """A run that is made no more frees its riders."""
        self._rides.pop(key, None)
        self._visits.pop(key, None)

    def swap(self, key: _Key, other: _Key) -> None:
        """The riders of two vehicle-days change places with their runs."""
        rides, visits = self._rides, self._visits
        rides[key], rides[other] = rides.get(other, ()), rides.get(key, ())
        visits[key], visits[other] = visits.get(other, ()), visits.get(key, ())

    def riders(self, vehicle: Vehicle, day: int, stops: Collection[Stop]) -> tuple[Specialist, ...]:
        """Who rides with a vehicle through some stops.

        Those aboard stay first; of the others whoever may come that day joins while a seat is left.
        """
        is_home = is_home_and_back(vehicle, day, self._nights)
        if not is_home or not any(s.services for s in stops):
            return ()
        key = vehicle.vehicle_id, day
        now = self._rides.get(key, ())
        chosen: dict[str, Specialist] = {}
        for person in sorted(self._request.specialists, key=lambda p: p.specialist_id not in now):
            if person.service not in chosen and self._may_join(person, vehicle, day):
                chosen[person.service] = person
        before = services_of([p for p in chosen.values() if p.specialist_id in now])
        asking = [s for s in stops if s.services <= before or self._is_short(s, key)]
        seats = len(self._order) if vehicle.seats is None else vehicle.seats
        wanted: set[str] = set()
        for stop in sorted(asking, key=lambda s: not s.services <= before):
            if stop.services <= chosen.keys() and len(wanted | stop.services) <= seats:
                wanted |= stop.services
        found = [chosen[service] for service in wanted]
        return tuple(sorted(found, key=lambda p: self._order[p.specialist_id]))

    def _may_join(self, person: Specialist, vehicle: Vehicle, day: int) -> bool:
        rides = [key for key, riders in self._rides.items() if person.specialist_id in riders]
        week = day // DAYS_PER_WEEK
        days = {d for _, d in rides if d // DAYS_PER_WEEK == week} - {day}
        limit = person.days_per_week_max
        return (
            may_ride(self._request, person, vehicle, day)
            and not any(d == day and v != vehicle.vehicle_id for v, d in rides)
            and (limit is None or len(days) < limit)
        )

    def _is_short(self, stop: Stop, but: _Key) -> bool:
        """Whether a stop's other visits leave it short of visits with its services."""
        if stop.services_at_every_visit:
            return True
        others = [key for key, visits in self._visits.items() if stop.stop_id in visits]
        others = [key for key in others if key != but]
        people = {p.specialist_id: p for p in self._request.specialists}
        met = sum(
            stop.services <= services_of([people[r] for r in self._rides[key] if r in people])
            for key in others
        )
        return met < due_visits(stop, len(others) + 1)


def service_days(request: PlanRequest, stop: Stop, vehicle: Vehicle) -> set[int]:
    """Cycle days on which a vehicle may have all services of a stop aboard at once."""
    if vehicle.seats is not None and vehicle.seats < len(stop.services):
        return set()
    return {
        day
        for day in request.working_days(vehicle)
        if stop.services
        <= services_of([p for p in request.specialists if may_ride(request, p, vehicle, day)])
    }


def why_no_service(request: PlanRequest, stop: Stop, otherwise: str = "service_busy") -> Unserved:
    """Why no plan brings a stop its services, as far as days and seats tell.

    Reasons: ``unserved.service_nobody``, ``unserved.service_seats``, ``unserved.service_no_day``,
    else the one given, by default that specialists ride elsewhere.
    """
    given = services_of(request.specialists)
    able = [v for v in request.vehicles if stop.needs <= v.abilities]
    days = {d for v in able for d in service_days(request, stop, v)}
    if stop.weekdays:
        days = {d for d in days if d % DAYS_PER_WEEK in stop.weekdays}
    missing = stop.services - given
    seats = max((v.seats for v in able if v.seats is not None), default=0)
    facts: dict[str, object] = {"stop": stop.name}
    if missing:
        reason, lacking = "service_nobody", missing
    elif able and all(v.seats is not None and v.seats < len(stop.services) for v in able):
        reason, lacking = "service_seats", stop.services
        facts |= {"found": seats, "limit": len(stop.services)}
    elif len(days) < stop.served_visits:
        reason, lacking = "service_no_day", stop.services
        facts |= {"found": len(days), "limit": stop.served_visits}
    else:
        reason, lacking = otherwise, stop.services
        people = [p.name for p in request.specialists if p.service in stop.services]
        facts |= {"people": ", ".join(people)}
    facts["services"] = ", ".join(sorted(lacking))
    return Unserved(stop_id=stop.stop_id, reason=f"unserved.{reason}", facts=facts)

"""A plan as the rules read it: looked up by id, with broken references left out.

A run of an unknown vehicle or outside the cycle, and a visit of an unknown stop, are reported by
one rule and passed over by the others, so that one fault gives one violation.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from data.model.calendar import HOUR_S, MINUTE_S
from data.model.fleet import CrewRules, Vehicle, VehicleId
from data.model.place import Depot, DepotId, Stop, StopId
from data.model.plan import Plan, PlanRequest, Run, StopVisit, Violation


@dataclass(frozen=True, slots=True)
class PlanView:
    """A request and a plan with their indices.

    ``visits`` hold, for every stop of the request, its visits with their runs in order of day and
    start. ``duties`` hold, for every vehicle, its runs in order of day.
    """

    request: PlanRequest
    plan: Plan
    stops: dict[StopId, Stop]
    vehicles: dict[VehicleId, Vehicle]
    visits: dict[StopId, list[tuple[Run, StopVisit]]]
    duties: dict[VehicleId, list[Run]]
    names: dict[str, str]
    """Name of every stop and depot by id."""
    depots: dict[DepotId, Depot]

    @classmethod
    def of(cls, request: PlanRequest, plan: Plan) -> "PlanView":
        stops = {s.stop_id: s for s in request.stops}
        vehicles = {v.vehicle_id: v for v in request.vehicles}
        visits: dict[StopId, list[tuple[Run, StopVisit]]] = {s: [] for s in stops}
        duties: dict[VehicleId, list[Run]] = {v: [] for v in vehicles}
        for run in plan.runs:
            if run.vehicle_id in duties and 0 <= run.day < request.cycle.num_days:
                duties[run.vehicle_id].append(run)
                for visit in run.visits:
                    if visit.stop_id in visits:
                        visits[visit.stop_id].append((run, visit))
        for found in visits.values():
            found.sort(key=lambda pair: (pair[0].day, pair[1].start_s))
        for duty in duties.values():
            duty.sort(key=lambda run: (run.day, run.sign_on_s))
        names = {str(s.stop_id): s.name for s in request.stops}
        names |= {str(d.depot_id): d.name for d in request.depots}
        depots = {d.depot_id: d for d in request.depots}
        return cls(request, plan, stops, vehicles, visits, duties, names, depots)

    def runs(self) -> Iterator[tuple[Run, Vehicle]]:
        """Every run of a known vehicle on a day of the cycle, by vehicle and day."""
        for vehicle_id, duty in self.duties.items():
            for run in duty:
                yield run, self.vehicles[vehicle_id]

    def crews(self) -> Iterator[tuple[Vehicle, CrewRules, list[Run]]]:
        """Every vehicle with runs, the rules of its crew and its runs by day."""
        for vehicle_id, duty in self.duties.items():
            rules = self.request.crew_rules.get(vehicle_id)
            if duty and rules is not None:
                yield self.vehicles[vehicle_id], rules, duty

    def followers(self, duty: list[Run]) -> Iterator[tuple[Run, Run, int]]:
        """Each run of a vehicle, its next one, and the day of that.

        Where the cycle repeats the last meets the first; its day counts on past the end.
        """
        for run, later in pairwise(duty):
            yield run, later, later.day
        if duty and self.request.cycle.repeats:
            yield duty[-1], duty[0], duty[0].day + self.request.cycle.num_days

    def date_of(self, day: int) -> date:
        return self.request.cycle.date_of(day)

    def of_run(self, code: str, run: Run, **facts: object) -> Violation:
        """A violation that names its run."""
        vehicle = self.vehicles.get(run.vehicle_id)
        named: dict[str, object] = {
            "vehicle_id": str(run.vehicle_id),
            "vehicle": vehicle.name if vehicle else str(run.vehicle_id),
            "day": run.day,
            "date": self.date_of(run.day).isoformat(),
        }
        return Violation(code=code, facts=named | facts)

    def of_stop(self, code: str, stop: Stop, **facts: object) -> Violation:
        """A violation that names its stop."""
        named: dict[str, object] = {"stop_id": str(stop.stop_id), "stop": stop.name}
        return Violation(code=code, facts=named | facts)

    def of_visit(self, code: str, run: Run, visit: StopVisit, **facts: object) -> Violation:
        """A violation that names its run and stop."""
        stop = self.stops.get(visit.stop_id)
        name = stop.name if stop else str(visit.stop_id)
        return self.of_run(code, run, stop_id=str(visit.stop_id), stop=name, **facts)


def leaves_at_s(run: Run, index: int) -> int:
    """When the vehicle drives off from a visit: after its departure and any meal taken there."""
    departure_s = run.visits[index].departure_s
    if run.meal is not None and run.meal.after_visit == index:
        return max(departure_s, run.meal.end_s)
    return departure_s


def minutes(seconds: int) -> float | int:
    """Seconds as minutes for a message, to a hundredth."""
    return seconds // MINUTE_S if seconds % MINUTE_S == 0 else round(seconds / MINUTE_S, 2)


def clock(seconds: int) -> str:
    """Seconds from midnight as ``HH:MM``, with ``:SS`` where the seconds are not zero."""
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    text = f"{sign}{seconds // HOUR_S:02d}:{seconds % HOUR_S // MINUTE_S:02d}"
    return text if seconds % MINUTE_S == 0 else f"{text}:{seconds % MINUTE_S:02d}"


def weekdays(days: Iterable[int]) -> str:
    """Weekdays as region files write them: ``mon, tue``."""
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return ", ".join(names[day] for day in sorted(days))

"""One vehicle's planned day as instants: what its track is held against."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from data.model.fleet import VehicleId
from data.model.place import Depot, Stop
from data.model.plan import Plan, PlanRequest, Run
from data.model.publication import LaidVisit
from data.model.service_time import clock_s, instant_of
from data.model.timetable import run_dates


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStop:
    """A planned stop visit: the doors are open from ``start_at`` to ``end_at``."""

    position: int
    stop_id: str
    lon: float
    lat: float
    arrival_at: datetime
    start_at: datetime
    end_at: datetime
    departure_at: datetime
    setup_s: int = 0
    teardown_s: int = 0
    meal_s: int = 0
    """A meal taken there after closing."""

    def __post_init__(self) -> None:
        times = (self.arrival_at, self.start_at, self.end_at, self.departure_at)
        if any(b < a for a, b in pairwise(times)):
            raise ValueError(f"visit of {self.stop_id}: planned times go backwards")

    @property
    def open_s(self) -> float:
        return (self.end_at - self.start_at).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """What a vehicle is to do on one service date, its stops in order.

    ``depart_at`` and ``return_at`` are ``None`` where only the stop visits were published.
    """

    vehicle_id: VehicleId
    service_date: date
    time_zone: str
    stops: tuple[PlannedStop, ...]
    start_depot_id: str | None = None
    end_depot_id: str | None = None
    depart_at: datetime | None = None
    return_at: datetime | None = None
    drive_m: int | None = None
    """Planned way from depot to depot."""
    depot_places: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Lon and lat of the depots by id."""

    def __post_init__(self) -> None:
        if [s.position for s in self.stops] != list(range(len(self.stops))):
            raise ValueError(f"run of {self.vehicle_id}: positions do not count from 0")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def clock_s(self, at: datetime) -> float:
        """An instant as seconds from midnight of the service date."""
        return clock_s(self.service_date, at, self.zone)

    @property
    def place_ids(self) -> tuple[str, ...]:
        """Depot, stops in order, depot; a depot that is not known is left out."""
        ends = ((self.start_depot_id,), (self.end_depot_id,))
        first, last = (tuple(p for p in end if p is not None) for end in ends)
        return (*first, *(s.stop_id for s in self.stops), *last)


def planned_run(request: PlanRequest, run: Run, on: date) -> PlannedRun:
    """A run of a plan on one of its service dates."""
    zone = ZoneInfo(request.time_zone)
    stops = {s.stop_id: s for s in request.stops}
    vehicle = next(v for v in request.vehicles if v.vehicle_id == run.vehicle_id)
    first, last = run.ends(vehicle)
    planned = []
    for position, visit in enumerate(run.visits):
        stop = stops[visit.stop_id]
        has_meal = run.meal is not None and run.meal.after_visit == position
        planned.append(
            PlannedStop(
                position=position,
                stop_id=str(visit.stop_id),
                lon=stop.lon,
                lat=stop.lat,
                arrival_at=instant_of(on, visit.arrival_s, zone),
                start_at=instant_of(on, visit.start_s, zone),
                end_at=instant_of(on, visit.end_s, zone),
                departure_at=instant_of(on, visit.departure_s, zone),
                setup_s=stop.setup_s,
                teardown_s=stop.teardown_s,
                meal_s=run.meal.end_s - run.meal.start_s if has_meal and run.meal else 0,
            )
        )
    return PlannedRun(
        vehicle_id=run.vehicle_id,
        service_date=on,
        time_zone=request.time_zone,
        stops=tuple(planned),
        start_depot_id=str(first),
        end_depot_id=str(last),
        depart_at=instant_of(on, run.depart_s, zone),
        return_at=instant_of(on, run.return_s, zone),
        drive_m=run.drive_m,
        depot_places={str(d.depot_id): (d.lon, d.lat) for d in request.depots},
    )


def runs_on(request: PlanRequest, plan: Plan, on: date) -> tuple[PlannedRun, ...]:
    """Every run of a plan that falls on a date, by vehicle in the order of the request."""
    order = {v.vehicle_id: k for k, v in enumerate(request.vehicles)}
    weekday = on.weekday()
    found = [
        run
        for run in plan.runs
        if run.day % 7 == weekday and on in run_dates(request, plan, run, on)
    ]
    return tuple(
        planned_run(request, r, on) for r in sorted(found, key=lambda r: order[r.vehicle_id])
    )


def planned_of_visits(
    visits: Iterable[LaidVisit],
    stops: Mapping[str, Stop],
    *,
    vehicle_id: VehicleId,
    on: date,
    time_zone: str,
    start_depot: Depot | None = None,
    end_depot: Depot | None = None,
) -> PlannedRun:
    """A vehicle's day from the visits that were published for it, without the cancelled ones.

    Parameters
    ----------
    visits
        Those of the vehicle and date that are still meant to be held.
    stops
        The region's stops by id.
    """
    zone = ZoneInfo(time_zone)
    mine = [v for v in visits if v.vehicle_id == vehicle_id and v.service_date == on]
    planned = [
        PlannedStop(
            position=position,
            stop_id=str(visit.stop_id),
            lon=stops[visit.stop_id].lon,
            lat=stops[visit.stop_id].lat,
            arrival_at=instant_of(on, visit.arrival_s, zone),
            start_at=instant_of(on, visit.start_s, zone),
            end_at=instant_of(on, visit.end_s, zone),
            departure_at=instant_of(on, visit.departure_s, zone),
            setup_s=stops[visit.stop_id].setup_s,
            teardown_s=stops[visit.stop_id].teardown_s,
        )
        for position, visit in enumerate(sorted(mine, key=lambda v: v.start_s))
    ]
    return PlannedRun(
        vehicle_id=vehicle_id,
        service_date=on,
        time_zone=time_zone,
        stops=tuple(planned),
        start_depot_id=None if start_depot is None else str(start_depot.depot_id),
        end_depot_id=None if end_depot is None else str(end_depot.depot_id),
        depot_places={str(d.depot_id): (d.lon, d.lat) for d in (start_depot, end_depot) if d},
    )

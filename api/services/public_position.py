"""Where the public may see a vehicle: on the way of its run between public stops, never off it.

The raw position is not told: a vehicle that stands at a public stop is at the stop, one that drives
to one is at the nearest point of that leg. On its way home, before it has set out, at or next to a
stop that is not public, and far from its route it is nowhere.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from sqlmodel import Session

from api.services.day_book import days_on
from api.services.leg_lines import kept_lines
from api.services.promised_days import PromisedDay
from data.model.fleet import VehicleId
from data.model.live import Phase, VehicleNow
from data.model.place import StopId
from data.model.publication import PromisedVisit, VisitId
from fleet.corridor import Corridor

OFF_ROAD_M = 1500.0
"""Further from its road a vehicle is not on it."""
OFF_LINE_M, OFF_LINE_RATIO = 3000.0, 0.4
"""A road strays so far from the straight line between two stops, as a rule."""


@dataclass(frozen=True)
class WayLeg:
    """A drive to a public stop from another one or from the depot: points (lon, lat)."""

    target: PromisedVisit
    points: tuple[tuple[float, float], ...]
    follows_road: bool

    @cached_property
    def corridor(self) -> Corridor:
        return Corridor(self.points)

    def is_near(self, off_m: float) -> bool:
        """Whether a vehicle so far off may still be on it."""
        if self.follows_road:
            return off_m <= OFF_ROAD_M
        return off_m <= max(OFF_LINE_M, OFF_LINE_RATIO * self.corridor.length_m)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The public part of a vehicle's run: visits in order with their places, and the legs."""

    visits: tuple[PromisedVisit, ...]
    places: Mapping[VisitId, tuple[float, float]]
    legs: tuple[WayLeg, ...]

    @property
    def follows_roads(self) -> bool:
        return bool(self.legs) and all(leg.follows_road for leg in self.legs)

    def leg_to(self, visit_id: VisitId | None) -> WayLeg | None:
        """The leg to a visit."""
        return next((leg for leg in self.legs if leg.target.visit_id == visit_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapped:
    """A vehicle on its way: at a visit, or so many metres of the way before it."""

    visit_id: VisitId
    lon: float
    lat: float
    is_there: bool
    left_m: float


def ways_of(
    session: Session, region_id: str, on: date, public: Collection[StopId]
) -> dict[VehicleId, Way]:
    """The public ways of a date's runs."""
    return {
        vehicle_id: way_of(session, region_id, day, public)
        for vehicle_id, day in days_on(session, region_id, on).items()
        if day.visits
    }


def snapped(now: VehicleNow | None, way: Way | None) -> Snapped | None:
    """The vehicle on its way; ``None`` where the public is not told."""
    if now is None or way is None or now.fix is None:
        return None
    if now.phase in (Phase.STANDING, Phase.WAITING):
        place = None if now.here_visit_id is None else way.places.get(now.here_visit_id)
        if place is None or now.here_visit_id is None:
            return None
        lon, lat = place
        return Snapped(visit_id=now.here_visit_id, lon=lon, lat=lat, is_there=True, left_m=0.0)
    leg = way.leg_to(now.next_visit_id)
    if now.phase is not Phase.DRIVING or leg is None:
        return None
    found = leg.corridor.locate(now.fix.lon, now.fix.lat)
    if not leg.is_near(found.off_m):
        return None
    return Snapped(
        visit_id=leg.target.visit_id,
        lon=found.lon,
        lat=found.lat,
        is_there=False,
        left_m=leg.corridor.length_m - found.along_m,
    )


def way_of(session: Session, region_id: str, day: PromisedDay, public: Collection[StopId]) -> Way:
    """The public way of one day."""
    run = day.run
    roads = kept_lines(session, region_id, day)
    before = run.depot_places.get(run.start_depot_id or "")
    legs: list[WayLeg] = []
    shown: list[PromisedVisit] = []
    places: dict[VisitId, tuple[float, float]] = {}
    for number, (stop, visit) in enumerate(zip(run.stops, day.visits, strict=True)):
        here = (stop.lon, stop.lat)
        is_public = visit.stop_id in public
        if is_public:
            shown.append(visit)
            places[visit.visit_id] = here
        road = roads[number] if roads is not None and number < len(roads) else None
        if is_public and before is not None:
            points = (before, here) if road is None or len(road) < 2 else tuple(
                (p[0], p[1]) for p in road
            )  # fmt: skip
            legs.append(WayLeg(visit, points, follows_road=road is not None and len(road) > 1))
        before = here if is_public else None
    return Way(visits=tuple(shown), places=places, legs=tuple(legs))

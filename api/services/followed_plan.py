"""What a vehicle's day is held against: its promised run, its legs' lines, the times they take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from sqlmodel import Session

from api.services.day_book import days_on
from api.services.learned_times import learned_key, learned_of
from api.services.leg_lines import kept_lines
from api.services.leg_times import habits, leg_times
from api.services.promised_days import PromisedDay
from data.db import leg_line_store, publication_store
from data.model.errors import BookmobileError
from data.model.fleet import VehicleId
from data.model.learned import Learned
from data.model.lines import Line
from data.model.publication import PromisedVisit, VisitId
from fleet import adherence as keeping
from fleet.corridor import Corridor
from fleet.eta import Forecaster
from fleet.planned import PlannedRun
from fleet.tracking import Place, places_of

STRAIGHT_OFF_M, STRAIGHT_OFF_RATIO = 3000.0, 0.4
"""A road strays so far from the straight line between two stops, as a rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedPlan:
    """What a vehicle's day is held against."""

    run: PlannedRun
    visits: tuple[PromisedVisit, ...]
    cancelled: tuple[PromisedVisit, ...]
    places: tuple[Place, ...]
    stops: Mapping[str, tuple[float, float]]
    forecaster: Forecaster
    lines: tuple[Corridor, ...] | None = None
    on_roads: tuple[bool, ...] = ()
    """Of each leg; else its line is straight, and only what is far from it is off the route."""

    @classmethod
    def of(
        cls,
        day: PromisedDay,
        lines: Sequence[Line | None] | None = None,
        learned: Learned | None = None,
    ) -> "FollowedPlan":
        """The plan of a promised day.

        Parameters
        ----------
        lines
            Its legs along the roads, where they are known.
        learned
            What recorded days have taught of times and habits, once a person has accepted it.
        """
        straight = _straight(day.run)
        roads: list[Corridor | None] | None = None
        if straight is not None and lines is not None and len(lines) == len(straight):
            roads = [None if points is None else Corridor(_line(points)) for points in lines]
        times = leg_times(day.request, day.vehicle_id, day.run.place_ids, learned)
        return cls(
            run=day.run,
            visits=day.visits,
            cancelled=day.cancelled,
            places=places_of(day.request),
            stops={str(s.stop_id): (s.lon, s.lat) for s in day.request.stops},
            forecaster=Forecaster(day.run, times, params=habits(learned), lines=roads),
            lines=_either(roads, straight),
            on_roads=tuple(r is not None for r in roads or ()),
        )

    def is_off(self, alert: keeping.Alert) -> bool:
        """Whether a vehicle off a leg's line may have left its route."""
        if self.lines is None or alert.position is None:
            return True
        if self.on_roads and self.on_roads[alert.position]:
            return True
        leg_m = self.lines[alert.position].length_m
        return alert.amount > max(STRAIGHT_OFF_M, STRAIGHT_OFF_RATIO * leg_m)

    def visit_id(self, position: int) -> VisitId:
        """The lasting id of a stop of the run."""
        return self.visits[position].visit_id


@dataclass(frozen=True, slots=True)
class Basis:
    """What plans to follow are made of, by name: while it is the same, so are they."""

    published: int
    learned: str
    lines: str


NO_BASIS = Basis(-1, "", "")


class PlanBook:
    """Makes the plans to follow; what was learned is read once while it stays in use."""

    def __init__(self) -> None:
        self._learned: dict[str, tuple[str, Learned | None]] = {}

    def basis(self, session: Session, region_id: str) -> Basis:
        """What the region's plans are made of now."""
        return Basis(
            publication_store.publication_state(session, region_id).revision,
            learned_key(session, region_id),
            leg_line_store.state_of(session, region_id),
        )

    def plan(
        self, session: Session, region_id: str, vehicle_id: VehicleId, on: date
    ) -> FollowedPlan | None:
        """A vehicle's plan of a date; ``None`` where it has none."""
        try:
            found = days_on(session, region_id, on).get(vehicle_id)
        except BookmobileError:
            return None
        if found is None:
            return None
        lines = kept_lines(session, region_id, found)
        return FollowedPlan.of(found, lines, self._learned_of(session, region_id))

    def _learned_of(self, session: Session, region_id: str) -> Learned | None:
        key = learned_key(session, region_id)
        known = self._learned.get(region_id)
        if known is None or known[0] != key:
            known = self._learned[region_id] = key, learned_of(session, region_id)
        return known[1]


def _straight(run: PlannedRun) -> tuple[Corridor, ...] | None:
    """The legs as straight lines; ``None`` where a depot is not known."""
    start = run.depot_places.get(run.start_depot_id or "")
    end = run.depot_places.get(run.end_depot_id or "")
    if start is None or end is None or not run.stops:
        return None
    points = [start, *((s.lon, s.lat) for s in run.stops), end]
    return tuple(Corridor(leg) for leg in pairwise(points))


def _either(
    roads: Sequence[Corridor | None] | None, straight: tuple[Corridor, ...] | None
) -> tuple[Corridor, ...] | None:
    """The legs along the roads, straight where no road is known."""
    if roads is None or straight is None:
        return straight
    return tuple(road or flight for road, flight in zip(roads, straight, strict=True))


def _line(points: Line) -> Sequence[tuple[float, float]]:
    """A line of at least two points."""
    return points if len(points) > 1 else [*points, *points]

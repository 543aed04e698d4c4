"""The legs of promised days along the roads: what they are kept by, and what is kept of them."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlmodel import Session

from api.services.promised_days import PromisedDay
from data.db import leg_line_store
from data.model.fleet import Vehicle
from data.model.geo import COORDINATE_DIGITS
from data.model.lines import Line
from data.model.plan import Plan, PlanRequest
from maps.roads import profile_of

type Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A drive from one place to another of a vehicle, on the roads that its plan was timed by."""

    origin: Point
    target: Point
    vehicle: Vehicle
    source: str
    """Network and engine, as the plan's travel names them."""

    @property
    def key(self) -> str:
        """Legs of one key have one line: ends, size of the vehicle, roads."""
        told = [_rounded(self.origin), _rounded(self.target), profile_of(self.vehicle), self.source]
        text = json.dumps(told, sort_keys=True, ensure_ascii=False)
        return hashlib.blake2s(text.encode(), digest_size=16).hexdigest()


def legs_of_day(day: PromisedDay) -> tuple[Leg, ...]:
    """The legs of a promised day, depot to depot; none where no roads stand behind its plan."""
    run, vehicle = day.run, day.vehicle
    start = run.depot_places.get(run.start_depot_id or "")
    end = run.depot_places.get(run.end_depot_id or "")
    if vehicle is None or start is None or end is None or not run.stops:
        return ()
    points = [start, *((s.lon, s.lat) for s in run.stops), end]
    return _legs(day.request, vehicle, points)


def legs_of_plan(request: PlanRequest, plan: Plan) -> Iterator[Leg]:
    """The legs of every run of a plan."""
    depots = {d.depot_id: (d.lon, d.lat) for d in request.depots}
    stops = {s.stop_id: (s.lon, s.lat) for s in request.stops}
    vehicles = {v.vehicle_id: v for v in request.vehicles}
    for run in plan.runs:
        vehicle = vehicles[run.vehicle_id]
        start, end = run.ends(vehicle)
        points = [depots[start], *(stops[v.stop_id] for v in run.visits), depots[end]]
        yield from _legs(request, vehicle, points)


def kept_lines(
    session: Session, region_id: str, day: PromisedDay
) -> tuple[Line | None, ...] | None:
    """The lines of a day's legs as far as they are kept; ``None`` where none is.

    A leg without a line is not known yet, or no road joins its ends.
    """
    legs = legs_of_day(day)
    if not legs:
        return None
    keys = [leg.key for leg in legs]
    known = leg_line_store.lines_of(session, region_id, keys)
    found = tuple(known.get(key) or None for key in keys)
    return found if any(found) else None


def _legs(request: PlanRequest, vehicle: Vehicle, points: Sequence[Point]) -> tuple[Leg, ...]:
    travel = request.travel.get(vehicle.vehicle_id) or next(iter(request.travel.values()), None)
    if travel is None or travel.is_estimated:
        return ()
    return tuple(
        Leg(origin=a, target=b, vehicle=vehicle, source=travel.source) for a, b in pairwise(points)
    )


def _rounded(point: Point) -> tuple[float, float]:
    return round(point[0], COORDINATE_DIGITS), round(point[1], COORDINATE_DIGITS)

"""Access coverage of a region: libraries and stops gathered, ways measured, people counted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from api.progress import Ticker
from api.services.needs import norm_set_of, placed_libraries
from data.feeds.estimate_file import load_default_estimate
from data.model.coverage import (
    DAYS_28,
    DEFAULT_COVERAGE,
    MINUTES_MOST,
    Coverage,
    CoverageParams,
    ServedStop,
)
from data.model.errors import InputError
from data.model.norms import NormSet
from data.model.place import Library, LibraryKind, StopId, StopKind
from data.model.plan import Plan, PlanRequest
from data.model.public_timetable import PublicStop
from data.model.publication import PromisedVisit, VisitState
from data.model.region import Region
from data.model.weighted import Floats
from maps.roads import Position, Roads

FOR_ALL = frozenset({StopKind.PUBLIC, StopKind.ON_REQUEST})
"""Kinds of stops that anybody may use; a private or technical one brings nobody into reach."""


def plan_stops(request: PlanRequest, plan: Plan) -> tuple[ServedStop, ...]:
    """The stops that a plan visits, with their visits and open time in 28 days."""
    share = DAYS_28 / request.cycle.num_days
    visits: dict[StopId, int] = {}
    open_s: dict[StopId, int] = {}
    for run in plan.runs:
        for visit in run.visits:
            visits[visit.stop_id] = visits.get(visit.stop_id, 0) + 1
            open_s[visit.stop_id] = open_s.get(visit.stop_id, 0) + visit.end_s - visit.start_s
    return tuple(
        ServedStop(
            stop_id=s.stop_id,
            name=s.name,
            lon=s.lon,
            lat=s.lat,
            visits_28=visits[s.stop_id] * share,
            open_min_28=open_s[s.stop_id] / 60 * share,
        )
        for s in request.stops
        if s.stop_id in visits and s.kind in FOR_ALL
    )


def left_out_stops(request: PlanRequest, plan: Plan) -> tuple[tuple[str, float, float], ...]:
    """Name and place of the stops that a plan does not visit, though it was asked to."""
    visited = {v.stop_id for r in plan.runs for v in r.visits}
    return tuple(
        (s.name, s.lon, s.lat)
        for s in request.stops
        if s.stop_id not in visited and s.kind in FOR_ALL
    )


def promised_stops(
    places: Mapping[str, Any], visits: Iterable[PromisedVisit], *, num_days: int
) -> tuple[ServedStop, ...]:
    """The stops of a published timetable, by the visits that are promised in so many days."""
    share = DAYS_28 / max(1, num_days)
    stops = {s.stop_id: s for s in map(PublicStop.from_json, places.get("stops", ()))}
    kept: dict[StopId, list[PromisedVisit]] = {}
    for visit in visits:
        if visit.state not in (VisitState.CANCELLED, VisitState.WITHDRAWN):
            kept.setdefault(visit.stop_id, []).append(visit)
    return tuple(
        ServedStop(
            stop_id=stop_id,
            name=stop.name,
            lon=stop.lon,
            lat=stop.lat,
            visits_28=len(found) * share,
            open_min_28=sum(v.end_s - v.start_s for v in found) / 60 * share,
        )
        for stop_id, found in sorted(kept.items())
        if (stop := stops.get(stop_id)) is not None and stop.kind in FOR_ALL
    )


def cover_region(
    region: Region,
    roads: Roads,
    *,
    on: date,
    tick: Ticker,
    before: Sequence[ServedStop] = (),
    after: Sequence[ServedStop] = (),
    params: CoverageParams = DEFAULT_COVERAGE,
) -> Coverage:
    """Who of a region's people has a library or a stop in reach, before and after.

    Raises
    ------
    InputError
        ``coverage.no_settlements``.
    """
    if not region.settlements:
        raise InputError("coverage.no_settlements", region=region.region_id)
    from maps.coverage import library_reach, measure_coverage  # scipy: only where it is needed

    libraries, places = counted_libraries(region, on, params)
    tick.phase("phase.coverage")
    is_straight = roads.is_estimated and not region.land
    reach = library_reach(
        libraries,
        places,
        region.settlements,
        roads,
        straight=(region.estimate or load_default_estimate()) if is_straight else None,
        progress=tick.fraction,
    )
    return measure_coverage(
        region.settlements,
        reach,
        before,
        after,
        params,
        travel_source=roads.source,
        is_estimated=roads.is_estimated,
        roads=roads,
    )


def counted_libraries(
    region: Region, on: date, params: CoverageParams
) -> tuple[list[Library], list[Position]]:
    """The libraries that coverage counts, with their places."""
    libraries, places = placed_libraries(region, on)
    if params.count_points:
        return libraries, places
    chosen = [i for i, lib in enumerate(libraries) if lib.kind is LibraryKind.LIBRARY]
    return [libraries[i] for i in chosen], [places[i] for i in chosen]


def norm_limits(norm: NormSet) -> dict[str, float | None]:
    """The limits of a norm that asks the same for settlements of every size; else none."""
    bands = {(band.max_minutes, band.max_km) for band in norm.bands}
    if len(bands) != 1:
        return {}
    minutes, km = bands.pop()
    return {"minutes": MINUTES_MOST if minutes is None else minutes, "library_km": km}


def params_for(
    region: Region,
    *,
    minutes: float | None = None,
    metres: float | None = None,
    library_km: float | None = None,
) -> CoverageParams:
    """The limits that are asked for; what is left out as the region's norm and standard say.

    Where minutes are asked for, kilometres are limited only if they are asked for, too.
    """
    standard = CoverageParams(metres=float(region.standard.walk_to_stop_m))
    limits: dict[str, float | None] = {}
    if minutes is None and library_km is None and region.norm_set_id:
        limits = norm_limits(norm_set_of(region))
    given = {"minutes": minutes, "metres": metres, "library_km": library_km}
    limits |= {name: value for name, value in given.items() if value is not None}
    return replace(standard, **limits)  # type: ignore[arg-type]


def weighted_of(region: Region) -> Floats:
    """People of every settlement by the region's weights, as plans weigh them."""
    from planner.candidates import weighted_people

    return np.array(
        [
            np.nan if s.population is None else weighted_people(s, region.standard)
            for s in region.settlements
        ],
        np.float64,
    )

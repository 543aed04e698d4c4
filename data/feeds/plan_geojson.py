"""A plan as GeoJSON: its stops and its runs, for any map program.

This is the office's own file: unlike the published timetable it holds private stops too.

References
----------
RFC 7946: WGS 84, longitude before latitude, no ``crs`` member.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from data.model.geo import COORDINATE_DIGITS
from data.model.lines import RunLines, leg_lines
from data.model.plan import Plan, PlanRequest, Run
from data.model.riders import riders_of, services_at


def write_geojson(
    request: PlanRequest, plan: Plan, path: Path, *, lines: RunLines | None = None
) -> int:
    """Write stops (points) and runs (lines) and return the number of features.

    Parameters
    ----------
    lines
        Road lines of the runs; a run without one is straight and says ``"follows_roads": false``.
    """
    features = [*_stops(request, plan), *_runs(request, plan, lines)]
    write_features(features, path)
    return len(features)


def write_features(features: Iterable[dict[str, Any]], path: Path) -> None:
    """Write a FeatureCollection, one feature a line so that versions can be compared."""
    body = ",\n".join(json.dumps(f, ensure_ascii=False) for f in features)
    text = f'{{"type": "FeatureCollection", "features": [\n{body}\n]}}\n'
    path.write_text(text, encoding="utf-8")


def point_feature(
    feature_id: str, lon: float, lat: float, properties: dict[str, Any]
) -> dict[str, Any]:
    """A point in degrees with its properties."""
    return {
        "type": "Feature",
        "id": feature_id,
        "geometry": {"type": "Point", "coordinates": _position(lon, lat)},
        "properties": properties,
    }


def _position(lon: float, lat: float) -> list[float]:
    return [round(lon, COORDINATE_DIGITS), round(lat, COORDINATE_DIGITS)]


def _stops(request: PlanRequest, plan: Plan) -> Iterable[dict[str, Any]]:
    stops = {s.stop_id: s for s in request.stops}
    visits: dict[str, list[dict[str, Any]]] = {}
    for run in sorted(plan.runs, key=lambda r: r.day):
        for visit in run.visits:
            visits.setdefault(visit.stop_id, []).append(
                {
                    "vehicle_id": run.vehicle_id,
                    "day": run.day,
                    "date": request.cycle.date_of(run.day).isoformat(),
                    "start_s": visit.start_s,
                    "end_s": visit.end_s,
                    "services": sorted(services_at(request, run, stops[visit.stop_id])),
                }
            )
    reasons = {u.stop_id: u.reason for u in plan.unserved}
    for stop in request.stops:
        properties = {
            "feature": "stop",
            "stop_id": stop.stop_id,
            "name": stop.name,
            "community": stop.community,
            "kind": stop.kind.value,
            "people": stop.people,
            "settlement_ids": list(stop.settlement_ids),
            "served": stop.stop_id in visits,
            "unserved_reason": reasons.get(stop.stop_id),
            "visits": visits.get(stop.stop_id, []),
        }
        yield point_feature(f"stop/{stop.stop_id}", stop.lon, stop.lat, properties)


def _runs(request: PlanRequest, plan: Plan, lines: RunLines | None) -> Iterable[dict[str, Any]]:
    names = {v.vehicle_id: v.name for v in request.vehicles}
    for run in sorted(plan.runs, key=lambda r: (r.day, r.vehicle_id)):
        legs, follows_roads = leg_lines(request, run, lines)
        yield {
            "type": "Feature",
            "id": f"run/{run.vehicle_id}/{run.day}",
            "geometry": {
                "type": "MultiLineString",
                "coordinates": [[_position(lon, lat) for lon, lat in leg] for leg in legs],
            },
            "properties": {
                "feature": "run",
                "vehicle_id": run.vehicle_id,
                "vehicle": names[run.vehicle_id],
                **_run_facts(request, run),
                "follows_roads": follows_roads,
            },
        }


def _run_facts(request: PlanRequest, run: Run) -> dict[str, Any]:
    vehicle = next(v for v in request.vehicles if v.vehicle_id == run.vehicle_id)
    start, end = run.ends(vehicle)
    return {
        "start_depot_id": start,
        "end_depot_id": end,
        "is_night_away": any(d.depot_id == end and d.is_lodging for d in request.depots),
        "day": run.day,
        "date": request.cycle.date_of(run.day).isoformat(),
        "depart_s": run.depart_s,
        "return_s": run.return_s,
        "drive_s": run.drive_s,
        "drive_m": run.drive_m,
        "open_s": run.open_s,
        "stop_ids": [v.stop_id for v in run.visits],
        "specialist_ids": list(run.specialist_ids),
        "specialists": [p.name for p in riders_of(request, run)],
    }

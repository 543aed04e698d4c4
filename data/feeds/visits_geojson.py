"""Public stops with their coming visits as GeoJSON, for any map.

References
----------
RFC 7946: WGS 84, longitude before latitude, no ``crs`` member.
"""

import json
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from data.feeds.plan_geojson import point_feature
from data.model.place import StopId
from data.model.public_timetable import PublicStop, PublicTimetable
from data.model.publication import PromisedVisit


def visits_geojson(
    timetable: PublicTimetable, *, from_date: date, stop_address: Callable[[StopId], str]
) -> bytes:
    """A FeatureCollection of stops, one a line; visits from a date on, cancelled ones marked."""
    features = [
        _feature(timetable, stop, from_date, stop_address(stop.stop_id)) for stop in timetable.stops
    ]
    body = ",\n".join(json.dumps(f, ensure_ascii=False) for f in features)
    return f'{{"type": "FeatureCollection", "features": [\n{body}\n]}}\n'.encode()


def _feature(
    timetable: PublicTimetable, stop: PublicStop, from_date: date, address: str
) -> dict[str, Any]:
    zone = ZoneInfo(timetable.time_zone)
    coming = [v for v in timetable.visits_of(stop.stop_id) if v.opens_date >= from_date]
    properties = {
        "stop_id": stop.stop_id,
        "name": stop.name,
        "community": stop.community,
        "step_free": stop.step_free,
        "url": address,
        "visits": [_visit(timetable, v, zone) for v in coming],
    }
    return point_feature(f"stop/{stop.stop_id}", stop.lon, stop.lat, properties)


def _visit(timetable: PublicTimetable, visit: PromisedVisit, zone: ZoneInfo) -> dict[str, Any]:
    instead = timetable.make_up_of.get(visit.visit_id)
    return {
        "visit_id": visit.visit_id,
        "opens_at": _instant(visit.opens_date, visit.opens_s, zone),
        "closes_at": _instant(visit.opens_date, visit.closes_s, zone),
        "vehicle": timetable.vehicles.get(visit.vehicle_id, visit.vehicle_id),
        "state": visit.state.value,
        "reason": visit.reason or None,
        "make_up_for": visit.make_up_for,
        "replaced_by": None if instead is None else instead.visit_id,
    }


def _instant(on: date, seconds: int, zone: ZoneInfo) -> str:
    return (datetime.combine(on, time(), zone) + timedelta(seconds=seconds)).isoformat()

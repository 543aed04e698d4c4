"""Between our words and the road engine's: vehicles, points and closures out, answers back."""

import json
import math
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data.model.fleet import Vehicle
from maps.build import default_config
from maps.roads import (
    SNAP_LIMIT_M,
    Area,
    Closures,
    Position,
    RouteLeg,
    RouteStep,
    Snap,
    SnapProblem,
)

MIN_REACH_EDGES = 50
"""A road that leads to fewer others is a piece cut off from the network."""
MAX_JUMP_M = 500.0
"""A usable road that much farther than a point's own, cut-off road is not the point's road."""
_VEHICLES = ("auto", "truck", "pedestrian")
_POLYLINE_SCALE = 1e-6
_LOCALES = {"ru": "ru-RU", "en": "en-GB"}


def write_config(packed: Path) -> Path:
    """The engine's configuration for a packed network, written beside it."""
    config = default_config()
    config["mjolnir"] |= {"tile_extract": str(packed.resolve()), "tile_dir": ""}
    config["thor"]["source_to_target_algorithm"] = "timedistancematrix"
    limits = config["service_limits"]
    limits["max_distance_disable_hierarchy_culling"] = 5_000_000
    limits["max_exclude_polygons_length"] = 1_000_000
    limits["max_exclude_polygons_vertices"] = 10_000
    limits["max_timedep_distance"] = 5_000_000
    limits["max_exclude_locations"] = 1_000
    limits["allow_hard_exclusions"] = True
    for costing in _VEHICLES:
        limits[costing] |= {
            "max_locations": 20_000,
            "max_distance": 5e6,
            "max_matrix_distance": 5e6,
            "max_matrix_location_pairs": 5_000_000,
        }
    limits["isochrone"] |= {"max_time_contour": 240, "max_contours": 8}
    path = packed.with_suffix(".json")
    handle, name = tempfile.mkstemp(dir=packed.parent, suffix=".json")
    with os.fdopen(handle, "w", encoding="utf-8") as target:
        json.dump(config, target)
    Path(name).replace(path)
    return path


def costing_of(vehicle: Vehicle | None, **options: bool) -> dict[str, Any]:
    """The engine's words for a vehicle. Its weights are tonnes; every dimension is always sent."""
    if vehicle is None:
        kind, sent = "auto", dict[str, Any]()
    else:
        kind, sent = (
            "truck",
            {
                "height": vehicle.height_m,
                "width": vehicle.width_m,
                "length": vehicle.length_m,
                "weight": vehicle.weight_kg / 1000,
                "axle_load": vehicle.axle_load_kg / 1000,
                "axle_count": 2,
            },
        )
    if options.get("avoid_unpaved"):
        sent["exclude_unpaved"] = True
    if options.get("disable_hierarchy_pruning"):
        sent["disable_hierarchy_pruning"] = True
    return {"costing": kind, "costing_options": {kind: sent}}


def closures_of(closures: Closures) -> dict[str, Any]:
    """The engine's words for closed roads."""
    told: dict[str, Any] = {}
    if closures.polygons:
        told["exclude_polygons"] = [[list(point) for point in ring] for ring in closures.polygons]
    if closures.points:
        told["exclude_locations"] = [{"lon": lon, "lat": lat} for lon, lat in closures.points]
    return told


def locations_of(
    positions: Sequence[Position], cutoff_m: float = SNAP_LIMIT_M
) -> list[dict[str, float]]:
    """Places for a request; a road is looked for within ``cutoff_m`` of each."""
    return [{"lon": lon, "lat": lat, "search_cutoff": cutoff_m} for lon, lat in positions]


def snap_of(position: Position, edges: list[dict[str, Any]]) -> Snap:
    """The nearest road that leads both ways into the network, from a ``locate`` answer."""
    lon, lat = position
    if not edges:
        return Snap(distance_m=None, lon=lon, lat=lat, problem=SnapProblem.NO_ROAD)
    edges = sorted(edges, key=lambda edge: float(edge["distance"]))
    nearest_m = float(edges[0]["distance"])
    for edge in edges:
        metres = float(edge["distance"])
        reach = min(edge["outbound_reach"], edge["inbound_reach"])
        if reach >= MIN_REACH_EDGES and metres - nearest_m <= MAX_JUMP_M:
            return Snap(distance_m=metres, lon=edge["correlated_lon"], lat=edge["correlated_lat"])
    return Snap(distance_m=nearest_m, lon=lon, lat=lat, problem=SnapProblem.CUT_OFF)


def whole_seconds(leg: dict[str, Any]) -> int:
    """Engine seconds of a leg, cut off to whole ones as in the matrix."""
    return math.floor(float(leg["summary"]["time"]))


def leg_of(leg: dict[str, Any], factor: float, *, is_unpaved_forced: bool) -> RouteLeg:
    """A leg of a ``route`` answer, its seconds times the travel factor."""
    return RouteLeg(
        seconds=round(whole_seconds(leg) * factor),
        metres=round(1000 * leg["summary"]["length"]),
        line=_decoded(leg["shape"]),
        steps=tuple(
            RouteStep(
                text=step["instruction"],
                metres=round(1000 * step["length"]),
                seconds=round(step["time"] * factor),
            )
            for step in leg["maneuvers"]
        ),
        is_unpaved_forced=is_unpaved_forced,
    )


def areas_of(features: list[dict[str, Any]]) -> tuple[Area, ...]:
    """Polygons of an ``isochrone`` answer."""
    areas: list[Area] = []
    for feature in features:
        shape = feature["geometry"]
        polygons = shape["coordinates"]
        for rings in [polygons] if shape["type"] == "Polygon" else polygons:
            areas.append(tuple(tuple((x, y) for x, y in ring) for ring in rings))
    return tuple(areas)


def locale_of(language: str) -> str:
    """The engine's name of a language of instructions."""
    return _LOCALES.get(language.replace("_", "-").split("-")[0], language)


def _decoded(shape: str) -> tuple[Position, ...]:
    """An encoded polyline of six digits (differences, zigzag, five bits a character)."""
    values: list[int] = []
    value = shift = 0
    for character in shape:
        bits = ord(character) - 63
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits < 0x20:
            values.append(~(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    lat, lon = np.cumsum(values[0::2]), np.cumsum(values[1::2])
    line = np.round(np.column_stack([lon, lat]) * _POLYLINE_SCALE, 6).tolist()
    return tuple((x, y) for x, y in line)

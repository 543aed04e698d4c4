"""Outlines of land and districts: GeoJSON polygons to outer rings and back."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from data.feeds.report import Problem, input_error
from data.feeds.tables import read_text
from data.model.errors import InputError
from data.model.geo import Ring
from data.model.place import MunicipalityId

_LEAST_POINTS = 3


def read_land(path: Path) -> tuple[Ring, ...]:
    """Outer rings of every polygon of a GeoJSON file; holes are not kept.

    Raises
    ------
    InputError
        ``feeds.geojson.*`` with the feature.
    """
    return tuple(ring for _, rings in _polygons(path) for ring in rings)


def read_districts(path: Path) -> dict[MunicipalityId, tuple[Ring, ...]]:
    """Outer rings by the property ``municipality_id``.

    Raises
    ------
    InputError
        ``feeds.geojson.*`` with the feature; ``feeds.geojson.no_municipality`` where the property
        is missing.
    """
    districts: dict[MunicipalityId, tuple[Ring, ...]] = {}
    for number, (properties, rings) in enumerate(_polygons(path), start=1):
        municipality_id = properties.get("municipality_id")
        if municipality_id in (None, ""):
            raise InputError("feeds.geojson.no_municipality", file=path.name, row=number)
        key = MunicipalityId(str(municipality_id))
        districts[key] = districts.get(key, ()) + rings
    return districts


def _polygons(path: Path) -> Iterator[tuple[Mapping[str, Any], tuple[Ring, ...]]]:
    text, _ = read_text(path)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as wrong:
        raise InputError("feeds.geojson.syntax", file=path.name, row=wrong.lineno) from wrong
    for number, feature in enumerate(_features(document), start=1):
        try:
            geometry = feature.get("geometry") or feature
            rings = tuple(_rings(geometry))
            properties = feature.get("properties") or {}
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as wrong:
            raise input_error(
                [
                    Problem(
                        code="feeds.geojson.not_a_polygon",
                        facts={"file": path.name, "row": number},
                    )
                ]
            ) from wrong
        yield properties, rings


def _features(document: Any) -> list[Any]:
    if isinstance(document, dict) and isinstance(document.get("features"), list):
        return list(document["features"])
    return [document]


def _rings(geometry: Mapping[str, Any]) -> Iterator[Ring]:
    kind = geometry["type"]
    if kind == "GeometryCollection":
        for inner in geometry["geometries"]:
            yield from _rings(inner)
        return
    if kind not in {"Polygon", "MultiPolygon"}:
        raise ValueError(kind)
    polygons = [geometry["coordinates"]] if kind == "Polygon" else geometry["coordinates"]
    for polygon in polygons:
        points = [(float(point[0]), float(point[1])) for point in polygon[0]]
        if len(points) > 1 and points[0] == points[-1]:
            points.pop()
        if len(points) < _LEAST_POINTS or not all(
            -180 <= lon <= 180 and -90 <= lat <= 90 for lon, lat in points
        ):
            raise ValueError(points)
        yield tuple(points)


def write_land(rings: tuple[Ring, ...], path: Path) -> None:
    """One feature for each ring."""
    _write(path, [({}, (ring,)) for ring in rings])


def write_districts(districts: Mapping[MunicipalityId, tuple[Ring, ...]], path: Path) -> None:
    """One feature for each municipality."""
    _write(path, [({"municipality_id": key}, rings) for key, rings in districts.items()])


def _write(path: Path, shapes: list[tuple[dict[str, str], tuple[Ring, ...]]]) -> None:
    features = []
    for properties, rings in shapes:
        polygons = [[[list(point) for point in (*ring, ring[0])]] for ring in rings]
        geometry = (
            {"type": "Polygon", "coordinates": polygons[0]}
            if len(polygons) == 1
            else {"type": "MultiPolygon", "coordinates": polygons}
        )
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    lines = ",\n".join(json.dumps(f, ensure_ascii=False) for f in features)
    text = f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n'
    path.write_text(text, encoding="utf-8", newline="\n")

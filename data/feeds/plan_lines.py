"""The road lines of a plan from the GeoJSON that was written beside it."""

import json
from pathlib import Path
from typing import Any

from data.feeds.tables import check_file
from data.model.errors import InputError
from data.model.fleet import VehicleId
from data.model.lines import Line, RunLines


def read_lines(path: Path) -> RunLines:
    """The legs of each run as lines, of runs that follow roads.

    Raises
    ------
    InputError
        ``feeds.file.*``; ``plan_lines.not_geojson`` where it is no file of a plan's lines.
    """
    check_file(path)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        features = found["features"]
        runs = [f for f in features if f["properties"].get("feature") == "run"]
        return {_key(run): _legs(run) for run in runs if run["properties"].get("follows_roads")}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as wrong:
        raise InputError("plan_lines.not_geojson", file=path.name) from wrong


def _key(run: dict[str, Any]) -> tuple[VehicleId, int]:
    return VehicleId(str(run["properties"]["vehicle_id"])), int(run["properties"]["day"])


def _legs(run: dict[str, Any]) -> list[Line]:
    return [
        [(float(point[0]), float(point[1])) for point in leg]
        for leg in run["geometry"]["coordinates"]
    ]

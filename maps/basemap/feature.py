"""A feature of the basemap, in the layer names of Protomaps' tiles (version 4)."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_ZOOM = 14
"""Tiles end here; a map shows this zoom's tiles, enlarged, beyond it."""

_POPULATION_STEPS = (
    0, 200, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000,
    5_000_000, 10_000_000,
)  # fmt: skip
_EQUATOR_PIXEL_M = 156_543.034
"""Metres of one pixel of 256 across the world, at zoom 0 on the equator."""
_LEAST_PIXELS = 4.0
"""An area appears where it is about as wide as this."""

type Attributes = Mapping[str, str | int | float | bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One thing to draw: its layer, its shape and what the style asks of it."""

    layer: str
    geojson: str
    """Geometry in degrees as GeoJSON text."""
    attributes: Attributes = field(default_factory=dict)
    min_zoom: int = 0
    max_zoom: int = MAX_ZOOM

    def line(self) -> str:
        """The feature as one line of GeoJSON with its layer and zooms."""
        head = {"layer": self.layer, "minzoom": self.min_zoom, "maxzoom": self.max_zoom}
        return (
            f'{{"type":"Feature","tippecanoe":{json.dumps(head)},'
            f'"properties":{json.dumps(self.attributes, ensure_ascii=False)},'
            f'"geometry":{self.geojson}}}\n'
        )


def name_attributes(name: str, russian: str = "", latin: str = "") -> dict[str, str]:
    """Names as the style reads them.

    Parameters
    ----------
    name
        As on the spot.
    russian, latin
        In Russian and in Latin letters, where they are known.
    """
    if not name:
        return {}
    names = {"name": name}
    if is_cyrillic(name):
        # The style puts the name in another script on a second line where this is told.
        names["script"] = "Cyrillic"
        russian = russian or name
    if russian:
        names["name:ru"] = russian
    if latin:
        names["name:en"] = latin
    return names


def is_cyrillic(text: str) -> bool:
    """Whether the first letter is a Cyrillic one."""
    first = next((letter for letter in text if letter.isalpha()), "")
    return "\u0400" <= first <= "\u052f"


def population_rank(population: int) -> int:
    """Step of the population, 1 to 14, by which the style sizes a name."""
    return max(1, sum(population >= step for step in _POPULATION_STEPS))


def zoom_of_area(area_deg2: float, lat: float) -> int:
    """First zoom at which an area of so many square degrees is wide enough to be seen."""
    if area_deg2 <= 0:
        return MAX_ZOOM
    side_pixels = math.sqrt(area_deg2 / max(0.05, math.cos(math.radians(lat)))) / 360 * 256
    return min(MAX_ZOOM, max(0, math.ceil(math.log2(_LEAST_PIXELS / side_pixels))))


def pixel_m(zoom: int, lat: float) -> float:
    """Metres of one of a tile's 256 pixels."""
    return float(_EQUATOR_PIXEL_M * math.cos(math.radians(lat)) / 2**zoom)

"""The areas of a map of coverage, apart from what makes them and what draws them."""

from dataclasses import dataclass
from enum import StrEnum

from data.model.geo import Ring
from maps.roads import Area


class Ground(StrEnum):
    """Where the areas of municipalities come from."""

    BOUNDARIES = "boundaries"
    VORONOI = "voronoi"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class DistrictArea:
    """The ground of a municipality; outer rings alone, in degrees."""

    municipality_id: str
    rings: tuple[Ring, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageAreas:
    """The areas of a coverage map."""

    districts: tuple[DistrictArea, ...]
    ground: Ground
    library: tuple[Area, ...] = ()
    stops: tuple[Area, ...] = ()

"""Plane metres around a place: for lengths and polygons of one region, never across the globe."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from pyproj import Proj

from data.model.geo import EARTH_RADIUS_M


class LocalMetres:
    """Transverse Mercator on the sphere about a centre; off by under 0.1 % within 280 km of it."""

    def __init__(self, lon: float, lat: float) -> None:
        self._projection = Proj(proj="tmerc", lon_0=lon, lat_0=lat, R=EARTH_RADIUS_M)

    @classmethod
    def around(cls, positions: NDArray[np.float64]) -> Self:
        """Centred on the middle of positions, shape (n, 2)."""
        lon, lat = (positions.min(axis=0) + positions.max(axis=0)) / 2
        return cls(float(lon), float(lat))

    def to_metres(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """(lon, lat) degrees, shape (n, 2), to (x_m, y_m)."""
        return np.column_stack(self._projection(positions[:, 0], positions[:, 1]))

    def to_degrees(self, places_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """(x_m, y_m), shape (n, 2), to (lon, lat) degrees."""
        return np.column_stack(self._projection(places_m[:, 0], places_m[:, 1], inverse=True))

"""The line that a vehicle is to drive: how far along it is, and how far off.

Lengths are metres on a plane about the line's middle; within a day's drive the error is below the
width of a road.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians

import numpy as np
from numpy.typing import NDArray

from data.model.geo import EARTH_RADIUS_M

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnLine:
    """A position held against a line."""

    along_m: float
    off_m: float
    lon: float
    lat: float
    """The nearest point of the line: what the public is shown."""


class Corridor:
    """A line of points (lon, lat) in order of travel."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        if len(points) < 2:
            raise ValueError("a line has at least two points")
        degrees = np.array(points, np.float64)
        self._lat = float(degrees[:, 1].mean())
        self._lon = float(degrees[:, 0].mean())
        self._scale_x = radians(1) * EARTH_RADIUS_M * cos(radians(self._lat))
        self._scale_y = radians(1) * EARTH_RADIUS_M
        self._x_m = (degrees[:, 0] - self._lon) * self._scale_x
        self._y_m = (degrees[:, 1] - self._lat) * self._scale_y
        self._dx_m, self._dy_m = np.diff(self._x_m), np.diff(self._y_m)
        self._step_m = np.hypot(self._dx_m, self._dy_m)
        self._from_m = np.concatenate([[0.0], np.cumsum(self._step_m)])

    @property
    def length_m(self) -> float:
        return float(self._from_m[-1])

    def locate(
        self, lon: float, lat: float, *, from_m: float = 0.0, to_m: float | None = None
    ) -> OnLine:
        """The nearest point of the line between two distances along it.

        A line that crosses itself or goes out and back is told apart by ``from_m``: a vehicle does
        not fall back by more than noise.
        """
        x_m = (lon - self._lon) * self._scale_x - self._x_m[:-1]
        y_m = (lat - self._lat) * self._scale_y - self._y_m[:-1]
        squared = np.maximum(self._step_m**2, 1e-9)
        share = np.clip((x_m * self._dx_m + y_m * self._dy_m) / squared, 0.0, 1.0)
        off_m = np.hypot(x_m - share * self._dx_m, y_m - share * self._dy_m)
        along_m = self._from_m[:-1] + share * self._step_m
        last_m = self.length_m if to_m is None else to_m
        inside = (along_m >= from_m - 1e-6) & (along_m <= last_m + 1e-6)
        k = int(np.argmin(np.where(inside, off_m, np.inf) if inside.any() else off_m))
        at_lon, at_lat = self.point_at(float(along_m[k]))
        return OnLine(along_m=float(along_m[k]), off_m=float(off_m[k]), lon=at_lon, lat=at_lat)

    def point_at(self, along_m: float) -> tuple[float, float]:
        """Lon and lat of the point so far along the line."""
        x_m = float(np.interp(along_m, self._from_m, self._x_m))
        y_m = float(np.interp(along_m, self._from_m, self._y_m))
        return self._lon + x_m / self._scale_x, self._lat + y_m / self._scale_y

    def points_at(self, along_m: Floats) -> tuple[Floats, Floats]:
        """The same of many distances."""
        x_m = np.interp(along_m, self._from_m, self._x_m)
        y_m = np.interp(along_m, self._from_m, self._y_m)
        return self._lon + x_m / self._scale_x, self._lat + y_m / self._scale_y

    def courses_at(self, along_m: Floats) -> Floats:
        """Course over ground in degrees from north at many distances."""
        k = np.clip(
            np.searchsorted(self._from_m, along_m, side="right") - 1, 0, len(self._step_m) - 1
        )
        return np.asarray(np.degrees(np.arctan2(self._dx_m[k], self._dy_m[k])) % 360.0)

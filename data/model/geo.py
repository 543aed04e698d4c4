"""Places on the globe: degrees in, metres out.

Degrees are ``lon``, ``lat`` in EPSG:4326, always lon first. Lengths are never computed in degrees.
"""

import math

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS_M = 6_371_008.8
"""Mean Earth radius, metres (IUGG)."""

COORDINATE_DIGITS = 5
"""Degrees are rounded once, on entry: 1e-5 degree is about one metre."""

type Ring = tuple[tuple[float, float], ...]
"""A closed line of (lon, lat) points; the last point need not repeat the first."""


def distance_m(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Great-circle distance in metres between two points in degrees (haversine)."""
    phi_a, phi_b = math.radians(lat_a), math.radians(lat_b)
    half_phi = (phi_b - phi_a) / 2
    half_lambda = math.radians(lon_b - lon_a) / 2
    a = math.sin(half_phi) ** 2 + math.cos(phi_a) * math.cos(phi_b) * math.sin(half_lambda) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(a)))


def distances_m(origins: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Great-circle distances in metres, origins to targets.

    Parameters
    ----------
    origins, targets
        Arrays of shape (n, 2) and (m, 2): lon, lat in degrees.

    Returns
    -------
    NDArray[np.float64], shape (n, m)
    """
    lon_a, lat_a = np.radians(origins[:, None, 0]), np.radians(origins[:, None, 1])
    lon_b, lat_b = np.radians(targets[None, :, 0]), np.radians(targets[None, :, 1])
    a = (
        np.sin((lat_b - lat_a) / 2) ** 2
        + np.cos(lat_a) * np.cos(lat_b) * np.sin((lon_b - lon_a) / 2) ** 2
    )
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(a, 0.0, 1.0))))


def check_position(lon: float, lat: float) -> None:
    """Raise ``ValueError`` unless lon and lat are degrees on the globe."""
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise ValueError(f"not a position in degrees: lon {lon}, lat {lat}")

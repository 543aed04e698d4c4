"""Lines made small for a page: points that the eye cannot miss, as short text.

References
----------
Douglas and Peucker (1973), doi:10.3138/FM57-6770-U75U-7727. The text is Google's encoded polyline
algorithm format: differences of 1e-5 degree, zigzag, base 32 plus 63.
"""

import math
from collections.abc import Iterable, Sequence

from shapely import LineString

_METRES_PER_DEGREE = 111_195.0
_SCALE = 100_000


def simplified(
    line: Sequence[tuple[float, float]], tolerance_m: float
) -> tuple[tuple[float, float], ...]:
    """A line (lon, lat) without the points that lie within ``tolerance_m`` metres of it."""
    if len(line) < 3:
        return tuple(line)
    shrink = math.cos(math.radians(line[0][1]))
    flat = LineString([(x * shrink * _METRES_PER_DEGREE, y * _METRES_PER_DEGREE) for x, y in line])
    kept = flat.simplify(tolerance_m, preserve_topology=False).coords
    return tuple((x / shrink / _METRES_PER_DEGREE, y / _METRES_PER_DEGREE) for x, y in kept)


def encoded(line: Iterable[tuple[float, float]]) -> str:
    """A line (lon, lat) as an encoded polyline, five decimals, latitude first as is usual there."""
    text = []
    last_lat = last_lon = 0
    for lon, lat in line:
        now_lat, now_lon = round(lat * _SCALE), round(lon * _SCALE)
        for step in (now_lat - last_lat, now_lon - last_lon):
            value = ~(step << 1) if step < 0 else step << 1
            while value >= 0x20:
                text.append(chr((0x20 | (value & 0x1F)) + 63))
                value >>= 5
            text.append(chr(value + 63))
        last_lat, last_lon = now_lat, now_lon
    return "".join(text)

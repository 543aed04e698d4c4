"""A vehicle's way as a small drawing: the line of its run, its stops, and the vehicle on it.

Plain SVG of the page's own, so that it needs no script and no map of anybody else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, radians

from api.services.public_position import Snapped, Way
from data.model.publication import VisitId

WIDTH = 640.0
LEAST_HEIGHT, MOST_HEIGHT = 180.0, 420.0
MARGIN = 28.0
_LEAST_STEP = 1.2
"""Points of a line nearer to one another cannot be told apart."""
_LEAST_SPAN_DEG = 0.01

type Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A stop: ``place`` as in the list of stops (passed, here, next, to come …)."""

    x: float
    y: float
    place: str
    name: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WayDrawing:
    """Everything of the drawing in its own units."""

    width: int
    height: int
    driven: tuple[str, ...]
    """Paths of legs that are done."""
    ahead: tuple[str, ...]
    dots: tuple[Dot, ...]
    vehicle: Point | None
    follows_roads: bool


def drawn(
    way: Way, at: Snapped | None, stops: Mapping[VisitId, tuple[str, str]]
) -> WayDrawing | None:
    """The drawing; ``None`` where there is nothing to draw.

    Parameters
    ----------
    stops
        Of each visit that is told its place in the day and its name.
    """
    shown = [v for v in way.visits if v.visit_id in stops]
    if len(shown) < 2 and not way.legs:
        return None
    corners = [way.places[v.visit_id] for v in shown]
    corners += [p for leg in way.legs for p in leg.points]
    sheet = _Sheet(corners)
    over = {i for i, (place, _) in stops.items() if place in ("passed", "skipped", "here")}
    driven, ahead = [], []
    for leg in way.legs:
        line = sheet.thinned(leg.points)
        if at is not None and not at.is_there and leg.target.visit_id == at.visit_id:
            cut = leg.corridor.length_m - at.left_m
            done, left = _cut(leg.points, (at.lon, at.lat), cut / max(leg.corridor.length_m, 1.0))
            driven.append(_path(sheet.thinned(done)))
            ahead.append(_path(sheet.thinned(left)))
        else:
            (driven if leg.target.visit_id in over else ahead).append(_path(line))
    dots = []
    for number, visit in enumerate(shown, start=1):
        x, y = sheet.place(way.places[visit.visit_id])
        place, name = stops[visit.visit_id]
        dots.append(Dot(x=x, y=y, place=place, name=name, number=number))
    return WayDrawing(
        width=round(WIDTH),
        height=round(sheet.height),
        driven=tuple(driven),
        ahead=tuple(ahead),
        dots=tuple(dots),
        vehicle=None if at is None else sheet.place((at.lon, at.lat)),
        follows_roads=way.follows_roads,
    )


class _Sheet:
    """Places degrees on a sheet of ``WIDTH``, north up, true to scale."""

    def __init__(self, corners: Sequence[Point]) -> None:
        lons, lats = [p[0] for p in corners], [p[1] for p in corners]
        middle = (min(lats) + max(lats)) / 2
        self._shrink = cos(radians(middle))
        across = max((max(lons) - min(lons)) * self._shrink, _LEAST_SPAN_DEG)
        up = max(max(lats) - min(lats), _LEAST_SPAN_DEG)
        scale = min((WIDTH - 2 * MARGIN) / across, (MOST_HEIGHT - 2 * MARGIN) / up)
        self.height = max(LEAST_HEIGHT, up * scale + 2 * MARGIN)
        self._scale = scale
        self._lon, self._lat = (min(lons) + max(lons)) / 2, middle

    def place(self, point: Point) -> Point:
        x = WIDTH / 2 + (point[0] - self._lon) * self._shrink * self._scale
        y = self.height / 2 - (point[1] - self._lat) * self._scale
        return round(x, 1), round(y, 1)

    def thinned(self, points: Sequence[Point]) -> list[Point]:
        """A line on the sheet without points that nobody could see."""
        placed = [self.place(p) for p in points]
        kept = placed[:1]
        for point in placed[1:-1]:
            if abs(point[0] - kept[-1][0]) + abs(point[1] - kept[-1][1]) >= _LEAST_STEP:
                kept.append(point)
        return [*kept, placed[-1]]


def _cut(points: Sequence[Point], at: Point, share: float) -> tuple[list[Point], list[Point]]:
    """A line before and behind a point of it that lies at a share of its length."""
    shrink = cos(radians(at[1]))
    steps = [
        ((b[0] - a[0]) ** 2 * shrink**2 + (b[1] - a[1]) ** 2) ** 0.5 for a, b in pairwise(points)
    ]
    wanted, gone = share * sum(steps), 0.0
    for k, step in enumerate(steps):
        if gone + step >= wanted:
            return [*points[: k + 1], at], [at, *points[k + 1 :]]
        gone += step
    return [*points, at], [at, points[-1]]


def _path(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:g},{y:g}" for x, y in points)

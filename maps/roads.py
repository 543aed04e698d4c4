"""What the rest of the program may ask of a road network, and the shape of the answers.

Positions are (lon, lat) in degrees; they are rounded once, on entry, to ``COORDINATE_DIGITS``.
Seconds are driven seconds of the vehicle, stop to stop.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from data.model.errors import RoadsError
from data.model.fleet import Vehicle
from data.model.geo import COORDINATE_DIGITS, Ring, check_position, distance_m
from data.model.travel import UNREACHABLE, TravelMatrix

type Position = tuple[float, float]
"""(lon, lat), degrees."""

type Area = tuple[Ring, ...]
"""One polygon: the outer ring, then its holes."""

type Times = tuple[NDArray[np.int32], NDArray[np.int32]]
"""Seconds and metres, origins to targets; ``UNREACHABLE`` in both where no road leads."""

type Progress = Callable[[float], None]
"""Told the share of the work done, 0 to 1. What it raises ends the work."""

NO_ROUTE = "roads.no_route"
OFF_NETWORK = {
    "cut_off": "roads.off_network.cut_off",
    "no_road": "roads.off_network.no_road",
    "off_land": "roads.off_network.off_land",
}
"""Error codes by ``SnapProblem``."""

SNAP_LIMIT_M = 3_000.0
"""A point is joined to a road (or to the land's outline) at most this far away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadPoint:
    """A named point of a travel matrix."""

    point_id: str
    lon: float
    lat: float

    def __post_init__(self) -> None:
        check_position(self.lon, self.lat)

    @property
    def position(self) -> Position:
        return self.lon, self.lat


class SnapProblem(StrEnum):
    """Why a point cannot be driven to."""

    CUT_OFF = "cut_off"
    """It has roads, but none of them joins the network."""
    NO_ROAD = "no_road"
    """No road within ``SNAP_LIMIT_M``."""
    OFF_LAND = "off_land"
    """It lies farther than ``SNAP_LIMIT_M`` outside the land's outline (estimated travel)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snap:
    """Where a point meets the network.

    ``distance_m`` is the way from the point to ``lon``, ``lat`` on the road. With a problem it is
    the distance to the nearest road of no use, or ``None`` where there is none, and ``lon``,
    ``lat`` are the point's own.
    """

    distance_m: float | None
    lon: float
    lat: float
    problem: SnapProblem | None = None

    @property
    def is_usable(self) -> bool:
        return self.problem is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closures:
    """Roads that are closed for one request: those in or across the polygons, those at the points.

    A spring thaw, a broken bridge, a ferry out of season. No network is rebuilt for them.
    """

    polygons: tuple[Ring, ...] = ()
    points: tuple[Position, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.polygons or self.points)


NO_CLOSURES = Closures()


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteStep:
    """One instruction for the driver, in the language asked for."""

    text: str
    metres: int
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteLeg:
    """The way from one point to the next; seconds and metres equal the matrix cell.

    ``is_unpaved_forced`` says that the vehicle avoids unpaved roads and that here no paved way
    leads.
    """

    seconds: int
    metres: int
    line: tuple[Position, ...]
    steps: tuple[RouteStep, ...] = ()
    is_unpaved_forced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteLine:
    """A drive through several points, one leg fewer than points."""

    legs: tuple[RouteLeg, ...]
    source: str
    is_estimated: bool

    @property
    def seconds(self) -> int:
        return sum(leg.seconds for leg in self.legs)

    @property
    def metres(self) -> int:
        return sum(leg.metres for leg in self.legs)


class ReachMode(StrEnum):
    """How people come to a stop."""

    WALK = "walk"
    CAR = "car"


class Roads(Protocol):
    """A road network, or an estimate in its place. Close it when done (context manager).

    ``vehicle`` is a bookmobile with its dimensions, or ``None`` for a private car.
    """

    @property
    def key(self) -> str:
        """Names the network's contents and the engine: equal keys give equal answers."""

    @property
    def is_estimated(self) -> bool:
        """Whether no road network stands behind the figures."""

    @property
    def source(self) -> str:
        """Network and engine, for plans and their readers."""

    @property
    def travel_factor(self) -> float:
        """Calibration: answered seconds are the engine's times this."""

    def unscaled(self) -> "Roads":
        """The same roads with a travel factor of 1; closing either closes both."""

    def snap(self, points: Sequence[Position], vehicle: Vehicle | None) -> list[Snap]:
        """Where each point meets the network, or why it does not."""

    def times(
        self,
        origins: Sequence[Position],
        targets: Sequence[Position],
        vehicle: Vehicle | None,
        progress: Progress | None = None,
        closures: Closures = NO_CLOSURES,
    ) -> Times:
        """Seconds and metres from every origin to every target, shape (origins, targets)."""

    def matrix(
        self,
        points: Sequence[RoadPoint],
        vehicle: Vehicle | None,
        progress: Progress | None = None,
        closures: Closures = NO_CLOSURES,
    ) -> TravelMatrix:
        """Travel between all points. Points that do not snap are ``UNREACHABLE`` to others."""

    def route(
        self,
        points: Sequence[Position],
        vehicle: Vehicle | None,
        language: str,
        closures: Closures = NO_CLOSURES,
    ) -> RouteLine:
        """The drive through the points in order.

        Raises
        ------
        RoadsError
            ``roads.no_route`` where no road joins two successive points,
            ``roads.off_network.*`` where a point is on none.
        """

    def walks(self, place: Position, homes: Sequence[Position]) -> NDArray[np.float64]:
        """Metres on foot from each home to a place, with the way to the road at both ends.

        Infinite where no way leads there, ``nan`` where no network knows.
        """

    def reach(self, lon: float, lat: float, minutes: float, mode: ReachMode) -> tuple[Area, ...]:
        """What lies within some minutes of a point; empty where the point is on no road."""

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def rounded(points: Sequence[Position]) -> list[Position]:
    """The positions as every engine, cache and file sees them."""
    return [(round(lon, COORDINATE_DIGITS), round(lat, COORDINATE_DIGITS)) for lon, lat in points]


def scaled(seconds: NDArray[np.int32], factor: float) -> NDArray[np.int32]:
    """Engine seconds times the travel factor; ``UNREACHABLE`` stays."""
    if factor == 1.0:
        return seconds
    driven = np.rint(seconds * factor).astype(np.int32)
    return np.where(seconds == UNREACHABLE, np.int32(UNREACHABLE), driven)


def profile_of(vehicle: Vehicle | None) -> dict[str, float | bool | str]:
    """What travel depends on in a vehicle: equal profiles share one matrix."""
    if vehicle is None:
        return {"kind": "car"}
    return {
        "kind": "bookmobile",
        "height_m": vehicle.height_m,
        "width_m": vehicle.width_m,
        "length_m": vehicle.length_m,
        "weight_kg": vehicle.weight_kg,
        "axle_load_kg": vehicle.axle_load_kg,
        "avoid_unpaved": vehicle.avoid_unpaved,
    }


def matrix_of(
    roads: Roads,
    points: Sequence[RoadPoint],
    vehicle: Vehicle | None,
    progress: Progress | None,
    closures: Closures,
) -> TravelMatrix:
    """The square matrix of named points, by ``roads.times``."""
    positions = [point.position for point in points]
    seconds, metres = roads.times(positions, positions, vehicle, progress, closures)
    np.fill_diagonal(seconds, 0)
    np.fill_diagonal(metres, 0)
    return TravelMatrix(
        point_ids=tuple(point.point_id for point in points),
        travel_s=seconds,
        travel_m=metres,
        source=roads.source,
        is_estimated=roads.is_estimated,
    )


def no_route(origin: Position, target: Position) -> RoadsError:
    """The refusal of a leg between points that no road joins."""
    return RoadsError(
        NO_ROUTE,
        from_lon=origin[0],
        from_lat=origin[1],
        to_lon=target[0],
        to_lat=target[1],
        distance_m=round(distance_m(*origin, *target)),
    )


def off_network(point: Position, snap: Snap) -> RoadsError:
    """The refusal of a point that cannot be driven to."""
    lon, lat = point
    limit_km = SNAP_LIMIT_M / 1000
    return RoadsError(OFF_NETWORK[snap.problem or ""], lon=lon, lat=lat, limit_km=f"{limit_km:g}")

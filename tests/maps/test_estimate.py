"""Estimated travel stays on the land, is symmetric and says that it is an estimate."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Point, Polygon

from data.feeds.estimate_file import load_default_estimate
from data.model.errors import RoadsError
from data.model.geo import Ring, distance_m
from data.model.region import EstimateParams
from data.model.travel import UNREACHABLE
from maps.estimate import EstimatedRoads
from maps.land import MAX_OUTLINE_POINTS, Land
from maps.roads import Closures, Position, ReachMode, RoadPoint, SnapProblem
from tests.maps.conftest import BUS

PLAIN = EstimateParams(knots_m=(0.0, 1e5), detour_ratio=(1.0, 1.0), speed_mps=(10.0, 10.0))
"""Metres as the crow flies inside the land, ten a second."""


def _degrees(*places_km: tuple[float, float]) -> Ring:
    """Kilometres east and north of 20.5, 54.7 (Kaliningrad) as lon, lat."""
    km = 111.195
    east = km * math.cos(math.radians(54.7))
    return tuple((20.5 + x / east, 54.7 + y / km) for x, y in places_km)


# A bay from the north, 20 km wide and 35 km deep, in land of 60 by 40 km.
BAY = _degrees((0, 0), (60, 0), (60, 40), (40, 40), (40, 5), (20, 5), (20, 40), (0, 40))
ISLAND = _degrees((27, 20), (33, 20), (33, 26), (27, 26))
WEST, EAST, SOUTH = _degrees((10, 35), (50, 35), (30, 2))
ON_ISLAND, IN_BAY, NEAR_SHORE, FAR_OUT = _degrees((30, 23), (30, 35), (22, 30), (70, 20))


def crow_m(a: Position, b: Position) -> float:
    return distance_m(*a, *b)


def test_ways_go_round_the_bay() -> None:
    """Across 40 km of water the way is over both corners of the bay: a hand sum."""
    roads = EstimatedRoads([BAY], PLAIN)
    _, metres = roads.times([WEST], [EAST, SOUTH], None)
    round_m = 1000 * (2 * math.hypot(10, 30) + 20)
    assert metres[0, 0] == pytest.approx(round_m, rel=1e-2)
    assert metres[0, 1] == pytest.approx(1000 * (math.hypot(10, 30) + math.hypot(10, 3)), rel=1e-2)


def test_the_line_of_a_route_stays_on_the_land() -> None:
    """The drawn way bends at the corners, and its legs equal the matrix."""
    roads = EstimatedRoads([BAY], load_default_estimate())
    line = roads.route([WEST, EAST, SOUTH], BUS, "ru")
    assert line.is_estimated and [len(leg.line) for leg in line.legs] == [4, 3]
    land = Polygon(BAY).buffer(1e-4)
    assert all(land.covers(LineString(leg.line)) for leg in line.legs)
    seconds, metres = roads.times([WEST, EAST], [EAST, SOUTH], BUS)
    told = [(leg.seconds, leg.metres) for leg in line.legs]
    assert told == [(seconds[0, 0], metres[0, 0]), (seconds[1, 1], metres[1, 1])]


def test_another_part_of_the_land_is_unreachable() -> None:
    """No way leads to an island, in either direction; the island reaches itself."""
    roads = EstimatedRoads([BAY, ISLAND], PLAIN)
    points = [
        RoadPoint(point_id=name, lon=lon, lat=lat)
        for name, (lon, lat) in (("west", WEST), ("island", ON_ISLAND), ("east", EAST))
    ]
    matrix = roads.matrix(points, BUS)
    assert matrix.is_estimated
    assert (matrix.travel_s[1] == [UNREACHABLE, 0, UNREACHABLE]).all()
    assert (matrix.travel_m[:, 1] == [UNREACHABLE, 0, UNREACHABLE]).all()
    with pytest.raises(RoadsError) as refused:
        roads.route([WEST, ON_ISLAND], BUS, "ru")
    assert refused.value.code == "roads.no_route"


def test_points_outside_the_outline() -> None:
    """Two kilometres off it the point comes to the shore; ten off it is refused by name."""
    roads = EstimatedRoads([BAY], PLAIN)
    inside, near, far = roads.snap([WEST, NEAR_SHORE, FAR_OUT], BUS)
    assert inside.distance_m == 0 and inside.is_usable
    assert near.is_usable and near.distance_m == pytest.approx(2_000, rel=0.01)
    assert far.problem is SnapProblem.OFF_LAND
    assert far.distance_m == pytest.approx(10_000, rel=0.01)
    seconds, metres = roads.times([WEST, FAR_OUT], [NEAR_SHORE, FAR_OUT], BUS)
    direct_m = 1000 * (math.hypot(10, 5) + 2)
    assert metres[0, 0] == pytest.approx(direct_m, rel=1e-2)
    assert seconds[0, 1] == seconds[1, 0] == metres[1, 1] == UNREACHABLE
    with pytest.raises(RoadsError) as refused:
        roads.route([WEST, FAR_OUT], BUS, "ru")
    assert refused.value.code == "roads.off_network.off_land"


def test_neighbours_outside_a_coarse_outline_meet_directly() -> None:
    """Two villages 500 m apart that the outline leaves out are not sent by the shore."""
    a, b = _degrees((62, 20), (62.3, 20.4))
    _, metres = EstimatedRoads([BAY], PLAIN).times([a], [b], BUS)
    assert metres[0, 0] == pytest.approx(500, abs=3)


def test_without_an_outline_ways_are_straight() -> None:
    """Metres are the great circle's, times the detour; the bus takes its factor longer."""
    params = replace(PLAIN, detour_ratio=(1.3, 1.3), leg_fixed_s=30.0, bookmobile_factor=1.2)
    roads = EstimatedRoads([], params)
    seconds, metres = roads.times([WEST], [EAST, WEST], None)
    assert metres[0, 0] == round(1.3 * crow_m(WEST, EAST))
    assert seconds[0, 0] == pytest.approx(1.3 * crow_m(WEST, EAST) / 10 + 30, abs=1)
    assert seconds[0, 1] == metres[0, 1] == 0
    bus, _ = roads.times([WEST], [EAST], BUS)
    assert bus[0, 0] == pytest.approx(1.2 * seconds[0, 0], abs=1)
    assert roads.snap([WEST], BUS)[0].is_usable
    assert roads.route([WEST, EAST], None, "en").legs[0].line == tuple(
        (round(x, 5), round(y, 5)) for x, y in (WEST, EAST)
    )


def test_travel_factor_and_key() -> None:
    """The factor scales seconds and is no part of the key; the land and the table are."""
    slow = EstimatedRoads([BAY], PLAIN, travel_factor=1.5)
    plain = slow.unscaled()
    assert slow.times([WEST], [EAST], None)[0] == np.rint(
        1.5 * plain.times([WEST], [EAST], None)[0]
    )
    keys = {slow.key, plain.key, EstimatedRoads([BAY], replace(PLAIN, source="x")).key}
    assert len(keys) == 1
    assert EstimatedRoads([], PLAIN).key != slow.key
    assert EstimatedRoads([BAY], replace(PLAIN, leg_fixed_s=1.0)).key != slow.key


def test_closures_need_a_road_network() -> None:
    """A closure cannot count where no road is known, and is not ignored either."""
    roads = EstimatedRoads([BAY], PLAIN)
    with pytest.raises(RoadsError) as refused:
        roads.times([WEST], [EAST], BUS, closures=Closures(points=(SOUTH,)))
    assert refused.value.code == "roads.closures_need_roads"


def test_reach_keeps_to_its_side_of_the_water() -> None:
    """A circle about a point on the shore does not take in the far shore."""
    roads = EstimatedRoads([BAY], load_default_estimate())
    (area,) = roads.reach(*_degrees((18, 35))[0], 45, ReachMode.CAR)
    open_water = EstimatedRoads([], load_default_estimate())
    (circle,) = open_water.reach(*_degrees((18, 35))[0], 45, ReachMode.CAR)
    assert Polygon(circle[0]).contains(Point(*_degrees((41, 35))[0]))
    assert Polygon(area[0]).area > 0
    assert all(lon <= BAY[5][0] + 1e-5 or lat <= BAY[5][1] + 1e-5 for lon, lat in area[0])
    lon, lat = SOUTH
    (walk,) = EstimatedRoads([], load_default_estimate()).reach(lon, lat, 15, ReachMode.WALK)
    radii = [distance_m(lon, lat, x, y) for x, y in walk[0]]
    assert 800 < min(radii) <= max(radii) < 1_275 and max(radii) - min(radii) < 5
    assert roads.reach(*FAR_OUT, 15, ReachMode.WALK) == ()


def test_a_hole_and_a_long_outline() -> None:
    """A jagged outline of thousands of points is simplified to one that is quick to use."""
    turn = np.linspace(0, 2 * np.pi, 5_000, endpoint=False)
    radius = 50 + 0.3 * np.sin(400 * turn) + 5 * np.sin(7 * turn)
    places = zip((radius * np.cos(turn)).tolist(), (radius * np.sin(turn)).tolist(), strict=True)
    land = Land([_degrees(*places)])
    assert len(land.parts) == 1
    assert 20 < len(land.parts[0].polygon.exterior.coords) <= MAX_OUTLINE_POINTS


def test_touching_parts_are_one_land() -> None:
    """Two rings with a common border are joined: one may drive from one to the other."""
    left, right = (
        _degrees((0, 0), (10, 0), (10, 10), (0, 10)),
        _degrees((10, 0), (20, 0), (20, 10), (10, 10)),
    )
    a, b = _degrees((5, 5), (15, 5))
    assert EstimatedRoads([left, right], PLAIN).times([a], [b], None)[1][0, 0] == pytest.approx(
        10_000, rel=2e-3
    )


places = st.tuples(st.floats(-2, 62), st.floats(-2, 42)).map(lambda p: _degrees(p)[0])


@settings(max_examples=40, deadline=None)
@given(st.lists(places, min_size=3, max_size=7))
def test_travel_is_symmetric_and_keeps_the_triangle(points: list[Position]) -> None:
    """There is as far as back, and over a third place on the land is never shorter."""
    roads = EstimatedRoads([BAY], load_default_estimate())
    usable = [p for p, s in zip(points, roads.snap(points, BUS), strict=True) if not s.distance_m]
    seconds, metres = roads.times(usable, usable, BUS)
    assert (seconds == seconds.T).all() and (metres == metres.T).all()
    for table in (seconds, metres):
        over = (table[:, :, None] + table[None]).min(axis=1) if usable else table
        assert (table <= over + 2).all()
    crow = np.array([[crow_m(a, b) for b in usable] for a in usable]).reshape(metres.shape)
    assert (metres >= 0.998 * crow - 1).all()


@settings(max_examples=40, deadline=None)
@given(places, places)
def test_inside_metres_match_a_plain_twin(a: Position, b: Position) -> None:
    """Against all ways over the bay's two corners, tried one by one with shapely."""
    roads = EstimatedRoads([BAY], PLAIN)
    if any(snap.distance_m for snap in roads.snap([a, b], None)):
        return
    land = Polygon(BAY).buffer(2e-5)
    ways = [[a, b], [a, BAY[4], b], [a, BAY[5], b], [a, BAY[4], BAY[5], b], [a, BAY[5], BAY[4], b]]
    inside = [way for way in ways if land.covers(LineString(way))]
    best = min(sum(map(crow_m, way, way[1:])) for way in inside)
    assert roads.times([a], [b], None)[1][0, 0] == pytest.approx(best, rel=3e-3, abs=2)


def test_the_shipped_estimate_is_plausible() -> None:
    """Detours fall and speeds rise with distance, between town and country values."""
    params = load_default_estimate()
    detour, speed = np.array(params.detour_ratio), 3.6 * np.array(params.speed_mps)
    assert (np.diff(detour) <= 0).all() and 1.2 < detour[-1] < detour[0] < 2
    assert (np.diff(speed) >= 0).all() and 15 < speed[0] < speed[-1] < 70
    assert params.knots_m[0] == 0 and params.bookmobile_factor > 1

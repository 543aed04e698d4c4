"""Walks to stops on real roads: as long as the network's way, the area as the network leads."""

from dataclasses import replace

import numpy as np
import pytest
from shapely.geometry import Point, Polygon

from data.model.coverage import CoverageParams, Reach, ServedStop
from data.model.geo import distance_m
from data.model.place import Settlement, SettlementId, StopId
from maps.coverage import library_reach, measure_coverage
from maps.coverage_areas import stop_area
from maps.roads import ReachMode, Roads
from maps.valhalla_roads import ValhallaRoads
from tests.osm_region import RegionFacts, Village


def settlement(village: Village) -> Settlement:
    return Settlement(
        settlement_id=SettlementId(str(village.osm_id)), name=village.name,
        lon=village.lon, lat=village.lat, population=100,
    )  # fmt: skip


def crow(one: Village, other: Village) -> float:
    return distance_m(one.lon, one.lat, other.lon, other.lat)


def stop_at(village: Village) -> ServedStop:
    return ServedStop(
        stop_id=StopId("s"), name=village.name, lon=village.lon, lat=village.lat, visits_28=4.0,
        open_min_28=240.0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def pair(region: RegionFacts, roads: ValhallaRoads) -> tuple[Village, Village, float]:
    """Two villages on the network whose way on foot is clearly longer than the crow's."""
    villages = [region.villages[i] for i in region.on_network]
    first = villages[0]
    near = sorted(villages[1:], key=lambda v: crow(first, v))[:12]
    walked = roads.walks((first.lon, first.lat), [(v.lon, v.lat) for v in near])
    longest = max(range(len(near)), key=lambda i: walked[i] / crow(first, near[i]))
    assert walked[longest] > 1.1 * crow(first, near[longest])
    return first, near[longest], float(walked[longest])


def test_ways_on_foot_are_no_shorter_than_the_crows(
    region: RegionFacts, roads: ValhallaRoads
) -> None:
    """Finite to every village on the network, longer than straight; the island is not known."""
    first = region.villages[region.on_network[0]]
    others = [region.villages[i] for i in region.on_network[1:20]]
    metres = roads.walks((first.lon, first.lat), [(v.lon, v.lat) for v in others])
    assert np.isfinite(metres).all()
    assert all(m > 0.99 * crow(first, v) for m, v in zip(metres.tolist(), others, strict=True))
    island = region.villages[region.cut_off[0]]
    (away,) = roads.walks((first.lon, first.lat), [(island.lon, island.lat)])
    assert not np.isfinite(away)


def test_a_stop_beyond_the_walk_is_out_of_reach_though_the_crow_gets_there(
    pair: tuple[Village, Village, float], roads: ValhallaRoads
) -> None:
    """A limit between the crow's way and the network's: no reach on roads, reach without them."""
    first, other, walked = pair
    limit = CoverageParams(metres=(crow(first, other) + walked) / 2)
    places = (settlement(first), settlement(other))
    alone = library_reach([], [], places, roads)

    def measured(network: Roads | None) -> tuple[list[int], float, bool]:
        found = measure_coverage(places, alone, (), (stop_at(first),), limit, roads=network)
        return found.after.tolist(), float(found.stops_after.metres[1]), found.is_walked

    by_road, metres, is_walked = measured(roads)
    assert is_walked
    assert metres == pytest.approx(walked)
    straight, crow_m, _ = measured(None)
    stop, none = (list(Reach).index(r) for r in (Reach.STOP, Reach.NONE))
    assert straight[0] == by_road[0]
    assert straight[1] != by_road[1]
    assert crow_m == pytest.approx(crow(first, other), rel=0.01)
    assert {stop, none} == {straight[1], by_road[1]} or straight[1] > by_road[1]
    wide = replace(limit, metres=walked + 1)
    found = measure_coverage(places, alone, (), (stop_at(first),), wide, roads=roads)
    assert found.after[1] == straight[1]


def test_the_area_of_a_stop_is_what_can_be_walked(
    pair: tuple[Village, Village, float], roads: ValhallaRoads
) -> None:
    """On roads it is the engine's isochrone: smaller than the circle, with the stop in it."""
    first, _, _ = pair
    stops = (stop_at(first),)

    def size(areas: tuple) -> float:  # type: ignore[type-arg]
        return sum(Polygon(area[0], area[1:]).area for area in areas)

    walked, circle = stop_area(stops, 1500.0, roads), stop_area(stops, 1500.0)
    assert 0 < size(walked) < 0.95 * size(circle)
    assert any(Polygon(a[0]).buffer(1e-4).contains(Point(first.lon, first.lat)) for a in walked)
    assert roads.reach(first.lon, first.lat, 1500 / (5.1 / 3.6) / 60, ReachMode.WALK)


def test_pairs_in_reach_are_walked_and_make_the_open_minutes(
    pair: tuple[Village, Village, float], roads: ValhallaRoads
) -> None:
    """Each pair has its metres on foot; the minutes of all who share a stop are its open time."""
    first, second, walked_m = pair
    homes = (settlement(first), settlement(second))
    for metres, reached in ((walked_m + 1, [0, 1]), (walked_m - 1, [0])):
        params = CoverageParams(metres=metres)
        reach = library_reach([], [], homes, roads)
        stops = measure_coverage(homes, reach, (), (stop_at(first),), params, roads=roads)
        found = stops.stops_after
        assert sorted(found.home.tolist()) == reached
        assert dict(zip(found.home.tolist(), found.away_m.tolist(), strict=True)).get(
            1, walked_m
        ) == pytest.approx(walked_m)
        people = 100 * len(reached)
        assert found.minutes_per_1000[reached].tolist() == [pytest.approx(240_000 / people)] * len(
            reached
        )

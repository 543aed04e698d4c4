"""Travel on real roads is right, the same by matrix and by route, and says where it ends."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import osmium
import pytest
from shapely.geometry import Point, Polygon

from data.model.errors import RoadsError
from data.model.geo import distance_m
from data.model.travel import UNREACHABLE
from maps.roads import Closures, Position, ReachMode, RoadPoint, Roads, SnapProblem
from maps.valhalla_roads import ValhallaRoads, open_valhalla
from tests.maps.conftest import BUS, SHARED, VAN
from tests.osm_region import RegionFacts

OSM = SHARED / "osm-rural"


def test_cut_off_and_roadless_villages_are_told_apart(
    roads: Roads, region: RegionFacts, positions: list[Position]
) -> None:
    """An island's streets are not the network, and a hamlet in the forest is on no road."""
    snaps = roads.snap(positions, BUS)
    problems = {i: snap.problem for i, snap in enumerate(snaps) if not snap.is_usable}
    expected = dict.fromkeys(region.cut_off, SnapProblem.CUT_OFF)
    assert problems == expected | dict.fromkeys(region.no_road, SnapProblem.NO_ROAD)
    assert all((snaps[i].distance_m or 0) < 20 for i in region.on_network)


def test_a_point_beyond_the_cut_off_streets_is_not_moved_to_the_mainland(
    tmp_path: Path, networks: Path
) -> None:
    """A usable road a kilometre behind the island's own street is not the island's road."""
    path = tmp_path / "island.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        node = osmium.osm.mutable.Node
        for i in range(81):
            spot = (34 + i // 9 * 0.005, 57 + i % 9 * 0.003)
            writer.add_node(node(id=i + 1, version=1, location=spot))
        for i in range(4):
            writer.add_node(node(id=100 + i, version=1, location=(34.06 + i * 0.001, 57.01)))
        lines = [[1 + 9 * i + j for j in range(9)] for i in range(9)]
        lines += [[1 + 9 * j + i for j in range(9)] for i in range(9)] + [list(range(100, 104))]
        for number, line in enumerate(lines, 1):
            tags = {"highway": "residential"}
            writer.add_way(osmium.osm.mutable.Way(id=number, version=1, nodes=line, tags=tags))
    with open_valhalla(path, networks, workers=1) as opened:
        island, shore = opened.snap([(34.0605, 57.0102), (34.05, 57.01)], BUS)
    assert island.problem is SnapProblem.CUT_OFF
    assert shore.is_usable and shore.distance_m == pytest.approx(606, abs=15)


def test_matrix_of_all_villages(
    roads: Roads, region: RegionFacts, positions: list[Position]
) -> None:
    """Villages on the network reach one another; the others reach nothing and are not reached."""
    points = [
        RoadPoint(point_id=str(i), lon=lon, lat=lat) for i, (lon, lat) in enumerate(positions)
    ]
    shares: list[float] = []
    matrix = roads.matrix(points, BUS, shares.append)
    off = [*region.cut_off, *region.no_road]
    between = ~np.eye(len(points), dtype=bool)
    lost = np.zeros_like(between)
    lost[off], lost[:, off] = True, True
    assert (matrix.travel_s[lost & between] == UNREACHABLE).all()
    assert (matrix.travel_m[lost & between] == UNREACHABLE).all()
    assert (matrix.travel_s[~lost & between] > 0).all()
    assert not matrix.travel_s.diagonal().any() and not matrix.is_estimated
    crow = np.array([[distance_m(*a, *b) for b in positions] for a in positions])
    assert (matrix.travel_m[~lost] >= 0.99 * crow[~lost] - 50).all()
    assert shares[-1] == 1.0 and shares == sorted(shares)


def test_route_legs_equal_matrix_cells(
    roads: Roads, region: RegionFacts, positions: list[Position]
) -> None:
    """The driver's instructions and the plan tell the same time on 200 random legs."""
    rng = np.random.default_rng(7)
    order = [int(i) for i in rng.choice(region.on_network, 201)]
    stops = [positions[i] for i in order]
    seconds, metres = roads.times(positions, positions, BUS)
    line = roads.route(stops, BUS, "ru")
    for (a, b), leg in zip(pairwise(order), line.legs, strict=True):
        assert abs(leg.seconds - seconds[a, b]) <= 1 and abs(leg.metres - metres[a, b]) <= 2
        assert abs(sum(step.metres for step in leg.steps) - leg.metres) <= 10
        assert distance_m(*leg.line[-1], *positions[b]) < 30


def test_rectangles_are_cut_from_the_same_matrix(
    roads: Roads, region: RegionFacts, positions: list[Position]
) -> None:
    """One to many and many to one agree with many to many: the search only runs forwards."""
    seconds, metres = roads.times(positions, positions, BUS)
    for i in region.on_network[::9]:
        row_s, row_m = roads.times([positions[i]], positions, BUS)
        column_s, column_m = roads.times(positions, [positions[i]], BUS)
        assert (row_s[0] == seconds[i]).all() and (row_m[0] == metres[i]).all()
        assert (column_s[:, 0] == seconds[:, i]).all()
        assert (column_m[:, 0] == metres[:, i]).all()


@pytest.mark.parametrize("obstacle", ["weak_bridge", "low_underpass"])
def test_a_heavy_tall_bus_goes_round(
    roads: Roads, region: RegionFacts, positions: list[Position], obstacle: str
) -> None:
    """A bridge for 5 t and an underpass of 3 m turn the bus away and let the van and cars pass."""
    ends = [positions[i] for i in getattr(region, obstacle)]
    bus, van, car = (roads.route(ends, v, "en").metres for v in (BUS, VAN, None))
    assert van == car and bus > 1.5 * van
    assert abs(roads.times(ends[:1], ends[1:], BUS)[1][0, 0] - bus) <= 2


def test_gravel_is_avoided_where_that_is_possible(
    roads: Roads, region: RegionFacts, positions: list[Position]
) -> None:
    """Asphalt if possible: a village reached over gravel only is still served, and it is said."""
    careful = replace(BUS, avoid_unpaved=True)
    seconds, metres = roads.times(positions, positions, BUS)
    paved_s, paved_m = roads.times(positions, positions, careful)
    assert ((paved_s == UNREACHABLE) == (seconds == UNREACHABLE)).all()
    assert (paved_m > metres + 100).any()
    town, other = positions[0], positions[region.gravel_only]
    there = roads.route([town, positions[1], other], careful, "en")
    assert [leg.is_unpaved_forced for leg in there.legs] == [False, True]
    assert abs(there.legs[1].seconds - paved_s[1, region.gravel_only]) <= 1


def test_a_closure_lengthens_route_and_matrix(
    roads: Roads, region: RegionFacts, positions: list[Position]
) -> None:
    """A closed bridge, given as a point or as a polygon, counts for that request only."""
    ends = [positions[i] for i in region.weak_bridge]
    lon, lat = region.bridge_lon_lat
    d = 0.002
    ring = ((lon - d, lat - d), (lon + d, lat - d), (lon + d, lat + d), (lon - d, lat + d))
    open_m = roads.route(ends, VAN, "en").metres
    for closures in (Closures(points=((lon, lat),)), Closures(polygons=(ring,))):
        closed = roads.route(ends, VAN, "en", closures)
        seconds, metres = roads.times(ends[:1], ends[1:], VAN, closures=closures)
        assert closed.metres > 1.5 * open_m
        assert abs(closed.metres - metres[0, 0]) <= 2
        assert abs(closed.seconds - seconds[0, 0]) <= 1
    assert roads.route(ends, VAN, "en").metres == open_m


def test_instructions_speak_the_language(roads: Roads, positions: list[Position]) -> None:
    """Steps come in Russian and in English."""
    for language, word in (("ru", "пункт назначения"), ("en", "destination")):
        steps = roads.route(positions[:2], None, language).legs[0].steps
        assert word in steps[-1].text


def test_a_run_may_stop_twice_at_one_place(roads: Roads, positions: list[Position]) -> None:
    """A leg from a place to itself takes no time."""
    line = roads.route([positions[0], positions[0], positions[1]], BUS, "en")
    assert (line.legs[0].seconds, line.legs[0].metres) == (0, 0)


def test_unusable_points_are_named_in_a_route(
    roads: Roads, region: RegionFacts, positions: list[Position]
) -> None:
    """A route to an island is refused with the island's position."""
    island = positions[region.cut_off[0]]
    with pytest.raises(RoadsError) as refused:
        roads.route([positions[0], island], BUS, "ru")
    assert refused.value.code == "roads.off_network.cut_off"
    assert refused.value.facts["lon"] == pytest.approx(island[0], abs=1e-4)


def test_closing_every_way_leaves_no_route(
    roads: Roads, region: RegionFacts, positions: list[Position]
) -> None:
    """Where closures cut a village off, the route says so and the matrix holds no number."""
    lon, lat = positions[region.track_only]
    ring = tuple((lon + 0.02 * x, lat + 0.02 * y) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1)))
    closures = Closures(polygons=(ring,))
    with pytest.raises(RoadsError) as refused:
        roads.route([positions[0], (lon, lat)], BUS, "en", closures)
    assert refused.value.code == "roads.no_route"
    seconds, _ = roads.times(positions[:1], [(lon, lat)], BUS, closures=closures)
    assert seconds[0, 0] == UNREACHABLE


def test_reach_grows_with_time_and_holds_its_centre(
    roads: Roads, region: RegionFacts, positions: list[Position]
) -> None:
    """Fifteen minutes on foot lie inside a circle of that walk; a car comes farther."""
    lon, lat = positions[0]
    walk = roads.reach(lon, lat, 15, ReachMode.WALK)
    car = roads.reach(lon, lat, 15, ReachMode.CAR)
    shapes = [[Polygon(area[0], area[1:]) for area in areas] for areas in (walk, car)]
    assert any(shape.buffer(1e-4).contains(Point(lon, lat)) for shape in shapes[0])
    assert max(distance_m(lon, lat, x, y) for area in walk for x, y in area[0]) < 1_400
    assert sum(s.area for s in shapes[1]) > 10 * sum(s.area for s in shapes[0])
    assert roads.reach(*positions[region.no_road[0]], 15, ReachMode.WALK) == ()


def test_travel_factor_scales_matrix_and_route_alike(
    region: RegionFacts, networks: Path, roads: Roads, positions: list[Position]
) -> None:
    """A calibrated network is slower by its factor, in the same network file."""
    with open_valhalla(region.path, networks, travel_factor=1.5) as slow:
        plain, _ = roads.times(positions[:3], positions[:3], BUS)
        seconds, _ = slow.times(positions[:3], positions[:3], BUS)
        legs = slow.route(positions[:3], BUS, "en").legs
        assert slow.key == roads.key and slow.unscaled().travel_factor == 1.0
    assert np.abs(seconds - 1.5 * plain).max() <= 0.5
    assert [leg.seconds for leg in legs] == [seconds[0, 1], seconds[1, 2]]


def test_a_killed_worker_is_replaced(
    region: RegionFacts, networks: Path, positions: list[Position]
) -> None:
    """The engine's process dies between two requests; the second is answered all the same."""
    with open_valhalla(region.path, networks, workers=1) as opened:
        assert isinstance(opened, ValhallaRoads)
        before, _ = opened.times(positions[:5], positions[:5], BUS)
        (pid,) = opened.pids()
        os.kill(pid, signal.SIGKILL)
        after, _ = opened.times(positions[:5], positions[:5], BUS)
        assert (before == after).all() and opened.pids() != [pid]


def test_roads_open_in_a_script_without_a_main_guard(
    region: RegionFacts, networks: Path, tmp_path: Path
) -> None:
    """Workers do not run the caller's script again, as spawned pool processes would."""
    script = tmp_path / "script.py"
    ends = [(v.lon, v.lat) for v in region.villages[:2]]
    script.write_text(
        "from pathlib import Path\n"
        "from maps.valhalla_roads import open_valhalla\n"
        f"with open_valhalla(Path({str(region.path)!r}), Path({str(networks)!r})) as roads:\n"
        f"    line = roads.route({ends!r}, None, 'en')\n"
        "Path('seconds.txt').write_text(str(line.seconds))\n",
        encoding="utf-8",
    )
    root = str(Path(__file__).resolve().parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    subprocess.run([sys.executable, str(script)], cwd=tmp_path, env=environment, check=True)
    assert int((tmp_path / "seconds.txt").read_text()) > 0


@pytest.mark.skipif(not OSM.exists(), reason="no real extracts beside the project")
def test_rutland_by_matrix_and_by_route(networks: Path) -> None:
    """A real county: every village snaps, legs and cells agree, roads are longer than the crow."""
    path = OSM / "rutland-2018.osm.pbf"
    kinds = ("town", "village", "hamlet")
    places = [
        (thing.location.lon, thing.location.lat)
        for thing in osmium.FileProcessor(str(path), osmium.osm.NODE)
        if isinstance(thing, osmium.osm.Node) and thing.tags.get("place") in kinds
    ]
    with open_valhalla(path, networks) as opened:
        assert all(snap.is_usable for snap in opened.snap(places, BUS))
        seconds, metres = opened.times(places, places, BUS)
        assert (seconds >= 0).all()
        rng = np.random.default_rng(1)
        order = [int(i) for i in rng.permutation(len(places))[:40]]
        line = opened.route([places[i] for i in order], BUS, "en")
        cells = [seconds[a, b] for a, b in pairwise(order)]
        assert all(abs(leg.seconds - s) <= 1 for leg, s in zip(line.legs, cells, strict=True))
    crow = np.array([[distance_m(*a, *b) for b in places] for a in places])
    far = crow > 2_000
    assert 1.2 < float(np.median(metres[far] / crow[far])) < 1.6

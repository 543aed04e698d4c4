"""Road matrices against a bare shortest-path search and great circles, measured in one run.

``python -m pytest tests/benchmarks/bench_matrix.py -m benchmark -s``
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import osmium
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from data.feeds.estimate_file import load_default_estimate
from data.model.fleet import Vehicle, VehicleId
from data.model.geo import distance_m, distances_m
from data.model.place import DepotId
from data.model.region import EstimateParams
from maps.estimate import EstimatedRoads
from maps.matrix import MatrixCache
from maps.roads import Position
from maps.valhalla_roads import open_valhalla

OSM = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "osm-rural"
BUS = Vehicle(vehicle_id=VehicleId("bus"), name="bus", depot_id=DepotId("depot"))
DRIVEN = {"motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential"}
COUNT = 1_000

pytestmark = pytest.mark.benchmark


def timed[T](work: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    answer = work()
    return time.perf_counter() - start, answer


def network(extract: Path) -> tuple[list[Position], csr_array]:
    """Nodes and undirected lengths of the driven roads' largest part."""
    index: dict[int, int] = {}
    places: list[Position] = []
    ends: list[tuple[int, int, float]] = []
    for thing in osmium.FileProcessor(str(extract)).with_locations():
        if not isinstance(thing, osmium.osm.Way) or thing.tags.get("highway") not in DRIVEN:
            continue
        row: list[int] = []
        for node in thing.nodes:
            if node.ref not in index:
                index[node.ref] = len(places)
                places.append((node.lon, node.lat))
            row.append(index[node.ref])
        ends += [(a, b, distance_m(*places[a], *places[b])) for a, b in zip(row, row[1:])]  # noqa: B905, RUF007
    a, b, metres = (np.array(column) for column in zip(*ends, strict=True))
    graph = csr_array((metres, (a, b)), shape=(len(places), len(places)))
    _, part = connected_components(graph, directed=False)
    kept = np.flatnonzero(part == np.bincount(part).argmax())
    return [places[i] for i in kept], graph[kept][:, kept]


def test_liechtenstein_matrix(tmp_path: Path) -> None:
    """A thousand points: computed, one more, loaded; the engine's work and the cache's apart."""
    extract = OSM / "liechtenstein-2021.osm.pbf"
    if not extract.exists():
        pytest.skip("no real extracts beside the project")
    places, graph = network(extract)
    rng = np.random.default_rng(0)
    chosen = rng.permutation(len(places))
    bare_s, _ = timed(
        lambda: dijkstra(graph, directed=False, indices=chosen[:COUNT])[:, chosen[:COUNT]]
    )
    build_s, roads = timed(lambda: open_valhalla(extract, tmp_path / "networks"))
    with roads:
        candidates = [places[i] for i in chosen[: COUNT + 100]]
        snap_s, snaps = timed(lambda: roads.snap(candidates, BUS))
        points = [p for p, s in zip(candidates, snaps, strict=True) if s.is_usable][: COUNT + 1]
        assert len(points) == COUNT + 1
        cache = MatrixCache(roads, tmp_path / "matrices")
        first_s, (seconds, _) = timed(lambda: cache.times(points[:-1], points[:-1], BUS))
        again_s, _ = timed(lambda: cache.times(points[:-1], points[:-1], BUS))
        one_more_s, _ = timed(lambda: cache.times(points, points, BUS))
        fresh = MatrixCache(roads, tmp_path / "matrices")
        load_s, (loaded, _) = timed(lambda: fresh.times(points[:-1], points[:-1], BUS))
        tour = points[:21]
        route_s, _ = timed(lambda: roads.route(tour, BUS, "ru"))
    assert (loaded == seconds).all()
    print(  # noqa: T201
        f"\nLiechtenstein, {COUNT} x {COUNT}, 2 workers: build {build_s:.1f} s, "
        f"snap {snap_s:.2f} s, matrix {first_s:.1f} s = {first_s / bare_s:.1f} x scipy Dijkstra "
        f"({bare_s:.1f} s, no turns, no vehicle); again {again_s:.3f} s, loaded {load_s:.3f} s, "
        f"one point more {one_more_s:.2f} s; tour of {len(tour) - 1} legs {route_s:.2f} s; "
        f"unreachable {(seconds < 0).mean():.2%}"
    )
    assert load_s < 1.0 and one_more_s < first_s / 3


def test_estimated_matrix() -> None:
    """1,100 points inside an outline of 200: against the great circles alone."""
    turn = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    radius = 0.9 + 0.25 * np.sin(9 * turn)
    ring = tuple(
        (20.5 + 1.7 * r * float(np.cos(t)), 54.7 + r * float(np.sin(t)))
        for r, t in zip(radius.tolist(), turn, strict=True)
    )
    rng = np.random.default_rng(1)
    spread: NDArray[np.float64] = rng.uniform((19.9, 54.1), (21.1, 55.3), (1_100, 2))
    points = [(float(lon), float(lat)) for lon, lat in spread]
    params: EstimateParams = load_default_estimate()
    EstimatedRoads([ring], params).times(points[:5], points[:5], BUS)  # compiles the kernels
    crow_s, _ = timed(lambda: distances_m(spread, spread))
    open_s, roads = timed(lambda: EstimatedRoads([ring], params))
    first_s, (seconds, _) = timed(lambda: roads.times(points, points, BUS))
    assert (seconds >= 0).mean() > 0.9
    print(  # noqa: T201
        f"\nestimate, 1,100 x 1,100 in 200 outline points: open {open_s:.2f} s, matrix "
        f"{first_s:.2f} s = {first_s / crow_s:.0f} x great circles ({crow_s:.2f} s)"
    )
    assert open_s + first_s < 5.0

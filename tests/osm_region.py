"""A made-up rural region as an ``.osm.pbf``: the same seed gives the same region.

Villages are joined by a Gabriel graph of winding roads, classed by use; minor roads are gravel.
Beyond the rectangle stand the hard cases: a village on an island and one whose streets lead
nowhere, a hamlet far from every road, one reached over gravel and one over a track only. One road
has a bridge for 5 t and another an underpass of 3.0 m, both with a detour.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import osmium
from numpy.typing import NDArray
from osmium.osm import mutable
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import Delaunay, cKDTree

CENTRE_LON, CENTRE_LAT = 34.0, 57.4
"""The region lies where Tver oblast has forest and few roads."""
_BASES = {
    "Берёзовка": "Beryozovka",
    "Ольховка": "Olkhovka",
    "Каменка": "Kamenka",
    "Сосновка": "Sosnovka",
    "Покровка": "Pokrovka",
    "Липовка": "Lipovka",
    "Ивановка": "Ivanovka",
    "Заречка": "Zarechka",
    "Дубровка": "Dubrovka",
    "Осиновка": "Osinovka",
}
_SIDES = {"": "", "Новая ": "Novaya ", "Малая ": "Malaya ", "Верхняя ": "Verkhnyaya "}


@dataclass(frozen=True, slots=True, kw_only=True)
class Village:
    """A settlement of the region; ``osm_id`` is that of its place node."""

    osm_id: int
    name: str
    kind: str
    lon: float
    lat: float
    population: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionFacts:
    """What the generator put into the file; numbers of villages index ``villages``."""

    path: Path
    villages: tuple[Village, ...]
    cut_off: tuple[int, ...]
    """Villages whose streets join no other road: the first lies on an island."""
    no_road: tuple[int, ...]
    gravel_only: int
    track_only: int
    weak_bridge: tuple[int, int]
    """Ends of the road with a bridge for 5 t."""
    bridge_lon_lat: tuple[float, float]
    low_underpass: tuple[int, int]
    """Ends of the road with an underpass 3.0 m high."""
    libraries: tuple[tuple[str, float, float], ...]
    districts: tuple[str, ...]
    bounds: tuple[float, float, float, float]
    """West, south, east, north of the region's boundary, degrees."""
    road_km: float

    @property
    def on_network(self) -> tuple[int, ...]:
        """Villages that a road joins to the rest."""
        off = {*self.cut_off, *self.no_road}
        return tuple(i for i in range(len(self.villages)) if i not in off)


class _Drawing:
    """Nodes, ways and relations in local metres, written in the order that readers expect."""

    def __init__(self) -> None:
        self.nodes: list[tuple[float, float, dict[str, str]]] = []
        self.ways: list[tuple[list[int], dict[str, str]]] = []
        self.relations: list[tuple[list[tuple[str, int, str]], dict[str, str]]] = []

    def node(self, x_m: float, y_m: float, **tags: str) -> int:
        self.nodes.append((x_m, y_m, tags))
        return len(self.nodes)

    def way(self, nodes: list[int], **tags: str) -> int:
        self.ways.append((nodes, tags))
        return len(self.ways)

    def relation(self, members: list[tuple[int, str]], **tags: str) -> None:
        self.relations.append(([("w", way, role) for way, role in members], tags))

    def write(self, path: Path) -> None:
        with osmium.SimpleWriter(str(path), overwrite=True) as writer:
            for i, (x_m, y_m, tags) in enumerate(self.nodes, 1):
                writer.add_node(
                    mutable.Node(id=i, version=1, location=_lon_lat(x_m, y_m), tags=tags)
                )
            for i, (nodes, tags) in enumerate(self.ways, 1):
                writer.add_way(mutable.Way(id=i, version=1, nodes=nodes, tags=tags))
            for i, (members, tags) in enumerate(self.relations, 1):
                writer.add_relation(mutable.Relation(id=i, version=1, members=members, tags=tags))


def make_region(
    path: Path, *, seed: int = 1, num_settlements: int = 40, spacing_m: float = 5_000.0
) -> RegionFacts:
    """Write a region of ``num_settlements`` villages (five hard cases among them) to ``path``.

    ``spacing_m`` is the mean distance between neighbours. Ten villages are the least.
    """
    if num_settlements < 10:
        raise ValueError("a region has ten villages or more")
    rng = np.random.default_rng(seed)
    points = _scatter(rng, num_settlements - 5, spacing_m)
    inner = len(points)
    west, east = int(points[:, 0].argmin()), int(points[:, 0].argmax())
    half = float(np.abs(points).max()) + 2_000
    hard = [
        points[west] + (-3_500, 0), points[east] + (3_500, 0),  # gravel, track
        (0, half + 4_000), (0, -half - 4_000),  # island, streets only
        (half + 8_000, half + 8_000),  # no road
    ]  # fmt: skip
    points = np.vstack([points, hard])
    people = np.sort((rng.pareto(1.1, num_settlements) * 60 + 4).astype(int))[::-1]
    people[inner:] = 20 + np.arange(5)

    edges = _gabriel(points[:inner])
    bridge, underpass = _roads_with_a_detour(points, edges, rng)
    use = _use(points, edges, towns=range(3))
    drawing = _Drawing()
    centres = [drawing.node(x, y) for x, y in points]
    spots: dict[tuple[int, int], tuple[float, float]] = {}
    road_m = 0.0
    for (a, b), used in zip([*edges, (west, inner), (east, inner + 1)], [*use, 0, 0], strict=True):
        line = _winding(points[a], points[b], rng)
        road_m += float(np.hypot(*np.diff(line, axis=0).T).sum())
        nodes = [centres[a], *(drawing.node(x, y) for x, y in line[1:-1]), centres[b]]
        tags = _road_tags(a, b, used, inner, rng)
        middle = len(nodes) // 2
        if (a, b) in (bridge, underpass):
            tags = {"highway": "secondary", "ref": f"Р-{a}{b}", "surface": "asphalt"}
            limit = (
                {"bridge": "yes", "maxweight": "5"} if (a, b) == bridge else {"maxheight": "3.0"}
            )
            drawing.way(nodes[middle - 1 : middle + 1], **tags, **limit)
            drawing.way(nodes[:middle], **tags)
            drawing.way(nodes[middle:], **tags)
            x, y = (line[middle - 1] + line[middle]) / 2
            spots[a, b] = _lon_lat(x, y)
        else:
            drawing.way(nodes, **tags)

    villages: list[Village] = []
    libraries: list[tuple[str, float, float]] = []
    for i, (x, y) in enumerate(points):
        name, latin = _name(0 if i == 5 else i)  # two places of one name, as everywhere
        kind = "town" if i < 3 else "village" if people[i] > 40 else "hamlet"
        known = i < 3 or rng.random() < 0.6
        tags = {"place": kind, "name": name, "name:en": latin}
        if known:
            tags["population"] = f"{people[i]:,}".replace(",", " ") if i == 1 else str(people[i])
        osm_id = drawing.node(x + 8, y + 8, **tags)
        lon, lat = _lon_lat(x + 8, y + 8)
        count = int(people[i]) if known else None
        villages.append(
            Village(osm_id=osm_id, name=name, kind=kind, lon=lon, lat=lat, population=count)
        )
        if i != inner + 4:
            _streets(drawing, centres[i], x, y, rings=3 if i < 3 else 1)
        if i < max(3, num_settlements // 5):
            libraries.append((f"Библиотека {i + 1}", *_library(drawing, x, y, i)))
    _lake(drawing, *points[inner + 2])
    box = _boundaries(drawing, half + 9_000)
    drawing.write(path)
    return RegionFacts(
        path=path, villages=tuple(villages), cut_off=(inner + 2, inner + 3), no_road=(inner + 4,),
        gravel_only=inner, track_only=inner + 1, weak_bridge=bridge, bridge_lon_lat=spots[bridge],
        low_underpass=underpass, libraries=tuple(libraries),
        districts=("Западный район", "Восточный район"),
        bounds=box, road_km=road_m / 1000,
    )  # fmt: skip


def _name(i: int) -> tuple[str, str]:
    side, base = list(_SIDES.items())[i // 10 % len(_SIDES)], list(_BASES.items())[i % 10]
    return side[0] + base[0], side[1] + base[1]


def _lon_lat(x_m: float, y_m: float) -> tuple[float, float]:
    degree_m = 111_195.0
    lon = CENTRE_LON + x_m / degree_m / math.cos(math.radians(CENTRE_LAT))
    return round(float(lon), 7), round(float(CENTRE_LAT + y_m / degree_m), 7)


def _scatter(rng: np.random.Generator, count: int, spacing_m: float) -> NDArray[np.float64]:
    """Points in a square, none nearer to another than half the spacing; towns come first."""
    half = spacing_m * math.sqrt(count) / 2
    kept: list[NDArray[np.float64]] = []
    while len(kept) < count:
        point = rng.uniform(-half, half, 2)
        if all(np.hypot(*(point - other)) > spacing_m / 2 for other in kept):
            kept.append(point)
    return np.array(kept)


def _gabriel(points: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Edges whose circle holds no third point: connected, planar, few detours."""
    triangles = Delaunay(points).simplices
    pairs = {
        (int(min(t[i], t[i - 1])), int(max(t[i], t[i - 1]))) for t in triangles for i in range(3)
    }
    tree = cKDTree(points)
    return sorted(
        (a, b)
        for a, b in pairs
        if len(
            tree.query_ball_point(
                (points[a] + points[b]) / 2, 0.499 * math.dist(points[a], points[b])
            )
        )
        == 0
    )


def _paths(points: NDArray[np.float64], edges: list[tuple[int, int]], sources: list[int]):  # type: ignore[no-untyped-def]
    a, b = np.array(edges).T
    length = np.hypot(*(points[a] - points[b]).T)
    graph = coo_array((length, (a, b)), shape=(len(points), len(points)))
    return dijkstra(graph, directed=False, indices=sources, return_predecessors=True)


def _roads_with_a_detour(
    points: NDArray[np.float64], edges: list[tuple[int, int]], rng: np.random.Generator
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Two roads that are worth taking and can both be avoided."""
    chosen: list[tuple[int, int]] = []
    for i in rng.permutation(len(edges)):
        a, b = edges[i]
        rest = [e for e in edges if e not in chosen and e != (a, b)]
        around = float(_paths(points, rest, [a])[0][0, b])
        if math.isfinite(around) and around > 2 * math.dist(points[a], points[b]):
            chosen.append((a, b))
        if len(chosen) == 2:
            return chosen[0], chosen[1]
    raise ValueError("no two roads with a detour: try another seed")


def _use(points: NDArray[np.float64], edges: list[tuple[int, int]], towns: range) -> list[int]:
    """How many shortest ways from a town to a village go over each edge."""
    number = {edge: i for i, edge in enumerate(edges)}
    used = [0] * len(edges)
    for before in _paths(points, edges, list(towns))[1]:
        for end in range(len(before)):
            at = end
            while before[at] >= 0:
                used[number[min(at, int(before[at])), max(at, int(before[at]))]] += 1
                at = int(before[at])
    return used


def _winding(
    a: NDArray[np.float64], b: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    steps = max(4, int(math.dist(a, b) / 300))
    t = np.linspace(0, 1, steps + 1)[:, None]
    sway = sum(rng.normal(0, 0.05 / k) * np.sin(k * np.pi * t) for k in (1, 2, 3, 5))
    return np.asarray(a + (b - a) * t + sway * np.array([a[1] - b[1], b[0] - a[0]]))


def _road_tags(a: int, b: int, used: int, inner: int, rng: np.random.Generator) -> dict[str, str]:
    if b == inner + 1:
        return {"highway": "track", "tracktype": "grade3", "surface": "ground"}
    if b == inner or (used <= 2 and rng.random() < 0.5):
        return {"highway": "unclassified", "surface": "gravel"}
    if used > inner // 2:
        return {"highway": "primary", "ref": f"Р-{100 + a}", "surface": "asphalt"}
    if used > inner // 5:
        return {"highway": "secondary", "ref": f"28К-{a:04d}", "surface": "asphalt"}
    return {"highway": "tertiary" if used > 2 else "unclassified", "surface": "asphalt"}


def _streets(drawing: _Drawing, centre: int, x_m: float, y_m: float, *, rings: int) -> None:
    """Four spokes and a ring or more, in a village's centre."""
    ends = [centre] * 4
    for ring in range(1, rings + 1):
        turn = [
            (math.cos(q * math.pi / 2 + 0.4), math.sin(q * math.pi / 2 + 0.4)) for q in range(4)
        ]
        fresh = [drawing.node(x_m + 130 * ring * c, y_m + 130 * ring * s) for c, s in turn]
        for q in range(4):
            drawing.way([ends[q], fresh[q]], highway="residential", name=f"{q + 1}-я улица")
        drawing.way([*fresh, fresh[0]], highway="residential", name=f"Кольцевая улица {ring}")
        ends = fresh


def _library(drawing: _Drawing, x_m: float, y_m: float, i: int) -> tuple[float, float]:
    tags = {"amenity": "library", "name": f"Библиотека {i + 1}"}
    x, y = x_m + 40, y_m - 30
    if i % 2:
        drawing.node(x, y, **tags, opening_hours="Tu-Sa 10:00-18:00")
    else:
        ring = [drawing.node(x + dx, y + dy) for dx, dy in ((-6, -6), (6, -6), (6, 6), (-6, 6))]
        drawing.way([*ring, ring[0]], building="yes", **tags)
    return _lon_lat(x, y)


def _lake(drawing: _Drawing, x_m: float, y_m: float) -> None:
    ways = []
    for radius in (2_500, 700):
        turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        ring = [drawing.node(x_m + radius * math.cos(t), y_m + radius * math.sin(t)) for t in turn]
        ways.append(drawing.way([*ring, ring[0]]))
    members = [(ways[0], "outer"), (ways[1], "inner")]
    drawing.relation(members, type="multipolygon", natural="water", name="Большое озеро")


def _boundaries(drawing: _Drawing, half: float) -> tuple[float, float, float, float]:
    """A region of two districts that share a line; returns the bounds in degrees."""
    sw, se, ne, nw = (
        drawing.node(x, y) for x, y in ((-half, -half), (half, -half), (half, half), (-half, half))
    )
    south, north = drawing.node(0, -half), drawing.node(0, half)
    tags = {"boundary": "administrative"}
    west = drawing.way([south, sw, nw, north], **tags)
    east = drawing.way([south, se, ne, north], **tags)
    middle = drawing.way([south, north], **tags)
    common = {"type": "boundary", **tags}
    for level, name, ways in (
        ("4", "Лесная область", (west, east)),
        ("6", "Западный район", (west, middle)),
        ("6", "Восточный район", (middle, east)),
    ):
        drawing.relation([(w, "outer") for w in ways], admin_level=level, name=name, **common)
    return *_lon_lat(-half, -half), *_lon_lat(half, half)

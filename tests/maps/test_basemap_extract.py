"""An extract becomes a basemap: by tippecanoe, and without it."""

import os
import stat
import time
from pathlib import Path

import osmium
import pytest
import shapely
from osmium.osm import mutable

import maps.basemap.build as building
from data.model.errors import InputError
from data.model.region import Region
from maps.basemap import (
    MadeBasemap,
    extract_basemap,
    extract_basemap_path,
    find_basemap,
    read_facts,
)
from maps.basemap.extract import ExtractReader
from maps.basemap.tippecanoe import tile_with_tippecanoe, tippecanoe_program
from tests.maps.test_basemap_archive import KALININGRAD, read
from tests.osm_region import RegionFacts, make_region

LAYERS = {"earth", "water", "roads", "places", "boundaries", "buildings", "pois"}
needs_tippecanoe = pytest.mark.skipif(
    tippecanoe_program() is None, reason="no tippecanoe for this computer"
)


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> RegionFacts:
    return make_region(tmp_path_factory.mktemp("osm") / "region.osm.pbf", num_settlements=20)


def without_tippecanoe(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a computer for which tippecanoe has no build."""
    monkeypatch.setattr(building, "tippecanoe_program", lambda: None)


@pytest.fixture(scope="module", params=["tippecanoe", "plain"])
def made(
    request: pytest.FixtureRequest, facts: RegionFacts, tmp_path_factory: pytest.TempPathFactory
) -> MadeBasemap:
    """The basemap of the made-up region, by either tiler."""
    path = tmp_path_factory.mktemp("maps") / "region.pmtiles"
    with pytest.MonkeyPatch.context() as patched:
        if request.param == "plain":
            without_tippecanoe(patched)
        elif tippecanoe_program() is None:
            pytest.skip("no tippecanoe for this computer")
        result = extract_basemap(facts.path, path)
    assert result is not None
    assert result.is_plain is (request.param == "plain")
    return result


def test_the_file_holds_the_layers_that_the_style_draws(made: MadeBasemap) -> None:
    """Roads, water, places, borders, houses; zooms 0 to 14; the source is named."""
    head = read_facts(made.path)
    assert set(head.layers) >= LAYERS - {"buildings", "pois"}
    assert (head.min_zoom, head.max_zoom) == (0, 14)
    assert head.attribution == "© OpenStreetMap contributors"
    assert made.num_broken == 0
    assert b"/tmp" not in made.path.read_bytes()


def test_it_opens_on_the_region(made: MadeBasemap, facts: RegionFacts) -> None:
    """The bounds hold the villages that roads join."""
    west, south, east, north = read_facts(made.path).bounds
    for i in facts.on_network:
        village = facts.villages[i]
        assert west <= village.lon <= east
        assert south <= village.lat <= north


def test_every_village_is_named_once_in_both_languages(
    made: MadeBasemap, facts: RegionFacts
) -> None:
    """All villages of the extract stand in the last zoom, where they lie."""
    rows = [(shape, row) for shape, row in read(made.path, "places", 14)]
    assert sorted(str(row["name"]) for _, row in rows) == sorted(v.name for v in facts.villages)
    assert all(row["name:en"] for _, row in rows)
    first = facts.villages[0]
    spots = [shapely.get_coordinates(s)[0] for s, row in rows if row["name"] == first.name]
    assert any(spot == pytest.approx((first.lon, first.lat), abs=1e-4) for spot in spots)


def test_large_roads_come_before_small_ones(made: MadeBasemap) -> None:
    """From afar only the roads between towns are drawn."""
    far = {row["kind"] for _, row in read(made.path, "roads", 8)}
    near = {row["kind"] for _, row in read(made.path, "roads", 13)}
    assert "minor_road" not in far
    assert near >= {"major_road", "minor_road"}


def test_the_lake_keeps_its_island_and_has_its_name(made: MadeBasemap, facts: RegionFacts) -> None:
    """Water with a hole stays open there; its name stands at one point."""
    island = facts.villages[facts.cut_off[0]]
    rows = read(made.path, "water", 12)
    water = [shape for shape, _ in rows if shapely.get_dimensions(shape) == 2]
    assert water
    assert not any(shapely.covers(s, shapely.Point(island.lon, island.lat)) for s in water)
    named = [s for s, row in rows if row["name"] == "Большое озеро"]
    assert {int(shapely.get_dimensions(s)) for s in named} == {0}


def test_borders_of_districts_are_single_lines(made: MadeBasemap) -> None:
    """The line that two districts share is drawn once, at the level of the districts."""
    lines = read(made.path, "boundaries", 10)
    assert {row["kind_detail"] for _, row in lines} == {4, 6}
    shared = [s for s, row in lines if row["kind_detail"] == 6]
    together = shapely.union_all(shared)
    assert sum(map(shapely.length, shared)) == pytest.approx(shapely.length(together), rel=0.1)


def write_osm(
    path: Path, nodes: dict[int, tuple[float, float]], ways: list[tuple[list[int], dict[str, str]]]
) -> Path:
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        for i, position in nodes.items():
            writer.add_node(mutable.Node(id=i, version=1, location=position, tags={}))
        for i, (refs, tags) in enumerate(ways, 1):
            writer.add_way(mutable.Way(id=i, version=1, nodes=refs, tags=tags))
    return path


def test_a_coast_divides_land_from_sea(tmp_path: Path) -> None:
    """A coastline that runs south has its land in the east; the sea is water."""
    nodes = {1: (20.0, 55.3), 2: (20.0, 54.7), 3: (19.6, 55.2), 4: (20.4, 54.8)}
    ways = [([1, 2], {"natural": "coastline"}), ([3, 4], {"highway": "primary"}),
            ([4, 3], {"highway": "primary"})]  # fmt: skip
    extract = write_osm(tmp_path / "coast.osm.pbf", nodes, ways)
    made = extract_basemap(extract, tmp_path / "coast.pmtiles")
    assert made is not None
    land = shapely.union_all([s for s, _ in read(made.path, "earth", 10)])
    sea = shapely.union_all([s for s, _ in read(made.path, "water", 10)])
    assert shapely.covers(land, shapely.Point(20.2, 55.0))
    assert shapely.covers(sea, shapely.Point(19.8, 55.0))
    assert shapely.area(shapely.intersection(land, sea)) < 0.01 * shapely.area(sea)


def test_things_cut_by_the_edge_are_counted_and_the_rest_is_drawn(tmp_path: Path) -> None:
    """A way whose node is not in the file is left out, and told."""
    nodes = {1: (20.0, 55.0), 2: (20.1, 55.0), 3: (20.1, 55.1)}
    ways = [([1, 2, 3], {"highway": "primary"}), ([2, 99], {"highway": "primary"}),
            ([1], {"highway": "primary"}), ([1, 2, 3, 1], {"building": "yes"}),
            ([1, 2, 1, 2, 1], {"building": "yes"})]  # fmt: skip
    extract = write_osm(tmp_path / "cut.osm.pbf", nodes, ways)
    made = extract_basemap(extract, tmp_path / "cut.pmtiles")
    assert made is not None
    assert made.num_broken >= 2
    assert len(read(made.path, "roads", 8)) == 1


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "feeds.file.empty"), (b"no extract at all\n" * 9, "feeds.osm.not_osm"),
     (None, "feeds.osm.broken")],
)  # fmt: skip
def test_a_broken_extract_is_refused_and_leaves_nothing(
    facts: RegionFacts, tmp_path: Path, content: bytes | None, code: str
) -> None:
    """Empty, foreign and cut files are told apart; an older map stays."""
    extract, path = tmp_path / "x.osm.pbf", tmp_path / "x.pmtiles"
    whole = facts.path.read_bytes()
    extract.write_bytes(whole[: len(whole) * 2 // 3] if content is None else content)
    path.write_bytes(b"the older map")
    with pytest.raises(InputError) as refused:
        extract_basemap(extract, path)
    assert refused.value.code == code
    assert path.read_bytes() == b"the older map"
    assert names_in(tmp_path) == ["x.osm.pbf", "x.pmtiles"]


def test_a_missing_extract_is_named(tmp_path: Path) -> None:
    """Nothing is begun without a file."""
    with pytest.raises(InputError) as refused:
        extract_basemap(tmp_path / "none.osm.pbf", tmp_path / "x.pmtiles")
    assert refused.value.code == "feeds.file.missing"
    assert names_in(tmp_path) == []


def test_an_extract_of_nothing_is_refused(tmp_path: Path) -> None:
    """A file with nodes alone has nothing to draw."""
    extract = write_osm(tmp_path / "x.osm.pbf", {1: KALININGRAD}, [])
    with pytest.raises(InputError) as refused:
        extract_basemap(extract, tmp_path / "x.pmtiles")
    assert refused.value.code == "basemap.extract_empty"
    assert names_in(tmp_path) == ["x.osm.pbf"]


@pytest.mark.parametrize("stop_in", ["basemap.reading", "basemap.tiling"])
def test_stopping_writes_nothing(facts: RegionFacts, tmp_path: Path, stop_in: str) -> None:
    """Whoever stops, early or late, finds the folder as it was; the tiler is gone."""
    phases: list[str] = []
    stopped = extract_basemap(
        facts.path,
        tmp_path / "x.pmtiles",
        progress=lambda phase, share: phases.append(phase),
        should_stop=lambda: stop_in in phases,
    )
    assert stopped is None
    assert phases[-1] == stop_in
    assert names_in(tmp_path) == []


def test_progress_goes_from_reading_to_tiling(facts: RegionFacts, tmp_path: Path) -> None:
    """Shares lie between 0 and 1, never fall within a phase, and end at 1."""
    told: list[tuple[str, float]] = []
    extract_basemap(facts.path, tmp_path / "x.pmtiles", progress=lambda *said: told.append(said))
    assert list(dict.fromkeys(phase for phase, _ in told)) == ["basemap.reading", "basemap.tiling"]
    for name in ("basemap.reading", "basemap.tiling"):
        shares = [share for phase, share in told if phase == name]
        assert shares == sorted(shares)
        assert all(0 <= share <= 1 for share in shares)
    assert told[-1] == ("basemap.tiling", 1.0)


def test_a_tiler_that_fails_is_quoted(facts: RegionFacts, tmp_path: Path) -> None:
    """What the program said last stands in the error; nothing is left."""
    program = tmp_path / "tiler"
    program.write_text("#!/bin/sh\necho 'No space left on device' >&2\nexit 1\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "out").mkdir()
    reader = ExtractReader(facts.path)
    with pytest.raises(InputError) as refused:
        tile_with_tippecanoe(
            program, reader.features(), tmp_path / "out" / "x.pmtiles", name="x", attribution=""
        )
    assert refused.value.code == "basemap.tiler_failed"
    assert refused.value.facts["cause"] == "No space left on device"
    assert names_in(tmp_path / "out") == []


@needs_tippecanoe
def test_the_extracts_map_is_found_once_it_is_made(facts: RegionFacts, tmp_path: Path) -> None:
    """Until then the region's own map serves; a changed extract is another map."""
    region = Region(
        region_id="made-up", names={"en": "Made up"}, time_zone="Europe/Moscow", language="ru",
        crs="EPSG:32636", land=(((33, 57), (35, 57), (35, 58), (33, 58)),),
    )  # fmt: skip
    extract = tmp_path / "x.osm.pbf"
    extract.write_bytes(facts.path.read_bytes())
    cache = tmp_path / "cache"
    plain = find_basemap(region, cache, extract)
    assert plain.name.startswith("region-")
    extract_basemap(extract, extract_basemap_path(extract, cache))
    assert find_basemap(region, cache, extract) == extract_basemap_path(extract, cache)
    assert find_basemap(region, cache, tmp_path / "gone.osm.pbf") == plain
    assert find_basemap(region, cache) == plain
    extract.write_bytes(facts.path.read_bytes() + b"\0")
    os.utime(extract, ns=(time.time_ns(), time.time_ns()))
    assert find_basemap(region, cache, extract) == plain


REAL = Path(os.environ.get("BASEMAP_EXTRACT", "liechtenstein-2021.osm.pbf"))


@pytest.mark.skipif(not REAL.is_file(), reason="BASEMAP_EXTRACT names no extract")
def test_a_real_country(tmp_path: Path) -> None:
    """A real extract gives a map of every layer, with a few things at most left out."""
    made = extract_basemap(REAL, tmp_path / "x.pmtiles")
    assert made is not None
    assert set(read_facts(made.path).layers) >= LAYERS | {"landuse"}
    assert made.num_broken < made.num_features / 1000

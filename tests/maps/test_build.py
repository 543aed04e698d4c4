"""Networks are built once, appear in one step, and refuse what is not an extract."""

import shutil
from pathlib import Path

import osmium
import pytest

from data.model.errors import RoadsError
from maps.build import build_tiles, network_key
from maps.valhalla_roads import open_valhalla
from tests.maps.conftest import BUS
from tests.osm_region import RegionFacts, make_region


def test_a_network_is_built_once(region: RegionFacts, tmp_path: Path) -> None:
    """The second call finds the file; its name tells the extract's contents, not its name."""
    shares: list[float] = []
    built = build_tiles(region.path, tmp_path / "cache", shares.append)
    assert shares == sorted(shares) and shares[-1] == 1.0 and len(shares) > 50
    stamp = built.stat().st_mtime_ns
    copy = tmp_path / "other name.osm.pbf"
    shutil.copy(region.path, copy)
    shares.clear()
    assert build_tiles(copy, tmp_path / "cache", shares.append) == built
    assert built.stat().st_mtime_ns == stamp and not shares
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [built.name]


def test_another_extract_is_another_network(region: RegionFacts, tmp_path: Path) -> None:
    """One changed road gives another key; the old network stays readable while it is open."""
    other = make_region(tmp_path / "other.osm.pbf", seed=2, num_settlements=12)
    path = tmp_path / "region.osm.pbf"
    shutil.copy(region.path, path)
    ends = [(v.lon, v.lat) for v in region.villages[:2]]
    with open_valhalla(path, tmp_path / "cache", workers=1) as old:
        before = old.route(ends, BUS, "en").seconds
        shutil.copy(other.path, path)
        assert network_key(path) != old.key
        build_tiles(path, tmp_path / "cache").replace(tmp_path / "cache" / f"{old.key}.tar")
        assert old.route(ends, BUS, "en").seconds == before


def test_a_build_that_is_stopped_leaves_nothing(region: RegionFacts, tmp_path: Path) -> None:
    """Ctrl-C in the middle of a build removes what was begun."""

    def stop(share: float) -> None:
        if share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_tiles(region.path, tmp_path / "cache", stop)
    assert not list((tmp_path / "cache").iterdir())


def test_files_that_are_no_extract_are_named(region: RegionFacts, tmp_path: Path) -> None:
    """Missing, empty, cut in half, text: the error says which file and why."""
    whole = region.path.read_bytes()
    contents = {"empty": b"", "text": b"lon,lat\n1,2\n", "half": whole[: len(whole) // 2]}
    for name, content in contents.items():
        path = tmp_path / f"{name}.osm.pbf"
        path.write_bytes(content)
        with pytest.raises(RoadsError) as refused:
            build_tiles(path, tmp_path / "cache")
        assert refused.value.code == "roads.build_failed", name
        assert refused.value.facts["file"] == str(path)
        assert "PBF error" in str(refused.value.facts["cause"])
    with pytest.raises(RoadsError) as refused:
        build_tiles(tmp_path / "absent.osm.pbf", tmp_path / "cache")
    assert refused.value.code == "roads.extract_missing"


def test_an_extract_without_roads_says_so(tmp_path: Path) -> None:
    """Villages alone are no network."""
    path = tmp_path / "villages.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        tags = {"place": "village"}
        writer.add_node(osmium.osm.mutable.Node(id=1, location=(34.0, 57.0), tags=tags))
    with pytest.raises(RoadsError) as refused:
        build_tiles(path, tmp_path / "cache")
    assert refused.value.code == "roads.extract_roadless"

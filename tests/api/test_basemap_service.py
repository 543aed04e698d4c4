"""The desk's basemap: at once from what the region knows, better once its extract is read."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from api.services.basemaps import desk_basemap, wait_for_basemaps
from api.services.region_home import region_files
from api.services.regions import load_region
from api.settings import Settings
from data.model.errors import InputError
from data.model.region import Region
from maps.basemap import read_facts
from tests.osm_region import make_region


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(cache_dir=tmp_path / "cache", data_dir=tmp_path / "data")


@pytest.fixture(scope="module")
def kaliningrad() -> Region:
    return load_region("kaliningrad")


def with_extract(region: Region, settings: Settings) -> Path:
    folder = region_files(settings, region.region_id)
    folder.mkdir(parents=True)
    return make_region(folder / "roads.osm.pbf", num_settlements=12).path


def test_without_an_extract_the_regions_own_map_serves(
    kaliningrad: Region, settings: Settings
) -> None:
    """The map lies in the cache folder, and asking again gives it again."""
    path = desk_basemap(kaliningrad, settings)
    assert path.parent == settings.cache_dir / "basemaps"
    assert read_facts(path).max_zoom == 10
    assert desk_basemap(kaliningrad, settings) == path


def test_the_extracts_map_replaces_it_when_it_is_made(
    kaliningrad: Region, settings: Settings
) -> None:
    """Nobody waits for the extract: until it is read, and if it is damaged, the other serves."""
    extract = with_extract(kaliningrad, settings)
    region = replace(kaliningrad, roads_file=extract.name)
    first = desk_basemap(region, settings)
    assert first.name.startswith("region-")
    wait_for_basemaps(120)
    second = desk_basemap(region, settings)
    assert second.name.startswith("extract-")
    assert read_facts(second).max_zoom == 14
    whole = extract.read_bytes()
    extract.write_bytes(whole[: len(whole) // 2])
    assert desk_basemap(region, settings) == first
    wait_for_basemaps(120)
    assert desk_basemap(region, settings) == first


def test_leavings_of_killed_makings_go_when_they_are_old(
    kaliningrad: Region, settings: Settings
) -> None:
    """A day-old unfinished file and folder are removed; a fresh one may be somebody's."""
    extract = with_extract(kaliningrad, settings)
    folder = settings.cache_dir / "basemaps"
    (folder / ".tiles-old").mkdir(parents=True)
    (folder / ".tiles-old" / "tiled.pmtiles").write_bytes(b"half")
    for name in (".x-old.pmtiles", ".x-new.pmtiles"):
        (folder / name).write_bytes(b"half")
    for name in (".tiles-old", ".x-old.pmtiles"):
        os.utime(folder / name, (0, 0))
    desk_basemap(replace(kaliningrad, roads_file=extract.name), settings)
    wait_for_basemaps(120)
    hidden = {path.name for path in folder.glob(".*")}
    assert hidden == {".x-new.pmtiles"}


def test_an_extract_that_is_gone_is_no_harm(kaliningrad: Region, settings: Settings) -> None:
    """A region whose file is not there shows what it knows."""
    path = desk_basemap(replace(kaliningrad, roads_file="gone.osm.pbf"), settings)
    assert path.name.startswith("region-")


@pytest.mark.parametrize("name", ["../../other.osm.pbf", "/etc/passwd"])
def test_an_extract_outside_the_regions_folder_is_not_read(
    kaliningrad: Region, settings: Settings, name: str
) -> None:
    """An imported name leads to no other file."""
    with pytest.raises(InputError) as refused:
        desk_basemap(replace(kaliningrad, roads_file=name), settings)
    assert refused.value.code == "jobs.extract_outside"

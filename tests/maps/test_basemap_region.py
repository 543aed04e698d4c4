"""The basemap of a region without an extract: what it shows, and that it is made once."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
import shapely

from api.services.regions import load_region
from data.model.errors import InputError
from data.model.place import Settlement, SettlementId
from data.model.region import Region
from maps.basemap import read_facts, region_basemap
from maps.basemap.region import bundled_water
from tests.maps.test_basemap_archive import read


@pytest.fixture(scope="module")
def kaliningrad() -> Region:
    return load_region("kaliningrad")


@pytest.fixture(scope="module")
def basemap(kaliningrad: Region, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return region_basemap(kaliningrad, tmp_path_factory.mktemp("maps"))


def test_it_is_small_and_starts_with_the_land(basemap: Path) -> None:
    """The file is a few hundred kilobytes and opens on the oblast, not on the sea."""
    facts = read_facts(basemap)
    assert basemap.stat().st_size < 400_000
    assert facts.bounds == pytest.approx((19.639, 54.3182, 22.8867, 55.2941))
    assert set(facts.layers) == {"earth", "water", "boundaries", "places"}
    named = "INID · Rosstat · GeoNames · © OpenStreetMap contributors · Natural Earth"
    assert facts.attribution == named


def test_every_settlement_is_named_in_both_languages(basemap: Path, kaliningrad: Region) -> None:
    """At the last zoom each settlement has its Russian and its Latin name."""
    rows = [row for _, row in read(basemap, "places", 10)]
    assert {str(r["name:ru"]) for r in rows} == {s.name for s in kaliningrad.settlements}
    assert {str(r["name:en"]) for r in rows} >= {"Kaliningrad", "Gusev", "Chernyakhovsk"}
    assert {r["script"] for r in rows} == {"Cyrillic"}


def test_large_places_come_first(basemap: Path) -> None:
    """From afar only the city is named; it is the largest step of population."""
    far = [row for _, row in read(basemap, "places", 5)]
    assert {row["name"] for row in far} == {"Калининград"}
    near = {str(row["name"]) for _, row in read(basemap, "places", 7)}
    assert "Советск" in near
    assert "Рыбачий" not in near


@pytest.mark.parametrize(
    ("name", "at", "layer"),
    [("Kaliningrad", (20.51, 54.706), "earth"), ("Gusev", (22.2, 54.59), "earth"),
     ("open sea", (19.9, 55.1), "water"), ("Curonian Lagoon", (21.1, 55.1), "water"),
     ("Vistula Lagoon", (19.9, 54.57), "water"), ("Poland", (21.0, 54.25), ""),
     ("Lithuania", (22.5, 55.2), ""), ("Curonian Spit abroad", (21.06, 55.45), "")],
)  # fmt: skip
def test_land_and_water_lie_where_they_are(
    basemap: Path, name: str, at: tuple[float, float], layer: str
) -> None:
    """Land is land, sea and lagoons are water, and what is not known is neither."""
    point = shapely.Point(at)
    found = {
        kind
        for kind in ("earth", "water")
        if any(shapely.covers(shape, point) for shape, _ in read(basemap, kind, 10))
    }
    assert found == ({layer} if layer else set()), name


def test_borders_inside_are_drawn_once_and_not_along_the_shore(basemap: Path) -> None:
    """Edges of municipalities keep clear of the outline, which is a line of its own."""
    lines = read(basemap, "boundaries", 10)
    outline = shapely.union_all([s for s, row in lines if row["kind"] == "region"])
    inner = shapely.union_all([s for s, row in lines if row["kind"] == "county"])
    assert {row["kind_detail"] for _, row in lines} == {4, 6}
    assert shapely.intersection(inner, shapely.buffer(outline, 0.001)).length < 0.02 * inner.length


def test_it_is_made_in_seconds_and_kept(kaliningrad: Region, tmp_path: Path) -> None:
    """The second asking gives the same file without writing it again."""
    started = time.monotonic()
    first = region_basemap(kaliningrad, tmp_path)
    assert time.monotonic() - started < 20
    stamp = first.stat().st_mtime_ns
    assert region_basemap(kaliningrad, tmp_path) == first
    assert first.stat().st_mtime_ns == stamp
    assert [p.name for p in tmp_path.iterdir()] == [first.name]


def test_the_same_region_gives_the_same_bytes(kaliningrad: Region, tmp_path: Path) -> None:
    """Two makings are equal, so that a copy may be compared or cached by its name."""
    one, two = (region_basemap(kaliningrad, tmp_path / n) for n in ("a", "b"))
    assert one.name == two.name
    assert one.read_bytes() == two.read_bytes()


def test_a_changed_place_gives_another_file(kaliningrad: Region, tmp_path: Path) -> None:
    """A settlement more is a new map under a new name."""
    more = Settlement(settlement_id=SettlementId("new"), name="Новое", lon=21.0, lat=54.6)
    changed = replace(kaliningrad, settlements=(*kaliningrad.settlements, more))
    assert region_basemap(kaliningrad, tmp_path) != region_basemap(changed, tmp_path)


def test_a_region_of_places_alone_gets_ground_and_names(tmp_path: Path) -> None:
    """Without an outline the ground is a rectangle round the places; hostile names stay text."""
    hostile = "<script>alert(1)</script>"
    places = (
        Settlement(settlement_id=SettlementId("a"), name="Oakham", lon=-0.73, lat=52.67),
        Settlement(settlement_id=SettlementId("b"), name=hostile, lon=-0.6, lat=52.6),
    )
    region = Region(
        region_id="../rutland", names={"en": "Rutland"}, time_zone="Europe/London", language="en",
        crs="EPSG:27700", settlements=places,
    )  # fmt: skip
    path = region_basemap(region, tmp_path / "maps")
    assert path.parent == tmp_path / "maps"
    rows = {str(row["name"]): row for _, row in read(path, "places", 10)}
    assert set(rows) == {"Oakham", hostile}
    assert rows["Oakham"]["name:en"] == "Oakham"
    assert read_facts(path).layers == ("earth", "places")
    assert read_facts(path).attribution == ""


def test_an_empty_region_is_refused(tmp_path: Path) -> None:
    """Nothing known is no map."""
    region = Region(
        region_id="none", names={"en": "None"}, time_zone="UTC", language="en", crs="EPSG:3857"
    )
    with pytest.raises(InputError) as refused:
        region_basemap(region, tmp_path)
    assert refused.value.code == "basemap.empty"


def test_a_folder_that_cannot_be_written_is_named(kaliningrad: Region, tmp_path: Path) -> None:
    """A file in the place of the folder is told with its path."""
    (tmp_path / "maps").write_text("no folder", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        region_basemap(kaliningrad, tmp_path / "maps")
    assert refused.value.code == "basemap.not_written"


@pytest.mark.parametrize("region_id", ["", "..", "../kaliningrad", "elsewhere", "kaliningrad/."])
def test_water_is_looked_up_by_plain_names_only(region_id: str) -> None:
    """A region's id leads to no other folder."""
    assert bundled_water(region_id) == ()

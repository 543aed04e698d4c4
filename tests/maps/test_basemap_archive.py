"""The tiles and the archive that we write, read back by GDAL, which is not ours."""

from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from data.model.errors import InputError
from maps.basemap.archive import read_facts, tile_id, write_archive
from maps.basemap.feature import Attributes, Feature, zoom_of_area
from maps.basemap.mvt import tile_bytes
from maps.basemap.tiler import write_tiles

KALININGRAD = (20.51102, 54.70639)
GUSEV = (22.2, 54.59)


def written(path: Path, *features: Feature, max_zoom: int = 8) -> Path:
    write_tiles(features, path, bounds=(20, 54, 23, 55), max_zoom=max_zoom, metadata={"name": "T"})
    return path


def read(path: Path, layer: str, zoom: int) -> list[tuple[shapely.Geometry, dict[str, object]]]:
    """Features of a layer at a zoom, their shapes in degrees."""
    frame = pyogrio.read_dataframe(path, layer=layer, ZOOM_LEVEL=zoom)
    to_degrees = Transformer.from_crs(3857, 4326, always_xy=True)
    shapes = shapely.transform(
        np.asarray(frame.geometry),
        lambda points: np.column_stack(to_degrees.transform(points[:, 0], points[:, 1])),
    )
    rows = frame.drop(columns="geometry").to_dict("records")
    return list(zip(shapes, rows, strict=True))


@pytest.mark.parametrize(
    ("address", "number"),
    [((0, 0, 0), 0), ((1, 0, 0), 1), ((1, 0, 1), 2), ((1, 1, 1), 3), ((1, 1, 0), 4),
     ((2, 0, 0), 5), ((12, 3423, 1763), 19078479)],
)  # fmt: skip
def test_tiles_are_numbered_as_the_specification_does(
    address: tuple[int, int, int], number: int
) -> None:
    """The examples of the PMTiles specification and its reference tests."""
    assert tile_id(*address) == number


@given(st.integers(0, 5))
def test_every_tile_of_a_zoom_has_its_own_number(zoom: int) -> None:
    """Numbers of one zoom are without gaps, and neighbours on the curve share a side."""
    side = 1 << zoom
    numbers = {tile_id(zoom, x, y): (x, y) for x in range(side) for y in range(side)}
    first = ((1 << 2 * zoom) - 1) // 3
    assert sorted(numbers) == list(range(first, first + side * side))
    steps = [
        abs(numbers[n][0] - numbers[n + 1][0]) + abs(numbers[n][1] - numbers[n + 1][1])
        for n in sorted(numbers)[:-1]
    ]
    assert set(steps) <= {1}


def test_attributes_of_every_kind_come_back(tmp_path: Path) -> None:
    """Text in Cyrillic, whole numbers below zero, fractions and truth survive; position too."""
    told: Attributes = {"name": "Калининград", "count": -3, "ratio": 0.25, "is_link": True}
    point = str(shapely.to_geojson(shapely.Point(KALININGRAD)))
    path = written(tmp_path / "a.pmtiles", Feature(layer="p", geojson=point, attributes=told))
    [(shape, row)] = read(path, "p", 8)
    assert (row["name"], row["count"], row["ratio"], row["is_link"]) == ("Калининград", -3, 0.25, 1)
    [found] = shapely.get_coordinates(shape).tolist()
    assert found == pytest.approx(KALININGRAD, abs=360 / 2**8 / 4096)


def test_a_large_area_with_a_hole_is_cut_into_tiles_and_keeps_its_size(tmp_path: Path) -> None:
    """The tiles' parts together cover what the area covers, and the hole stays open."""
    area = shapely.box(19, 53, 24, 56) - shapely.box(21, 54, 22, 55)
    geojson = str(shapely.to_geojson(area))
    path = written(tmp_path / "a.pmtiles", Feature(layer="earth", geojson=geojson))
    for zoom in (0, 5, 8):
        together = shapely.union_all([shape for shape, _ in read(path, "earth", zoom)])
        assert together.area == pytest.approx(area.area, rel=0.02 if zoom else 0.2)
        assert not together.covers(shapely.Point(21.5, 54.5)) or zoom == 0
        assert together.covers(shapely.Point(20.2, 54.5))


def test_a_feature_shows_from_its_zoom_on(tmp_path: Path) -> None:
    """Before its first zoom a feature is in no tile."""
    points = [
        Feature(layer="p", geojson=str(shapely.to_geojson(shapely.Point(at))),
                attributes={"name": name}, min_zoom=zoom)
        for name, at, zoom in (("far", KALININGRAD, 3), ("near", GUSEV, 6), ("last", GUSEV, 14))
    ]  # fmt: skip
    path = written(tmp_path / "a.pmtiles", *points)
    assert {row["name"] for _, row in read(path, "p", 5)} == {"far"}
    assert {row["name"] for _, row in read(path, "p", 7)} == {"far", "near"}
    assert {row["name"] for _, row in read(path, "p", 8)} == {"far", "near", "last"}


def test_the_head_tells_what_the_file_holds(tmp_path: Path) -> None:
    """Bounds, zooms and layers are those that were written."""
    line = str(shapely.to_geojson(shapely.LineString([KALININGRAD, GUSEV])))
    path = written(tmp_path / "a.pmtiles", Feature(layer="roads", geojson=line))
    facts = read_facts(path)
    assert facts.bounds == (20, 54, 23, 55)
    assert (facts.min_zoom, facts.max_zoom, facts.layers) == (0, 8, ("roads",))
    # One at each zoom but the last, where the line crosses an edge; more hold its buffer.
    assert 10 <= facts.num_tiles <= 15


def test_many_tiles_need_directories_of_their_own(tmp_path: Path) -> None:
    """An archive of 20,000 different tiles is read as well as a small one."""
    point = shapely.Point(2048, 2048)
    tiles = [
        ((8, x, y), tile_bytes({"p": [(point, {"name": f"{x}/{y}"})]}))
        for x in range(140)
        for y in range(140)
    ]
    path = tmp_path / "a.pmtiles"
    layers = [{"id": "p", "fields": {"name": "String"}}]
    write_archive(
        path, tiles, bounds=(-180, -85, 180, 85), zooms=(8, 8), metadata={"vector_layers": layers}
    )
    names = {row["name"] for _, row in read(path, "p", 8)}
    assert len(names) == 19_600


@pytest.mark.parametrize("content", [b"", b"PMTiles\x03", b"<html>", b"PMTiles\x03" + bytes(200)])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    """An empty, cut or foreign file is named, not read."""
    path = tmp_path / "a.pmtiles"
    path.write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_facts(path)
    assert refused.value.code == "basemap.not_pmtiles"


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(InputError) as refused:
        read_facts(tmp_path / "none.pmtiles")
    assert refused.value.code == "basemap.missing"
    assert "none.pmtiles" in str(refused.value.facts["file"])


def test_areas_appear_when_they_are_wide_enough() -> None:
    """An area of a degree is there at zoom 3, a house at the last; nothing is at no zoom."""
    assert zoom_of_area(1.0, 0.0) == 3
    assert zoom_of_area(1e-8, 54.7) == 14
    assert zoom_of_area(0.0, 54.7) == 14
    assert zoom_of_area(1e6, 0.0) == 0

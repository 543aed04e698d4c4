"""GeoJSON, GPX and workbook of a plan, and the need table, read back by other libraries."""

import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import geopandas
import openpyxl
import pytest

from api.words import Words
from data.feeds.need_table import write_need
from data.feeds.plan_geojson import write_geojson
from data.feeds.plan_gpx import file_stem, write_gpx
from data.feeds.plan_xlsx import write_xlsx
from data.model.figures import plan_figures
from data.model.fleet import VehicleId
from data.model.lines import Line
from data.model.place import StopId
from data.model.plan import Plan, Unserved
from tests import plan_example as example

GPX = {"g": "http://www.topografix.com/GPX/1/1"}
ROADS: dict[tuple[VehicleId, int], list[Line]] = {
    (example.NORTH.vehicle_id, 14): [
        [(-0.7283, 52.6705), (-0.7, 52.68), (-0.6347, 52.6887)],
        [(-0.6347, 52.6887), (-0.7283, 52.6705)],
    ]
}


def plan() -> Plan:
    """The example plan with a reason that the catalogues know."""
    left = Unserved(stop_id=StopId("braunston"), reason="table.unknown")
    return replace(example.plan(), unserved=(left,))


def test_geojson_is_read_by_a_second_library(tmp_path: Path) -> None:
    """Every stop and run is there, in degrees, lon before lat, and says whether roads are known."""
    path = tmp_path / "plan.geojson"
    num_features = write_geojson(example.request(is_estimated=False), plan(), path, lines=ROADS)
    frame = geopandas.read_file(path)
    assert len(frame) == num_features == 5 + 4
    assert frame.crs.to_epsg() == 4326
    wing = frame[frame.stop_id == "wing"].geometry.iloc[0]
    assert (wing.x, wing.y) == (-0.6836, 52.6172)
    runs = frame[frame.feature == "run"]
    assert sorted(runs.follows_roads.astype(bool)) == [False, False, False, True]
    collection = json.loads(path.read_text("utf-8"))
    assert "crs" not in collection
    assert len({f["id"] for f in collection["features"]}) == num_features


def test_gpx_has_elements_in_the_schema_order(tmp_path: Path) -> None:
    """Route points name the stops in order in UTC; only a real road line becomes a track."""
    paths = write_gpx(example.request(is_estimated=False), plan(), tmp_path / "gpx", lines=ROADS)
    assert [p.name for p in paths] == [
        "2026-03-02_severnyy.gpx",
        "2026-03-04_severnyy.gpx",
        "2026-03-16_severnyy.gpx",
        "2026-03-18_south.gpx",
    ]
    first = ET.parse(paths[0]).getroot()
    names = [e.text for e in first.iterfind("g:rte/g:rtept/g:name", GPX)]
    assert names == ["Oakham", "Cottesmore, The Green", "Exton <b>&</b>", "Oakham"]
    times = [e.text for e in first.iterfind("g:rte/g:rtept/g:time", GPX)]
    assert times[1] == "2026-03-02T09:50:00Z"
    assert [c.tag.rpartition("}")[2] for c in first] == ["metadata", "rte"]
    [point] = [
        p for p in first.iterfind("g:rte/g:rtept", GPX) if p.findtext("g:cmt", "", GPX) == "exton"
    ]
    assert [c.tag.rpartition("}")[2] for c in point] == ["time", "name", "cmt"]
    tracked = ET.parse(paths[2]).getroot()
    assert [c.tag.rpartition("}")[2] for c in tracked] == ["metadata", "rte", "trk"]
    assert len(tracked.findall("g:trk/g:trkseg/g:trkpt", GPX)) == 5


def test_estimated_lines_are_no_track(tmp_path: Path) -> None:
    """A driver follows a track; one that no road stands behind is not written."""
    paths = write_gpx(example.request(), plan(), tmp_path, lines=ROADS)
    assert not [p for p in paths if "<trk>" in p.read_text("utf-8")]
    write_geojson(example.request(), plan(), tmp_path / "plan.geojson", lines=ROADS)
    frame = geopandas.read_file(tmp_path / "plan.geojson")
    runs = frame[frame.feature == "run"]
    assert not runs.follows_roads.astype(bool).any()
    assert sum(len(line.geoms[0].coords) == 3 for line in runs.geometry) == 1


def test_gpx_names_do_not_collide(tmp_path: Path) -> None:
    """Two vehicles whose names look alike in Latin letters keep a file each."""
    request = example.request()
    alike = tuple(replace(v, name=name) for v, name in zip(request.vehicles, "#*", strict=True))
    runs = tuple(example.make_run(v, 0, [(example.EXTON, 36_000)]) for v in alike)
    paths = write_gpx(replace(request, vehicles=alike), Plan(runs=runs), tmp_path)
    assert len(set(paths)) == 2


def test_runs_of_an_earlier_plan_are_removed(tmp_path: Path) -> None:
    """Only files of this program go; what else lies in the folder stays."""
    foreign = tmp_path / "2020-01-01_holiday.gpx"
    foreign.write_text('<gpx creator="someone"/>', encoding="utf-8")
    write_gpx(example.request(), plan(), tmp_path)
    fewer = replace(plan(), runs=plan().runs[:1])
    paths = write_gpx(example.request(), fewer, tmp_path)
    assert set(tmp_path.iterdir()) == {foreign, *paths}


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("КИБО «Щука» № 2", "kibo-shchuka-no-2"),
        ("../a:b*", "a-b"),
        ("*", "run"),
        ("Ümlaut", "umlaut"),
    ],
)
def test_file_names_are_safe_everywhere(name: str, stem: str) -> None:
    """Cyrillic is turned, signs that a file system may refuse are not kept."""
    assert file_stem(name) == stem


def cells(path: Path) -> Iterator[openpyxl.cell.cell.Cell]:
    for sheet in openpyxl.load_workbook(path):
        for row in sheet.iter_rows():
            yield from row  # type: ignore[misc]


@pytest.mark.parametrize("language", ["ru", "en"])
def test_workbook_holds_the_plan_and_no_formula(tmp_path: Path, language: str) -> None:
    """All sheets are there in the language; a text that begins with '=' stays a text."""
    path = tmp_path / "plan.xlsx"
    words = Words(language)
    write_xlsx(example.region(), example.needs(), example.request(), plan(), path, label=words)
    book = openpyxl.load_workbook(path)
    names = ("summary", "timetable", "runs", "stops", "need")
    assert book.sheetnames == [words(f"table.sheet.{name}") for name in names]
    assert [s.max_row for s in book][1:] == [1 + 6, 1 + 4, 1 + 5, 1 + 5]
    values = [c for c in cells(path) if c.value is not None]
    assert not [c for c in values if c.data_type == "f"]
    assert "=Exton </script>" in {c.value for c in values}
    assert not [c.value for c in values if str(c.value).startswith("table.")]
    timetable = book[words("table.sheet.timetable")]
    stops = book[words("table.sheet.stops")]
    assert all(isinstance(c.value, float) for row in stops["K2:L6"] for c in row)
    dates = [row[0] for row in timetable.iter_rows(min_row=2, max_col=1)]
    assert all(isinstance(d.value, datetime) for d in dates)
    assert dates[0].number_format == {"ru": "dd.mm.yyyy", "en": "d mmm yyyy"}[language]


def test_the_same_plan_gives_the_same_workbook(tmp_path: Path) -> None:
    """No clock goes into the file."""
    for name in ("a", "b"):
        write_xlsx(
            example.region(),
            example.needs(),
            example.request(),
            plan(),
            tmp_path / f"{name}.xlsx",
            label=Words("en"),
        )
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_figures_by_hand() -> None:
    """Three settlements lack a library, two are reached, one has no population figure."""
    region = example.region()
    figures = plan_figures(region.settlements, example.needs(), example.request(), example.plan())
    assert (figures.people_lacking, figures.people_reached) == (1999 + 607, 1999 + 607)
    assert (figures.settlements_lacking, figures.settlements_reached) == (3, 2)
    assert figures.settlements_unknown == 1
    assert (figures.stops_served, figures.stops_unserved, figures.num_visits) == (4, 1, 6)
    assert figures.drive_m == 8000 * (6 + 4)
    assert figures.open_s == 6 * 3600
    assert (figures.vehicle_days, figures.vehicle_days_available) == (4, 40)
    assert figures.gap_ratio is not None
    assert math.isclose(figures.gap_ratio, 1 - 2900 / 3625)


def test_need_table_keeps_known_assumed_and_none_apart(tmp_path: Path) -> None:
    """Three formats say the same; unknown population is empty or a word, never zero."""
    region = example.region()
    paths = write_need(
        region,
        example.needs(),
        region.libraries,
        tmp_path,
        label=Words("ru"),
        norm=example.NORM,
        is_estimated=True,
    )
    assert [p.name for p in paths] == ["need.csv", "need.xlsx", "need.geojson"]
    frame = geopandas.read_file(paths[2])
    assert list(frame.status) == [n.status.value for n in example.needs()]
    assert frame.norm_set_id.unique().tolist() == ["example"]
    text = paths[0].read_text("utf-8").splitlines()
    assert len(text) == 1 + 5
    assert text[5].startswith(
        "braunston,Braunston,,,-0.7703,52.6505,,,,unserved_assumed,False,,,,,,True"
    )
    values = {c.value for c in cells(paths[1])}
    assert {"библиотеки нет", "библиотека не известна", "неизвестно", "без даты"} <= values
    assert not [c for c in cells(paths[1]) if c.data_type == "f"]

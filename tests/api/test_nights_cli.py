"""Tours from the command line: a region with a lodging, its plan and every file of it."""

import json
import shutil
import xml.etree.ElementTree as ET
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook

from api.services.comparing import cost_of
from data.feeds.plan_file import read_plan
from data.model.costs import Costs
from data.model.nights import nights_of
from planner.score import check, summarise
from tests.api.runner import Terminal

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "samples" / "kaliningrad"
LODGING = "inn,Гостиница (Краснознаменск),22.49,54.94,,lodging,12,10,30\n"


@pytest.fixture
def region(tmp_path: Path) -> Path:
    """Kaliningrad oblast with a lodging in the far north-east."""
    folder = tmp_path / "region"
    shutil.copytree(SAMPLE, folder)
    depots = folder / "depots.csv"
    head, *rows = depots.read_text(encoding="utf-8").splitlines()
    lines = [f"{head},kind,room_m,check_min,night_cost_min", *(f"{r},base,,," for r in rows)]
    depots.write_text("\n".join([*lines, LODGING]), encoding="utf-8")
    return folder


def test_a_night_from_the_table_to_every_file(
    bookmobile: Terminal, region: Path, tmp_path: Path
) -> None:
    """The terminal names the lodging; the file holds a tour that the checker passes."""
    folder = tmp_path / "out"
    told = bookmobile(
        "plan", region, "--weeks", "1", "--nights", "1", "--work-limit", "3000", "--workers", "1",
        "--time-limit", "120", "--out", folder, "--lang", "ru",
    )  # fmt: skip
    assert told.code == 0, told.said
    assert "Ночей вне базы" in told.said
    assert "Гостиница (Краснознаменск)" in told.said
    request, plan = read_plan(folder / "plan.json")
    assert check(request, plan) == ()
    nights = nights_of(request, plan)
    assert set(nights.values()) == {"inn"}
    summary = summarise(request, plan)
    assert summary.nights_away == len(nights)
    costs = Costs(currency="RUB", per_night=Decimal(100))
    assert cost_of(summary, costs) == 100 * len(nights)
    (vehicle_id, day), _ = min(nights.items())
    files_name_the_lodging(folder, request.cycle.date_of(day).isoformat(), vehicle_id, day)
    compared = bookmobile("compare", folder / "plan.json", "--json")
    assert json.loads(compared.said)["plans"][0]["nights_away"] == len(nights)
    assert "Ночей" in bookmobile("compare", folder / "plan.json", "--lang", "ru").said


def files_name_the_lodging(folder: Path, on: str, vehicle_id: str, day: int) -> None:
    """Run sheet, GPX, GeoJSON, workbook and map name where the day ends."""
    sheets = (folder / "run-sheets.html").read_text(encoding="utf-8")
    assert "Ночлег: Гостиница (Краснознаменск)" in sheets
    assert "Выезд с места ночлега: Гостиница (Краснознаменск)" in sheets
    features = json.loads((folder / "plan.geojson").read_text(encoding="utf-8"))["features"]
    runs = {f["id"]: f["properties"] for f in features if f["properties"]["feature"] == "run"}
    assert runs[f"run/{vehicle_id}/{day}"]["end_depot_id"] == "inn"
    assert runs[f"run/{vehicle_id}/{day}"]["is_night_away"] is True
    assert runs[f"run/{vehicle_id}/{day + 1}"]["start_depot_id"] == "inn"
    lines = {f["id"]: f["geometry"]["coordinates"] for f in features}
    assert lines[f"run/{vehicle_id}/{day}"][-1][-1] == pytest.approx([22.49, 54.94], abs=0.02)
    names = []
    for path in (folder / "gpx").glob(f"{on}_*.gpx"):
        points = ET.parse(path).findall(".//{*}rte/{*}rtept/{*}name")
        names.append(points[-1].text)
    assert "Гостиница (Краснознаменск)" in names
    book = load_workbook(folder / "plan.xlsx", read_only=True)
    cells = {str(c) for sheet in book for row in sheet.iter_rows(values_only=True) for c in row}
    assert "Гостиница (Краснознаменск)" in cells
    book.close()
    assert "Место ночлега" in (folder / "map.html").read_text(encoding="utf-8")


def test_nights_without_a_lodging_are_refused(bookmobile: Terminal, tmp_path: Path) -> None:
    """The message names the option and what to add; a wrong kind is named with the choices."""
    told = bookmobile("plan", "kaliningrad", "--nights", "1", "--out", tmp_path / "out")
    assert told.code != 0
    assert "--nights 1" in told.said
    assert "depots.csv" in told.said


def test_a_vehicle_names_only_lodgings(bookmobile: Terminal, region: Path) -> None:
    """A base among a vehicle's lodgings is refused with row and column."""
    vehicles = region / "vehicles.csv"
    head, first, *rest = vehicles.read_text(encoding="utf-8").splitlines()
    lines = [
        f"{head},max_nights_away,lodgings",
        f"{first},1,kaliningrad",
        *(f"{r},," for r in rest),
    ]
    vehicles.write_text("\n".join(lines), encoding="utf-8")
    told = bookmobile("plan", region, "--weeks", "1")
    assert told.code != 0
    assert "vehicles.csv" in told.said
    assert "lodgings" in told.said

"""What a person gets wrong is told in words: what, where, and what to do."""

import csv
import shutil
from pathlib import Path

import pytest

from api.services.regions import region_folder
from tests.api.runner import Terminal
from tests.osm_region import make_region

VILLAGES = """settlement_id,name,lon,lat,population
v1,Рыбачий,20.8453,55.1536,810
v2,Полесск,21.0998,54.8633,7086
v3,Залесье,21.5340,54.8419,1005
v4,Большаково,21.6560,54.8820,1326
v5,Калиновка,21.7590,54.6900,612
"""


@pytest.fixture
def villages(tmp_path: Path) -> Path:
    path = tmp_path / "villages.csv"
    path.write_text(VILLAGES, encoding="utf-8")
    return path


@pytest.fixture
def region(bookmobile: Terminal, villages: Path, tmp_path: Path) -> Path:
    """A small region made from a table."""
    folder = tmp_path / "region"
    made = bookmobile("init", folder, "--settlements", villages, "--name", "Полесье")
    assert made.code == 0, made.said
    return folder


def edit(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")


def test_extract_cut_in_half(bookmobile: Terminal, tmp_path: Path) -> None:
    """A half extract is named, with what to do, and no region is left behind."""
    whole = tmp_path / "whole.osm.pbf"
    make_region(whole, seed=3, num_settlements=12)
    half = tmp_path / "half.osm.pbf"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    told = bookmobile("init", tmp_path / "new", "--osm", half)
    assert told.code == 2
    assert "half.osm.pbf" in told.said
    assert not (tmp_path / "new" / "region.toml").exists()


def test_extract_of_another_place(bookmobile: Terminal, villages: Path, tmp_path: Path) -> None:
    """An extract that holds none of the settlements is refused by name and extent."""
    away = tmp_path / "away.osm.pbf"
    make_region(away, seed=3, num_settlements=12)
    elsewhere = VILLAGES.replace(",20.", ",40.").replace(",21.", ",41.")
    villages.write_text(elsewhere, encoding="utf-8")
    told = bookmobile("init", tmp_path / "new", "--osm", away, "--settlements", villages)
    assert told.code == 2
    assert "away.osm.pbf" in told.said


def test_settlement_in_the_sea(bookmobile: Terminal, tmp_path: Path) -> None:
    """A settlement in the Baltic is rejected by row and name; the rest load."""
    folder = tmp_path / "copy"
    shutil.copytree(region_folder("kaliningrad"), folder)
    table = tmp_path / "sea.csv"
    table.write_text(
        "settlement_id,name,lon,lat,population\nsea,Атлантида,19.30,55.20,10\n"
        "dry,Новый,20.60,54.80,10\n",
        encoding="utf-8",
    )
    told = bookmobile("import", folder, "--settlements", table)
    assert told.code == 0
    assert "Атлантида" in told.said or "row 2" in told.said
    assert "1 of 2" in told.said


def test_populations_as_people_write_them(bookmobile: Terminal, tmp_path: Path) -> None:
    """'1 234' is a number, 'нет данных' is missing, a negative one is refused; cp1251, ';'."""
    table = tmp_path / "посёлки.csv"
    table.write_bytes(
        (
            "Код;Название;Долгота;Широта;Население\n"
            "a;Славск;21,6743;55,0422;1 234\n"
            "b;Ясное;21,5500;55,1800;нет данных\n"
            "c;Тимирязево;21,6200;54,9700;-5\n"
            "a;Двойник;21,6300;54,9800;7\n"
        ).encode("cp1251")
    )
    told = bookmobile(
        "init", tmp_path / "new", "--settlements", table, "--map", "Код=settlement_id"
    )
    assert told.code == 0, told.said
    assert "2 of 4" in told.said
    assert "-5" in told.said
    rows = (tmp_path / "new" / "settlements.csv").read_text(encoding="utf-8")
    assert "1234" in rows
    assert "Двойник" not in rows


def test_window_that_ends_before_it_starts(
    bookmobile: Terminal, region: Path, tmp_path: Path
) -> None:
    """A backwards window rejects its row and names it."""
    table = tmp_path / "stops.csv"
    table.write_text(
        "stop_id,name,lon,lat,windows\ns1,Школа,21.10,54.86,15:00-09:00\n", encoding="utf-8"
    )
    told = bookmobile("import", region, "--stops", table)
    assert "15:00-09:00" in told.said
    assert "0 of 1" in told.said


def test_typo_in_a_key(bookmobile: Terminal, region: Path) -> None:
    """A misspelt key is named with its file and the nearest right one."""
    edit(region, "region.toml", "cycle_weeks", "cycle_weaks")
    told = bookmobile("inspect", region)
    assert told.code == 2
    assert "cycle_weaks" in told.said
    assert "cycle_weeks" in told.said
    assert "region.toml" in told.said


def test_no_vehicle(bookmobile: Terminal, region: Path, tmp_path: Path) -> None:
    """Zero vehicles is refused with what to do, and nothing is written."""
    told = bookmobile("plan", region, "--vehicles", "0", "--out", tmp_path / "out")
    assert told.code == 2
    assert "vehicle" in told.said
    assert not (tmp_path / "out").exists()


def test_cycle_of_holidays(bookmobile: Terminal, region: Path, tmp_path: Path) -> None:
    """A cycle without a working day is refused with its dates."""
    edit(
        region,
        "region.toml",
        "[service]",
        '[[calendar.closed]]\ndate = 2026-11-30\nto = 2026-12-27\nname = "Каникулы"\n\n[service]',
    )
    told = bookmobile(
        "plan", region, "--start", "2026-11-30", "--weeks", "4", "--out", tmp_path / "out"
    )
    assert told.code == 2
    assert "2026-11-30" in told.said


def test_stop_farther_than_a_shift(bookmobile: Terminal, region: Path, tmp_path: Path) -> None:
    """A stop that no shift reaches is left out with that reason; the rest is planned."""
    table = tmp_path / "far.csv"
    table.write_text(
        "settlement_id,name,lon,lat,population\nfar,Далёкое,30.00,54.80,50\n", encoding="utf-8"
    )
    bookmobile("import", region, "--settlements", table)
    told = bookmobile(
        "plan", region, "--start", "2026-11-30", "--time-limit", "4", "--out", tmp_path / "out"
    )
    assert told.code == 0, told.said
    assert "shift" in told.said


def test_no_such_region(bookmobile: Terminal) -> None:
    """A region that is not there is told with the bundled ones."""
    told = bookmobile("plan", "atlantis")
    assert told.code == 2
    assert "kaliningrad" in told.said


def test_region_that_would_not_read_is_not_left_behind(
    bookmobile: Terminal, villages: Path, tmp_path: Path
) -> None:
    """A time zone that nobody knows is refused before anything is written."""
    folder = tmp_path / "new"
    told = bookmobile("init", folder, "--settlements", villages, "--time-zone", "Mars/Base")
    assert told.code == 2
    assert "Mars/Base" in told.said
    assert not folder.exists()


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_folder_that_cannot_be_made(
    bookmobile: Terminal, villages: Path, tmp_path: Path, name: str
) -> None:
    """Where a file stands in the way of a folder, it is named and what to do is told."""
    (tmp_path / "file").write_text("a file", encoding="utf-8")
    told = bookmobile("init", tmp_path / name, "--settlements", villages)
    assert told.code == 2
    assert name in told.said
    assert "another folder" in told.said


def test_every_row_refused(bookmobile: Terminal, tmp_path: Path) -> None:
    """Where no settlement can be read, each row's cause is told before the refusal."""
    table = tmp_path / "bad.csv"
    table.write_text("name,lon,lat\nA,2000,54.7\nB,,\n", encoding="utf-8")
    told = bookmobile("init", tmp_path / "new", "--settlements", table)
    assert told.code == 2
    assert "row 2" in told.said
    assert "row 3" in told.said
    assert not (tmp_path / "new").exists()


def test_folder_given_for_a_table(bookmobile: Terminal, tmp_path: Path) -> None:
    """A folder in place of a table is called a folder."""
    told = bookmobile("init", tmp_path / "new", "--settlements", tmp_path)
    assert told.code == 2
    assert "is a folder" in told.said


@pytest.mark.parametrize("name", ["none.json", "."])
def test_no_plan_file(bookmobile: Terminal, tmp_path: Path, name: str) -> None:
    """A plan file that is not there, or a folder, is named without the system's own words."""
    told = bookmobile("check", tmp_path / name)
    assert told.code == 2
    assert str(tmp_path) in told.said
    assert "Errno" not in told.said


def test_mandatory_stop_that_no_vehicle_can_serve(
    bookmobile: Terminal, region: Path, tmp_path: Path
) -> None:
    """A mandatory stop that no plan can serve is refused with the reason, before the search."""
    (region / "stops.csv").write_text(
        "stop_id,name,lon,lat,needs,mandatory\ns1,Школа,21.10,54.86,ramp,true\n", encoding="utf-8"
    )
    told = bookmobile(
        "plan", region, "--start", "2026-11-30", "--time-limit", "1", "--out", tmp_path / "out"
    )
    assert told.code == 2
    assert "ramp" in told.said
    assert "Planning" not in told.said
    assert not (tmp_path / "out").exists()


def test_folder_given_for_an_extract(bookmobile: Terminal, region: Path, tmp_path: Path) -> None:
    """A folder in place of an extract is called a folder."""
    told = bookmobile("need", region, "--osm", tmp_path, "--out", tmp_path / "out")
    assert told.code == 2
    assert "is a folder" in told.said


def test_language_that_is_not_spoken(bookmobile: Terminal) -> None:
    """A language without words is refused with those there are."""
    told = bookmobile("inspect", "kaliningrad", "--lang", "fr")
    assert told.code == 2
    assert "fr" in told.said
    assert "en, ru" in told.said


def test_settlement_far_from_its_road(bookmobile: Terminal, tmp_path: Path) -> None:
    """A settlement that is measured from a road a good way off is named."""
    extract = tmp_path / "area.osm.pbf"
    make_region(extract, seed=3, num_settlements=12)
    region = tmp_path / "area"
    bookmobile("init", region, "--osm", extract)
    with (region / "settlements.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    lon, lat = min((float(r["lon"]), float(r["lat"])) for r in rows)
    table = tmp_path / "more.csv"
    text = f"settlement_id,name,lon,lat\nx,Хутор,{lon - 0.012},{lat}\n"
    table.write_text(text, encoding="utf-8")
    bookmobile("import", region, "--settlements", table)
    told = bookmobile("need", region, "--out", tmp_path / "out")
    assert told.code == 0, told.said
    assert any("500 m" in line and "Хутор" in line for line in told.said.splitlines())


def test_file_in_the_way_of_the_plan(bookmobile: Terminal, region: Path, tmp_path: Path) -> None:
    """A folder that cannot be made is refused before the search, not after it."""
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    told = bookmobile("plan", region, "--start", "2026-11-30", "--out", tmp_path / "taken" / "out")
    assert told.code == 2
    assert "taken" in told.said
    assert "Planning" not in told.said


def test_a_fortnightly_stop_in_a_cycle_of_two_weeks(
    bookmobile: Terminal, region: Path, tmp_path: Path
) -> None:
    """A stop of two visits in four weeks comes once in a cycle of two."""
    (region / "stops.csv").write_text(
        "stop_id,name,lon,lat,service_min,visits_per_cycle,min_gap_days,mandatory\n"
        "s1,Школа,21.10,54.86,40,2,14,true\n",
        encoding="utf-8",
    )
    limits = ("--weeks", 2, "--start", "2026-11-30", "--time-limit", 1)
    told = bookmobile("plan", region, *limits, "--out", tmp_path / "out")
    assert told.code == 0, told.said
    assert "1 / 1" in told.said

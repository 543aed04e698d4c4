"""The command plans a region from end to end, and what it writes can be judged again."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from data.feeds.stops_csv import read_stops_csv
from tests.api.runner import Terminal
from tests.osm_region import RegionFacts, make_region

LIMITS = ("--work-limit", 300, "--workers", 1, "--time-limit", 20)
"""A search as short as these tests need: none asks how good a plan is."""

ROUNDS = Path(__file__).resolve().parents[1] / "instances" / "tiny-rounds.csv"
FILES = {
    "map.html",
    "need.csv",
    "need.geojson",
    "need.xlsx",
    "plan.geojson",
    "plan.json",
    "plan.xlsx",
    "run-sheets.html",
    "timetable.csv",
    "timetable.ics",
}


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> RegionFacts:
    """A made-up rural extract with cut-off villages."""
    path = tmp_path_factory.mktemp("extract") / "tver.osm.pbf"
    return make_region(path, seed=11, num_settlements=25)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the roads of the extract are kept once they are built."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def bookmobile(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], cache: Path
) -> Terminal:
    """The command with the module's cache."""
    return Terminal(monkeypatch, capfd, cache)


@pytest.fixture
def region(bookmobile: Terminal, extract: RegionFacts, tmp_path: Path) -> Path:
    """A region made from the extract alone."""
    folder = tmp_path / "tver"
    made = bookmobile("init", folder, "--osm", extract.path)
    assert made.code == 0, made.said
    return folder


def plan(bookmobile: Terminal, region: Path, out: Path, *more: object) -> str:
    told = bookmobile("plan", region, "--start", "2026-11-30", *LIMITS, "--out", out, *more)
    assert told.code == 0, told.said
    return told.said


def test_a_region_of_an_extract_alone_is_planned(
    bookmobile: Terminal, region: Path, extract: RegionFacts, tmp_path: Path
) -> None:
    """Settlements, libraries and roads of an extract are enough; the folder holds every file."""
    out = tmp_path / "out"
    said = plan(bookmobile, region, out)
    assert {p.name for p in out.iterdir() if p.is_file()} == FILES
    assert list((out / "gpx").glob("*.gpx"))
    assert "ESTIMATED" not in said
    for number in extract.cut_off:
        assert extract.villages[number].name in said
    assert bookmobile("check", out / "plan.json").code == 0


def test_an_altered_plan_fails_the_check(
    bookmobile: Terminal, region: Path, tmp_path: Path
) -> None:
    """A plan that somebody bent is refused with the broken rule and the stop's name."""
    out = tmp_path / "out"
    plan(bookmobile, region, out)
    stored: dict[str, Any] = json.loads((out / "plan.json").read_text(encoding="utf-8"))
    visit = stored["plan"]["runs"][0]["visits"][0]
    visit["end_s"] -= 600
    bent = tmp_path / "bent.json"
    bent.write_text(json.dumps(stored), encoding="utf-8")
    told = bookmobile("check", bent)
    assert told.code == 1
    names = {s["stop_id"]: s["name"] for s in stored["request"]["stops"]}
    assert names[visit["stop_id"]] in told.said


def test_a_damaged_plan_file_is_named(bookmobile: Terminal, tmp_path: Path) -> None:
    """Half a plan file is an error of its own, not a failed check."""
    half = tmp_path / "half.json"
    half.write_text('{"format": "bookmobile-plan", "ver', encoding="utf-8")
    told = bookmobile("check", half)
    assert told.code == 2
    assert "half.json" in told.said


def test_same_seed_and_work_give_the_same_plan(
    bookmobile: Terminal, region: Path, tmp_path: Path
) -> None:
    """With one worker and a limit on work, two runs write the same runs."""
    limits = ("--work-limit", 1000, "--time-limit", 60, "--seed", 7)
    runs = []
    for name in ("first", "second"):
        out = tmp_path / name
        plan(bookmobile, region, out, *limits)
        stored = json.loads((out / "plan.json").read_text(encoding="utf-8"))
        runs.append((stored["plan"]["runs"], stored["plan"]["provenance"]["problem_hash"]))
    assert runs[0] == runs[1]


def test_without_roads_everything_says_estimated(
    bookmobile: Terminal, region: Path, tmp_path: Path
) -> None:
    """A region without an extract is planned on the estimate, and every output says so."""
    head = region / "region.toml"
    text = head.read_text(encoding="utf-8")
    head.write_text(
        "\n".join(line for line in text.splitlines() if not line.startswith("extract")),
        encoding="utf-8",
    )
    out = tmp_path / "out"
    said = plan(bookmobile, region, out, "--lang", "en")
    assert "ESTIMATED" in said
    stored = json.loads((out / "plan.json").read_text(encoding="utf-8"))
    assert stored["plan"]["provenance"]["is_estimated"] is True
    assert "estimated" in (out / "map.html").read_text(encoding="utf-8").lower()


def test_more_vehicles_than_the_region_has(
    bookmobile: Terminal, region: Path, tmp_path: Path
) -> None:
    """A third vehicle is a copy for a what-if, and the summary says so."""
    said = plan(bookmobile, region, tmp_path / "out", "--vehicles", 3)
    assert "what-if" in said


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_an_interrupt_keeps_the_best_plan(region: Path, tmp_path: Path) -> None:
    """Ctrl-C during the search ends it soon, and the best plan so far is written and checked."""
    out = tmp_path / "out"
    command = [sys.executable, "-c", "from api.cli import main; main()", "plan", str(region)]
    command += ["--start", "2026-11-30", "--time-limit", "90", "--out", str(out)]
    environment = os.environ | {"BOOKMOBILE_LANG": "en", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True
    ) as running:
        assert running.stdout is not None
        while "Planning" not in (line := running.stdout.readline()):
            assert line, "ended before the search began"
        time.sleep(1)
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate(timeout=100)
    assert running.returncode == 0, said
    stored = json.loads((out / "plan.json").read_text(encoding="utf-8"))
    assert stored["plan"]["provenance"]["stopped_by"] == "cancelled"
    assert stored["plan"]["runs"]


def test_closed_roads_are_planned_around(
    bookmobile: Terminal, region: Path, extract: RegionFacts, tmp_path: Path
) -> None:
    """An area of closed roads changes the travel that is planned on, and the plan still passes."""
    whole, closed = tmp_path / "whole", tmp_path / "closed"
    plan(bookmobile, region, whole)
    lon, lat = extract.villages[0].lon, extract.villages[0].lat
    ring = [(lon - d, lat + e) for d, e in ((0.004, -0.004), (-0.004, -0.004), (-0.004, 0.004))]
    area = tmp_path / "closed.geojson"
    area.write_text(
        json.dumps({"type": "Polygon", "coordinates": [[*ring, ring[0]]]}), encoding="utf-8"
    )
    plan(bookmobile, region, closed, "--closures", area)
    assert bookmobile("check", closed / "plan.json").code == 0
    hashes = {
        json.loads((out / "plan.json").read_text(encoding="utf-8"))["plan"]["provenance"][
            "problem_hash"
        ]
        for out in (whole, closed)
    }
    assert len(hashes) == 2


def test_closures_need_roads(bookmobile: Terminal, tmp_path: Path) -> None:
    """Where travel is estimated no road can be closed, and the refusal says so."""
    area = tmp_path / "closed.geojson"
    square = [[20.0, 54.6], [20.1, 54.6], [20.1, 54.7], [20.0, 54.6]]
    area.write_text(json.dumps({"type": "Polygon", "coordinates": [square]}), encoding="utf-8")
    told = bookmobile("plan", "kaliningrad", "--closures", area, "--out", tmp_path / "out")
    assert told.code == 2
    assert "--osm" in told.said


def test_roads_taken_from_an_extract_are_credited(
    bookmobile: Terminal, extract: RegionFacts, tmp_path: Path
) -> None:
    """Tables over an extract: the region, and so its map, names OpenStreetMap."""
    first, second = tmp_path / "whole", tmp_path / "tables"
    bookmobile("init", first, "--osm", extract.path)
    table = first / "settlements.csv"
    made = bookmobile("init", second, "--settlements", table)
    assert "OpenStreetMap" not in (second / "region.toml").read_text(encoding="utf-8"), made.said
    for _ in range(2):
        bookmobile("import", second, "--osm", extract.path)
        assert (second / "region.toml").read_text(encoding="utf-8").count("ODbL") == 1
    made = bookmobile("init", tmp_path / "both", "--osm", extract.path, "--settlements", table)
    assert made.code == 0, made.said
    assert "ODbL" in (tmp_path / "both" / "region.toml").read_text(encoding="utf-8")


def test_a_timetable_alone_is_planned_and_published_again(
    bookmobile: Terminal, tmp_path: Path
) -> None:
    """A published timetable makes a region by itself; the plan keeps its days and intervals."""
    made = bookmobile("init", tmp_path / "shire", "--stops", ROUNDS, "--language", "en")
    assert made.code == 0, made.said
    plan(bookmobile, tmp_path / "shire", tmp_path / "out", "--vehicles", 1)
    given = {(r.stop, r.day): r for r in read_stops_csv(ROUNDS)[0]}
    planned = read_stops_csv(tmp_path / "out" / "timetable.csv")[0]
    assert {(r.stop, r.day) for r in planned} == set(given)
    assert {(r.stop, r.frequency) for r in planned} == {
        (r.stop, r.frequency) for r in given.values()
    }


def test_one_mapping_serves_several_tables(bookmobile: Terminal, tmp_path: Path) -> None:
    """A column named for one file is not asked of the others."""
    places, libraries = tmp_path / "p.csv", tmp_path / "l.csv"
    places.write_text("Ключ,name,lon,lat\np1,Торжок,34.96,57.04\n", encoding="utf-8")
    libraries.write_text("Дом,name,lon,lat\np1,Центральная,34.96,57.04\n", encoding="utf-8")
    made = bookmobile(
        "init", tmp_path / "new", "--settlements", places, "--libraries", libraries,
        "--map", "Ключ=settlement_id", "--map", "Дом=settlement_id",
    )  # fmt: skip
    assert made.code == 0, made.said
    told = bookmobile("init", tmp_path / "other", "--settlements", places, "--map", "Где=name")
    assert "Где" in told.said
    assert told.code == 2


def test_dates_are_planned_and_a_plan_of_them_is_gone_on_from(
    bookmobile: Terminal, region: Path, tmp_path: Path
) -> None:
    """Dates give their own plan, which is gone on from on its own dates; wrong ones are refused."""
    out = tmp_path / "out"
    limits = ("--vehicles", 1, *LIMITS)
    dates = ("--from", "2026-10-06", "--until", "2026-12-06", *limits)
    told = bookmobile("plan", region, *dates, "--out", out)
    assert told.code == 0, told.said
    assert bookmobile("check", out / "plan.json").code == 0
    cycle = json.loads((out / "plan.json").read_text("utf-8"))["request"]["cycle"]
    assert (cycle["repeats"], cycle["from_date"], cycle["num_weeks"]) == (False, "2026-10-06", 9)
    again = bookmobile("plan", region, "--start-from", out / "plan.json", *limits, "--out", out)
    assert again.code == 0, again.said
    for wrong, code in (
        (("--from", "2026-10-06"), "--until"),
        (("--until", "2026-12-06", "--weeks", 4), "--weeks"),
        (("--from", "2026-10-06", "--until", "2026-09-01"), "later date"),
        (("--from", "2026-10-06", "--until", "2028-11-01"), "53 weeks"),
    ):
        told = bookmobile("plan", region, *wrong, *limits, "--out", out)
        assert told.code == 2
        assert code in told.said

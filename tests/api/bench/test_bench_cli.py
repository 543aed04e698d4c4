"""``bookmobile bench``: what it prints, what it writes for scripts, and how it ends."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.bench_cli import bench
from data.model.errors import InputError

TINY = Path(__file__).resolve().parents[2] / "instances"
EFFORT = ("seconds", "cpu_s", "load")
RECORD = ("instance", "best_known", "cost", "gap_pct", *EFFORT, "feasible")
ROUNDS_RECORD = (
    "authority",
    "visits",
    "published_drive_min",
    "planned_drive_min",
    "published_km",
    "planned_km",
    "published_vehicle_days",
    "planned_vehicle_days",
    "feasible",
    *EFFORT,
    "bound_drive_min",
    "fixed_ratio",
    "busy_ratio",
    "rounds_proved",
    "rounds",
)


def run(*arguments: object) -> Result:
    """The command in English, with the shortest search there is."""
    words = [str(a) for a in arguments]
    return CliRunner().invoke(bench, [*words, "--lang", "en", "--time-limit", "1"])


def records(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(
    ("kind", "cost"), [("pvrp", 34.0), ("vrptw", 30 + 500**0.5), ("top", 21.0)]
)
def test_tiny_instances_are_solved(tmp_path: Path, kind: str, cost: float) -> None:
    """The optimum, known by hand, is found, printed with its gap and written for scripts."""
    out = tmp_path / "deep" / "result.json"
    result = run(kind, TINY / f"tiny-{kind}.txt", "--json", out)
    assert result.exit_code == 0, result.output
    (record,) = records(out)
    assert tuple(record) == RECORD
    assert record["instance"] == f"tiny-{kind}"
    assert record["cost"] == pytest.approx(cost)
    assert record["gap_pct"] == pytest.approx(0, abs=0.001)
    assert record["feasible"] is True
    assert 0 < record["cpu_s"] < 60
    assert f"tiny-{kind}" in result.stdout
    assert "Mean of 1 instance" in result.stdout


def test_no_best_known_value_is_no_gap(tmp_path: Path) -> None:
    """Without a table of best known values gap and best known are null."""
    file = tmp_path / "mine.txt"
    file.write_bytes((TINY / "tiny-pvrp.txt").read_bytes())
    out = tmp_path / "result.json"
    assert run("pvrp", file, "--json", out).exit_code == 0
    (record,) = records(out)
    assert (record["best_known"], record["gap_pct"]) == (None, None)


def test_a_bad_file_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    """The message names file, line and value; the good file is measured; the end is code 2."""
    bad = tmp_path / "bad.txt"
    text = (TINY / "tiny-pvrp.txt").read_text(encoding="utf-8")
    bad.write_text(text.replace("2 4 0", "2 four 0"), encoding="utf-8")
    out = tmp_path / "result.json"
    result = run("pvrp", bad, TINY / "tiny-pvrp.txt", "--json", out)
    assert result.exit_code == 2
    told = " ".join(result.stderr.split())
    assert "line 6" in told
    assert "“four”" in told
    assert [r["instance"] for r in records(out)] == ["tiny-pvrp"]


def test_an_impossible_instance_is_told_as_such(tmp_path: Path) -> None:
    """Where no solution keeps the rules no cost is given, the broken rule is named, code 1."""
    file = tmp_path / "full.txt"
    text = (TINY / "tiny-pvrp.txt").read_text(encoding="utf-8")
    file.write_text(text.replace("\n0 2\n0 2\n", "\n0 1\n0 1\n"), encoding="utf-8")
    out = tmp_path / "result.json"
    result = run("pvrp", file, "--json", out)
    assert result.exit_code == 1
    (record,) = records(out)
    assert (record["cost"], record["gap_pct"], record["feasible"]) == (None, None, False)
    assert "none of its patterns" in " ".join(result.stdout.split())


def test_rounds_are_replanned(tmp_path: Path) -> None:
    """Neighbours that are published in different weeks come into one, on the same vehicle-days.

    Oakham and Cottesmore, Ketton and Uppingham are neighbours; published are the other pairs.
    """
    out = tmp_path / "result.json"
    result = run("rounds", TINY / "tiny-rounds.csv", "--json", out)
    assert result.exit_code == 0, result.output
    (record,) = records(out)
    assert tuple(record) == ROUNDS_RECORD
    assert (record["authority"], record["visits"]) == ("Example", 4)
    assert (record["published_vehicle_days"], record["planned_vehicle_days"]) == (2, 2)
    assert record["feasible"] is True
    assert record["planned_drive_min"] < record["published_drive_min"]
    assert record["planned_km"] < record["published_km"]
    assert record["bound_drive_min"] <= record["planned_drive_min"] + 0.1
    told = " ".join(result.stdout.split())
    assert "cycle in weeks: 2" in told
    assert "default estimate" in told


def test_legs_and_an_extract_exclude_each_other(tmp_path: Path) -> None:
    """Two sources of travel times are refused before anything is read."""
    result = run("rounds", TINY / "tiny-rounds.csv", "--legs", "a.csv", "--osm", "b.osm.pbf")
    assert isinstance(result.exception, InputError)
    assert result.exception.code == "bench.two_sources"

"""The open benchmark: plans kept in the project are valid, broken ones are named, bounds hold."""

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.bench import library_validator
from api.bench.library import LibraryInstance, generated, read_library
from api.bench.library_command import keep_better
from api.bench.library_validator import drive_s, judge
from api.bench_cli import bench
from data.model.errors import InputError
from planner.improve import optimise
from planner.params import SolveParams

FOLDER = Path(__file__).resolve().parents[2] / "instances" / "library"
FILES = sorted(FOLDER.glob("*.json"))


def tiny() -> dict[str, Any]:
    """One vehicle, two working days; stop 0 at 1 km on either day, stop 1 at 2 km on both."""
    return {
        "format": library_validator.FORMAT,
        "name": "tiny",
        "source": "by hand",
        "cycle_days": 7,
        "clock_spread_s": 600,
        "travel": {"base_s": 60, "s_per_km": 90},
        "points": [[1000, 0], [2000, 0], [0, 0]],
        "vehicles": [{"depot": 2, "days": [0, 1], "start_s": 0, "end_s": 4000}],
        "stops": [
            {"point": 0, "people": 10, "mandatory": False, "dwell_s": 900, "patterns": [[0], [1]]},
            {"point": 1, "people": 30, "mandatory": True, "dwell_s": 1200, "patterns": [[0, 1]]},
        ],
    }


GOOD = {
    "instance": "tiny",
    "runs": [
        {"vehicle": 0, "day": 0, "visits": [[1, 240], [0, 1600]]},
        {"vehicle": 0, "day": 1, "visits": [[1, 300]]},
    ],
}


def test_driving_is_counted_by_hand() -> None:
    """Out 240, back over the other stop 150 + 150, and 240 twice on the second day."""
    assert drive_s(tiny(), 2, 1) == 240
    assert judge(tiny(), GOOD) == (40, 240 + 150 + 150 + 480, [])


@pytest.mark.parametrize(
    ("run", "visits", "told"),
    [
        (0, [[1, 239], [0, 1600]], "reached at 240"),
        (0, [[1, 240], [0, 2990]], "the shift ends"),
        (0, [[0, 200]], "no pattern"),
        (1, [[1, 841]], "601 s apart"),
        (1, [[1, 300], [0, 1700]], "no pattern"),
        (1, [[7, 300]], "no stop 7"),
    ],
)
def test_each_broken_rule_is_named(run: int, visits: list[list[int]], told: str) -> None:
    """Too soon, too late, the wrong days, starts too far apart and unknown stops are told."""
    plan: dict[str, Any] = copy.deepcopy(GOOD)
    plan["runs"][run]["visits"] = visits
    assert any(told in fault for fault in judge(tiny(), plan)[2])


def test_runs_and_mandatory_stops_are_checked() -> None:
    """No plan at all leaves the mandatory stop; a second run or a day off is told."""
    assert judge(tiny(), {"runs": []})[2] == ["stop 1: mandatory, not visited"]
    twice = {"runs": [*GOOD["runs"], {"vehicle": 0, "day": 1, "visits": []}]}
    assert any("more than one run" in fault for fault in judge(tiny(), twice)[2])
    off = {"runs": [*GOOD["runs"], {"vehicle": 0, "day": 5, "visits": []}]}
    assert any("not a working day" in fault for fault in judge(tiny(), off)[2])


def test_search_and_validator_count_alike() -> None:
    """A generated instance: the plan is valid, its driving the search's own, people bounded."""
    instance = generated(30, 3)
    problem = instance.problem()
    solution = optimise(problem, SolveParams(work_limit=300, workers=1, rounds=1))
    people, driven_s, faults = judge(instance.raw, instance.plan_of(problem, solution))
    assert faults == []
    assert (people, driven_s) == (solution.prize, solution.cost)
    assert people <= instance.people_bound()


def test_a_seed_makes_one_instance() -> None:
    """The same seed gives the same file, another seed another one; the kept file is that."""
    assert generated(50, 11).raw == generated(50, 11).raw != generated(50, 12).raw
    assert read_library(FOLDER / "uk-50-11.json").raw == generated(50, 11).raw


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_kept_plans_are_valid(file: Path) -> None:
    """Every instance has a plan that the validator passes, with the value that it states."""
    plan = json.loads((FOLDER / "plans" / f"{file.stem}.plan.json").read_text(encoding="utf-8"))
    people, driven_s, faults = judge(json.loads(file.read_text(encoding="utf-8")), plan)
    assert faults == []
    assert (people, driven_s) == (plan["people"], plan["driving_s"])


def test_the_validator_stands_alone() -> None:
    """Python without site packages and without this project runs the one file."""
    script = str(library_validator.__file__)
    file = FOLDER / "uk-50-11.json"
    plan = FOLDER / "plans" / "uk-50-11.plan.json"
    command = [sys.executable, "-I", "-S", script]
    good = subprocess.run([*command, file, plan], capture_output=True, text=True, check=False)
    assert good.returncode == 0, good.stderr
    assert "0 rules broken" in good.stdout
    assert subprocess.run([*command, plan, file], capture_output=True, check=False).returncode == 2


def test_only_a_better_plan_replaces_one(tmp_path: Path) -> None:
    """A worse plan leaves the kept one; a better one takes its place."""
    file = tmp_path / "tiny.plan.json"
    instance = LibraryInstance(tiny())
    better = GOOD | {"people": 40, "driving_s": 1020}
    worse = GOOD | {"people": 40, "driving_s": 1021}
    assert keep_better(file, better, instance)
    assert not keep_better(file, worse, instance)
    assert json.loads(file.read_text(encoding="utf-8"))["driving_s"] == 1020


def test_the_commands_measure(tmp_path: Path) -> None:
    """One instance is solved and judged; a plan is no instance; growth tells memory."""
    out = tmp_path / "out.json"
    words = ["--lang", "en", "--time-limit", "1", "--json", str(out)]
    result = CliRunner().invoke(bench, ["library", str(FOLDER / "uk-50-11.json"), *words])
    assert result.exit_code == 0, result.output
    (record,) = json.loads(out.read_text(encoding="utf-8"))
    assert record["feasible"] is True
    assert 0 < record["people"] <= record["people_bound"]
    plan = FOLDER / "plans" / "uk-50-11.plan.json"
    refused = CliRunner().invoke(bench, ["library", str(plan), *words])
    assert refused.exit_code == 2
    with pytest.raises(InputError, match=r"bench\.not_library"):
        read_library(plan)
    drawn = tmp_path / "growth.svg"
    grown = CliRunner().invoke(bench, ["growth", "--sizes", "20", "--plot", str(drawn), *words])
    assert grown.exit_code == 0, grown.output
    (size,) = json.loads(out.read_text(encoding="utf-8"))
    assert size["peak_mib"] > 0
    assert drawn.read_text(encoding="utf-8").startswith("<svg")
    assert CliRunner().invoke(bench, ["growth", "--sizes", "many"]).exit_code == 2

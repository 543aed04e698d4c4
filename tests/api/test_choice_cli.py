"""Sets of plans to choose from: found, written so that other commands take them, and told."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import data
from data.feeds.plan_file import read_plan
from planner.score import check
from tests.api.runner import Terminal

KALININGRAD = Path(str(data.__file__)).parent / "samples" / "kaliningrad"
KEPT = ("inid-832", "inid-6126")


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kaliningrad oblast with its towns and the villages of three districts alone."""
    folder = tmp_path_factory.mktemp("region") / "small"
    shutil.copytree(KALININGRAD, folder)
    path = folder / "settlements.csv"
    with path.open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    small = [r for r in rows if r["settlement_id"] not in KEPT and r["population"]][-60:]
    kept = [r for r in rows if r["settlement_id"] in KEPT] + small
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, rows[0].keys())
        writer.writeheader()
        writer.writerows(kept)
    ids = {r["settlement_id"] for r in kept}
    libraries = folder / "libraries.csv"
    with libraries.open(encoding="utf-8", newline="") as source:
        known = list(csv.DictReader(source))
    with libraries.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, known[0].keys())
        writer.writeheader()
        writer.writerows(r for r in known if r["settlement_id"] in ids)
    head = (folder / "region.toml").read_text(encoding="utf-8")
    head = head.replace("official_count = 252", "official_count = 40")
    head = head.replace("people_per_library = 20000\n", "")
    head += '\n[costs]\ncurrency = "₽"\nper_km = 30\n'
    (folder / "region.toml").write_text(head, encoding="utf-8")
    return folder


def told_json(terminal: Terminal, *args: object) -> dict[str, Any]:
    told = terminal(*args, "--json")
    assert told.code == 0, told.said
    found: dict[str, Any] = json.loads(told.said)
    return found


def test_a_frontier_is_found_written_and_taken_up(
    bookmobile: Terminal, region: Path, tmp_path: Path
) -> None:
    """Each plan passes the checker, compare and plan --start-from take it, the page links to it."""
    out = tmp_path / "out"
    found = told_json(
        bookmobile, "frontier", region, "--weeks", "1", "--vehicles", "1",
        "--work-limit", "1500", "--workers", "1", "--plans", "4", "--out", out,
    )  # fmt: skip
    plans = found["plans"]
    assert 1 <= len(plans) <= 4
    assert "most-people" in plans[0]["best_in"]
    assert plans[0]["currency"] == "₽"
    page = (out / "index.html").read_text(encoding="utf-8")
    assert 'lang="ru"' in page
    for plan in plans:
        assert check(*read_plan(out / plan["file"])) == ()
        assert f"{plan['name']}/map.html" in page
        assert (out / plan["name"] / "map.html").is_file()
    figures = [(-p["prize_collected"], p["access"]["p90_s"], p["drive_m"]) for p in plans]
    for one in figures:
        others = [f for f in figures if f is not one]
        assert not any(all(a <= b for a, b in zip(f, one, strict=True)) for f in others)
    compared = told_json(bookmobile, "compare", *(out / p["file"] for p in plans))
    assert [p["people_reached"] for p in compared["plans"]] == [p["people_reached"] for p in plans]
    again = bookmobile(
        "plan", region, "--vehicles", "1", "--start-from", out / plans[0]["file"],
        "--work-limit", "50", "--workers", "1", "--out", tmp_path / "again",
    )  # fmt: skip
    assert again.code == 0, again.said


def test_fleets_by_number_and_base(bookmobile: Terminal, region: Path, tmp_path: Path) -> None:
    """People never fall with one more vehicle; today's depots are among the bases; plans hold."""
    out = tmp_path / "fleet"
    found = told_json(
        bookmobile, "fleet-size", region, "--weeks", "1", "--max-vehicles", "3", "--bases", "3",
        "--work-limit", "1500", "--workers", "1", "--out", out,
    )  # fmt: skip
    worth = [s["prize_collected"] for s in found["sizes"]]
    assert len(worth) == 3 and worth == sorted(worth)
    assert [s["num_borrowed"] for s in found["sizes"]] == [0, 0, 1]
    assert len(found["bases"]) == 3
    assert sum(b["is_own"] for b in found["bases"]) == 2
    assert found["num_base_candidates"] > 3
    files = [e["file"] for e in (*found["sizes"], *found["bases"]) if e["file"]]
    assert len(files) >= 4
    for file in files:
        assert check(*read_plan(out / file)) == ()
    for base in found["bases"]:
        if not base["is_beaten"]:
            assert base["prize_collected"] <= base["bound"] + 1e-6
    page = (out / "index.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == 2


def test_tables_for_people(bookmobile: Terminal, region: Path, tmp_path: Path) -> None:
    """The terminal speaks Russian when asked, with the notes that the figures need."""
    quick = ("--weeks", "1", "--vehicles", "1", "--work-limit", "150", "--workers", "1")
    told = bookmobile("frontier", region, *quick, "--lang", "ru", "--out", tmp_path / "a")
    assert told.code == 0, told.said
    for words in ("Планы на выбор", "Джини", "больше всего жителей", "Затраты, ₽"):
        assert words in told.said
    told = bookmobile(
        "fleet-size", region, "--weeks", "1", "--max-vehicles", "1", "--bases", "0",
        "--work-limit", "150", "--workers", "1", "--lang", "en", "--out", tmp_path / "b",
    )  # fmt: skip
    assert told.code == 0, told.said
    assert "By number of vehicles" in told.said
    assert "By base" not in told.said


@pytest.mark.parametrize("option", [("--plans", "2"), ("--time-limit", "0"), ("--vehicles", "0")])
def test_what_makes_no_sense_is_refused(
    bookmobile: Terminal, region: Path, tmp_path: Path, option: tuple[str, str]
) -> None:
    """Exit code 2 before any search, and nothing is written."""
    out = tmp_path / "none"
    assert bookmobile("frontier", region, *option, "--out", out).code == 2
    assert not out.exists()

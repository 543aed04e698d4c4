"""The plan command goes on from a plan, keeps what is fixed, and says what changes."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.api.runner import Terminal

ROUNDS = Path(__file__).resolve().parents[1] / "instances" / "tiny-rounds.csv"
LIMITS = ("--vehicles", 1, "--work-limit", 300, "--workers", 1, "--time-limit", 20)


@pytest.fixture
def region(bookmobile: Terminal, tmp_path: Path) -> Path:
    """A region made from a published timetable."""
    folder = tmp_path / "shire"
    made = bookmobile("init", folder, "--stops", ROUNDS, "--language", "en")
    assert made.code == 0, made.said
    return folder


@pytest.fixture
def earlier(bookmobile: Terminal, region: Path, tmp_path: Path) -> Path:
    """A plan of that region."""
    out = tmp_path / "earlier"
    told = bookmobile("plan", region, "--start", "2026-11-30", "--out", out, *LIMITS)
    assert told.code == 0, told.said
    return out / "plan.json"


def runs(path: Path) -> dict[tuple[str, int], list[tuple[str, int]]]:
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {
        (r["vehicle_id"], r["day"]): [(v["stop_id"], v["start_s"]) for v in r["visits"]]
        for r in stored["plan"]["runs"]
    }


def test_a_plan_goes_on_from_another(
    bookmobile: Terminal, region: Path, earlier: Path, tmp_path: Path
) -> None:
    """A kept run stays, a pinned visit is where it should be, and the changes are listed."""
    (vehicle, day), visits = next(iter(runs(earlier).items()))
    stop, start_s = next(
        v for key, found in runs(earlier).items() for v in found if key != (vehicle, day)
    )
    pinned_day = next(d for (_, d), found in runs(earlier).items() if (stop, start_s) in found)
    dates = [(date(2026, 11, 30) + timedelta(days=d)).isoformat() for d in (day, pinned_day)]
    out = tmp_path / "again"
    told = bookmobile(
        "plan", region, "--start-from", earlier, "--keep", dates[0], "--out", out,
        "--pin", f"{stop}@{vehicle}:{dates[1]}", *LIMITS,
    )  # fmt: skip
    assert told.code == 0, told.said
    assert "published time" in told.said
    after = runs(out / "plan.json")
    assert after[vehicle, day] == visits
    assert stop in [s for s, _ in after[vehicle, pinned_day]]
    assert bookmobile("check", out / "plan.json").code == 0


def test_a_program_gets_the_plan_and_its_changes_as_json(
    bookmobile: Terminal, region: Path, earlier: Path, tmp_path: Path
) -> None:
    """With --json the answer is JSON alone: figures, changes, the folder; check answers so too."""
    out = tmp_path / "again"
    again = ("plan", region, "--start-from", earlier, "--out", out, "--json", *LIMITS)
    told = bookmobile(*again, "--max-changes", 0)
    facts = json.loads(told.said)
    assert told.code == 0, told.said
    assert facts["folder"] == str(out)
    assert facts["summary"]["visits"] == sum(map(len, runs(out / "plan.json").values()))
    assert not [c for c in facts["changes"] if c["is_published"]]
    (_, day), visits = next(iter(runs(earlier).items()))
    weekday = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[day % 7]
    told = bookmobile(*again, "--forbid", f"{visits[0][0]}@{weekday}")
    facts = json.loads(told.said)
    assert told.code == 1
    assert facts["folder"] is None
    assert any(c["stop_id"] == visits[0][0] and c["after"] is None for c in facts["changes"])
    assert visits[0][0] in [v["facts"].get("stop_id") for v in facts["violations"]]
    checked = json.loads(bookmobile("check", earlier, "--json").said)
    assert checked["violations"] == []


def test_a_pin_that_cannot_hold_is_told(
    bookmobile: Terminal, region: Path, earlier: Path, tmp_path: Path
) -> None:
    """A Sunday has no run: nothing is written, and the reason names the stop and the day."""
    (vehicle, _), visits = next(iter(runs(earlier).items()))
    out = tmp_path / "none"
    told = bookmobile(
        "plan", region, "--start", "2026-11-30", "--out", out,
        "--pin", f"{visits[0][0]}@{vehicle}:2026-12-06", *LIMITS,
    )  # fmt: skip
    assert told.code == 1
    assert "2026-12-06" in told.said
    assert not (out / "plan.json").exists()


@pytest.mark.parametrize(
    ("option", "named"),
    [
        (("--pin", "nonsense"), "nonsense"),
        (("--pin", "Nowhere@bus:2026-12-01"), "Nowhere"),
        (("--forbid", "Nowhere@mon"), "Nowhere"),
        (("--keep", "2026-12-01"), "--start-from"),
    ],
)
def test_what_names_nothing_is_refused(
    bookmobile: Terminal, region: Path, tmp_path: Path, option: tuple[str, str], named: str
) -> None:
    """A word that is no pin, a stop that is not there, a run of no plan: each is named."""
    told = bookmobile(
        "plan", region, "--start", "2026-11-30", "--out", tmp_path / "x", *option, *LIMITS
    )
    assert told.code == 2
    assert named in told.said


def test_no_published_time_changes(
    bookmobile: Terminal, region: Path, earlier: Path, tmp_path: Path
) -> None:
    """With --max-changes 0 the timetable stays to the second, and the file can be judged by it."""
    out = tmp_path / "same"
    told = bookmobile(
        "plan", region, "--start-from", earlier, "--max-changes", 0, "--out", out, *LIMITS
    )
    assert told.code == 0, told.said
    assert "0 published times change" in told.said
    assert sorted(v for r in runs(out / "plan.json").values() for v in r) == sorted(
        v for r in runs(earlier).values() for v in r
    )
    stored = json.loads((out / "plan.json").read_text(encoding="utf-8"))
    stored["request"]["change_cap"]["published"][0]["start_s"] += 60
    bent = tmp_path / "bent.json"
    bent.write_text(json.dumps(stored), encoding="utf-8")
    told = bookmobile("check", bent)
    assert told.code == 1
    assert "published times would change" in told.said


def test_a_cap_needs_a_plan_of_the_same_cycle(
    bookmobile: Terminal, region: Path, earlier: Path, tmp_path: Path
) -> None:
    """Without a plan, or with one of other weeks, there is nothing to count against."""
    cap = ("--max-changes", 2, "--out", tmp_path / "x", *LIMITS)
    told = bookmobile("plan", region, "--start", "2026-11-30", *cap)
    assert told.code == 2
    assert "--start-from" in told.said
    told = bookmobile("plan", region, "--start-from", earlier, "--weeks", 2, *cap)
    assert told.code == 2
    assert "--weeks" in told.said

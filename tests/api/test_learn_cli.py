"""Recorded days become a proposal, and a plan only by being asked for."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from data.feeds.observed_csv import write_observed
from data.feeds.plan_file import read_plan, write_plan
from data.model.demand import PrizeBy
from planner.params import SolveParams
from planner.score import check
from planner.solve import solve
from tests.api.runner import Terminal
from tests.planner.learn.world import DEPOT, Truth, drive_days, make_world

REGION = """[region]
id = "tiny"
time_zone = "Europe/Kaliningrad"
language = "ru"
crs = "EPSG:32634"
[region.names]
ru = "Район"
[service]
cycle_weeks = 2
{more}
[norms]
set = "design-default"
[[service.band]]
service_min = 60
visits_per_cycle = 1
"""


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a plan, the days on which it was driven and their visitors."""
    folder = tmp_path_factory.mktemp("driven")
    request = make_world()
    plan = solve(request, SolveParams(work_limit=2000, workers=1, time_limit_s=60))
    write_plan(folder / "plan.json", request, plan)
    days = drive_days(request, plan, Truth(breakdown_ratio=0.01), cycles=10, seed=1)
    days = [v if v.planned_open_s is None else replace(v, visits=6) for v in days]
    write_observed(folder / "days.csv", days)
    return folder


@pytest.fixture
def region(tmp_path: Path) -> Path:
    """A region folder of the same places."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    request = make_world()
    (folder / "region.toml").write_text(REGION.format(more=""), encoding="utf-8")
    stops = "stop_id,name,lon,lat,setup_min,teardown_min,service_min,people,prize\n"
    for s in request.stops:
        stops += f"{s.stop_id},{s.name},{s.lon},{s.lat},10,5,60,{s.people},{s.people}\n"
    (folder / "stops.csv").write_text(stops, encoding="utf-8")
    (folder / "settlements.csv").write_text("settlement_id,name,lon,lat\n", encoding="utf-8")
    depot = f"{DEPOT.depot_id},{DEPOT.name},{DEPOT.lon},{DEPOT.lat}\n"
    (folder / "depots.csv").write_text("depot_id,name,lon,lat\n" + depot, encoding="utf-8")
    vehicles = "vehicle_id,name,depot_id\nkibo-1,КИБО-1,chernyakhovsk\n"
    (folder / "vehicles.csv").write_text(vehicles, encoding="utf-8")
    return folder


def planned(bookmobile: Terminal, region: Path, *more: object) -> str:
    told = bookmobile(
        "plan",
        region,
        *("--start", "2026-11-30", "--time-limit", 2, "--work-limit", 500, "--workers", 1),
        *("--out", region / "out"),
        *more,
    )
    assert told.code == 0, told.said
    return told.said


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_proposal_is_told_and_nothing_applied(
    bookmobile: Terminal, driven: Path, language: str
) -> None:
    """Tables in both languages, no placeholder left open, no file written unasked."""
    before = sorted(driven.iterdir())
    told = bookmobile(
        "learn", driven / "plan.json", driven / "days.csv", "--lang", language, "--all"
    )
    assert told.code == 0, told.said
    assert "Черняховск → " in told.said
    assert "learn." not in told.said
    assert "{" not in told.said
    assert sorted(driven.iterdir()) == before


def test_json_holds_every_row(bookmobile: Terminal, driven: Path) -> None:
    """Legs with their interval, what was set aside, what was skipped."""
    told = bookmobile("learn", driven / "plan.json", driven / "days.csv", "--json")
    found = json.loads(told.said)
    assert found["num_days"] == 30
    leg = found["proposal"]["legs"][0]
    assert leg["low_s"] < leg["p50_s"] < leg["p80_s"]
    assert leg["num"] <= 10
    assert {row["counted"] for row in found["proposal"]["demand"]} == {6.0}
    assert found["set_aside"]
    assert found["file"] is None


def test_a_plan_by_what_was_learned_says_so(
    bookmobile: Terminal, driven: Path, region: Path
) -> None:
    """Buffers, their source and the expected visits stand in the output and in the plan file."""
    out = region / "learned.toml"
    told = bookmobile("learn", driven / "plan.json", driven / "days.csv", "--out", out)
    assert told.code == 0, told.said
    plain = planned(bookmobile, region, "--without-learned")
    assert "learned.toml" not in plain
    assert read_plan(region / "out" / "plan.json")[0].learned is None
    said = planned(bookmobile, region, "--on-time", 0.85)
    assert "learned.toml" in said
    assert "kept on 85% of days" in said
    request, plan = read_plan(region / "out" / "plan.json")
    assert request.learned is not None
    assert request.learned.keep_ratio == 0.85
    assert all(s.visits_expected is not None for s in request.stops)
    assert plan.provenance is not None
    assert plan.provenance.parameters["learned"]["source"] == request.learned.source
    sheets = (region / "out" / "run-sheets.html").read_text(encoding="utf-8")
    assert "запас на задержки" in sheets
    assert bookmobile("check", region / "out" / "plan.json").code == 0
    both = bookmobile("compare", driven / "plan.json", region / "out" / "plan.json")
    assert "Visits expected (80% interval)" in both.said or "80 % interval" in both.said


@pytest.mark.thorough
@pytest.mark.parametrize("command", ["frontier", "fleet-size"])
def test_sets_of_plans_take_dates_and_what_was_learned(
    bookmobile: Terminal, driven: Path, region: Path, command: str
) -> None:
    """Every plan of the set is of the dates and by the learned times, if those are wanted."""
    told = bookmobile(
        "learn", driven / "plan.json", driven / "days.csv", "--out", region / "learned.toml"
    )
    assert told.code == 0, told.said
    dates = ("--from", "2026-12-02", "--until", "2026-12-11")
    quick = ("--work-limit", 300, "--workers", 1, "--json")
    out = region / "out"
    found = json.loads(bookmobile(command, region, *dates, *quick, "--out", out).said)
    files = [e["file"] for e in found.get("plans") or (*found["sizes"], *found["bases"])]
    assert files
    for file in files:
        request, plan = read_plan(out / file)
        assert (str(request.cycle.first_date), str(request.cycle.last_date)) == dates[1::2]
        assert not request.cycle.repeats
        assert request.learned is not None
        assert check(request, plan) == ()
    told = bookmobile(
        command, region, *dates, *quick, "--without-learned", "--out", region / "plain"
    )
    assert told.code == 0, told.said
    assert read_plan(region / "plain" / files[0])[0].learned is None
    wrong = bookmobile(command, region, *dates, "--weeks", 2, "--out", out)
    assert wrong.code == 2
    assert "--weeks" in wrong.said


def test_stops_may_be_weighed_by_demand(bookmobile: Terminal, region: Path) -> None:
    """By option or by the region's own setting; without records the prior answers."""
    said = planned(bookmobile, region, "--prize-by", "demand")
    assert "expected visits" in said
    request, _ = read_plan(region / "out" / "plan.json")
    assert request.prize_by is PrizeBy.DEMAND
    assert request.learned is None
    told = REGION.format(more='prize_by = "demand"')
    (region / "region.toml").write_text(told, encoding="utf-8")
    planned(bookmobile, region)
    assert read_plan(region / "out" / "plan.json")[0].prize_by is PrizeBy.DEMAND
    planned(bookmobile, region, "--prize-by", "people")
    assert read_plan(region / "out" / "plan.json")[0].prize_by is PrizeBy.PEOPLE


def test_broken_input_is_refused_in_words(
    bookmobile: Terminal, driven: Path, region: Path, tmp_path: Path
) -> None:
    """No rows, rows of other places, a wrong kind of file, a wrong word in region.toml."""
    days = tmp_path / "none.csv"
    head = "date,vehicle_id,place_id,arrival\n"
    days.write_text(head + "soon,kibo-1,s1,9:00\n", encoding="utf-8")
    told = bookmobile("learn", driven / "plan.json", days)
    assert told.code == 2
    assert "nothing to learn from" in told.said
    assert "soon" in told.said
    days.write_text(head + "2026-12-01,kibo-1,elsewhere,9:00\n", encoding="utf-8")
    told = bookmobile("learn", driven / "plan.json", days)
    assert told.code == 2
    assert "none.csv" in told.said
    told = bookmobile("learn", driven / "plan.json", driven / "days.csv", "--out", "x.csv")
    assert told.code == 2
    assert ".toml" in told.said
    told = bookmobile("plan", region, "--learned", driven / "plan.json", "--time-limit", 1)
    assert told.code == 2
    assert "bookmobile-learned" in told.said
    wrong = REGION.format(more='prize_by = "beauty"')
    (region / "region.toml").write_text(wrong, encoding="utf-8")
    told = bookmobile("plan", region, "--time-limit", 1)
    assert told.code == 2
    assert "beauty" in told.said

"""A plan file becomes its folder again: what was moved by hand stands in the sheets and the map."""

from dataclasses import replace
from pathlib import Path

from data.feeds.plan_file import read_plan, write_plan
from data.feeds.stops_csv import read_stops_csv
from tests.api.runner import Terminal
from tests.osm_region import make_region
from tests.planner.examples import make_plan, make_request


def test_a_moved_stop_stands_in_the_folder_written_anew(
    bookmobile: Terminal, tmp_path: Path
) -> None:
    """After a move the export holds every file of a plan's folder, with the new start."""
    extract = make_region(tmp_path / "tver.osm.pbf", seed=5, num_settlements=14).path
    region, out, anew = tmp_path / "tver", tmp_path / "out", tmp_path / "anew"
    assert bookmobile("init", region, "--osm", extract).code == 0
    told = bookmobile(
        "plan", region, "--start", "2026-11-30", "--weeks", 1, "--time-limit", 2, "--out", out
    )
    assert told.code == 0, told.said
    request, plan = read_plan(out / "plan.json")
    run = plan.runs[0]
    stop_id = run.visits[0].stop_id
    free = next(
        day
        for day in request.working_days(request.vehicles[0])
        if all(r.day != day for r in plan.runs)
    )
    moved = bookmobile(
        "move",
        out / "plan.json",
        stop_id,
        "--to",
        run.vehicle_id,
        "--day",
        request.cycle.date_of(free).isoformat(),
    )
    assert moved.code == 0, moved.said
    told = bookmobile(
        "export", out / "plan-edited.json", "--region", region, "--osm", extract, "--out", anew
    )
    assert told.code == 0, told.said
    written = {str(p.relative_to(out)) for p in out.rglob("*") if p.suffix != ".gpx"}
    assert written - {"plan-edited.json"} == {
        str(p.relative_to(anew)) for p in anew.rglob("*") if p.suffix != ".gpx"
    }
    name = next(s.name for s in request.stops if s.stop_id == stop_id)
    rows, _ = read_stops_csv(anew / "timetable.csv")
    starts = {r.start for r in rows if r.stop == name}
    assert starts == {request.cycle.date_of(free).isoformat()}


def test_a_plan_of_another_region_is_refused(bookmobile: Terminal, tmp_path: Path) -> None:
    """A region that the plan is not of would give a wrong map: both are named."""
    plan_file = tmp_path / "plan.json"
    write_plan(plan_file, replace(make_request(), region_id="rutland"), make_plan())
    told = bookmobile("export", plan_file, "--region", "kaliningrad", "--out", tmp_path / "x")
    assert told.code == 2
    assert "region rutland, not of kaliningrad" in told.said
    assert "--region" in told.said
    assert not (tmp_path / "x").exists()


def test_a_plan_that_breaks_a_rule_is_not_written(
    bookmobile: Terminal, tmp_path: Path, plan_file: Path
) -> None:
    """The checker stands before every folder."""
    plan = make_plan()
    late = replace(plan.runs[0], sign_off_s=plan.runs[0].sign_off_s + 12 * 3600)
    write_plan(plan_file, make_request(), replace(plan, runs=(late, *plan.runs[1:])))
    told = bookmobile("export", plan_file, "--out", tmp_path / "x")
    assert told.code == 1
    assert "broken" in told.said
    assert not (tmp_path / "x").exists()

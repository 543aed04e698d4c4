"""A plan file becomes its folder again: what was moved by hand stands in the sheets and the map."""

import csv
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import gtfs_guru

from data.feeds.plan_file import read_plan, write_plan
from data.feeds.stops_csv import read_stops_csv
from data.model.geo import distance_m
from data.model.plan import Plan, PlanRequest
from tests.api.runner import Terminal
from tests.osm_region import make_region
from tests.planner.examples import make_plan, make_request


def read_tables(path: Path) -> dict[str, list[dict[str, str]]]:
    """The tables of a GTFS feed by name."""
    with zipfile.ZipFile(path) as archive:
        return {
            name.removesuffix(".txt"): list(
                csv.DictReader(io.StringIO(archive.read(name).decode(), newline=""))
            )
            for name in archive.namelist()
        }


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
        "export", out / "plan-edited.json", "--region", region, "--osm", extract, "--out", anew,
        "--base-url", "https://bus.example.org",
    )  # fmt: skip
    assert told.code == 0, told.said
    written = {str(p.relative_to(out)) for p in out.rglob("*") if p.suffix != ".gpx"}
    assert written - {"plan-edited.json"} | {"gtfs.zip"} == {
        str(p.relative_to(anew)) for p in anew.rglob("*") if p.suffix != ".gpx"
    }
    check_feed(anew / "gtfs.zip", read_plan(out / "plan-edited.json"))
    name = next(s.name for s in request.stops if s.stop_id == stop_id)
    rows, _ = read_stops_csv(anew / "timetable.csv")
    starts = {r.start for r in rows if r.stop == name}
    assert starts == {request.cycle.date_of(free).isoformat()}


def check_feed(path: Path, opened: tuple[PlanRequest, Plan]) -> None:
    """No error in it; a trip for each run and date; ways along the roads past every stop."""
    request, plan = opened
    on = request.cycle.start_date
    found = gtfs_guru.validate(str(path), date=on.isoformat())
    assert [f"{e.code}: {e.message}" for e in found.errors()] == []
    tables = read_tables(path)
    assert {(r["pickup_type"], r["drop_off_type"]) for r in tables["stop_times"]} == {("1", "1")}
    assert tables["agency"][0]["agency_url"].startswith("https://bus.example.org/")
    weeks = 26
    assert len(tables["trips"]) == weeks * len(plan.runs)
    held = [r for r in tables["trips"] if r["service_id"] == on.strftime("%Y%m%d")]
    assert len(held) == sum(run.day == 0 for run in plan.runs)
    several = {r.vehicle_id for r in plan.runs if len(r.visits) > 1}
    assert several, "the plan has a run of two stops"
    shapes: dict[str, list[tuple[float, float]]] = {}
    for row in tables["shapes"]:
        point = float(row["shape_pt_lon"]), float(row["shape_pt_lat"])
        shapes.setdefault(row["shape_id"], []).append(point)
    places = {r["stop_id"]: (float(r["stop_lon"]), float(r["stop_lat"])) for r in tables["stops"]}
    for trip in tables["trips"]:
        own = [r["stop_id"] for r in tables["stop_times"] if r["trip_id"] == trip["trip_id"]]
        assert bool(trip["shape_id"]) == (len(own) > 1)
        if len(own) > 1:
            line = shapes[trip["shape_id"]]
            for stop_id in own:
                near_m = min(distance_m(*point, *places[stop_id]) for point in line)
                assert near_m < 400, "the way passes every stop of the trip"
    assert max(map(len, shapes.values())) > 4, "no straight line"


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

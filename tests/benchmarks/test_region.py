"""The planner on the shipped region: time, memory and driving against cheapest insertion."""

import resource
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from api.progress import Quiet
from api.services.needs import audit_region
from api.services.plan_frame import fleet_of
from api.services.planning import measure
from api.services.regions import load_region, region_folder
from api.services.roads import open_roads
from data.model.plan import PlanRequest
from planner.candidates import build_request, candidate_stops
from planner.params import SolveParams
from planner.score import PlanSummary, check, summarise
from planner.solve import solve
from planner.warm_up import warm_up

pytestmark = pytest.mark.benchmark

START = date(2026, 11, 30)
SECONDS = 60.0
INSERTION = SolveParams(work_limit=1, workers=1, rounds=1, master_ratio=0.0)
"""Stops in a drawn order, each where it costs least, none moved again: the baseline."""


def request_of(
    tmp_path: Path, *, vehicles: int, stops: int | None, is_mandatory: bool
) -> PlanRequest:
    """Kaliningrad's candidate stops as a request; a mandatory one is open for 45 minutes."""
    region = load_region("kaliningrad")
    with open_roads(
        region, region_folder("kaliningrad"), cache_dir=tmp_path, extract=None, tick=Quiet()
    ) as roads:
        audit = audit_region(region, roads, on=START, tick=Quiet())
        chosen = candidate_stops(region, audit.needs, cycle_weeks=4)[:stops]
        if is_mandatory:
            chosen = tuple(replace(s, mandatory=True, service_s=45 * 60) for s in chosen)
        fleet, _ = fleet_of(region, vehicles)
        travel, _ = measure(region, chosen, fleet, roads, Quiet())
    return build_request(region, chosen, travel, start_date=START, weeks=4, vehicles=fleet)


@pytest.mark.parametrize(("vehicles", "stops", "is_mandatory"), [(2, None, False), (3, 200, True)])
def test_a_checked_plan_beats_cheapest_insertion(
    tmp_path: Path, vehicles: int, stops: int | None, *, is_mandatory: bool
) -> None:
    """Within a minute the plan passes the checker and beats every stop put in once, cheapest."""
    request = request_of(tmp_path, vehicles=vehicles, stops=stops, is_mandatory=is_mandatory)
    warm_up()
    began = time.perf_counter()
    plan = solve(request, SolveParams(seed=1, time_limit_s=SECONDS))
    seconds = time.perf_counter() - began
    simple = solve(request, INSERTION)
    assert check(request, plan) == ()
    ours, theirs = summarise(request, plan), summarise(request, simple)
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    scale = 1024 * 1024 if sys.platform == "darwin" else 1024
    Console().print(
        f"{len(request.stops)} stops, {vehicles} vehicles: {seconds:.0f} s, "
        f"{peak_kib / scale:.0f} MiB at most; stops {ours.stops_served} against "
        f"{theirs.stops_served}, prize x{ours.prize_collected / theirs.prize_collected:.2f}, "
        f"km a stop x{_km_a_stop(ours) / _km_a_stop(theirs):.2f}"
    )
    assert ours.prize_collected >= theirs.prize_collected
    if is_mandatory:
        assert ours.stops_unserved == 0


def _km_a_stop(summary: PlanSummary) -> float:
    return summary.drive_m / 1000 / max(1, summary.stops_served)

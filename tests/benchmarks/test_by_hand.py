"""How long a change by hand takes to judge, and a question to answer, in a plan of 500 visits."""

import gc
import time
from dataclasses import replace
from datetime import date
from itertools import pairwise
from random import Random
from statistics import median

import numpy as np
import pytest
from rich.console import Console

from data.model.calendar import HOUR_S, MINUTE_S, Cycle, ServiceCalendar, Window
from data.model.fleet import Vehicle, VehicleId
from data.model.place import Stop, StopId
from data.model.plan import Plan, PlanRequest
from data.model.travel import TravelMatrix
from planner.edit import Add, Move, apply, judge
from planner.insert import best_places
from planner.relax import explain
from planner.score import check
from tests.planner.instances import DAY_RULES, DEPOT

pytestmark = pytest.mark.benchmark

VEHICLES, DAYS, PER_RUN = 5, 20, 5
NUM_VISITS = VEHICLES * DAYS * PER_RUN
MOST_JUDGE_S = 0.05
MOST_EXPLAIN_S = 10.0


def large_plan(seed: int = 1, extra: int = 100) -> tuple[PlanRequest, Plan]:
    """Five vehicles on twenty days with five visits a run, and a hundred stops left out."""
    rng = np.random.default_rng(seed)
    num = NUM_VISITS + extra
    angle = np.sort(rng.uniform(0, 2 * np.pi, num))
    away = rng.uniform(5, 40, num)
    x, y = np.append(away * np.cos(angle), 0.0), np.append(away * np.sin(angle), 0.0)
    km = np.hypot(x[:, None] - x, y[:, None] - y)
    stops = tuple(
        Stop(
            stop_id=StopId(f"s{k}"),
            name=f"Stop {k}",
            lon=22.2,
            lat=54.59,
            service_s=45 * MINUTE_S,
            setup_s=5 * MINUTE_S,
            teardown_s=5 * MINUTE_S,
            windows=(Window(start_s=8 * HOUR_S, end_s=19 * HOUR_S),),
            prize=float(rng.integers(20, 600)),
        )
        for k in range(num)
    )
    matrix = TravelMatrix(
        point_ids=(*(str(s.stop_id) for s in stops), str(DEPOT.depot_id)),
        travel_s=(km * 72).astype(np.int32),
        travel_m=(km * 1000).astype(np.int32),
        source="plane",
        is_estimated=True,
    )
    fleet = tuple(
        Vehicle(
            vehicle_id=VehicleId(f"bus-{k}"),
            name=f"Bus {k}",
            depot_id=DEPOT.depot_id,
            duty_start_s=7 * HOUR_S,
            duty_end_s=19 * HOUR_S,
        )
        for k in range(VEHICLES)
    )
    rules = replace(DAY_RULES, shift_max_s=10 * HOUR_S, week_work_max_s=None)
    request = PlanRequest(
        region_id="plane",
        cycle=Cycle(start_date=date(2026, 3, 2), num_weeks=4),
        calendar=ServiceCalendar(),
        time_zone="Europe/Kaliningrad",
        depots=(DEPOT,),
        vehicles=fleet,
        stops=stops,
        crew_rules={v.vehicle_id: rules for v in fleet},
        travel={v.vehicle_id: matrix for v in fleet},
    )
    served = [stops[k] for k in np.linspace(0, num - 1, NUM_VISITS).astype(int)]
    days = [(v, d) for v in fleet for d in request.working_days(v)]
    edits = [
        Add(stop_id=s.stop_id, vehicle_id=v.vehicle_id, day=d, position=k)
        for number, (v, d) in enumerate(days)
        for k, s in enumerate(served[number * PER_RUN : (number + 1) * PER_RUN])
    ]
    return request, apply(request, Plan(runs=()), edits)


def test_a_move_is_judged_while_it_is_dragged() -> None:
    """At 500 stop visits, legal moves and wild ones: the slowest in under 50 ms of CPU."""
    request, plan = large_plan()
    assert sum(len(r.visits) for r in plan.runs) == NUM_VISITS
    rng = Random(1)
    seconds = []
    # What the imports and the making of the plan left behind is not part of a judgement.
    gc.collect()
    for _ in range(100):
        one, other = rng.sample(plan.runs, 2)
        move = Move(
            stop_id=rng.choice(one.visits).stop_id,
            from_day=one.day,
            vehicle_id=other.vehicle_id,
            day=other.day,
            position=rng.choice((None, rng.randrange(len(other.visits) + 1))),
        )
        # The clock on the wall would count what else runs on the machine.
        began = time.process_time()
        judge(request, plan, move)
        seconds.append(time.process_time() - began)
    began = time.perf_counter()
    found = check(request, plan)
    checked = time.perf_counter() - began
    Console().print(
        f"\njudge: median {1000 * median(seconds):.1f} ms, slowest {1000 * max(seconds):.1f} ms; "
        f"full check {1000 * checked:.1f} ms; {len(found)} rules broken before"
    )
    assert max(seconds) < MOST_JUDGE_S


def test_a_stop_is_placed_and_explained_in_time() -> None:
    """Ten places at once; ten explanations of stops left out, each in under ten seconds."""
    request, plan = large_plan()
    left_out = [u.stop_id for u in plan.unserved][::10]
    stops = {s.stop_id: s for s in request.stops}
    placed, explained, proved = [], [], []
    for stop_id in left_out:
        marks = [time.perf_counter()]
        best_places(request, plan, stops[stop_id])
        marks.append(time.perf_counter())
        hard = replace(stops[stop_id], service_s=5 * HOUR_S)
        told = explain(request, plan, hard, time_limit_s=MOST_EXPLAIN_S)
        marks.append(time.perf_counter())
        took = [b - a for a, b in pairwise(marks)]
        placed.append(took[0])
        explained.append(took[1])
        proved.append(told.cheapest.code if told.cheapest else "not proved")
    Console().print(
        f"\ninsert: median {median(placed):.2f} s, slowest {max(placed):.2f} s; "
        f"explain: median {median(explained):.2f} s, slowest {max(explained):.2f} s; {proved}"
    )
    assert max(explained) < MOST_EXPLAIN_S

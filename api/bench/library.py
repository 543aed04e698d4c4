"""The open benchmark of periodic mobile-library routing: read, state, bound, made from a seed.

Distributions measured on 26 UK authorities' published timetables (4,295 stop promises, 679
vehicle-days, 3,663 legs; LibrariesHacked mobilelibraries-data, MIT; legs from OpenStreetMap): dwell
5 % 10, 25 % 15, 50 % 20, 75 % 30, 90 % 50, 95 % 65 minutes; every four weeks 55 %, two 31 %, three
12 %, one 2 %; spans 6 h at the median, 7.8 h at 95 %; legs 102 s + 91 s a straight kilometre,
1.9 km at the median. Stops every three weeks are left out, so that four weeks are one cycle.
"""

import json
import math
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from api.bench.library_validator import FORMAT, drive_s
from api.bench.text import read_text
from data.model.errors import InputError
from planner.problem import Problem, Solution, VehicleDay, build_problem

CYCLE_DAYS = 28
WEEKDAYS = 5
DWELLS_MIN = ((0.05, 10), (0.45, 15), (0.6, 20), (0.8, 30), (0.9, 45), (0.96, 60), (1.0, 90))
INTERVALS = ((0.62, 4), (0.97, 2), (1.0, 1))
BASE_S, S_PER_KM = 102, 91
CLOCK_SPREAD_S = 1800
SHIFT_S = (9 * 3600, 17 * 3600)
STOPS_PER_VEHICLE = 200
TOWN_STOPS = 8


@dataclass(frozen=True, slots=True)
class LibraryInstance:
    """One instance; ``raw`` is the file's content, the format of docs/benchmark-set.md."""

    raw: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.raw["name"])

    def problem(self) -> Problem:
        """The search's statement: people are prizes, driving seconds the cost."""
        stops, vehicles = self.raw["stops"], self.raw["vehicles"]
        n = len(stops)
        points = np.array(
            [self.raw["points"][p] for p in [s["point"] for s in stops]]
            + [self.raw["points"][v["depot"]] for v in vehicles],
            np.float64,
        )
        metres = np.floor(np.hypot(*(points[:, None] - points[None, :]).transpose(2, 0, 1)) + 1e-6)
        travel = self.raw["travel"]
        drive = travel["base_s"] + np.floor((metres * travel["s_per_km"] + 999) / 1000)
        drive[metres == 0] = 0.0
        runs = [
            VehicleDay(
                vehicle=k,
                day=day,
                start_node=n + k,
                end_node=n + k,
                duty_lo=float(v["start_s"]),
                duty_hi=float(v["end_s"]),
            )
            for k, v in enumerate(vehicles)
            for day in v["days"]
        ]
        return build_problem(
            cost=drive,
            time=drive,
            options=[
                [[(day, 0.0, math.inf) for day in days] for days in s["patterns"]] for s in stops
            ],
            runs=runs,
            occupied=[float(s["dwell_s"]) for s in stops],
            prize=[float(s["people"]) for s in stops],
            mandatory=[bool(s["mandatory"]) for s in stops],
            clock_tolerance=[self.raw["clock_spread_s"] / 2] * n,
            clock_grid=60.0,
        )

    def plan_of(self, problem: Problem, solution: Solution) -> dict[str, Any]:
        """A solution as a plan file: each visit at its earliest time in its common window."""
        half = self.raw["clock_spread_s"] / 2
        runs = []
        for run, route in zip(problem.runs, solution.routes, strict=True):
            at, clock, visits = self.raw["vehicles"][run.vehicle]["depot"], run.duty_lo, []
            for stop in route:
                entry = self.raw["stops"][stop]
                clock += drive_s(self.raw, at, entry["point"])
                if math.isfinite(solution.anchor[stop]):
                    clock = max(clock, solution.anchor[stop] - half)
                visits.append([stop, math.ceil(clock)])
                clock, at = math.ceil(clock) + entry["dwell_s"], entry["point"]
            if visits:
                runs.append({"vehicle": run.vehicle, "day": run.day, "visits": visits})
        return {"instance": self.name, "runs": runs}

    def people_bound(self) -> int:
        """People that no plan exceeds: a fractional knapsack of the fleet's time.

        A visit takes its dwell and half of its cheapest leg in and out; a run's depot legs are
        left out. The true best can only be smaller.
        """
        stops, vehicles = self.raw["stops"], self.raw["vehicles"]
        time_s = float(sum((v["end_s"] - v["start_s"]) * len(v["days"]) for v in vehicles))
        problem = self.problem()
        legs = problem.time[0].copy()
        np.fill_diagonal(legs, np.inf)
        nearest = legs.min(axis=1)
        items = [
            (s["people"], len(s["patterns"][0]) * (s["dwell_s"] + float(nearest[i])))
            for i, s in enumerate(stops)
        ]
        reached = 0.0
        for people, needed in sorted(items, key=lambda item: -item[0] / max(1.0, item[1])):
            share = min(1.0, max(0.0, time_s) / max(1.0, needed))
            reached += share * people
            time_s -= share * needed
        return math.floor(reached + 1e-6)


def read_library(file: Path) -> LibraryInstance:
    """An instance of the open benchmark.

    Raises
    ------
    InputError
        If the file is missing, no JSON, of another format or lacks a part.
    """
    try:
        raw = json.loads(read_text(file))
        if raw["format"] != FORMAT:
            raise ValueError(FORMAT)
        instance = LibraryInstance(raw)
        instance.problem()
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise InputError("bench.not_library", file=file, cause=str(error)) from None
    return instance


def _draw(rng: random.Random, table: tuple[tuple[float, int], ...]) -> int:
    at = rng.random()
    return next(value for share, value in table if at <= share)


def patterns_of(interval_weeks: int) -> list[list[int]]:
    """Every set of working days of the cycle at one interval, weekday kept."""
    return [
        [week * 7 + weekday for week in range(first, CYCLE_DAYS // 7, interval_weeks)]
        for first in range(interval_weeks)
        for weekday in range(WEEKDAYS)
    ]


def made_instance(
    name: str,
    points: list[tuple[int, int]],
    people: list[int],
    *,
    depots: list[tuple[int, int]],
    seed: int,
    source: str,
    tightness: float = 1.0,
) -> LibraryInstance:
    """Stops at points with drawn dwell and frequency; a tighter fleet has fewer vehicles."""
    rng = random.Random(seed)
    stops = [
        {
            "point": i,
            "people": people[i],
            "mandatory": False,
            "dwell_s": 60 * _draw(rng, DWELLS_MIN),
            "patterns": patterns_of(_draw(rng, INTERVALS)),
        }
        for i in range(len(points))
    ]
    num_vehicles = max(1, round(len(points) / STOPS_PER_VEHICLE / tightness))
    days = [week * 7 + d for week in range(CYCLE_DAYS // 7) for d in range(WEEKDAYS)]
    return LibraryInstance(
        {
            "format": FORMAT,
            "name": name,
            "source": source,
            "cycle_days": CYCLE_DAYS,
            "clock_spread_s": CLOCK_SPREAD_S,
            "travel": {"base_s": BASE_S, "s_per_km": S_PER_KM},
            "points": [list(p) for p in [*points, *depots]],
            "vehicles": [
                {
                    "depot": len(points) + k % len(depots),
                    "days": days,
                    "start_s": SHIFT_S[0],
                    "end_s": SHIFT_S[1],
                }
                for k in range(num_vehicles)
            ],
            "stops": stops,
        }
    )


def generated(num_stops: int, seed: int, tightness: float = 1.0) -> LibraryInstance:
    """A rural area with towns, as a seed makes it; metres from its south-west corner."""
    rng = random.Random(seed)
    side = int(3200 * math.sqrt(num_stops))
    towns = [
        (rng.randrange(side), rng.randrange(side)) for _ in range(max(1, num_stops // TOWN_STOPS))
    ]
    points, people = [], []
    for _ in range(num_stops):
        x, y = rng.choice(towns)
        points.append((x + int(rng.gauss(0, 1900)), y + int(rng.gauss(0, 1900))))
        people.append(max(5, int(math.exp(rng.gauss(4.6, 0.9)))))
    centres = [(side // 2, side // 2), (side // 5, side // 4), (4 * side // 5, 3 * side // 4)]
    return made_instance(
        f"uk-{num_stops}-{seed}{'-tight' if tightness > 1 else ''}",
        points,
        people,
        depots=centres[: 1 + num_stops // 150],
        seed=seed,
        source="drawn from distributions of published UK timetables; no place is real",
        tightness=tightness,
    )

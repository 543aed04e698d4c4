"""A small world with known truth: places near Chernyakhovsk, and days driven as they come.

The days are driven by code of their own, so that what the planner says of them can be wrong.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from data.model.calendar import HOUR_S, Cycle, ServiceCalendar, Window
from data.model.fleet import CrewRules, Vehicle, VehicleId
from data.model.geo import distances_m
from data.model.observed import ObservedVisit
from data.model.place import Depot, DepotId, Stop, StopId
from data.model.plan import Plan, PlanRequest, Run
from data.model.travel import TravelMatrix

DEPOT = Depot(depot_id=DepotId("chernyakhovsk"), name="Черняховск", lon=21.81557, lat=54.63345)
PLACES = (
    ("Калиновка", 21.77611, 54.80556, 501),
    ("Калужское", 21.90389, 54.80472, 470),
    ("Каменское", 21.55222, 54.65694, 547),
    ("Загорское", 21.98333, 54.74444, 320),
    ("Междуречье", 21.72111, 54.66083, 302),
    ("Свобода", 21.61972, 54.54833, 718),
    ("Бережковское", 21.56389, 54.60472, 260),
    ("Маёвка", 21.95556, 54.60694, 411),
    ("Пастухово", 21.89806, 54.64139, 178),
    ("Покровское", 21.76611, 54.56444, 233),
    ("Тимофеевка", 21.70833, 54.71556, 190),
    ("Липовка", 21.86944, 54.71083, 147),
)


def make_world(*, weeks: int = 2, vehicles: int = 2) -> PlanRequest:
    """A request of twelve stops with crow-flight roads at 42 km/h."""
    points = np.array([(p[1], p[2]) for p in PLACES] + [(DEPOT.lon, DEPOT.lat)])
    metres = 1.3 * distances_m(points, points)
    seconds = np.round(metres / 42_000 * HOUR_S + 60)
    np.fill_diagonal(seconds, 0)
    stops = tuple(
        Stop(
            stop_id=StopId(f"s{k}"),
            name=name,
            lon=lon,
            lat=lat,
            people=people,
            prize=float(people),
            setup_s=600,
            teardown_s=300,
            windows=(Window(start_s=9 * HOUR_S, end_s=18 * HOUR_S),),
        )
        for k, (name, lon, lat, people) in enumerate(PLACES)
    )
    matrix = TravelMatrix(
        point_ids=(*(s.stop_id for s in stops), DEPOT.depot_id),
        travel_s=seconds.astype(np.int32),
        travel_m=metres.astype(np.int32),
        source="crow flight",
        is_estimated=True,
    )
    fleet = tuple(
        Vehicle(
            vehicle_id=VehicleId(f"kibo-{k + 1}"),
            name=f"КИБО-{k + 1}",
            depot_id=DEPOT.depot_id,
            max_stops_per_run=5,
            weekdays=frozenset({1, 3}),
        )
        for k in range(vehicles)
    )
    rules = CrewRules(shift_max_s=10 * HOUR_S, meal_after_s=4 * HOUR_S, meal_min_s=1800)
    return PlanRequest(
        region_id="kaliningrad",
        cycle=Cycle(start_date=date(2026, 11, 30), num_weeks=weeks),
        calendar=ServiceCalendar(),
        time_zone="Europe/Kaliningrad",
        depots=(DEPOT,),
        vehicles=fleet,
        stops=stops,
        crew_rules={v.vehicle_id: rules for v in fleet},
        travel={v.vehicle_id: matrix for v in fleet},
    )


@dataclass(frozen=True, kw_only=True)
class Truth:
    """How driving and stops really are; all spreads are of natural logarithms."""

    overall: float = 0.12
    leg_sd: float = 0.12
    day_sd: float = 0.07
    residual_sd: float = 0.1
    setup_s: float = 540.0
    turnaround_s: float = 420.0
    stay_sd: float = 0.3
    breakdown_ratio: float = 0.0
    """Share of legs on which the vehicle stands for an hour and a half."""
    seed: int = 7

    def leg_factor(self, origin: str, target: str) -> float:
        """The typical factor of a leg, the same on every day."""
        key = f"{self.seed} {origin} {target}".encode()
        rng = np.random.default_rng(list(key))
        return float(np.exp(self.overall + self.leg_sd * rng.standard_normal()))


def drive_days(
    request: PlanRequest, plan: Plan, truth: Truth, *, cycles: int, seed: int
) -> list[ObservedVisit]:
    """Drive a plan for some cycles and write down what happened."""
    rng = np.random.default_rng(seed)
    seen = []
    for cycle in range(cycles):
        for run in plan.runs:
            on = request.cycle.date_of(run.day) + timedelta(days=cycle * request.cycle.num_days)
            seen += _drive_run(request, run, on, truth, rng)
    return seen


def _drive_run(
    request: PlanRequest, run: Run, on: date, truth: Truth, rng: np.random.Generator
) -> list[ObservedVisit]:
    matrix = request.travel[run.vehicle_id]
    day = float(np.exp(truth.day_sd * rng.standard_normal()))
    here, now = str(DEPOT.depot_id), float(run.depart_s)
    seen = [
        ObservedVisit(
            service_date=on,
            vehicle_id=run.vehicle_id,
            place_id=here,
            planned_departure_s=run.depart_s,
            departure_s=run.depart_s,
        )
    ]

    def drive(target: str) -> float:
        seconds = matrix.unlearned_seconds(here, target) * truth.leg_factor(here, target) * day
        broken = 5400.0 if rng.random() < truth.breakdown_ratio else 0.0
        return seconds * float(np.exp(truth.residual_sd * rng.standard_normal())) + broken

    def stay(median_s: float) -> float:
        return median_s * float(np.exp(truth.stay_sd * rng.standard_normal()))

    for k, visit in enumerate(run.visits):
        arrival = round(now + drive(visit.stop_id))
        opened = round(max(visit.start_s, arrival + stay(truth.setup_s)))
        closed = opened + visit.end_s - visit.start_s
        meal_s = None
        if run.meal is not None and run.meal.after_visit == k:
            meal_s = run.meal.end_s - run.meal.start_s
        left = round(closed + stay(truth.turnaround_s) + (meal_s or 0))
        seen.append(
            ObservedVisit(
                service_date=on,
                vehicle_id=run.vehicle_id,
                place_id=visit.stop_id,
                planned_arrival_s=visit.arrival_s,
                planned_open_s=visit.start_s,
                planned_close_s=visit.end_s,
                planned_departure_s=visit.departure_s,
                arrival_s=arrival,
                open_s=opened,
                close_s=closed,
                departure_s=left,
                meal_s=meal_s,
            )
        )
        here, now = str(visit.stop_id), float(left)
    seen.append(
        ObservedVisit(
            service_date=on,
            vehicle_id=run.vehicle_id,
            place_id=str(DEPOT.depot_id),
            arrival_s=round(now + drive(str(DEPOT.depot_id))),
        )
    )
    return seen


def kept_shares(seen: list[ObservedVisit]) -> dict[tuple[str, str, int], float]:
    """Share of days on which each stop visit of the cycle opened at its published time."""
    found: dict[tuple[str, str, int], list[bool]] = {}
    for visit in seen:
        if visit.planned_open_s is not None and visit.open_s is not None:
            key = (str(visit.vehicle_id), visit.place_id, visit.planned_open_s)
            found.setdefault(key, []).append(visit.open_s <= visit.planned_open_s)
    return {key: float(np.mean(kept)) for key, kept in found.items()}

"""Planned and driven days near Chernyakhovsk for tests and benchmarks of the fleet."""

from datetime import date, timedelta
from functools import cache

from data.model.calendar import HOUR_S, MINUTE_S
from data.model.plan import Meal, Plan, PlanRequest, Run, StopVisit
from data.model.telemetry import DeviceId, Fix, Verdict
from fleet.devices import DeviceParams, observe
from fleet.planned import PlannedRun, planned_run
from fleet.simulate import DriveParams, Places, TrueDay, drive_plan
from fleet.tracking import Place, places_of
from tests.planner.learn.world import make_world

DAY = date(2026, 12, 1)
DEVICE = DeviceId("bus")
ROUNDS = (("s4", "s2", "s6", "s5", "s9"), ("s7", "s8", "s3", "s11", "s0"))
"""Two loops out of Chernyakhovsk, each of five stops of the little world."""


@cache
def world() -> PlanRequest:
    return make_world()


def make_run(request: PlanRequest, number: int, *, slack_s: int = 5 * MINUTE_S) -> Run:
    """A run through one of the rounds: an hour at each stop, a little slack in each leg."""
    vehicle = request.vehicles[number]
    matrix = request.travel[vehicle.vehicle_id]
    here, now = str(vehicle.depot_id), 8 * HOUR_S + 20 * MINUTE_S
    depart_s = now
    visits = []
    for position, stop_id in enumerate(ROUNDS[number]):
        stop = next(s for s in request.stops if s.stop_id == stop_id)
        drive_s = matrix.seconds(here, stop_id)
        arrival = now + drive_s + slack_s
        start = -(-(arrival + stop.setup_s) // (5 * MINUTE_S)) * 5 * MINUTE_S
        end = start + HOUR_S
        departure = end + stop.teardown_s + (30 * MINUTE_S if position == 1 else 0)
        visits.append(
            StopVisit(
                stop_id=stop.stop_id,
                arrival_s=arrival,
                start_s=start,
                end_s=end,
                departure_s=departure,
                drive_s=drive_s,
                drive_m=matrix.metres(here, stop_id),
            )
        )
        here, now = stop_id, departure
    depot = str(vehicle.depot_id)
    home_s = matrix.seconds(here, depot)
    lunch = visits[1].end_s + 5 * MINUTE_S
    return Run(
        vehicle_id=vehicle.vehicle_id,
        day=1,
        sign_on_s=depart_s - 20 * MINUTE_S,
        depart_s=depart_s,
        visits=tuple(visits),
        return_s=now + home_s + slack_s,
        sign_off_s=now + home_s + slack_s + 20 * MINUTE_S,
        return_drive_s=home_s,
        return_drive_m=matrix.metres(here, depot),
        meal=Meal(start_s=lunch, end_s=lunch + 30 * MINUTE_S, after_visit=1),
    )


@cache
def plan() -> Plan:
    return Plan(runs=(make_run(world(), 0), make_run(world(), 1)))


def run_of(number: int, on: date = DAY) -> PlannedRun:
    """A round as planned on a date."""
    return planned_run(world(), plan().runs[number], on)


@cache
def places() -> tuple[Place, ...]:
    return places_of(world())


def positions() -> Places:
    return {p.place_id: (p.lon, p.lat) for p in places()}


def drive(
    number: int = 0, *, seed: int = 1, params: DriveParams | None = None, day: int = 0
) -> TrueDay:
    """A round driven once, ``day`` weeks after the first."""
    run = run_of(number, DAY + timedelta(days=14 * day))
    matrix = world().travel[run.vehicle_id]
    ids = run.place_ids
    pairs = {(a, b) for a in ids for b in ids if a != b}
    return drive_plan(
        run,
        positions(),
        {(a, b): matrix.seconds(a, b) for a, b in pairs},
        seed=seed,
        params=params,
        drive_m={(a, b): matrix.metres(a, b) for a, b in pairs},
    )


def seen(day: TrueDay, params: DeviceParams, *, seed: int = 1) -> tuple[Fix, ...]:
    return observe(day, DEVICE, params, seed=seed)


PRESENCE = (Verdict.ACCEPTED, Verdict.PARKED)

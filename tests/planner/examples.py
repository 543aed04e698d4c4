"""A small plan in Chernyakhovsk district that keeps every rule; tests break it one rule at a time.

Places and populations are real (INID data set 160); travel and clock times are round, so that
expected values can be worked out by hand. Two weeks from Monday 30 November 2026, both runs on
Tuesdays; Zagorskoe is left out.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from data.model.calendar import HOUR_S, MINUTE_S, Cycle, ServiceCalendar, Window
from data.model.fleet import CrewRules, RuleSetId, Vehicle, VehicleId
from data.model.place import Depot, DepotId, DepotKind, Stop, StopId
from data.model.plan import Meal, Plan, PlanRequest, Provenance, Run, StopVisit, Unserved
from data.model.travel import TravelMatrix

CHERNYAKHOVSK = Depot(
    depot_id=DepotId("chernyakhovsk"), name="Черняховск", lon=21.81557, lat=54.63345
)

KALINOVKA = Stop(
    stop_id=StopId("kalinovka"),
    name="Калиновка",
    lon=21.77611,
    lat=54.80556,
    service_s=90 * MINUTE_S,
    setup_s=10 * MINUTE_S,
    teardown_s=5 * MINUTE_S,
    visits_per_cycle=2,
    windows=(Window(start_s=9 * HOUR_S, end_s=18 * HOUR_S),),
    min_gap_days=5,
    max_gap_days=9,
    people=501,
    prize=559.0,
)
KALUZHSKOE = Stop(
    stop_id=StopId("kaluzhskoe"),
    name="Калужское",
    lon=21.90389,
    lat=54.80472,
    setup_s=10 * MINUTE_S,
    teardown_s=5 * MINUTE_S,
    windows=(
        Window(start_s=9 * HOUR_S, end_s=13 * HOUR_S),
        Window(start_s=14 * HOUR_S, end_s=16 * HOUR_S, weekdays=frozenset({1})),
    ),
    people=470,
    prize=518.0,
)
KAMENSKOE = Stop(
    stop_id=StopId("kamenskoe"),
    name="Каменское",
    lon=21.55222,
    lat=54.65694,
    setup_s=10 * MINUTE_S,
    teardown_s=5 * MINUTE_S,
    needs=frozenset({"lift"}),
    mandatory=True,
    people=547,
    prize=608.5,
)
ZAGORSKOE = Stop(
    stop_id=StopId("zagorskoe"),
    name="Загорское",
    lon=21.98333,
    lat=54.74444,
    setup_s=10 * MINUTE_S,
    teardown_s=5 * MINUTE_S,
    people=None,
    prize=20.0,
)
STOPS = (KALINOVKA, KALUZHSKOE, KAMENSKOE, ZAGORSKOE)

FIRST = Vehicle(
    vehicle_id=VehicleId("kibo-1"),
    name="КИБО-1",
    depot_id=CHERNYAKHOVSK.depot_id,
    abilities=frozenset({"lift", "wifi"}),
    weekdays=frozenset({0, 1, 2, 3}),
    off_dates=frozenset({date(2026, 12, 3)}),
    max_stops_per_run=3,
)
SECOND = Vehicle(
    vehicle_id=VehicleId("kibo-2"),
    name="КИБО-2",
    depot_id=CHERNYAKHOVSK.depot_id,
    weekdays=frozenset({0}),
)

RULES = CrewRules(
    drive_daily_max_s=9 * HOUR_S,
    drive_continuous_max_s=4 * HOUR_S,
    break_s=15 * MINUTE_S,
    shift_max_s=8 * HOUR_S,
    meal_after_s=4 * HOUR_S,
    meal_min_s=30 * MINUTE_S,
    meal_max_s=2 * HOUR_S,
    rest_shift_ratio=2.0,
    week_work_max_s=40 * HOUR_S,
)

_LEG_MIN = (
    (0, 24, 25, 18, 20),
    (24, 0, 9, 30, 18),
    (25, 9, 0, 35, 12),
    (18, 30, 35, 0, 38),
    (20, 18, 12, 38, 0),
)


def matrix() -> TravelMatrix:
    """Legs in whole minutes, a kilometre a minute."""
    minutes = np.array(_LEG_MIN, dtype=np.int32)
    return TravelMatrix(
        point_ids=(str(CHERNYAKHOVSK.depot_id), *(str(s.stop_id) for s in STOPS)),
        travel_s=minutes * np.int32(MINUTE_S),
        travel_m=minutes * np.int32(1000),
        source="example",
        is_estimated=True,
    )


def make_request() -> PlanRequest:
    shared = matrix()
    return PlanRequest(
        region_id="kaliningrad",
        cycle=Cycle(start_date=date(2026, 11, 30), num_weeks=2),
        calendar=ServiceCalendar(closed_dates={date(2026, 12, 9): "санитарный день"}),
        time_zone="Europe/Kaliningrad",
        depots=(CHERNYAKHOVSK,),
        vehicles=(FIRST, SECOND),
        stops=STOPS,
        crew_rules={FIRST.vehicle_id: RULES, SECOND.vehicle_id: CrewRules()},
        travel={FIRST.vehicle_id: shared, SECOND.vehicle_id: shared},
        rule_sets_used={FIRST.vehicle_id: (RuleSetId("ru-424"),), SECOND.vehicle_id: ()},
    )


def make_run(
    request: PlanRequest,
    vehicle: Vehicle,
    day: int,
    openings: Sequence[tuple[Stop, int]],
    meal: Meal | None = None,
    *,
    start: DepotId | None = None,
    end: DepotId | None = None,
) -> Run:
    """A run whose doors open at the given minutes from midnight, its other times added up.

    ``start`` and ``end`` are lodgings; without them the run is from base to base.
    """
    travel = request.travel[vehicle.vehicle_id]
    checks = {d.depot_id: d.check_s for d in request.depots if d.is_lodging}
    visits: list[StopVisit] = []
    origin, left_s = str(start or vehicle.depot_id), 0
    for index, (stop, minute) in enumerate(openings):
        drive_s = travel.seconds(origin, str(stop.stop_id))
        start_s = minute * MINUTE_S
        end_s = start_s + stop.service_s
        departure_s = end_s + stop.teardown_s
        visits.append(
            StopVisit(
                stop_id=stop.stop_id,
                arrival_s=left_s + drive_s if index else start_s - stop.setup_s,
                start_s=start_s,
                end_s=end_s,
                departure_s=departure_s,
                drive_s=drive_s,
                drive_m=travel.metres(origin, str(stop.stop_id)),
            )
        )
        has_meal = meal is not None and meal.after_visit == index
        left_s = max(departure_s, meal.end_s) if has_meal and meal else departure_s
        origin = str(stop.stop_id)
    goal = str(end or vehicle.end_depot_id or vehicle.depot_id)
    depart_s = visits[0].arrival_s - visits[0].drive_s
    return_s = left_s + travel.seconds(origin, goal)
    return Run(
        vehicle_id=vehicle.vehicle_id,
        day=day,
        sign_on_s=depart_s - (checks[start] if start else vehicle.prep_s),
        depart_s=depart_s,
        visits=tuple(visits),
        return_s=return_s,
        sign_off_s=return_s + (checks[end] if end else vehicle.closing_s),
        return_drive_s=travel.seconds(origin, goal),
        return_drive_m=travel.metres(origin, goal),
        meal=meal,
        start_depot_id=start,
        end_depot_id=end,
    )


def clock_min(text: str) -> int:
    """Minutes from midnight of ``HH:MM``."""
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)


def make_meal(start: str, end: str, after_visit: int = 0) -> Meal:
    return Meal(
        start_s=clock_min(start) * MINUTE_S,
        end_s=clock_min(end) * MINUTE_S,
        after_visit=after_visit,
    )


def make_plan(request: PlanRequest | None = None) -> Plan:
    """Kalinovka on both Tuesdays, Kaluzhskoe on the first, Kamenskoe on the second."""
    request = request or make_request()
    first = make_run(
        request,
        FIRST,
        1,
        [(KALINOVKA, clock_min("10:00")), (KALUZHSKOE, clock_min("14:00"))],
        make_meal("11:35", "12:20"),
    )
    second = make_run(
        request,
        FIRST,
        8,
        [(KALINOVKA, clock_min("10:15")), (KAMENSKOE, clock_min("13:15"))],
        make_meal("11:50", "12:35"),
    )
    return Plan(
        runs=(first, second),
        unserved=(Unserved(stop_id=ZAGORSKOE.stop_id, reason="unserved.no_capacity"),),
        provenance=Provenance(
            problem_hash="0" * 64,
            seed=7,
            parameters={"workers": 1},
            versions={"bookmobile": "0.1.0"},
            travel_source="example",
            is_estimated=True,
            solve_seconds=1.5,
            stopped_by="work_limit",
            bound=2000.0,
            bound_kind="bound.time",
        ),
    )


BOLSHAKOVO = Depot(
    depot_id=DepotId("bolshakovo"),
    name="Большаково, гостиница",
    lon=21.66417,
    lat=54.88056,
    kind=DepotKind.LODGING,
    room_m=12.0,
    check_s=10 * MINUTE_S,
)


def tour_request() -> PlanRequest:
    """The example with a lodging in Bolshakovo, a quarter of an hour from Kalinovka."""
    request = make_request()
    plain = request.travel[FIRST.vehicle_id]
    legs = np.full((6, 6), 40, np.int32)
    legs[:5, :5] = np.array(_LEG_MIN, np.int32)
    legs[5, 1] = legs[1, 5] = 15
    legs[5, 2] = legs[2, 5] = 20
    legs[5, 5] = 0
    shared = replace(
        plain,
        point_ids=(*plain.point_ids, str(BOLSHAKOVO.depot_id)),
        travel_s=legs * np.int32(MINUTE_S),
        travel_m=legs * np.int32(1000),
    )
    return replace(
        request,
        depots=(CHERNYAKHOVSK, BOLSHAKOVO),
        vehicles=(replace(FIRST, max_nights_away=1), SECOND),
        travel={FIRST.vehicle_id: shared, SECOND.vehicle_id: shared},
    )


def tour_plan() -> Plan:
    """As the example, but Kaluzhskoe follows on Wednesday, after a night in Bolshakovo."""
    request, plan = tour_request(), make_plan()
    out = make_run(request, FIRST, 1, [(KALINOVKA, clock_min("10:00"))], end=BOLSHAKOVO.depot_id)
    home = make_run(
        request, FIRST, 2, [(KALUZHSKOE, clock_min("10:00"))], start=BOLSHAKOVO.depot_id
    )
    return replace(plan, runs=(out, home, plan.runs[1]))


def shifted(run: Run, seconds: int) -> Run:
    """The same run, earlier or later as a whole."""
    visits = tuple(
        replace(
            v,
            arrival_s=v.arrival_s + seconds,
            start_s=v.start_s + seconds,
            end_s=v.end_s + seconds,
            departure_s=v.departure_s + seconds,
        )
        for v in run.visits
    )
    meal = run.meal and replace(
        run.meal, start_s=run.meal.start_s + seconds, end_s=run.meal.end_s + seconds
    )
    return replace(
        run,
        visits=visits,
        meal=meal,
        sign_on_s=run.sign_on_s + seconds,
        depart_s=run.depart_s + seconds,
        return_s=run.return_s + seconds,
        sign_off_s=run.sign_off_s + seconds,
    )

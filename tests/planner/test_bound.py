"""Bounds and impossible stops hold against every plan that the checker passes."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.model.calendar import HOUR_S, MINUTE_S, Cycle, Window
from data.model.fleet import CrewRules, Vehicle, VehicleId
from data.model.place import Stop, StopId
from data.model.plan import Plan, PlanRequest, Unserved
from data.model.travel import UNREACHABLE, TravelMatrix
from planner.alone import impossible_stops, least_s, longest_work_s
from planner.bound import ALL_PRIZES, FLEET_TIME, prize_bound, travel_bound
from planner.score import check
from tests.planner.examples import CHERNYAKHOVSK, FIRST, STOPS, ZAGORSKOE, make_request, make_run

START_MIN = 8 * 60 + 20


def small_vehicle(name: str, weekdays: set[int], max_stops: int | None) -> Vehicle:
    return Vehicle(
        vehicle_id=VehicleId(name),
        name=name,
        depot_id=CHERNYAKHOVSK.depot_id,
        weekdays=frozenset(weekdays),
        max_stops_per_run=max_stops,
        prep_s=20 * MINUTE_S,
        closing_s=10 * MINUTE_S,
    )


@st.composite
def small_requests(draw: st.DrawFn) -> PlanRequest:
    """Three stops, two vehicles, three vehicle-days, legs of any length, some of them missing."""
    stops = tuple(
        replace(
            ZAGORSKOE,
            stop_id=StopId(f"s{i}"),
            setup_s=0,
            teardown_s=0,
            service_s=draw(st.integers(0, 180)) * MINUTE_S,
            visits_per_cycle=draw(st.sampled_from([1, 1, 2])),
            same_weekday=False,
            mandatory=draw(st.booleans()),
            needs=frozenset({"lift"}) if draw(st.integers(0, 5)) == 0 else frozenset(),
            prize=float(draw(st.integers(0, 9))),
        )
        for i in range(3)
    )
    legs = draw(st.lists(st.integers(-1, 150), min_size=16, max_size=16))
    cells = np.array([UNREACHABLE if m < 0 else m * 60 for m in legs], np.int32).reshape(4, 4)
    np.fill_diagonal(cells, 0)
    travel = TravelMatrix(
        point_ids=(str(CHERNYAKHOVSK.depot_id), *(str(s.stop_id) for s in stops)),
        travel_s=cells,
        travel_m=cells,
        source="example",
        is_estimated=True,
    )
    max_stops = draw(st.sampled_from([None, 1, 2]))
    first = small_vehicle("first", {0, 1}, max_stops)
    second = small_vehicle("second", {1}, max_stops)
    second = replace(second, abilities=frozenset({"lift"}))
    rules = CrewRules(
        shift_max_s=draw(st.integers(2, 9)) * HOUR_S,
        week_work_max_s=draw(st.sampled_from([None, 6 * HOUR_S])),
        drive_daily_max_s=draw(st.sampled_from([None, 3 * HOUR_S])),
    )
    return replace(
        make_request(),
        cycle=Cycle(start_date=make_request().cycle.start_date, num_weeks=1),
        vehicles=(first, second),
        stops=stops,
        crew_rules={first.vehicle_id: rules, second.vehicle_id: rules},
        travel={first.vehicle_id: travel, second.vehicle_id: travel},
    )


def all_plans(request: PlanRequest) -> Iterator[Plan]:
    """Every plan of a small request whose runs start at one time and never wait."""
    first, second = request.vehicles
    places = ((first, 0), (first, 1), (second, 1))
    choices = [
        [(), *combinations(range(len(places)), stop.visits_per_cycle)] for stop in request.stops
    ]
    for chosen in product(*choices):
        groups = [
            [s for s, at in zip(request.stops, chosen, strict=True) if place in at]
            for place in range(len(places))
        ]
        unserved = tuple(
            Unserved(stop_id=s.stop_id, reason="unserved.no_capacity")
            for s, at in zip(request.stops, chosen, strict=True)
            if not at
        )
        for orders in product(*(permutations(g) for g in groups)):
            runs = tuple(
                make_run(request, vehicle, day, opened(request, vehicle, order))
                for (vehicle, day), order in zip(places, orders, strict=True)
                if order
            )
            yield Plan(runs=runs, unserved=unserved)


def opened(
    request: PlanRequest, vehicle: Vehicle, order: tuple[Stop, ...]
) -> list[tuple[Stop, int]]:
    """Opening minutes of stops visited one after another."""
    travel = request.travel[vehicle.vehicle_id]
    minute, origin, openings = START_MIN, str(vehicle.depot_id), []
    for stop in order:
        minute += travel.seconds(origin, str(stop.stop_id)) // 60
        openings.append((stop, minute))
        minute += stop.service_s // 60
        origin = str(stop.stop_id)
    return openings


@settings(max_examples=40, deadline=None)
@given(small_requests())
def test_no_plan_beats_the_bounds(request: PlanRequest) -> None:
    """Over all plans of a small request: prize, driving and impossible stops hold."""
    bound, kind = prize_bound(request)
    least_drive_s = travel_bound(request)
    impossible = impossible_stops(request)
    assert kind in {ALL_PRIZES, FLEET_TIME}
    for plan in all_plans(request):
        if check(request, plan):
            continue
        served = {v.stop_id for r in plan.runs for v in r.visits}
        assert sum(s.prize for s in request.stops if s.stop_id in served) <= bound + 1e-9
        assert sum(r.drive_s for r in plan.runs) >= least_drive_s
        assert not served & impossible.keys()


def test_all_mandatory_prizes_are_collected_in_full() -> None:
    """Where nothing is left to choose, the bound is the total."""
    request = make_request()
    stops = tuple(replace(s, mandatory=True) for s in STOPS)
    assert prize_bound(replace(request, stops=stops)) == (559 + 518 + 608.5 + 20, ALL_PRIZES)


def test_the_fleets_time_bounds_the_prize() -> None:
    """One vehicle-day of two visits and four equal stops: half of the prize at most.

    The first vehicle works on the Monday only, for two stops of any length.
    """
    request = make_request()
    stops = tuple(replace(ZAGORSKOE, stop_id=s.stop_id, prize=10.0, service_s=60) for s in STOPS)
    bus = replace(FIRST, weekdays=frozenset({0}), max_stops_per_run=2)
    small = replace(
        request,
        cycle=Cycle(start_date=request.cycle.start_date, num_weeks=1),
        vehicles=(bus,),
        stops=stops,
    )
    bound, kind = prize_bound(small)
    assert kind == FLEET_TIME
    assert bound == pytest.approx(20.0)


def test_stops_with_no_usable_neighbour_are_left_out_of_account() -> None:
    """Zagorskoe is reached over Kamenskoe alone, which its only vehicle cannot serve."""
    request = make_request()
    travel = request.travel[FIRST.vehicle_id]
    travel.travel_s[[0, 1, 2], 4] = UNREACHABLE
    crane = replace(STOPS[2], needs=frozenset({"crane"}), mandatory=False)
    last = replace(ZAGORSKOE, mandatory=True)
    cut = replace(request, stops=(*STOPS[:2], crane, last), vehicles=(FIRST,))
    assert prize_bound(cut)[0] == 559 + 518
    assert travel_bound(cut) == 0
    assert prize_bound(replace(cut, vehicles=())) == (0.0, ALL_PRIZES)


def test_driving_is_bounded_by_half_legs() -> None:
    """One stop, 24 minutes away, twice a cycle: two runs there and back, 96 minutes in all."""
    request = make_request()
    stop = replace(STOPS[0], mandatory=True)
    alone = replace(request, stops=(stop,), vehicles=(FIRST,))
    assert travel_bound(alone) == 96 * MINUTE_S


def test_the_longest_work_makes_room_for_the_meal() -> None:
    """Ten hours of duty: 9 h 30 of work with a meal of 30 minutes, 8 h if that is the shift."""
    bus = replace(FIRST, duty_start_s=8 * HOUR_S, duty_end_s=18 * HOUR_S)
    meal = CrewRules(meal_after_s=4 * HOUR_S, meal_min_s=30 * MINUTE_S)
    assert longest_work_s(bus, CrewRules()) == 10 * HOUR_S
    assert longest_work_s(bus, meal) == 9 * HOUR_S + 30 * MINUTE_S
    assert longest_work_s(bus, replace(meal, shift_max_s=8 * HOUR_S)) == 8 * HOUR_S
    short = replace(bus, duty_end_s=12 * HOUR_S + 15 * MINUTE_S)
    assert longest_work_s(short, meal) == 4 * HOUR_S


@settings(deadline=None)
@given(st.lists(st.integers(-1, 20), min_size=25, max_size=25))
def test_least_seconds_agree_with_a_plain_relaxation(cells: list[int]) -> None:
    """Dijkstra's way gives what repeated relaxing of all legs gives."""
    travel_s = np.array(cells, np.int32).reshape(5, 5)
    np.fill_diagonal(travel_s, 0)
    far = 10**6
    least = [0, far, far, far, far]
    for _ in range(5):
        for i, j in product(range(5), repeat=2):
            if travel_s[i, j] != UNREACHABLE:
                least[j] = min(least[j], least[i] + int(travel_s[i, j]))
    expected = [UNREACHABLE if s >= far else s for s in least]
    assert least_s(travel_s, 0).tolist() == expected


@pytest.mark.parametrize(
    ("stop_changes", "vehicle_changes", "rule_changes", "reason"),
    [
        ({"needs": frozenset({"crane"})}, {}, {}, "unserved.ability"),
        ({}, {}, {"drive_daily_max_s": 39 * MINUTE_S}, "unserved.drive_limit"),
        # 20 prep, 20 out, 10 + 60 + 5 at the stop, 20 back, 20 closing: 155 minutes.
        ({}, {}, {"shift_max_s": 154 * MINUTE_S}, "unserved.too_far"),
        ({}, {}, {"shift_max_s": 155 * MINUTE_S}, None),
        ({"weekdays": frozenset({6})}, {}, {}, "unserved.no_day"),
        (
            {"windows": (Window(start_s=8 * HOUR_S, end_s=9 * HOUR_S + 49 * MINUTE_S),)},
            {},
            {},
            "unserved.window",
        ),
        (
            {"windows": (Window(start_s=8 * HOUR_S, end_s=9 * HOUR_S + 50 * MINUTE_S),)},
            {},
            {},
            None,
        ),
        ({"visits_per_cycle": 3}, {}, {}, "unserved.no_pattern"),
        ({"visits_per_cycle": 2, "min_gap_days": 7}, {}, {}, None),
        ({"visits_per_cycle": 2, "min_gap_days": 8}, {}, {}, "unserved.no_pattern"),
    ],
)
def test_what_cannot_be_served_alone_is_told(
    stop_changes: dict[str, object],
    vehicle_changes: dict[str, object],
    rule_changes: dict[str, object],
    reason: str | None,
) -> None:
    """A stop 20 minutes from the depot, with one thing that rules it out, or nearly so."""
    request = make_request()
    stop = replace(ZAGORSKOE, **stop_changes)  # type: ignore[arg-type]
    bus = replace(FIRST, duty_start_s=8 * HOUR_S, **vehicle_changes)  # type: ignore[arg-type]
    rules = CrewRules(**rule_changes)  # type: ignore[arg-type]
    alone = replace(request, stops=(stop,), vehicles=(bus,), crew_rules={bus.vehicle_id: rules})
    found = impossible_stops(alone)
    assert [u.reason for u in found.values()] == ([reason] if reason else [])


def test_a_cut_off_stop_is_unreachable() -> None:
    """No way there over any other stop, in one direction at least."""
    request = make_request()
    travel = request.travel[FIRST.vehicle_id]
    travel.travel_s[:4, 4] = UNREACHABLE
    found = impossible_stops(request)
    assert {i: u.reason for i, u in found.items()} == {"zagorskoe": "unserved.unreachable"}
    travel.travel_s[2, 4] = 600
    assert not impossible_stops(request)

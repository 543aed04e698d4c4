"""Places for one more stop: all of them legal, none cheaper left out, in order of added driving."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.model.calendar import HOUR_S, MINUTE_S, Window
from data.model.errors import RequestError
from data.model.place import Stop, StopId
from data.model.plan import Plan, PlanRequest
from planner.edit import Add, Remove, apply, judge
from planner.insert import best_places, with_stop
from planner.params import SolveParams
from planner.score import check
from planner.solve import solve
from tests.planner.examples import KALINOVKA, ZAGORSKOE, make_plan, make_request
from tests.planner.instances import make_request as even_request
from tests.planner.instances import make_stop


def test_places_add_least_driving_first() -> None:
    """From Kaluzhskoe over Zagorskoe home is 12 + 20 - 25 minutes more; a run of its own is 40."""
    places = best_places(make_request(), make_plan(), ZAGORSKOE)
    assert places[0].added_drive_s == (12 + 20 - 25) * MINUTE_S
    assert (places[0].edits[0].day, places[0].edits[0].position) == (1, 2)
    assert [p.added_drive_s for p in places] == sorted(p.added_drive_s for p in places)
    assert any(p.added_drive_s == 40 * MINUTE_S for p in places)


def test_a_place_is_what_its_edits_give() -> None:
    """The edits of a place, applied to the plan, give the plan that was judged."""
    request, plan = make_request(), make_plan()
    for place in best_places(request, plan, ZAGORSKOE):
        assert apply(request, plan, place.edits) == place.judgement.plan
        assert check(request, place.judgement.plan) == ()


def test_no_more_places_than_asked_for() -> None:
    """Two are asked for, two come, and they are the first two of all."""
    request, plan = make_request(), make_plan()
    two = best_places(request, plan, ZAGORSKOE, most=2)
    assert two == best_places(request, plan, ZAGORSKOE)[:2]


def test_a_new_stop_need_not_stand_in_the_request() -> None:
    """An event at a known point is placed, and the request with it is what the plan answers."""
    request, plan = make_request(), make_plan()
    without = replace(request, stops=request.stops[:3])
    bare = replace(plan, unserved=())
    fair = replace(ZAGORSKOE, weekdays=frozenset({2}), service_s=2 * HOUR_S)
    (place, *_) = best_places(without, bare, fair)
    assert place.edits[0].day in (2, 9)
    wider, listed = with_stop(without, bare, fair)
    assert judge(wider, listed, place.edits).violations == ()


def test_several_visits_keep_pattern_and_clock_time() -> None:
    """Kalinovka, taken out, goes back twice, on one weekday, within the clock tolerance."""
    request = make_request()
    plan = apply(request, make_plan(), Remove(stop_id=KALINOVKA.stop_id))
    places = best_places(request, plan, KALINOVKA)
    assert places
    for place in places:
        days, starts = zip(*((e.day, e.at_s) for e in place.edits), strict=True)
        assert (days[1] - days[0]) == 7
        assert abs(starts[1] - starts[0]) <= 2 * request.clock_tolerance_s


def test_no_place_where_nothing_fits() -> None:
    """A window before the vehicle can be there leaves none."""
    dawn = replace(ZAGORSKOE, windows=(Window(start_s=6 * HOUR_S, end_s=8 * HOUR_S),))
    assert best_places(make_request(), make_plan(), dawn) == ()


def test_a_served_stop_is_refused() -> None:
    """What is served already needs no place."""
    with pytest.raises(RequestError) as caught:
        best_places(make_request(), make_plan(), KALINOVKA)
    assert caught.value.code == "edit.already_served"


def brute_force(request: PlanRequest, plan: Plan, stop: Stop) -> int | None:
    """Least added driving over all vehicles, days and positions that the checker passes."""
    least = None
    sizes = {(r.vehicle_id, r.day): len(r.visits) for r in plan.runs}
    for vehicle in request.vehicles:
        for day in range(request.cycle.num_days):
            for position in range(sizes.get((vehicle.vehicle_id, day), 0) + 1):
                add = Add(
                    stop_id=stop.stop_id, vehicle_id=vehicle.vehicle_id, day=day, position=position
                )
                judged = judge(request, plan, add)
                if not judged.violations and (least is None or judged.delta_drive_s < least):
                    least = judged.delta_drive_s
    return least


@settings(max_examples=8, deadline=None)
@given(
    minutes=st.integers(5, 50),
    service=st.lists(st.integers(30, 180), min_size=3, max_size=4),
    last=st.integers(30, 300),
)
def test_the_first_place_is_the_cheapest_there_is(
    minutes: int, service: list[int], last: int
) -> None:
    """No vehicle, day and position that the checker passes adds less driving."""
    stops = tuple(
        make_stop(f"s{k}", service_s=m * 60, weekdays=frozenset({0, 1}))
        for k, m in enumerate(service)
    )
    more = make_stop("more", service_s=last * 60, weekdays=frozenset({0, 1, 2}))
    request = even_request((*stops, more), minutes=minutes, weeks=1)
    plan = solve(request, SolveParams(work_limit=50, workers=1, rounds=1, master_ratio=0.0))
    if plan.days_of(StopId("more")):
        plan = apply(request, plan, Remove(stop_id=StopId("more")))
    places = best_places(request, plan, more)
    found = places[0].added_drive_s if places else None
    assert found == brute_force(request, plan, more)

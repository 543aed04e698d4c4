"""What would serve a stop that only lacks a specialist is found and proved."""

from dataclasses import replace

from data.model.plan import Plan, PlanRequest
from planner.explain import unserved_reasons
from planner.params import SolveParams
from planner.relax import explain
from planner.score import check
from planner.solve import solve
from tests.planner.crews import make_person, served_stop
from tests.planner.instances import HOUR_S, make_request

QUICK = SolveParams(work_limit=600, workers=1, rounds=1, time_limit_s=60)


def planned(request: PlanRequest) -> Plan:
    plan = solve(request, QUICK)
    return replace(plan, unserved=unserved_reasons(request, plan))


def test_a_specialist_needed_elsewhere_could_come_on_one_more_day() -> None:
    """One day a week is spent on the bigger school; the smaller one gets a second day."""
    stops = (
        served_stop("big", weekdays=frozenset({0}), prize=300.0),
        served_stop("small", weekdays=frozenset({3}), prize=100.0),
    )
    request = replace(make_request(stops), specialists=(make_person("anna", days_per_week_max=1),))
    plan = planned(request)
    (reason,) = plan.unserved
    assert (reason.stop_id, reason.reason) == ("small", "unserved.service_busy")
    assert reason.facts["services"] == "children"
    told = explain(request, plan, stops[1], time_limit_s=20)
    assert told.reason.reason == "unserved.service_busy"
    change = next(c for c in told.changes if c.code == "relax.specialist_day")
    assert change.is_proved
    assert change.facts["dates"] == "2026-03-05"
    assert change.request is not None
    assert change.plan is not None
    assert check(change.request, change.plan) == ()
    assert change.plan.days_of(stops[0].stop_id) == (0,)
    days = {r.day for r in change.plan.runs if r.specialist_ids}
    assert days == {0, 3}


def test_longer_hours_serve_a_far_stop() -> None:
    """Two hours at the stop and forty minutes of driving do not fit into two hours; three do."""
    stop = served_stop("far", service_s=2 * HOUR_S)
    anna = make_person("anna", duty_start_s=9 * HOUR_S, duty_end_s=11 * HOUR_S)
    request = replace(make_request((stop,), minutes=20), specialists=(anna,))
    plan = planned(request)
    (reason,) = plan.unserved
    assert reason.reason == "unserved.service_hours"
    assert reason.facts["hours"] == "Anna 09:00–11:00"
    told = explain(request, plan, stop, time_limit_s=20)
    change = next(c for c in told.changes if c.code == "relax.specialist_hours")
    assert change.is_proved
    assert change.facts["minutes"] == 30


def test_a_stop_may_do_without_what_nobody_gives() -> None:
    """Where no one gives the service the stop without it is what is left."""
    stop = served_stop("school")
    request = make_request((stop,))
    told = explain(request, planned(request), stop, time_limit_s=20)
    assert told.reason.reason == "unserved.service_nobody"
    assert told.cheapest is not None
    assert told.cheapest.code == "relax.services"
    assert told.cheapest.facts["services"] == "children"


def test_one_visit_with_a_specialist_may_be_enough() -> None:
    """Two visits asked with a specialist who has one day: with one of them it goes."""
    stop = served_stop("school", visits_per_cycle=2, min_gap_days=7)
    anna = make_person("anna", weekdays=frozenset({0}), days_per_week_max=1)
    off = frozenset({make_request((stop,), weeks=2).cycle.date_of(7)})
    request = make_request((stop,), weeks=2)
    request = replace(request, specialists=(replace(anna, off_dates=off),))
    told = explain(request, planned(request), stop, time_limit_s=20)
    assert told.reason.reason == "unserved.service_no_day"
    codes = {c.code for c in told.changes if c.is_proved}
    assert codes & {"relax.visits", "relax.services_visits"}


def test_a_specialist_bound_to_another_vehicle_could_change_it() -> None:
    """Only the first vehicle has the lift that the stop needs; Anna rides on the second."""
    stop = served_stop("school", needs=frozenset({"lift"}))
    request = make_request((stop, served_stop("other")), vehicles=2)
    first, second = request.vehicles
    lifted = replace(first, abilities=frozenset({"lift"}))
    anna = make_person("anna", vehicle_ids=frozenset({second.vehicle_id}))
    request = replace(request, vehicles=(lifted, second), specialists=(anna,))
    plan = planned(request)
    (reason,) = plan.unserved
    assert reason.reason in {"unserved.service_vehicle", "unserved.service_no_day"}
    told = explain(request, plan, stop, time_limit_s=20)
    change = next(c for c in told.changes if c.code == "relax.specialist_vehicle")
    assert change.is_proved
    assert change.facts["person"] == "Anna"


def test_hours_are_not_blamed_where_the_vehicle_is() -> None:
    """Anna's vehicle is too slow for the stop, the other is not; she has no hours of her own."""
    stop = served_stop("far", service_s=4 * HOUR_S)
    request = make_request((stop,), vehicles=2, minutes=60)
    first, second = request.vehicles
    short = replace(second, duty_end_s=13 * HOUR_S)
    anna = make_person("anna", vehicle_ids=frozenset({second.vehicle_id}))
    request = replace(request, vehicles=(first, short), specialists=(anna,))
    (reason,) = planned(request).unserved
    assert reason.reason == "unserved.service_vehicle"
    assert reason.facts["people"] == "Anna"

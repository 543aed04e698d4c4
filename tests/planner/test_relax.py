"""An explanation names the binding limit and the least change, with a plan that proves it."""

from dataclasses import replace
from datetime import date

import pytest

from data.model.calendar import HOUR_S, MINUTE_S, ServiceCalendar, Window
from data.model.errors import RequestError
from data.model.fleet import CrewRules
from data.model.place import Stop, StopId
from data.model.plan import Plan, PlanRequest
from data.model.recurrence import Recurrence
from planner.insert import with_stop
from planner.params import SolveParams
from planner.relax import Explanation, explain
from planner.score import check
from planner.solve import solve
from planner.warm_up import warm_up
from tests.planner.examples import KALINOVKA, ZAGORSKOE, make_plan, make_request
from tests.planner.instances import make_request as even_request
from tests.planner.instances import make_stop


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """The search is compiled before its time is limited."""
    warm_up()


FEW = SolveParams(work_limit=50, workers=1, rounds=1, master_ratio=0.0)


def asked(stop: Stop, **limits: float) -> Explanation:
    """What is told of Zagorskoe, changed."""
    return explain(make_request(), make_plan(), stop, time_limit_s=limits.get("seconds", 10.0))


def proves(told: Explanation) -> None:
    """Every proof is a plan without a broken rule that serves the stop."""
    for change in told.changes:
        if change.is_proved:
            assert change.plan is not None
            assert change.request is not None
            assert check(change.request, change.plan) == ()
            assert change.days == change.plan.days_of(told.stop.stop_id) != ()


def full_day(*more: Stop) -> tuple[PlanRequest, Plan]:
    """One vehicle whose Monday, the only day of all stops, is full with three stops."""
    monday = frozenset({0})
    stops = [make_stop(f"s{k}", weekdays=monday, service_s=2 * HOUR_S) for k in range(3)]
    stops[1] = replace(stops[1], prize=40.0, people=40)
    request = even_request(tuple(stops), minutes=10)
    plan = solve(request, FEW)
    assert not plan.unserved
    for stop in more:
        request, plan = with_stop(request, plan, stop)
    return request, plan


def with_travel(request: PlanRequest) -> PlanRequest:
    """The same request with legs to the new stop too."""
    return replace(
        request,
        travel=even_request((*request.stops,), minutes=10).travel,
    )


def test_what_fits_needs_no_change() -> None:
    """Zagorskoe has room: that is all that is said."""
    told = asked(ZAGORSKOE)
    assert [c.code for c in told.changes] == ["relax.none"]
    assert told.cheapest is not None
    assert told.cheapest.proof == "place"
    proves(told)


def test_hours_in_which_nobody_can_come() -> None:
    """At six in the morning no vehicle is there; at any hour one could be."""
    told = asked(replace(ZAGORSKOE, windows=(Window(start_s=6 * HOUR_S, end_s=8 * HOUR_S),)))
    assert told.reason.reason == "unserved.window"
    assert told.cheapest is not None
    assert told.cheapest.code == "relax.windows"
    proves(told)


def test_what_no_vehicle_has() -> None:
    """A stop that needs a winch: equip the vehicle; nothing easier is claimed."""
    told = asked(replace(ZAGORSKOE, needs=frozenset({"winch"})))
    assert told.reason.reason == "unserved.ability"
    assert [c.code for c in told.changes] == ["relax.ability"]
    assert told.changes[0].facts["missing"] == "winch"
    proves(told)


def test_a_weekday_on_which_nobody_works() -> None:
    """Saturday only: another weekday would do, and so would a Saturday at work."""
    told = asked(replace(ZAGORSKOE, weekdays=frozenset({5})))
    assert told.reason.reason == "unserved.no_day"
    assert [c.code for c in told.changes] == ["relax.weekdays", "relax.day"]
    assert told.changes[1].facts["date"] == "2026-12-05"
    proves(told)


def test_more_visits_than_days() -> None:
    """Eight visits on one weekday of two weeks cannot be; two can."""
    told = asked(replace(ZAGORSKOE, visits_per_cycle=8))
    codes = [c.code for c in told.changes if c.is_proved]
    assert codes[0] in ("relax.same_weekday", "relax.visits")
    assert any(c.code == "relax.visits" and c.facts["visits"] == 2 for c in told.changes)
    proves(told)


def test_a_full_day_tells_the_least_worthy_stop() -> None:
    """On a full Monday: another weekday first; the stop of 40 people could go; all are proved."""
    stop = make_stop("more", weekdays=frozenset({0}), service_s=2 * HOUR_S, prize=90.0)
    request, plan = full_day(stop)
    request = with_travel(request)
    told = explain(request, plan, stop, time_limit_s=20.0)
    proves(told)
    codes = {c.code: c for c in told.changes}
    assert codes["relax.weekdays"].proof == "place"
    assert codes["relax.drop"].facts["other_id"] == "s1"
    assert codes["relax.vehicle"].proof == "place"
    assert told.cheapest is codes["relax.weekdays"]
    assert told.reason.reason == "unserved.no_capacity"


def test_a_new_search_proves_what_no_gap_shows() -> None:
    """Two half-empty days have no gap long enough; with one stop moved there is one."""
    days = frozenset({0, 1})
    stops = tuple(
        make_stop(f"s{k}", weekdays=days, service_s=m * MINUTE_S)
        for k, m in enumerate((150, 150, 200))
    )
    request = even_request(stops, minutes=10, rules=CrewRules(shift_max_s=8 * HOUR_S))
    half = {
        0: replace(request, stops=(stops[0],)),
        1: replace(request, stops=(stops[1],)),
    }
    parts = [
        solve(replace(r, stops=(replace(r.stops[0], weekdays=frozenset({d})),)), FEW)
        for d, r in half.items()
    ]
    plan = replace(parts[0], runs=(*parts[0].runs, *parts[1].runs), unserved=())
    long = replace(stops[2], service_s=380 * MINUTE_S)
    request, plan = with_stop(request, plan, long)
    told = explain(request, plan, long, time_limit_s=20.0)
    assert told.cheapest is not None
    assert (told.cheapest.code, told.cheapest.proof) == ("relax.none", "solve")
    proves(told)


def test_a_served_stop_has_nothing_to_explain() -> None:
    """The question is refused where the stop is served."""
    with pytest.raises(RequestError) as caught:
        asked(KALINOVKA)
    assert caught.value.code == "edit.already_served"


def test_a_stop_without_travel_is_named() -> None:
    """Nothing is guessed about a stop whose travel is not known."""
    with pytest.raises(RequestError) as caught:
        asked(replace(ZAGORSKOE, stop_id=StopId("elsewhere")))
    assert caught.value.code == "edit.no_travel"


def test_a_search_finds_which_stops_to_leave_out() -> None:
    """Five hours on the only day there is: no single stop makes room, two or three do, by name."""
    stop = make_stop("more", weekdays=frozenset({0}), service_s=5 * HOUR_S, prize=900.0)
    request, plan = full_day(stop)
    mondays = ServiceCalendar(weekdays=frozenset({0}))
    request = replace(with_travel(request), calendar=mondays)
    told = explain(request, plan, stop, time_limit_s=20.0)
    proves(told)
    (dropped,) = (c for c in told.changes if c.code == "relax.drop")
    assert dropped.proof == "solve"
    assert len(dropped.facts["other_id"].split(", ")) >= 2
    assert told.cheapest is dropped


def test_a_rule_is_freed_of_its_weeks_not_of_its_number() -> None:
    """A stop whose week's one Tuesday is closed could be served by the same rule a week later."""
    rule = Recurrence(rule="FREQ=WEEKLY;INTERVAL=2", start_date=date(2026, 12, 1))
    stop = replace(ZAGORSKOE, recurrence=rule, windows=())
    request = make_request()
    closed = replace(request.calendar, closed_dates={date(2026, 12, 1): "x"})
    stops = tuple(s for s in request.stops if s.stop_id != stop.stop_id)
    plan = replace(make_plan(), runs=make_plan().runs[1:])
    told = explain(replace(request, calendar=closed, stops=stops), plan, stop)
    assert told.reason.reason == "unserved.no_rhythm"
    codes = {c.code for c in told.changes}
    assert "relax.phase" in codes
    assert not {"relax.visits", "relax.same_weekday"} & codes

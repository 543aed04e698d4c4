"""No more published times change than a person allows, zero included."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.model.calendar import ServiceCalendar
from data.model.plan import Plan
from planner.capped import cap_changes, solve_capped
from planner.changes import num_changes
from planner.params import SolveParams
from planner.score import check, summarise
from planner.solve import solve
from tests.planner.instances import make_request, make_stop

QUICK = SolveParams(work_limit=300, workers=1, rounds=1, time_limit_s=60)
STOPS = tuple(
    make_stop(f"s{k}", visits_per_cycle=1 + k % 2, service_s=3600 + 600 * (k % 5), prize=50.0 + k)
    for k in range(20)
)
SOME = make_request(STOPS[:12], weeks=2)
MORE = make_request(STOPS, weeks=2)


@pytest.fixture(scope="module")
def published() -> Plan:
    return solve(SOME, QUICK)


def test_no_change_at_all_still_takes_new_stops(published: Plan) -> None:
    """With k = 0 every published time stays to the second, and free hours serve new stops."""
    request = cap_changes(MORE, published, 0)
    plan = solve_capped(request, QUICK, start=published)
    assert check(request, plan) == ()
    assert num_changes(published, plan) == 0
    assert summarise(MORE, plan).stops_served > summarise(SOME, published).stops_served


@settings(max_examples=4, deadline=None)
@given(most=st.integers(0, 12), seed=st.integers(1, 50))
def test_the_cap_always_holds(published: Plan, most: int, seed: int) -> None:
    """Whatever is found keeps the cap, for any number and seed."""
    request = cap_changes(MORE, published, most)
    plan = solve_capped(request, replace(QUICK, seed=seed), start=published)
    assert check(request, plan) == ()
    assert num_changes(published, plan) <= most


@pytest.mark.parametrize("most", [0, pytest.param(2, marks=pytest.mark.thorough)])
def test_closings_are_published_too(most: int) -> None:
    """Where open times are left to the plan, those of published stops stay but for the cap."""
    wide = tuple(replace(s, service_s=1800, service_most_s=4 * 3600) for s in STOPS[:6])
    before = solve(make_request(wide, weeks=2), QUICK)
    assert len({v.end_s - v.start_s for r in before.runs for v in r.visits}) > 1
    more = make_request((*wide, *STOPS[6:12]), weeks=2)
    request = cap_changes(more, before, most)
    plan = solve_capped(request, QUICK, start=before)
    assert check(request, plan) == ()
    assert num_changes(before, plan) <= most
    run = plan.runs[0]
    late = replace(run.visits[0], end_s=run.visits[0].end_s - 300)
    other = replace(plan, runs=(replace(run, visits=(late, *run.visits[1:])), *plan.runs[1:]))
    none = cap_changes(more, plan, 0)
    assert "rule.too_many_changes" in {v.code for v in check(none, other)}


def test_an_open_time_that_the_stop_forbids_is_told(published: Plan) -> None:
    """A stop that is open for longer changes its closings: none is refused, one is taken."""
    longer = tuple(replace(s, service_s=s.service_s + 600) if s is STOPS[0] else s for s in STOPS)
    request = make_request(longer[:12], weeks=2)
    none, one = (cap_changes(request, published, k) for k in (0, 1))
    assert {v.code for v in check(none, solve_capped(none, QUICK, start=published))} == {
        "rule.too_many_changes"
    }
    assert check(one, solve_capped(one, QUICK, start=published)) == ()


def test_a_holiday_that_breaks_times_is_told(published: Plan) -> None:
    """A day off breaks its published times: k = 0 is refused, enough changes are taken."""
    day = published.runs[0].day
    lost = sum(len(r.visits) for r in published.runs if r.day == day)
    assert lost > 0
    closed = ServiceCalendar(closed_dates={date(2026, 3, 2 + day): "x"})
    request = make_request(STOPS[:12], weeks=2, calendar=closed)
    none = cap_changes(request, published, 0)
    assert "rule.too_many_changes" in {
        v.code for v in check(none, solve_capped(none, QUICK, start=published))
    }
    enough = cap_changes(request, published, 2 * lost + 2)
    plan = solve_capped(enough, QUICK, start=published)
    assert check(enough, plan) == ()


def test_stops_that_are_gone_count(published: Plan) -> None:
    """A published stop that is planned no more is a change that nothing avoids."""
    fewer = make_request(STOPS[1:12], weeks=2)
    gone = len(published.days_of(STOPS[0].stop_id))
    assert gone == 1
    none, one = (cap_changes(fewer, published, k) for k in (0, 1))
    assert {v.code for v in check(none, solve_capped(none, QUICK, start=published))} == {
        "rule.too_many_changes"
    }
    assert check(one, solve_capped(one, QUICK, start=published)) == ()


def test_the_same_seed_and_work_give_the_same_plan(published: Plan) -> None:
    """One worker and a limit on work fix the turns too."""
    request = cap_changes(MORE, published, 3)
    first, second = (solve_capped(request, QUICK, start=published) for _ in range(2))
    assert first.runs == second.runs


def test_a_request_without_a_cap_is_refused(published: Plan) -> None:
    """It is no silent full re-plan."""
    with pytest.raises(ValueError, match="no cap"):
        solve_capped(MORE, QUICK, start=published)


def test_one_change_swaps_the_best_stop_in() -> None:
    """Five days full of stops of little worth: each change lets in the next best new stop."""
    old = tuple(make_stop(f"o{k}", service_s=5 * 3600, prize=10.0 + k) for k in range(5))
    new = tuple(make_stop(f"n{k}", service_s=5 * 3600, prize=100.0 * k) for k in range(1, 4))
    before = solve(make_request(old), QUICK)
    everything = make_request((*old, *new))
    assert before.unserved == ()
    for most, worth in ((0, 60.0), (1, 60 - 10 + 300.0), (2, 60 - 21 + 500.0)):
        request = cap_changes(everything, before, most)
        plan = solve_capped(request, replace(QUICK, work_limit=1500), start=before)
        assert check(request, plan) == ()
        assert summarise(everything, plan).prize_collected == worth

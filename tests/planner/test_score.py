"""Figures of the example plan by hand, and reasons for what it leaves out."""

from dataclasses import replace

import pytest

from data.model.calendar import MINUTE_S
from data.model.place import StopId
from data.model.plan import Plan
from planner.explain import unserved_reasons
from planner.score import summarise
from tests.planner.examples import KALINOVKA, STOPS, ZAGORSKOE, make_plan, make_request


def test_the_figures_of_the_example() -> None:
    """Every sum of the example worked out by hand."""
    summary = summarise(make_request(), make_plan())
    assert (summary.stops_served, summary.stops_unserved, summary.visits) == (3, 1, 4)
    assert (summary.people_reached, summary.people_total) == (501 + 470 + 547, 1518)
    assert (summary.stops_with_unknown_people, summary.served_with_unknown_people) == (1, 0)
    assert summary.prize_collected == 559 + 518 + 608.5
    assert summary.prize_total == 1705.5
    assert summary.drive_s == (58 + 72) * MINUTE_S
    assert summary.drive_m == 130_000
    assert summary.open_s == (90 + 60 + 90 + 60) * MINUTE_S
    # 09:06 to 15:50 and 09:21 to 14:58, each less a meal of 45 minutes.
    assert (summary.work_max_s, summary.work_min_s) == (359 * MINUTE_S, 292 * MINUTE_S)
    assert summary.work_mean_s == (359 + 292) * MINUTE_S / 2
    assert (summary.runs, summary.vehicle_days_used) == (2, 2)
    # The first works Monday to Thursday less Thursday 3 and Wednesday 9 December, the second on
    # two Mondays.
    assert summary.vehicle_days_available == 6 + 2
    assert summary.gap_ratio == pytest.approx(1 - 1685.5 / 2000)
    assert summary.unserved_by_reason == {"unserved.no_capacity": 1}


def test_an_empty_plan_has_figures_too() -> None:
    """No run, no provenance: zeros and no gap."""
    summary = summarise(make_request(), Plan(runs=()))
    assert (summary.visits, summary.work_min_s, summary.work_mean_s) == (0, 0, 0.0)
    assert summary.gap_ratio is None
    assert summary.people_total == 1518


def test_a_stop_left_out_for_want_of_time_says_how_much() -> None:
    """Zagorskoe fits between Kaluzhskoe and the depot: 12 + 20 - 25 minutes and 75 at the stop.

    The weakest served stop is Kaluzhskoe, which saves 9 + 25 - 24 minutes and 75: 518 people in
    85 minutes; Kalinovka takes 2 * 105 minutes, 24 + 9 - 25 on one run and 24 + 30 - 18 on the
    other: 559 in 254 minutes.
    """
    (found,) = unserved_reasons(make_request(), make_plan())
    assert found.reason == "unserved.no_capacity"
    assert found.facts["extra_min"] == 82
    assert found.facts["people_per_hour"] == round(20 * 60 / 82, 1)
    assert found.facts["weakest_per_hour"] == round(559 * 60 / 254, 1)


def test_a_proved_reason_outweighs_want_of_time() -> None:
    """A stop that no vehicle can serve is not told to wait for capacity."""
    request = make_request()
    crane = replace(ZAGORSKOE, needs=frozenset({"crane"}))
    (found,) = unserved_reasons(replace(request, stops=(*STOPS[:3], crane)), make_plan())
    assert found.reason == "unserved.ability"
    assert found.facts["missing"] == "crane"


def test_a_stop_without_travel_keeps_its_reason() -> None:
    """A stored plan has no travel of unserved stops; what was told then still stands."""
    request, plan = make_request(), make_plan()
    served = ["chernyakhovsk", *(str(s.stop_id) for s in STOPS[:3])]
    cut = {v: m.restricted_to(served) for v, m in request.travel.items()}
    assert unserved_reasons(replace(request, travel=cut), plan) == plan.unserved


def test_every_unvisited_stop_gets_a_reason() -> None:
    """Also stops that the plan forgot to list, and mandatory ones."""
    found = unserved_reasons(make_request(), Plan(runs=()))
    assert [u.stop_id for u in found] == [s.stop_id for s in STOPS]
    assert {u.reason for u in found} == {"unserved.no_capacity"}
    kalinovka = next(u for u in found if u.stop_id == StopId("kalinovka"))
    # Two runs of their own: 20 + 24 + 105 + 24 + 20 minutes each.
    assert kalinovka.facts["extra_min"] == 2 * 193
    assert kalinovka.facts["people_per_hour"] == round(KALINOVKA.prize * 60 / 386, 1)

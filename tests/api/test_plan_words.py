"""Broken rules, steps and reasons in words; what on the board each rule is about."""

from dataclasses import replace
from datetime import date

import pytest

from api.services.plan_steps import NewStop, PinDay, PinVisit, Retime, Step, after, told
from api.services.plan_words import readable, told_step, told_unserved, told_violations
from api.words import LANGUAGES, Words
from data.model.plan import Unserved, Violation
from planner.edit import Add, Move, MoveRun, Remove, Swap
from planner.retime import Retimer
from tests.planner.examples import (
    FIRST,
    KALINOVKA,
    KALUZHSKOE,
    KAMENSKOE,
    SECOND,
    ZAGORSKOE,
    make_plan,
    make_request,
)

ADD = Add(stop_id=ZAGORSKOE.stop_id, vehicle_id=FIRST.vehicle_id, day=2)
MOVE = Move(stop_id=KALUZHSKOE.stop_id, from_day=1, vehicle_id=FIRST.vehicle_id, day=2)
STEPS: list[list[Step]] = [
    [ADD],
    [ADD, replace(ADD, day=9)],
    [Remove(stop_id=KALINOVKA.stop_id)],
    [Remove(stop_id=KALINOVKA.stop_id, day=1)],
    [MOVE],
    [Swap(stop_id=KALUZHSKOE.stop_id, day=1, other_id=KAMENSKOE.stop_id, other_day=8)],
    [MoveRun(vehicle_id=FIRST.vehicle_id, day=1, to_vehicle_id=SECOND.vehicle_id, to_day=2)],
    [Retime(stop_id=KALUZHSKOE.stop_id, day=1, at_s=51_000)],
    [PinVisit(stop_id=KALUZHSKOE.stop_id, day=1)],
    [PinDay(day=1), PinDay(day=1, is_pinned=False)],
    [MOVE, PinVisit(stop_id=KALUZHSKOE.stop_id, day=2)],
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("steps", STEPS, ids=lambda steps: type(steps[0]).__name__)
def test_each_step_is_told_in_both_languages(steps: list[Step], language: str) -> None:
    """A sentence without a hole, a code or a date of figures; undo wraps it."""
    request, plan = make_request(), make_plan()
    request, plan = after(request, plan, steps)
    step = told(request, plan, steps)
    words = Words(language)
    for text in (told_step(words, step), told_step(words, {"code": "step.undo", "first": step})):
        assert "{" not in text
        assert "step." not in text
        assert "2026-" not in text


def test_pins_follow_what_was_moved_before_them() -> None:
    """A pin that comes after a move in the same request is of the place that the move made."""
    pin = PinVisit(stop_id=KALUZHSKOE.stop_id, day=2)
    request, plan = after(make_request(), make_plan(), [MOVE, pin])
    (kept,) = request.pins.visits
    (visit,) = (v for r in plan.runs if r.day == 2 for v in r.visits)
    assert (kept.day, kept.earliest_s, kept.latest_s) == (2, visit.start_s, visit.start_s)


def test_a_warm_retimer_changes_nothing() -> None:
    """The plan after a step is the same with and without what is known from an earlier question."""
    request, plan = make_request(), make_plan()
    cold = after(request, plan, [MOVE, ADD])
    retimer = Retimer(request)
    assert after(request, plan, [MOVE, ADD], retimer) == cold
    assert after(request, plan, [MOVE, ADD], retimer) == cold


def test_a_new_stop_is_known_but_unserved() -> None:
    """Its travel replaces the plan's; the reason says that it is new."""
    request, plan = make_request(), make_plan()
    stop = replace(ZAGORSKOE, stop_id=type(ZAGORSKOE.stop_id)("fair"), name="Ярмарка")
    wider, same = after(request, plan, [NewStop(stop=stop, travel=dict(request.travel))])
    assert wider.stops[-1] == stop
    assert {u.stop_id: u.reason for u in same.unserved}[stop.stop_id] == "unserved.new_stop"


def test_a_rule_names_the_days_that_it_is_about() -> None:
    """A date, the next one over the cycle's seam, and a week of a vehicle."""
    request = make_request()
    vehicle = {"vehicle_id": "kibo-1", "vehicle": "КИБО-1"}
    last, first = request.cycle.date_of(13), request.cycle.date_of(14)
    rest = Violation(
        code="rule.daily_rest",
        facts=vehicle
        | {
            "day": 13,
            "date": last.isoformat(),
            "next_date": first.isoformat(),
            "found_min": 500.25,
            "limit_min": 660,
        },
    )
    week = Violation(
        code="rule.week_work",
        facts=vehicle
        | {
            "week": 2,
            "date": request.cycle.date_of(7).isoformat(),
            "found_min": 2500,
            "limit_min": 2400,
        },
    )
    seam, whole = told_violations(Words("ru"), request, [rest, week])
    assert seam.days == (0, 13)
    assert whole.days == tuple(range(7, 14))
    assert "500,2" in seam.text
    assert "2026-" not in seam.text + whole.text


def test_facts_are_written_as_the_language_does() -> None:
    """Dates, weekdays and broken numbers; other text stays as it is."""
    facts = {"date": "2026-12-01", "allowed": "mon, fri", "found": 2.5, "stop": "mon", "n": 3}
    assert readable(Words("ru"), facts) == {
        "date": "вт 1 дек.", "allowed": "пн, пт", "found": "2,5", "stop": "mon", "n": 3,
    }  # fmt: skip
    assert readable(Words("en"), {"date": "2026-13-77"}) == {"date": "2026-13-77"}
    assert readable(Words("en"), {"date": date(2026, 12, 1)})["date"] == date(2026, 12, 1)


def test_a_reason_without_amounts_is_told_in_a_few_words() -> None:
    """The sentence is told only where all that it names is known."""
    short = Unserved(stop_id=ZAGORSKOE.stop_id, reason="unserved.no_capacity")
    assert told_unserved(Words("en"), short) == Words("en")("unserved.no_capacity")
    by_hand = replace(short, reason="unserved.by_hand", facts={"stop": "Загорское"})
    assert told_unserved(Words("ru"), by_hand) == "Загорское: стоянки убраны вручную."

"""A change by hand re-times the runs it touches, keeps published starts, tells what it breaks."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.model.calendar import HOUR_S, MINUTE_S
from data.model.errors import RequestError
from data.model.place import StopId
from data.model.plan import Plan, PlanRequest, Run
from data.model.travel import TravelMatrix
from planner.changes import changes
from planner.edit import Add, Edit, Move, MoveRun, Remove, Swap, apply, judge
from planner.score import check
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


def run_of(plan: Plan, day: int) -> Run:
    return next(r for r in plan.runs if r.day == day)


def codes(request: PlanRequest, plan: Plan, edit: Edit) -> set[str]:
    return {v.code for v in judge(request, plan, edit).violations}


def test_an_added_stop_gets_a_run_of_its_own() -> None:
    """Twenty minutes there and back are added, its prize is won, no published time changes."""
    request, plan = make_request(), make_plan()
    judged = judge(request, plan, ADD)
    assert judged.violations == ()
    assert judged.delta_prize == pytest.approx(20.0)
    assert judged.delta_drive_s == 2 * 20 * MINUTE_S
    assert judged.delta_drive_m == 40_000
    assert [(c.stop_id, c.before) for c in judged.changed] == [(ZAGORSKOE.stop_id, None)]
    assert judged.plan.unserved == ()


def test_the_doors_open_when_asked() -> None:
    """A time set by hand is taken to the second, off the five-minute grid too."""
    request, plan = make_request(), make_plan()
    after = apply(request, plan, replace(ADD, at_s=11 * HOUR_S + 7 * MINUTE_S))
    assert run_of(after, 2).visits[0].start_s == 11 * HOUR_S + 7 * MINUTE_S
    assert check(request, after) == ()


def test_others_of_the_run_keep_their_published_times() -> None:
    """Taking the first visit out leaves the second where readers know it, and one day fewer."""
    request, plan = make_request(), make_plan()
    after = apply(request, plan, Remove(stop_id=KALINOVKA.stop_id, day=1))
    (left,) = run_of(after, 1).visits
    assert left.stop_id == KALUZHSKOE.stop_id
    assert left.start_s == 14 * HOUR_S
    assert [v.code for v in check(request, after)][:1] == ["rule.visits_wrong"]


def test_a_stop_taken_out_is_listed() -> None:
    """All visits of a stop go at once; it then stands among the unserved with the reason."""
    request, plan = make_request(), make_plan()
    judged = judge(request, plan, Remove(stop_id=KALINOVKA.stop_id))
    assert judged.violations == ()
    assert judged.delta_prize == pytest.approx(-559.0)
    told = {u.stop_id: u.reason for u in judged.plan.unserved}
    assert told[KALINOVKA.stop_id] == "unserved.by_hand"
    assert told[ZAGORSKOE.stop_id] == "unserved.no_capacity"
    assert [c.after for c in judged.changed] == [None, None]


def test_the_plan_says_that_it_was_edited() -> None:
    """Edits are counted over all that were made, so that no search is credited with them."""
    request, plan = make_request(), make_plan()
    after = apply(request, apply(request, plan, ADD), Remove(stop_id=ZAGORSKOE.stop_id))
    assert after.provenance is not None
    assert after.provenance.parameters == {"workers": 1, "hand_edits": 2}


def test_a_move_names_what_it_breaks() -> None:
    """To a vehicle without the lift, on a day that it does not work: both rules are named."""
    request, plan = make_request(), make_plan()
    move = Move(stop_id=KAMENSKOE.stop_id, from_day=8, vehicle_id=SECOND.vehicle_id, day=8)
    assert codes(request, plan, move) == {"rule.ability_missing", "rule.vehicle_weekday"}


def test_a_run_that_is_too_long_still_gets_times() -> None:
    """Every stop on one day is more than six hours; the legs still add up."""
    request, plan = make_request(), make_plan()
    short = replace(request.crew_rules[FIRST.vehicle_id], shift_max_s=6 * HOUR_S)
    request = replace(request, crew_rules={FIRST.vehicle_id: short})
    edits = (
        Move(stop_id=KAMENSKOE.stop_id, from_day=8, vehicle_id=FIRST.vehicle_id, day=1),
        Add(stop_id=ZAGORSKOE.stop_id, vehicle_id=FIRST.vehicle_id, day=1),
    )
    after = apply(request, plan, edits)
    broken = {v.code for v in check(request, after)}
    assert {"rule.stops_per_run", "rule.shift"} <= broken
    assert not broken & {"rule.arrival", "rule.leg_time", "rule.return", "rule.service_time"}


def test_two_visits_change_places() -> None:
    """Kaluzhskoe and Kamenskoe swap their Tuesdays."""
    request, plan = make_request(), make_plan()
    swap = Swap(stop_id=KALUZHSKOE.stop_id, day=1, other_id=KAMENSKOE.stop_id, other_day=8)
    judged = judge(request, plan, swap)
    assert judged.violations == ()
    assert judged.plan.days_of(KAMENSKOE.stop_id) == (1,)
    assert judged.plan.days_of(KALUZHSKOE.stop_id) == (8,)


def test_a_run_moves_with_its_clock_times() -> None:
    """To the Wednesday, where Kaluzhskoe is open in the morning only: Kalinovka keeps its time."""
    request, plan = make_request(), make_plan()
    move = MoveRun(vehicle_id=FIRST.vehicle_id, day=1, to_vehicle_id=FIRST.vehicle_id, to_day=2)
    judged = judge(request, plan, move)
    before, after = run_of(plan, 1), run_of(judged.plan, 2)
    assert [v.start_s for v in before.visits] == [10 * HOUR_S, 14 * HOUR_S]
    first, second = after.visits
    assert first.start_s == 10 * HOUR_S
    assert second.end_s <= 13 * HOUR_S
    assert {v.code for v in judged.violations} == {"rule.weekday_changes"}


def test_two_runs_change_places() -> None:
    """A run moved to where another is sends that one back."""
    request, plan = make_request(), make_plan()
    move = MoveRun(vehicle_id=FIRST.vehicle_id, day=1, to_vehicle_id=FIRST.vehicle_id, to_day=8)
    judged = judge(request, plan, move)
    assert judged.plan.days_of(KALUZHSKOE.stop_id) == (8,)
    assert judged.plan.days_of(KAMENSKOE.stop_id) == (1,)
    assert judged.violations == ()


def test_there_and_back_is_the_same_plan() -> None:
    """An edit undone gives the published times again: nothing has changed."""
    request, plan = make_request(), make_plan()
    for edit, back in (
        (ADD, Remove(stop_id=ZAGORSKOE.stop_id)),
        (
            MoveRun(vehicle_id=FIRST.vehicle_id, day=8, to_vehicle_id=SECOND.vehicle_id, to_day=7),
            MoveRun(vehicle_id=SECOND.vehicle_id, day=7, to_vehicle_id=FIRST.vehicle_id, to_day=8),
        ),
    ):
        again = apply(request, apply(request, plan, edit), back)
        assert changes(plan, again) == ()


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (replace(ADD, stop_id=StopId("tapiau")), "edit.unknown_stop"),
        (replace(ADD, day=14), "edit.day_outside_cycle"),
        (replace(ADD, position=1), "edit.no_position"),
        (replace(ADD, stop_id=KALINOVKA.stop_id, day=1), "edit.already_there"),
        (Remove(stop_id=KALUZHSKOE.stop_id, day=8), "edit.no_visit"),
        (Remove(stop_id=ZAGORSKOE.stop_id), "edit.not_served"),
        (
            MoveRun(vehicle_id=FIRST.vehicle_id, day=2, to_vehicle_id=FIRST.vehicle_id, to_day=1),
            "edit.no_run",
        ),
    ],
)
def test_an_edit_that_cannot_be_posed_says_why(edit: Edit, code: str) -> None:
    """What is not there cannot be moved."""
    with pytest.raises(RequestError) as caught:
        apply(make_request(), make_plan(), edit)
    assert caught.value.code == code


def test_travel_that_is_not_known_is_named() -> None:
    """A stop outside the matrix is refused by its id and vehicle."""
    request, plan = make_request(), make_plan()
    some = request.travel[FIRST.vehicle_id]
    known = some.restricted_to([p for p in some.point_ids if p != ZAGORSKOE.stop_id])
    request = replace(request, travel=dict.fromkeys(request.travel, known))
    with pytest.raises(RequestError) as caught:
        apply(request, plan, ADD)
    assert caught.value.code == "edit.no_travel"
    assert caught.value.facts == {"point": ZAGORSKOE.stop_id, "vehicle": FIRST.name}


def test_a_leg_without_a_road_is_told_by_the_checker() -> None:
    """Where no road leads the edit still has an answer."""
    request, plan = make_request(), make_plan()
    some = request.travel[FIRST.vehicle_id]
    cut = some.travel_s.copy()
    at = some.index[str(ZAGORSKOE.stop_id)]
    cut[at, :], cut[:, at], cut[at, at] = -1, -1, 0
    matrix = TravelMatrix(
        point_ids=some.point_ids,
        travel_s=cut.astype(np.int32),
        travel_m=some.travel_m,
        source="cut",
        is_estimated=True,
    )
    request = replace(request, travel=dict.fromkeys(request.travel, matrix))
    assert "rule.leg_unreachable" in codes(request, plan, ADD)


EVERY_STOP = (KALINOVKA, KALUZHSKOE, KAMENSKOE)


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(EVERY_STOP),
            st.sampled_from((FIRST, SECOND)),
            st.integers(0, 13),
            st.integers(0, 24 * 60 - 1) | st.none(),
        ),
        max_size=4,
    )
)
def test_times_always_add_up(steps: list[tuple[object, ...]]) -> None:
    """Whatever is moved where, no leg is lost, no visit cut short, and no visit disappears."""
    request, plan = make_request(), make_plan()
    for stop, vehicle, day, minute in steps:
        move = Move(
            stop_id=stop.stop_id,  # type: ignore[attr-defined]
            from_day=plan.days_of(stop.stop_id)[0],  # type: ignore[attr-defined]
            vehicle_id=vehicle.vehicle_id,  # type: ignore[attr-defined]
            day=day,  # type: ignore[arg-type]
            at_s=None if minute is None else minute * 60,  # type: ignore[operator]
        )
        try:
            plan = apply(request, plan, move)
        except RequestError as refused:
            assert refused.code == "edit.already_there"
    broken = {v.code for v in check(request, plan)}
    never = {"arrival", "return", "leg_time", "leg_distance", "service_time", "setup_short"}
    never |= {"teardown_short", "run_empty", "runs_per_day", "visits_wrong", "preparation_short"}
    assert not broken & {f"rule.{name}" for name in never}
    assert sum(len(r.visits) for r in plan.runs) == 4

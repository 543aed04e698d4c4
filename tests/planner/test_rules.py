"""Every rule passes the example plan and alone finds the fault made for it."""

import ast
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st

import api
from data.model.calendar import HOUR_S, MINUTE_S, Cycle, ServiceCalendar, Window
from data.model.fleet import CrewRules, Vehicle, VehicleId
from data.model.place import StopId
from data.model.plan import Plan
from planner import rules
from planner.score import check
from tests.planner.broken_plans import BREAKING
from tests.planner.examples import (
    FIRST,
    KALINOVKA,
    KALUZHSKOE,
    RULES,
    SECOND,
    ZAGORSKOE,
    clock_min,
    make_run,
    matrix,
    shifted,
    tour_plan,
    tour_request,
)
from tests.planner.faults import (
    PLAN,
    REQUEST,
    TUESDAY,
    with_request,
    with_rules,
    with_runs,
    with_stop,
    with_tour,
)


def test_the_example_keeps_every_rule() -> None:
    """The plan from which all faults are made has none."""
    assert check(REQUEST, PLAN) == ()


@pytest.mark.parametrize("code", BREAKING)
def test_a_fault_breaks_its_rule_alone(code: str) -> None:
    """Each change is found by the rule that it is made for, and by no other."""
    request, plan = BREAKING[code]()
    assert {v.code for v in check(request, plan)} == {code}


def codes_in_source() -> set[str]:
    folder = Path(str(rules.__file__)).parent
    sources = [p.read_text(encoding="utf-8") for p in folder.glob("*.py")]
    return {code for text in sources for code in re.findall(r'"(rule\.\w+)"', text)}


def test_every_code_has_a_fault_made_for_it() -> None:
    """No rule goes untried."""
    assert codes_in_source() == set(BREAKING)


@pytest.mark.parametrize("code", BREAKING)
def test_a_violation_gives_every_fact_that_its_message_names(code: str) -> None:
    """The text of a violation has all its blanks filled in."""
    folder = Path(str(api.__file__)).parent / "locales" / "en" / "LC_MESSAGES"
    found = []
    for catalogue in folder.glob("*.po"):
        with catalogue.open("rb") as source:
            found.append(read_po(source).get(code))
    (message,) = [m for m in found if m is not None]
    wanted = set(re.findall(r"\{(\w+)", str(message.string)))
    for violation in check(*BREAKING[code]()):
        assert wanted <= set(violation.facts)


@settings(deadline=None)
@given(minutes=st.integers(-12 * 60, 12 * 60))
def test_shifting_a_run_breaks_only_what_the_clock_says(minutes: int) -> None:
    """A run moved as a whole still adds up; duty, windows, meal and clock time judge the rest."""
    start = clock_min("10:15") + minutes
    expected = set()
    if abs(start - clock_min("10:00")) > 30:
        expected.add("rule.clock_time_changes")
    if start < clock_min("09:00") or start + 90 > clock_min("18:00"):
        expected.add("rule.window_missed")
    if clock_min("09:21") + minutes < clock_min("08:00"):
        expected.add("rule.duty_early")
    if clock_min("14:58") + minutes > clock_min("18:00"):
        expected.add("rule.duty_late")
    if not clock_min("11:00") <= clock_min("11:50") + minutes <= clock_min("14:15"):
        expected.add("rule.meal_outside_window")
    request, plan = with_runs(PLAN.runs[0], shifted(PLAN.runs[1], minutes * MINUTE_S))
    assert {v.code for v in check(request, plan)} == expected


def test_a_night_away_keeps_every_rule() -> None:
    """From Chernyakhovsk to Bolshakovo and back the next day is a plan like any other."""
    assert check(tour_request(), tour_plan()) == ()
    assert check(*with_tour()) == ()


def test_rest_away_counts_from_sign_off_to_sign_on_at_the_lodging() -> None:
    """The doors at Kalinovka close at 11:30: with packing, 15 min of driving and 10 min of check
    it is 12:00. On Wednesday they open at 10:00 after 10 + 20 + 10 min, so duty begins at 9:20:
    21 h 20 min of rest."""
    request, plan = tour_request(), tour_plan()

    def broken(rest_s: int) -> list[str]:
        crew = {**request.crew_rules, FIRST.vehicle_id: replace(RULES, daily_rest_s=rest_s)}
        return [v.code for v in check(replace(request, crew_rules=crew), plan)]

    assert broken(21 * HOUR_S + 20 * MINUTE_S) == []
    assert broken(21 * HOUR_S + 21 * MINUTE_S) == ["rule.daily_rest"]


def test_no_night_lies_over_the_seam() -> None:
    """The last day of the cycle is not followed by its first: the vehicle must be at home."""
    request, plan = tour_request(), tour_plan()
    out, home, _ = plan.runs
    weekend = ServiceCalendar(weekdays=frozenset(range(7)))
    whole = replace(request.vehicles[0], weekdays=frozenset(), off_dates=frozenset())
    request = replace(request, calendar=weekend, vehicles=(whole, SECOND))
    runs = (replace(home, day=0), replace(out, day=13))
    codes = {v.code for v in check(request, replace(plan, runs=runs))}
    assert {"rule.night_not_followed", "rule.night_not_before"} <= codes


def test_gaps_count_across_the_seam() -> None:
    """Days 1 and 3 of two weeks are two days apart, and twelve over the seam."""
    stop = replace(KALINOVKA, same_weekday=False, min_gap_days=1, max_gap_days=11)
    moved = replace(PLAN.runs[1], day=3)
    request = replace(with_stop(KALINOVKA)[0], stops=(stop, *REQUEST.stops[1:]))
    request = replace(request, vehicles=(replace(FIRST, off_dates=frozenset()), SECOND))
    (found,) = check(request, replace(PLAN, runs=(PLAN.runs[0], moved)))
    assert found.code == "rule.gap_too_long"
    assert (found.facts["found"], found.facts["limit"]) == (12, 11)
    assert found.facts["next_date"] == "2026-12-15"


def test_one_visit_a_cycle_has_the_cycle_as_its_gap() -> None:
    """A stop visited once in two weeks is 14 days from its next visit."""
    codes = [v.code for v in check(*with_stop(KALUZHSKOE, max_gap_days=13))]
    assert codes == ["rule.gap_too_long"]
    assert check(*with_stop(KALUZHSKOE, max_gap_days=14)) == ()


def test_two_weeks_pair_over_the_seam() -> None:
    """A cycle of one week meets itself: its driving counts twice."""
    request, plan = with_rules(drive_two_week_max_s=115 * MINUTE_S)
    stops = (replace(KALINOVKA, visits_per_cycle=1), KALUZHSKOE)
    request = replace(request, cycle=Cycle(start_date=date(2026, 11, 30), num_weeks=1), stops=stops)
    (found,) = check(request, replace(plan, runs=plan.runs[:1], unserved=()))
    assert found.code == "rule.drive_two_weeks"
    assert (found.facts["found_min"], found.facts["limit_min"]) == (116, 115)


def test_a_single_run_rests_until_the_next_cycle() -> None:
    """The night after the last run ends with the first run of the next cycle."""
    request, plan = with_rules(daily_rest_s=14 * 24 * HOUR_S)
    stops = (replace(KALINOVKA, visits_per_cycle=1, max_gap_days=None), KALUZHSKOE)
    request = replace(request, stops=stops)
    (found,) = check(request, replace(plan, runs=plan.runs[:1], unserved=()))
    assert found.code == "rule.daily_rest"
    assert found.facts["next_date"] == "2026-12-15"
    assert found.facts["found_min"] == 14 * 24 * 60 - (clock_min("15:50") - clock_min("09:06"))


def driving_case(legs_min: list[int], stays_min: list[int], crew: CrewRules) -> set[str]:
    """Codes of a run with the given legs and stays between them."""
    names = [f"p{i}" for i in range(len(stays_min))]
    stops = tuple(
        replace(ZAGORSKOE, stop_id=StopId(n), service_s=stay * 60, setup_s=0, teardown_s=0)
        for n, stay in zip(names, stays_min, strict=True)
    )
    size = len(names) + 1
    cells = np.zeros((size, size), dtype=np.int32)
    for index, leg in enumerate(legs_min):
        cells[index % size, (index + 1) % size] = leg * 60
    travel = replace(matrix(), point_ids=("chernyakhovsk", *names), travel_s=cells, travel_m=cells)
    vehicle = Vehicle(
        vehicle_id=VehicleId("kibo-1"),
        name="КИБО-1",
        depot_id=FIRST.depot_id,
        duty_start_s=0,
        duty_end_s=24 * HOUR_S,
    )
    request = replace(
        REQUEST,
        vehicles=(vehicle,),
        stops=stops,
        travel={vehicle.vehicle_id: travel},
        crew_rules={vehicle.vehicle_id: crew},
    )
    opens, openings = 60 + legs_min[0], []
    for stop, stay, leg in zip(stops, stays_min, legs_min[1:], strict=True):
        openings.append((stop, opens))
        opens += stay + leg
    run = make_run(request, vehicle, 0, openings)
    return {v.code for v in check(request, Plan(runs=(run,)))}


SPLIT = CrewRules(
    drive_continuous_max_s=270 * MINUTE_S,
    break_s=45 * MINUTE_S,
    break_split_s=(15 * MINUTE_S, 30 * MINUTE_S),
)


@pytest.mark.parametrize(
    ("legs", "stays", "is_kept"),
    [
        ([200, 70], [20], True),  # 270 in one go
        ([200, 71], [44], False),  # one minute too much, the stay too short
        ([200, 200], [45], True),  # a whole break between
        ([100, 100, 200], [15, 30], True),  # the two parts in order
        ([100, 100, 200], [30, 15], False),  # the parts in the wrong order
        ([100, 100, 70], [30, 15], True),
        ([90, 90, 90, 100], [30, 15, 30], True),  # 30 stands for the first part
        ([100, 100, 271], [15, 30], False),  # too long after the break
        ([271, 10], [45], False),  # too long before it
    ],
)
def test_breaks_split_in_order(legs: list[int], stays: list[int], *, is_kept: bool) -> None:
    """A break of 45 minutes may be 15 and then 30; a longer stay may stand for the first part."""
    expected = set() if is_kept else {"rule.drive_continuous"}
    assert driving_case(legs, stays, SPLIT) == expected


def test_a_meal_is_a_break_from_driving() -> None:
    """A meal of 45 minutes after a short stop resets continuous driving."""
    crew = replace(RULES, drive_continuous_max_s=25 * MINUTE_S, break_s=2 * HOUR_S + 30 * MINUTE_S)
    # At Kalinovka the bus stands 09:50 to 12:20: setup, service, teardown and the meal.
    request, plan = with_runs(*PLAN.runs, crew_rules=crew)
    found = [v for v in check(request, plan) if v.facts.get("day") == 1]
    assert not found


def test_windows_apply_on_their_weekdays() -> None:
    """The afternoon window of Kaluzhskoe is for Tuesdays; on a Wednesday it does not help."""
    (found,) = check(*with_runs(replace(PLAN.runs[0], day=2), replace(PLAN.runs[1], day=9)))[:1]
    assert found.code == "rule.window_missed"
    assert found.facts["windows"] == "09:00–13:00"


def test_a_service_may_not_span_two_windows() -> None:
    """Two windows that meet are two windows: the whole service lies inside one."""
    halves = (
        Window(start_s=9 * HOUR_S, end_s=11 * HOUR_S),
        Window(start_s=11 * HOUR_S, end_s=18 * HOUR_S),
    )
    assert {v.code for v in check(*with_stop(KALINOVKA, windows=halves))} == {"rule.window_missed"}


def test_a_moved_working_day_has_service() -> None:
    """A date that works although its weekday does not is no fault."""
    calendar = ServiceCalendar(
        weekdays=frozenset({0}),
        extra_dates={TUESDAY: "перенос", date(2026, 12, 8): "перенос"},
    )
    assert check(*with_request(calendar=calendar)) == ()


def test_the_checker_knows_nothing_of_the_solver() -> None:
    """Rules and score import the domain types and themselves, and no other code of ours."""
    folder = Path(str(rules.__file__)).parent
    ours = ("planner", "fleet", "maps", "api", "data")
    for path in (*folder.glob("*.py"), folder.parent / "score.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0
                names = [node.module or ""]
            for name in names:
                if name.split(".")[0] in ours:
                    assert name.startswith(("data.model.", "planner.rules")), f"{path.name}: {name}"

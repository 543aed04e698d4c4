"""Explain, insert and move, as a dispatcher types them."""

import json
from dataclasses import replace
from pathlib import Path

from data.feeds.plan_file import read_plan, write_plan
from data.model.place import StopId
from tests.api.runner import Terminal
from tests.planner.examples import FIRST, ZAGORSKOE, make_plan, make_request


def test_a_stop_is_put_in_and_the_plan_checked(bookmobile: Terminal, plan_file: Path) -> None:
    """The edited plan stands beside the first, which is as it was, and passes the checker."""
    before = plan_file.read_bytes()
    told = bookmobile(
        "move", plan_file, "Загорское", "--to", "КИБО-1", "--day", "2026-12-02", "--at", "11:00"
    )
    assert told.code == 0, told.said
    assert "+40 km" in told.said
    assert plan_file.read_bytes() == before
    edited = plan_file.with_name("plan-edited.json")
    assert bookmobile("check", edited).code == 0
    _, plan = read_plan(edited)
    (visit,) = (v for r in plan.runs for v in r.visits if v.stop_id == ZAGORSKOE.stop_id)
    assert visit.start_s == 11 * 3600


def test_an_edited_plan_is_edited_again_in_place(bookmobile: Terminal, plan_file: Path) -> None:
    """A second move goes on from the first, in the same file."""
    bookmobile("move", plan_file, "zagorskoe", "--to", "kibo-1", "--day", "2026-12-02")
    edited = plan_file.with_name("plan-edited.json")
    told = bookmobile("move", edited, "zagorskoe", "--to", "kibo-1", "--day", "2026-12-10")
    assert told.code == 0, told.said
    assert read_plan(edited)[1].days_of(ZAGORSKOE.stop_id) == (10,)
    assert sorted(p.name for p in plan_file.parent.glob("*.json")) == [edited.name, plan_file.name]


def test_a_move_that_breaks_rules_names_them_and_writes_nothing(
    bookmobile: Terminal, plan_file: Path
) -> None:
    """No lift and no Tuesday: two rules, exit 1, no file."""
    told = bookmobile("move", plan_file, "Каменское", "--to", "kibo-2", "--day", "2026-12-08")
    assert told.code == 1
    assert "lift" in told.said
    assert "2 rules are broken" in told.said
    assert "was not written" in told.said
    assert [p.name for p in plan_file.parent.glob("*.json")] == [plan_file.name]


def test_all_visits_of_a_stop_move_together(bookmobile: Terminal, plan_file: Path) -> None:
    """Kalinovka's two Tuesdays become two Mondays, a fortnight's pattern kept."""
    out = plan_file.with_name("mondays.json")
    told = bookmobile(
        "move", plan_file, "Калиновка", "--to", "КИБО-1", "--day", "2026-11-30", "--out", out
    )
    assert told.code == 0, told.said
    assert read_plan(out)[1].days_of(StopId("kalinovka")) == (0, 7)


def test_one_of_several_visits_and_a_place_in_the_run(
    bookmobile: Terminal, plan_file: Path
) -> None:
    """With --from one visit moves alone: rules of the pattern break and are told as JSON."""
    told = bookmobile(
        *("move", plan_file, "Калиновка", "--from", "2026-12-08", "--to", "КИБО-1"),
        *("--day", "2026-12-10", "--json"),
    )
    assert told.code == 1
    facts = json.loads(told.said)
    assert not facts["is_legal"]
    assert {v["code"] for v in facts["violations"]} == {"rule.weekday_changes"}
    after = bookmobile(
        *("move", plan_file, "zagorskoe", "--to", "kibo-1", "--day", "2026-12-01"),
        *("--after", "Калужское"),
    )
    assert after.code == 0, after.said
    _, plan = read_plan(plan_file.with_name("plan-edited.json"))
    run = next(r for r in plan.runs if r.day == 1)
    assert [v.stop_id for v in run.visits] == ["kalinovka", "kaluzhskoe", "zagorskoe"]


def test_places_are_listed_and_given_as_json(bookmobile: Terminal, plan_file: Path) -> None:
    """The cheapest place costs seven kilometres; a served stop needs none."""
    told = bookmobile("insert", plan_file, "zagorskoe", "--most", 2)
    assert told.code == 0
    assert "+7" in told.said
    facts = json.loads(bookmobile("insert", plan_file, "zagorskoe", "--most", 2, "--json").said)
    assert [p["added_drive_m"] for p in facts["places"]] == [7000, 14000]
    served = bookmobile("insert", plan_file, "kalinovka")
    assert served.code == 2
    assert "already" in served.said


def test_an_explanation_proves_its_change(bookmobile: Terminal, plan_file: Path) -> None:
    """A stop that needs what no vehicle has: the reason and the remedy, in both languages."""
    request = make_request()
    winch = replace(ZAGORSKOE, needs=frozenset({"winch"}))
    write_plan(plan_file, replace(request, stops=(*request.stops[:3], winch)), make_plan())
    told = bookmobile("explain", plan_file, "zagorskoe", "--time-limit", 2)
    assert told.code == 0, told.said
    assert "winch" in told.said
    assert "proved" in told.said
    facts = json.loads(
        bookmobile("explain", plan_file, "zagorskoe", "--time-limit", 2, "--json").said
    )
    assert facts["reason"]["code"] == "unserved.ability"
    assert [(c["code"], c["is_proved"]) for c in facts["changes"]] == [("relax.ability", True)]
    russian = bookmobile("explain", plan_file, "zagorskoe", "--time-limit", 2, "--lang", "ru")
    assert "доказано" in russian.said


def test_a_file_without_the_travel_says_what_to_do(bookmobile: Terminal, plan_file: Path) -> None:
    """Files of earlier versions hold the travel of served stops: plan anew."""
    request = make_request()
    some = request.travel[FIRST.vehicle_id]
    known = some.restricted_to([p for p in some.point_ids if p != ZAGORSKOE.stop_id])
    write_plan(
        plan_file, replace(request, travel=dict.fromkeys(request.travel, known)), make_plan()
    )
    for command in (("insert",), ("explain", "--time-limit", 1)):
        told = bookmobile(command[0], plan_file, "zagorskoe", *command[1:])
        assert told.code == 2
        assert "bookmobile plan" in told.said


def test_names_that_lead_nowhere_are_told(bookmobile: Terminal, plan_file: Path) -> None:
    """No such stop, a name of two stops, no such vehicle, no such time, no such date."""
    request = make_request()
    twin = replace(ZAGORSKOE, stop_id=StopId("zagorskoe-2"))
    write_plan(plan_file, replace(request, stops=(*request.stops, twin)), make_plan())
    to = ("--to", "kibo-1", "--day", "2026-12-02")
    cases = (
        (("insert", plan_file, "Загор"), "Загор"),
        (("insert", plan_file, "Загорское"), "zagorskoe, zagorskoe-2"),
        (("move", plan_file, "zagorskoe", "--to", "автобус", "--day", "2026-12-02"), "kibo-2"),
        (("move", plan_file, "zagorskoe", *to, "--at", "25:00"), "HH:MM"),
        (("move", plan_file, "zagorskoe", *to, "--after", "kalinovka"), "not on the run"),
        (("move", plan_file, "zagorskoe", "--to", "kibo-1", "--day", "2027-01-01"), "2026-12-13"),
    )
    for arguments, said in cases:
        told = bookmobile(*arguments)
        assert told.code == 2, told.said
        assert said in told.said


def test_every_unserved_stop_is_explained_in_one_go(bookmobile: Terminal, plan_file: Path) -> None:
    """Without a stop all that are unserved are told, with the proved change, as table and JSON."""
    told = bookmobile("explain", plan_file, "--time-limit", 5)
    assert told.code == 0, told.said
    assert "A change is proved for 1 of 1 unserved stops" in told.said
    facts = json.loads(bookmobile("explain", plan_file, "--time-limit", 5, "--json").said)
    (stop,) = facts["stops"]
    assert stop["stop_id"] == ZAGORSKOE.stop_id
    assert any(change["is_proved"] for change in stop["changes"])

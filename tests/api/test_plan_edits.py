"""Steps taken by hand over HTTP: tried, refused, kept as a draft, pinned; places for one more."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from data.db import audit_store, event_store, plan_store
from data.db.engine import reading
from tests.api.plan_house import PLAN_ID, Client, House, small_house
from tests.databases import postgres_url

ADD = {"kind": "add", "stop_id": "zagorskoe", "vehicle_id": "kibo-1", "day": 2}
NO_LIFT = {
    "kind": "move", "stop_id": "kamenskoe", "from_day": 8, "vehicle_id": "kibo-2", "day": 8,
}  # fmt: skip
SPOT = {
    "kind": "new_stop", "stop_id": "spot-fair", "name": "Ярмарка <script>alert(1)</script>",
    "lon": 21.85, "lat": 54.70, "service_min": 60, "people": 120,
}  # fmt: skip


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with small_house(tmp_path).serving() as served:
        yield served


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for all tests in which nothing may be stored."""
    with small_house(tmp_path_factory.mktemp("house")).serving() as served:
        yield served


def state_of(client: Client) -> Any:
    return client.get(f"/plans/{PLAN_ID}/board").json()["state"]


def test_a_trial_tells_figures_and_stores_nothing(house: House) -> None:
    """One more stop: its people, forty kilometres, the run as it would be; version as before."""
    anna = house.client("anna")
    told = anna.edit([ADD], 1, dry_run=True)
    assert told.status_code == 200, told.text
    answer = told.json()
    assert (answer["is_legal"], answer["broken"], answer["state"]) == (True, [], None)
    assert answer["delta_drive_m"] == 40_000
    assert [(r["vehicle_id"], r["day"]) for r in answer["runs"]] == [("kibo-1", 2)]
    assert answer["summary"]["stops_served"] == 4
    assert state_of(anna)["version"] == 1
    with reading(house.service.engine) as session:
        assert plan_store.get_plan(session, PLAN_ID).revision == 1


def test_broken_rules_are_told_in_words_and_tied_to_places(house: House) -> None:
    """No lift, and not its weekday: both in Russian, with stop, vehicle and day to mark."""
    told = house.client("boris", "ru").edit([NO_LIFT], 1, dry_run=True).json()
    assert not told["is_legal"]
    by_code = {v["code"]: v for v in told["broken"]}
    assert set(by_code) == {"rule.ability_missing", "rule.vehicle_weekday"}
    lift = by_code["rule.ability_missing"]
    assert (lift["stop_id"], lift["vehicle_id"], lift["days"]) == ("kamenskoe", "kibo-2", [8])
    assert "Каменское" in lift["text"]
    assert "вт 8 дек." in lift["text"]
    weekday = by_code["rule.vehicle_weekday"]
    assert (weekday["stop_id"], weekday["days"]) == (None, [8])
    assert "2026" not in weekday["text"]


def test_what_breaks_rules_is_refused_or_kept_as_a_draft(house: House) -> None:
    """Without leave it is refused with each rule; with leave it is a draft, mended by undo."""
    anna = house.client("anna")
    refused = anna.edit([NO_LIFT], 1)
    assert refused.status_code == 422
    assert refused.json()["code"] == "edit.breaks_rules"
    assert {p["code"] for p in refused.json()["problems"]} == {
        "rule.ability_missing", "rule.vehicle_weekday",
    }  # fmt: skip
    assert state_of(anna)["version"] == 1
    kept = anna.edit([NO_LIFT], 1, may_break=True).json()
    assert kept["state"]["is_draft"]
    assert all(v["is_new"] for v in kept["state"]["violations"])
    assert anna.get(f"/plans/{PLAN_ID}").json()["num_violations"] == 2
    # What was broken before is not held against the next step.
    assert anna.edit([ADD], 2).status_code == 200
    anna.send("POST", f"/plans/{PLAN_ID}/undo", version=3)
    back = anna.send("POST", f"/plans/{PLAN_ID}/undo", version=4).json()["state"]
    assert (back["is_draft"], back["violations"]) == (False, [])


def test_several_steps_are_one_state(house: House) -> None:
    """A swap written as two moves, undone by one undo; one that fails takes the other along."""
    anna = house.client("anna")
    steps = [
        {"kind": "retime", "stop_id": "kaluzhskoe", "day": 1, "at_s": 14 * 3600 + 600},
        ADD,
    ]
    taken = anna.edit(steps, 1)
    assert taken.status_code == 200, taken.text
    state = taken.json()["state"]
    starts = {v["stop_id"]: v["start_s"] for r in state["runs"] for v in r["visits"]}
    assert starts["kaluzhskoe"] == 14 * 3600 + 600
    assert state["step"]["text"].startswith("2 steps: Калужское")
    bad: list[dict[str, Any]] = [
        {"kind": "remove", "stop_id": "kamenskoe"},
        {**ADD, "stop_id": "nowhere"},
    ]
    failed = anna.edit(bad, 2, may_break=True)
    assert (failed.status_code, failed.json()["code"]) == (422, "edit.unknown_stop")
    assert state_of(anna)["version"] == 2
    assert anna.send("POST", f"/plans/{PLAN_ID}/undo", version=2).json()["state"]["revision"] == 1


def test_pins_are_part_of_the_state(house: House) -> None:
    """A pinned visit that is moved breaks its pin; pins go with undo and come with redo."""
    anna = house.client("anna")
    pin = {"kind": "pin_visit", "stop_id": "kaluzhskoe", "day": 1}
    pinned = anna.edit([pin, {"kind": "pin_run", "vehicle_id": "kibo-1", "day": 8}], 1)
    pins = pinned.json()["state"]["pins"]
    assert pins["visits"] == [{"stop_id": "kaluzhskoe", "day": 1}]
    assert pins["runs"] == [{"vehicle_id": "kibo-1", "day": 8}]
    moved = anna.edit(
        [
            {
                "kind": "move",
                "stop_id": "kaluzhskoe",
                "from_day": 1,
                "vehicle_id": "kibo-1",
                "day": 3,
            }
        ],
        2,
        dry_run=True,
    )
    assert "rule.pin_missed" in {v["code"] for v in moved.json()["broken"]}
    into = anna.edit([{**ADD, "day": 8}], 2, dry_run=True)
    assert "rule.kept_run_changed" in {v["code"] for v in into.json()["broken"]}
    back = anna.send("POST", f"/plans/{PLAN_ID}/undo", version=2).json()["state"]
    assert back["pins"] == {"visits": [], "runs": [], "forbidden": []}
    forth = anna.send("POST", f"/plans/{PLAN_ID}/redo", version=3).json()["state"]
    assert forth["pins"] == pins
    free = anna.edit([{**pin, "is_pinned": False}], 4).json()["state"]
    assert free["pins"]["visits"] == []


def test_a_day_is_pinned_and_visits_are_forbidden(house: House) -> None:
    """A pinned day keeps each vehicle's day, empty ones too; a ban is a rule like others."""
    anna = house.client("anna")
    day = anna.edit([{"kind": "pin_day", "day": 1}], 1).json()["state"]
    assert {r["vehicle_id"] for r in day["pins"]["runs"]} == {"kibo-1", "kibo-2"}
    ban = {"kind": "forbid", "stop_id": "kamenskoe", "weekday": 1}
    told = anna.edit([ban], 2, may_break=True).json()
    assert [v["code"] for v in told["broken"]] == ["rule.visit_forbidden"]
    assert told["state"]["pins"]["forbidden"][0]["weekday"] == 1
    allowed = anna.edit([{**ban, "is_forbidden": False}], 3).json()
    assert (allowed["num_mended"], allowed["state"]["is_draft"]) == (1, False)


def test_places_for_a_stop_left_out_are_taken_by_their_steps(house: House) -> None:
    """The cheapest place costs seven kilometres; its steps, sent back, serve the stop."""
    anna = house.client("anna", "ru")
    found = anna.send("POST", f"/plans/{PLAN_ID}/places", {"stop_id": "zagorskoe", "most": 2})
    places = found.json()["places"]
    assert [p["added_drive_m"] for p in places] == [7000, 14000]
    assert "КИБО-1" in places[0]["text"]
    assert found.json()["reason"] == "у машин не нашлось времени"
    taken = anna.edit(places[0]["steps"], 1)
    assert taken.status_code == 200, taken.text
    assert taken.json()["state"]["unserved"] == []
    served = anna.send("POST", f"/plans/{PLAN_ID}/places", {"stop_id": "kalinovka"})
    assert (served.status_code, served.json()["code"]) == (422, "step.already_served")
    assert "bookmobile" not in served.json()["message"]
    assert anna.send("POST", f"/plans/{PLAN_ID}/places", {}).status_code == 422


def test_a_new_point_of_the_map_becomes_a_stop(house: House) -> None:
    """Its ways are estimated as the plan's are; it is served, undone with the step, and known."""
    anna = house.client("anna")
    found = anna.send("POST", f"/plans/{PLAN_ID}/places", {"spot": SPOT}).json()
    assert found["places"], found
    assert found["is_estimated"]
    taken = anna.edit([SPOT, *found["places"][0]["steps"]], 1)
    assert taken.status_code == 200, taken.text
    frame = taken.json()["frame"]
    new = next(s for s in frame["stops"] if s["stop_id"] == "spot-fair")
    assert (new["name"], new["people"], new["has_travel"]) == (SPOT["name"], 120, True)
    assert taken.json()["delta_people"] == 120
    again = anna.edit([SPOT], 2)
    assert again.json()["code"] == "edit.stop_taken"
    back = anna.send("POST", f"/plans/{PLAN_ID}/undo", version=2).json()
    assert "spot-fair" not in {s["stop_id"] for s in back["frame"]["stops"]}
    forth = anna.send("POST", f"/plans/{PLAN_ID}/redo", version=3).json()
    assert "spot-fair" in {s["stop_id"] for s in forth["frame"]["stops"]}
    # A copy knows the stop too.
    copy = anna.send("POST", f"/plans/{PLAN_ID}/copy", {"name": "c"}).json()["plan_id"]
    assert anna.get(f"/plans/{copy}/board").json()["state"]["unserved"][0]["stop_id"] == "zagorskoe"


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ({**ADD, "day": 10_000}, "input.below"),
        ({**ADD, "day": 200}, "edit.day_outside_cycle"),
        ({**ADD, "vehicle_id": "../../etc"}, "edit.unknown_vehicle"),
        ({**ADD, "day": 4, "position": 99}, "edit.no_position"),
        ({**ADD, "at_s": -5}, "input.at_least"),
        ({**ADD, "stop_id": "kalinovka", "day": 1}, "edit.already_there"),
        ({**ADD, "extra": 1}, "input.extra"),
        ({"kind": "explode"}, "input.invalid"),
        ({"kind": "move_run", "vehicle_id": "kibo-1", "day": 3, "to_vehicle_id": "kibo-2",
          "to_day": 3}, "edit.no_run"),
        ({"kind": "pin_visit", "stop_id": "zagorskoe", "day": 1}, "edit.no_visit"),
        ({"kind": "retime", "stop_id": "kalinovka", "day": 5, "at_s": 36_000}, "edit.no_visit"),
        ({**SPOT, "lon": 400}, "input.at_most"),
        ({**SPOT, "lat": float("1e300")}, "input.at_most"),
        ({**SPOT, "name": ""}, "input.too_short"),
        ({**SPOT, "stop_id": "a b"}, "input.pattern"),
    ],
)  # fmt: skip
def test_bad_steps_are_refused_whole(untouched: House, step: dict[str, Any], code: str) -> None:
    """Each is refused with a code and words, beside a good step that is not kept either."""
    anna = untouched.client("anna")
    answer = anna.edit([ADD, step], 1, may_break=True)
    assert answer.status_code == 422, answer.text
    told = answer.json()
    codes = {told["code"], *(p["code"] for p in told["problems"])}
    assert code in codes, told
    assert told["message"]
    assert state_of(anna)["version"] == 1


def test_others_are_told_of_a_step(house: House) -> None:
    """The audit log and the event table know who took which step."""
    anna = house.client("anna")
    anna.edit([ADD], 1)
    with reading(house.service.engine) as session:
        (entry,) = audit_store.entries(session, limit=5, subject=PLAN_ID)
        (event,) = event_store.events_after(session, 0)
    assert (entry.action, entry.facts["version"]) == ("plan.step", 2)
    assert entry.facts["step"]["code"] == "step.add"
    assert (event.topic, event.subject, event.facts["version"]) == ("plan", PLAN_ID, 2)


def test_a_postgresql_database_does_the_same(tmp_path: Path) -> None:
    """A step, one from an old version, undo and redo on a real PostgreSQL."""
    with postgres_url(tmp_path) as url, small_house(tmp_path, url=url).serving() as house:
        anna = house.client("anna")
        assert anna.edit([ADD], 1).status_code == 200
        late = house.client("boris").edit([{"kind": "pin_day", "day": 1}], 1)
        assert late.status_code == 412
        assert late.json()["facts"]["current"]["steps"][0]["by"] == "Anna"
        assert anna.send("POST", f"/plans/{PLAN_ID}/undo", version=2).status_code == 200
        assert anna.send("POST", f"/plans/{PLAN_ID}/redo", version=3).status_code == 200
        assert len(state_of(anna)["runs"]) == 3
        steps = [{"kind": "pin_run", "vehicle_id": "kibo-1", "day": d} for d in (0, 1, 2, 3)]
        with ThreadPoolExecutor(4) as pool:
            statuses = [a.status_code for a in pool.map(lambda s: anna.edit([s], 4), steps)]
        # Whoever is first wins, whoever read before and came later is told.
        assert sorted(statuses) == [200, 412, 412, 412]
        house.service.engine.dispose()

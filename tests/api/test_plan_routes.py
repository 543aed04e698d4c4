"""Plans over HTTP: lists, names, copies, boards; who may see and change them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.plan_house import PLAN_ID, House, small_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with small_house(tmp_path).serving() as served:
        yield served


def test_the_board_tells_all_that_is_shown(house: House) -> None:
    """Days, vehicles, stops with what is known of them, runs with times, reasons, figures."""
    answer = house.client("vera", "ru").get(f"/plans/{PLAN_ID}/board")
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == '"1"'
    frame, state = answer.json()["frame"], answer.json()["state"]
    assert [d["name"] for d in frame["days"]][:2] == ["пн 30 нояб.", "вт 1 дек."]
    assert len(frame["days"]) == 14
    assert [s["name"] for s in frame["stops"]][-1] == "Загорское"
    assert all(s["has_travel"] for s in frame["stops"])
    assert [r["day"] for r in state["runs"]] == [1, 8]
    assert [v["stop_id"] for v in state["runs"][0]["visits"]] == ["kalinovka", "kaluzhskoe"]
    assert state["unserved"][0]["reason"] == "у машин не нашлось времени"
    assert state["violations"] == []
    assert (state["is_draft"], state["can_undo"]) == (False, False)
    assert state["summary"]["visits"] == 4
    assert state["step"]["text"] == "План составлен"


def test_plans_are_listed_renamed_put_away_and_copied(house: House) -> None:
    """A copy stands beside the plan; what is put away is listed on demand alone."""
    anna = house.client("anna")
    copy = anna.send(
        "POST", f"/plans/{PLAN_ID}/copy", {"name": "Second try"}, idempotency_key="one"
    )
    again = anna.send(
        "POST", f"/plans/{PLAN_ID}/copy", {"name": "Second try"}, idempotency_key="one"
    )
    assert (copy.status_code, again.status_code) == (201, 201)
    assert copy.json()["plan_id"] == again.json()["plan_id"]
    assert copy.json()["from_plan_id"] == PLAN_ID
    assert copy.json()["step"] == "Copied from Winter"
    named = anna.send("PATCH", f"/plans/{PLAN_ID}", {"name": "Зима <1>"}, version=1)
    assert (named.status_code, named.json()["name"]) == (200, "Зима <1>")
    region_id = named.json()["region_id"]
    listed = anna.get(f"/regions/{region_id}/plans", limit=1).json()
    assert [p["name"] for p in listed["items"]] == ["Second try"]
    rest = anna.get(f"/regions/{region_id}/plans", limit=1, after=listed["next"]).json()
    assert [p["name"] for p in rest["items"]] == ["Зима <1>"]
    assert rest["next"] is None
    away = anna.send("PATCH", f"/plans/{PLAN_ID}", {"is_archived": True}, version=2)
    assert away.json()["is_archived"] is True
    assert len(anna.get(f"/regions/{region_id}/plans").json()["items"]) == 1
    assert len(anna.get(f"/regions/{region_id}/plans", archived=True).json()["items"]) == 2


def test_who_may_do_what(house: House) -> None:
    """Nobody unknown sees a plan, an analyst changes none, an unknown plan is told."""
    step = [{"kind": "pin_day", "day": 1}]
    assert house.client().get(f"/plans/{PLAN_ID}").status_code == 401
    assert house.client().edit(step, 1).status_code == 401
    assert house.client("vera").edit(step, 1).status_code == 403
    assert house.client("vera").get(f"/plans/{PLAN_ID}").status_code == 200
    missing = house.client("anna", "ru").get("/plans/none/board")
    assert missing.status_code == 404
    assert "Плана none нет" in missing.json()["message"]


def test_a_change_names_the_version_that_it_was_made_from(house: House) -> None:
    """Without If-Match 428; from an old version 412 with who has done what since."""
    anna, boris = house.client("anna"), house.client("boris", "ru")
    assert anna.send("POST", f"/plans/{PLAN_ID}/undo").status_code == 428
    step = [{"kind": "add", "stop_id": "zagorskoe", "vehicle_id": "kibo-1", "day": 2}]
    assert anna.edit(step, 1).status_code == 200
    late = boris.edit([{"kind": "remove", "stop_id": "kaluzhskoe"}], 1)
    assert late.status_code == 412
    current = late.json()["facts"]["current"]
    assert current["version"] == 2
    assert [(s["by"], s["text"]) for s in current["steps"]] == [
        ("Anna", "Добавлена стоянка Загорское: КИБО-1, ср 2 дек.")
    ]
    again = boris.edit([{"kind": "remove", "stop_id": "kaluzhskoe"}], current["version"])
    assert again.status_code == 200, again.text
    state = again.json()["state"]
    assert {u["stop_id"] for u in state["unserved"]} == {"kaluzhskoe"}


def test_steps_are_undone_and_done_again(house: House) -> None:
    """Undo gives the state before, redo the one after; both count as changes and are told."""
    anna = house.client("anna")
    step = [{"kind": "add", "stop_id": "zagorskoe", "vehicle_id": "kibo-1", "day": 2}]
    added = anna.edit(step, 1).json()["state"]
    assert (added["version"], added["can_undo"]) == (2, True)
    back = anna.send("POST", f"/plans/{PLAN_ID}/undo", version=2).json()["state"]
    assert [r["day"] for r in back["runs"]] == [1, 8]
    assert (back["version"], back["can_undo"], back["can_redo"]) == (3, False, True)
    nothing = anna.send("POST", f"/plans/{PLAN_ID}/undo", version=3)
    assert nothing.status_code == 409
    assert "nothing to undo" in nothing.json()["message"]
    forth = anna.send("POST", f"/plans/{PLAN_ID}/redo", version=3).json()["state"]
    assert forth["runs"] == added["runs"]
    history = anna.get(f"/plans/{PLAN_ID}/history").json()
    assert [s["text"].split(":")[0] for s in history] == [
        "Done again",
        "Undone",
        "Загорское added",
    ]
    assert {s["by"] for s in history} == {"Anna"}

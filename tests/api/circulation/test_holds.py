"""Holds: taken, set aside before a run, on the lists and the tablet, handed over, given up."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.api.circulation.library import MORNING, STOPS, Library, TabletAt, library, pair
from tests.api.tracking.depot import NORTH, REGION
from tests.fleet.days import DAY

ROOT = f"regions/{REGION}/circulation"
RUN = {"vehicle": str(NORTH), "date": DAY.isoformat()}


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Library]:
    with library(tmp_path) as made:
        made.depot.now = MORNING - timedelta(hours=3)
        yield made


def ask_for(one: Library, patron_id: str, title_id: str = "t5", stop: str = STOPS[0]) -> Any:
    told = {"title_id": title_id, "patron_id": patron_id, "stop_id": stop}
    return one.ask("POST", f"{ROOT}/holds", json=told)


def set_aside(one: Library) -> int:
    one.depot.now += timedelta(minutes=1)
    answer = one.ask("POST", f"{ROOT}/set-aside", json=RUN)
    assert answer.status_code == 200, answer.text
    num: int = answer.json()["num_ready"]
    return num


def lists(one: Library) -> Any:
    return one.ask("GET", f"{ROOT}/lists", params=RUN).json()


def test_a_hold_is_set_aside_and_handed_over(one: Library) -> None:
    """Once, however often it is asked for; on the tablet with its item; gone after the loan."""
    device, token = pair(one.engine, 1)
    hold_id = ask_for(one, "p1").json()["hold_id"]
    assert set_aside(one) == 1
    assert set_aside(one) == 0
    (pick,) = lists(one)["picks"]
    assert (pick["hold_id"], pick["title"], pick["is_to_fetch"]) == (hold_id, "Книга 5", False)
    day = one.day(token)
    first = next(s for s in day["run"]["stops"] if s["stop_id"] == STOPS[0])
    assert first["to_hand_over"] == [hold_id]
    assert day["holds"][0]["item_id"] == pick["item_id"]
    tablet = TabletAt(device=device)
    tablet.lend(pick["item_id"], "p1", MORNING + timedelta(hours=2), hold_id=hold_id)
    one.depot.now = MORNING + timedelta(hours=3)
    assert one.bring(token, tablet)["answers"][0]["answer"] == "accepted"
    assert lists(one)["picks"] == []
    assert one.day(token)["holds"] == []


def test_each_of_two_readers_gets_an_item_of_one_title(one: Library) -> None:
    """The oldest hold first, no item twice; the third waits."""
    for patron_id in ("p0", "p5", "p10"):
        assert ask_for(one, patron_id).status_code == 201
        one.depot.now += timedelta(minutes=1)
    assert set_aside(one) == 2
    picks = lists(one)["picks"]
    assert {p["patron_id"] for p in picks} == {"p0", "p5"}
    assert len({p["item_id"] for p in picks}) == 2


def test_a_hold_is_given_up(one: Library) -> None:
    hold_id = ask_for(one, "p1").json()["hold_id"]
    assert one.ask("DELETE", f"{ROOT}/holds/{hold_id}").status_code == 204
    assert one.ask("DELETE", f"{ROOT}/holds/{hold_id}").status_code == 404
    assert set_aside(one) == 0


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"patron_id": "nobody"}, "circulation.unknown_patron"),
        ({"patron_id": "p1", "title_id": "none"}, "circulation.unknown_title"),
        ({"patron_id": "p1", "stop": "none"}, "circulation.unknown_stop"),
    ],
)
def test_a_hold_of_what_is_not_there_is_refused(
    one: Library, told: dict[str, str], code: str
) -> None:
    answer = ask_for(one, **told)
    assert (answer.status_code, answer.json()["code"]) == (404, code)

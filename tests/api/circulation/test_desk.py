"""What librarians decide and take in: conflicts, stock, readers, and readers forgotten."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from api.services.ledger import Ledgers
from api.tidying import forget_readers
from data.db.engine import reading
from data.db.tables.circulation import (
    CirculationThingRow,
    JournalEventRow,
    RefusedEventRow,
)
from data.model.patrons import Patron, PatronId
from data.model.stock import ItemId
from tests.api.circulation.library import (
    MORNING,
    STOPS,
    Library,
    TabletAt,
    library,
    pair,
    stock_up,
)
from tests.api.tracking.depot import NORTH, REGION

LATE = MORNING + timedelta(hours=2)
ROOT = f"regions/{REGION}/circulation"


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Library]:
    with library(tmp_path) as made:
        yield made


def clash(one: Library) -> tuple[TabletAt, str, str]:
    """Two tablets lend one item; the second's event waits."""
    first, token_1 = pair(one.engine, 1)
    second, token_2 = pair(one.engine, 2)
    north, south = TabletAt(device=first), TabletAt(device=second)
    north.lend("i1", "p1", LATE)
    event = south.lend("i1", "p2", LATE + timedelta(minutes=5))
    one.bring(token_1, north)
    one.bring(token_2, south)
    return south, token_2, event["event_id"]


def waiting(one: Library) -> dict[str, Any]:
    found: dict[str, Any] = one.ask("GET", ROOT).json()
    return found


def decide(one: Library, event_id: str, **told: Any) -> Any:
    return one.ask("POST", f"{ROOT}/conflicts/{event_id}/decision", json=told)


def test_a_conflict_waits_until_a_person_decides(one: Library) -> None:
    """Told with title, reader and both histories; decided, it is settled and told so again."""
    tablet, token, event_id = clash(one)
    (conflict,) = waiting(one)["conflicts"]
    assert (conflict["event_id"], conflict["rule"]) == (event_id, "lent_to_other")
    assert conflict["item_name"] == "Книга 1"
    assert conflict["patron_name"] == "Иванова Мария 2"
    assert {x["patron_id"] for x in conflict["own_history"]} == {"p1", "p2"}
    done = decide(one, event_id, rule="lent_to_other", choice="apply")
    assert done.json() == {"event_id": event_id, "answer": "accepted"}
    assert waiting(one)["conflicts"] == []
    with one.service.ledgers.reading(one.engine, REGION) as (_, ledger):
        (loan,) = ledger.state.open_loans_of_item("i1")
    assert (loan.patron_id, loan.is_disputed) == ("p2", False)
    (again,) = one.bring(token, tablet)["answers"]
    assert again["answer"] == "duplicate"


def test_a_decision_of_what_is_settled_is_refused(one: Library) -> None:
    """Two librarians: the second learns that there is nothing to decide."""
    _, _, event_id = clash(one)
    assert decide(one, event_id, rule="blocked", choice="apply").status_code == 409
    assert decide(one, event_id, rule="lent_to_other", choice="leave").status_code == 200
    second = decide(one, event_id, rule="lent_to_other", choice="apply")
    assert (second.status_code, second.json()["code"]) == (409, "circulation.no_conflict")
    assert decide(one, "nothing", rule="blocked", choice="allow").status_code == 404


def test_a_crew_decides_nothing(one: Library) -> None:
    _, token, event_id = clash(one)
    told = {"rule": "lent_to_other", "choice": "apply"}
    path = f"{ROOT}/conflicts/{event_id}/decision"
    assert one.ask("POST", path, token, json=told).status_code == 403
    assert one.ask("GET", ROOT, token).status_code == 403


def test_what_could_not_be_taken_is_shown_until_put_aside(one: Library) -> None:
    """Once, however often it was sent, with the reason in words."""
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    tablet.lend("i1", "p1", LATE)["body"]["colour"] = "red"
    for _ in range(3):
        one.bring(token, tablet)
    (refused,) = waiting(one)["refused"]
    assert refused["code"] == "journal.unknown_field"
    assert "colour" in refused["message"]
    assert one.ask("POST", f"{ROOT}/refused/{refused['number']}/seen").status_code == 204
    assert waiting(one)["refused"] == []


def upload(one: Library, kind: str, name: str, raw: bytes, **told: str) -> Any:
    return one.ask("POST", f"{ROOT}/uploads/{kind}", files={"file": (name, raw)}, data=told)


def test_stock_is_taken_in_and_known_items_keep_their_place(one: Library) -> None:
    """A trial stores nothing; in Windows-1251 as well; a hostile name is no path."""
    raw = "штрихкод;заглавие;автор\ni1;Вий;Гоголь\nn7;Нос;Гоголь\n;;\n".encode("cp1251")
    place = {"place": f"store:{NORTH}"}
    name = "../../stock.csv"
    tried = upload(one, "stock", name, raw, is_trial="true", **place)
    assert tried.status_code == 200, tried.text
    assert tried.json()["num_loaded"] == 2
    assert waiting(one)["num_items"] == 60
    assert upload(one, "stock", name, raw, **place).json()["num_loaded"] == 2
    with Ledgers().reading(one.engine, REGION) as (_, ledger):
        items, titles = ledger.state.items, ledger.state.titles
    assert str(items[ItemId("i1")].place) == f"vehicle:{NORTH}"
    assert str(items[ItemId("n7")].place) == f"store:{NORTH}"
    assert titles[items[ItemId("i1")].title_id].name == "Вий"


def test_an_unknown_item_is_known_after_its_import(one: Library) -> None:
    """A conflict that a catalogue settles waits for nobody any more."""
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    tablet.lend("n7", "p1", LATE)
    assert one.bring(token, tablet)["answers"][0]["conflict"]["rule"] == "item_unknown"
    raw = b"item_id,title\nn7,Nose\n"
    upload(one, "stock", "stock.csv", raw, place=f"vehicle:{NORTH}")
    assert waiting(one)["conflicts"] == []


def test_readers_are_taken_in_by_card(one: Library) -> None:
    """Who has the card keeps the id; a new reader gets one that says nothing of the card."""
    raw = "билет,фио,стоянки,дата_рождения\ncard-00001,Новая Фамилия,s4,1990-02-03\nX-1,Яна,s4,\n"
    told = upload(one, "readers", "readers.csv", raw.encode())
    assert told.json()["num_loaded"] == 2, told.text
    with Ledgers().reading(one.engine, REGION) as (_, ledger):
        (known,) = ledger.state.patrons_with_card("card-00001")
        (new,) = ledger.state.patrons_with_card("X-1")
    assert (known.patron_id, known.name) == ("p1", "Новая Фамилия")
    assert "X-1" not in new.patron_id
    assert len(new.patron_id) == 32
    upload(one, "readers", "readers.csv", raw.encode())
    assert waiting(one)["num_patrons"] == 24


def test_a_file_of_another_kind_is_refused(one: Library) -> None:
    wrong = upload(one, "stock", "stock.exe", b"MZ", place=f"vehicle:{NORTH}")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "circulation.unknown_format")
    place = upload(one, "stock", "stock.csv", b"item_id,title\n1,a\n", place="shelf:7")
    assert (place.status_code, place.json()["code"]) == (422, "circulation.bad_place")


def test_a_reader_is_forgotten(one: Library) -> None:
    """Nothing kept tells who it was; loans stay; the tablet's copy adds nothing again."""
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    tablet.write(
        "registration",
        LATE,
        STOPS[0],
        patron_id="new-1",
        card="secret-card",
        name="Тайнова Анна",
        phone="+7 911 1112233",
        birth_date="1980-05-06",
    )
    loan = tablet.lend("i1", "", LATE + timedelta(minutes=1), card="secret-card")
    del loan["body"]["patron_id"]
    odd = tablet.lend("i2", "new-1", LATE + timedelta(minutes=1))
    odd["body"]["colour"] = "secret-card"
    tablet.write("return", LATE + timedelta(minutes=2), STOPS[0], item_id="i1")
    answers = one.bring(token, tablet)["answers"]
    assert [a["answer"] for a in answers] == ["accepted", "accepted", "refused", "accepted"]
    gone = one.ask("DELETE", f"{ROOT}/patrons/new-1")
    assert gone.json() == {"patron_id": "new-1", "num_events": 2}
    with reading(one.engine) as session:
        documents = [
            *session.exec(select(JournalEventRow.facts)),
            *session.exec(select(CirculationThingRow.facts)),
            *session.exec(select(RefusedEventRow.facts)),
        ]
    kept = [json.dumps(document, ensure_ascii=False) for document in documents]
    for told in ("Тайнова", "secret-card", "1112233", "1980-05-06"):
        assert not any(told in text for text in kept), told
    with Ledgers().reading(one.engine, REGION) as (_, ledger):
        (past,) = [x for x in ledger.state.loans.values() if x.item_id == "i1"]
        assert past.patron_id == "new-1"
        assert ledger.state.patrons[PatronId("new-1")].name == ""
    again = one.bring(token, tablet)["answers"]
    assert [a["answer"] for a in again] == ["duplicate", "duplicate", "refused", "duplicate"]


def test_a_reader_with_items_is_not_forgotten(one: Library) -> None:
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    tablet.lend("i1", "p1", LATE)
    one.bring(token, tablet)
    wrong = one.ask("DELETE", f"{ROOT}/patrons/p1")
    assert (wrong.status_code, wrong.json()["code"]) == (409, "circulation.has_loans")
    assert one.ask("DELETE", f"{ROOT}/patrons/nobody").status_code == 404


def test_the_page_tells_and_takes_decisions(one: Library) -> None:
    """A librarian decides by a form; hostile names stay text."""
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    script = "<script>alert(1)</script>"
    tablet.write("registration", LATE, STOPS[0], patron_id="bad", card="b-1", name=script)
    tablet.lend("i1", "p1", LATE)
    event = tablet.lend("i1", "bad", LATE + timedelta(minutes=1))
    one.bring(token, tablet)
    page = one.ask("GET", f"../../desk/{REGION}/circulation", headers={"accept": "text/html"})
    assert page.status_code == 200, page.text
    assert script not in page.text
    assert "&lt;script&gt;" in page.text
    headers = {"origin": str(one.depot.client.base_url).rstrip("/"), "accept": "text/html"}
    told = {"rule": "lent_to_other", "choice": "apply", "asks_for": ""}
    path = f"../../desk/{REGION}/circulation/conflicts/{event['event_id']}"
    done = one.ask("POST", path, data=told, headers=headers)
    assert (done.status_code, done.headers["location"][-9:]) == (303, "told=done")
    again = one.ask("POST", path, data=told, headers=headers)
    assert again.status_code == 409


def test_readers_who_stay_away_are_forgotten(one: Library) -> None:
    """Who was there lately, has something, or of whom no date is known, stays."""
    stock_up(
        one.engine,
        Patron(patron_id=PatronId("old"), name="Старый", registered_date=date(2020, 1, 1)),
        Patron(patron_id=PatronId("has"), name="Должник", registered_date=date(2020, 1, 1)),
        Patron(patron_id=PatronId("new"), name="Новый", registered_date=date(2026, 1, 1)),
    )
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    tablet.lend("i1", "has", LATE)
    one.bring(token, tablet)
    assert forget_readers(one.service) == 1
    assert forget_readers(one.service) == 0
    with Ledgers().reading(one.engine, REGION) as (_, ledger):
        names = {i: ledger.state.patrons[PatronId(i)].name for i in ("old", "has", "new", "p1")}
    assert names == {"old": "", "has": "Должник", "new": "Новый", "p1": "Иванова Мария 1"}

"""The settled past of a region is folded: nothing is lost, nothing doubled, less is replayed."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from api.services.circulation_find import item_page
from api.services.circulation_persons import forget_patron
from api.services.circulation_settling import settle_region
from api.services.ledger import Ledgers
from api.services.visit_records import keep_records
from data.db import circulation_store
from data.db.engine import reading
from data.db.tables.circulation import JournalEventRow
from data.model.accounts import PROGRAM
from tests.api.circulation.library import (
    MORNING,
    STOPS,
    Library,
    TabletAt,
    library,
    pair,
    random_day,
    state_of,
)
from tests.api.circulation.test_sync_property import CutOffError, cut_after
from tests.api.tracking.depot import NORTH, REGION


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Library]:
    with library(tmp_path) as made:
        yield made


def fold(one: Library) -> int:
    keep_records(one.service, REGION)
    return settle_region(one.service, REGION, one.depot.now, least=1)


def ledger_size(one: Library) -> int:
    one.service.ledgers = Ledgers()
    with one.service.ledgers.reading(one.engine, REGION) as (_, ledger):
        return len(ledger.replay.steps)


def lent(one: Library) -> tuple[TabletAt, str]:
    """Lent and returned, and one more that is still on loan."""
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    tablet.lend("i1", "p1", MORNING + timedelta(hours=1))
    tablet.write("return", MORNING + timedelta(hours=2), STOPS[0], item_id="i1")
    tablet.lend("i2", "p2", MORNING + timedelta(hours=3))
    one.bring(token, tablet)
    return tablet, token


def test_a_folded_past_is_not_replayed_and_not_lost(one: Library) -> None:
    """The same state but for what has ended, which is looked up; events stay stored."""
    tablet, token = lent(one)
    before = state_of(one.engine)
    assert fold(one) == 3
    assert ledger_size(one) == 0
    after = state_of(one.engine)
    ended = {k: t for k, t in before.items() if k not in after}
    assert [key for _, key in ended] == [tablet.events[0]["event_id"], f"v-{STOPS[0]}"][:1]
    assert {k: t for k, t in before.items() if k in after} == after
    with one.service.ledgers.reading(one.engine, REGION) as (session, ledger):
        (past,) = ledger.loans_of_item(session, "i1")
        assert past.returned_at is not None
        assert len(session.exec(select(JournalEventRow)).all()) == 3
    again = one.bring(token, tablet)
    assert {a["answer"] for a in again["answers"]} == {"duplicate"}
    other = {**tablet.events[0], "body": {**tablet.events[0]["body"], "item_id": "i7"}}
    assert one.bring(token, tablet, [other])["answers"][0]["code"] == "journal.id_taken"
    assert fold(one) == 0


def test_what_comes_late_is_kept_and_asked_of(one: Library) -> None:
    """Earlier than the line, of an item that moved since: it waits for a person, and is stored."""
    lent(one)
    assert fold(one) == 3
    device, token = pair(one.engine, 2)
    late = TabletAt(device=device)
    late.lend("i1", "p5", MORNING)
    late.lend("i9", "p9", MORNING)
    told = one.bring(token, late)["answers"]
    assert [a["answer"] for a in told] == ["conflict", "accepted"]
    assert ledger_size(one) == 2
    with one.service.ledgers.reading(one.engine, REGION) as (_, ledger):
        assert [x.patron_id for x in ledger.state.open_loans_of_item("i9")] == ["p9"]
    shown = one.ask("GET", f"regions/{REGION}/circulation").json()["conflicts"]
    assert [c["rule"] for c in shown] == ["too_late"]
    assert shown[0]["message"] != "conflict.too_late"
    assert fold(one) == 0


def test_a_fold_that_is_cut_off_loses_nothing(one: Library) -> None:
    """At whichever statement, the commit included: all as before, and the next one does it."""
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    random_day(tablet, random.Random(3), 25)
    one.bring(token, tablet)
    for step in one.ask("GET", f"regions/{REGION}/circulation").json()["conflicts"]:
        path = f"regions/{REGION}/circulation/conflicts/{step['event_id']}/decision"
        one.ask("POST", path, json={"rule": step["rule"], "choice": "leave"})
    # The decisions are of the past as well by then.
    one.depot.now += timedelta(hours=1)
    keep_records(one.service, REGION)
    before = state_of(one.engine)
    num_cut = 0
    for at in range(60):
        one.service.ledgers = Ledgers()
        try:
            with cut_after(one.engine, at):
                assert settle_region(one.service, REGION, one.depot.now, least=1)
        except CutOffError:
            num_cut += 1
            with reading(one.engine) as session:
                head = circulation_store.circulation_head(session, REGION)
            if head.settled_until is None:
                assert state_of(one.engine) == before
                continue
        break
    assert num_cut > 10
    after = state_of(one.engine)
    assert {k: t for k, t in before.items() if k in after} == after
    assert ledger_size(one) < len(tablet.events)


def test_a_reader_is_forgotten_in_settled_events_too(one: Library) -> None:
    """Neither base nor any event of the past tells who it was."""
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    at = MORNING + timedelta(hours=1)
    tablet.write("registration", at, STOPS[0], patron_id="new", card="card-new", name="Петрова")
    tablet.lend("i3", "", at + timedelta(minutes=1), card="card-new")
    tablet.write("return", at + timedelta(minutes=2), STOPS[0], item_id="i3")
    one.bring(token, tablet)
    assert fold(one) == 3
    assert forget_patron(one.service, REGION, "new", by=PROGRAM) == 2
    with reading(one.engine) as session:
        told = str([row.facts for row in session.exec(select(JournalEventRow))])
    assert "Петрова" not in told
    assert "card-new" not in told
    again = one.bring(token, tablet)
    assert {a["answer"] for a in again["answers"]} == {"duplicate"}


def test_an_items_page_still_tells_where_it_was(one: Library) -> None:
    """Loans, returns and moves of an item read the same after they were folded."""
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    at = MORNING + timedelta(hours=1)
    tablet.lend("i1", "p1", at)
    tablet.write("return", at + timedelta(minutes=5), STOPS[0], item_id="i1")
    store = f"store:{NORTH}"
    tablet.write("move", at + timedelta(minutes=9), item_ids=["i1", "i2"], to_place=store)
    one.bring(token, tablet)

    def told() -> list[tuple[object, ...]]:
        page = item_page(one.service, REGION, "i1")
        return [(x.at, x.kind, x.place, x.to_place) for x in page.history]

    before = told()
    assert [(kind, to) for _, kind, _, to in before] == [
        ("move", store), ("return", ""), ("loan", "")
    ]  # fmt: skip
    assert fold(one) == 3
    assert ledger_size(one) == 0
    assert told() == before

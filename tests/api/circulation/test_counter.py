"""The issue desk: what a librarian does with a reader in front, and the rules of lending."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.auth import cookie_name, hash_token
from data.db import accounts_store
from data.db.engine import writing
from data.model.age_marks import AgeMark
from data.model.patrons import Patron, PatronId
from data.model.stock import Item, ItemId, PlaceKind, Title, TitleId
from fleet.circulation_state import Circulation
from tests.api.circulation.library import (
    ABOARD,
    MORNING,
    OLGA_TOKEN,
    STOPS,
    Library,
    TabletAt,
    library,
    pair,
    stock_up,
)
from tests.api.tracking.depot import REGION

DESK = f"/desk/{REGION}/circulation"
CHILD = Patron(
    patron_id=PatronId("child"), card="card-child", name="Юра", birth_date=date(2016, 5, 1)
)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """One service for all tests of this file: each works with readers and items of its own."""
    folder: Path = tmp_path_factory.mktemp("counter")
    with library(folder) as made:
        things = [CHILD]
        for name, mark in (("sixteen", AgeMark.SIXTEEN), ("eighteen", AgeMark.EIGHTEEN)):
            title = Title(title_id=TitleId(name), name=f"Для взрослых {name}", age_mark=mark)
            item = Item(item_id=ItemId(f"i-{name}"), title_id=title.title_id, place=ABOARD)
            things += [title, item]  # type: ignore[list-item]
        stock_up(made.engine, *things)
        yield made


def post(one: Library, path: str, token: str = OLGA_TOKEN, **form: Any) -> httpx.Response:
    """Send a form as the browser does; a redirect is not followed."""
    return one.depot.client.post(
        f"{DESK}/{path}", data=form, headers=browser(one, token), follow_redirects=False
    )


def later(one: Library, days: int) -> None:
    """Days pass; the librarian signs in again, as somebody who was away for a night has to."""
    one.depot.now += timedelta(days=days)
    with writing(one.engine) as session:
        accounts_store.touch_sign_in(session, hash_token(OLGA_TOKEN), one.depot.now)


def browser(one: Library, token: str) -> dict[str, str]:
    cookie = f"{cookie_name(one.service.settings)}={token}"
    return {"cookie": cookie, "accept-language": "en"}


def see(one: Library, path: str) -> str:
    answer = one.depot.client.get(f"{DESK}/{path}", headers=browser(one, OLGA_TOKEN))
    assert answer.status_code == 200, answer.text
    return answer.text


def state(one: Library) -> Circulation:
    with one.service.ledgers.reading(one.engine, REGION) as (_, ledger):
        return ledger.state


def test_a_loan_at_the_desk_is_due_at_the_next_visit_of_the_stop(one: Library) -> None:
    """With a stop its next visit within the days allowed; with none the most days."""
    assert post(one, "readers/p1/loan", item="i1", stop_id=STOPS[0]).status_code == 303
    assert post(one, "readers/p1/loan", item="i2").status_code == 303
    bound, free = sorted(state(one).open_loans_of_patron("p1"), key=lambda x: x.item_id)
    assert (bound.due.basis, free.due.basis) == ("visit", "given")
    assert timedelta(days=7) <= bound.due.due_date - MORNING.date() < timedelta(days=30)
    assert free.due.due_date == MORNING.date() + timedelta(days=30)
    assert (free.place.kind, free.place.key) == (PlaceKind.POINT, "@office")


def test_the_desk_takes_back_and_renews_by_the_item(one: Library) -> None:
    """Renewed once a day; returned by an inventory number or barcode, whoever had it."""
    post(one, "readers/p2/loan", item="i3")
    (loan,) = state(one).open_loans_of_patron("p2")
    later(one, days=1)
    assert post(one, "readers/p2/renew", loan_id=loan.loan_id).status_code == 303
    again = post(one, "readers/p2/renew", loan_id=loan.loan_id)
    assert (again.status_code, "renewed today" in again.text) == (409, True)
    done = post(one, "counter/return", item="i3")
    assert "said=returned&" in done.headers["location"]
    assert state(one).open_loans_of_patron("p2") == ()
    free = post(one, "counter/return", item="i3")
    assert "said=returned_free" in free.headers["location"]


def test_what_a_rule_forbids_is_refused_and_may_be_overridden_where_the_law_allows(
    one: Library,
) -> None:
    """Nothing is written down by a refusal; 16+ may be lent all the same, 18+ may not."""
    refused = post(one, "readers/child/loan", item="i-sixteen")
    assert (refused.status_code, "Do it all the same" in refused.text) == (409, True)
    assert state(one).open_loans_of_patron("child") == ()
    assert post(one, "readers/child/loan", item="i-sixteen", override="age_mark").status_code == 303
    firm = post(one, "readers/child/loan", item="i-eighteen", override="age_mark")
    assert (firm.status_code, "Do it all the same" in firm.text) == (409, False)
    other = post(one, "readers/p4/loan", item="i-sixteen")
    assert (other.status_code, "on loan to another reader" in other.text) == (409, True)


def test_unknown_and_empty_scans_are_told(one: Library) -> None:
    """A wrong barcode, no barcode, an unknown reader, an unknown act: told, and nothing done."""
    assert "No item has the number nope" in post(one, "counter/return", item="nope").text
    assert "Scan or type" in post(one, "counter/return", item=" ").text
    assert post(one, "readers/nobody/loan", item="i1").status_code == 404
    assert post(one, "readers/p1/steal", item="i1").status_code == 404
    hostile = post(one, "counter/return", item="<script>x</script>").text
    assert "<script>x" not in hostile


def test_a_reader_registers_at_the_desk_with_consent(one: Library) -> None:
    """Without consent nothing is kept; a card of another reader is refused; anew lasts a year."""
    assert post(one, "readers", name="Анна").status_code == 422
    taken = post(one, "readers", name="Анна", card="card-child", has_agreed="1")
    assert (taken.status_code, "Another reader has this card" in taken.text) == (409, True)
    made = post(one, "readers", name="Анна", card="card-anna", has_agreed="1", stop_id=STOPS[1])
    assert made.status_code == 303
    (anna,) = state(one).patrons_with_card("card-anna")
    assert (anna.name, anna.stop_ids) == ("Анна", frozenset({STOPS[1]}))
    later(one, days=2)
    assert post(one, f"readers/{anna.patron_id}/reregister", card="card-anna-2").status_code == 303
    (after,) = state(one).patrons_with_card("card-anna-2")
    assert after.expires_date is not None and anna.expires_date is not None
    assert after.expires_date - anna.expires_date == timedelta(days=2)


def test_a_hold_is_placed_handed_over_and_cancelled(one: Library) -> None:
    """Words that several titles have are followed by a choice; a hold with no item waits."""
    several = post(one, "readers/p5/hold", title="Книга 1", stop_id=STOPS[0])
    assert (several.status_code, "Which title is meant?" in several.text) == (200, True)
    assert post(one, "readers/p5/hold", title_id="t17", stop_id=STOPS[0]).status_code == 303
    (hold,) = [h for h in state(one).holds.values() if h.patron_id == "p5"]
    waiting = post(one, "readers/p5/hand-over", hold_id=hold.hold_id)
    assert (waiting.status_code, "No item is set aside" in waiting.text) == (409, True)
    assert post(one, "readers/p5/unhold", hold_id=hold.hold_id).status_code == 303
    assert not state(one).holds[hold.hold_id].is_open


def test_readers_and_items_are_found(one: Library) -> None:
    """By words of a name, by a whole card, by title; the item's page tells what happened."""
    assert "Иванова Мария 7" in see(one, "readers?q=мария 7")
    assert "card-00007" in see(one, "readers?q=card-00007")
    assert "Книга 9" in see(one, "items?q=книга 9")
    post(one, "readers/p6/loan", item="i40")
    page = see(one, "items/i40")
    assert "Иванова Мария 6" in page
    assert "Loan" in page or "Issue" in page


def test_a_crew_has_no_desk(one: Library) -> None:
    """A tablet's token opens neither the desk nor its forms."""
    _, token = pair(one.engine, 9)
    assert post(one, "counter/return", token, item="i1").status_code == 403
    assert post(one, "rules", token, least_days="1").status_code == 403


RULES = {
    "least_days": "7", "most_days": "20", "most_renewals": "2", "overdue_days": "14",
    "hold_visits": "2", "firm_mark_years": "18", "doubt_days": "4", "snapshot_hours": "72",
    "registration_days": "365", "most_loans.person": "3", "most_loans.home": "20",
    "is_due_at_visit": "1",
}  # fmt: skip


def test_rules_count_from_when_they_are_changed(one: Library) -> None:
    """What a tablet lent before is judged by the rules of its time, whenever it comes."""
    device, token = pair(one.engine, 3)
    before = TabletAt(device=device)
    for n in range(5):
        before.lend(f"i{50 + n}", "p9", one.depot.now - timedelta(minutes=50 - n))
    assert post(one, "rules", **{**RULES, "seen": "0"}).status_code == 303
    assert post(one, "rules", **{**RULES, "seen": "0"}).status_code == 409
    wrong = post(one, "rules", **{**RULES, "seen": "1", "most_days": "x"})
    assert (wrong.status_code, "Most days of a loan" in wrong.text) == (422, True)
    one.depot.now += timedelta(minutes=10)
    answers = one.bring(token, before)["answers"]
    assert {a["answer"] for a in answers} == {"accepted"}
    refused = post(one, "readers/p9/loan", item="i58")
    assert (refused.status_code, "item 6 of at most 3" in refused.text) == (409, True)
    shown = see(one, "rules")
    assert "30 → 20" in shown
    assert "Ольга" in shown
    assert one.day(token)["rules"]["most_days"] == 20

"""A dispatcher cancels a visit on which loans and holds rest, in a browser, and takes it back."""

from datetime import date, timedelta

import pytest
from playwright.sync_api import Page

from api.services.ledger import Ledgers
from data.db import publication_store
from data.db.engine import reading
from data.model.accounts import Role
from data.model.loans import Due, DueBasis, Hold, HoldId, HoldState, Loan, LoanId
from data.model.patrons import PatronId
from data.model.publication import PromisedVisit
from data.model.stock import ItemId, TitleId
from tests.api.circulation.library import ABOARD, MORNING, STOPS, readers, stock, stock_up
from tests.api.tracking.depot import REGION, fill
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit
from tests.fleet.days import DAY

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
DESK = f"/desk/{REGION}"
STOP = STOPS[0]


def visits(running: Running) -> tuple[PromisedVisit, ...]:
    """The stop's visits after today."""
    with reading(running.engine) as session:
        found = publication_store.load_visits(
            session, REGION, from_date=DAY + timedelta(days=1), stop_id=STOP
        )
    return tuple(sorted(found, key=lambda v: v.opens_date))


@pytest.fixture(scope="module", autouse=True)
def lent(running: Running) -> tuple[PromisedVisit, ...]:
    """Two books are lent until the next visit of the stop, and a hold lies ready for it."""
    running.service.clock = lambda: MORNING + timedelta(hours=9)
    fill(running.engine, MORNING)
    coming = visits(running)
    due = Due(due_date=coming[0].opens_date, basis=DueBasis.VISIT, visit_id=coming[0].visit_id)
    loans = [
        Loan(
            loan_id=LoanId(f"loan-{n}"), item_id=ItemId(f"i{n}"), patron_id=PatronId(f"p{n}"),
            stop_id=STOP, loaned_at=MORNING - timedelta(days=7), due=due, place=ABOARD,
            due_from_date=DAY - timedelta(days=7),
        )
        for n in (1, 2)
    ]  # fmt: skip
    hold = Hold(
        hold_id=HoldId("h1"), title_id=TitleId("t5"), patron_id=PatronId("p3"), stop_id=STOP,
        placed_at=MORNING - timedelta(days=3), state=HoldState.READY, item_id=ItemId("i5"),
        pickup_visit_id=coming[0].visit_id, pickup_date=coming[0].opens_date,
        keep_until_date=coming[1].opens_date,
    )  # fmt: skip
    stock_up(running.engine, *stock(), *readers(), *loans, hold)
    return coming


def standing(running: Running) -> tuple[set[date], date | None, date | None]:
    """Due dates, and when the hold can be had and until when it is kept."""
    with Ledgers().reading(running.engine, REGION) as (_, ledger):
        state = ledger.state
        held = state.holds[HoldId("h1")]
        dues = {x.due.due_date for x in state.loans.values()}
        return dues, held.pickup_date, held.keep_until_date


def ask(page: Page) -> None:
    """Ask what a cancel would do, of the visit that the form knows."""
    page.locator("input[name=scope][value=visit]").check()
    page.locator("select[name=reason]").select_option(value="weather")
    page.locator("#ask button").click()
    page.wait_for_selector("#shown")


@pytest.mark.parametrize(
    ("language", "dues", "holds", "moved"),
    [
        (
            "ru",
            "срок возврата 2 выданных книг",
            "1 заказ сохранится",
            "Сдвинут срок возврата 2 книг",
        ),
        ("en", "due dates of 2 loans move", "1 hold is kept", "due dates of 2 loans have moved"),
    ],
)
def test_due_dates_and_holds_are_told_moved_and_restored(
    running: Running,
    visit: Visit,
    lent: tuple[PromisedVisit, ...],
    language: str,
    dues: str,
    holds: str,
    moved: str,
) -> None:
    """The preview counts them, one confirm moves them to the next visits, one undo restores all."""
    first, second, third = (v.opens_date for v in lent[:3])
    before = standing(running)
    assert before == ({first}, first, second)
    desk = visit(Role.DISPATCHER, language=language)
    page = desk.open(f"{DESK}/cancel?visit={lent[0].visit_id}")
    ask(page)
    told = page.locator("main").inner_text()
    assert dues in told
    assert holds in told
    assert desk.axe() == []
    desk.shot(f"cancel-dues-{language}", whole=True)
    assert standing(running) == before
    page.locator("form[method=post] button.button-bad").click()
    page.wait_for_url("**told=done")
    assert moved in page.locator("main").inner_text()
    assert standing(running) == ({second}, second, third)
    assert desk.axe() == []
    desk.shot(f"cancel-dues-done-{language}", whole=True)
    page.locator("form[action$='/undo'] button").click()
    page.wait_for_url("**told=undone")
    assert moved not in page.locator("main").inner_text()
    assert standing(running) == before
    desk.assert_quiet()

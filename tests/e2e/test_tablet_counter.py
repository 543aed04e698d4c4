"""New readers, moves, boxes, groups and homes on the tablet, with no network, in both languages."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect

from data.model.patrons import Patron, PatronId, PatronKind
from data.model.stock import BoxId, Item, ItemPlace, PlaceKind
from tests.api.circulation.library import STOPS, stock_up
from tests.api.tracking.depot import NORTH, REGION
from tests.e2e.service import NEEDS_CHROMIUM, Running
from tests.e2e.tablet import Aboard, barcode, scan, settle, show, stock, waits
from tests.e2e.test_tablet_day import events_of

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
POINT = ItemPlace(kind=PlaceKind.POINT, key=str(STOPS[0]))


@pytest.fixture(scope="module")
def aboard(running: Running) -> Iterator[Aboard]:
    expect.set_options(timeout=30_000)
    made = Aboard.begin(running)
    boxed = [
        replace(item, place=POINT, box_id=BoxId("К-7"))
        for item in stock(60)
        if isinstance(item, Item) and item.item_id in (barcode(50), barcode(51))
    ]
    school = Patron(
        patron_id=PatronId("school"),
        kind=PatronKind.COLLECTIVE,
        name="Школа, 3 класс",
        stop_ids=frozenset({STOPS[0]}),
    )
    stock_up(running.engine, *boxed, school)
    yield made
    expect.set_options(timeout=5_000)


@pytest.mark.parametrize(
    ("language", "width", "height", "item"), [("ru", 800, 1280, 35), ("en", 390, 844, 41)]
)
def test_a_new_reader_borrows_at_once(
    aboard: Aboard, chromium: Browser, language: str, width: int, height: int, item: int
) -> None:
    """Registered, lent to and renewed offline; a name never lies readable on the tablet."""
    code = f"NEW-{language}"
    with aboard.browser(chromium, language=language, width=width, height=height) as tablet:
        page = tablet.open("/tablet")
        settle(page)
        page.context.set_offline(True)
        scan(page, code)
        page.locator(".t-choice").first.click()
        page.locator("#register-name").fill("Петрова Ольга <b>")
        page.locator("dialog input[type=date]").fill("2015-03-01")
        tablet.shot("tablet-register")
        assert tablet.axe() == []
        page.locator(".t-check input").last.check()
        page.locator("dialog .t-main-button").click()
        expect(page.locator("#reader-name")).to_have_text("Петрова Ольга <b>")
        scan(page, barcode(item))
        waits(page, 2)
        page.locator(".t-reader .t-tools button").first.click()
        page.locator("dialog .t-main-button").click()
        waits(page, 3)
        assert tablet.axe() == []
        assert tablet.overflow_px() == 0
        assert "Петрова" not in str(events_of(page))
        page.reload()
        page.wait_for_selector("body[data-ready]")
        show(page, "lend")
        scan(page, code)
        expect(page.locator(".t-reader")).to_contain_text("Муми-тролль")
        page.context.set_offline(False)
        waits(page, 0)
    with aboard.running.service.ledgers.reading(aboard.running.engine, REGION) as (_, ledger):
        (patron,) = ledger.state.patrons_with_card(code)
        assert patron.name == "Петрова Ольга <b>"
        assert [x.item_id for x in ledger.state.open_loans_of_patron(patron.patron_id)] == [
            barcode(item)
        ]


def test_items_are_moved_by_scan_and_boxes_come_and_go(aboard: Aboard, chromium: Browser) -> None:
    """Shelves to a point in a box; a box fetched by one tap; a slip taken back."""
    with aboard.browser(chromium) as tablet:
        page = tablet.open("/tablet")
        settle(page)
        page.context.set_offline(True)
        visit = page.locator(".t-card-open").first.get_attribute("href") or ""
        show(page, visit.removeprefix("#"))
        page.get_by_role("button", name="Забрать К-7").click()
        waits(page, 1)
        page.get_by_role("button", name="Оставить здесь книги или комплект").click()
        page.locator("#move-box").fill("К-8")
        for number in (10, 11):
            scan(page, barcode(number))
        expect(page.locator("#move-write")).to_contain_text("2 экземпляра")
        tablet.shot("tablet-move")
        assert tablet.axe() == []
        page.locator("#move-write").click()
        waits(page, 2)
        # A book on loan is not on the shelf: its return is asked for first.
        scan(page, barcode(20))
        page.get_by_role("dialog").get_by_role("button", name="Принять и добавить").click()
        waits(page, 3)
        page.locator(".t-target").nth(1).click()
        page.locator("#move-write").click()
        waits(page, 4)
        page.locator(".t-toast").get_by_role("button", name="Отменить").click()
        waits(page, 5)
        page.context.set_offline(False)
        waits(page, 0)
        expect(page.locator(".t-queue")).to_contain_text("Всё отправлено")
    with aboard.running.service.ledgers.reading(aboard.running.engine, REGION) as (_, ledger):
        items = {str(key): item for key, item in ledger.state.items.items()}
    assert {str(items[barcode(n)].place) for n in (50, 51)} == {f"vehicle:{NORTH}"}
    assert [items[barcode(n)].box_id for n in (10, 11)] == ["К-8", "К-8"]
    assert {str(items[barcode(n)].place) for n in (10, 11)} == {str(POINT)}
    assert str(items[barcode(20)].place) == f"vehicle:{NORTH}"


def test_a_group_is_served_without_a_card(aboard: Aboard, chromium: Browser) -> None:
    """The stop's card lists groups; three taps and scans lend to one."""
    with aboard.browser(chromium) as tablet:
        page = tablet.open("/tablet")
        settle(page)
        page.context.set_offline(True)
        visit = page.locator(".t-card-open").first.get_attribute("href") or ""
        show(page, visit.removeprefix("#"))
        page.get_by_role("button", name="Обслужить Школа").click()
        expect(page.locator("#reader-name")).to_have_text("Школа, 3 класс")
        scan(page, barcode(47))
        waits(page, 1)
        (loan,) = events_of(page)
        assert (loan["kind"], loan["body"]["patron_id"]) == ("loan", "school")

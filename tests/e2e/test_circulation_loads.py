"""Loading a run and moving items as a librarian does it, in a browser."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from data.model.accounts import Role
from data.model.stock import Item, ItemId, ItemPlace, PlaceKind, Title, TitleId
from tests.api.circulation.library import ABOARD, MORNING, STOPS, readers, stock_up
from tests.api.tracking.depot import NORTH, REGION, fill
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit, Visitor
from tests.fleet.days import DAY

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
DESK = f"/desk/{REGION}/circulation"
STORE = ItemPlace(kind=PlaceKind.STORE, key=str(NORTH))
SHELVES = ("84(2) Русская литература", "84(4) Зарубежная литература", "28 Природа", "Дети")


def shelved(num_titles: int = 160) -> list[Title | Item]:
    """Two copies of each title: one aboard, one in the store; one title is hostile."""
    found: list[Title | Item] = []
    for n in range(num_titles):
        shelf = SHELVES[n % len(SHELVES)]
        title = Title(
            title_id=TitleId(f"t{n}"), name=f"Книга {n}" if n else "<script>alert(1)</script>",
            author="Автор", shelf=shelf, is_for_children=shelf == "Дети", year=2000 + n % 27,
            is_accessible=n % 31 == 0,
        )  # fmt: skip
        item = Item(
            item_id=ItemId(f"a{n}"), title_id=title.title_id, place=ABOARD, thickness_mm=18,
            acquired_date=date(2026, 10, 1) if n % 9 == 0 else None,
        )  # fmt: skip
        found += [title, item, replace(item, item_id=ItemId(f"s{n}"), place=STORE)]
    return found


@pytest.fixture(scope="module", autouse=True)
def stocked(running: Running) -> None:
    fill(running.engine, MORNING)
    stock_up(running.engine, *shelved(), *readers())


@pytest.fixture(params=["ru", "en"])
def desk(visit: Visit, request: pytest.FixtureRequest) -> Visitor:
    return visit(Role.LIBRARIAN, language=request.param)


def test_a_run_is_loaded(desk: Visitor) -> None:
    """Chosen under rules, asked why, carried aboard; what the form cannot take is told."""
    page = desk.page
    desk.open(f"{DESK}/loads?vehicle={NORTH}&date={DAY.isoformat()}")
    assert desk.axe() == []
    if not page.locator("input[name=num_items]").is_visible():
        # Chosen before, in the other language: the rules are folded.
        page.locator("details:has(input[name=num_items]) > summary").first.click()
    page.locator("input[name=num_items]").fill("100")
    page.locator("input[name=capacity_m]").fill("2")
    page.locator("form[action$='/plan'] button").click()
    page.locator("dl.figures").wait_for()
    assert "<script>" not in page.content().replace("&lt;script", "")
    desk.shot("loads", whole=True)
    assert desk.axe() == []
    page.emulate_media(media="print")
    desk.shot("loads-print", whole=True)
    # Nothing of the lists is behind a scroll bar of paper, nothing on it is to be pressed.
    for box in page.locator(".table-wrap.tall:visible").all():
        assert box.evaluate("e => e.scrollHeight - e.clientHeight") <= 1
    assert page.locator("button:visible, .tabs:visible, nav:visible").count() == 0
    page.emulate_media(media="screen")
    page.evaluate("window.print = () => { window.isPrinted = true; }")
    page.locator("[data-print]").click()
    assert page.evaluate("window.isPrinted") is True
    page.locator("input[name=why]").fill("Книга 12")
    page.locator("form[role=search] button").click()
    page.locator("#why").wait_for()
    desk.shot("loads-why")
    assert desk.axe() == []
    desk.assert_quiet()


def test_a_box_is_left_at_a_point(desk: Visitor) -> None:
    """Scanned into a box with the date to fetch it; unknown numbers move nothing."""
    page = desk.page
    number = "s20" if desk.language == "ru" else "s21"
    desk.open(f"{DESK}/moves")
    assert desk.axe() == []
    page.locator("textarea[name=items]").fill(f"{number}\nnobody")
    page.locator("select[name=place]").select_option(f"point:{STOPS[1]}")
    page.locator("input[name=box]").fill("Школа 1")
    page.locator("input[name=back]").fill((DAY + timedelta(days=28)).isoformat())
    desk.expect(404)
    page.locator("form[method=post] button.button-main").click()
    page.locator("#fault").get_by_text("nobody").wait_for()
    desk.shot("moves-refused")
    page.locator("textarea[name=items]").fill(number)
    page.locator("form[method=post] button.button-main").click()
    page.locator("div.note-good[role=status]").wait_for()
    page.get_by_role("rowheader", name="Школа 1").wait_for()
    desk.shot("moves", whole=True)
    assert desk.axe() == []
    desk.assert_quiet()

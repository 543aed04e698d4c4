"""The live board in a browser: what is told of each vehicle, alerts, what changes by itself."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from data.db import alert_store
from data.db.engine import reading
from data.model.accounts import Role
from tests.api.tracking.depot import NORTH, REGION, SOUTH
from tests.e2e.road import Road
from tests.e2e.service import NAMES, NEEDS_CHROMIUM, Running, Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
LIVE = f"/desk/{REGION}/live"


@pytest.fixture(scope="module")
def road(running: Running) -> Iterator[Road]:
    """The morning of the day; the tests let it go on, one after another."""
    yield Road.begin(running)


def open_live(visitor: Visitor, *, with_map: bool = False, query: str = "") -> Page:
    """The board; most tests do without the map, which is slow to draw."""
    if not with_map:
        visitor.page.route("**/basemap.pmtiles", lambda route: route.fulfill(status=404))
        visitor.expect(404)
    page = visitor.open(LIVE + query, ready="body[data-live]")
    if with_map:
        page.wait_for_selector("#live-map[data-ready]")
    return page


def card(page: Page, number: int) -> str:
    """What the list says of a vehicle, by its place in the fleet."""
    return page.locator(".vehicle").nth(number).inner_text()


def test_before_the_start_the_timetable_speaks(road: Road, visit: Visit) -> None:
    """Nobody is on the road: the board says so, and that no position came today."""
    desk = visit(Role.DISPATCHER, language="ru")
    page = open_live(desk)
    assert page.locator("#alerts-title").inner_text() == "Предупреждений нет"
    assert "на базе" in card(page, 0)
    assert "сегодня отметок не было" in card(page, 0)
    expect(page.locator(".live-clock")).to_contain_text("07:00")
    expect(page.locator(".live-clock")).to_contain_text("на связи")
    desk.assert_quiet()


@pytest.mark.parametrize(
    ("language", "width", "height", "dark"),
    [("ru", 1366, 768, False), ("en", 800, 1180, False), ("en", 1366, 768, True)],
)
def test_list_and_map_side_by_side(
    road: Road,
    visit: Visit,
    language: str,
    width: int,
    height: int,
    dark: bool,  # noqa: FBT001
) -> None:
    """Both vehicles drive; the chosen one shows its day. Accessible, and it fits the window."""
    road.tell(max(road.now, road.at(10, 15)))
    desk = visit(Role.DISPATCHER, language=language, width=width, height=height, dark=dark)
    page = open_live(desk, with_map=True)
    words = {
        "ru": ("едет на стоянку «Каменское»", "прибудет в", "отметка", "по графику", "состоялась"),
        "en": ("drives to Каменское", "arrives", "position", "in time", "kept"),
    }[language]
    for word in words[:4]:
        assert word in card(page, 0)
    assert desk.axe() == []
    desk.shot("live")
    page.locator(".vehicle-open").first.click()
    rows = page.locator(".vehicle").first.locator("tbody tr")
    expect(rows).to_have_count(5)
    assert words[4] in rows.nth(0).inner_text()
    assert "≈" in rows.nth(1).inner_text()
    expect(page).to_have_url(re.compile(f"vehicle={NORTH}"))
    page.wait_for_timeout(1000)
    assert desk.axe() == []
    assert desk.overflow_px() == 0
    desk.shot("live-chosen")
    desk.assert_quiet()


def test_the_board_moves_by_itself(road: Road, visit: Visit) -> None:
    """Positions that come in while the board is open show without a reload."""
    road.tell(max(road.now, road.at(10, 15)))
    desk = visit(Role.DISPATCHER, language="ru")
    page = open_live(desk, query=f"?vehicle={NORTH}")
    expect(page.locator(".vehicle").first).to_contain_text("едет на стоянку «Каменское»")
    road.tell(road.at(10, 40))
    expect(page.locator(".vehicle").first).to_contain_text("на стоянке «Каменское» до 11:35")
    expect(page.locator(".vehicle").first.locator("tbody tr").nth(1)).to_contain_text("на стоянке")
    expect(page.locator(".live-clock")).to_contain_text("10:4")
    desk.assert_quiet()


def test_an_alert_is_taken_on_by_keyboard(road: Road, visit: Visit) -> None:
    """A late vehicle raises an alert; who takes it on and the note stand on every open board."""
    road.tell(road.at(12, 40))
    watcher = visit(Role.ANALYST, language="en")
    open_live(watcher)
    desk = visit(Role.DISPATCHER, language="ru")
    page = open_live(desk)
    late = page.locator(".alert", has_text="КИБО-2").filter(has_text="опоздает на стоянку").first
    expect(late).to_be_visible()
    expect(page.locator(".vehicle").nth(1).locator(".badge").first).to_contain_text("опаздывает на")
    late.get_by_role("button", name="Беру на себя").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Заметка: что делается")).to_be_focused()
    assert desk.axe() == []
    page.keyboard.press("Escape")
    expect(late.get_by_role("button", name="Беру на себя")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("Позвонил: <b>объезд</b>")
    desk.shot("live-note")
    page.keyboard.press("Enter")
    taken = page.locator(".alert.is-taken").first
    expect(taken).to_contain_text(f"взято в работу: {NAMES[Role.DISPATCHER]}")
    expect(taken).to_contain_text("Позвонил: <b>объезд</b>")
    expect(taken.locator(".alert-text")).to_be_focused()
    expect(watcher.page.locator(".alert.is-taken").first).to_contain_text("took it on")
    assert watcher.page.get_by_role("button", name="Take on").count() == 0
    with reading(road.running.engine) as session:
        notes = [a.note for a in alert_store.open_alerts(session, REGION)]
    assert "Позвонил: <b>объезд</b>" in notes
    for one in (desk, watcher):
        one.assert_quiet()


def test_a_silent_vehicle_is_told(road: Road, visit: Visit) -> None:
    """A vehicle that is not heard of while it should drive raises an alert by itself."""
    desk = visit(Role.DISPATCHER, language="ru")
    page = open_live(desk)
    road.tell(road.at(14, 10), NORTH)
    silent = page.locator(".alert", has_text="нет связи").first
    expect(silent).to_contain_text("КИБО-2")
    expect(page.locator(".vehicle").nth(1).locator(".age")).to_contain_text("нет связи")
    desk.shot("live-silent")
    road.tell(road.at(14, 11), SOUTH)
    expect(page.locator(".alert", has_text="нет связи")).to_have_count(0)


def test_the_keyboard_goes_through_the_vehicles(road: Road, visit: Visit) -> None:
    """Arrows go from vehicle to vehicle, Enter opens and closes a day."""
    desk = visit(Role.LIBRARIAN, language="en")
    page = open_live(desk)
    heads = page.locator(".vehicle-open")
    heads.first.focus()
    page.keyboard.press("ArrowDown")
    expect(heads.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(heads.nth(1)).to_have_attribute("aria-expanded", "true")
    # Where somebody drove is the dispatcher's to see.
    assert page.get_by_role("link", name="Replay of the day").count() == 0
    page.keyboard.press("Enter")
    expect(heads.nth(1)).to_have_attribute("aria-expanded", "false")
    assert page.get_by_role("link", name="Trackers").count() == 0

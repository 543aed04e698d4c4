""" "Where is it now" for residents in a browser: without scripts first, refreshed with them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.api.tracking.depot import NORTH, REGION
from tests.e2e.road import Road
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
PAGES = f"/r/{REGION}"
LATER = f"{PAGES}/stops/s6"
"""Berezhkovskoe, the third stop of the first vehicle: 12:40 to 13:40."""


@pytest.fixture(scope="module")
def road(running: Running) -> Iterator[Road]:
    """The morning of the day, before anybody has left."""
    yield Road.begin(running)


@pytest.mark.usefixtures("road")
def test_before_the_start_the_timetable_speaks(visit: Visit) -> None:
    """Nothing is measured, and the page says that the time is the timetable's."""
    reader = visit(None, language="ru")
    page = reader.open(LATER)
    told = page.locator("#now").inner_text()
    assert "По расписанию начало в 12:40" in told
    assert "по расписанию, без GPS" in told
    assert reader.axe() == []
    reader.assert_quiet()


def test_without_scripts_the_pages_tell_all(
    road: Road, chromium: Browser, running: Running
) -> None:
    """Stop, vehicle, region: by GPS, when it comes between what times; a link asks anew."""
    road.tell(road.at(10, 15))
    context = chromium.new_context(java_script_enabled=False, locale="ru-RU")
    page = context.new_page()
    page.goto(running.url + LATER)
    told = page.locator("#now").inner_text()
    assert "Приедет вовремя: начало в 12:40" in told
    assert "Прибудет примерно в 12:2" in told
    assert "по GPS" in told
    assert "До вас ещё 1 стоянка" in told
    assert "На 10:15" in told
    page.locator("#now summary").click()
    stops = page.locator("#now .now-stops li")
    assert stops.count() == 5
    assert "был 08:3" in stops.nth(0).inner_text() or "был 08:4" in stops.nth(0).inner_text()
    assert "12:40–13:40" in page.locator("#now .is-mine").inner_text()
    page.get_by_role("link", name="Обновить").click()
    page.wait_for_url(f"**{LATER}")
    page.goto(f"{running.url}{PAGES}/vehicles/{NORTH}")
    assert "Едет на стоянку «Каменское»" in page.locator("#now").inner_text()
    page.goto(running.url + PAGES)
    assert "КИБО-2" in page.locator("#now").inner_text()
    page.goto(f"{running.url}{PAGES}/now")
    assert page.locator(".now-vehicle").count() == 2
    # The way is drawn without scripts: every stop with its number, the vehicle on the line.
    drawing = page.locator(".now-vehicle").first.locator("svg")
    assert drawing.locator(".way-stop").count() == 5
    assert drawing.locator(".way-vehicle").count() == 1
    assert "точное положение машины не раскрывается" in page.locator("#now").inner_text()
    # Nothing finer than stops is told to the public.
    for path in (LATER, f"{PAGES}/vehicles/{NORTH}", PAGES, f"{PAGES}/now"):
        page.goto(running.url + path)
        with_fix = f"{road.fixes[NORTH][-1].lat:.3f}"
        assert with_fix not in page.locator("[data-now]").inner_html()
    context.close()


def test_the_part_is_fetched_again(road: Road, visit: Visit) -> None:
    """With scripts the part of the page changes in place; what is unfolded stays so."""
    reader = visit(None, language="en", width=390, height=800)
    page = reader.open(LATER)
    page.locator("#now summary").click()
    assert "On the way to" not in page.locator("#now").inner_text()
    road.tell(road.at(12, 50))
    page.get_by_role("link", name="Refresh").click()
    expect(page.locator("#now")).to_contain_text("It is here until 13:40")
    assert page.locator("#now details").get_attribute("open") is not None
    expect(page.get_by_role("link", name="Refresh")).to_be_focused()
    assert reader.axe() == []
    reader.assert_quiet()


@pytest.mark.parametrize(
    ("language", "width", "height", "dark"),
    [("ru", 1366, 768, False), ("en", 800, 1180, True), ("ru", 390, 800, False)],
)
def test_every_page_is_accessible_and_fits(
    road: Road,
    visit: Visit,
    language: str,
    width: int,
    height: int,
    dark: bool,  # noqa: FBT001
) -> None:
    """No violation of WCAG 2.1 AA, nothing wider than the window, no complaint."""
    road.tell(max(road.now, road.at(12, 50)))
    reader = visit(None, language=language, width=width, height=height, dark=dark)
    for name, path in {
        "home": PAGES,
        "now": f"{PAGES}/now",
        "stop": LATER,
        "vehicle": f"{PAGES}/vehicles/{NORTH}",
    }.items():
        reader.open(path)
        assert reader.axe() == [], path
        assert reader.overflow_px() == 0, path
        reader.shot(f"now-{name}", whole=True)
    reader.assert_quiet()


def test_a_vehicle_that_fell_silent_is_by_the_timetable(road: Road, visit: Visit) -> None:
    """After a quarter of an hour without a position on the way the label changes."""
    road.tell(road.at(13, 54))
    reader = visit(None, language="ru")
    page = reader.open(f"{PAGES}/vehicles/{NORTH}")
    expect(page.locator("#now")).to_contain_text("по GPS")
    road.now = road.at(14, 25)
    page.get_by_role("link", name="Обновить").click()
    expect(page.locator("#now")).to_contain_text("по расписанию, без GPS")
    reader.assert_quiet()

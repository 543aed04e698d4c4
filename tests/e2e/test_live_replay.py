"""The replay of a day in a browser: plan and track over each other, time, rejected positions."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from data.model.accounts import Role
from tests.api.tracking.depot import NORTH, REGION
from tests.e2e.road import Road
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit, Visitor
from tests.fleet.days import DAY

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
DAY_PAGE = f"/desk/{REGION}/live/{NORTH}?date={DAY.isoformat()}"


@pytest.fixture(scope="module")
def road(running: Running) -> Iterator[Road]:
    """The evening of the day: both vehicles are back."""
    road = Road.begin(running)
    road.tell(road.at(20))
    yield road


def open_day(visitor: Visitor, path: str = DAY_PAGE, *, with_map: bool = False) -> Page:
    """The replay; most tests do without the map, which is slow to draw."""
    if not with_map:
        visitor.page.route("**/basemap.pmtiles", lambda route: route.fulfill(status=404))
        visitor.expect(404)
    page = visitor.open(path, ready="body[data-live]")
    if with_map:
        page.wait_for_selector("#day-map[data-ready]")
    return page


@pytest.mark.parametrize(
    ("language", "width", "height"), [("ru", 1366, 768), ("en", 1180, 800), ("en", 800, 1180)]
)
@pytest.mark.usefixtures("road")
def test_plan_and_track_over_each_other(
    visit: Visit, language: str, width: int, height: int
) -> None:
    """Five stops planned against actual, figures, the reasons of rejected positions; accessible."""
    desk = visit(Role.DISPATCHER, language=language, width=width, height=height)
    page = open_day(desk, with_map=True)
    rows = page.locator(".stops-table tbody tr")
    expect(rows).to_have_count(5)
    kept = {"ru": "состоялась", "en": "kept"}[language]
    assert all(kept in text for text in rows.all_inner_texts())
    assert "5 / 5" in page.locator(".day-figures").inner_text()
    jump = {"ru": "невозможная скорость", "en": "impossible speed"}[language]
    assert re.search(rf"{jump}: \d+", page.locator(".rejects").inner_text())
    page.wait_for_timeout(1000)
    assert desk.axe() == []
    assert desk.overflow_px() == 0
    desk.shot("live-day")
    desk.assert_quiet()


@pytest.mark.usefixtures("road")
def test_the_slider_moves_by_keyboard(visit: Visit) -> None:
    """Arrows move time by ten seconds, told with speed or stop; play runs, pause stops."""
    desk = visit(Role.DISPATCHER, language="ru")
    page = open_day(desk)
    slider = page.get_by_label("Показанное время")
    page.get_by_role("button", name="следующая стоянка").click()
    expect(slider).to_have_attribute("aria-valuetext", re.compile("на стоянке «Междуречье»"))
    before = int(slider.input_value())
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert before - 30_000 <= int(slider.input_value()) <= before - 10_000
    for _ in range(12):
        page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^08:3\d:\d\d, \d+ км/ч$"))
    page.get_by_label("Скорость показа").select_option("1000")
    page.get_by_role("button", name="Пуск").click()
    expect(page.get_by_role("button", name="Пауза")).to_be_visible()
    page.wait_for_function(
        "before => Number(document.querySelector('#day-moment').value) > before + 60000", arg=before
    )
    page.get_by_role("button", name="Пауза").click()
    held = slider.input_value()
    page.wait_for_timeout(500)
    assert slider.input_value() == held
    desk.assert_quiet()


@pytest.mark.usefixtures("road")
def test_another_day_is_chosen_by_a_form(visit: Visit) -> None:
    """A day without a run or a track says so in words; the form leads to vehicle and date."""
    desk = visit(Role.DISPATCHER, language="ru")
    page = open_day(desk)
    page.get_by_label("Дата").fill("2026-11-30")
    page.get_by_role("button", name="Показать").click()
    page.wait_for_url("**/live/kibo-1?date=2026-11-30")
    page.wait_for_selector("body[data-live]")
    expect(page.locator("main")).to_contain_text("На этот день стоянок в графике не было.")
    expect(page.locator("main")).to_contain_text("Трека за этот день нет")
    assert desk.axe() == []
    desk.assert_quiet()


@pytest.mark.usefixtures("road")
def test_only_dispatchers_see_where_somebody_drove(running: Running, visit: Visit) -> None:
    """Librarian and analyst are refused, page and API alike; what is no vehicle is not found."""
    for role in (Role.LIBRARIAN, Role.ANALYST):
        with running.api(role) as api:
            assert api.get(DAY_PAGE, headers={"accept": "text/html"}).status_code == 403
            tracks = f"/api/v1/regions/{REGION}/tracks/{NORTH}?date={DAY.isoformat()}"
            assert api.get(tracks).status_code == 403
    with running.api(Role.DISPATCHER) as api:
        assert api.get(f"/desk/{REGION}/live/nobody").status_code == 404
        assert api.get(f"/desk/{REGION}/live/kibo-1?date=32.13.").status_code == 422

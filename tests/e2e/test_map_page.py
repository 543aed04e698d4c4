"""The map in a real browser with the network cut: what a dispatcher sees."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from api.words import Words
from data.model.place import StopId
from data.model.plan import Unserved
from maps.draw import draw_map, draw_need_map
from tests import plan_example as example

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs the Debian package chromium"),
]
BLANK_BYTES = 12_000
SWITCHES = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    left = Unserved(stop_id=StopId("braunston"), reason="table.unknown")
    plan = replace(example.plan(), unserved=(left,))
    path = tmp_path_factory.mktemp("map") / "map.html"
    html = draw_map(
        example.region(), example.needs(), example.request(), plan, None, Words("ru"),
        estimated=True, online_base=True,
    )  # fmt: skip
    path.write_text(html, encoding="utf-8")
    return path


class Visit:
    """A page opened offline, with everything that went wrong or out."""

    def __init__(self, browser: Browser, path: Path, width: int, height: int) -> None:
        context = browser.new_context(viewport={"width": width, "height": height})
        context.set_offline(True)
        self.page: Page = context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda r: self.requests.append(r.url))
        self.page.on("console", lambda m: self.complaints.append(m.text))
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("body[data-ready]")

    def map_bytes(self) -> int:
        """Size of a picture of the map: one of a single colour packs into a few kilobytes."""
        return len(self.page.locator(".folium-map").screenshot())


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (800, 1180), (1024, 700)])
def test_opens_offline_and_is_not_blank(
    browser: Browser, page_file: Path, width: int, height: int
) -> None:
    """One request, the file itself; no complaint; land, symbols and names are drawn."""
    visit = Visit(browser, page_file, width, height)
    assert visit.requests == [page_file.as_uri()]
    assert visit.complaints == []
    assert visit.map_bytes() > BLANK_BYTES
    panel = visit.page.locator("#bm-panel").inner_text()
    assert "Ратленд: план работы библиобусов" in panel
    assert "ОЦЕНКА" in panel
    overflow = "document.documentElement.scrollWidth > innerWidth"
    assert visit.page.evaluate(overflow) is False


def test_layers_and_panel_can_be_switched(browser: Browser, page_file: Path) -> None:
    """With every layer off less is drawn; the panel closes and opens by its button."""
    visit = Visit(browser, page_file, 1366, 768)
    before = visit.map_bytes()
    for box in visit.page.locator("[data-layer]").all():
        box.uncheck()
    assert visit.map_bytes() < before
    toggle = visit.page.locator("#bm-toggle")
    toggle.click()
    assert not visit.page.locator("#bm-panel").is_visible()
    assert "Панель" in toggle.inner_text()
    toggle.click()
    assert visit.page.locator("#bm-panel").is_visible()
    assert visit.complaints == []


def test_a_day_shows_its_stops_in_order_and_a_stop_its_dates(
    browser: Browser, page_file: Path
) -> None:
    """Choosing a day lists the run; choosing a stop opens its popup in Russian."""
    visit = Visit(browser, page_file, 1366, 768)
    visit.page.locator('.bm-days td button[data-days="0"]').click()
    detail = visit.page.locator("#bm-detail")
    assert "Северный, пн, 2 марта" in detail.inner_text()
    assert detail.locator("li").all_inner_texts()[0].split() == [
        "1", "10:00–11:00", "Cottesmore,", "The", "Green"
    ]  # fmt: skip
    detail.locator("li button").nth(1).click()
    popup = visit.page.locator(".leaflet-popup-content")
    assert "Exton <b>&</b>" in popup.inner_text()
    assert "2 стоянки за цикл" in popup.inner_text()
    assert "пн, 16 марта, 12:00–13:00" in popup.inner_text()
    visit.page.locator("[data-vehicle='0']").uncheck()
    assert "Северный" not in detail.inner_text()
    visit.page.locator(".bm-all").click()
    assert "Выберите день" in detail.inner_text()
    assert visit.requests == [page_file.as_uri()]
    assert visit.complaints == []


def test_a_settlement_is_found_by_name(browser: Browser, page_file: Path) -> None:
    """The search shows the settlement with its need and what is not known of it."""
    visit = Visit(browser, page_file, 1366, 768)
    find = visit.page.locator("#bm-find")
    find.fill("braun")
    find.press("Enter")
    text = visit.page.locator(".leaflet-popup-content").inner_text()
    assert "Braunston" in text
    assert "неизвестно" in text
    assert "библиотека не известна" in text


def test_a_settlement_tells_when_the_bookmobile_comes(browser: Browser, page_file: Path) -> None:
    """The popup of a settlement with a stop names it and its dates; the scale speaks Russian."""
    visit = Visit(browser, page_file, 1366, 768)
    find = visit.page.locator("#bm-find")
    find.fill("cottes")
    find.press("Enter")
    text = visit.page.locator(".leaflet-popup-content").inner_text()
    assert "Место стоянки: Cottesmore, The Green" in text
    assert "10:00–11:00" in text
    assert visit.page.locator(".leaflet-control-scale").inner_text().split()[1] in {"м", "км"}
    assert visit.complaints == []


def test_symbols_can_be_clicked(browser: Browser, page_file: Path) -> None:
    """A click on the canvas where a depot stands opens the depot."""
    visit = Visit(browser, page_file, 1366, 768)
    where = visit.page.evaluate(
        "(() => { const p = map_bookmobile.latLngToContainerPoint([52.6705, -0.7283]);"
        " const r = map_bookmobile.getContainer().getBoundingClientRect();"
        " return [p.x + r.left, p.y + r.top]; })()"
    )
    visit.page.mouse.click(where[0], where[1])
    assert "Oakham" in visit.page.locator(".leaflet-popup-content").inner_text()


def test_only_the_switch_asks_the_network(browser: Browser, page_file: Path) -> None:
    """The background is fetched when it is switched on, from its one stated server."""
    visit = Visit(browser, page_file, 1366, 768)
    visit.page.locator("[data-online]").check()
    visit.page.wait_for_timeout(300)
    outside = [r for r in visit.requests if not r.startswith("file:")]
    assert outside
    assert all(r.startswith("https://tile.openstreetmap.org/") for r in outside)


def test_the_need_map_opens(browser: Browser, tmp_path: Path) -> None:
    """The map without a plan needs none of its parts."""
    path = tmp_path / "need.html"
    page = draw_need_map(example.region(), example.needs(), Words("ru"), norm=example.NORM)
    path.write_text(page, encoding="utf-8")
    visit = Visit(browser, path, 1366, 768)
    assert visit.complaints == []
    assert visit.map_bytes() > BLANK_BYTES
    assert "доступность библиотек" in visit.page.locator("#bm-panel").inner_text()

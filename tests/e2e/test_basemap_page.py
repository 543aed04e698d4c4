"""The map in a real browser, with no server but ours and a strict policy."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from api.services.regions import load_region
from api.web.map_words import map_words
from api.words import Words
from maps import symbols
from maps.basemap import extract_basemap, region_basemap
from tests.e2e.map_page.server import map_server
from tests.osm_region import make_region

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs the Debian package chromium"),
]
SWITCHES = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--use-angle=swiftshader",
            "--enable-unsafe-swiftshader"]  # fmt: skip
KALININGRAD = (20.51102, 54.70639)
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
AXE_RUN = """async () => (await axe.run(document)).violations.map(
  (rule) => `${rule.id}: ${rule.nodes.map((node) => node.target.join(" ")).join(", ")}`)"""
HOSTILE = "<img src=x onerror=document.title='hacked'>"
READY_MS = 60_000


def overlays() -> dict[str, Any]:
    region = load_region("kaliningrad")
    settlements = [
        {"id": s.settlement_id, "lon": s.lon, "lat": s.lat, "name": s.name, "status": "unserved"}
        for s in region.settlements
    ]
    stops = [
        {"id": "guryevsk", "lon": 20.6081, "lat": 54.7719, "name": HOSTILE, "label": 1},
        {"id": "polessk", "lon": 21.1, "lat": 54.86, "name": "Полесск", "label": 2},
    ]
    line = [KALININGRAD, *((s["lon"], s["lat"]) for s in stops), KALININGRAD]
    return {
        "words": map_words(Words("ru")),
        "settlements": settlements,
        "stops": stops,
        "runs": [{"id": "run-1", "line": line, "colour": "#1f5fbf", "estimated": True}],
        "places": [{"id": "depot", "lon": KALININGRAD[0], "lat": KALININGRAD[1], "name": "База"}],
    }


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    basemap = region_basemap(load_region("kaliningrad"), tmp_path_factory.mktemp("maps"))
    with map_server(basemap, overlays()) as address:
        yield address


class Visit:
    """The page opened, with everything that it asked for and complained of."""

    def __init__(self, browser: Browser, address: str, query: str = "", **context: Any) -> None:
        self.context = browser.new_context(viewport={"width": 900, "height": 600}, **context)
        self.page: Page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda r: self.requests.append(r.url))
        self.page.on("console", lambda m: self.complaints.append(m.text))
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))
        self.page.goto(f"{address}/page/{query}")
        self.page.wait_for_selector("body[data-ready], body[data-failed]", timeout=READY_MS)

    def told(self, name: str) -> str:
        return str(self.page.locator("body").get_attribute(f"data-{name}") or "")

    def picture(self) -> bytes:
        return self.page.screenshot()


def test_map_is_drawn_by_this_server_alone(browser: Browser, address: str, tmp_path: Path) -> None:
    """Every request goes to our server, nothing breaks the policy, and names are in Russian."""
    visit = Visit(browser, address)
    assert visit.complaints == []
    assert {url for url in visit.requests if not url.startswith(f"{address}/")} == set()
    assert {"Калининград", "Советск"} <= set(visit.told("names").split("|"))
    assert set(visit.told("layers").split()) == {"earth", "water", "boundaries", "places"}
    assert any("noto-sans-cyrillic" in url for url in visit.requests)
    assert len(visit.picture()) > 40_000
    visit.context.close()


def test_the_sources_are_named(browser: Browser, address: str) -> None:
    """Under the map stand the region's sources, OpenStreetMap with its link, in Russian."""
    visit = Visit(browser, address)
    shown = visit.page.locator(".maplibregl-ctrl-attrib")
    assert shown.inner_text().replace("\xa0", " ") == (
        "INID · Rosstat · GeoNames · © участники OpenStreetMap · Natural Earth"
    )
    link = shown.locator("a")
    assert link.get_attribute("href") == "https://www.openstreetmap.org/copyright"
    visit.context.close()


@pytest.mark.parametrize("flavor", ["dark", "white", "none-such"])
def test_flavours_are_drawn(browser: Browser, address: str, flavor: str) -> None:
    """A flavour gives a picture without a complaint; an unknown one is the light one."""
    visit = Visit(browser, address, f"?flavor={flavor}&lang=en")
    assert visit.complaints == []
    assert visit.told("names")
    visit.context.close()


def test_keys_move_and_zoom_the_map(browser: Browser, address: str) -> None:
    """With the keyboard alone one gets to the map, looks east, comes closer."""
    visit = Visit(browser, address, reduced_motion="reduce")
    canvas = visit.page.locator("canvas")
    assert canvas.get_attribute("aria-label") == "Карта"
    visit.page.keyboard.press("Tab")
    assert canvas.evaluate("element => element === document.activeElement")
    before = visit.told("centre"), float(visit.told("zoom"))
    visit.page.keyboard.press("+")
    visit.page.wait_for_selector(f"body:not([data-zoom='{before[1]:.2f}'])", timeout=READY_MS)
    visit.page.keyboard.press("ArrowRight")
    visit.page.wait_for_selector(f"body:not([data-centre='{before[0]}'])", timeout=READY_MS)
    assert float(visit.told("zoom")) > before[1]
    assert float(visit.told("centre").split()[0]) > float(before[0].split()[0])
    visit.context.close()


def test_a_plan_is_shown_and_answers_clicks(browser: Browser, address: str) -> None:
    """Stops, run and settlements lie on the map; a click tells which; a name is never HTML."""
    visit = Visit(browser, address, "?plan=fit", reduced_motion="reduce")
    assert visit.complaints == []
    box = visit.page.locator("#map").bounding_box()
    assert box is not None
    at = visit.page.locator("body").get_attribute("data-stop-at")
    assert at is not None
    x, y = map(float, at.split())
    visit.page.mouse.click(box["x"] + x, box["y"] + y)
    visit.page.wait_for_selector("body[data-said='stop guryevsk']", timeout=READY_MS)
    popup = visit.page.locator(".maplibregl-popup-content")
    assert HOSTILE in popup.inner_text()
    assert popup.locator("img").count() == 0
    assert visit.page.title() == "Карта"
    assert popup.locator("button").get_attribute("aria-label") == "Закрыть"
    visit.context.close()


def test_the_map_has_no_faults_of_access(browser: Browser, address: str) -> None:
    """axe finds nothing to mend in the map, its controls, sources and an open bubble."""
    visit = Visit(browser, address, "?plan=1&tell=1", bypass_csp=True)
    visit.page.wait_for_selector(".maplibregl-popup-content")
    visit.page.add_script_tag(path=AXE)
    assert visit.page.evaluate(AXE_RUN) == []
    visit.context.close()


def test_the_map_of_an_extract_is_drawn(browser: Browser, tmp_path: Path) -> None:
    """Roads, a lake and its name, villages and road numbers of a file made of an extract."""
    facts = make_region(tmp_path / "region.osm.pbf", num_settlements=20)
    made = extract_basemap(facts.path, tmp_path / "region.pmtiles")
    assert made is not None
    with map_server(made.path, overlays()) as address:
        visit = Visit(browser, address)
        assert visit.complaints == []
        assert {"earth", "roads", "water", "places"} <= set(visit.told("layers").split())
        assert set(visit.told("names").split("|")) & {v.name for v in facts.villages}
        visit.context.close()


def test_no_basemap_is_told_by_a_code(browser: Browser, tmp_path: Path) -> None:
    """A file that is no basemap gives an error that the page can put in words."""
    broken = tmp_path / "broken.pmtiles"
    broken.write_bytes(b"not a basemap" * 100)
    with map_server(broken, overlays()) as address:
        visit = Visit(browser, address)
        assert visit.told("failed") == "map.no_basemap"
        visit.context.close()


def test_no_webgl_is_told_by_a_code(playwright: Playwright, address: str) -> None:
    """A computer without graphics gives an error that the page can put in words."""
    bare = playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=["--no-sandbox", "--disable-gpu", "--disable-3d-apis", "--disable-quic"],
    )
    visit = Visit(bare, address)
    assert visit.told("failed") == "map.no_webgl"
    visit.context.close()
    bare.close()


def test_symbols_are_those_of_the_printed_map(browser: Browser, address: str) -> None:
    """The desk's shapes and colours are those of maps.symbols."""
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(f"{address}/favicon.ico")
    told = page.evaluate("import('/static/map/symbols.mjs').then(m => ({...m}))")
    named = {
        **{status.value: symbol for status, symbol in symbols.NEED_SYMBOLS.items()},
        **{f"library_{s.value}": symbol for s, symbol in symbols.LIBRARY_SYMBOLS.items()},
        "not_judged": symbols.NOT_JUDGED, "stop": symbols.STOP, "depot": symbols.DEPOT,
        "unserved_stop": symbols.UNSERVED_STOP,
    }  # fmt: skip
    ours = {
        name: {"shape": s.shape, "fill": s.fill, "stroke": s.stroke, "radius": s.radius_px,
               "weight": s.weight_px}
        for name, s in named.items()
    }  # fmt: skip
    assert told["SYMBOLS"] == ours
    assert told["VEHICLE_COLOURS"] == list(symbols.VEHICLE_COLOURS)
    for name, corners in symbols.OUTLINES.items():
        flat = [c for corner in told["OUTLINES"][name] for c in corner]
        assert flat == pytest.approx([c for corner in corners for c in corner], abs=0.002), name
    context.close()

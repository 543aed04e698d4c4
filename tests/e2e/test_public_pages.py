"""What residents see: found, read, printed, without a script, without an account, as files."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser

from api.services.public import read_published
from api.static_site import write_site
from data.db.engine import reading
from data.model.cancellation import CancelReason
from tests.api.publication.office import NOW, REGION, Office
from tests.e2e.service import NEEDS_CHROMIUM, SHOTS, Running, Visit

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
PAGES = f"/r/{REGION}"
STOP = f"{PAGES}/stops/kaluzhskoe"
SCREENS = [("ru", 1366, 768, False), ("en", 800, 1180, True), ("ru", 390, 800, False)]


@pytest.fixture(scope="module")
def office(running: Running) -> Office:
    """Eight weeks are published, one visit is cancelled and made up for."""
    office = Office(running.engine)
    running.service.clock = lambda: office.now
    office.publish()
    visit = office.visit("kaluzhskoe", NOW.date() + timedelta(5))
    office.cancel("visit", CancelReason.ROAD, visit_id=visit.visit_id, note="Мост закрыт.")
    office.accept(office.offers(visit.visit_id)[0])
    return office


@pytest.mark.parametrize(("language", "width", "height", "dark"), SCREENS)
@pytest.mark.usefixtures("office")
def test_every_page_is_accessible_and_fits(
    visit: Visit,
    language: str,
    width: int,
    height: int,
    dark: bool,  # noqa: FBT001
) -> None:
    """No violation of WCAG 2.1 AA, nothing wider than the window, no complaint."""
    reader = visit(None, language=language, width=width, height=height, dark=dark)
    for name, path in {
        "home": PAGES,
        "found": f"{PAGES}?q=калужское",
        "near": f"{PAGES}?lon=21.8&lat=54.8",
        "none": f"{PAGES}?q=Лондон",
        "stop": STOP,
        "vehicle": f"{PAGES}/vehicles/kibo-1",
        "timetable": f"{PAGES}/timetable",
        "notices": f"{PAGES}/notices",
        "data": f"{PAGES}/data",
    }.items():
        reader.open(path)
        assert reader.axe() == [], path
        assert reader.overflow_px() == 0, path
        reader.shot(f"public-{name}", whole=True)
    reader.open(f"{PAGES}/embed?stop=kaluzhskoe", ready="h1")
    assert reader.axe() == []
    reader.shot("public-embed")
    reader.assert_quiet()


@pytest.mark.usefixtures("office")
def test_a_cancelled_visit_and_what_comes_instead(visit: Visit) -> None:
    """The stop's page says what is cancelled, why, and the next real visit: the make-up one."""
    reader = visit(None, language="ru")
    page = reader.open(STOP)
    note = page.locator(".note-bad").first.inner_text()
    assert "Отменена стоянка: вторник, 1 декабря, 14:00–15:00. Дорога закрыта." in note
    assert "Мост закрыт." in note
    assert "Вместо неё: среда, 2 декабря" in note
    following = page.locator(".next").inner_text()
    assert "Среда, 2 декабря" in following
    assert "через 6 дней" in following
    assert "Вместо отменённой стоянки 1 декабря." in following
    rows = page.locator("table tbody tr")
    assert rows.nth(0).locator("strong").inner_text() == "Отменена"
    assert "Вторник, 15 декабря" in rows.nth(2).inner_text()
    notices = page.locator(".notices").inner_text()
    assert "Стоянка 1 декабря, 14:00 отменена: дорога закрыта. Мост закрыт." in notices
    assert "Следующая" not in notices, "the make-up visit comes sooner"


@pytest.mark.usefixtures("office")
def test_a_village_is_found_without_a_script(chromium: Browser, running: Running) -> None:
    """The search is a plain form; keyboard and HTML do."""
    context = chromium.new_context(java_script_enabled=False, locale="ru-RU")
    page = context.new_page()
    page.goto(running.url + PAGES)
    assert not page.get_by_role("button", name="Стоянки рядом со мной").is_visible()
    page.get_by_label("Посёлок или место стоянки").fill("зеленый бор")
    page.keyboard.press("Enter")
    page.get_by_text("Ближе всего: Зелёный Бор").wait_for()
    first = page.locator(".stop-card").first
    assert "Калиновка" in first.inner_text()
    assert "1 декабря" in first.inner_text()
    first.get_by_role("link").click()
    page.wait_for_url("**/stops/kalinovka")
    context.close()


@pytest.mark.usefixtures("office")
def test_stops_near_me(chromium: Browser, running: Running) -> None:
    """The device is asked when the button is pressed; a hundred metres go into the address."""
    context = chromium.new_context(
        locale="ru-RU",
        geolocation={"longitude": 21.552219, "latitude": 54.656941},
        permissions=["geolocation"],
    )
    page = context.new_page()
    page.goto(running.url + PAGES)
    page.get_by_role("button", name="Стоянки рядом со мной").click()
    page.wait_for_url("**lon=21.552&lat=54.657")
    first = page.locator(".stop-card").first.inner_text()
    assert "Каменское" in first
    assert "50 м" in first
    context.close()
    refusing = chromium.new_context(locale="ru-RU", permissions=[])
    page = refusing.new_page()
    page.goto(running.url + PAGES)
    page.get_by_role("button", name="Стоянки рядом со мной").click()
    page.get_by_text("Введите название посёлка").wait_for()
    refusing.close()


@pytest.mark.usefixtures("office")
def test_the_timetable_prints_and_zooms(chromium: Browser, running: Running) -> None:
    """On paper no buttons and links; at 400 % (320 px wide) nothing scrolls sideways."""
    context = chromium.new_context(locale="ru-RU", viewport={"width": 320, "height": 256})
    page = context.new_page()
    for path in (STOP, PAGES, f"{PAGES}/timetable", f"{PAGES}/vehicles/kibo-1"):
        page.goto(running.url + path)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, path
    page.set_viewport_size({"width": 800, "height": 1100})
    page.goto(running.url + STOP)
    page.emulate_media(media="print")
    assert page.locator("h1").is_visible()
    assert page.locator("table").is_visible()
    assert not page.get_by_role("link", name="Подписаться").is_visible()
    assert not page.locator(".areas").is_visible()
    page.screenshot(path=SHOTS / "public-print-ru.png", full_page=True)
    context.close()


@contextmanager
def another_site(folder: Path) -> Iterator[str]:
    """A site of its own origin that serves a folder."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.usefixtures("office")
def test_the_list_stands_in_another_sites_page(
    chromium: Browser, running: Running, tmp_path: Path
) -> None:
    """A page from elsewhere shows the frame; the stop's whole page it may not."""
    frames = "".join(
        f'<iframe title="{k}" src="{running.url}{path}"></iframe>'
        for k, path in enumerate((f"{PAGES}/embed?stop=kaluzhskoe", STOP))
    )
    page_text = f"<!doctype html><title>x</title>{frames}"
    (tmp_path / "index.html").write_text(page_text, encoding="utf-8")
    context = chromium.new_context()
    page = context.new_page()
    with another_site(tmp_path) as address:
        page.goto(address)
        page.frame_locator('iframe[title="0"]').get_by_text("Библиобус: Калужское").wait_for()
        page.wait_for_timeout(300)
        refused = page.frame_locator('iframe[title="1"]').get_by_text("Калужское")
        assert refused.count() == 0
    context.close()


def test_hostile_names_run_nothing(office: Office, visit: Visit) -> None:
    """Markup in a stop's name is text on every page."""
    name = "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>"
    office.rename("kamenskoe", name)
    reader = visit(None)
    for path in (PAGES, f"{PAGES}/stops/kamenskoe", f"{PAGES}/timetable", f"{PAGES}?q=каменское"):
        page = reader.open(path)
        assert page.title() != "hacked"
        assert page.locator("img[src=x]").count() == 0
    assert page.locator("main").get_by_text("<script>").count() > 0
    reader.assert_quiet()
    office.rename("kamenskoe", "Каменское")


def test_the_site_works_from_disk(office: Office, chromium: Browser, tmp_path: Path) -> None:
    """Both languages, every link of its pages, search by any spelling, no server at all."""
    with reading(office.engine) as session:
        published = read_published(session, REGION)
    folder = tmp_path / "site"
    assert write_site(published, folder, at=NOW, base_url="https://library.example/bus") > 20
    context = chromium.new_context(locale="ru-RU")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("requestfailed", lambda r: complaints.append(r.url))
    page.clock.install(time=datetime(2026, 11, 26, 12, 0))
    page.goto((folder / "index.html").as_uri())
    page.wait_for_url("**/ru/index.html")
    page.screenshot(path=SHOTS / "site-home-ru.png", full_page=True)
    page.get_by_label("Посёлок или место стоянки").fill("Kaluzhskoye")
    shown = page.locator("#places > li:visible")
    assert shown.count() == 1
    shown.get_by_role("link").click()
    page.wait_for_url("**/stops/kaluzhskoe.html")
    assert "2 декабря" in page.locator(".next").inner_text()
    assert page.get_by_role("link", name="Подписаться").get_attribute("href") == (
        "webcal://library.example/bus/ru/stops/kaluzhskoe.ics"
    )
    page.get_by_role("link", name="English").click()
    page.wait_for_url("**/en/stops/kaluzhskoe.html")
    assert "Next visit" in page.locator(".next").inner_text()
    assert complaints == []
    page.clock.set_fixed_time(datetime(2026, 12, 20, 12, 0))
    page.reload()
    assert not page.locator(".next").is_visible(), "what is over is hidden"
    assert "29 December" in page.locator("table tbody tr:visible").first.inner_text()
    context.close()
    for path in folder.rglob("*.html"):
        for target in _links(path):
            assert target.exists(), f"{path}: {target}"


def _links(path: Path) -> list[Path]:
    """Files that a page links to or loads."""
    found = re.findall(r'(?:href|src)="([^"#]+)"', path.read_text(encoding="utf-8"))
    return [
        (path.parent / unquote(link)).resolve() for link in found if not re.match(r"[a-z]+:", link)
    ]

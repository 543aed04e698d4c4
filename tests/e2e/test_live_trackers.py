"""Trackers in a browser: paired by a form, set up by what the page says, adopted, disconnected."""

import httpx
import pytest
from playwright.sync_api import Page

from api.services.devices import qr_svg
from data.model.accounts import Role
from tests.api.tracking.depot import NORTH, REGION
from tests.e2e.road import Road
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
TRACKERS = f"/desk/{REGION}/trackers"


@pytest.fixture(scope="module")
def road(running: Running) -> Road:
    """The morning of the day, when vehicles are on duty."""
    road = Road.begin(running)
    road.now = road.at(8, 40)
    return road


def fill_in(page: Page, kind: str, name: str, external_id: str = "") -> None:
    """Send the form."""
    page.locator("select[name=vehicle_id]").last.select_option(label="КИБО-1")
    page.get_by_label(kind).check()
    page.get_by_label("Название для ваших списков").last.fill(name)
    page.get_by_label("Как устройство себя называет").fill(external_id)
    page.get_by_role("button", name="Подключить", exact=True).click()
    page.get_by_role("heading", name=f"Настройка: {name}").wait_for()


@pytest.mark.usefixtures("road")
def test_a_phone_is_paired_and_heard(running: Running, visit: Visit) -> None:
    """What the page says to enter works; the secret is shown once, the QR code says the same."""
    desk = visit(Role.DISPATCHER, language="ru")
    page = desk.open(TRACKERS)
    assert desk.axe() == []
    desk.shot("trackers", whole=True)
    fill_in(page, "Телефон с Traccar Client", "Телефон <b>Иванова</b>")
    assert desk.axe() == []
    desk.shot("trackers-phone", whole=True)
    secret = page.locator(".secret").inner_text()
    address, identifier = page.locator(".app").first.locator(".value").all_inner_texts()
    assert address.endswith(secret)
    settings = "interval=15&distance=0&accuracy=high&buffer=true&stop_detection=true"
    told = f"{address}?id={identifier}&{settings}"
    drawn = page.locator(".qr path").last.get_attribute("d")
    assert drawn is not None
    assert drawn in qr_svg(told)
    sent = httpx.post(address, params={"id": identifier, "lat": 54.65, "lon": 21.8})
    assert sent.status_code == 200, sent.text
    osmand = page.locator(".app").nth(1).locator("pre").inner_text()
    filled = osmand.format("54.66", "21.79", "1796110800", "1", "40", "0", "5")
    assert httpx.get(filled).status_code == 200
    page.goto(running.url + TRACKERS)
    row = page.locator("tr", has_text="Телефон <b>Иванова</b>")
    row.get_by_text("последняя отметка").wait_for()
    assert secret not in page.content()
    desk.assert_quiet()


@pytest.mark.usefixtures("road")
def test_the_code_of_owntracks_holds_all_settings(visit: Visit) -> None:
    """The link behind the QR code is a configuration of the app with address, user and secret."""
    desk = visit(Role.DISPATCHER, language="ru", width=800, height=1180)
    page = desk.open(TRACKERS)
    fill_in(page, "Телефон с OwnTracks", "Планшет", "bus/tablet")
    assert desk.axe() == []
    assert desk.overflow_px() == 0
    desk.shot("trackers-owntracks", whole=True)
    secret = page.locator(".secret").inner_text()
    address, user, password, device = page.locator(".app .value").all_inner_texts()
    assert (user, password, device) == ("bus", secret, "tablet")
    message = {"_type": "location", "lat": 54.65, "lon": 21.8, "tst": 1796110800}
    sent = httpx.post(address, params={"u": user, "d": device}, json=message, auth=(user, secret))
    assert sent.status_code == 200, sent.text
    desk.assert_quiet()


def test_an_unknown_device_is_adopted(running: Running, road: Road, visit: Visit) -> None:
    """A device that knocked is listed, taken for a vehicle, and its next position is taken."""
    inlet = f"{running.url}/inlets/osmand"
    told = {"id": "353976013445485", "lat": "54.65", "lon": "21.8"}
    assert httpx.get(inlet, params=told).status_code == 403
    desk = visit(Role.DISPATCHER, language="ru")
    with running.api(Role.DISPATCHER) as api:
        road.wait(lambda: "353976013445485" in api.get(TRACKERS).text)
    page = desk.open(TRACKERS)
    row = page.locator("tr", has_text="353976013445485")
    assert "ничьё" in row.inner_text()
    desk.shot("trackers-unknown", whole=True)
    assert desk.axe() == []
    row.get_by_label("Машина").select_option(value=str(NORTH))
    row.get_by_label("Название для ваших списков").fill("Навигатор")
    row.get_by_role("button", name="Принять").click()
    page.get_by_text("Устройство принято.").wait_for()
    assert httpx.get(inlet, params=told).status_code == 200
    row = page.locator("tr", has_text="Навигатор")
    assert "узнаётся только по номеру" in row.inner_text()
    row.get_by_role("button", name="Отключить").click()
    page.get_by_text("Трекер отключён").wait_for()
    assert page.locator("tr", has_text="Навигатор").count() == 0
    road.wait(lambda: httpx.get(inlet, params=told).status_code == 403)
    desk.assert_quiet()


@pytest.mark.usefixtures("road")
def test_a_wrong_form_says_what_is_missing(visit: Visit) -> None:
    """A hardware tracker without its number is refused in words; what was typed stays."""
    desk = visit(Role.DISPATCHER, language="ru")
    desk.expect(422)
    page = desk.open(TRACKERS)
    page.get_by_label("Терминал ГЛОНАСС/GPS, протокол Wialon IPS").check()
    page.get_by_label("Название для ваших списков").last.fill("Блок")
    page.get_by_role("button", name="Подключить", exact=True).click()
    fault = page.get_by_role("alert")
    fault.wait_for()
    assert "wialon" in fault.inner_text().lower()
    assert page.get_by_label("Название для ваших списков").last.input_value() == "Блок"
    desk.assert_quiet()


def test_librarians_do_not_pair(running: Running, road: Road) -> None:
    """Trackers are the dispatcher's."""
    assert road.now
    with running.api(Role.LIBRARIAN) as api:
        assert api.get(TRACKERS).status_code == 403
        assert api.post(TRACKERS, headers={"origin": running.url}).status_code == 403

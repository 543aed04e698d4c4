"""Asking for a stop in a browser: the form, the private page, the desk's score and answer."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from data.model.accounts import Role
from tests.api.publication.office import REGION, Office
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]


@pytest.fixture(scope="module")
def office(running: Running) -> Iterator[Office]:
    """The region with a published timetable."""
    office = Office(running.engine)
    running.service.clock = lambda: office.now
    office.publish()
    yield office


@pytest.mark.usefixtures("office")
def test_from_the_form_to_the_answer(visit: Visit) -> None:
    """Asked on a telephone, scored, answered and counted at the desk, read again; axe-clean."""
    reader = visit(None, language="ru", width=390, height=800)
    page = reader.open(f"/r/{REGION}/request")
    assert reader.axe() == []
    reader.shot("request-form", whole=True)
    page.get_by_label("Населённый пункт").fill("Зелёный Бор")
    page.get_by_label("Сколько человек").fill("30")
    page.get_by_label("Зачем нужна стоянка").fill("До библиотеки двадцать километров.")
    page.get_by_role("button", name="Отправить просьбу").click()
    expect(page.locator(".note-good")).to_contain_text("Библиотека получила вашу просьбу")
    assert reader.axe() == []
    own = page.url
    reader.shot("request-own", whole=True)
    desk = visit(Role.DISPATCHER, language="en")
    page_desk = desk.open(f"/desk/{REGION}/stop-requests")
    assert desk.axe() == []
    page_desk.get_by_role("link", name="Зелёный Бор").click()
    page_desk.get_by_role("button", name="Work out the score").click()
    expect(page_desk.get_by_text("People there: 40.")).to_be_visible(timeout=60_000)
    assert desk.axe() == []
    assert desk.overflow_px() == 0
    desk.shot("request-desk", whole=True)
    page_desk.get_by_label("Answer, as the asker").fill("Да, с февраля, по вторникам.")
    page_desk.get_by_label("accepted").check()
    page_desk.get_by_role("button", name="Answer").click()
    expect(page_desk.locator(".note-good")).to_contain_text("private address")
    desk.shot("request-list", whole=True)
    page_desk.get_by_role("link", name="Зелёный Бор").click()
    expect(page_desk.get_by_label("How many people count")).to_have_value("30")
    page_desk.get_by_role("button", name="Let them count").click()
    expect(page_desk.locator(".note-good")).to_contain_text("30 people count.")
    expect(page_desk.locator(".note-good")).to_contain_text("Диспетчер стенда")
    assert desk.axe() == []
    assert desk.overflow_px() == 0
    desk.shot("request-counted", whole=True)
    page_desk.get_by_role("button", name="No longer count them").click()
    expect(page_desk.locator(".note-good")).to_have_count(0)
    page.goto(own.split("?")[0])
    expect(page.get_by_text("Да, с февраля, по вторникам.")).to_be_visible()
    assert reader.overflow_px() == 0
    reader.shot("request-answered", whole=True)
    reader.assert_quiet()
    desk.assert_quiet()

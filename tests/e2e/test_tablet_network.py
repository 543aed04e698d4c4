"""The tablet sends by itself: networks go and come, a clock is off, a day is over."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.api.tracking.depot import REGION
from tests.e2e.service import NEEDS_CHROMIUM, Running
from tests.e2e.tablet import MORNING, Aboard, barcode, card, pass_time, scan, settle, show, waits

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]


@pytest.fixture(scope="module")
def aboard(running: Running) -> Aboard:
    return Aboard.begin(running)


@pytest.fixture
def page(aboard: Aboard, chromium: Browser) -> Iterator[Page]:
    with aboard.browser(chromium) as visitor:
        visitor.open("/tablet")
        settle(visitor.page)
        yield visitor.page


def count(page: Page, stop: int, times: int) -> None:
    """Count copies at a stop."""
    visit = page.locator(".t-card-open").nth(stop).get_attribute("href") or ""
    show(page, visit.removeprefix("#"))
    for n in range(times):
        page.locator('[data-count="copies_made"]').click()
        waits(page, n + 1)


def test_what_waits_is_sent_when_the_network_is_back(aboard: Aboard, page: Page) -> None:
    """The network is cut and comes back three times; nobody touches anything, all is there."""
    known = len(aboard.events())
    for turn in range(3):
        page.context.set_offline(True)
        show(page, "run")
        count(page, turn, 4)
        expect(page.locator(".t-queue")).to_contain_text("нет сети")
        assert len(aboard.events()) == known
        page.context.set_offline(False)
        waits(page, 0)
        known += 4
        assert len(aboard.events()) == known


def test_a_service_that_was_away_is_found_again(aboard: Aboard, page: Page) -> None:
    """A network that leads nowhere tells of no return: the tablet tries again within a minute."""
    known = len(aboard.events())
    page.context.route("**/api/v1/**", lambda route: route.abort("connectionrefused"))
    count(page, 3, 2)
    expect(page.locator(".t-queue")).to_contain_text("нет сети")
    page.context.unroute("**/api/v1/**")
    assert len(aboard.events()) == known
    pass_time(page, minutes=1.1)
    waits(page, 0)
    assert len(aboard.events()) == known + 2


def test_hours_without_a_network_do_not_slow_a_service_that_is_back(
    aboard: Aboard, page: Page
) -> None:
    """After many vain tries with no word of a return, one refusal is followed by a try at once."""
    known = len(aboard.events())
    tries: list[str] = []

    def answer(route: Route) -> None:
        tries.append(route.request.url)
        if len(tries) <= 9:
            route.abort("connectionrefused")
        elif len(tries) == 10:
            route.fulfill(status=502, body="")
        else:
            route.continue_()

    page.context.route("**/api/v1/sync/events", answer)
    count(page, 3, 2)
    queue = page.locator(".t-queue")
    while len(tries) < 10:
        before = len(tries)
        expect(queue).to_contain_text("нет сети")
        pass_time(page, minutes=1.1)
        page.wait_for_timeout(500)
        assert len(tries) > before, "the tablet does not try"
    expect(queue).to_contain_text("отвечает отказом")
    pass_time(page, minutes=1.1)
    waits(page, 0)
    assert len(aboard.events()) == known + 2


@pytest.mark.parametrize("hours", [-24, 24])
def test_a_clock_that_is_off_by_a_day(aboard: Aboard, chromium: Browser, hours: int) -> None:
    """Loans by a clock a day off are taken at their true time; the crew is told of the clock."""
    before = {e["event_id"] for e in aboard.events()}
    with aboard.browser(chromium, at=aboard.now + timedelta(hours=hours)) as tablet:
        page = tablet.open("/tablet")
        settle(page)
        page.context.set_offline(True)
        scan(page, card(5 + (hours > 0)))
        page.wait_for_selector("#reader-name")
        scan(page, barcode(29 if hours > 0 else 41))
        waits(page, 1)
        page.context.set_offline(False)
        waits(page, 0)
        show(page, "keep")
        told = "спешат на 24 ч" if hours > 0 else "отстают на 24 ч"
        expect(page.locator(".t-facts").first).to_contain_text(told)
        # On every screen, and not as if it were another day.
        show(page, "lend")
        expect(page.locator(".t-trouble")).to_have_count(1)
        expect(page.locator(".t-trouble")).to_contain_text(told)
    fresh = [e for e in aboard.events() if e["event_id"] not in before]
    assert [e["kind"] for e in fresh] == ["loan"]
    assert fresh[0]["service_date"] == "2026-12-01"
    with aboard.running.service.ledgers.reading(aboard.running.engine, REGION) as found:
        loan = found[1].state.loans[fresh[0]["event_id"]]
    assert abs(loan.loaned_at - MORNING) < timedelta(minutes=5)


def test_a_day_that_is_over_is_wiped(aboard: Aboard, page: Page) -> None:
    """Readers leave the tablet when their copy expires, with no network; records stay."""
    page.context.set_offline(True)
    count(page, 4, 1)
    pass_time(page, hours=25)
    show(page, "lend")
    expect(page.locator(".t-trouble")).to_contain_text("1 декабря")
    pass_time(page, hours=48)
    page.wait_for_selector("main.t-alone")
    for _ in range(2):
        assert "Иванова" not in page.content()
        expect(page.get_by_text("Ждут подключения")).to_contain_text("1 запись")
        expect(page.locator("main")).to_contain_text("Данные дня хранились до 4 дек")
        page.reload()
        page.wait_for_selector("body[data-ready]")

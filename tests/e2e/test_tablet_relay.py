"""The tablet and the vehicle's own computer; two tablets under one token; in a real browser."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from api.relay_cli import SECRET_FILE, pairing_link
from data.model.accounts import Role
from tests.api.circulation.library import pair
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit, run_service
from tests.e2e.tablet import Aboard, settle, show, waits
from tests.e2e.test_tablet_day import WIPED, events_of
from tests.fleet.test_relay import free_port

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
PORT = free_port()
ADDRESS = f"http://localhost:{PORT}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service whose tablets may send to the box."""
    with run_service(tmp_path_factory.mktemp("service"), relay_origins=ADDRESS) as made:
        yield made


@pytest.fixture(scope="module")
def aboard(running: Running) -> Iterator[Aboard]:
    expect.set_options(timeout=30_000)
    yield Aboard.begin(running)
    expect.set_options(timeout=5_000)


@dataclass(kw_only=True)
class Relay:
    link: str


@contextmanager
def relay_of(folder: Path, running: Running, token: str) -> Iterator[Relay]:
    """A box on this machine, by plain http as browsers let one machine."""
    (folder / "token").write_text(token, encoding="ascii")
    command = [
        sys.executable, "-c", "from api.cli import main; main()", "relay", "--server", running.url,
        "--token-file", str(folder / "token"), "--address", ADDRESS, "--host", "127.0.0.1",
        "--store", str(folder / "store"), "--every", "0.5",
    ]  # fmt: skip
    process = subprocess.Popen(command)
    secret = folder / "store" / SECRET_FILE
    until = time.monotonic() + 120
    while not secret.exists() or not secret.read_text(encoding="ascii"):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.1)
    try:
        yield Relay(link=pairing_link(running.url, ADDRESS, secret.read_text(encoding="ascii")))
    finally:
        process.terminate()
        process.wait(60)


def test_a_wiped_tablet_gets_its_journal_from_the_box(
    aboard: Aboard, chromium: Browser, tmp_path: Path
) -> None:
    """The service out of reach, the box in reach: copy, answers, and all back after a wipe."""
    _, token = pair(aboard.running.engine, 9, at=aboard.now)
    with (
        relay_of(tmp_path, aboard.running, token) as relay,
        aboard.browser(chromium) as tablet,
    ):
        page = tablet.open("/tablet")
        settle(page)
        # Only the service is out of reach: the box is on the vehicle's own network.
        page.context.route("**/api/v1/**", lambda route: route.abort("internetdisconnected"))
        visit = page.locator(".t-card-open").first.get_attribute("href") or ""
        show(page, visit.removeprefix("#"))
        for n in range(5):
            page.locator('[data-count="copies_made"]').click()
            waits(page, n + 1)
        page.evaluate("hash => { location.hash = hash; }", relay.link.partition("#")[2])
        page.locator('[data-relay-count="5"]').wait_for()
        tablet.shot("tablet-relay")
        assert tablet.axe() == []
        # What the box brought on is answered, and the tablet learns of it without the service.
        waits(page, 0)
        assert len(aboard.events()) == 5
        own = events_of(page)

        browser = page.context.new_cdp_session(page)
        page.goto("about:blank")
        origin = aboard.running.url
        browser.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": WIPED})
        page.goto(f"{origin}/tablet")
        page.wait_for_selector("body[data-ready]")
        expect(page.locator(".t-card")).to_have_count(5)
        key = json.dumps
        assert sorted(map(key, events_of(page))) == sorted(map(key, own))
        waits(page, 0)
    assert len(aboard.events()) == 5


def test_two_tablets_under_one_token_are_told(
    aboard: Aboard, chromium: Browser, visit: Visit
) -> None:
    """Both screens say so once both go on; so does the dispatcher's list; nothing is lost."""
    before = len(aboard.events())
    with aboard.browser(chromium) as one, aboard.browser(chromium) as other:
        for tablet in (one, other):
            page = tablet.open("/tablet")
            settle(page)
            href = page.locator(".t-card-open").nth(1).get_attribute("href") or ""
            show(page, href.removeprefix("#"))
        for turn in range(2):
            for tablet in (one, other):
                aboard.now = aboard.now.replace(minute=aboard.now.minute + 1)
                tablet.page.locator('[data-count="copies_made"]').click()
                tablet.page.wait_for_selector('.t-queue:not([data-queue="0"])')
                waits(tablet.page, 0)
                if turn:
                    expect(tablet.page.locator(".t-trouble")).to_contain_text("ещё одно устройство")
        one.shot("tablet-doubled")
    assert len(aboard.events()) == before + 4
    desk = visit(Role.DISPATCHER, language="ru")
    desk.open("/devices")
    expect(desk.page.locator("tr", has_text="Tablet 0")).to_contain_text("пишут два устройства")
    desk.shot("devices-doubled")

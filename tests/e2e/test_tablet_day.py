"""The deciding test: ten hours with no network, the storage emptied, nothing lost or doubled."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route

from tests.e2e.service import NEEDS_CHROMIUM, Running
from tests.e2e.tablet import Aboard, barcode, card, pass_time, scan, settle, show, waits

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
WIPED = "indexeddb,cache_storage,service_workers,local_storage"
# The outside world is the file dialog: what it gives is a real file of the browser.
PICKER = """window.showSaveFilePicker = async ({ suggestedName }) => {
  const folder = await navigator.storage.getDirectory();
  return folder.getFileHandle(suggestedName, { create: true });
};"""
COPY = """async () => {
  const folder = await navigator.storage.getDirectory();
  for await (const [, handle] of folder.entries()) return (await handle.getFile()).text();
  return "";
}"""
BANDS = ("children", "youth", "adult", "senior")
STOP_HOURS = 2


@pytest.fixture(scope="module")
def aboard(running: Running) -> Aboard:
    return Aboard.begin(running, num_items=1200, num_readers=60)


class Crew:
    """What the crew does by hand; ``done`` counts their operations, ``told`` what they counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.done = 0
        self.queue = 0
        self.told: Counter[str] = Counter()
        self.lent: list[str] = []

    def did(self) -> None:
        self.done += 1
        self.queue += 1
        waits(self.page, self.queue)

    def moment(self, kind: str) -> None:
        self.page.locator(f'.t-next[data-kind="{kind}"]').click()
        self.did()

    def count(self, name: str) -> None:
        self.page.locator(f'[data-count="{name}"]').click()
        self.told[name] += 1
        self.did()

    def stop(self, number: int, *, counts: int, loans: int) -> None:
        """One stop: moments, counts, a reader with books, one of them brought back."""
        visit_id = self.page.evaluate(
            "k => document.querySelectorAll('.t-card-open')[k].getAttribute('href')", number
        ).removeprefix("#")
        show(self.page, visit_id)
        for kind in ("arrive", "open"):
            self.moment(kind)
        for k in range(counts):
            self.count(f"visits_service.{BANDS[k % 4]}")
        show(self.page, "lend")
        scan(self.page, card(number + 10))
        self.page.wait_for_selector("#reader-name")
        for _ in range(loans):
            # Books for everybody: those with no age mark above the youngest reader.
            item = barcode(100 + 6 * len(self.lent) + 5)
            scan(self.page, item)
            self.lent.append(item)
            self.did()
        self.page.get_by_role("button", name="Возврат", exact=True).click()
        scan(self.page, self.lent[-1])
        self.did()
        self.page.get_by_role("button", name="Выдача", exact=True).click()
        show(self.page, visit_id)
        for kind in ("close", "depart"):
            self.moment(kind)
        show(self.page, "run")


@pytest.fixture
def page(aboard: Aboard, chromium: Browser) -> Iterator[Page]:
    with aboard.browser(chromium) as visitor:
        visitor.page.add_init_script(PICKER)
        visitor.open("/tablet")
        settle(visitor.page)
        yield visitor.page


def test_ten_hours_without_a_network_lose_and_double_nothing(
    aboard: Aboard, page: Page, tmp_path: Path
) -> None:
    """300 operations, storage emptied at hour 6, restored from the copy, uploaded twice."""
    show(page, "keep")
    page.get_by_role("button", name="Выбрать файл для постоянной копии").click()
    page.get_by_text("Файл обновляется сам").wait_for()
    show(page, "run")
    page.context.set_offline(True)
    crew = Crew(page)
    for number in range(3):
        pass_time(page, hours=STOP_HOURS)
        crew.stop(number, counts=47, loans=8)
    assert crew.done == 180
    before = copied(page, 180)

    # While the app is open it would write everything anew at once: it is closed.
    browser = page.context.new_cdp_session(page)
    origin = page.evaluate("location.origin")
    page.goto("about:blank")
    browser.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": WIPED})
    page.goto(f"{origin}/tablet")
    page.wait_for_selector("body[data-ready]")
    page.get_by_text("Браузер очистил память планшета").wait_for()
    copy = tmp_path / "kept.journal"
    copy.write_text(before, encoding="utf-8")
    page.locator("input[type=file]").set_input_files(copy)
    waits(page, 180)

    crew.page = page
    for number in (3, 4):
        pass_time(page, hours=STOP_HOURS)
        crew.stop(number, counts=47, loans=8)
    assert crew.done == 300
    own = events_of(page)
    assert len(own) == 300

    aboard.now += timedelta(hours=10, minutes=30)
    lost_answers(page, 2)
    page.context.set_offline(False)
    waits(page, 0)
    answers = send_again(aboard, own)
    assert set(answers) == {"duplicate"}

    kept = aboard.events()
    assert sorted(e["event_id"] for e in kept) == sorted(e["event_id"] for e in own)
    assert {e["event_id"]: e for e in kept} == {e["event_id"]: e for e in own}
    counted: Counter[str] = Counter()
    for event in kept:
        if event["kind"] == "count":
            counted.update(event["body"]["counts"])
    assert counted == crew.told
    assert sorted(e["body"]["item_id"] for e in kept if e["kind"] == "loan") == sorted(crew.lent)
    journals = {e["device_id"] for e in kept}
    assert len(journals) == 2
    for journal in journals:
        numbers = sorted(e["sequence"] for e in kept if e["device_id"] == journal)
        assert numbers == list(range(1, len(numbers) + 1))


def events_of(page: Page) -> list[dict[str, Any]]:
    """The events in the tablet's database, as they lie there."""
    found: list[dict[str, Any]] = page.evaluate(
        """() => new Promise((resolve) => {
          const asked = indexedDB.open("bookmobile-tablet");
          asked.onsuccess = () => {
            const all = asked.result.transaction("events").objectStore("events").getAll();
            all.onsuccess = () => {
              asked.result.close();
              resolve(all.result.map((record) => record.event));
            };
          };
        })"""
    )
    return found


def copied(page: Page, count: int) -> str:
    """The second copy, once it holds so many events."""
    until = time.monotonic() + 30
    while (text := str(page.evaluate(COPY))).count('"event_id"') < count:
        assert time.monotonic() < until, "the copy does not follow"
        page.wait_for_timeout(200)
    return text


def lost_answers(page: Page, times: int) -> None:
    """The server takes what is sent, and its first answers get lost on the way."""
    left = [times]

    def lose(route: Route) -> None:
        answer = route.fetch()
        sent = json.loads(route.request.post_data or "{}")
        if left[0] > 0 and sent["events"]:
            left[0] -= 1
            route.fulfill(status=502, body="")
        else:
            route.fulfill(response=answer)

    page.context.route("**/api/v1/sync/events", lose)


def send_again(aboard: Aboard, events: list[dict[str, Any]]) -> list[str]:
    """Send everything once more by hand; the answers."""
    body = {
        "device_id": events[-1]["device_id"],
        "device_now": aboard.now.isoformat(),
        "last_sequence": max(e["sequence"] for e in events),
        "events": events,
    }
    answer = httpx.post(
        f"{aboard.running.url}/api/v1/sync/events",
        json=body,
        headers={"authorization": f"Bearer {aboard.token}"},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    return [a["answer"] for a in answer.json()["answers"]]


def test_a_storage_emptied_while_open_is_written_anew(aboard: Aboard, page: Page) -> None:
    """Nothing is lost where the browser takes the storage away from a running app."""
    page.context.set_offline(True)
    visit = page.locator(".t-card-open").nth(4).get_attribute("href") or ""
    show(page, visit.removeprefix("#"))
    count = page.locator('[data-count="references_total"]')
    for n in range(5):
        count.click()
        waits(page, n + 1)
    origin = page.evaluate("location.origin")
    browser = page.context.new_cdp_session(page)
    browser.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "indexeddb"})
    count.click()
    waits(page, 6)
    page.get_by_text("всё записано заново").wait_for()
    assert [e["sequence"] for e in events_of(page)] and len(events_of(page)) == 6
    page.reload()
    page.wait_for_selector("body[data-ready]")
    waits(page, 6)
    show(page, "run")
    assert page.locator(".t-card").count() == 5

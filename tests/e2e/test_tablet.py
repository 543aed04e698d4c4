"""The crew's tablet in a browser: pairing, a day's run, lending, the map, what may go wrong."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import segno
from playwright.sync_api import Browser, Page, expect

from data.model.accounts import Role
from tests.api.circulation.library import STOPS
from tests.e2e.service import CHROMIUM, NEEDS_CHROMIUM, SWITCHES, Running, Visit
from tests.e2e.tablet import Aboard, barcode, card, pass_time, scan, settle, show, waits
from tests.e2e.test_tablet_day import events_of
from tests.fleet.days import positions

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
START_S = 2.0
SCAN_MS = 300.0


@pytest.fixture(scope="module")
def aboard(running: Running) -> Iterator[Aboard]:
    expect.set_options(timeout=30_000)
    yield Aboard.begin(running, num_items=1200, num_readers=300)
    expect.set_options(timeout=5_000)


def kinds(page: Page) -> list[str]:
    return [e["kind"] for e in sorted(events_of(page), key=lambda e: e["sequence"])]


def test_paired_by_a_code_and_started_without_a_network(
    aboard: Aboard, chromium: Browser, visit: Visit
) -> None:
    """The code of the device's page pairs; the next start needs no network, within 2 s."""
    desk = visit(Role.DISPATCHER, language="ru")
    desk.open("/devices")
    row = desk.page.locator("tr", has_text="Tablet 0")
    row.get_by_role("button").first.click()
    code = desk.page.locator(".secret").inner_text()
    with aboard.browser(chromium, is_paired=False) as tablet:
        page = tablet.page
        tablet.expect(401)
        tablet.open("/tablet")
        expect(page.get_by_text("Подключите планшет")).to_be_visible()
        assert tablet.axe() == []
        page.get_by_role("link", name="Подключить планшет").click()
        page.locator("#code-field").fill(code)
        page.get_by_role("button").last.click()
        page.get_by_role("link", name="Открыть планшет экипажа").click()
        settle(page)
        expect(page.locator(".t-card")).to_have_count(5)
        page.context.set_offline(True)
        began = time.perf_counter()
        tablet.open("/tablet")
        took_s = time.perf_counter() - began
        expect(page.locator(".t-card")).to_have_count(5)
        expect(page.locator(".t-queue")).to_contain_text("нет сети")
        aboard.token = next(
            c["value"] for c in page.context.cookies() if c["name"].endswith("session")
        )
    assert took_s < START_S


@pytest.mark.parametrize(
    ("language", "width", "height"), [("ru", 800, 1280), ("en", 1280, 800), ("ru", 1280, 800)]
)
def test_every_screen_is_accessible_and_fits(
    aboard: Aboard, chromium: Browser, language: str, width: int, height: int
) -> None:
    """Each screen, in each look: nothing for axe to say, no scrolling sideways, no code shown."""
    with aboard.browser(chromium, language=language, width=width, height=height) as tablet:
        page = tablet.open("/tablet")
        settle(page)
        visit_id = page.locator(".t-card-open").first.get_attribute("href") or ""
        for look in ("sun", "night"):
            page.evaluate(f"document.documentElement.dataset.look = '{look}'")
            for view in ("run", visit_id.removeprefix("#"), "lend", "keep"):
                show(page, view)
                if view == "lend":
                    scan(page, card(2))
                    page.wait_for_selector("#reader-name")
                name = view.partition("/")[0]
                tablet.shot(f"tablet-{look}-{name}", whole=name == "stop")
                assert tablet.axe() == [], view
                assert tablet.overflow_px() == 0
                assert "tablet." not in page.locator("#tablet").inner_text()
        tablet.assert_quiet()


def test_a_stop_from_arrival_to_departure(aboard: Aboard, chromium: Browser) -> None:
    """GPS proposes the arrival; counts take one tap; what cannot be right is asked about."""
    lon, lat = positions()[STOPS[0]]
    here = {"latitude": lat + 0.0005, "longitude": lon}
    with aboard.browser(chromium, permissions=["geolocation"], geolocation=here) as tablet:
        page = tablet.open("/tablet")
        settle(page)
        page.context.set_offline(True)
        page.locator(".t-card-open").first.click()
        # Near the stop by GPS: nothing is said of being far from it.
        expect(page.locator(".t-moment .t-hint")).to_have_count(0)
        pass_time(page, minutes=12)
        expect(page.locator(".t-next")).to_contain_text("в 07:00 по GPS")
        page.locator('.t-next[data-kind="arrive"]').click()
        page.locator('.t-next[data-kind="open"]').click()
        for name in ("visits_service.children", "visits_service.children", "references_total"):
            page.locator(f'[data-count="{name}"]').click()
        expect(page.locator('[data-count="visits_service.children"] strong')).to_have_text("2")
        page.get_by_role("button", name="Убавить", exact=True).click()
        page.locator('[data-count="visits_service.children"]').click()
        expect(page.locator('[data-count="visits_disabled"]')).to_be_disabled()
        page.get_by_role("button", name="Убавить", exact=True).click()
        for _ in range(2):
            page.locator('[data-count="visits_disabled"]').click()
        page.locator('.t-next[data-kind="close"]').click()
        page.locator('.t-next[data-kind="depart"]').click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("больше всех посещений: 1")
        assert tablet.axe() == []
        dialog.get_by_role("button", name="Исправить").click()
        page.locator('[data-count="visits_service.senior"]').click()
        page.locator('.t-next[data-kind="depart"]').click()
        expect(page.locator(".badge", has_text="уехали")).to_be_visible()
        # Another time for what was written: the first is taken back by an event of its own.
        page.locator(".t-moments button").first.click()
        dialog.locator("input[type=time]").fill("06:40")
        dialog.get_by_role("button", name="Записать").click()
        expect(page.locator(".t-moments button").first).to_contain_text("06:40")
        show(page, "run")
        page.get_by_role("button", name="Стоянка вне плана").click()
        dialog.get_by_label("Где").fill("У фермы <b>Заря</b>")
        dialog.get_by_role("button", name="Добавить стоянку").click()
        expect(page.get_by_role("heading", name="У фермы <b>Заря</b>")).to_be_visible()
        show(page, "run")
        page.locator(".t-card-open").nth(1).click()
        page.get_by_role("button", name="Пропустить стоянку").click()
        dialog.get_by_role("button", name="Дорога закрыта").click()
        expect(page.locator(".badge", has_text="пропущена")).to_be_visible()
        first = min(events_of(page), key=lambda e: e["sequence"])
        assert first["body"]["is_from_gps"] is True
        assert first["body"]["moment_at"].startswith("2026-12-01T05:00")
        assert kinds(page) == [
            "arrive", "open", *["count"] * 6, "close", "count", "depart",
            "void", "arrive", "unplanned_stop", "skip",
        ]  # fmt: skip
        page.context.set_offline(False)
        waits(page, 0)
        assert page.locator("text=отклон").count() == 0
        tablet.failed.clear()
    sent = [e["kind"] for e in aboard.events()]
    assert sent.count("count") == 7
    assert sent[-1] == "skip"


def test_lending_by_scanner(aboard: Aboard, chromium: Browser) -> None:
    """Cards and books by a scanner that types; what speaks against a loan is asked or refused."""
    with aboard.browser(chromium) as tablet:
        page = tablet.open("/tablet")
        settle(page)
        page.context.set_offline(True)
        scan(page, card(0))
        expect(page.locator("#reader-name")).to_have_text("Иванова Мария Петровна")
        scan(page, barcode(30))
        expect(page.locator(".t-toast")).to_contain_text("Выдано до вт, 15 декабря")
        took_ms = float(page.evaluate("document.body.dataset.scanMs"))
        assert took_ms < SCAN_MS
        # A child and a book for adults: the law leaves nothing to decide.
        scan(page, card(1))
        expect(page.locator("#reader-name")).to_have_text("Сидоров Пётр")
        scan(page, barcode(33))
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("Знак 18+, возраст читателя: 9")
        assert dialog.get_by_role("button", name="Всё равно выдать").count() == 0
        tablet.shot("tablet-firm")
        dialog.get_by_role("button", name="Не надо").click()
        # A blocked reader: the crew may decide, and the journal tells that it did.
        scan(page, card(2))
        expect(page.locator("#reader-name")).to_have_text("Кузнецова Анна")
        scan(page, barcode(34))
        expect(dialog).to_contain_text("Выдача ограничена: долг")
        dialog.get_by_role("button", name="Всё равно выдать").click()
        waits(page, 2)
        # A title that is hostile stays a text.
        expect(page.locator(".t-toast")).to_contain_text("<img src=x onerror=alert(1)>")
        # What is put aside for one reader is not lent to another without a question.
        scan(page, barcode(1))
        expect(dialog).to_contain_text("Отложено для другого читателя")
        dialog.get_by_role("button", name="Не надо").click()
        # A code that is none of ours, however odd, is a text and asks what it is.
        for odd in ("<img src=x onerror=alert(1)>", "';--", "9" * 200):
            scan(page, odd)
            expect(dialog).to_contain_text(f"{odd[:64]} не найден")
            dialog.get_by_role("button", name="Ни то, ни другое").click()
        scan(page, "no-such-code")
        expect(dialog).to_contain_text("no-such-code не найден")
        dialog.get_by_role("button", name="Это билет читателя").click()
        expect(page.locator("#reader-name")).to_have_text("Билет no-such-code")
        expect(page.locator(".t-reader")).to_contain_text("Планшет не знает этого читателя")
        scan(page, barcode(35))
        waits(page, 3)
        page.get_by_role("button", name="Возврат", exact=True).click()
        scan(page, barcode(20))
        expect(page.locator(".t-toast")).to_contain_text("Иванова Мария Петровна")
        waits(page, 4)
        page.locator(".t-toast").get_by_role("button", name="Отменить").click()
        waits(page, 5)
        found = sorted(events_of(page), key=lambda e: e["sequence"])
        assert [e["kind"] for e in found] == ["loan", "loan", "loan", "return", "void"]
        assert found[1]["body"]["overrides"] == ["blocked"]
        assert found[2]["body"]["card"] == "no-such-code"
        page.context.set_offline(False)
        waits(page, 0)
        show(page, "keep")
        expect(page.get_by_text("решения библиотекаря").first).to_be_visible()
        tablet.failed.clear()


# A scanner's keys at once after a tap: in the tap's own step, after it, with the next picture.
TAP_AND_SCAN = """([code, wait]) => new Promise((resolve) => {
  const scan = () => {
    for (const key of [...code, "Enter"]) {
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    }
    setTimeout(resolve, 250);
  };
  document.querySelector("dialog .t-close").click();
  if (wait === "now") scan();
  else if (wait === "step") Promise.resolve().then(scan);
  else if (wait === "picture") requestAnimationFrame(scan);
  else setTimeout(scan, Number(wait));
})"""


def test_a_scan_right_after_a_closed_question_asks_its_own(
    aboard: Aboard, chromium: Browser
) -> None:
    """However soon the next code comes, its question stands open and whole; nothing is written."""
    with aboard.browser(chromium) as tablet:
        page = tablet.open("/tablet")
        settle(page)
        page.context.set_offline(True)
        scan(page, "first-code")
        dialog = page.locator("dialog")
        expect(dialog).to_contain_text("first-code не найден")
        waits_ms = [str(n) for n in (0, 1, 4, 8, 12, 16, 20, 40)]
        for wait in ("now", "step", "picture", *waits_ms, *("now", "step", "picture") * 5):
            code = f"code-{wait}-next"
            page.evaluate(TAP_AND_SCAN, [code, wait])
            assert dialog.get_attribute("open") is not None, wait
            assert f"{code} не найден" in dialog.inner_text(), wait
        # Escape closes by the browser's own hand.
        page.keyboard.press("Escape")
        expect(dialog).not_to_have_attribute("open", "")
        scan(page, "last-code")
        expect(dialog).to_contain_text("last-code не найден")
        assert events_of(page) == []


def test_the_map_needs_no_network(aboard: Aboard, chromium: Browser) -> None:
    """The kept file draws the run, and own position on it, with the network cut."""
    here = {"latitude": 54.63, "longitude": 21.8}
    with aboard.browser(chromium, permissions=["geolocation"], geolocation=here) as tablet:
        page = tablet.open("/tablet")
        settle(page)
        show(page, "keep")
        expect(page.get_by_text(re.compile("на планшете, .* МБ"))).to_be_visible()
        page.context.set_offline(True)
        tablet.open("/tablet")
        show(page, "map")
        page.wait_for_selector("div.t-map[data-ready]")
        page.get_by_role("button", name="Где я").click()
        tablet.shot("tablet-own-place")
        assert tablet.axe() == []


def test_a_cut_off_copy_gives_what_it_has(
    aboard: Aboard, chromium: Browser, tmp_path: Path
) -> None:
    """Of a copy that was cut off the whole lines come back; a foreign file is refused."""
    with aboard.browser(chromium) as tablet:
        page = tablet.open("/tablet")
        settle(page)
        page.context.set_offline(True)
        page.locator(".t-card-open").nth(2).click()
        for n in range(3):
            page.locator('[data-count="copies_made"]').click()
            waits(page, n + 1)
        show(page, "keep")
        with page.expect_download() as download:
            page.get_by_role("button", name="Сохранить копию сейчас").click()
        text = Path(download.value.path()).read_text(encoding="utf-8")
        assert "Иванова" not in text
        cut = tmp_path / "cut.journal"
        cut.write_text(text[: text.rindex('{"end"') - 40], encoding="utf-8")
        page.locator("input[type=file]").first.set_input_files(cut)
        expect(page.locator(".t-toast")).to_contain_text("не прочитались: 1")
        assert len(events_of(page)) == 3
        foreign = tmp_path / "holiday.jpg"
        foreign.write_bytes(b"\xff\xd8\xff" * 50)
        page.locator("input[type=file]").first.set_input_files(foreign)
        expect(page.locator(".t-toast")).to_contain_text("не копия журнала")


def test_the_camera_reads_a_card(aboard: Aboard, chromium: Browser, tmp_path: Path) -> None:
    """A code before the camera is taken as if it was scanned; with no network."""
    film = tmp_path / "card.y4m"
    film.write_bytes(filmed(card(0)))
    switches = [
        *SWITCHES, "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]  # fmt: skip
    browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=switches)
    with aboard.browser(browser, permissions=["camera"]) as tablet:
        page = tablet.open("/tablet")
        settle(page)
        page.context.set_offline(True)
        show(page, "lend")
        page.get_by_role("button", name="Камера").click()
        expect(page.locator("#reader-name")).to_have_text("Иванова Мария Петровна")
    browser.close()


def filmed(text: str, side: int = 480) -> bytes:
    """A film of one picture: a QR code on a white card."""
    rows = [list(row) for row in segno.make(text, error="m").matrix_iter(scale=10, border=6)]
    white = bytearray(b"\xeb" * (side * side))
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                white[(y + 60) * side + x + 60] = 16
    chroma = b"\x80" * (side * side // 2)
    head = f"YUV4MPEG2 W{side} H{side} F10:1 Ip A1:1 C420jpeg\n".encode()
    return head + (b"FRAME\n" + bytes(white) + chroma) * 3


def test_a_revoked_tablet_forgets_its_readers(aboard: Aboard, chromium: Browser) -> None:
    """Once its access is taken away and it meets the server, no reader is left on the tablet."""
    with aboard.browser(chromium) as tablet:
        page = tablet.open("/tablet")
        settle(page)
        page.locator(".t-card-open").nth(3).click()
        page.context.set_offline(True)
        page.locator('[data-count="copies_made"]').click()
        waits(page, 1)
        tablet.expect(401)
        with aboard.running.api(Role.DISPATCHER) as desk:
            assert desk.delete(f"/api/v1/devices/{aboard.device.device_id}").status_code == 200
        aboard.now += timedelta(minutes=1)
        page.context.set_offline(False)
        expect(page.get_by_text("Доступ этого планшета отключён")).to_be_visible()
        expect(page.get_by_role("link", name="Подключить планшет")).to_be_visible()
        expect(page.get_by_text("Ждут подключения")).to_contain_text("1 запись")
        assert "Иванова" not in page.content()
        assert tablet.axe() == []
        # What the crew did is still there and can be brought in a copy.
        assert len(events_of(page)) == 1

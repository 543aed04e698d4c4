"""What the crew writes down besides lending: the odometer, counts, and what the desk must see."""

import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Geolocation, Page, expect

from data.db import day_sheet_store
from data.db.engine import reading, writing
from data.model.accounts import Role
from data.model.day_sheet import DaySheet
from tests.api.circulation.library import STOPS
from tests.api.tracking.depot import NORTH, REGION
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit
from tests.e2e.tablet import MORNING, Aboard, settle, show, waits
from tests.e2e.test_tablet_day import events_of
from tests.fleet.days import DAY

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]


@pytest.fixture(scope="module")
def aboard(running: Running) -> Iterator[Aboard]:
    expect.set_options(timeout=30_000)
    made = Aboard.begin(running)
    last = DaySheet(
        region_id=REGION, vehicle_id=NORTH, service_date=DAY - timedelta(days=1),
        odometer_out_km=45_000.0, odometer_in_km=45_210.0,
    )  # fmt: skip
    with writing(running.engine) as session:
        day_sheet_store.put_sheet(session, last, expect_revision=0, by=None, at=MORNING)
    yield made
    expect.set_options(timeout=5_000)


def sheet_of(aboard: Aboard) -> DaySheet | None:
    with reading(aboard.running.engine) as session:
        return day_sheet_store.get_sheet(session, REGION, NORTH, DAY)


def stop_of(page: Page, number: int) -> str:
    href = page.locator(".t-card-open").nth(number).get_attribute("href") or ""
    return href.removeprefix("#")


def test_the_odometer_is_read_twice_a_day(aboard: Aboard, chromium: Browser) -> None:
    """With no network; odd readings are asked about, impossible ones refused, slips corrected."""
    with aboard.browser(chromium) as tablet:
        page = tablet.open("/tablet")
        settle(page)
        page.context.set_offline(True)
        dialog, write = page.get_by_role("dialog"), page.locator("dialog .t-main-button")
        out, back = (page.locator(f'[data-odometer="{end}"]') for end in ("out", "in"))
        out.click()
        expect(dialog).to_contain_text("Последняя запись: 45 210 км, 30 ноября")
        assert tablet.axe() == []
        for wrong in ("", "сорок", "-5", "1e9"):
            page.locator("#odometer").fill(wrong)
            write.click()
            expect(dialog).to_contain_text("Введите километры цифрами")
        page.locator("#odometer").fill("45 290,5")
        write.click()
        expect(dialog).to_contain_text("Между выездами одометр прошёл 80,5 км")
        assert events_of(page) == []
        page.locator("#odometer").fill("")
        dialog.get_by_role("button", name="Как в последней записи").click()
        write.click()
        expect(out).to_contain_text("45 210 км")
        back.click()
        page.locator("#odometer").fill("45200")
        write.click()
        expect(dialog).to_contain_text("меньше, чем перед выездом (45 210 км)")
        page.locator("#odometer").fill("47300")
        write.click()
        expect(dialog).to_contain_text("больше 2 000 км")
        page.locator("#odometer").fill("45710")
        page.locator("#fuel").fill("19,5")
        write.click()
        expect(dialog).to_contain_text("намного больше плана")
        assert tablet.axe() == []
        tablet.shot("tablet-odometer")
        write.click()
        expect(page.locator("main")).to_contain_text("За день по одометру: 500 км")
        waits(page, 2)
        back.click()
        page.locator("#odometer").fill("45275")
        write.click()
        expect(page.locator("main")).to_contain_text("За день по одометру: 65 км")
        page.reload()
        page.wait_for_selector("body[data-ready]")
        expect(back).to_contain_text("45 275 км")
        kinds = [e["kind"] for e in sorted(events_of(page), key=lambda e: e["sequence"])]
        assert kinds == ["odometer", "odometer", "void", "odometer"]
        page.context.set_offline(False)
        waits(page, 0)
        tablet.failed.clear()
    sheet = sheet_of(aboard)
    assert sheet is not None
    assert (sheet.odometer_out_km, sheet.odometer_in_km, sheet.fuel) == (45_210.0, 45_275.0, 19.5)


def test_gps_knows_the_least_that_was_driven(aboard: Aboard, chromium: Browser) -> None:
    """An odometer that went less far than the tablet itself did is asked about."""
    start = {"latitude": 54.60, "longitude": 21.50}
    with aboard.browser(
        chromium, language="en", permissions=["geolocation"], geolocation=start
    ) as tablet:
        page = tablet.open("/tablet")
        settle(page)
        page.wait_for_timeout(300)
        for step in range(1, 41):
            page.clock.fast_forward(120_000)
            moved: Geolocation = {"latitude": 54.60 + 0.02 * step, "longitude": 21.50}
            page.context.set_geolocation(moved)
            page.wait_for_timeout(60)
        write = page.locator("dialog .t-main-button")
        page.locator('[data-odometer="out"]').click()
        page.locator("#odometer").fill("45210")
        write.click()
        page.locator('[data-odometer="in"]').click()
        expect(page.locator("#odometer-known")).to_contain_text("By the tablet's GPS: at least")
        page.locator("#odometer").fill("45220")
        write.click()
        expect(page.get_by_role("dialog")).to_contain_text("The odometer says 10 km")
        assert tablet.axe() == []


@pytest.mark.parametrize(("language", "width", "height"), [("ru", 360, 740), ("en", 800, 1280)])
def test_each_count_takes_three_taps_at_most(
    aboard: Aboard, chromium: Browser, language: str, width: int, height: int
) -> None:
    """From the run to the count: the stop, at most one choice, the count; targets of 48 px."""
    wanted = {
        "visits_service.children": (), "visits_service.youth": (), "visits_service.adult": (),
        "visits_event.adult": (".t-section .t-modes button >> nth=1",),
        "events_count": (".t-section .t-modes button >> nth=1",),
        "references_total": (), "egov_consultations": (), "internet_sessions": (),
        "satisfied_yes": (), "satisfied_no": (), "refusals": (),
        "views_onboard": (".t-more summary",), "references_virtual": (".t-more summary",),
        "requests_taken": (".t-more summary",), "loans_licensed": (".t-more summary",),
    }  # fmt: skip
    with aboard.browser(chromium, language=language, width=width, height=height) as tablet:
        page = tablet.open("/tablet")
        settle(page)
        page.context.set_offline(True)
        for number, (name, before) in enumerate(wanted.items()):
            show(page, "run")
            taps = [f".t-card-open >> nth={2 if width < 500 else 3}", *before]
            for tap in (*taps, f'[data-count="{name}"]'):
                page.locator(tap).click()
            assert len(taps) + 1 <= 3
            expect(page.locator(f'[data-count="{name}"] strong')).to_have_text("1")
            waits(page, number + 1)
        small = page.evaluate(
            """() => [...document.querySelectorAll("main a[href], main button, summary")]
              .map((e) => [e.innerText, e.getBoundingClientRect()])
              .filter(([, r]) => r.width > 0 && (r.width < 48 || r.height < 48))"""
        )
        assert small == []
        assert tablet.overflow_px() == 0
        assert tablet.axe() == []
        # A virtual enquiry is an enquiry as well.
        expect(page.locator('[data-count="references_total"] strong')).to_have_text("2")


def test_the_desk_sees_at_once_what_the_crew_tells(
    aboard: Aboard, chromium: Browser, visit: Visit
) -> None:
    """A skip with its reason, a stop in no plan, a defect with its photo; a slip goes away."""
    picture = io.BytesIO()
    Image.new("RGB", (320, 240), "peru").save(picture, "JPEG")
    photo: FilePayload = {
        "name": "hole.jpg",
        "mimeType": "image/jpeg",
        "buffer": picture.getvalue(),
    }
    desk = visit(Role.DISPATCHER, language="ru")
    desk.page.route("**/basemap.pmtiles", lambda route: route.fulfill(status=404))
    desk.expect(404)
    board = desk.open(f"/desk/{REGION}/live", ready="body[data-live]")
    notes = board.locator(".crew-note")

    def note(text: str) -> None:
        expect(notes.filter(has_text=text)).to_have_count(1)

    assert notes.count() == 0
    with aboard.browser(chromium) as tablet:
        page = tablet.open("/tablet")
        settle(page)
        show(page, stop_of(page, 4))
        page.get_by_role("button", name="Пропустить стоянку").click()
        page.get_by_role("button", name="Другая причина").click()
        page.get_by_label("Причина").fill("Мост <b>закрыт</b>")
        page.locator("dialog .t-main-button").click()
        note("пропущена: Мост <b>закрыт</b>")
        show(page, "run")
        page.get_by_role("button", name="Стоянка вне плана").click()
        page.get_by_label("Где").fill("У фермы")
        page.locator("dialog .t-main-button").click()
        note("стоянка вне плана: У фермы")
        show(page, "run")
        show(page, stop_of(page, 0))
        page.get_by_role("button", name="Сообщить о неполадке на месте").click()
        page.locator("dialog select").select_option("surface")
        page.locator("dialog textarea").fill("Яма у входа")
        page.locator("dialog input[type=file]").set_input_files(photo)
        expect(page.get_by_role("dialog")).to_contain_text("1 ")
        page.locator("dialog .t-main-button").click()
        waits(page, 0)
        note("Покрытие. Яма у входа")
        assert desk.axe() == []
        desk.open(f"/desk/{REGION}/live", ready="body[data-live]")
        expect(notes.locator("img")).to_be_visible()
        # What the crew wrote stands among the stops by the plan; none of them is missing.
        desk.page.locator(".vehicle-open").first.click()
        rows = desk.page.locator(".vehicle").first.locator("tbody tr")
        expect(rows).to_have_count(5)
        expect(rows.last).to_contain_text("Мост <b>закрыт</b>")
        desk.shot("live-crew")
        desk.open(f"/desk/{REGION}/days/{DAY.isoformat()}")
        told = desk.page.locator(".crew-notes li")
        expect(told).to_have_count(3)
        expect(told.filter(has_text="Мост <b>закрыт</b>")).to_have_count(1)
        expect(told.locator("img")).to_be_visible()
        assert desk.axe() == []
        desk.shot("day-crew")
        desk.open(f"/desk/{REGION}/stops/{STOPS[0]}")
        told = desk.page.locator(".told-here li")
        expect(told).to_have_count(1)
        expect(told).to_contain_text("Яма у входа")
        expect(told.locator("img")).to_be_visible()
        assert desk.axe() == []
        desk.shot("stop-crew", whole=True)
        show(page, stop_of_visit(page))
        page.get_by_role("button", name="Не пропускать").click()
        waits(page, 0)
        desk.open(f"/desk/{REGION}/live", ready="body[data-live]")
        expect(notes).to_have_count(2)


def stop_of_visit(page: Page) -> str:
    show(page, "run")
    return stop_of(page, 4)

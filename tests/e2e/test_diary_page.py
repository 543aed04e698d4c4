"""The diary in a browser: from a month's number to what is behind it, a correction, paper."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from api.services.own_journal import Entry, write_down
from api.services.visit_records import keep_records
from data.db import publication_store
from data.db.engine import reading, writing
from data.model.accounts import Role
from data.model.crew_bodies import CountBody, MomentBody, SkipBody, SkipReason
from data.model.fleet import VehicleId
from data.model.journal import EventKind
from data.model.publication import PromisedVisit
from data.model.service_time import instant_of
from data.model.stock import ItemPlace, PlaceKind
from tests.api.days.driven import drive_day, evening, wait_for_days
from tests.api.days.yard import FIRST, TUESDAY, Yard
from tests.api.publication.office import REGION
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
DESK = f"/desk/{REGION}"
ZONE = ZoneInfo("Europe/Kaliningrad")
SCREENS = [("ru", 1366, 768, False), ("en", 800, 1180, True)]


def entries(visits: tuple[PromisedVisit, ...]) -> list[Entry]:
    """A crew's day: two stops counted, one left out, loans without visits at the last."""
    first, second, third, *_ = visits
    place = ItemPlace(kind=PlaceKind.VEHICLE, key=FIRST)

    def at(visit: PromisedVisit, kind: EventKind, body: object) -> Entry:
        return Entry(
            kind=kind, body=body, service_date=TUESDAY, place=place,  # type: ignore[arg-type]
            stop_id=visit.stop_id, visit_id=visit.visit_id,
        )  # fmt: skip

    def when(visit: PromisedVisit, clock_s: int) -> datetime:
        return instant_of(visit.service_date, clock_s, ZONE)

    counts = {"visits_service.children": 7, "visits_service.adult": 5, "references_total": 3,
              "loans_home.children": 12, "loans_home.adult": 9, "users_new.adult": 1}  # fmt: skip
    return [
        at(first, EventKind.OPEN, MomentBody(moment_at=when(first, first.start_s))),
        at(first, EventKind.COUNT, CountBody(counts=counts)),
        at(first, EventKind.CLOSE, MomentBody(moment_at=when(first, first.end_s))),
        at(second, EventKind.SKIP, SkipBody(reason=SkipReason.ROAD)),
        at(third, EventKind.OPEN, MomentBody(moment_at=when(third, third.start_s))),
        at(third, EventKind.COUNT, CountBody(counts={"loans_home": 4})),
    ]


@pytest.fixture(scope="module")
def yard(running: Running) -> Yard:
    """A Tuesday has been driven by the first vehicle and written down; it is its evening."""
    yard = Yard(running.engine)
    running.service.clock = lambda: yard.now
    yard.now = evening(TUESDAY)
    drive_day(yard, TUESDAY, seed=1)
    wait_for_days(running.engine, 2)
    with reading(running.engine) as session:
        visits = publication_store.load_visits(
            session, REGION, from_date=TUESDAY, until_date=TUESDAY, vehicle_id=VehicleId(FIRST)
        )
    with writing(running.engine) as session:
        write_down(session, REGION, entries(visits), at=yard.now - timedelta(hours=1))
    keep_records(running.service, REGION)
    return yard


@pytest.mark.parametrize(("language", "width", "height", "dark"), SCREENS)
@pytest.mark.usefixtures("yard")
def test_every_page_is_accessible_and_fits(
    visit: Visit,
    language: str,
    width: int,
    height: int,
    dark: bool,  # noqa: FBT001
) -> None:
    """No violation of WCAG 2.1 AA, nothing wider than the window, no complaint."""
    desk = visit(Role.LIBRARIAN, language=language, width=width, height=height, dark=dark)
    span = f"from={TUESDAY}&until={TUESDAY}"
    page = desk.open(f"{DESK}/diary?vehicle={FIRST}&month=2026-12")
    record = page.locator("table.dense a[href*='/diary/visits/']").first.get_attribute("href")
    assert record is not None
    for name, path in {
        "diary": f"{DESK}/diary?vehicle={FIRST}&month=2026-12",
        "diary-lines": f"{DESK}/diary/lines?{span}&figure=visits",
        "diary-ways": f"{DESK}/diary/ways?{span}",
        "diary-record": record,
        "diary-sheets": f"{DESK}/sheets?date={TUESDAY}",
        "diary-type": f"{DESK}/sheets/{TUESDAY}/{FIRST}",
    }.items():
        desk.open(path)
        assert desk.axe() == [], name
        assert desk.overflow_px() == 0, name
        desk.shot(name, whole=True)
    desk.assert_quiet()


@pytest.mark.usefixtures("yard")
def test_a_number_opens_its_lines_and_is_corrected_with_a_reason(visit: Visit) -> None:
    """Month, lines, record, correction; the trail says who and why, the month has the new sum."""
    desk = visit(Role.LIBRARIAN, language="ru")
    page = desk.open(f"{DESK}/diary?vehicle={FIRST}&month=2026-12")
    total = page.locator("tr.total").nth(1)
    total.get_by_role("link", name="12", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Посещения")
    page.locator("tbody th a").first.click()
    page.locator("select[name=name]").select_option("visits_service.adult")
    page.locator("input[name=value]").fill("6")
    page.locator("input[name=reason]").fill("посчитали водителя")
    page.get_by_role("button", name="Исправить").click()
    expect(page.locator(".note-good")).to_contain_text("Исправлено")
    trail = page.locator("table", has_text="посчитали водителя")
    expect(trail).to_contain_text("Библиотекарь стенда")
    expect(trail).to_contain_text("+1")
    page.locator("select[name=name]").select_option("visits_service.adult")
    page.locator("input[name=value]").fill("много")
    page.locator("input[name=reason]").fill("ещё раз")
    desk.expect(422)
    page.get_by_role("button", name="Исправить").click()
    expect(page.get_by_role("alert")).to_contain_text("не целое число")
    desk.open(f"{DESK}/diary?vehicle={FIRST}&month=2026-12")
    expect(page.locator("tr.total").nth(1)).to_contain_text("13")
    desk.assert_quiet()


@pytest.mark.usefixtures("yard")
def test_a_paper_sheet_is_typed_in_by_keyboard_alone(visit: Visit) -> None:
    """Enter and arrows go through the boxes; checked, saved, and typed again nothing is added."""
    desk = visit(Role.LIBRARIAN, language="ru")
    page = desk.open(f"{DESK}/sheets/{TUESDAY}/{FIRST}")
    boxes = page.locator("tbody tr")
    boxes.nth(3).locator("input").first.focus()
    for text in ("1430", "1530", "", "", "4"):
        page.keyboard.type(text)
        page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.type("6")
    expect(boxes.nth(3).locator("input").nth(4)).to_have_value("4")
    expect(boxes.nth(4).locator("input").nth(5)).to_have_value("6")
    page.get_by_role("button", name="Проверить").click()
    expect(page.locator("#checked")).to_contain_text("Пока ничего не сохранено")
    page.get_by_role("button", name="Сохранить").click()
    expect(page.locator(".note-good")).to_contain_text("Сохранено записей в журнале: 4")
    expect(boxes.nth(3).locator("input").first).to_have_value("14:30")
    page.get_by_role("button", name="Проверить").click()
    expect(page.locator("#checked")).to_contain_text("Будет записано стоянок: 0")
    page.get_by_role("button", name="Сохранить").click()
    expect(page.locator(".note-good")).to_contain_text("Ничего не добавлено")
    desk.open(f"{DESK}/diary/lines?from={TUESDAY}&until={TUESDAY}&figure=visits")
    expect(page.locator("tbody")).to_contain_text("Свобода")
    desk.assert_quiet()

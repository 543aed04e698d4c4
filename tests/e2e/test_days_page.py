"""Driven days in a browser: reports and what is behind them, sheets, learning, a breakdown."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from data.model.accounts import Role
from data.model.publication import VisitState
from tests.api.days.driven import drive_day, evening, wait_for_days
from tests.api.days.yard import FIRST, MORNING, SECOND, TUESDAY, Yard
from tests.api.publication.office import REGION
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
DESK = f"/desk/{REGION}"
DAY = f"{DESK}/days/{TUESDAY.isoformat()}"
LATER = TUESDAY + timedelta(days=14)
NEXT = TUESDAY + timedelta(days=28)
"""Nobody has driven that Tuesday yet."""
SCREENS = [("ru", 1366, 768, False), ("en", 800, 1180, True), ("ru", 800, 1180, False)]


@pytest.fixture(scope="module")
def yard(running: Running) -> Yard:
    """Two Tuesdays have been driven; it is the evening of the second."""
    yard = Yard(running.engine)
    running.service.clock = lambda: yard.now
    yard.now = evening(LATER)
    for number, on in enumerate((TUESDAY, LATER)):
        drive_day(yard, on, seed=number + 1)
    wait_for_days(running.engine, 4)
    return yard


@pytest.fixture(autouse=True)
def _in_the_evening(yard: Yard) -> None:
    yard.now = evening(LATER)


def see(visitor: Visitor, name: str) -> None:
    """A page as it stands is accessible and fits its window."""
    assert visitor.axe() == [], name
    assert visitor.overflow_px() == 0, name
    visitor.shot(name, whole=True)


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
    desk = visit(Role.DISPATCHER, language=language, width=width, height=height, dark=dark)
    for name, path in {
        "days": f"{DESK}/days",
        "day": DAY,
        "day-late": f"{DAY}?show=late",
        "day-empty": f"{DESK}/days/2026-12-03",
        "day-fixes": f"{DAY}/{FIRST}/fixes?from=30000&until=36000",
        "day-sheet": f"{DAY}/{FIRST}/sheet",
        "learning": f"{DESK}/learning",
        "breakdown": f"{DESK}/breakdown",
    }.items():
        desk.open(path)
        see(desk, name)
    desk.assert_quiet()


@pytest.mark.usefixtures("yard")
def test_from_a_figure_to_the_positions_behind_it(visit: Visit) -> None:
    """Span, date, the visits of a figure, the positions of a stay; back by the crumbs."""
    desk = visit(Role.DISPATCHER, language="ru")
    page = desk.open(f"{DESK}/days")
    main = page.locator("main")
    expect(main).to_contain_text("По дням")
    page.get_by_role("link", name="вт, 1 дек.").click()
    page.wait_for_url(f"**{DAY}")
    expect(page.locator("h1")).to_have_text("Вторник, 1 декабря 2026")
    mine = page.locator(f"#v-{FIRST}")
    expect(mine.locator("tbody").first.locator("tr")).to_have_count(5)
    mine.locator(".figures a").first.click()
    page.wait_for_url("**show=held**")
    held = mine.locator("tbody tr")
    stay = held.first.locator("td a")
    arrival = stay.inner_text().split("–")[0]
    stay.click()
    page.wait_for_url("**/fixes?from=**")
    rows = page.locator("tbody tr")
    assert rows.count() > 5
    times = [row.split("\t")[0] for row in rows.all_inner_texts()]
    assert times == sorted(times)
    assert any(t.startswith(arrival) for t in times), (arrival, times[:5])
    page.get_by_role("link", name="1 декабря 2026").click()
    page.wait_for_url(f"**{DAY}**")
    desk.assert_quiet()


@pytest.mark.usefixtures("yard")
def test_files_are_taken_along(visit: Visit, tmp_path: Path) -> None:
    """The workbook and the table of a date, the workbook of the span that is shown."""
    desk = visit(Role.ANALYST, language="ru")
    page = desk.open(DAY)
    for link, name in (("XLSX", "day_2026-12-01.xlsx"), ("CSV", "day_2026-12-01.csv")):
        with page.expect_download() as loading:
            page.get_by_role("link", name=link).click()
        assert loading.value.suggested_filename == name
        loading.value.save_as(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 500
    page = desk.open(f"{DESK}/days?from=2026-12-01&until=2026-12-10")
    with page.expect_download() as loading:
        page.get_by_role("link", name="XLSX").click()
    assert loading.value.suggested_filename == "days_2026-12-01_2026-12-10.xlsx"
    # Where somebody drove is the dispatcher's to see; so is joining a file.
    page = desk.open(DAY)
    assert page.locator("a[href*='/fixes']").count() == 0
    assert page.locator("input[type=file]").count() == 0


@pytest.mark.usefixtures("yard")
def test_a_span_that_is_none_is_told_and_the_usual_one_shown(visit: Visit) -> None:
    """The last date before the first: what is wrong, in words; the page stays of use."""
    desk = visit(Role.DISPATCHER, language="ru")
    desk.expect(422)
    page = desk.open(f"{DESK}/days?from=2026-12-10&until=2026-12-01")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("main")).to_contain_text("По дням")
    see(desk, "days-wrong")
    desk.assert_quiet()


@pytest.mark.usefixtures("yard")
def test_a_sheet_is_filled_in_by_keyboard(visit: Visit) -> None:
    """What cannot be is told and nothing typed is lost; saved, the day checks the odometer."""
    crew = visit(Role.CREW, language="ru", width=800, height=1180)
    crew.expect(422)
    page = crew.open(f"{DAY}/{SECOND}/sheet")
    page.get_by_label("Одометр при выезде").focus()
    page.keyboard.type("48 210,5")
    page.keyboard.press("Tab")
    page.keyboard.type("48 100")
    page.get_by_label("Водитель", exact=True).fill("<b>Рулев</b>")
    page.get_by_label("Номер", exact=True).fill("1127")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Водитель", exact=True)).to_have_value("<b>Рулев</b>")
    expect(page.get_by_label("Одометр при выезде")).to_have_value("48 210,5")
    see(crew, "day-sheet-wrong")
    page.get_by_label("Одометр при возвращении").fill("48 371")
    page.get_by_role("button", name="Сохранить").click()
    page.wait_for_url(f"**{DAY}#v-{SECOND}")
    expect(page.locator(f"#v-{SECOND} .wide-figure")).to_contain_text("160,5")
    crew.open(f"{DESK}/days/{LATER.isoformat()}/{SECOND}/sheet")
    expect(page.get_by_label("Одометр при выезде")).to_have_value("48371")
    expect(page.get_by_label("Водитель", exact=True)).to_have_value("<b>Рулев</b>")
    expect(page.get_by_label("Номер", exact=True)).to_have_value("1128")
    page.emulate_media(media="print")
    crew.shot("day-sheet-print", whole=True)
    crew.assert_quiet()


@pytest.mark.usefixtures("yard")
def test_two_who_write_the_same_sheet(visit: Visit) -> None:
    """The slower one is told that it has changed, and keeps what was typed."""
    first, second = (visit(role, language="ru") for role in (Role.CREW, Role.DISPATCHER))
    second.expect(409, 412)
    for one in (first, second):
        one.open(f"{DAY}/{FIRST}/sheet")
    first.page.get_by_label("Примечание").fill("первый")
    first.page.get_by_role("button", name="Сохранить").click()
    first.page.wait_for_url(f"**{DAY}#**")
    second.page.get_by_label("Примечание").fill("второй")
    second.page.get_by_role("button", name="Сохранить").click()
    expect(second.page.get_by_role("alert")).to_be_visible()
    expect(second.page.get_by_label("Примечание")).to_have_value("второй")
    second.shot("day-sheet-stale", whole=True)
    second.page.get_by_role("button", name="Сохранить").click()
    expect(second.page.get_by_role("alert")).to_be_visible()
    analyst = visit(Role.ANALYST, language="ru")
    analyst.open(f"{DAY}/{FIRST}/sheet")
    expect(analyst.page.get_by_label("Примечание")).to_have_value("первый")
    assert analyst.page.get_by_role("button", name="Сохранить").count() == 0
    see(analyst, "day-sheet-read")


def test_a_track_is_joined_to_a_day(yard: Yard, visit: Visit, tmp_path: Path) -> None:
    """A GPX file of the day is read and counted; twice is once; what is no track is told."""
    yard.now = evening(NEXT)
    on = NEXT.isoformat()
    points = "".join(
        f'<trkpt lat="54.63" lon="21.8{n % 10}"><time>{on}T08:{n:02d}:00Z</time></trkpt>'
        for n in range(60)
    )
    good = tmp_path / "трек <b>.gpx"
    good.write_text(
        '<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">'
        f"<trk><trkseg>{points}</trkseg></trk></gpx>",
        encoding="utf-8",
    )
    bad = tmp_path / "readme.txt"
    bad.write_text("no track at all\n", encoding="utf-8")
    desk = visit(Role.DISPATCHER, language="ru")
    desk.expect(422)
    page = desk.open(f"{DESK}/days/{on}")
    for path, told in ((good, "60"), (good, "60"), (bad, "readme.txt")):
        page.get_by_label("Машина").select_option(value=FIRST)
        page.locator("input[type=file]").set_input_files(path)
        page.get_by_role("button", name="Загрузить").click()
        box = page.locator("[role=status], [role=alert]").filter(has_text=path.name)
        expect(box.first).to_contain_text(told)
        desk.shot(f"day-joined-{path.suffix[1:]}")
    see(desk, "day-joined")
    desk.assert_quiet()


@pytest.mark.usefixtures("yard")
def test_learned_times_are_proposed_accepted_and_taken_back(visit: Visit) -> None:
    """A librarian reads, a dispatcher decides; what is in use stands on top; it can return."""
    desk = visit(Role.DISPATCHER, language="ru")
    page = desk.open(f"{DESK}/learning")
    page.get_by_label("С", exact=True).fill(TUESDAY.isoformat())
    page.get_by_role("button", name="Учиться на этих днях").click()
    page.wait_for_selector("#proposal")
    see(desk, "learning-proposed")
    page.get_by_label("Примечание").fill("Зима <i>2026</i>")
    page.get_by_role("button", name="Принять").click()
    used = page.locator(".note-good")
    expect(used).to_contain_text("Зима <i>2026</i>")
    see(desk, "learning-used")
    reader = visit(Role.LIBRARIAN, language="en")
    reader.open(f"{DESK}/learning")
    assert reader.page.locator("main form").count() == 0
    see(reader, "learning-read")
    used.get_by_role("button").click()
    expect(page.locator(".note-good")).to_have_count(0)
    page.locator("tbody form button").first.click()
    page.wait_for_load_state()
    expect(page.locator(".note-good")).to_be_visible()
    for one in (desk, reader):
        one.assert_quiet()


def ask(page: Page, vehicle: str) -> None:
    """Ask what can be done, by the form."""
    page.locator("select[name=vehicle]").select_option(value=vehicle)
    page.get_by_role("button", name="Показать").click()
    page.wait_for_selector("#shown")


def test_a_breakdown_is_shown_done_and_taken_back(yard: Yard, visit: Visit) -> None:
    """From the form to the preview, to what was done, and back to what was before."""
    yard.now = MORNING + timedelta(days=28)
    before = yard.visits(from_date=NEXT, until_date=NEXT)
    desk = visit(Role.DISPATCHER, language="ru")
    page = desk.open(f"{DESK}/breakdown")
    ask(page, FIRST)
    expect(page.locator("#shown")).to_be_focused()
    assert page.locator("input[name=move]").count() > 0
    see(desk, "breakdown-shown")
    page.get_by_role("button", name="Выполнить").click()
    page.wait_for_load_state()
    assert page.get_by_role("alert").all_inner_texts() == []
    page.wait_for_url(re.compile(r"/exceptions/\w+\?told=done"))
    see(desk, "breakdown-done")
    now = yard.visits(from_date=NEXT, until_date=NEXT)
    moved = {v.visit_id for v in before if v.vehicle_id == FIRST}
    assert any(v.visit_id in moved and v.vehicle_id != FIRST for v in now)
    page.get_by_role("button", name="Вернуть как было").click()
    expect(page.get_by_role("status").first).to_contain_text("Всё возвращено")
    see(desk, "breakdown-undone")
    after = yard.visits(from_date=NEXT, until_date=NEXT)
    kept = {v.visit_id: (v.vehicle_id, v.start_s, v.state) for v in before}
    assert {v.visit_id: (v.vehicle_id, v.start_s, v.state) for v in after} == kept
    assert {v.state for v in after} == {VisitState.PLANNED}
    desk.assert_quiet()


def test_a_preview_that_is_out_of_date_is_refused_in_words(yard: Yard, visit: Visit) -> None:
    """A visit was cancelled meanwhile: nothing is done, the new preview stands beside it."""
    yard.now = MORNING + timedelta(days=28)
    desk = visit(Role.DISPATCHER, language="en", width=800, height=1180)
    desk.expect(409)
    page = desk.open(f"{DESK}/breakdown?vehicle={FIRST}&chosen=1&helper={SECOND}&days=1")
    page.wait_for_selector("#shown")
    coming = [
        v
        for v in yard.visits(from_date=NEXT, until_date=NEXT)
        if v.vehicle_id == FIRST and v.start_s > 12 * 3600 and v.is_coming
    ]
    done = yard.cancel("visit", visit_id=coming[-1].visit_id)
    page.locator("button.button-bad").click()
    expect(page.get_by_role("alert")).to_be_visible()
    see(desk, "breakdown-changed")
    assert len(yard.visits(from_date=NEXT, until_date=NEXT)) == 10
    yard.undo(done.exception_id)

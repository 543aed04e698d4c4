"""Reports in a browser: every page, from a number to its lines, files, settings, sending."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from data.db import region_store, visit_record_store
from data.db.engine import writing
from data.model.accounts import Role
from data.model.report import ReportKind
from data.model.visit_record import VisitRecord
from tests.api.publication.office import REGION, region
from tests.data.diary import diary, record
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
REPORTS = f"/desk/{REGION}/reports"
MARCH = "from=2026-03-01&until=2026-03-31"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SCREENS = [("ru", 1366, 768, False), ("en", 800, 1180, True), ("ru", 390, 844, False)]


def more() -> list[VisitRecord]:
    """Two years of a stop with a few visits each fortnight, so that every chart shows something."""
    return [
        record(
            f"m{n}", date(2025, 1, 7) + timedelta(days=14 * n), "kibo-2", "kamenskoe",
            name="Каменское", settlement_id="kamenskoe", is_simulated=True,
            counts={"visits_service": 2 + n % 3, "loans_home": 4, "egov_consultations": n % 2,
                    "satisfied_yes": 1, "users_new": n % 2},
        )
        for n in range(48)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def filled(running: Running) -> Running:
    """A service whose diary was added up by hand for March."""
    running.service.clock = lambda: NOW
    with writing(running.engine) as session:
        region_store.add_region(session, region(), at=NOW)
        visit_record_store.put_records(session, (*diary(), *more()))
    return running


@pytest.mark.parametrize(("language", "width", "height", "dark"), SCREENS)
@pytest.mark.usefixtures("filled")
def test_every_page_is_accessible_and_fits(
    visit: Visit,
    language: str,
    width: int,
    height: int,
    dark: bool,  # noqa: FBT001
) -> None:
    """No violation of WCAG 2.1 AA, nothing wider than the window, no complaint, charts drawn."""
    desk = visit(Role.ANALYST, language=language, width=width, height=height, dark=dark)
    pages = {kind.value: f"{REPORTS}/{kind}" for kind in ReportKind}
    pages |= {"lines": f"{REPORTS}/lines?measure=visits&{MARCH}",
              "ratio": f"{REPORTS}/lines?measure=6nk-2019:visits_per_stop&{MARCH}",
              "lines-cost": f"{REPORTS}/lines?measure=per(cost,visits)&{MARCH}",
              "lines-runs": f"{REPORTS}/lines?measure=hours&{MARCH}",
              "lines-trend": f"{REPORTS}/lines?measure=trend&stop=kamenskoe",
              "lines-minutes": f"{REPORTS}/lines?measure=late_min&{MARCH}",
              "lines-spread": f"{REPORTS}/lines?measure=stay_sd&{MARCH}",
              "lines-verdict": f"{REPORTS}/lines?measure=verdict.keep.visits",
              "settings": f"{REPORTS}/settings", "schedules": f"{REPORTS}/schedules"}  # fmt: skip
    for name, path in pages.items():
        page = desk.open(path)
        for chart in page.locator("img.chart").all():
            chart.scroll_into_view_if_needed()
            expect(chart).to_have_js_property("complete", value=True)
            assert chart.evaluate("img => img.naturalWidth") > 300
        assert desk.axe() == [], name
        assert desk.overflow_px() == 0, name
        assert "reports." not in page.locator("main").inner_text(), name
        desk.shot(f"reports-{name}", whole=True)
    desk.assert_quiet()


@pytest.mark.usefixtures("filled")
def test_from_a_number_to_its_lines(visit: Visit) -> None:
    """March in the edition of 2019: 30 visits and six of a line; runs count once."""
    desk = visit(Role.ANALYST, language="ru")
    page = desk.open(f"{REPORTS}/form?{MARCH}")
    page.get_by_label("Редакция формы").select_option("6nk-2019")
    page.locator("select[name=vehicle]").select_option(label="КИБО-1")
    page.get_by_role("button", name="Показать").click()
    page.wait_for_url("**vehicle=kibo-1**")
    row = page.get_by_role("row", name="Посещения КИБО")
    expect(row).to_contain_text("раздел 4, графа 12")
    row.get_by_role("link").first.click()
    page.wait_for_url("**/lines?**")
    expect(page.locator("h1")).to_have_text("Посещения КИБО: 14")
    amounts = page.locator("tbody td.num").all_inner_texts()
    assert sum(map(int, amounts)) == 14
    expect(page.locator("tbody")).to_contain_text("1 исправление")
    desk.assert_quiet()


@pytest.mark.usefixtures("filled")
def test_settings_and_orders_are_kept(visit: Visit, tmp_path: Path) -> None:
    """A price stands in the costs; an order is listed, sent on demand and taken away; a file."""
    desk = visit(Role.DISPATCHER, language="ru")
    page = desk.open(f"{REPORTS}/settings")
    page.get_by_label("Экипаж, час", exact=True).fill("600,50")
    page.get_by_role("button", name="Сохранить").click()
    expect(page.get_by_role("status").first).to_have_text("Сохранено.")
    page = desk.open(f"{REPORTS}/costs?{MARCH}")
    expect(page.locator("main")).to_contain_text("600,5")
    with page.expect_download() as loading:
        page.get_by_role("link", name="PDF").click()
    loading.value.save_as(tmp_path / "costs.pdf")
    assert (tmp_path / "costs.pdf").read_bytes().startswith(b"%PDF")
    page = desk.open(f"{REPORTS}/schedules")
    page.locator("select[name=channel]").select_option("folder")
    desk.expect(422)
    page.get_by_label("Адрес или папка").fill("../вверх")
    page.get_by_role("button", name="Новая рассылка").click()
    expect(page.get_by_role("alert")).to_contain_text("не имя папки")
    expect(page.get_by_label("Адрес или папка")).to_have_value("../вверх")
    page.get_by_label("Адрес или папка").fill("Архив")
    page.get_by_role("button", name="Новая рассылка").click()
    row = page.get_by_role("row", name="Форма 6-НК").first
    expect(row).to_contain_text("Архив")
    row.get_by_role("button", name="Отправить сейчас").click()
    expect(page.locator("table.deliveries")).to_contain_text("ждёт отправки")
    assert desk.axe() == []
    page.get_by_role("button", name="Удалить").click()
    expect(page.locator("main")).to_contain_text("Пока ни один отчёт не рассылается")
    desk.assert_quiet()

"""The calendar and the registers in a real browser."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from data.db import publication_store
from data.db.engine import writing
from data.db.tables.plans import PlanRow
from data.db.tables.publication import TimetableRow
from data.model.accounts import Role
from tests.api.regions.house import add_bundled, region_of
from tests.api.regions.test_calendar import AT
from tests.api.regions.test_calendar import visit as promised
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
CALENDAR = "/desk/kaliningrad/calendar"
PATIENCE_MS = 240_000


@pytest.fixture(scope="module", autouse=True)
def kaliningrad(running: Running) -> Iterator[None]:
    """The bundled region with a visit promised on 14 December."""
    add_bundled(running)
    with writing(running.engine) as session:
        session.add(PlanRow(plan_id="p" * 32, region_id="kaliningrad", name="P", created_at=AT))
        session.flush()
        session.add(
            TimetableRow(
                timetable_id="t" * 32, region_id="kaliningrad", version=1, plan_id="p" * 32,
                plan_revision=1, from_date=date(2026, 12, 1), until_date=date(2026, 12, 31),
                published_at=datetime(2026, 11, 26, tzinfo=UTC),
            )
        )  # fmt: skip
        session.flush()
        publication_store.put_visits(session, [promised("a", date(2026, 12, 14), "kibo-1")])
    yield


@pytest.mark.parametrize(("language", "width", "height"), [("ru", 1366, 768), ("en", 800, 1180)])
def test_month_and_year(visit: Visit, language: str, width: int, height: int) -> None:
    """Holidays stand in their days; the year shows all months; nothing breaks WCAG."""
    desk = visit(Role.LIBRARIAN, language=language, width=width, height=height)
    desk.open(f"{CALENDAR}?year=2027&month=1")
    assert desk.axe() == []
    assert desk.overflow_px() == 0
    expect(desk.page.locator(".month")).to_contain_text("Новогодние каникулы")
    assert desk.page.get_by_role("button", name=re.compile("Добавить|Add")).count() == 0
    desk.shot("calendar-month")
    desk.open(f"{CALENDAR}?year=2026")
    assert desk.axe() == []
    assert desk.overflow_px() == 0
    assert desk.page.locator(".mini").count() == 12
    desk.shot("calendar-year")
    desk.assert_quiet()


def test_an_entry_tells_which_visits_it_hits(running: Running, visit: Visit) -> None:
    """A service day of a bookmobile names the published visit; removed, it is gone."""
    desk = visit(Role.DISPATCHER, language="ru")
    desk.open(f"{CALENDAR}?year=2026&month=12")
    assert desk.axe() == []
    page = desk.page
    page.get_by_label("Что", exact=True).select_option(label="Библиобус не работает")
    expect(page.get_by_label("Название")).to_be_hidden()
    page.get_by_label("Первый день").fill("2026-12-14")
    desk.expect(422)
    page.get_by_role("button", name="Добавить").click()
    expect(page.locator("#fault")).to_contain_text("Укажите, какой библиобус")
    page.get_by_label("Какой библиобус").select_option(label="КИБО 1 (запад)")
    page.get_by_role("button", name="Добавить").click()
    told = page.locator("#added")
    expect(told).to_contain_text("На эти дни приходится 1 опубликованная стоянка")
    expect(told).to_contain_text("10:10–11:10")
    expect(told).to_be_focused()
    assert desk.axe() == []
    desk.shot("calendar-hits")
    vehicles = {v.name: v for v in region_of(running, "kaliningrad").vehicles}
    assert vehicles["КИБО 1 (запад)"].off_dates == {date(2026, 12, 14)}
    page.get_by_role("button", name=re.compile("Убрать.*14 дек. 2026")).click()
    page.wait_for_url("**done=changed")
    assert not region_of(running, "kaliningrad").vehicles[0].off_dates
    desk.assert_quiet()


def test_a_stop_card_with_photo_and_history(running: Running, visit: Visit, tmp_path: Path) -> None:
    """The card is filled in, a photo sent, the stop changed from a date: the history tells it."""
    out = io.BytesIO()
    Image.new("RGB", (800, 600), "#336699").save(out, "JPEG")
    (tmp_path / "стоянка.jpg").write_bytes(out.getvalue())
    (tmp_path / "нет.jpg").write_bytes(b"no picture")
    desk = visit(Role.DISPATCHER, language="ru")
    desk.open("/desk/kaliningrad/add/stops?lon=20.85&lat=55.155&name=Клуб")
    page = desk.page
    page.wait_for_selector("[data-place-map][data-ready]", timeout=PATIENCE_MS)
    page.get_by_label("Покрытие").fill("асфальт")
    page.get_by_label("Помещается машина длиной").fill("12,5")
    page.get_by_label("Электричество").select_option(label="да")
    page.get_by_label("Разрешение до").fill("2026-12-20")
    desk.expect(422)
    page.get_by_label("Фотография", exact=True).set_input_files(tmp_path / "нет.jpg")
    expect(page.locator("[data-fault]")).to_contain_text("не изображение")
    page.get_by_label("Фотография", exact=True).set_input_files(tmp_path / "стоянка.jpg")
    expect(page.get_by_alt_text("Фотография места стоянки")).to_be_visible()
    assert desk.axe() == []
    desk.shot("stop-form", whole=True)
    # A click on the map sets the place.
    before = page.get_by_label("Долгота").input_value()
    page.locator("[data-place-map] canvas").click(position={"x": 60, "y": 60})
    assert page.get_by_label("Долгота").input_value() != before
    page.get_by_role("button", name="Сохранить").click()
    page.wait_for_url("**/stops?done=added")
    row = page.get_by_role("row", name=re.compile("Клуб"))
    expect(row).to_contain_text("разрешение до 20 дек. 2026")
    expect(row).to_contain_text("5 из 10")

    page.get_by_role("link", name="Клуб").click()
    page.wait_for_selector("[data-place-map][data-ready]", timeout=PATIENCE_MS)
    rival = page.context.new_page()
    rival.goto(page.url)
    page.get_by_label("Название", exact=False).first.fill("Дом культуры")
    page.get_by_label("С какого дня").fill("2027-02-01")
    page.get_by_role("button", name="Сохранить").click()
    page.wait_for_url("**/stops?done=changed")
    rival.get_by_label("Покрытие").fill("гравий")
    rival.get_by_role("button", name="Сохранить").click()
    expect(rival.locator("#fault")).to_contain_text("Пока вы заполняли форму, запись изменили")
    expect(rival.get_by_label("Покрытие")).to_have_value("гравий")
    expect(rival.locator(".history")).to_contain_text("Клуб → Дом культуры")
    expect(rival.locator(".history")).to_contain_text("С 1 февр. 2027")
    [stop] = region_of(running, "kaliningrad").stops
    assert (stop.name, stop.site.surface, stop.site.room_m) == ("Дом культуры", "асфальт", 12.5)
    desk.complaints[:] = [told for told in desk.complaints if "GL Driver Message" not in told]
    desk.assert_quiet()


def test_a_branch_closes_and_a_settlement_merges(running: Running, visit: Visit) -> None:
    """Closing and merging are one form each, and what was is still told."""
    desk = visit(Role.DISPATCHER, language="ru")
    desk.open("/desk/kaliningrad/libraries")
    assert desk.axe() == []
    page = desk.page
    page.get_by_role("link", name="Багратионовская детская библиотека").click()
    page.get_by_label("Первый день без него").fill("2026-11-01")
    page.get_by_role("button", name="Закрыть").click()
    page.wait_for_url("**/libraries?done=ended")
    row = page.get_by_role("row", name=re.compile("Багратионовская"))
    expect(row).to_contain_text("закрыта 1 нояб. 2026")
    desk.open("/desk/kaliningrad/settlements?text=Рыбкино")
    page.get_by_role("link", name="Рыбкино").click()
    page.wait_for_selector("[data-place-map][data-ready]", timeout=PATIENCE_MS)
    into = page.get_by_label("Войдёт в состав")
    option = into.locator("option", has_text=re.compile("^Рыбное"))
    into.select_option(value=option.first.get_attribute("value"))
    page.get_by_label("Прибавить его жителей").check()
    page.get_by_role("button", name="Объединить").click()
    page.wait_for_url("**/settlements?done=ended")
    places = {s.name: s for s in region_of(running, "kaliningrad").settlements}
    assert "Рыбкино" not in places
    assert places["Рыбное"].population == 411 + 15
    desk.complaints[:] = [told for told in desk.complaints if "GL Driver Message" not in told]
    desk.assert_quiet()


@pytest.mark.parametrize(("language", "width"), [("ru", 1366), ("en", 1366), ("ru", 800)])
def test_every_register_page_is_sound(visit: Visit, language: str, width: int) -> None:
    """Lists, forms and settings: no violation, no sideways scrolling, nothing complained of."""
    desk = visit(Role.DISPATCHER, language=language, width=width, height=900)
    root = "/desk/kaliningrad"
    paths = [
        "/settings", "/settings/standard", "/stops", "/settlements", "/libraries",
        "/municipalities", "/vehicles", "/depots", "/crew", "/specialists", "/norms", "/rules",
        "/vehicles/kibo-1", "/depots/kaliningrad", "/municipalities/27701000",
        "/norms/design-default", "/rules/ru-424", "/rules/eu-561", "/add/vehicles", "/add/crew",
        "/add/specialists", "/add/libraries", "/add/rules", "/add/municipalities",
    ]  # fmt: skip
    for path in paths:
        desk.open(root + path)
        assert desk.axe() == [], path
        assert desk.overflow_px() == 0, path
        assert "places." not in desk.page.locator("main").inner_text(), path
    desk.complaints[:] = [told for told in desk.complaints if "GL Driver Message" not in told]
    desk.assert_quiet()


def test_the_standard_is_changed_in_minutes_and_clock_times(running: Running, visit: Visit) -> None:
    """The form speaks minutes; a wrong value is told at its field; the right one is stored."""
    desk = visit(Role.DISPATCHER, language="ru")
    desk.open("/desk/kaliningrad/settings/standard")
    page = desk.page
    page.get_by_label("Развёртывание на стоянке").fill("12,5")
    page.get_by_label("Двери открыты с").fill("09:30")
    page.get_by_label("Часовой пояс").fill("Марс")
    desk.expect(422)
    page.get_by_role("button", name="Сохранить").click()
    expect(page.locator("#fault")).to_contain_text("Марс — не часовой пояс")
    assert desk.axe() == []
    page.get_by_label("Часовой пояс").fill("Europe/Moscow")
    page.get_by_role("button", name="Сохранить").click()
    page.wait_for_url("**/settings?done=changed")
    region = region_of(running, "kaliningrad")
    assert region.time_zone == "Europe/Moscow"
    assert region.standard.setup_s == 750
    assert region.standard.day_start_s == 9 * 3600 + 1800
    desk.assert_quiet()

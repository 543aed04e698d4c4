"""Settlements without a library in a real browser: map, table, verdict, norm."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from data.model.accounts import Role
from tests.api.regions.house import add_bundled
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
PATIENCE_MS = 240_000
NEEDS = "/desk/kaliningrad/needs?on=2026-11-26"
DRIVER = "GL Driver Message"
"""Chromium without a graphics card says that pictures are slow."""


@pytest.fixture(scope="module", autouse=True)
def kaliningrad(running: Running) -> Iterator[None]:
    """Every test of this module is about the bundled region."""
    add_bundled(running)
    yield


def open_needs(desk: Visitor, path: str = NEEDS) -> None:
    """Open the page and wait until the ways are measured and the map is drawn."""
    desk.open(path)
    desk.page.wait_for_selector("#need-map[data-ready]", timeout=PATIENCE_MS)


def assert_quiet(desk: Visitor) -> None:
    desk.complaints[:] = [told for told in desk.complaints if DRIVER not in told]
    desk.assert_quiet()


@pytest.mark.parametrize(("language", "width", "height"), [("ru", 1366, 768), ("en", 800, 1180)])
def test_map_table_and_verdict(visit: Visit, language: str, width: int, height: int) -> None:
    """The map and the table show the same settlements; one of them tells its verdict in full."""
    desk = visit(Role.ANALYST, language=language, width=width, height=height)
    open_needs(desk)
    assert desk.axe() == []
    assert desk.overflow_px() == 0
    desk.shot("needs")
    main = desk.page.locator("main")
    if language == "ru":
        expect(main).to_contain_text("661 населённый пункт из 1 082 — без доступной библиотеки")
    else:
        expect(main).to_contain_text("661 settlements of 1,082 without a library in reach")
    link = desk.page.locator("#need-table tbody th a").first
    name = link.inner_text()
    link.click()
    article = desk.page.locator("#need-verdict article")
    expect(article).to_contain_text(name)
    expect(article).to_contain_text("30")
    expect(article).to_be_focused()
    words = {
        "ru": ("Требование нормы", "норма не выполнена", "оценка", "по предположению"),
        "en": ("The norm asks", "norm not kept", "estimate", "assumed"),
    }[language]
    for told in words:
        expect(article).to_contain_text(told)
    assert desk.axe() == []
    desk.shot("needs-verdict", whole=True)
    assert_quiet(desk)


def test_filter_sort_and_export(visit: Visit) -> None:
    """Typing filters at once, a heading sorts, the address keeps it, the CSV holds the same."""
    desk = visit(Role.DISPATCHER, language="ru")
    open_needs(desk)
    desk.page.get_by_label("Найти по названию").fill("рыб")
    expect(desk.page.locator("#need-table")).to_contain_text("Найдено 3 пункта")
    assert "text=" in desk.page.url
    heading = desk.page.get_by_role("columnheader", name=re.compile("Населённый пункт"))
    heading.get_by_role("link").click()
    names = desk.page.locator("#need-table tbody th")
    expect(names).to_have_text(["Рыбачий", "Рыбкино", "Рыбное"])
    heading.get_by_role("link").click()
    expect(names).to_have_text(["Рыбное", "Рыбкино", "Рыбачий"])
    expect(heading).to_have_attribute("aria-sort", "descending")
    with desk.page.expect_download() as download:
        desk.page.get_by_role("link", name="Сохранить в CSV").click()
    assert download.value.suggested_filename == "needs-kaliningrad-2026-11-26.csv"
    desk.page.reload()
    desk.page.wait_for_selector("#need-map[data-ready]", timeout=PATIENCE_MS)
    expect(names).to_have_text(["Рыбное", "Рыбкино", "Рыбачий"])
    assert_quiet(desk)


def test_a_norm_is_written_and_judges(visit: Visit) -> None:
    """A norm of one's own is entered, refused where it has a hole, and then judges the region."""
    desk = visit(Role.DISPATCHER, language="ru")
    desk.open("/desk/kaliningrad/add/norms")
    assert desk.axe() == []
    page = desk.page
    page.get_by_label("Название", exact=False).first.fill("Областная норма")
    page.get_by_label("Источник").fill("Приказ от 01.02.2026 № 5")
    page.get_by_label("до, включительно, строка 1").fill("499")
    page.get_by_label("Не больше минут, строка 1").fill("40")
    page.get_by_label("Жителей от, строка 2").fill("600")
    page.get_by_label("Не больше километров, строка 2").fill("5,5")
    page.get_by_label("Не больше минут, Население неизвестно").fill("40")
    desk.expect(422)
    page.get_by_role("button", name="Сохранить").click()
    expect(page.locator("#fault")).to_contain_text("Группы должны идти подряд от 0 без пропусков")
    assert desk.axe() == []
    desk.shot("norm-fault")
    page.get_by_label("Жителей от, строка 2").fill("500")
    page.get_by_role("button", name="Сохранить").click()
    page.wait_for_url("**/norms?done=added")
    open_needs(desk)
    page.locator("select[name=norm]").select_option(label="Областная норма")
    page.get_by_role("button", name="Проверить").click()
    page.wait_for_selector("#need-map[data-ready]", timeout=PATIENCE_MS)
    page.get_by_text("На чём основан вывод").click()
    expect(page.locator(".basis")).to_contain_text("Приказ от 01.02.2026 № 5")
    expect(page.locator(".basis")).to_contain_text("от 0 до 499 жителей")
    expect(page.locator(".basis")).to_contain_text("не дальше 5,5 км")
    desk.shot("needs-own-norm")
    assert_quiet(desk)


def test_a_failing_settlement_gets_a_stop(visit: Visit) -> None:
    """From the verdict to the form of a stop, its place and people filled in; keyboard alone."""
    desk = visit(Role.DISPATCHER, language="ru")
    open_needs(desk, f"{NEEDS}&text=Липняки")
    page = desk.page
    page.get_by_role("link", name="Липняки").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#need-verdict article")).to_contain_text("Липняки")
    page.get_by_role("link", name="Поставить здесь стоянку").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-place-map][data-ready]", timeout=PATIENCE_MS)
    expect(page.get_by_label("Обслуживаемых жителей")).to_have_value("309")
    expect(page.get_by_label("Развёртывание, мин")).to_have_value("10")
    page.get_by_label("Двери открыты, мин").fill("полчаса")
    desk.expect(422)
    page.get_by_role("button", name="Сохранить").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#fault")).to_be_focused()
    expect(page.locator("#fault")).to_contain_text("полчаса — не число")
    assert desk.axe() == []
    page.get_by_label("Двери открыты, мин").fill("45")
    page.get_by_role("combobox", name="Обслуживаемые населённые пункты").fill("новостр")
    expect(page.locator(".found [role=option]").first).to_be_visible()
    assert desk.axe() == []
    page.keyboard.press("Enter")
    expect(page.locator(".chips li")).to_have_count(2)
    page.get_by_role("button", name="Сохранить").click()
    page.wait_for_url("**/stops?done=added")
    expect(page.get_by_role("row", name=re.compile("Липняки"))).to_contain_text("45")
    assert desk.axe() == []
    desk.shot("stops")
    assert_quiet(desk)

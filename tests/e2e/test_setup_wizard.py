"""Setting a region up in a real browser: files given, read, mapped, confirmed."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from data.model.accounts import Role
from tests.api.regions.house import add_bundled, region_ids, region_of
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
PATIENCE_MS = 240_000
READY = "body[data-ready]"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Tables as a library system sends them: cp1251, decimal commas, two wrong rows."""
    (tmp_path / "нас пункты.csv").write_bytes(
        (
            "Код НП;Название НП;Широта;Долгота;Население\r\n"
            "a;Рыбачий;55,15528;20,85028;1112\r\n"
            "b;<script>alert(1)</script>;55,10;20,80;12\r\n"
            "c;Морское;55,23;20,92;151\r\n"
            "d;Далеко;99,5;20,7;5\r\n"
            "e;Лесной;55,0;20,6;12 тыс.\r\n"
        ).encode("cp1251")
    )
    (tmp_path / "libs.csv").write_text(
        "Библ.;Код НП;Адрес\nБиблиотека;a;ул. Гагарина, 7\nФилиал;zzz;\n", encoding="utf-8"
    )
    (tmp_path / "снимок.csv").write_bytes(b"\x89PNG\r\n\x1a\n")
    return tmp_path


def read_all(desk: Visitor, button: str) -> None:
    """Read the files and wait for the report, through a reload of the page."""
    desk.page.get_by_role("button", name=button).click()
    desk.page.wait_for_selector("#reading, #report", timeout=PATIENCE_MS)
    desk.page.reload()
    desk.page.wait_for_selector("#report", timeout=PATIENCE_MS)
    desk.page.wait_for_selector(READY)


def test_a_region_from_ones_own_files(running: Running, visit: Visit, files: Path) -> None:
    """Every refused row is told, a column is mapped by hand, and the region is there at once."""
    desk = visit(Role.DISPATCHER, language="ru")
    desk.open("/setup")
    assert desk.axe() == []
    desk.shot("setup-start")
    desk.page.get_by_label("Название региона").fill("Куршская коса")
    desk.page.get_by_role("button", name="Начать").click()
    desk.page.wait_for_selector(".drop")
    assert desk.axe() == []

    desk.expect(422)
    desk.page.get_by_label("Выбрать файлы").set_input_files(files / "снимок.csv")
    fault = desk.page.locator(".uploads .fault")
    expect(fault).to_contain_text("содержимое не такое, как у файлов .csv")
    desk.page.get_by_label("Выбрать файлы").set_input_files(
        [files / "нас пункты.csv", files / "libs.csv"]
    )
    row = desk.page.get_by_role("row", name=re.compile("нас пункты.csv"))
    expect(row).to_be_visible(timeout=PATIENCE_MS)
    desk.page.wait_for_selector(READY)

    read_all(desk, "Прочитать файлы")
    assert desk.axe() == []
    desk.shot("setup-report", whole=True)
    report = desk.page.locator("main")
    expect(report).to_contain_text("строка 5, столбец «Широта»: «99,5» вне пределов -90 … 90")
    expect(report).to_contain_text("строка 6, столбец «Население»: «12 тыс.» — не число")
    expect(report).to_contain_text("приняты 3 строки")
    expect(report).to_contain_text("Одна база: Рыбачий")
    with desk.page.expect_download() as download:
        desk.page.get_by_role("link", name="Сохранить список (CSV)").first.click()
    saved = Path(download.value.path()).read_text("utf-8-sig")
    assert saved.splitlines()[0] == "row,column,value,verdict,message,code"

    desk.page.get_by_label("Прочитан как: Библ.").select_option("name")
    read_all(desk, "Прочитать заново")
    desk.page.get_by_role("button", name="Создать регион").click()
    desk.page.wait_for_url("**/desk/kurshskaya-kosa*")
    desk.page.wait_for_selector(READY)
    assert desk.axe() == []
    desk.shot("setup-done")
    region = region_of(running, "kurshskaya-kosa")
    assert [lib.name for lib in region.libraries] == ["Библиотека"]
    assert "<script>alert(1)</script>" in {s.name for s in region.settlements}
    desk.open("/desk/kurshskaya-kosa/settlements")
    assert desk.page.get_by_text("<script>alert(1)</script>").is_visible()
    desk.assert_quiet()


def test_a_bundled_region_and_what_is_assumed(running: Running, visit: Visit) -> None:
    """One button takes the region over; the overview names what nobody has confirmed."""
    desk = visit(Role.DISPATCHER, language="en")
    desk.open("/setup")
    desk.page.get_by_role("button", name="Take this region").click()
    desk.page.wait_for_url("**/desk/kaliningrad*")
    desk.page.wait_for_selector(READY)
    assert desk.axe() == []
    main = desk.page.locator("main")
    expect(main).to_contain_text("226 libraries are assumed")
    expect(main).to_contain_text("Travel times are estimated")
    expect(main).to_contain_text("CC BY-SA")
    desk.shot("overview", whole=True)
    desk.open("/setup")
    assert desk.page.get_by_role("link", name="Open", exact=True).is_visible()
    desk.assert_quiet()


def test_more_files_for_a_region_by_tablet(running: Running, visit: Visit, files: Path) -> None:
    """A tablet uploads into a region, sees what will change, and may turn back."""
    if "kaliningrad" not in region_ids(running):
        add_bundled(running)
    more = files / "new.csv"
    more.write_text(
        "settlement_id,name,lat,lon,population\ninid-146540,Рыбачий,55.15528,20.85028,871\n",
        encoding="utf-8",
    )
    desk = visit(Role.DISPATCHER, language="ru", width=800, height=1180)
    desk.open("/desk/kaliningrad")
    assert desk.overflow_px() == 0
    desk.page.get_by_role("button", name="Загрузить файлы").click()
    desk.page.wait_for_selector(".drop")
    desk.page.get_by_label("Выбрать файлы").set_input_files(more)
    row = desk.page.get_by_role("row", name=re.compile("new.csv"))
    expect(row).to_be_visible(timeout=PATIENCE_MS)
    desk.page.wait_for_selector(READY)
    read_all(desk, "Прочитать файлы")
    expect(desk.page.locator("main")).to_contain_text("новых: 0, изменённых: 1")
    assert desk.axe() == []
    assert desk.overflow_px() == 0
    desk.shot("setup-into", whole=True)
    desk.page.get_by_role("button", name="Отказаться и удалить всё").click()
    desk.page.wait_for_url("**/setup")
    places = {s.settlement_id: s for s in region_of(running, "kaliningrad").settlements}
    assert {s.population for key, s in places.items() if key == "inid-146540"} == {1112}
    desk.assert_quiet()

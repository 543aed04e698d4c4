"""The issue desk as a librarian uses it, in a browser."""

from datetime import date

import pytest

from data.model.accounts import Role
from data.model.age_marks import AgeMark
from data.model.patrons import Patron, PatronId
from data.model.stock import Item, ItemId, Title, TitleId
from tests.api.circulation.library import ABOARD, MORNING, readers, stock, stock_up
from tests.api.tracking.depot import REGION, fill
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit, Visitor
from tests.fleet.library.sip2_server import free_port

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
DESK = f"/desk/{REGION}/circulation"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module", autouse=True)
def stocked(running: Running) -> None:
    fill(running.engine, MORNING)
    marked = Title(title_id=TitleId("adult"), name="Лолита", age_mark=AgeMark.SIXTEEN)
    hostile = Title(title_id=TitleId("hostile"), name=HOSTILE)
    child = Patron(
        patron_id=PatronId("child"), card="card-child", name="Петров Юра",
        birth_date=date(2016, 5, 1),
    )  # fmt: skip
    stock_up(
        running.engine, *stock(), *readers(), marked, hostile, child,
        Item(item_id=ItemId("a1"), title_id=marked.title_id, place=ABOARD),
        Item(item_id=ItemId("h1"), title_id=hostile.title_id, place=ABOARD),
    )  # fmt: skip


@pytest.fixture
def desk(visit: Visit) -> Visitor:
    return visit(Role.LIBRARIAN, language="ru")


def test_a_reader_is_served_at_the_desk(desk: Visitor) -> None:
    """Card, book, second book refused by age and lent all the same, renewed, returned."""
    page = desk.page
    desk.open(f"{DESK}/counter")
    desk.shot("counter")
    assert desk.axe() == []
    page.get_by_label("Билет или фамилия").fill("card-child")
    page.get_by_role("button", name="Открыть читателя").click()
    page.get_by_role("heading", name="Петров Юра").wait_for()
    page.get_by_label("Штрихкод или инвентарный номер").fill("h1")
    page.get_by_role("button", name="Выдать", exact=True).click()
    page.get_by_text(f"Выдано: {HOSTILE}").wait_for()
    page.get_by_label("Штрихкод или инвентарный номер").fill("a1")
    desk.expect(409)
    page.get_by_role("button", name="Выдать", exact=True).click()
    page.get_by_text("На издании знак 16+").wait_for()
    desk.shot("counter-refused")
    page.get_by_role("button", name="Всё равно оформить").click()
    page.get_by_text("Выдано: Лолита").wait_for()
    page.get_by_role("button", name="Принять Лолита").click()
    page.get_by_text("Принято: Лолита").wait_for()
    desk.shot("reader")
    assert desk.axe() == []
    page.goto(f"{page.url.partition('/desk')[0]}{DESK}/items/a1")
    page.get_by_role("heading", name="История").wait_for()
    desk.shot("item")
    assert desk.axe() == []
    desk.assert_quiet()


def test_a_reader_registers_and_asks_for_a_title(desk: Visitor) -> None:
    """Consent is needed; the words of a title that several have are followed by a choice."""
    page = desk.page
    desk.open(f"{DESK}/readers/new")
    page.get_by_label("Фамилия, имя, отчество").fill("Сидорова Анна")
    page.get_by_label("Номер билета").fill("card-sidorova")
    page.get_by_label("письменное согласие").check()
    desk.shot("reader-new")
    assert desk.axe() == []
    page.get_by_role("button", name="Записать").click()
    page.get_by_text("Читатель записан.").wait_for()
    desk.open(f"{DESK}/readers?q=сидор")
    desk.shot("readers")
    assert desk.axe() == []
    desk.open(f"{DESK}/items?q=книга 1")
    desk.shot("items")
    assert desk.axe() == []
    desk.assert_quiet()


def test_rules_are_changed_and_the_change_is_told(desk: Visitor) -> None:
    """A wrong number is told by its name; what was changed stands below, by whom."""
    page = desk.page
    desk.open(f"{DESK}/rules")
    page.get_by_label("Наибольший срок выдачи, дней").fill("5")
    desk.expect(422)
    page.get_by_role("button", name="Ввести в действие").click()
    page.get_by_text("Наименьший срок (7) больше наибольшего (5)").wait_for()
    page.get_by_label("Наибольший срок выдачи, дней").fill("21")
    page.get_by_label("Срок возврата – ближайшая стоянка").uncheck()
    page.get_by_role("button", name="Ввести в действие").click()
    page.get_by_text("Правила действуют.").wait_for()
    history = page.get_by_role("region", name="История изменений")
    assert "30 → 21" in history.inner_text()
    assert "Библиотекарь стенда" in history.inner_text()
    desk.shot("rules")
    assert desk.axe() == []
    desk.assert_quiet()


def test_a_librarian_reads_it_in_english(desk: Visitor, visit: Visit) -> None:
    """The same pages in English."""
    english = visit(Role.LIBRARIAN, language="en")
    for name in ("counter", "rules", "readers/p1", "items/i1", "library"):
        english.open(f"{DESK}/{name}")
        english.shot(f"circulation-{name.replace('/', '-')}")
        assert english.axe() == []
    english.assert_quiet()


def test_a_library_system_is_set_up_and_what_waits_is_told(desk: Visitor) -> None:
    """The kind brings its fields; what is not reached is told with since when."""
    page = desk.page
    desk.open(f"{DESK}/library?kind=sip2")
    page.get_by_label("Адрес сервера").fill("127.0.0.1")
    page.get_by_label("Порт").fill(str(free_port()))
    page.locator("input[name=password]").fill("secret")
    page.get_by_label("Передавать в систему").check()
    desk.shot("library-form", whole=True)
    assert desk.axe() == []
    page.get_by_role("button", name="Сохранить").click()
    page.get_by_text("Настройки сохранены.").wait_for()
    desk.shot("library", whole=True)
    assert desk.axe() == []
    assert "secret" not in page.content()
    desk.assert_quiet()

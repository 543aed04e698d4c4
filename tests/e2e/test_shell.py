"""The frame of every page, and the pages of accounts and devices, in a real browser."""

import pytest
from playwright.sync_api import Dialog

from api.services.accounts import add_account, hash_for, new_account
from data.db import audit_store
from data.db.engine import writing
from data.model.accounts import PROGRAM, Account, Role
from tests.api.bare_region import add_region
from tests.e2e.service import NEEDS_CHROMIUM, PASSWORD, Running, Visit

pytestmark = [pytest.mark.browser, NEEDS_CHROMIUM]
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
SCREENS = [("ru", 1366, 768, False), ("en", 800, 1180, True), ("ru", 390, 800, False)]


@pytest.fixture(scope="module", autouse=True)
def with_regions(running: Running) -> None:
    add_region(running.engine, "rutland", "north")
    add_region(running.engine, "lapland")


def add(running: Running, login: str, name: str = "", role: Role = Role.CREW) -> Account:
    made = new_account(running.service.clock(), login=login, name=name, roles=[role])
    with writing(running.engine) as session:
        return add_account(session, PROGRAM, made, hash_for(made, PASSWORD))


@pytest.mark.parametrize(("language", "width", "height", "dark"), SCREENS)
def test_every_page_is_accessible_and_fits(
    running: Running,
    visit: Visit,
    language: str,
    width: int,
    height: int,
    dark: bool,  # noqa: FBT001
) -> None:
    """No violation of WCAG 2.1 AA, nothing wider than the window, no complaint."""
    admin = visit(Role.ADMIN, language=language, width=width, height=height, dark=dark)
    crew = running.accounts[Role.CREW].account_id
    is_first = (language, width, height, dark) == SCREENS[0]
    admin.expect(404)
    for path in ("/", "/desk", "/account", "/accounts", "/accounts/new", f"/accounts/{crew}",
                 "/devices", "/audit", "/api/docs", "/pair", "/nothing"):  # fmt: skip
        page = admin.open(path)
        assert admin.overflow_px() == 0, path
        if path == "/api/docs" and not is_first:
            # Hundreds of operations and types are drawn alike; axe looks at all of them but once.
            page.evaluate("document.querySelectorAll('.op:not(.op:nth-of-type(-n+2))')"
                          ".forEach((one) => one.remove())")  # fmt: skip
        assert admin.axe() == [], path
        assert admin.page.locator(".who").inner_text() == "Администратор стенда", path
        admin.shot("shell" + path.replace(crew, "one").replace("/", "-"))
    nobody = visit(None, language=language, width=width, height=height, dark=dark)
    for path in ("/", "/sign-in", "/pair"):
        nobody.open(path)
        assert nobody.axe() == [], path
        assert nobody.overflow_px() == 0, path
    admin.assert_quiet()
    nobody.assert_quiet()


def test_sign_in_and_out(running: Running, visit: Visit) -> None:
    """A dispatcher comes to the page asked for, by the right password alone, and signs out."""
    desk = visit(None, language="ru")
    desk.open("/devices")
    assert desk.page.url.endswith("/sign-in?next=/devices")
    desk.page.get_by_label("Логин").fill("Dispatcher ")
    desk.page.get_by_label("Пароль").fill("wrong password")
    desk.expect(401)
    desk.page.get_by_role("button", name="Войти").click()
    assert desk.page.get_by_role("alert").inner_text() == "Неверный логин или пароль."
    assert desk.axe() == []
    assert desk.page.get_by_label("Логин").input_value() == "Dispatcher "
    assert desk.page.get_by_label("Пароль").input_value() == ""
    desk.page.get_by_label("Пароль").fill(PASSWORD)
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_url("**/devices")
    desk.page.get_by_text("Диспетчер стенда").click()
    assert desk.axe() == []
    assert not desk.page.get_by_role("link", name="Журнал изменений").count()
    desk.page.get_by_role("button", name="Выйти").click()
    desk.page.wait_for_url(running.url + "/")
    assert desk.page.get_by_role("link", name="Войти").is_visible()
    desk.page.go_back()
    desk.page.wait_for_url("**/sign-in**")
    desk.assert_quiet()


def test_the_menu_by_keyboard(running: Running, visit: Visit) -> None:
    """Skip link first; the menu opens by Enter, closes by Escape and by a click elsewhere."""
    desk = visit(Role.ADMIN)
    page = desk.open("/desk")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.locator(".menu > summary").focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("link", name="Accounts").is_visible()
    page.keyboard.press("Escape")
    assert not page.get_by_role("link", name="Accounts").is_visible()
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    page.locator("h1").click()
    assert not page.get_by_role("link", name="Accounts").is_visible()
    desk.assert_quiet()


def test_the_language_switch_stays_on_the_page(running: Running, visit: Visit) -> None:
    """With its query; the account remembers it in another browser that asks for English."""
    desk = visit(Role.LIBRARIAN, language="en")
    page = desk.open("/account?done=changed")
    page.get_by_role("button", name="Русский").click()
    page.wait_for_selector("html[lang=ru]")
    assert page.url.endswith("/account?done=changed")
    assert page.get_by_role("heading", name="Сменить пароль").is_visible()
    other = visit(Role.LIBRARIAN, language="en")
    other.open("/account")
    assert other.page.locator("html").get_attribute("lang") == "ru"
    desk.assert_quiet()


def test_an_administrator_adds_and_changes_an_account(running: Running, visit: Visit) -> None:
    """A fault comes back with what was typed and is read first; the new one can sign in."""
    admin = visit(Role.ADMIN, language="ru")
    page = admin.open("/accounts/new")
    page.get_by_label("Логин").fill("Vera")
    page.get_by_label("Имя").fill("Вера <b>Ивановна</b>")
    page.get_by_label("Библиотекарь").check()
    page.get_by_label("Ратленд").check()
    page.get_by_label("Пароль").fill("short")
    admin.expect(422)
    page.get_by_role("button", name="Добавить").click()
    page.wait_for_selector("#fault")
    assert "не меньше 10 символов" in page.get_by_role("alert").inner_text()
    assert page.evaluate("document.activeElement.id") == "fault"
    assert page.get_by_label("Логин").input_value() == "Vera"
    assert page.get_by_label("Ратленд").is_checked()
    assert admin.axe() == []
    page.get_by_label("Пароль").fill(PASSWORD)
    page.get_by_role("button", name="Добавить").click()
    page.wait_for_url("**/accounts/*?done=added")
    assert page.get_by_role("heading", level=1).inner_text() == "Вера <b>Ивановна</b>"
    assert page.get_by_label("Библиотекарь").is_checked()
    page.get_by_label("Аналитик").check()
    page.get_by_role("button", name="Сохранить").click()
    page.wait_for_url("**?done=changed")
    assert admin.axe() == []
    vera = visit(None)
    vera.open("/sign-in")
    vera.page.get_by_label("Login").fill("vera")
    vera.page.get_by_label("Password").fill(PASSWORD)
    vera.page.keyboard.press("Enter")
    vera.page.wait_for_url("**/desk")
    assert vera.page.get_by_role("link", name="Rutland").is_visible()
    assert not vera.page.get_by_role("link", name="Lapland").count()
    page.get_by_role("button", name="Закрыть учётную запись").click()
    page.wait_for_url("**?done=closed")
    vera.page.reload()
    vera.page.wait_for_url("**/sign-in**")
    page.get_by_role("link", name="Учётные записи").first.click()
    assert not page.get_by_role("link", name="vera").count()
    page.get_by_label("показать закрытые").check()
    page.get_by_role("button", name="Найти").click()
    assert page.get_by_role("link", name="vera").is_visible()
    admin.assert_quiet()


def test_two_administrators_lose_nothing(running: Running, visit: Visit) -> None:
    """The second to save sees what the first stored and saves on top of it."""
    account = add(running, "shared", "Первое имя")
    one, two = visit(Role.ADMIN, language="ru"), visit(Role.ADMIN, language="ru")
    for admin in (one, two):
        admin.open(f"/accounts/{account.account_id}")
    one.page.get_by_label("Имя").fill("Второе имя")
    one.page.get_by_role("button", name="Сохранить").click()
    one.page.wait_for_url("**?done=changed")
    two.page.get_by_label("Диспетчер").check()
    two.expect(412)
    two.page.get_by_role("button", name="Сохранить").click()
    two.page.wait_for_selector("#fault")
    assert "данные изменили" in two.page.get_by_role("alert").inner_text()
    assert two.page.get_by_label("Имя").input_value() == "Второе имя"
    assert not two.page.get_by_label("Диспетчер").is_checked()
    two.page.get_by_label("Диспетчер").check()
    two.page.get_by_role("button", name="Сохранить").click()
    two.page.wait_for_url("**?done=changed")
    assert two.page.get_by_label("Имя").input_value() == "Второе имя"
    two.assert_quiet()


def test_ones_own_password_and_sign_ins(running: Running, visit: Visit) -> None:
    """Differing repeats are told; a forgotten sign-in is ended; the new password holds."""
    add(running, "own", "Сама", Role.ANALYST)
    browsers = [visit(None, language="ru"), visit(None, language="ru")]
    for browser in browsers:
        browser.open("/sign-in?next=/account")
        browser.page.get_by_label("Логин").fill("own")
        browser.page.get_by_label("Пароль").fill(PASSWORD)
        browser.page.keyboard.press("Enter")
        browser.page.get_by_role("heading", name="Сама").wait_for()
    here, there = browsers
    here.page.reload()
    here.page.get_by_role("button", name="Завершить").click()
    here.page.wait_for_url("**?done=ended")
    there.page.reload()
    there.page.wait_for_url("**/sign-in**")
    for again, code in (("another long two", "не совпадают"), ("another long one", "")):
        here.page.get_by_label("Текущий пароль").fill(PASSWORD)
        here.page.get_by_label("Новый пароль", exact=True).fill("another long one")
        here.page.get_by_label("Новый пароль ещё раз").fill(again)
        here.expect(422)
        here.page.get_by_role("button", name="Сменить").click()
        here.page.wait_for_selector("#fault" if code else ".note-good")
        assert code in here.page.locator("#fault, .note-good").inner_text()
        assert here.axe() == []
    here.assert_quiet()


def test_a_tablet_is_paired_by_its_code(running: Running, visit: Visit) -> None:
    """The dispatcher sees the code once; the tablet fills it in from the address, then is crew."""
    desk = visit(Role.DISPATCHER, language="ru")
    page = desk.open("/devices")
    page.get_by_label("Устройство").fill("Планшет «Север»")
    page.get_by_label("Машина").select_option(label="NORTH")
    page.get_by_role("button", name="Показать код").click()
    code = page.locator(".secret").inner_text()
    assert desk.axe() == []
    desk.shot("shell-code")
    tablet = visit(None, language="ru", width=800, height=1180)
    tablet.open(f"/pair#{code.replace(' ', '')}")
    assert tablet.page.url.endswith("/pair")
    assert tablet.page.get_by_label("Код").input_value() == code.replace(" ", "")
    assert not tablet.page.locator(".note-good").count(), "paired without being asked"
    tablet.page.get_by_role("button", name="Подключить").click()
    tablet.page.wait_for_selector(".note-good")
    assert "Планшет «Север»" in tablet.page.locator(".note-good").inner_text()
    assert tablet.axe() == []
    tablet.page.get_by_role("link", name="Продолжить").click()
    assert tablet.page.get_by_role("link", name="Ратленд").is_visible()
    assert not tablet.page.get_by_role("link", name="Lapland").count()
    late = visit(None, language="ru")
    late.open("/pair")
    late.page.get_by_label("Код").fill(code)
    late.expect(403)
    late.page.get_by_role("button", name="Подключить").click()
    late.page.wait_for_selector("#fault")
    page.get_by_role("link", name="Готово").click()
    row = page.get_by_role("row").filter(has_text="Планшет «Север»")
    assert "подключено" in row.inner_text()
    row.get_by_role("button", name="Отключить").click()
    page.wait_for_url("**?done=revoked")
    tablet.page.reload()
    tablet.page.wait_for_url("**/sign-in**")
    for visitor in (desk, tablet, late):
        visitor.assert_quiet()


def test_a_signed_in_person_is_warned_before_becoming_a_device(
    running: Running, visit: Visit
) -> None:
    """The page of pairing tells whom it would sign out."""
    desk = visit(Role.DISPATCHER, language="en")
    desk.open("/pair#12345678")
    assert (
        "You are signed in here as Диспетчер стенда" in desk.page.locator(".note-warn").inner_text()
    )
    assert desk.page.get_by_label("Code").input_value() == "12345678"
    desk.assert_quiet()


def test_hostile_names_are_only_text(running: Running, visit: Visit) -> None:
    """A script in a name of a person or device runs nowhere: list, page, menu, log."""
    account = add(running, "hostile", HOSTILE, Role.ADMIN)
    browser = visit(None)
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    browser.page.on("dialog", note)
    page = browser.open("/sign-in")
    page.get_by_label("Login").fill("hostile")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk")
    browser.open("/devices")
    page.get_by_label("Device").fill(HOSTILE)
    page.get_by_role("button", name="Show the code").click()
    page.wait_for_selector(".qr")
    assert HOSTILE in page.locator("h1").inner_text()
    for path in ("/devices", "/accounts", f"/accounts/{account.account_id}", "/account", "/audit",
                 f"/accounts?text={HOSTILE}", f"/sign-in?next={HOSTILE}"):  # fmt: skip
        browser.open(path)
        assert not page.locator("main script, main img, .menu img").count(), path
    assert dialogs == []
    browser.assert_quiet()


def test_the_log_tells_in_words(running: Running, visit: Visit) -> None:
    """Who, what and of what in the reader's language; filters and older entries."""
    account = add(running, "logged", "Журнальная")
    admin = visit(Role.ADMIN, language="ru")
    admin.open(f"/accounts/{account.account_id}")
    admin.page.get_by_label("Диспетчер").check()
    admin.page.get_by_role("button", name="Сохранить").click()
    admin.page.wait_for_url("**?done=changed")
    page = admin.open("/audit")
    page.get_by_label("Что").select_option(label="Учётные записи")
    page.get_by_label("Кто").select_option(label="Администратор стенда")
    page.get_by_role("button", name="Показать").click()
    row = page.get_by_role("row").nth(1).inner_text()
    assert "Изменена учётная запись" in row
    assert "Журнальная" in row
    assert "роли: экипаж → диспетчер, экипаж" in row
    with writing(running.engine) as session:
        for number in range(51):
            audit_store.record(session, PROGRAM, "job.test", str(number))
    page = admin.open("/audit?action=job")
    assert page.get_by_role("row").count() == 51
    page.get_by_role("link", name="Более ранние записи").click()
    assert page.get_by_role("row").count() == 2
    assert admin.axe() == []
    admin.assert_quiet()


def test_instants_are_told_in_the_browsers_time_zone(running: Running, visit: Visit) -> None:
    """No page says UTC to a person whose scripts run."""
    admin = visit(Role.ADMIN)
    page = admin.open("/account")
    told = page.locator("time").all_inner_texts()
    assert told
    assert not [one for one in told if "UTC" in one]

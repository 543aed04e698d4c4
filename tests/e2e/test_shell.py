"""The frame of every page in a real browser: sign-in, language, menu, errors."""

import pytest

from data.model.accounts import Role
from tests.e2e.service import NEEDS_CHROMIUM, PASSWORD, Running, Visit

pytestmark = [pytest.mark.browser, NEEDS_CHROMIUM]


def test_sign_in_and_out(running: Running, visit: Visit) -> None:
    """A dispatcher signs in, comes to the page asked for, and signs out by the menu."""
    desk = visit(None, language="ru")
    desk.open("/desk")
    assert desk.page.url.endswith("/sign-in?next=/desk")
    assert desk.axe() == []
    desk.shot("sign-in")
    desk.page.get_by_label("Логин").fill("Dispatcher ")
    desk.page.get_by_label("Пароль").fill(PASSWORD)
    desk.page.get_by_role("button", name="Войти").click()
    desk.page.wait_for_url("**/desk")
    assert desk.axe() == []
    desk.page.get_by_text("Дмитрий Планов").click()
    assert desk.axe() == []
    desk.shot("menu")
    desk.page.get_by_role("button", name="Выйти").click()
    desk.page.wait_for_url(running.url + "/")
    assert desk.page.get_by_role("link", name="Войти").is_visible()
    desk.assert_quiet()


def test_accounts(running: Running, visit: Visit) -> None:
    admin = visit(Role.ADMIN, language="ru")
    admin.open("/accounts")
    assert admin.axe() == []
    admin.shot("accounts")
    admin.assert_quiet()

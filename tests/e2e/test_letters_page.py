"""A resident asks for letters about a stop, confirms from the letter and leaves again."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from api.services.letter_sending import LetterPost
from data.model.accounts import Role
from tests.api.publication.office import REGION, Office
from tests.api.reports.mailbox import Mailbox, mail_server
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit, run_service

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
STOP = f"/r/{REGION}/stops/kalinovka"


@pytest.fixture(scope="module")
def box() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, box: Mailbox) -> Iterator[Running]:
    url = f"smtp://127.0.0.1:{box.port}"
    with run_service(tmp_path_factory.mktemp("letters"), smtp_url=url) as running:
        office = Office(running.engine)
        running.service.clock = lambda: office.now
        office.publish()
        yield running


def test_from_the_stop_to_the_letter_and_out_again(
    running: Running, visit: Visit, box: Mailbox
) -> None:
    """On a narrow telephone, by keyboard where it is typed; each page is axe-clean and fits."""
    reader = visit(None, language="ru", width=360, height=740)
    page = reader.open(STOP)
    page.get_by_role("link", name="Получать письма").click()
    page.get_by_label("Адрес электронной почты").fill("galina@example.org")
    assert reader.axe() == []
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Почти готово")).to_be_focused()
    LetterPost(running.engine, running.settings).deliver(running.service.clock())
    (letter,) = box.letters
    text, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None
    assert html is not None
    (link,) = re.findall(r"http://localhost:\d+(/r/\S*confirm\S*)", text.get_content())
    reader.open(link)
    assert reader.axe() == []
    page.get_by_role("button", name="Подтвердить подписку").click()
    expect(page.get_by_role("status").filter(has_text="вы подписаны")).to_be_visible()
    page.get_by_label("Напоминать накануне").check()
    page.get_by_role("button", name="Сохранить").click()
    expect(page.get_by_label("Напоминать накануне")).to_be_checked()
    assert reader.axe() == []
    assert reader.overflow_px() == 0
    desk = visit(Role.DISPATCHER, language="ru")
    shown = desk.open(f"/desk/{REGION}/letters")
    expect(shown.get_by_role("row", name="Калиновка 1")).to_be_visible()
    assert "galina" not in shown.content()
    assert desk.axe() == []
    desk.assert_quiet()
    page.get_by_role("button", name="Отписаться").click()
    expect(page.get_by_role("heading", name="Вы отписались")).to_be_visible()
    assert reader.axe() == []
    reader.assert_quiet()
    letters = visit(None, language="ru", width=420).page
    letters.set_content(html.get_content())
    expect(letters.get_by_role("heading", name="Подтвердите подписку")).to_be_visible()

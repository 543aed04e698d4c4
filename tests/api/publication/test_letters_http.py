"""Letters over HTTP: no page tells an address or whether it is known; one click ends them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from api.limiter import Limiter
from api.services.letter_sending import LetterPost
from data.model.accounts import Role
from tests.api.publication.office import REGION, Office
from tests.api.reports.mailbox import Mailbox, mail_server
from tests.e2e.service import Running, run_service

STOP = f"/r/{REGION}/stops/kalinovka"
FORM = f"{STOP}/letters"
DESK = f"/desk/{REGION}/letters"


@pytest.fixture(scope="module")
def box() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, box: Mailbox) -> Iterator[Running]:
    url = f"smtp://127.0.0.1:{box.port}"
    with run_service(tmp_path_factory.mktemp("letters"), smtp_url=url) as running:
        office = Office(running.engine)
        running.service.clock = lambda: office.now
        office.publish()
        running.app.state.office = office
        yield running


@pytest.fixture
def people(office: Running, box: Mailbox) -> Iterator[httpx.Client]:
    """Somebody without an account, who has not asked yet."""
    object.__setattr__(office.service, "limiter", Limiter())
    box.letters.clear()
    with office.api(None, "ru") as client:
        client.headers["accept"] = "text/html"
        yield client


def deliver(running: Running, later: timedelta = timedelta()) -> None:
    post = LetterPost(running.engine, running.settings)
    while post.deliver(running.service.clock() + later):
        pass


def links(box: Mailbox, pattern: str) -> list[str]:
    """Paths of the links in the letters that came last."""
    told = ""
    for letter in box.letters:
        part = letter.get_body(("plain",))
        assert part is not None
        told += str(part.get_content())
    return re.findall(rf"http://localhost:\d+(/r/\S*{pattern}\S*)", told)


def test_from_the_page_of_a_stop_to_the_last_letter(
    office: Running, people: httpx.Client, box: Mailbox
) -> None:
    """Asked, confirmed by a button, reminded or not, ended; opening a link alone does nothing."""
    assert FORM in people.get(STOP).text
    assert "Адрес электронной почты" in people.get(FORM).text
    sent = people.post(FORM, data={"address": "anna@example.org"}, follow_redirects=True)
    assert "Почти готово" in sent.text
    assert "anna@" not in sent.text
    deliver(office)
    (link,) = links(box, "confirm/")
    for _ in range(2):
        looked = people.get(link)
        assert "Нажмите кнопку" in looked.text
    assert looked.headers["cache-control"] == "private, no-store"
    own = people.post(link, follow_redirects=True)
    assert "Готово: вы подписаны" in own.text
    assert "a…@example.org" in own.text
    address = own.url.path
    kept = people.post(address, data={"do": "keep", "reminder": "1"}, follow_redirects=True)
    assert "Сохранено" in kept.text
    assert "checked" in kept.text
    again = people.post(link, follow_redirects=True)
    assert again.url.path == address, "saying yes twice is saying it once"
    ended = people.post(address, data={"do": "end"})
    assert "Вы отписались" in ended.text
    for gone in (people.get(address), people.get(link), people.post(address, data={"do": "end"})):
        assert gone.status_code == 410
        assert "Ссылка не действует" in gone.text


def test_one_click_of_a_mail_program_ends_it(
    office: Running, people: httpx.Client, box: Mailbox
) -> None:
    """A POST from the provider's own machine, without cookie, page or origin (RFC 8058)."""
    people.post(FORM, data={"address": "boris@example.org"})
    deliver(office)
    (link,) = links(box, "confirm/")
    people.post(link)
    leave = people.post(link).headers["location"].partition("?")[0]
    with httpx.Client(base_url=office.url) as provider:
        for _ in range(2):
            done = provider.post(leave, data={"List-Unsubscribe": "One-Click"})
            assert (done.status_code, done.headers["content-type"]) == (
                200,
                "text/plain; charset=utf-8",
            )
        assert provider.get(leave).status_code == 410


def test_nobody_learns_whether_an_address_is_known(
    office: Running, people: httpx.Client, box: Mailbox
) -> None:
    """New, asked a moment ago, confirmed, of a program: the same answer to each."""
    answers = set()
    for given in (
        {"address": "vera@example.org"},
        {"address": "vera@example.org"},
        {"address": "new@example.org"},
        {"address": "x@spam.example", "website": "http://spam.example"},
    ):
        told = people.post(FORM, data=given)
        answers.add((told.status_code, told.headers["location"]))
    assert answers == {(303, f"{FORM}?told=asked")}
    deliver(office)
    assert sorted(str(letter["To"]) for letter in box.letters) == [
        "new@example.org",
        "vera@example.org",
    ]


def test_wrong_addresses_and_too_many(people: httpx.Client) -> None:
    """What was written stays in the form, harmless; ten wishes an hour come from one place."""
    wrong = people.post(FORM, data={"address": '"><script>alert(1)</script>'})
    assert wrong.status_code == 422
    assert "не похоже на адрес" in wrong.text
    assert "<script>alert" not in wrong.text
    for number in range(9):
        assert people.post(FORM, data={"address": f"a{number}@example.org"}).status_code == 303
    assert people.post(FORM, data={"address": "z@example.org"}).status_code == 429
    assert people.post(f"/r/{REGION}/stops/none/letters", data={}).status_code == 404
    site = {"origin": "https://evil.example"}
    assert people.post(FORM, data={"address": "z@example.org"}, headers=site).status_code == 403


def test_the_desk_sees_numbers_and_refusals_and_no_address(
    office: Running, people: httpx.Client, box: Mailbox
) -> None:
    """How many read, what waits and why; sending at once is for dispatchers."""
    people.post(FORM, data={"address": "gleb@example.org"})
    box.unknown, box.is_full = set(), True
    deliver(office)
    with office.api(Role.DISPATCHER, "ru") as desk:
        desk.headers["accept"] = "text/html"
        shown = desk.get(DESK).text
        assert "452 mailbox full" in shown
        assert "gleb" not in shown
        assert "Калиновка" in shown or "Пока никто" in shown
        box.is_full = False
        done = desk.post(f"{DESK}/again", follow_redirects=True)
        assert "в начало очереди" in done.text
    deliver(office)
    assert "gleb@example.org" in {str(letter["To"]) for letter in box.letters}
    with office.api(Role.ANALYST, "en") as other:
        assert other.get(DESK).status_code == 200
        assert other.post(f"{DESK}/again").status_code == 403
    assert people.get(DESK, follow_redirects=False).status_code in (303, 401)


def test_without_a_mail_server_nobody_is_promised_a_letter(
    office: Running, people: httpx.Client
) -> None:
    """The page of the stop has no form, its address says what else there is."""
    settings = office.service.settings
    object.__setattr__(office.service, "settings", replace(settings, smtp_url=None))
    try:
        assert FORM not in people.get(STOP).text
        assert "не рассылает писем" in people.get(FORM).text
        assert people.post(FORM, data={"address": "a@example.org"}).status_code == 404
    finally:
        object.__setattr__(office.service, "settings", settings)

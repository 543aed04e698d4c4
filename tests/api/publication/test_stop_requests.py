"""Residents ask for a stop; the desk scores and answers; the answer stands at a private address."""

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from api.limiter import Limiter
from api.services.public import read_published
from api.services.stop_requests import answer_request, asked_with, score_request, take_request
from data.db import stop_request_store
from data.db.engine import reading, writing
from data.model.accounts import Role
from data.model.demand import VisitsEstimate, with_requests
from data.model.errors import ConflictError, InputError, NotFoundError
from data.model.stop_request import CONTACT_DAYS, KEEP_DAYS, RequestAsked, RequestState
from tests.api.publication.office import ANNA, REGION, Office
from tests.e2e.service import Running, run_service

FORM = f"/r/{REGION}/request"
DESK = f"/desk/{REGION}/stop-requests"
GIVEN = {"place": "зеленый бор", "reason": "До библиотеки двадцать километров", "people": "30"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with run_service(tmp_path_factory.mktemp("requests")) as running:
        office = Office(running.engine)
        running.service.clock = lambda: office.now
        office.publish()
        yield running


@pytest.fixture
def people(running: Running) -> Iterator[httpx.Client]:
    """Somebody without an account, who has not asked yet."""
    object.__setattr__(running.service, "limiter", Limiter())
    with running.api(None, "ru") as client:
        client.headers["accept"] = "text/html"
        yield client


def ask(people: httpx.Client, /, **given: str) -> httpx.Response:
    return people.post(FORM, data=GIVEN | given, follow_redirects=False)


def test_a_request_is_scored_and_answered(running: Running, people: httpx.Client) -> None:
    """From the form to the answer at an address that only whoever asked knows."""
    assert "Населённый пункт" in people.get(FORM).text
    sent = ask(people, contact="tel. 8 401 00")
    assert sent.status_code == 303
    address = sent.headers["location"]
    own = people.get(address)
    assert "Библиотека получила вашу просьбу" in own.text
    assert "Ответа пока нет" in own.text
    assert own.headers["cache-control"] == "private, no-store"
    assert "8 401 00" not in own.text
    with running.api(Role.DISPATCHER, "ru") as anna:
        anna.headers["accept"] = "text/html"
        listed = anna.get(DESK).text
        assert "зеленый бор" in listed
        (request_id,) = set(re.findall(rf"{DESK}/([0-9a-f]{{32}})", listed))
        one = f"{DESK}/{request_id}"
        scored = anna.post(f"{one}/score", follow_redirects=True)
        shown = scored.text
        assert "Жителей: 40" in shown
        assert "просят 30 чел." in shown
        assert "Лучшее место в плане" in shown or "места в плане нет" in shown
        empty = anna.post(one, data={"answer": " ", "state": "accepted"})
        assert empty.status_code == 422
        done = anna.post(
            one, data={"answer": "Да, с февраля.", "state": "accepted"}, follow_redirects=True
        )
        assert "Ответ появился по личной ссылке" in done.text
        again = anna.post(one, data={"answer": "Нет", "state": "declined"})
        assert again.status_code == 409
    answered = people.get(address).text
    assert "Да, с февраля." in answered
    assert "принята" in answered
    assert people.get(f"{FORM}/{'x' * 43}").status_code == 404


def test_nobody_else_reads_requests(people: httpx.Client, running: Running) -> None:
    """The list is for staff, answering for dispatchers."""
    assert people.get(DESK, follow_redirects=False).status_code in (303, 401)
    with running.api(Role.ANALYST) as other:
        other.headers["accept"] = "text/html"
        assert other.get(DESK).status_code == 200
        refused = other.post(f"{DESK}/{'0' * 32}", data={"answer": "a", "state": "declined"})
        assert refused.status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [{"place": " "}, {"reason": ""}, {"people": "0"}, {"people": "many"}, {"reason": "x" * 1001}],
)
def test_a_wrong_form_keeps_what_was_written(people: httpx.Client, wrong: dict[str, str]) -> None:
    """It is shown again with what is wrong; nothing is stored."""
    shown = ask(people, **wrong)
    assert shown.status_code == 422
    assert 'role="alert"' in shown.text
    assert GIVEN["place"] in shown.text or "place" in wrong


def test_abuse_is_limited(running: Running, people: httpx.Client) -> None:
    """Five an hour from one address; whoever fills in the hidden field is thanked and forgotten."""
    with reading(running.engine) as session:
        before = len(stop_request_store.list_requests(session, REGION))
    assert ask(people, website="http://spam.example").headers["location"] == f"/r/{REGION}"
    hostile = ask(people, place="<script>alert(1)</script>", reason="=1+1 \x00<b>")
    shown = people.get(hostile.headers["location"]).text
    assert "<script>alert" not in shown
    assert "&lt;script&gt;" in shown
    for _ in range(3):
        assert ask(people).status_code == 303
    assert ask(people).status_code == 429
    with reading(running.engine) as session:
        assert len(stop_request_store.list_requests(session, REGION)) == before + 4


def test_contacts_and_old_requests_are_erased(office: Office) -> None:
    """The way to reach somebody goes ninety days after the answer, all of it after two years."""
    office.publish()
    with writing(office.engine) as session:
        told = read_published(session, REGION)
        asked = RequestAsked(place="Неведомое", reason="нужно", contact="8 401 00", people=3)
        made, token = take_request(session, told, asked, language="ru", at=office.now)
        assert made.settlement_id is None
        with pytest.raises(InputError, match=r"stop_request\.no_settlement"):
            score_request(session, REGION, made.request_id, at=office.now)
        answer_request(
            session, REGION, made.request_id, RequestState.DECLINED, "Нет.", by=ANNA, at=office.now
        )
        with pytest.raises(ConflictError, match=r"stop_request\.answered"):
            answer_request(
                session, REGION, made.request_id, RequestState.ACCEPTED, "Да", by=ANNA,
                at=office.now,
            )  # fmt: skip
        stop_request_store.erase_old(session, office.now + timedelta(days=CONTACT_DAYS - 1))
        assert asked_with(session, REGION, token).contact == "8 401 00"
    with writing(office.engine) as session:
        stop_request_store.erase_old(session, office.now + timedelta(days=CONTACT_DAYS + 1))
    with writing(office.engine) as session:
        kept = asked_with(session, REGION, token)
        assert (kept.contact, kept.answer) == ("", "Нет.")
        assert stop_request_store.erase_old(session, office.now + timedelta(days=KEEP_DAYS + 1))
        with pytest.raises(NotFoundError):
            stop_request_store.request_of_token(session, REGION, "0" * 64)


def test_requests_raise_what_is_expected() -> None:
    """Never below four of ten who ask; few change nothing."""
    before = VisitsEstimate(mean=6.0, low=3.0, high=12.0, own_sd=2.0, shared_sd=1.0)
    assert with_requests(before, 10) == before
    after = with_requests(before, 30)
    assert (after.mean, after.low, after.high) == (12.0, 3.0, 30.0)

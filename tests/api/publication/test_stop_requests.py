"""Residents ask for a stop; the desk scores and answers; the answer stands at a private address."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.limiter import Limiter
from api.services.learning import Guidance, guided
from api.services.letter_sending import LetterPost
from api.services.public import read_published
from api.services.stop_requests import (
    answer_request,
    asked_with,
    count_request,
    people_asked,
    score_request,
    take_request,
)
from api.settings import Settings
from data.db import region_store, stop_request_store
from data.db.engine import reading, writing
from data.model.accounts import Role
from data.model.demand import PrizeBy, VisitsEstimate, with_requests
from data.model.errors import ConflictError, InputError, NotFoundError
from data.model.place import Library, LibraryId, SettlementId
from data.model.stop_request import (
    CONTACT_DAYS,
    KEEP_DAYS,
    MOST_PEOPLE,
    AskedPeople,
    RequestAsked,
    RequestState,
    StopRequest,
    asked_by_stop,
)
from tests.api.publication.office import ANNA, REGION, Office, region
from tests.databases import migrated
from tests.e2e.service import Running, run_service
from tests.planner.examples import make_request

FORM = f"/r/{REGION}/request"
NORM = "sp42-30min"
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
        shown = anna.get(one).text
        assert "Спрос для планировщика" in shown
        assert "ценят места стоянок по жителям, и просьбы их не меняют" in shown
        assert anna.get(f"/desk/{REGION}/settings/standard").text.count('id="f-prize_by"') == 1
        stop = f"/desk/{REGION}/stops/kalinovka"
        assert f'href="{stop}"' in shown, "the stop that would serve whoever asked"
        assert "Обслуживать обязательно" in anna.get(stop).text
        wrong = anna.post(f"{one}/count", data={"people": "x", "do": "count"})
        assert wrong.status_code == 422
        counted = anna.post(
            f"{one}/count", data={"people": "30", "do": "count"}, follow_redirects=True
        )
        assert "Учитывается человек: 30." in counted.text
        assert "в спросе: 30" in anna.get(DESK).text
        left = anna.post(f"{one}/count", data={"do": "leave"}, follow_redirects=True)
        assert "Учитывается человек" not in left.text
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
    for _ in range(4):
        assert ask(people).status_code == 303
    assert ask(people).status_code == 429
    with reading(running.engine) as session:
        assert len(stop_request_store.list_requests(session, REGION)) == before + 5


def test_contacts_and_old_requests_are_erased(office: Office) -> None:
    """The way to reach somebody goes ninety days after the answer, all of it after two years."""
    office.publish()
    with writing(office.engine) as session:
        told = read_published(session, REGION)
        asked = RequestAsked(place="Неведомое", reason="нужно", contact="8 401 00", people=3)
        made, token = take_request(session, told, asked, language="ru", at=office.now)
    assert made.settlement_id is None
    with pytest.raises(InputError, match=r"stop_request\.no_settlement"):
        score_request(office.engine, REGION, made.request_id, at=office.now)
    with writing(office.engine) as session:
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


def ask_and_score(office: Office, people: int, **more: Any) -> StopRequest:
    """A request for Zelyony Bor, scored with the plan in force."""
    with writing(office.engine) as session:
        told = read_published(session, REGION)
        asked = RequestAsked(place="Зелёный Бор", reason="далеко", people=people, **more)
        made, _ = take_request(session, told, asked, language="ru", at=office.now)
    return score_request(office.engine, REGION, made.request_id, at=office.now)


@pytest.mark.parametrize(("lon", "is_lacking"), [(21.79, False), (22.6, True)])
def test_the_score_weighs_the_nearest_library(
    tmp_path: Path, *, lon: float, is_lacking: bool
) -> None:
    """A library next door halves what a request is worth against one that the norm calls too far.

    Between the two nothing else differs: same people, same plan, same free place.
    """
    library = Library(library_id=LibraryId("lib"), name="Сельская библиотека", lon=lon, lat=54.81)
    stored = replace(
        region(), norm_set_id=NORM, libraries=(library,), library_register_is_complete=True
    )
    with migrated(f"sqlite:///{tmp_path / 'norm.sqlite'}") as engine:
        office = Office(engine, stored)
        office.publish()
        score = ask_and_score(office, 30).score
    assert score["is_judged"]
    assert (score["is_lacking"], score["library"]) == (is_lacking, "Сельская библиотека")
    assert score["library_km"] < 3 if not is_lacking else score["library_km"] > 40
    fits = 1.0 if score["has_place"] else 0.5
    added_min = score.get("added_min", 0)
    weight = 2.0 if is_lacking else 1.0
    assert score["points"] == round(weight * fits * score["visits"] * 60 / (60 + added_min), 1)


def test_an_answer_goes_by_letter_to_whoever_gave_an_address(
    office: Office, tmp_path: Path
) -> None:
    """A telephone number gets none; the address is erased with the contact."""
    office.publish()
    mailed = ask_and_score(office, 5, contact="Vera@example.org")
    called = ask_and_score(office, 5, contact="8 401 00")
    with writing(office.engine) as session:
        for one in (mailed, called):
            answer_request(
                session, REGION, one.request_id, RequestState.ACCEPTED, "Да,\nс <марта>.",
                by=ANNA, at=office.now,
            )  # fmt: skip
    settings = Settings(data_dir=tmp_path)
    assert LetterPost(office.engine, settings).deliver(office.now) == 1
    (file,) = (tmp_path / "outbox").glob("*.eml")
    letter = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert isinstance(letter, EmailMessage)
    assert letter["To"] == "Vera@example.org"
    assert letter["Subject"] == "Ответ на просьбу о стоянке: Зелёный Бор"
    text, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None
    assert html is not None
    told = text.get_content().replace("\r\n", "\n")
    assert "Просьба о стоянке принята.\n\nДа,\n\nс <марта>." in told
    assert "с &lt;марта&gt;." in html.get_content()
    assert LetterPost(office.engine, settings).deliver(office.now + timedelta(hours=1)) == 0


def test_only_what_was_accepted_counts_and_can_be_taken_back(office: Office) -> None:
    """The planner expects those who ask after a person has said so, until one says no."""
    office.publish()
    one = ask_and_score(office, 30)

    def count(people: int | None) -> None:
        with writing(office.engine) as session:
            count_request(session, REGION, one.request_id, people, by=ANNA, at=office.now)

    def expected() -> dict[str, int]:
        with reading(office.engine) as session:
            loaded = region_store.load_region(session, REGION)
            return {a.name: a.people for a in people_asked(session, loaded)}

    with pytest.raises(ConflictError, match=r"stop_request\.not_accepted"):
        count(30)
    with writing(office.engine) as session:
        answer_request(
            session, REGION, one.request_id, RequestState.ACCEPTED, "Да.", by=ANNA, at=office.now
        )
    assert expected() == {}
    for wrong in (0, MOST_PEOPLE + 1):
        with pytest.raises(InputError, match=r"stop_request\.bad_people"):
            count(wrong)
    count(30)
    assert expected() == {"Зелёный Бор": 30}
    count(None)
    assert expected() == {}


def test_who_asks_raises_the_stop_that_would_serve_them() -> None:
    """The stop of their settlement, else the nearest within three kilometres; no other one."""
    request = make_request()
    near, _, far, *_ = request.stops
    asked = [
        AskedPeople(
            settlement_id=SettlementId("x"), name="X", lon=near.lon, lat=near.lat, people=60
        ),
        AskedPeople(settlement_id=SettlementId("y"), name="Y", lon=30.0, lat=60.0, people=99),
    ]
    told = asked_by_stop(request.stops, asked)
    assert told == {near.stop_id: 60}
    plain = guided(request, Guidance(prize_by=PrizeBy.DEMAND))
    raised = guided(request, Guidance(prize_by=PrizeBy.DEMAND, asked=tuple(asked)))
    before, after = plain.stops[0].visits_expected, raised.stops[0].visits_expected
    assert before is not None
    assert after is not None
    assert before.mean < after.mean == 24.0
    assert raised.stops[0].prize == 24.0 * near.visits_per_cycle
    assert raised.stops[1:] == plain.stops[1:]
    assert far.stop_id not in told
    by_people = Guidance(asked=tuple(asked))
    assert guided(request, by_people) == request, "worth by people has nothing to raise"

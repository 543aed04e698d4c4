"""Residents ask for a stop, the desk scores and answers, whoever asked reads the answer."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlmodel import Session

from api.auth import hash_token, new_token
from api.limiter import Limit, network_of
from api.services.letters import answer_address
from api.services.public import Published
from api.services.stop_request_score import score_of
from api.state import Service
from data.db import audit_store, event_store, letter_store, region_store, stop_request_store
from data.db.engine import reading, writing
from data.db.turns import take_turn
from data.model.accounts import Caller
from data.model.errors import ConflictError, InputError, RequestError
from data.model.letters import LetterKind, OutLetter
from data.model.place import Settlement
from data.model.place_search import sound_of
from data.model.region import Region
from data.model.service_time import date_of
from data.model.stop_request import (
    ANSWER_MAX,
    MOST_OPEN,
    MOST_PEOPLE,
    AskedPeople,
    RequestAsked,
    RequestState,
    StopRequest,
    asked_people,
)

TOPIC = "stop_request"
ANSWER_DAYS = 14
"""So long a letter with an answer is tried."""


def ask_for_stop(
    service: Service, published: Published, asked: RequestAsked, *, language: str, caller: str
) -> tuple[StopRequest, str]:
    """Take what somebody on the network asks for, by a page or by a program.

    Parameters
    ----------
    caller
        Address of the network that it came from.

    Raises
    ------
    AccessError
        ``access.too_many``.
    RequestError
        As ``take_request``.
    """
    service.limiter.check(Limit.STOP_REQUEST, network_of(caller))
    service.limiter.check(Limit.STOP_REQUEST_ANYWHERE, published.timetable.region_id)
    with writing(service.engine) as session:
        return take_request(session, published, asked, language=language, at=service.clock())


def take_request(
    session: Session, published: Published, asked: RequestAsked, *, language: str, at: datetime
) -> tuple[StopRequest, str]:
    """Keep a request; with it the secret of the address at which its answer will stand.

    Raises
    ------
    RequestError
        ``stop_request.too_many`` where too many wait for an answer.
    """
    region_id = published.timetable.region_id
    if stop_request_store.count_open(session, region_id) >= MOST_OPEN:
        raise RequestError("stop_request.too_many", limit=MOST_OPEN)
    place = _settlement(published, asked.place)
    token = new_token()
    request = StopRequest(
        request_id=uuid.uuid4().hex,
        region_id=region_id,
        place=" ".join(asked.place.split()),
        reason=asked.reason.strip(),
        contact=asked.contact.strip(),
        people=asked.people,
        settlement_id=None if place is None else str(place.settlement_id),
        language=language,
        created_at=at,
    )
    stop_request_store.add_request(session, request, hash_token(token))
    event_store.emit(session, TOPIC, request.request_id, region_id)
    return request, token


def asked_with(session: Session, region_id: str, token: str) -> StopRequest:
    """The request of a secret address.

    Raises
    ------
    NotFoundError
        ``stop_request.unknown``.
    """
    return stop_request_store.request_of_token(session, region_id, hash_token(token))


def score_request(engine: Engine, region_id: str, request_id: str, *, at: datetime) -> StopRequest:
    """Work out what a request is worth now, and keep it.

    It takes seconds, in which others write.

    Raises
    ------
    NotFoundError
        ``stop_request.unknown``.
    InputError
        ``stop_request.no_settlement`` for a place that the region does not know.
    """
    with reading(engine) as session:
        request = stop_request_store.get_request(session, region_id, request_id)
        region = region_store.load_region(session, region_id)
        wanted = request.settlement_id
        place = next((s for s in region.settlements if str(s.settlement_id) == wanted), None)
        if place is None:
            raise InputError("stop_request.no_settlement", place=request.place)
        waiting = stop_request_store.list_requests(session, region_id, states=[RequestState.OPEN])
        same = [r for r in waiting if r.settlement_id == wanted]
        score = score_of(
            session,
            region,
            place,
            num_people=sum(r.people or 1 for r in same),
            request_id=request_id,
            on=date_of(at, ZoneInfo(region.time_zone)),
        )
    with writing(engine) as session:
        request = _taken(session, region_id, request_id)
        scored = replace(request, score=score | {"num_requests": len(same)}, scored_at=at)
        stop_request_store.save_request(session, scored)
    return scored


def _taken(session: Session, region_id: str, request_id: str) -> StopRequest:
    """A request that nobody else changes until the end of the transaction."""
    take_turn(session, f"stop request {request_id}")
    return stop_request_store.get_request(session, region_id, request_id)


def answer_request(
    session: Session,
    region_id: str,
    request_id: str,
    state: RequestState,
    text: str,
    *,
    by: Caller,
    at: datetime,
) -> StopRequest:
    """Answer a request.

    Raises
    ------
    NotFoundError
        ``stop_request.unknown``.
    ConflictError
        ``stop_request.answered`` by somebody before.
    InputError
        ``stop_request.no_answer``, ``stop_request.too_long``.
    """
    if not text.strip() or state is RequestState.OPEN:
        raise InputError("stop_request.no_answer", field="answer")
    if len(text) > ANSWER_MAX:
        raise InputError(
            "stop_request.too_long", field="answer", length=len(text), limit=ANSWER_MAX
        )
    request = _taken(session, region_id, request_id)
    if request.state is not RequestState.OPEN:
        raise ConflictError("stop_request.answered")
    answered = replace(
        request, state=state, answer=text.strip(), answered_at=at, answered_by=by.account_id
    )
    stop_request_store.save_request(session, answered)
    _write_back(session, answered, at)
    audit_store.record(
        session, by, "stop_request.answer", request_id, region_id=region_id, state=state.value
    )
    event_store.emit(session, TOPIC, request_id, region_id, state=state.value)
    return answered


def _write_back(session: Session, request: StopRequest, at: datetime) -> None:
    """Put the answer into the box of letters, where whoever asked gave an e-mail address."""
    if answer_address(request.contact) is None:
        return
    letter = OutLetter(
        letter_id=uuid.uuid4().hex,
        region_id=request.region_id,
        kind=LetterKind.ANSWER,
        mark=f"answer:{request.request_id}",
        request_id=request.request_id,
        created_at=at,
        due_at=at,
        until_at=at + timedelta(days=ANSWER_DAYS),
    )
    letter_store.add_letters(session, [letter])


def count_request(
    session: Session,
    region_id: str,
    request_id: str,
    people: int | None,
    *,
    by: Caller,
    at: datetime,
) -> StopRequest:
    """Let the planner expect so many people because of an accepted request; ``None``: no longer.

    Raises
    ------
    NotFoundError
        ``stop_request.unknown``.
    ConflictError
        ``stop_request.not_accepted``.
    InputError
        ``stop_request.no_settlement``, ``stop_request.bad_people``.
    """
    request = _taken(session, region_id, request_id)
    if people is not None:
        if request.state is not RequestState.ACCEPTED:
            raise ConflictError("stop_request.not_accepted")
        if request.settlement_id is None:
            raise InputError("stop_request.no_settlement", place=request.place)
        if not 1 <= people <= MOST_PEOPLE:
            raise InputError(
                "stop_request.bad_people", field="people", value=people, limit=MOST_PEOPLE
            )
    counted = replace(
        request,
        counted_people=people,
        counted_at=None if people is None else at,
        counted_by=None if people is None else by.account_id,
    )
    stop_request_store.save_request(session, counted)
    action = "stop_request.uncount" if people is None else "stop_request.count"
    audit_store.record(session, by, action, request_id, region_id=region_id, people=people or 0)
    event_store.emit(session, TOPIC, request_id, region_id, counted=people or 0)
    return counted


def people_asked(session: Session, region: Region) -> tuple[AskedPeople, ...]:
    """Those whom the planner is to expect because of requests, settlement by settlement."""
    counted = stop_request_store.counted_requests(session, region.region_id)
    return asked_people(counted, region.settlements)


def _settlement(published: Published, place: str) -> Settlement | None:
    """The settlement of a name, as it is written or sounds; the largest of several."""
    wanted = sound_of(place)
    same = [s for s in published.timetable.settlements if sound_of(s.name) == wanted]
    exact = [s for s in same if s.name.casefold() == place.strip().casefold()]
    return max(exact or same, key=lambda s: s.population or 0, default=None)

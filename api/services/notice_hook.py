"""The plug-in point for messengers and SMS: each notice is posted once to a program of one's own.

Whatever reaches people in another way than by letter stands behind one address
(``BOOKMOBILE_NOTICE_HOOK_URL``): a gateway of text messages, a bot of a messenger. It is told a
notice, and that a notice it was told of no longer holds; both lie in the box of letters until it
has answered 2xx. ``docs/public.md`` describes the message.
"""

import hashlib
import hmac
import json
import uuid
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlmodel import Session

from api.mail import NotSentError
from api.services.public_views import notice_text
from api.settings import Settings
from api.web.public_links import ServedLinks
from api.words import LANGUAGES, Words
from data.db import letter_store, publication_store
from data.db.engine import reading, writing
from data.model.cancellation import RESTORED, Notice
from data.model.letters import LetterKind, OutLetter
from data.model.public_timetable import PublicTimetable
from data.model.service_time import instant_of
from fleet.http_post import NoConnectionError, Poster

LOOK_BACK = timedelta(days=2)
"""Notices that are older when the address is set for the first time are no news."""
TOLD, BACK = "notice", "withdrawn"
_FOR_GOOD = frozenset({400, 401, 403, 404, 405, 410, 413, 415, 422})
"""Answers after which the same message would be refused again."""


def queue_hooks(engine: Engine, settings: Settings, now: datetime) -> int:
    """Put what the program was not told yet into the box; gives how many."""
    if settings.notice_hook_url is None:
        return 0
    since = now - LOOK_BACK
    with reading(engine) as session:
        wanted = [
            (notice, event)
            for notice, is_told in letter_store.notices_for_hook(session, since)
            for event in _events(notice, is_told=is_told)
        ]
    if not wanted:
        return 0
    with writing(engine) as session:
        return letter_store.add_letters(session, (_letter(session, *w, now) for w in wanted))


def _events(notice: Notice, *, is_told: bool) -> tuple[str, ...]:
    if notice.withdrawn_at is None:
        return () if is_told else (TOLD,)
    return (BACK,) if is_told else ()


def _letter(session: Session, notice: Notice, event: str, now: datetime) -> OutLetter:
    zone = ZoneInfo(publication_store.region_head(session, notice.region_id).time_zone)
    return OutLetter(
        letter_id=uuid.uuid4().hex,
        region_id=notice.region_id,
        kind=LetterKind.HOOK,
        mark=f"hook:{event}:{notice.notice_id}",
        facts={"event": event, "notice_id": notice.notice_id},
        created_at=now,
        due_at=now,
        until_at=instant_of(notice.shown_until_date + timedelta(days=1), 0, zone),
    )


def message_of(
    letter: OutLetter, notice: Notice, timetable: PublicTimetable, settings: Settings
) -> dict[str, Any] | None:
    """What the program is told; ``None`` where it is of no use any more."""
    event = letter.facts["event"]
    stop = timetable.stop_of.get(notice.stop_id)
    if stop is None or (event == TOLD and notice.withdrawn_at is not None):
        return None
    links = ServedLinks(region_id=timetable.region_id, public_url=settings.public_url)
    told = _restored(notice, timetable) if event == BACK else notice
    return {
        "event": event,
        "notice_id": notice.notice_id,
        "region_id": notice.region_id,
        "code": notice.code,
        "facts": dict(notice.facts),
        "stop": {
            "stop_id": str(stop.stop_id),
            "name": stop.name,
            "address": links.absolute(links.stop(stop.stop_id)),
        },
        "texts": {} if told is None else _texts(told, stop.name, timetable),
        "until": notice.shown_until_date.isoformat(),
        "created_at": notice.created_at.isoformat(),
    }


def _restored(notice: Notice, timetable: PublicTimetable) -> Notice | None:
    """What readers are told now that a notice no longer holds; nothing where all is over."""
    same = (notice.exception_id, notice.stop_id)
    return next(
        (
            n
            for n in timetable.notices
            if n.code == RESTORED and (n.exception_id, n.stop_id) == same
        ),
        None,
    )


def _texts(notice: Notice, stop: str, timetable: PublicTimetable) -> dict[str, str]:
    with_next = notice.visit_id not in timetable.make_up_of
    return {
        code: f"{stop}: {notice_text(notice, Words(code), with_next=with_next)}"
        for code in LANGUAGES
    }


def post_message(settings: Settings, letter_id: str, message: dict[str, Any]) -> None:
    """Post a message; signed by the secret, where there is one.

    Raises
    ------
    NotSentError
        Where the program did not answer 2xx.
    """
    url = settings.notice_hook_url or ""
    body = json.dumps(message, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": letter_id}
    if settings.notice_hook_secret_file is not None:
        secret = settings.notice_hook_secret_file.read_bytes().strip()
        signed = hmac.new(secret, body, hashlib.sha256).hexdigest()
        headers["X-Bookmobile-Signature"] = f"sha256={signed}"
    poster = Poster(url, headers=headers)
    try:
        answer = poster.post(body)
    except NoConnectionError as wrong:
        raise NotSentError(server=url, cause=str(wrong), is_down=True) from wrong
    finally:
        poster.close()
    if not answer.is_good:
        is_refused = answer.status in _FOR_GOOD
        raise NotSentError(server=url, cause=f"HTTP {answer.status}", is_refused=is_refused)

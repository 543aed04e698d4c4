"""The box of letters is emptied: each letter made when it is sent, tried until it is of no use."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import Engine
from sqlmodel import Session

from api.mail import Mailer, NotSentError
from api.services.cancelling import names_of
from api.services.letter_queue import queue_reminders, visits_to_come
from api.services.letter_telling import LetterTeller, Told, as_letter
from api.services.letters import answer_address
from api.services.notice_hook import message_of, post_message, queue_hooks
from api.services.public import PublishedCache
from api.settings import Settings
from data.db import letter_store, publication_store, stop_request_store
from data.db.engine import reading, writing
from data.model.errors import NotFoundError, StoreError
from data.model.letters import (
    MOST_REFUSALS,
    LetterKind,
    LetterState,
    OutLetter,
    Subscription,
    retry_at,
)
from data.model.place import StopId
from data.model.public_timetable import PublicStop, PublicTimetable, is_public

log = logging.getLogger(__name__)
CLAIM = timedelta(minutes=5)
"""Longer than a letter takes; one whose sender died is taken up after it."""
BROKEN = "letters.broken"
MOST_AT_ONCE = 500
"""Letters of one round; others, such as reports, get their turn in between."""


class LetterPost:
    """Sends what is in the box, round after round."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._published = PublishedCache()

    def deliver(self, now: datetime) -> int:
        """Remind of tomorrow and send what is due; gives how many letters were tried.

        A server that is away ends its round: the others keep their turn.
        """
        queue_reminders(self._engine, now)
        queue_hooks(self._engine, self._settings, now)
        with reading(self._engine) as session:
            if not letter_store.has_due(session, now):
                return 0
        with Mailer(self._settings) as mailer:
            return sum(self._round(mailer, now, is_hook=is_hook) for is_hook in (False, True))

    def _round(self, mailer: Mailer, now: datetime, *, is_hook: bool) -> int:
        """Letters by one way, until none is due or the way is closed; how many were tried."""
        began_s = monotonic()
        for num in range(MOST_AT_ONCE):
            lasts = CLAIM + timedelta(seconds=monotonic() - began_s)
            with writing(self._engine) as session:
                letter = letter_store.claim_letter(session, now, lasts, is_hook=is_hook)
            if letter is None:
                return num
            if self._try(mailer, letter, now):
                return num + 1
        return MOST_AT_ONCE

    def _try(self, mailer: Mailer, letter: OutLetter, now: datetime) -> bool:
        """One try; whether no other is of use now."""
        is_down, is_unknown = False, False
        try:
            if self._sent(mailer, letter, now):
                ended = _ended(letter, LetterState.SENT, now)
            elif letter.code:
                # It was tried in vain until it was of no use.
                ended = replace(letter, state=LetterState.FAILED, ended_at=now)
            else:
                ended = _ended(letter, LetterState.DROPPED, now)
        except NotSentError as wrong:
            is_down, is_unknown = wrong.is_down, wrong.is_unknown
            state = LetterState.FAILED if wrong.is_refused else LetterState.WAITING
            ended = _missed(letter, state, now, wrong.code, wrong.cause)
        except StoreError as wrong:
            is_down = True
            cause = str(wrong.facts.get("cause", ""))
            ended = _missed(letter, LetterState.WAITING, now, wrong.code, cause)
        except Exception as wrong:  # the edge of the box: one letter holds up no other
            log.exception("letter.broken", extra={"letter_id": letter.letter_id})
            cause = type(wrong).__name__
            ended = _missed(letter, LetterState.WAITING, now, BROKEN, cause)
        with writing(self._engine) as session:
            letter_store.end_letter(session, ended)
            if is_unknown or ended.state is LetterState.SENT:
                _count(session, letter, is_unknown=is_unknown)
        facts = {
            "letter_id": letter.letter_id,
            "kind": letter.kind.value,
            "state": ended.state.value,
            "tries": ended.tries,
            "code": ended.code,
        }
        (log.warning if ended.code else log.info)("letter.tried", extra=facts)
        return is_down

    def _sent(self, mailer: Mailer, letter: OutLetter, now: datetime) -> bool:
        """Send a letter; ``False`` where it is of no use any more."""
        try:
            timetable = self._published.get(self._engine, letter.region_id).timetable
        except NotFoundError:
            return False
        if now >= letter.until_at:
            return False
        if letter.kind is LetterKind.HOOK:
            return self._posted(letter, timetable)
        made = self._made(letter, timetable)
        if made is None:
            return False
        told, address, language = made
        mailer.send(
            as_letter(told, letter_id=letter.letter_id, recipient=address, language=language),
            at=now,
        )
        return True

    def _posted(self, letter: OutLetter, timetable: PublicTimetable) -> bool:
        if self._settings.notice_hook_url is None:
            return False
        with reading(self._engine) as session:
            notice = publication_store.find_notice(session, str(letter.facts["notice_id"]))
        message = None
        if notice is not None:
            message = message_of(letter, notice, timetable, self._settings)
        if message is None:
            return False
        post_message(self._settings, letter.letter_id, message)
        return True

    def _made(self, letter: OutLetter, timetable: PublicTimetable) -> tuple[Told, str, str] | None:
        """What a letter says, to whom, in which language; ``None`` where it is of no use now."""
        with reading(self._engine) as session:
            if letter.request_id is not None:
                return self._answer(letter, timetable)
            reader = letter_store.find_subscription(session, str(letter.subscription_id))
            if reader is None:
                return None
            stops: dict[StopId, PublicStop] = {}
            if reader.stop_id not in timetable.stop_of:
                stops, _ = names_of(session, letter.region_id)
                gone = stops.get(StopId(reader.stop_id))
                if gone is None or not is_public(gone):
                    return None
        teller = LetterTeller(timetable, self._settings, reader.language, stops)
        told = self._told(teller, reader, letter)
        return None if told is None else (told, reader.address, reader.language)

    def _told(self, teller: LetterTeller, reader: Subscription, letter: OutLetter) -> Told | None:
        if letter.kind is LetterKind.CONFIRM:
            return None if reader.is_confirmed else teller.asking(reader)
        if not reader.is_confirmed:
            return None
        if letter.kind is LetterKind.KNOWN:
            return teller.known(reader)
        with reading(self._engine) as session:
            if letter.kind is LetterKind.NOTICE:
                notices = publication_store.load_notices(
                    session, letter.region_id, stop_id=StopId(reader.stop_id)
                )
                notice = next((n for n in notices if n.notice_id == letter.notice_id), None)
                return None if notice is None else teller.notice(reader, notice)
            visits = visits_to_come(session, letter.region_id, letter.facts.get("visit_ids", ()))
        if not visits:
            return None
        if letter.kind is LetterKind.RESTORED:
            return teller.restored(reader, visits)
        return teller.reminder(reader, visits[0]) if reader.wants_reminder else None

    def _answer(
        self, letter: OutLetter, timetable: PublicTimetable
    ) -> tuple[Told, str, str] | None:
        with reading(self._engine) as session:
            try:
                request = stop_request_store.get_request(
                    session, letter.region_id, str(letter.request_id)
                )
            except NotFoundError:
                return None
        address = answer_address(request.contact)
        if address is None or not request.answer:
            return None
        teller = LetterTeller(timetable, self._settings, request.language)
        return teller.answer(request), address, request.language


def _count(session: Session, letter: OutLetter, *, is_unknown: bool) -> None:
    """Erase an address that does not exist, or does not any more."""
    subscription_id = letter.subscription_id
    if subscription_id is None:
        return
    num = letter_store.note_refusal(session, subscription_id, is_refused=is_unknown)
    is_new = is_unknown and letter.kind is LetterKind.CONFIRM
    if is_new or num >= MOST_REFUSALS:
        letter_store.erase_subscriptions(session, [subscription_id])
        log.info("subscription.erased", extra={"subscription_id": subscription_id})


def _ended(letter: OutLetter, state: LetterState, now: datetime) -> OutLetter:
    return replace(letter, state=state, ended_at=now, code="", cause="")


def _missed(
    letter: OutLetter, state: LetterState, now: datetime, code: str, cause: str
) -> OutLetter:
    is_over = state is LetterState.FAILED
    return replace(
        letter,
        state=state,
        due_at=letter.due_at if is_over else min(retry_at(letter.tries, now), letter.until_at),
        ended_at=now if is_over else None,
        code=code,
        cause=cause[:300],
    )

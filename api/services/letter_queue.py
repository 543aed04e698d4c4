"""Notices become letters: put into the box in the transaction that makes the notice.

A notice that is taken back before its letter was begun leaves no trace; whoever has been told of
it already is told, once, what holds now.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlmodel import Session

from data.db import letter_store, publication_store
from data.db.engine import reading, writing
from data.model.cancellation import Notice
from data.model.letters import LetterKind, OutLetter, Subscription, is_reminding
from data.model.publication import Moment, PromisedVisit, VisitId, VisitState, moment_of
from data.model.service_time import instant_of


def queue_notices(session: Session, notices: Sequence[Notice]) -> int:
    """Letters of new notices to those who read about their stops; gives how many."""
    num = 0
    for region_id in dict.fromkeys(n.region_id for n in notices):
        own = [n for n in notices if n.region_id == region_id]
        readers = letter_store.readers_of(session, region_id, {str(n.stop_id) for n in own})
        if not readers:
            continue
        zone = ZoneInfo(publication_store.region_head(session, region_id).time_zone)
        num += letter_store.add_letters(
            session,
            (
                _letter(
                    one,
                    LetterKind.NOTICE,
                    notice.notice_id,
                    at=notice.created_at,
                    until_at=instant_of(notice.shown_until_date + timedelta(days=1), 0, zone),
                    notice_id=notice.notice_id,
                )
                for notice in own
                for one in readers
                if one.stop_id == notice.stop_id
            ),
        )
    return num


def take_back_notices(
    session: Session,
    region_id: str,
    notice_ids: Iterable[str],
    visits: Iterable[PromisedVisit],
    *,
    exception_id: str | None,
    now: Moment,
    at: datetime,
) -> int:
    """Drop letters that nobody has got, and tell the others that it is as it was; how many.

    Parameters
    ----------
    visits
        Visits of the exception as they stand before they are restored.
    """
    told = letter_store.take_back(session, list(notice_ids), at)
    ids = {i for found in told.values() for i in found}
    if not ids:
        return 0
    zone = ZoneInfo(publication_store.region_head(session, region_id).time_zone)
    coming: dict[str, list[PromisedVisit]] = {}
    for visit in sorted(visits, key=lambda v: (v.opens_date, v.opens_s)):
        if visit.begins > now:
            coming.setdefault(str(visit.stop_id), []).append(visit)
    letters = []
    for subscription_id in sorted(ids):
        reader = letter_store.find_subscription(session, subscription_id)
        back = coming.get(reader.stop_id, []) if reader is not None else []
        if reader is None or not back:
            continue
        facts: dict[str, object] = {"visit_ids": [v.visit_id for v in back]}
        until_at = instant_of(back[-1].opens_date + timedelta(days=1), 0, zone)
        letters.append(
            _letter(
                reader,
                LetterKind.RESTORED,
                f"restored:{exception_id}",
                at=at,
                until_at=until_at,
                facts=facts,
            )
        )
    return letter_store.add_letters(session, letters)


def queue_reminders(engine: Engine, now: datetime) -> int:
    """Letters about the visits of tomorrow to those who want to be reminded; gives how many."""
    wanted: list[OutLetter] = []
    with reading(engine) as session:
        for region_id, stop_ids in letter_store.reminded_stops(session).items():
            wanted += _reminders(session, region_id, stop_ids, now)
    if not wanted:
        return 0
    with writing(engine) as session:
        # An address may have been erased meanwhile, a visit cancelled: the sending looks again.
        known = {
            one.subscription_id
            for one in wanted
            if letter_store.find_subscription(session, str(one.subscription_id)) is not None
        }
        return letter_store.add_letters(session, (o for o in wanted if o.subscription_id in known))


def _reminders(
    session: Session, region_id: str, stop_ids: set[str], now: datetime
) -> list[OutLetter]:
    head = publication_store.region_head(session, region_id)
    today, now_s = moment_of(now, head.time_zone)
    tomorrow = today + timedelta(days=1)
    if not is_reminding(today, now_s, tomorrow):
        return []
    visits = publication_store.load_visits(
        session,
        region_id,
        from_date=today,
        until_date=tomorrow,
        states=[VisitState.PLANNED],
    )
    coming = [v for v in visits if v.opens_date == tomorrow and v.stop_id in stop_ids]
    if not coming:
        return []
    readers = letter_store.readers_of(
        session, region_id, {str(v.stop_id) for v in coming}, reminded=True
    )
    zone = ZoneInfo(head.time_zone)
    letters = [
        _letter(
            one,
            LetterKind.REMINDER,
            f"reminder:{visit.visit_id}:{visit.opens_date.isoformat()}",
            at=now,
            until_at=instant_of(visit.opens_date, visit.opens_s, zone),
            facts={"visit_ids": [visit.visit_id]},
        )
        for visit in coming
        for one in readers
        if one.stop_id == visit.stop_id
    ]
    known = letter_store.known_marks(session, [one.mark for one in letters])
    return [one for one in letters if one.mark not in known]


def _letter(
    reader: Subscription,
    kind: LetterKind,
    change: str,
    *,
    at: datetime,
    until_at: datetime,
    notice_id: str | None = None,
    facts: dict[str, object] | None = None,
) -> OutLetter:
    return OutLetter(
        letter_id=uuid.uuid4().hex,
        region_id=reader.region_id,
        kind=kind,
        mark=f"{reader.subscription_id}:{change}",
        subscription_id=reader.subscription_id,
        notice_id=notice_id,
        facts=facts or {},
        created_at=at,
        due_at=at,
        until_at=until_at.astimezone(UTC),
    )


def visits_to_come(
    session: Session, region_id: str, visit_ids: Iterable[str]
) -> tuple[PromisedVisit, ...]:
    """Visits of a letter as they stand now, by date, without those that are not to be held."""
    found = publication_store.get_visits(session, region_id, map(VisitId, visit_ids))
    coming = (v for v in found if v.is_coming)
    return tuple(sorted(coming, key=lambda v: (v.opens_date, v.opens_s)))

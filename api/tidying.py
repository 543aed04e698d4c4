"""Housekeeping: what is kept for a time only, goes when that is over."""

import asyncio
import logging
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from api.services import following
from api.services.circulation_persons import forget_inactive
from api.services.circulation_settling import settle_all
from api.settings import Settings
from api.state import Service
from data.db import (
    accounts_store,
    alert_store,
    answers_store,
    audit_store,
    event_store,
    letter_store,
    live_store,
    stop_request_store,
    track_store,
    tracker_store,
)
from data.db.engine import writing

log = logging.getLogger(__name__)
EVERY_S = 3600
PASSING = timedelta(hours=1)
"""Events that a vehicle has moved are of no use to anybody later."""
FAILED_SIGN_IN = "session.failed"


def tidy(engine: Engine, settings: Settings, now: datetime) -> dict[str, int]:
    """Delete what is too old; how many of each."""
    short = now - timedelta(days=settings.event_keep_days)
    with writing(engine) as session:
        return {
            "sign_ins": accounts_store.drop_ended(
                session, now, now - timedelta(hours=settings.sign_in_hours)
            ),
            "failed_sign_ins": audit_store.drop_before(
                session, FAILED_SIGN_IN, now - timedelta(days=settings.sign_in_keep_days)
            ),
            "events": event_store.drop_before(session, short)
            + event_store.drop_before(session, now - PASSING, topic=following.TOPIC),
            "answers": answers_store.drop_before(session, short),
            "stop_requests": stop_request_store.erase_old(session, now),
            "subscriptions": letter_store.erase_old(session, now),
            **_tracks(session, now - timedelta(days=settings.track_keep_days)),
        }


def forget_readers(service: Service) -> int:
    """Forget readers who have not come for longer than their data are kept; gives how many."""
    kept = timedelta(days=service.settings.reader_keep_days)
    return forget_inactive(service, (service.clock() - kept).date())


def _tracks(session: Session, before: datetime) -> dict[str, int]:
    """Erase where vehicles and people were; what became of planned stop visits stays."""
    erased = track_store.erase_before(session, before)
    return {
        "fixes": erased.num_fixes,
        "track_chunks": erased.num_chunks,
        "positions": live_store.forget_positions(session, before),
        "unplanned_stops": live_store.drop_unplanned_before(session, before.date()),
        "alerts": alert_store.drop_before(session, before.date()),
        "unknown_devices": tracker_store.drop_unknown_before(session, before),
    }


async def tidy_now_and_then(service: Service) -> None:
    """Tidy each hour until cancelled; one that fails is tried again at the next."""
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            told = await asyncio.to_thread(tidy, service.engine, service.settings, service.clock())
            told["readers"] = await asyncio.to_thread(forget_readers, service)
            told["settled"] = await asyncio.to_thread(settle_all, service)
        except SQLAlchemyError:
            log.warning("tidy.failed", exc_info=True)
        else:
            log.info("tidy.done", extra=told)

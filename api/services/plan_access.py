"""Stored plans for somebody: only those of his regions; what he missed is told in his words."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlmodel import Session

from api.auth import require_region
from api.conditions import IfMatch
from api.services.editing import missed_since
from api.services.plan_documents import OpenedPlan, open_plan
from api.services.plan_words import told_step
from api.words import Words
from data.db import accounts_store, plan_store
from data.db.engine import reading
from data.db.plan_store import StoredPlan
from data.model.accounts import Caller
from data.model.errors import ConflictError


def plan_for(session: Session, asking: Caller, plan_id: str) -> StoredPlan:
    """A plan of a region that the caller works in.

    Raises
    ------
    NotFoundError
        ``plan.unknown``.
    AccessError
        ``access.region``.
    """
    stored = plan_store.get_plan(session, plan_id)
    require_region(asking, stored.region_id)
    return stored


def opened_for(session: Session, asking: Caller, plan_id: str) -> OpenedPlan:
    """The same, opened."""
    opened = open_plan(session, plan_id)
    require_region(asking, opened.stored.region_id)
    return opened


def account_names(session: Session, account_ids: Iterable[str | None]) -> dict[str, str]:
    """Names of accounts by id; one that is gone has none."""
    return accounts_store.names(session, (i for i in account_ids if i is not None))


def check_match(session: Session, stored: StoredPlan, match: IfMatch, words: Words) -> None:
    """Refuse a change made from another version, telling who has changed what since.

    Raises
    ------
    ConflictError
        ``request.stale``; its facts hold the present version and the steps missed.
    """
    if match.revision in (None, stored.version):
        return
    missed = missed_since(session, stored.plan_id, match.revision or 0)
    names = account_names(session, (m.account_id for m in missed))
    steps = [
        {
            "version": m.version,
            "text": told_step(words, m.step),
            "by": names.get(m.account_id or "", ""),
            "at": m.at.isoformat(),
        }
        for m in missed
    ]
    current = {"plan_id": stored.plan_id, "version": stored.version, "steps": steps}
    match.check(stored.version, current)


@contextmanager
def telling_stale(engine: Engine, plan_id: str, match: IfMatch, words: Words) -> Iterator[None]:
    """Tell who was faster also where that comes out only as the change is stored.

    Raises
    ------
    ConflictError
        ``request.stale`` instead of ``store.stale``.
    """
    try:
        yield
    except ConflictError as refused:
        if refused.code == "store.stale":
            with reading(engine) as session:
                check_match(session, plan_store.get_plan(session, plan_id), match, words)
        raise

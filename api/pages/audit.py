"""The audit log in a browser, for administrators."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from api.auth import Admin
from api.language import words_of
from api.rendering import render
from api.state import ServiceDep
from api.words import Words
from data.db import accounts_store, audit_store
from data.db.engine import reading
from data.model.records import AuditEntry

router = APIRouter(prefix="/audit")
PAGE = 50
LAST_DAY = date.max - timedelta(days=1)
GROUPS = ("session", "account", "device", "region", "plan", "timetable", "visit", "job")
"""Beginnings of action codes that the filter offers."""


@router.get("")
def list_page(
    request: Request,
    asking: Admin,
    service: ServiceDep,
    account: Annotated[str, Query(max_length=36)] = "",
    action: Annotated[str, Query(max_length=64)] = "",
    since: Annotated[date | None, Query()] = None,
    until: Annotated[date | None, Query()] = None,
    before: Annotated[int | None, Query(ge=1, lt=2**62)] = None,
) -> HTMLResponse:
    """Entries, the newest first; ``until`` is a day that still counts."""
    with reading(service.engine) as session:
        found = audit_store.entries(
            session,
            limit=PAGE + 1,
            before=before,
            account_id=account or None,
            action=action,
            since_at=_start(since),
            until_at=_start(min(until, LAST_DAY) + timedelta(days=1)) if until else None,
        )
        people = accounts_store.accounts(session, limit=1000, with_closed=True)
    following = None
    if len(found) > PAGE:
        chosen = {"account": account, "action": action, "since": since, "until": until}
        kept = {name: value for name, value in chosen.items() if value}
        following = urlencode(kept | {"before": found[PAGE - 1].audit_id})
    return render(
        request, "audit.html", entries=[(one, _told(one)) for one in found[:PAGE]],
        people=people, names={one.account_id: one.name or one.login for one in people},
        groups=GROUPS, account=account, action=action, since=since, until=until,
        following=following, action_name=lambda code: action_name(words_of(request), code),
    )  # fmt: skip


def action_name(words: Words, code: str) -> str:
    """What an action is called; one without a name of its own is told by its code."""
    key = f"audit.action.{code}"
    told = words(key)
    return code if told == key else told


def _start(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time.min, UTC)


def _told(entry: AuditEntry) -> list[tuple[str, str]]:
    """The facts of an entry as text."""
    return [(name, _text(value)) for name, value in entry.facts.items() if value not in (None, [])]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)

"""The audit log in a browser, for administrators."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from pydantic import BeforeValidator
from starlette.responses import HTMLResponse

from api.auth import Admin
from api.language import words_of
from api.pages.naming import named_regions
from api.rendering import render
from api.state import ServiceDep
from api.words import Words
from data.db import accounts_store, audit_store
from data.db.engine import reading
from data.db.regions_known_store import region_names
from data.model.records import AuditEntry

router = APIRouter(prefix="/audit")
PAGE = 50
LAST_DAY = date.max - timedelta(days=1)
GROUPS = ("session", "account", "device", "region", "plan", "timetable", "visit", "job")
"""Beginnings of action codes that the filter offers."""


# A form sends the fields that nobody filled in as empty text.
type Day = Annotated[date | None, BeforeValidator(lambda text: text or None), Query()]


@router.get("")
def list_page(
    request: Request,
    asking: Admin,
    service: ServiceDep,
    account: Annotated[str, Query(max_length=36)] = "",
    action: Annotated[str, Query(max_length=64)] = "",
    since: Day = None,
    until: Day = None,
    before: Annotated[int | None, Query(ge=1, lt=2**62)] = None,
) -> HTMLResponse:
    """Entries, the newest first; ``until`` is a day that still counts."""
    words = words_of(request)
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
        regions = named_regions(region_names(session), words.language)
        people = accounts_store.accounts(session, limit=1000, with_closed=True)
    following = None
    if len(found) > PAGE:
        chosen = {"account": account, "action": action, "since": since, "until": until}
        kept = {name: value for name, value in chosen.items() if value}
        following = urlencode(kept | {"before": found[PAGE - 1].audit_id})
    return render(
        request, "audit.html", entries=[(one, _told(words, one)) for one in found[:PAGE]],
        people=people, names={one.account_id: one.name or one.login for one in people},
        groups=GROUPS, account=account, action=action, since=since, until=until,
        following=following, regions=dict(regions),
        action_name=lambda code: _named(words, "audit.action", code),
    )  # fmt: skip


def _named(words: Words, key: str, code: str) -> str:
    """The words of a code under a key; the code itself where it has none."""
    told = words(f"{key}.{code}")
    return code if told == f"{key}.{code}" else told


def _start(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time.min, UTC)


def _told(words: Words, entry: AuditEntry) -> list[tuple[str, str]]:
    """The facts of an entry as text."""
    return [
        (_named(words, "audit.fact", name), _text(words, name, value))
        for name, value in entry.facts.items()
        if value not in (None, "", [])
    ]


def _text(words: Words, name: str, value: Any) -> str:
    if isinstance(value, dict) and set(value) == {"before", "after"}:
        parts = (_text(words, name, value[side]) or "\N{EN DASH}" for side in ("before", "after"))
        return " \N{RIGHTWARDS ARROW} ".join(parts)
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ", ".join(_named(words, "role", p) if name == "roles" else p for p in value)
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)

"""Who is asking: sign-ins of staff by cookie, devices by bearer token; who may what.

A token is 32 random bytes; the database holds its SHA-256 alone, so a stolen copy of the database
signs nobody in.
"""

import hashlib
import logging
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request, Response, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlmodel import Session

from api.settings import Settings
from api.state import Service, service_of
from data.db import accounts_store, devices_store
from data.db.engine import reading, writing
from data.model.accounts import NOBODY, PROGRAM, STAFF_ROLES, Account, Caller, Role
from data.model.errors import AccessError

__all__ = [
    "NOBODY",
    "PROGRAM",
    "Account",
    "Admin",
    "Anyone",
    "Caller",
    "Dispatcher",
    "Role",
    "Staff",
    "caller",
    "clear_cookie",
    "cookie_name",
    "hash_token",
    "know_caller",
    "new_token",
    "require",
    "require_region",
    "set_cookie",
    "token_of",
]

log = logging.getLogger(__name__)

# For the OpenAPI document: what is read is ``token_of``.
_SESSION = APIKeyCookie(
    name="__Host-session",
    scheme_name="session",
    description="Set by POST /api/v1/session; over plain http on this machine it is `session`.",
    auto_error=False,
)
_TOKEN = HTTPBearer(
    scheme_name="token", description="Token of a device, given by pairing.", auto_error=False
)
TOUCH_EVERY = timedelta(minutes=5)
"""How exact the last use of a sign-in is noted."""
DEVICE_COOKIE_DAYS = 400


def new_token() -> str:
    """A token that cannot be guessed."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def cookie_name(settings: Settings) -> str:
    """``__Host-`` binds the cookie to https and this host; plain http has none of that."""
    return "__Host-session" if settings.is_secure else "session"


def set_cookie(response: Response, settings: Settings, token: str, *, days: int) -> None:
    """Let the browser keep the token, out of reach of scripts."""
    response.set_cookie(
        cookie_name(settings),
        token,
        max_age=days * 86_400,
        path="/",
        secure=settings.is_secure,
        httponly=True,
        samesite="lax",
    )


def clear_cookie(response: Response, settings: Settings) -> None:
    """Let the browser forget the token."""
    response.delete_cookie(
        cookie_name(settings), path="/", secure=settings.is_secure, httponly=True, samesite="lax"
    )


def token_of(request: Request) -> str | None:
    """The token that came with a request: ``Authorization: Bearer``, else the cookie."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and given.strip():
        return given.strip()
    return request.cookies.get(cookie_name(service_of(request).settings))


def caller(request: Request) -> Caller:
    """Whoever asks; found once for each request."""
    known: Caller | None = getattr(request.state, "caller", None)
    if known is None:
        token = token_of(request)
        known = _find(service_of(request), token) if token else NOBODY
        request.state.caller = known
    return known


def know_caller(request: Request) -> None:
    """Find out who asks where no route has: for the language and the head of a page."""
    try:
        caller(request)
    except SQLAlchemyError:
        log.warning("request.caller_unknown", exc_info=True)


def _find(service: Service, token: str) -> Caller:
    hashed, now = hash_token(token), service.clock()
    with reading(service.engine) as session:
        found = accounts_store.sign_in_of(session, hashed)
        device = devices_store.device_of(session, hashed) if found is None else None
    if found is not None:
        sign_in, account = found
        idle = timedelta(hours=service.settings.sign_in_hours)
        is_over = sign_in.ends_at <= now or sign_in.used_at + idle <= now
        if is_over or account.closed_at is not None:
            return NOBODY
        if sign_in.used_at + TOUCH_EVERY <= now:
            _touch(service, lambda session: accounts_store.touch_sign_in(session, hashed, now))
        return account.as_caller()
    if device is None:
        return NOBODY
    if _is_stale(device.used_at, now):
        _touch(service, lambda session: devices_store.touch_device(session, hashed, now))
    return device.as_caller()


def _touch(service: Service, note: Callable[[Session], None]) -> None:
    """Note a use; where the database is kept busy, to look at a page does not fail for it."""
    try:
        with writing(service.engine) as session:
            note(session)
    except OperationalError:
        log.warning("request.use_not_noted", exc_info=True)


def _is_stale(used_at: datetime | None, now: datetime) -> bool:
    return used_at is None or used_at + TOUCH_EVERY <= now


def require(*roles: Role) -> Callable[[Caller], Caller]:
    """A dependency that gives the caller with one of the roles; an administrator may all.

    Raises
    ------
    AccessError
        ``access.sign_in`` (401) for nobody known, ``access.role`` (403) for another role.
    """

    def check(
        asking: "Anyone",
        _session: Annotated[str | None, Security(_SESSION)] = None,
        _token: Annotated[HTTPAuthorizationCredentials | None, Security(_TOKEN)] = None,
    ) -> Caller:
        if not asking.is_known:
            raise AccessError("access.sign_in")
        if not asking.may(*roles):
            raise AccessError("access.role", roles=", ".join(roles))
        return asking

    return check


def require_region(asking: Caller, region_id: str) -> None:
    """Refuse whoever does not work in a region.

    Raises
    ------
    AccessError
        ``access.sign_in`` (401) or ``access.region`` (403).
    """
    if not asking.is_known:
        raise AccessError("access.sign_in")
    if not asking.works_in(region_id):
        raise AccessError("access.region", region=region_id)


Anyone = Annotated[Caller, Depends(caller)]
"""Parameter of a route: whoever asks, signed in or not."""
Staff = Annotated[Caller, Depends(require(*STAFF_ROLES))]
"""Anybody who is signed in, and devices."""
Dispatcher = Annotated[Caller, Depends(require(Role.DISPATCHER))]
Admin = Annotated[Caller, Depends(require(Role.ADMIN))]

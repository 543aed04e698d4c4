"""What pages with forms share."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import RedirectResponse

from data.model.accounts import STAFF_ROLES, Role
from data.model.errors import InputError

DONE = frozenset({"added", "changed", "password", "closed", "reopened", "ended", "revoked"})
"""What a page may be told was done: ``?done=<code>`` shows ``web.done.<code>``."""


def safe_next(address: str) -> str:
    """Where a form leads afterwards: a path of our own, else the first page."""
    parts = urlsplit(address)
    is_own = (
        address.startswith("/")
        and not address.startswith(("//", "/\\"))
        and not parts.scheme
        and not parts.netloc
        and address.isprintable()
    )
    return address if is_own else "/"


def done_of(request: Request) -> str | None:
    """What was done before this page was shown."""
    told = request.query_params.get("done")
    return told if told in DONE else None


def see_other(path: str, done: str | None = None) -> RedirectResponse:
    """Lead to a page after a form, so that reloading it does not send the form again."""
    return RedirectResponse(f"{path}?done={done}" if done else path, status_code=303)


def read_roles(codes: Iterable[str]) -> list[Role]:
    """Roles ticked in a form.

    Raises
    ------
    InputError
        ``account.no_role`` for one that there is not.
    """
    known = {str(role): role for role in STAFF_ROLES}
    try:
        return [known[code] for code in codes]
    except KeyError:
        raise InputError("account.no_role", known=", ".join(STAFF_ROLES)) from None


def or_none(text: str) -> str | None:
    """An empty field as none."""
    return text.strip() or None

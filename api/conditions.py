"""Lost updates, repeated requests, long lists: ETag and If-Match, Idempotency-Key, cursors."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Header, Query, Request, Response
from pydantic import BaseModel, Field
from sqlmodel import Session
from starlette.responses import JSONResponse

from api.auth import Anyone
from api.state import ServiceDep
from data.db import answers_store
from data.model.errors import ConflictError, InputError, RequestError
from data.model.records import KeptAnswer

PAGE_DEFAULT = 50
PAGE_MAX = 200
KEY_MAX = 100


def etag(revision: int) -> str:
    """The ETag of a revision."""
    return f'"{revision}"'


def names_tag(given: str, tag: str) -> bool:
    """Whether an ``If-None-Match`` header names a tag."""
    tags = (part.strip().removeprefix("W/") for part in given.split(","))
    return any(part in (tag, "*") for part in tags)


@dataclass(frozen=True, slots=True, kw_only=True)
class IfMatch:
    """The revision that a change was made from; ``None``: whichever is current (``*``)."""

    revision: int | None

    def check(self, revision: int, current: BaseModel | Mapping[str, Any]) -> None:
        """Refuse a change made from another revision than the current one.

        Parameters
        ----------
        current
            The thing as it stands, told in the refusal so that nothing need be asked again.

        Raises
        ------
        ConflictError
            ``request.stale`` (412).
        """
        if self.revision is None or self.revision == revision:
            return
        state = current.model_dump(mode="json") if isinstance(current, BaseModel) else current
        raise ConflictError(
            "request.stale", revision=revision, sent=self.revision, current=dict(state)
        )


def if_match(
    given: Annotated[
        str | None,
        Header(alias="If-Match", description="ETag of the state that is changed, or `*`."),
    ] = None,
) -> IfMatch:
    """The ``If-Match`` header of a change.

    Raises
    ------
    RequestError
        ``request.if_match`` (428) where it is missing, ``request.if_match_bad`` where it is not
        an ETag of ours.
    """
    if given is None:
        raise RequestError("request.if_match")
    tag = given.strip().removeprefix("W/")
    if tag == "*":
        return IfMatch(revision=None)
    digits = tag.removeprefix('"').removesuffix('"')
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise InputError("request.if_match_bad", value=given[:KEY_MAX])
    return IfMatch(revision=int(digits))


IfMatchDep = Annotated[IfMatch, Depends(if_match)]
"""Parameter of a route that changes something: the revision that the change was made from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A request that may come twice, known by its ``Idempotency-Key``.

    Not for routes whose answer holds a secret: answers are stored as they are.

    Examples
    --------
    In a route, inside its one transaction::

        if (before := repeat.answer(session)) is not None:
            return before
        ...
        return repeat.keep(session, 201, PlanPublic(...))
    """

    key: str | None
    request_hash: str
    clock: Callable[[], Any]

    def answer(self, session: Session) -> Response | None:
        """The answer given before, or ``None`` where this is the first time.

        Raises
        ------
        InputError
            ``request.key_reused`` for a key that came with another request.
        """
        if self.key is None:
            return None
        kept = answers_store.kept_answer(session, self.key)
        if kept is None:
            return None
        if kept.request_hash != self.request_hash:
            raise InputError("request.key_reused")
        headers = {**kept.headers, "idempotency-replayed": "true"}
        return Response(kept.body, status_code=kept.status, headers=headers)

    def keep(
        self,
        session: Session,
        status: int,
        content: BaseModel | Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The answer, kept for a repetition in the transaction of what it tells."""
        body = content.model_dump(mode="json") if isinstance(content, BaseModel) else content
        response = JSONResponse(body, status_code=status, headers=dict(headers or {}))
        if self.key is not None:
            answers_store.keep_answer(
                session,
                KeptAnswer(
                    key=self.key,
                    request_hash=self.request_hash,
                    status=status,
                    headers={"content-type": "application/json", **dict(headers or {})},
                    body=bytes(response.body),
                    at=self.clock(),
                ),
            )
        return response


async def repeat(
    request: Request,
    asking: Anyone,
    service: ServiceDep,
    given: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            max_length=KEY_MAX,
            description="Any text; a repeated request with it gets the first answer again.",
        ),
    ] = None,
) -> Repeat:
    """The ``Idempotency-Key`` of a request and a hash of what it asks."""
    if given is None:
        return Repeat(key=None, request_hash="", clock=service.clock)
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    if not request.headers.get("content-type", "").startswith("multipart/"):
        digest.update(await request.body())
    who = asking.account_id or asking.device_id or "nobody"
    hashed = hashlib.sha256(given.encode()).hexdigest()
    return Repeat(key=f"{who}:{hashed}", request_hash=digest.hexdigest(), clock=service.clock)


RepeatDep = Annotated[Repeat, Depends(repeat)]
"""Parameter of a route that adds something: lets the same request come twice."""


class Items[T: BaseModel](BaseModel):
    """One page of a list."""

    items: list[T]
    next: str | None = Field(default=None, description="`after` of the next page; null: the last.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """How much of a list is asked for, and from where."""

    request: Request
    response: Response
    limit: int
    after: tuple[Any, ...] | None

    @property
    def fetch(self) -> int:
        """How many to read: one more than asked, to know whether there is a next page."""
        return self.limit + 1

    def after_text(self) -> str:
        """A cursor that is one text; empty at the beginning.

        Raises
        ------
        InputError
            ``request.bad_cursor``.
        """
        if self.after is None:
            return ""
        if len(self.after) != 1 or not isinstance(self.after[0], str):
            raise InputError("request.bad_cursor")
        return self.after[0]

    def after_number(self) -> int | None:
        """A cursor that is one whole number; ``None`` at the beginning.

        Raises
        ------
        InputError
            ``request.bad_cursor``.
        """
        if self.after is None:
            return None
        number = self.after[0] if len(self.after) == 1 else None
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 2**62:
            raise InputError("request.bad_cursor")
        return number

    def page[S, T: BaseModel](
        self, found: Sequence[S], show: Callable[[S], T], key: Callable[[S], tuple[Any, ...]]
    ) -> Items[T]:
        """One page of what was found (``fetch`` at most), with ``Link: rel=next``.

        Parameters
        ----------
        key
            What the next page begins after, from the last thing of this one.
        """
        shown = found[: self.limit]
        following = cursor_of(key(shown[-1])) if len(found) > self.limit else None
        if following is not None:
            parameters = [
                (name, value)
                for name, value in self.request.query_params.multi_items()
                if name != "after"
            ]
            query = urlencode([*parameters, ("after", following)])
            self.response.headers["link"] = f'<{self.request.url.path}?{query}>; rel="next"'
        return Items(items=[show(one) for one in shown], next=following)


def cursor_of(key: tuple[Any, ...]) -> str:
    """A place in a list as text that means nothing to others."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def paging(
    request: Request,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX, description="How many.")] = PAGE_DEFAULT,
    after: Annotated[
        str | None, Query(max_length=400, description="`next` of the page before.")
    ] = None,
) -> Paging:
    """Which part of a list is asked for.

    Raises
    ------
    InputError
        ``request.bad_cursor`` for an ``after`` that no answer gave.
    """
    return Paging(request=request, response=response, limit=limit, after=_read_cursor(after))


def _read_cursor(after: str | None) -> tuple[Any, ...] | None:
    if after is None:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise InputError("request.bad_cursor") from None
    if not isinstance(key, list):
        raise InputError("request.bad_cursor")
    return tuple(key)


PagingDep = Annotated[Paging, Depends(paging)]
"""Parameter of a route that lists things."""

"""Logs: structured lines on standard error, with the number of the request that they belong to.

In production each line is a JSON object; a demo tells only what went wrong. Nobody's name, card or
search stands in it: of a request its method, the pattern of its path, its status and its time.
"""

import logging
import re
import sys
import time
import uuid
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.setting_variables import Environment
from api.settings import Settings

log = logging.getLogger(__name__)

REQUEST_ID = "x-request-id"
STATIC = "/static"
_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET = ("uvicorn.access", "alembic", "huey", "httpx", "httpcore")
"""Loggers whose plain information we tell in our own way, or not at all: it holds whole
addresses."""

_WITHOUT_LOCALS = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
"""Where a failure happened; what its functions held may be a password, a token, a name."""

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def request_id() -> str | None:
    """Number of the request that is being answered."""
    return _request_id.get()


def set_up_logs(settings: Settings) -> None:
    """Send the logs of this process to standard error: JSON in production, else for people."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_request,
    ]
    last: list[structlog.typing.Processor]
    if settings.environment is not Environment.PRODUCTION:
        last = [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    else:
        last = [
            structlog.processors.ExceptionRenderer(_WITHOUT_LOCALS),
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING if settings.is_demo else logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _with_request(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
    line.pop("color_message", None)
    number = _request_id.get()
    if number is not None:
        line["request_id"] = number
    return line


def route_of(scope: Scope) -> str:
    """The pattern of the path that a request matched, never the path itself."""
    # The route knows its path within its router; where that was included, FastAPI notes aside.
    included = scope.get("fastapi", {}).get("effective_route_context")
    path = getattr(included or scope.get("route"), "path", None)
    if isinstance(path, str) and path:
        return path
    return STATIC if scope["path"].startswith(f"{STATIC}/") else "unmatched"


class RequestLog:
    """Gives every request a number, tells it in the answer, and notes the request when it ends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        number = given if _GIVEN.fullmatch(given) else uuid.uuid4().hex
        token = _request_id.set(number)
        began_s = time.perf_counter()
        status = 500

        async def send_with_number(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = number
            await send(message)

        try:
            await self._app(scope, receive, send_with_number)
        finally:
            route = route_of(scope)
            level = logging.DEBUG if route == STATIC and status < 400 else logging.INFO
            log.log(
                level,
                "request",
                extra={
                    "method": scope["method"],
                    "route": route,
                    "status": status,
                    "ms": round(1000 * (time.perf_counter() - began_s), 1),
                },
            )
            _request_id.reset(token)

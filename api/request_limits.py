"""How large a request may be, and what becomes of one that breaks the program."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import answer_failure, answer_too_large
from api.settings import Settings

MEGABYTE = 1_000_000
UPLOAD_SEGMENT = "uploads"
"""A part of the address of every route that takes files: ``/api/v1/regions/uploads`` …"""


class RequestLimit:
    """Refuses a request that is larger than the settings allow, before it is read whole."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._most = settings.request_max_mb * MEGABYTE
        self._most_upload = settings.upload_max_mb * MEGABYTE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_upload = UPLOAD_SEGMENT in scope["path"].split("/")
        most = self._most_upload if is_upload else self._most
        told = Headers(scope=scope).get("content-length", "")
        if told.isdigit() and int(told) > most:
            response = answer_too_large(Request(scope, receive), most // MEGABYTE)
            await response(scope, receive, send)
            return
        taken = 0

        async def receive_counted() -> Message:
            nonlocal taken
            message = await receive()
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                if taken > most:
                    raise HTTPException(413)
            return message

        await self._app(scope, receive_counted, send)


class Failures:
    """Answers a request that broke the program like any refusal, and logs why."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_started = False

        async def send_noted(message: Message) -> None:
            nonlocal is_started
            is_started = True
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except Exception as error:  # the edge of the process: nobody above can answer
            if is_started:
                raise
            response = answer_failure(Request(scope, receive), error)
            await response(scope, receive, send)

"""A server for the map's own page: static files, one basemap, and a strict policy."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import api.web

STATIC = Path(str(api.web.__file__)).parent / "static"
PAGE = Path(__file__).parent
LEAST_POLICY = "default-src 'self'; img-src 'self' data:"
"""All that the map needs: its controls' icons are data addresses in MapLibre's sheet."""


def with_policy(app: ASGIApp) -> ASGIApp:
    headers = [
        (b"content-security-policy", LEAST_POLICY.encode()),
        (b"x-content-type-options", b"nosniff"),
    ]

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        await app(scope, receive, sent)

    return answered


@contextmanager
def map_server(basemap: Path, overlays: dict[str, Any]) -> Iterator[str]:
    """Serve the page with this basemap and these overlays; gives its address."""
    app = Starlette(
        routes=[
            Route("/favicon.ico", lambda _: JSONResponse({})),
            Route("/page/overlays.json", lambda _: JSONResponse(overlays)),
            Route("/basemap.pmtiles", lambda _: FileResponse(basemap)),
            Mount("/static", StaticFiles(directory=STATIC)),
            Mount("/page", StaticFiles(directory=PAGE, html=True)),
        ]
    )
    with socket.create_server(("127.0.0.1", 0)) as bound:
        server = uvicorn.Server(uvicorn.Config(with_policy(app), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.02)
            yield f"http://localhost:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()

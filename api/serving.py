"""The server around the application."""

import gc
import socket

import uvicorn
from fastapi import FastAPI

from api.settings import Settings
from api.state import Service

OBJECTS_BETWEEN_SWEEPS = 50_000
"""Of the collector of cycles: a report makes hundreds of thousands of objects and no cycle, and
with Python's own 700 a quarter of its time goes by looking through them again and again."""
LAST_ANSWERS_S = 10
"""How long a stopping server waits for answers that are under way."""
KEEP_ALIVE_S = 75
"""Silence that a connection survives: devices send every few seconds, proxies wait a minute."""


class ServiceServer(uvicorn.Server):
    """Ends the streams of live events first: they would never end by themselves."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop: streams, then answers under way, then the application."""
        self._service.live.end()
        await super().shutdown(sockets)


def make_server(app: FastAPI, settings: Settings, *, log_level: str = "info") -> ServiceServer:
    """A server for the application as the settings have it; ``run(sockets=[…])`` or ``serve()``.

    Logging is left as it is: whoever starts the process sets it up. Requests are noted by
    ``api.logs.RequestLog``, without their addresses.
    """
    gc.set_threshold(OBJECTS_BETWEEN_SWEEPS, *gc.get_threshold()[1:])
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        server_header=False,
        timeout_graceful_shutdown=LAST_ANSWERS_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        log_config=None,
        log_level=log_level,
        access_log=False,
    )
    return ServiceServer(config, app.state.service)

"""A small real HTTP service that takes positions, for tests: it stores, forgets, fails, dies."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from data.model.telemetry import DeviceId, Fix
from fleet import batch

TOKEN = "sesame"


class Service(ThreadingHTTPServer):
    """Stores fixes by sequence; ``answers`` are given to the next requests instead of its own.

    An answer is a status, a status with a body, or what to do with the connection: ``"drop"``
    closes it before the body is looked at, ``"store and drop"`` afterwards.
    """

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.stored: dict[int, Fix] = {}
        self.num_known = 0
        self.refuses: set[int] = set()
        self.answers: list[Any] = []
        self.requests: list[tuple[str, bytes]] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/v1/positions"

    def take(self, body: bytes, encoding: str) -> tuple[int, bytes]:
        """What the real service does with a batch."""
        found = batch.decode(body, DeviceId("bus"), encoding=encoding).decoded
        if found.is_refused and not found.fixes and found.refusals[0].facts.get("index") is None:
            return 422, b"{}"
        with self.lock:
            num_stored = num_known = 0
            refused = []
            for fix in found.fixes:
                assert fix.sequence is not None
                if fix.sequence in self.refuses:
                    refused.append({"sequence": fix.sequence, "code": "refusal.bad_time"})
                elif fix.sequence in self.stored:
                    num_known += 1
                else:
                    self.stored[fix.sequence] = fix
                    num_stored += 1
            self.num_known += num_known
        told = {"stored": num_stored, "known": num_known, "refused": refused}
        return 200, json.dumps(told).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.lock:
            self.server.requests.append((self.path, body))
            answer = self.server.answers.pop(0) if self.server.answers else None
        encoding = self.headers.get("Content-Encoding", "")
        if answer == "drop":
            self.close_connection = True
            return
        if answer == "store and drop":
            self.server.take(body, encoding)
            self.close_connection = True
            return
        if isinstance(answer, tuple):
            self._send(*answer)
        elif isinstance(answer, int):
            self._send(answer, b"{}")
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._send(401, b"{}")
        else:
            self._send(*self.server.take(body, encoding))

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: tests read what was stored."""


@contextmanager
def serving(port: int = 0) -> Iterator[Service]:
    """A service that runs until the block ends."""
    service = Service(port)
    thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield service
    finally:
        service.shutdown()
        service.server_close()
        thread.join()

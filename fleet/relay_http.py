"""The door of the vehicle's own computer for its tablets: a small https service on its Wi-Fi.

``POST /relay/v1/events`` takes events and gives answers back, ``GET /relay/v1/journal`` gives a
wiped tablet what it had written, ``PUT /relay/v1/day`` keeps its sealed day. Everything needs the
secret of this computer, and a browser may come from the service's own pages alone.
"""

import hmac
import json
import logging
import sqlite3
import ssl
import time
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fleet.relay_store import RelayStore

log = logging.getLogger(__name__)

MOST_BYTES = 16 * 1024 * 1024
MOST_EVENTS = 1000
MOST_ANSWERS = 500
MOST_ID = 64
PATIENCE_S = 30.0
_WRONG_SECRET_S = 0.5
_DISK_FULL = 507


class RelayServer(ThreadingHTTPServer):
    """Answers tablets, each in a thread of its own.

    Parameters
    ----------
    origins
        Pages from which a browser may come: ``https://library.example``.
    certificate, key
        Files to answer https with; without them http, as tests on one machine may.
    """

    daemon_threads = True

    def __init__(
        self,
        address: tuple[str, int],
        store: RelayStore,
        secret: str,
        origins: frozenset[str],
        certificate: Path | None = None,
        key: Path | None = None,
    ) -> None:
        super().__init__(address, _Handler)
        self.store, self.secret, self.origins = store, secret, origins
        self.server_at: datetime | None = None
        """When the service last answered."""
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.load_cert_chain(certificate, key)
            # The handshake is the handler's: a silent visitor must not hold up the others.
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is nothing to tell; the tablet comes again."""
        log.debug("connection broke", exc_info=True)


class _BadRequestError(Exception):
    """What was sent cannot be read."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = PATIENCE_S
    server: RelayServer

    def do_OPTIONS(self) -> None:
        """What a browser asks before it sends across origins."""
        self._send(204 if self._is_welcome() else 403)

    def do_POST(self) -> None:
        """Events in, answers out."""
        if urlsplit(self.path).path == "/relay/v1/events":
            self._answer(self._events)
        else:
            self._send(404)

    def do_PUT(self) -> None:
        """A day to be kept."""
        if urlsplit(self.path).path == "/relay/v1/day":
            self._answer(self._day)
        else:
            self._send(404)

    def do_GET(self) -> None:
        """The journal of a device."""
        if urlsplit(self.path).path == "/relay/v1/journal":
            self._answer(self._journal)
        else:
            self._send(404)

    def _answer(self, work: Callable[[bytes], dict[str, Any]]) -> None:
        body = self._body()
        if not self._is_welcome():
            self._send(403)
            return
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self.server.secret.encode()):
            time.sleep(_WRONG_SECRET_S)
            self._send(401)
            return
        if body is None:
            self._send(413)
            return
        try:
            self._send(200, work(body))
        except (_BadRequestError, ValueError, KeyError, TypeError) as wrong:
            self._send(422, {"message": str(wrong)[:200]})
        except sqlite3.OperationalError as wrong:
            log.error("disk takes no events", extra={"cause": str(wrong)})
            self._send(_DISK_FULL, {"message": "disk"})

    def _events(self, body: bytes) -> dict[str, Any]:
        told = _document(body)
        journal, events = told["journal"], told["events"]
        _check_id(journal)
        if not isinstance(events, list) or len(events) > MOST_EVENTS:
            raise _BadRequestError(f"events: a list of at most {MOST_EVENTS}")
        if not all(isinstance(e, dict) for e in events):
            raise _BadRequestError("events: objects")
        at = datetime.fromisoformat(told["device_now"])
        if at.tzinfo is None:
            raise _BadRequestError("device_now: with its zone")
        store = self.server.store
        taken = store.take(events)
        store.see_clock(journal, int(told.get("last_sequence", 0)), at)
        device = journal.partition(".")[0]
        after = int(told.get("answers_after", 0))
        answers, until = store.answers(device, after, MOST_ANSWERS)
        met = self.server.server_at
        return {
            "kept": taken.kept,
            "refused": taken.refused,
            "count": store.count(device),
            "answers": answers,
            "answers_until": until,
            "server_at": None if met is None else met.isoformat(),
        }

    def _journal(self, _body: bytes) -> dict[str, Any]:
        device = parse_qs(urlsplit(self.path).query).get("device", [""])[0]
        _check_id(device)
        day = self.server.store.day(device)
        events = self.server.store.events_of(device)
        return {"events": events, "day": None if day is None else json.loads(day)}

    def _day(self, body: bytes) -> dict[str, Any]:
        told = _document(body)
        _check_id(told["device"])
        box = {"iv": str(told["box"]["iv"]), "cipher": str(told["box"]["cipher"])}
        self.server.store.put_day(told["device"], json.dumps(box))
        return {}

    def _body(self) -> bytes | None:
        """What was sent; ``None`` where it is too much or of no stated length."""
        length = self.headers.get("Content-Length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > MOST_BYTES:
            self.close_connection = True
            return None
        return self.rfile.read(int(length))

    def _is_welcome(self) -> bool:
        """A browser tells where its page is from; what is no browser tells nothing."""
        origin = self.headers.get("Origin")
        return origin is None or origin in self.server.origins

    def _send(self, status: int, told: dict[str, Any] | None = None) -> None:
        body = b"" if told is None else json.dumps(told, ensure_ascii=False).encode()
        self.send_response(status)
        origin = self.headers.get("Origin")
        if origin is not None and self._is_welcome():
            self.send_header("Access-Control-Allow-Origin", origin)
            self.send_header("Access-Control-Allow-Methods", "GET, POST, PUT")
            self.send_header("Access-Control-Allow-Headers", "authorization, content-type")
            self.send_header("Access-Control-Allow-Private-Network", "true")
            self.send_header("Access-Control-Max-Age", "86400")
        self.send_header("Vary", "Origin")
        self.send_header("Cache-Control", "no-store")
        if body:
            self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: addresses hold ids of devices."""


def _document(body: bytes) -> dict[str, Any]:
    told = json.loads(body)
    if not isinstance(told, dict):
        raise _BadRequestError("an object")
    return told


def _check_id(value: object) -> None:
    if not isinstance(value, str) or not 0 < len(value) <= MOST_ID or not value.isprintable():
        raise _BadRequestError(f"an id of at most {MOST_ID} characters")

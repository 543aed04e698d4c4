"""Messages of simulated devices sent to a service as their own programs send them."""

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from api.services.simulating import SimulatedRun, messages
from data.model.errors import InputError
from data.model.telemetry import Fix
from fleet import batch
from fleet.http_post import Answer, NoConnectionError, Poster

_BATCH = 60
_TRIES = 5
_ACCEPT_S = 60.0
"""So long a stream waits for a receiver that has gone to come again."""


def paced(
    come: Iterator[tuple[datetime, Fix, bytes]], speed: float | None
) -> Iterator[tuple[Fix, bytes]]:
    """The messages when they are due, or at once."""
    began, first = time.monotonic(), None
    for at, fix, body in come:
        first = first or at
        if speed is not None:
            due = (at - first) / timedelta(seconds=1) / speed
            time.sleep(max(0.0, began + due - time.monotonic()))
        yield fix, body


def serve_nmea(
    runs: Sequence[SimulatedRun], port: int, speed: float | None, told: Callable[[str], None]
) -> int:
    """Stream a receiver's sentences to whoever connects (``gpsd tcp://HOST:PORT``); how many fixes.

    Each of the one who is connected at a time gets what is due from then on.
    """
    sent = 0
    try:
        server = socket.create_server(("127.0.0.1", port))
    except OSError as wrong:
        raise InputError(
            "serve.cannot_listen", host="127.0.0.1", port=port, cause=wrong.strerror or str(wrong)
        ) from wrong
    with server:
        told(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        client, _ = server.accept()
        server.settimeout(_ACCEPT_S)
        for _, body in paced(messages(runs, "nmea"), speed):
            try:
                client.sendall(body)
                sent += 1
            except OSError:
                client.close()
                try:
                    client, _ = server.accept()
                except TimeoutError:
                    return sent
        client.close()
    return sent


def send(
    runs: Sequence[SimulatedRun],
    kind: str,
    url: str,
    token: str | None,
    speed: float | None,
) -> int:
    """Post the messages as their programs do; how many were taken."""
    headers = {"Content-Type": "application/json"}
    if kind == "osmand":
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    try:
        poster = Poster(url, headers=headers)
    except ValueError:
        raise InputError("simulate.bad_url", value=url) from None
    sent = 0
    try:
        for fixes, body, query in _bodies(runs, kind, speed):
            answer = _posted(poster, body, query)
            if not answer.is_good:
                raise InputError("simulate.refused", url=url, status=answer.status, sent=sent)
            sent += fixes
    finally:
        poster.close()
    return sent


def _bodies(
    runs: Sequence[SimulatedRun], kind: str, speed: float | None
) -> Iterator[tuple[int, bytes, str]]:
    """Bodies to post with their queries; our own format goes in batches, as on board."""
    if kind == "batch":
        held: list[Fix] = []
        for fix, _ in paced(messages(runs, kind), speed):
            held.append(fix)
            if len(held) == _BATCH:
                yield len(held), batch.encode(held, sent_at=datetime.now(UTC)), ""
                held = []
        if held:
            yield len(held), batch.encode(held, sent_at=datetime.now(UTC)), ""
        return
    for fix, body in paced(messages(runs, kind), speed):
        user, _, device = str(fix.device_id).partition("/")
        is_phone = kind == "owntracks" and bool(device)
        query = urlencode({"u": user, "d": device}) if is_phone else ""
        yield 1, body, query


def _posted(poster: Poster, body: bytes, query: str) -> Answer:
    """The answer; a server that restarts is waited for a little."""
    for attempt in range(_TRIES):
        try:
            return poster.post(body, query=query)
        except NoConnectionError as wrong:
            if attempt == _TRIES - 1:
                raise InputError(
                    "simulate.not_reached", url=poster.url, cause=str(wrong)
                ) from wrong
            time.sleep(0.3 * 2**attempt)
    raise AssertionError("unreachable")

"""Many vehicles that send batches over HTTP, and one open board: what each of them waits for."""

import asyncio
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from data.model.telemetry import DeviceId, Fix
from fleet import batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A vehicle with the secret of its tracker and the points of its round."""

    vehicle_id: str
    secret: str
    points: Sequence[tuple[float, float]]


@dataclass(slots=True)
class Tally:
    """What was sent and answered, and when it was on the board."""

    num_sent: int = 0
    num_stored: int = 0
    num_known: int = 0
    num_refused: int = 0
    answer_s: list[float] = field(default_factory=list)
    board_s: list[float] = field(default_factory=list)
    """From the sending of a fix until the board had it."""
    fix_age_s: list[float] = field(default_factory=list)
    """From the fix itself: the wait for its batch with it."""
    sent_at: dict[tuple[str, datetime], float] = field(default_factory=dict)
    num_asked: int = 0


async def run(
    url: str, senders: Sequence[Sender], *, seconds: float, every_s: int, region: str, token: str
) -> Tally:
    """Send one fix a second of each vehicle in batches of ``every_s`` while the board is open."""
    tally = Tally()
    ending = asyncio.Event()
    board = asyncio.create_task(_watch(url, region, token, tally, ending))
    await asyncio.sleep(1)
    began = time.monotonic()
    await asyncio.gather(
        *(
            _drive(url, sender, tally, began, seconds, every_s, k / len(senders))
            for k, sender in enumerate(senders)
        )
    )
    await asyncio.sleep(3)
    ending.set()
    await board
    return tally


async def _drive(
    url: str, sender: Sender, tally: Tally, began: float, seconds: float, every_s: int, phase: float
) -> None:
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    sequence = 0
    at = began + phase * every_s
    while at - began < seconds:
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        now = datetime.now(UTC).replace(microsecond=0)
        fixes = [
            _fix(sender, sequence + k, now - timedelta(seconds=every_s - 1 - k))
            for k in range(every_s)
        ]
        sequence += every_s
        body = batch.packed(batch.encode(fixes, sent_at=now))
        head = (
            f"POST /api/v1/positions HTTP/1.1\r\nHost: localhost:{where.port}\r\n"
            f"Authorization: Bearer {sender.secret}\r\nContent-Encoding: gzip\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        sent = time.monotonic()
        tally.sent_at[sender.vehicle_id, fixes[-1].fix_at] = sent
        writer.write(head.encode() + body)
        told = json.loads(await _answer(reader))
        tally.answer_s.append(time.monotonic() - sent)
        tally.num_sent += len(fixes)
        tally.num_stored += told["stored"]
        tally.num_known += told["known"]
        tally.num_refused += len(told["refused"])
        at += every_s
    writer.close()


def _fix(sender: Sender, sequence: int, at: datetime) -> Fix:
    """Along the legs of the round at 13 m/s or so, the way of a receiver that wanders a little."""
    legs = len(sender.points) - 1
    along = (sequence / 600) % legs
    k, part = int(along), along % 1
    (lon_a, lat_a), (lon_b, lat_b) = sender.points[k], sender.points[k + 1]
    wander = 2e-5 * math.sin(sequence * 1.7)
    return Fix(
        device_id=DeviceId(sender.vehicle_id),
        fix_at=at,
        lon=lon_a + part * (lon_b - lon_a) + wander,
        lat=lat_a + part * (lat_b - lat_a) - wander,
        sequence=sequence,
        speed_mps=13.0 + 2 * math.sin(sequence / 9),
        course_deg=90.0,
        accuracy_m=3.0,
    )


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise AssertionError(head.decode("latin-1"))
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    return await reader.readexactly(length)


async def _watch(url: str, region: str, token: str, tally: Tally, ending: asyncio.Event) -> None:
    """An open board: hears that vehicles moved and asks for those that did."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=1 << 24)
    host = f"Host: localhost:{where.port}\r\nAuthorization: Bearer {token}\r\n"
    writer.write(f"GET /api/v1/events HTTP/1.1\r\n{host}Accept: text/event-stream\r\n\r\n".encode())
    asking, asker = await asyncio.open_connection(where.hostname, where.port, limit=1 << 24)
    revision = 0
    while not ending.is_set():
        try:
            async with asyncio.timeout(1.0):
                line = await reader.readline()
        except TimeoutError:
            continue
        if line.strip() != b"event: vehicle":
            continue
        asker.write(
            f"GET /api/v1/regions/{region}/live?since={revision} HTTP/1.1\r\n{host}\r\n".encode()
        )
        told = json.loads(await _answer(asking))
        tally.num_asked += 1
        now, clock = time.monotonic(), datetime.now(UTC)
        revision = told["revision"]
        for vehicle in told["vehicles"]:
            if vehicle["fix"] is None:
                continue
            at = datetime.fromisoformat(vehicle["fix"]["fix_at"])
            sent = tally.sent_at.pop((vehicle["vehicle_id"], at), None)
            if sent is not None:
                tally.board_s.append(now - sent)
                tally.fix_age_s.append((clock - at).total_seconds())
    writer.close()
    asker.close()

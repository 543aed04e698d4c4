"""Residents who read the published timetable while dispatchers work, on one server.

``pytest -m benchmark -s tests/benchmarks/test_readers.py`` prints the figures of
docs/operations.md: a hundred readers who open a page every two seconds, or the next as soon as they
have one (``BOOKMOBILE_READERS_PAUSE=0``), and twenty requests a second of a dispatcher beside them.
``BOOKMOBILE_READERS_S`` is how long that goes on.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from rich.console import Console
from sqlalchemy import Engine

from data.db import plan_store, region_store
from data.db.engine import open_engine, reading, writing
from data.db.migrate import migrate
from data.model.place import StopKind
from tests.api.tracking.depot import REGION, STAFF_TOKEN, fill
from tests.api.tracking.test_nothing_lost import Server, url  # noqa: F401
from tests.benchmarks.test_board import spread_plan

pytestmark = pytest.mark.benchmark

_CONSOLE = Console(width=130)
SECONDS = float(os.environ.get("BOOKMOBILE_READERS_S", "20"))
PAUSE_S = float(os.environ.get("BOOKMOBILE_READERS_PAUSE", "2"))
READERS, REQUESTS_A_SECOND = 100, 20


@dataclass(slots=True)
class Tally:
    """How long answers took, by kind of request, and their statuses."""

    took_s: dict[str, list[float]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)


async def get(host: str, port: int, path: str, token: str = "") -> int:
    """The status of a page, read to its end on a connection of its own."""
    reader, writer = await asyncio.open_connection(host, port)
    signed = f"Authorization: Bearer {token}\r\n" if token else ""
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n{signed}"
        "Accept-Language: ru\r\nConnection: close\r\n\r\n".encode()
    )
    answer = await reader.read()
    writer.close()
    return int(answer.split(b" ", 2)[1])


async def timed(address: str, kind: str, path: str, tally: Tally, token: str = "") -> None:
    """One request, noted."""
    where = urlsplit(address)
    began = time.perf_counter()
    status = await get(where.hostname or "", where.port or 0, path, token)
    tally.took_s.setdefault(kind, []).append(time.perf_counter() - began)
    tally.statuses[status] += 1


async def load(
    address: str, pages: Sequence[tuple[str, str]], desk: Sequence[tuple[str, str]]
) -> tuple[Tally, Tally]:
    """Readers without a pause, and the desk's requests at their times."""
    readers, dispatcher = Tally(), Tally()
    ends = time.perf_counter() + SECONDS

    async def read(number: int) -> None:
        at = number
        await asyncio.sleep(PAUSE_S * number / READERS)
        while time.perf_counter() < ends:
            begun = time.perf_counter()
            kind, path = pages[at % len(pages)]
            await timed(address, kind, path, readers)
            at += 7
            await asyncio.sleep(max(0.0, begun + PAUSE_S - time.perf_counter()))

    async def work() -> None:
        tasks, number = [], 0
        begin = time.perf_counter()
        while time.perf_counter() < ends:
            kind, path = desk[number % len(desk)]
            tasks.append(asyncio.create_task(timed(address, kind, path, dispatcher, STAFF_TOKEN)))
            number += 1
            due = begin + number / REQUESTS_A_SECOND
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await asyncio.gather(*tasks)

    await asyncio.gather(work(), *(read(k) for k in range(READERS)))
    return readers, dispatcher


async def each_once(address: str, asked: Sequence[tuple[str, str]]) -> None:
    """Every page once: what the first reader of the day does for all others."""
    for kind, path in asked:
        await timed(address, kind, path, Tally(), STAFF_TOKEN)


def tell(name: str, tally: Tally) -> None:
    """Quantiles of each kind of request."""
    every = np.concatenate([np.array(t) for t in tally.took_s.values()])
    rate = len(every) / SECONDS
    _CONSOLE.print(f"{name}: {len(every):,} answers, {rate:.0f} a second, {dict(tally.statuses)}")
    for kind, took_s in sorted({**tally.took_s, "all": every.tolist()}.items()):
        p50, p95, p99 = 1e3 * np.quantile(took_s, (0.5, 0.95, 0.99))
        _CONSOLE.print(f"  {kind}: p50 {p50:.0f} ms, p95 {p95:.0f}, p99 {p99:.0f}")


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:  # noqa: F811
    """A fresh database of each kind."""
    found = open_engine(url)
    migrate(found)
    yield found
    found.dispose()


def test_readers_beside_a_dispatcher(tmp_path: Path, url: str, engine: Engine) -> None:  # noqa: F811
    """A hundred readers and a desk at work: no answer is the server's failure."""
    request, plan = spread_plan()
    request = replace(
        request,
        region_id=REGION,
        stops=tuple(replace(s, kind=StopKind.PUBLIC) for s in request.stops),
    )
    first = date.today()
    fill(
        engine, datetime.now(UTC), request=request, plan=plan,
        first=first, last=first + timedelta(weeks=12),
    )  # fmt: skip
    with writing(engine) as session:
        stored = region_store.load_region(session, REGION)
        region_store.set_region(
            session, replace(stored, stops=request.stops), at=datetime.now(UTC),
            expect_revision=region_store.region_revision(session, REGION),
        )  # fmt: skip
    with reading(engine) as session:
        (stored_plan,) = plan_store.list_plans(session, REGION)
    names = [run.visits[0].stop_id for run in plan.runs][:40]
    pages = [("timetable", f"/r/{REGION}/timetable"), ("home", f"/r/{REGION}")]
    for stop_id in names:
        pages += [("stop", f"/r/{REGION}/stops/{stop_id}")]
        pages += [("calendar", f"/r/{REGION}/stops/{stop_id}.ics")]
    own = f"/api/v1/plans/{stored_plan.plan_id}"
    desk = [
        ("board", f"{own}/board"),
        ("plan", own),
        ("plans", f"/api/v1/regions/{REGION}/plans"),
        ("history", f"{own}/history"),
        ("live", f"/api/v1/regions/{REGION}/live"),
        ("stops", f"/api/v1/regions/{REGION}/stops"),
    ]
    server = Server(tmp_path, url)
    server.start()
    try:
        asyncio.run(each_once(server.url, [*pages, *desk]))
        began, used = time.perf_counter(), server.cpu_s()
        readers, dispatcher = asyncio.run(load(server.url, pages, desk))
        cores = (server.cpu_s() - used) / (time.perf_counter() - began)
        memory_mb = server.memory_mb()
    finally:
        server.kill()
    _CONSOLE.print(f"\n{engine.dialect.name}: {cores:.2f} cores, {memory_mb:.0f} MB")
    tell(f"{READERS} readers", readers)
    tell(f"desk, {REQUESTS_A_SECOND} requests a second", dispatcher)
    for tally in (readers, dispatcher):
        assert not [s for s in tally.statuses if s >= 500]
    assert set(dispatcher.statuses) == {200}

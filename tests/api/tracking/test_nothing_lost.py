"""The real server, killed while positions come in: nothing accepted is lost or doubled."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from api.auth import hash_token
from data.db import live_store, track_store, tracker_store
from data.db.engine import open_engine, reading, writing
from data.db.migrate import migrate
from data.model.telemetry import DeviceId, Fix
from data.model.tracker import Protocol, Tracker, TrackerId
from fleet.buffer import Buffer
from fleet.forward import Forwarder
from fleet.http_post import Poster
from tests.api.tracking.depot import NORTH, REGION, fill
from tests.databases import postgres_url

SECRET = "sesame-of-the-bus"
PATIENCE_S = 120.0
PLACE = (21.82, 54.63)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kills groups of processes")


class Server:
    """``bookmobile serve`` in a process group of its own, on the same port at every start."""

    def __init__(self, folder: Path, url: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._folder = folder
        self._environment = {
            **os.environ,
            "BOOKMOBILE_DATA": str(folder),
            "BOOKMOBILE_CACHE": str(folder / "cache"),
            "BOOKMOBILE_DATABASE": url,
            "BOOKMOBILE_TRACK_GUARD": "no",
            "BOOKMOBILE_LANG": "en",
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.num_starts = 0

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        program = [sys.executable, "-c", "from api.cli import main; main()"]
        with (self._folder / "log").open("ab") as errors:
            self._process = subprocess.Popen(
                [*program, "serve", "--port", str(self.port), "--jobs", "0"],
                env=self._environment,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )
        self.num_starts += 1
        ends = time.monotonic() + PATIENCE_S
        while True:
            try:
                httpx.get(f"{self.url}/health", timeout=10)
            except httpx.HTTPError:
                assert time.monotonic() < ends, (self._folder / "log").read_text()
                time.sleep(0.1)
            else:
                return

    def _processes(self) -> list[Path]:
        """Its processes, by their folders in ``/proc``."""
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and self._process is not None:
                with suppress(OSError):
                    told = (folder / "stat").read_text().rpartition(")")[2].split()
                    if int(told[2]) == self._process.pid:
                        found.append(folder)
        return found

    def cpu_s(self) -> float:
        """Processor time that its processes have used."""
        ticks = 0
        for folder in self._processes():
            told = (folder / "stat").read_text().rpartition(")")[2].split()
            ticks += int(told[11]) + int(told[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Memory that its largest process holds."""
        pages = [int((f / "statm").read_text().split()[1]) for f in self._processes()]
        return max(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def kill(self) -> None:
        """As a pulled plug would: all its processes at once."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'service.sqlite'}"
        return
    with postgres_url(tmp_path) as found:
        yield found


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """The database, filled, as whoever looks at it from outside."""
    found = open_engine(url)
    migrate(found)
    fill(found, datetime.now(UTC))
    with writing(found) as session:
        tracker_store.add_tracker(
            session,
            Tracker(
                tracker_id=TrackerId(uuid.uuid4().hex),
                region_id=REGION,
                vehicle_id=NORTH,
                protocol=Protocol.BOOKMOBILE,
                external_id=DeviceId("bus"),
                name="bus",
                created_at=datetime.now(UTC),
            ),
            hash_token(SECRET),
        )
    yield found
    found.dispose()


def fixes_until(now: datetime, number: int) -> list[Fix]:
    """A fix a second up to now; for a while the device's clock is a day ahead."""
    chance = random.Random(7)
    found = []
    for k in range(number):
        at = now - timedelta(seconds=number - k)
        if number // 2 <= k < number // 2 + 300:
            at += timedelta(days=1)
        found.append(
            Fix(
                device_id=DeviceId("bus"),
                fix_at=at,
                lon=PLACE[0] + chance.uniform(-1e-5, 1e-5),
                lat=PLACE[1],
                speed_mps=0.0,
            )
        )
    return found


def stored_sequences(engine: Engine, now: datetime) -> Counter[int | None]:
    """Every sequence that the store has, and how often."""
    span = timedelta(days=5)
    with reading(engine) as session:
        found = track_store.read_track(session, REGION, NORTH, now - span, now + span)
    return Counter(one.fix.sequence for one in found)


@pytest.mark.parametrize(
    ("number", "num_kills"),
    [
        pytest.param(8_000, 2, marks=pytest.mark.thorough),
        pytest.param(100_000, 4, marks=pytest.mark.walk),
    ],
    ids=["short", "backlog"],
)
def test_a_server_killed_in_mid_batch(
    tmp_path: Path, url: str, engine: Engine, number: int, num_kills: int
) -> None:
    """A long backlog of fixes, the server killed again and again: counts agree at both ends."""
    if engine.dialect.name == "postgresql":
        number //= 4
    now = datetime.now(UTC).replace(microsecond=0)
    buffer = Buffer(tmp_path / "bus")
    buffer._connection.execute("pragma synchronous=off")
    for one in fixes_until(now, number):
        buffer.add(one)
    wanted = {p.sequence for p in buffer.take(number)}
    assert len(wanted) == number
    server = Server(tmp_path, url)
    server.start()
    poster = Poster(f"{server.url}/api/v1/positions", headers={"Authorization": f"Bearer {SECRET}"})
    forwarder = Forwarder(buffer, poster)
    kills = [number * part // (num_kills + 1) for part in range(1, num_kills + 1)]
    try:
        ends = time.monotonic() + 5 * PATIENCE_S
        while buffer.num_pending:
            assert time.monotonic() < ends
            if kills and forwarder.num_sent >= kills[0]:
                kills.pop(0)
                killer = subprocess.Popen(
                    ["sh", "-c", f"sleep 0.03; kill -9 -{server._process.pid}"]  # type: ignore[union-attr]
                )
                # Whether the batch is answered or not, and stored or not, is chance.
                for _ in range(5):
                    forwarder.step()
                killer.wait()
                server.kill()
                server.start()
            forwarder.step()
        poster.close()
        state = buffer.state()
        assert (state.num_sent, state.num_lost, state.num_refused) == (number, 0, 0)
        assert server.num_starts == 1 + num_kills
        stored = stored_sequences(engine, now)
        assert set(stored) == wanted
        assert max(stored.values()) == 1
        with reading(engine) as session:
            (tracker,) = tracker_store.list_trackers(session, REGION)
            assert tracker.num_stored == number
            assert track_store.num_fixes(session, tracker) == number
        wait_for_follower(engine)
        assert set(stored_sequences(engine, now)) == wanted
    finally:
        server.kill()
    with reading(engine) as session:
        today = live_store.vehicle_now(session, REGION, NORTH)
    assert today is not None
    assert today.fix is not None
    # The day ahead did not become the position.
    assert today.fix.fix_at <= now


def wait_for_follower(engine: Engine) -> None:
    """Until every fix that came in has been followed.

    A batch that came twice has a number of its own and brings no fix: nothing follows it.
    """
    ends = time.monotonic() + 2 * PATIENCE_S
    while True:
        with reading(engine) as session:
            done = live_store.followed_to(session)
            waiting = track_store.arrived_after(session, done, limit=1)
        if not waiting:
            return
        assert time.monotonic() < ends, (done, waiting[0].arrival)
        time.sleep(0.5)

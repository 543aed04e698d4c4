"""The on-board program with a real gpsd, fed by gpsfake with a simulated day."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data.model.telemetry import Fix
from fleet import emit
from fleet.buffer import Buffer
from fleet.forward import Forwarder
from fleet.http_post import Poster
from fleet.onboard import Intake, Onboard
from fleet.receiver import GpsdLostError, Receiver
from tests.fleet.captured import DEVICE
from tests.fleet.service import TOKEN, serving

GPSFAKE = shutil.which("gpsfake")
needs_gpsd = pytest.mark.skipif(
    GPSFAKE is None or shutil.which("gpsd") is None,
    reason="needs the Debian packages gpsd and gpsd-clients",
)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def road(number: int, *, start: datetime | None = None) -> list[Fix]:
    """So many seconds of driving east of Kaliningrad, a little earlier today.

    gpsd believes no date before its own; one in the past of this machine's clock is believed.
    """
    begin = start or datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
    return [
        Fix(
            device_id=DEVICE,
            fix_at=begin + timedelta(seconds=s),
            lon=20.6 + s * 2e-4,
            lat=54.71,
            speed_mps=12.8,
            course_deg=90.0,
            satellites=9,
            hdop=0.9,
        )
        for s in range(number)
    ]


@contextmanager
def gpsd_of(log: Path, port: int, *, cycle_s: float = 0.02) -> Iterator[subprocess.Popen[bytes]]:
    """A gpsd that reads a log sentence by sentence, over and over, until the block ends."""
    assert GPSFAKE is not None
    running = subprocess.Popen(
        [GPSFAKE, "-q", "-c", str(cycle_s), "-n", "-P", str(port), str(log)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(lambda: answers(port), 20)
        yield running
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def answers(port: int) -> bool:
    with socket.socket() as tried:
        tried.settimeout(0.5)
        return tried.connect_ex(("127.0.0.1", port)) == 0


def wait_for(is_so: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "road.nmea"
    path.write_text("".join(emit.nmea(f) for f in road(600)), encoding="ascii")
    return path


@needs_gpsd
def test_a_real_gpsd_is_read_kept_and_sent(tmp_path: Path, log: Path) -> None:
    """gpsd to buffer to service: places, speeds and times of the log, each once, none made up."""
    port = free_port()
    buffer = Buffer(tmp_path / "store")
    with serving() as service, gpsd_of(log, port):
        poster = Poster(service.url, headers={"Authorization": f"Bearer {TOKEN}"})
        program = Onboard(
            [Receiver(device_id=DEVICE, port=port, timeout_s=20)],
            Intake(buffer),
            Forwarder(buffer, poster, every_s=0.1),
            poll_s=0.02,
        )
        program.start()
        wait_for(lambda: len(service.stored) >= 12, 60)
        program.stop()
        stored = list(service.stored.values())
    told = {f.fix_at.replace(microsecond=0): f for f in road(600)}
    assert len({f.fix_at for f in stored}) == len(stored)
    for fix in stored:
        truth = min(told.values(), key=lambda t: abs(t.lon - fix.lon))
        assert fix.lon == pytest.approx(truth.lon, abs=1e-6)
        assert fix.lat == pytest.approx(54.71, abs=1e-6)
        assert fix.speed_mps == pytest.approx(12.8, abs=0.05)
        assert fix.device_at is not None
    # A receiver tells its satellites a little after its first position.
    assert stored[-1].accuracy_m is not None
    assert stored[-1].satellites == 9


@needs_gpsd
def test_gpsd_dies_and_comes_back(
    tmp_path: Path, log: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The reader goes on by itself; lost and back are told once each."""
    port = free_port()
    buffer = Buffer(tmp_path / "store")
    program = Onboard(
        [Receiver(device_id=DEVICE, port=port, timeout_s=20)], Intake(buffer), None, poll_s=0.02
    )
    with gpsd_of(log, port):
        program.start()
        wait_for(lambda: buffer.num_pending >= 3, 60)
    wait_for(lambda: any("gpsd lost" in r.message for r in caplog.records), 10)
    kept = buffer.num_pending
    # The second log is of later, as a receiver goes on to be.
    log.write_text(
        "".join(emit.nmea(replace(f, fix_at=f.fix_at + timedelta(hours=1))) for f in road(600)),
        encoding="ascii",
    )
    with gpsd_of(log, port):
        wait_for(lambda: buffer.num_pending > kept, 60)
    told = [r.message for r in caplog.records if r.name == "fleet.onboard"]
    program.stop()
    assert [m for m in told if "gpsd" in m][:2] == ["gpsd lost", "gpsd is back"]


@needs_gpsd
def test_two_receivers_at_once(tmp_path: Path, log: Path) -> None:
    """Each has its own copy of gpsd-py3: two gpsds are read at the same time, one has no fix."""
    other = tmp_path / "nothing.nmea"
    dark = [replace(f, is_valid=False) for f in road(600)]
    other.write_text("".join(emit.nmea(f) for f in dark), encoding="ascii")
    ports = free_port(), free_port()
    first = Receiver(device_id=DEVICE, port=ports[0], timeout_s=20)
    second = Receiver(device_id=DEVICE, port=ports[1], timeout_s=20)
    with gpsd_of(log, ports[0]), gpsd_of(other, ports[1]):
        found: list[Fix] = []

        def has_some() -> bool:
            assert second.poll() == ()
            found.extend(first.poll())
            return len(found) >= 5

        wait_for(has_some, 60)
    with pytest.raises(GpsdLostError):
        for _ in range(200):
            first.poll()
    first.close()
    second.close()


def test_no_gpsd_is_told_as_lost() -> None:
    """Nobody listens at the port, or something else does."""
    receiver = Receiver(device_id=DEVICE, port=free_port(), timeout_s=1)
    with pytest.raises(GpsdLostError):
        receiver.poll()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        silent = Receiver(device_id=DEVICE, port=listener.getsockname()[1], timeout_s=0.2)
        began = time.monotonic()
        with pytest.raises(GpsdLostError):
            silent.poll()
        assert time.monotonic() - began < 5


def test_a_gpsd_without_a_receiver_has_no_fix() -> None:
    """The packets that made gpsd-py3 raise (no device, half a poll) are no fix, and it goes on."""
    welcome = '{"class":"VERSION","release":"3.22","proto_major":3,"proto_minor":14}\n'
    state = '{"class":"DEVICES","devices":[]}\n{"class":"WATCH","enable":true}\n'
    good = (
        '{"class":"POLL","active":1,"tpv":[{"class":"TPV","mode":3,"time":"2026-11-24T08:00:00Z",'
        '"lat":54.7,"lon":20.5,"speed":11.5,"altMSL":25.0}],"sky":[{"class":"SKY"}]}\n'
    )
    polls = [
        '{"class":"POLL","active":0,"tpv":[],"sky":[]}\n',
        '{"class":"POLL","active":1,"tpv":[],"sky":[]}\n',
        '{"class":"POLL","active":1,"tpv":[{"class":"TPV","mode":1}],"sky":[{}]}\n',
        '{"class":"POLL","active":1,"tpv":[{"class":"TPV"}],"sky":[{}]}\n',
        good,
        good,
        "{",
    ]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        receiver = Receiver(device_id=DEVICE, port=listener.getsockname()[1], timeout_s=20)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("rw") as stream:
                for line in (welcome, state):
                    stream.write(line)
                    stream.flush()
                    if line is welcome:
                        stream.readline()
                for line in polls:
                    stream.readline()
                    stream.write(line)
                    stream.flush()

        thread = threading.Thread(target=serve)
        thread.start()
        found = [receiver.poll() for _ in range(6)]
        with pytest.raises(GpsdLostError):
            receiver.poll()
        thread.join()
    assert [len(f) for f in found] == [0, 0, 0, 0, 1, 0]
    assert (found[4][0].altitude_m, found[4][0].speed_mps) == (25.0, 11.5)


@needs_gpsd
def test_the_command_survives_a_kill(tmp_path: Path, log: Path) -> None:
    """``bookmobile onboard`` is killed in the middle; its next run sends what the first kept."""
    port = free_port()
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n", encoding="ascii")
    store = tmp_path / "store"
    command = [sys.executable, "-c", "from api.cli import main; main()", "onboard"]
    command += ["--store", str(store), "--gpsd", f"127.0.0.1:{port}", "--parked", "0"]
    with gpsd_of(log, port):
        running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        wait_for((store / "positions.sqlite").exists, 60)
        time.sleep(2)
        os.kill(running.pid, signal.SIGKILL)
        running.communicate()
    buffer = Buffer(store)
    kept = {p.sequence for p in buffer.take(10**6)}
    buffer.close()
    assert kept
    with serving() as service:
        done = subprocess.run(
            [*command, "--server", service.url, "--token-file", str(token), "--for", "2"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert set(service.stored) == kept
    assert "gpsd lost" in done.stderr
    assert "sent_mb_a_day=" in done.stderr
    assert "memory_mb=" in done.stderr
    status = subprocess.run(
        [*command, "--status", "--json"], capture_output=True, text=True, timeout=60, check=True
    )
    told = json.loads(status.stdout)
    assert (told["num_pending"], told["num_sent"], told["num_lost"]) == (0, len(kept), 0)

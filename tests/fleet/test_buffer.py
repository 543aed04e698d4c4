"""What is on board stays on board until the service has it, once."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from data.model.telemetry import Fix
from fleet.buffer import FILE, Buffer
from tests.fleet.captured import DEVICE, NOW

FIX = Fix(device_id=DEVICE, fix_at=NOW, lon=20.5114, lat=54.7434, speed_mps=11.7)


def fix(second: int) -> Fix:
    return replace(FIX, fix_at=NOW + timedelta(seconds=second))


def test_fixes_come_out_as_they_went_in(tmp_path: Path) -> None:
    """In order, oldest or newest first, until they are done with."""
    buffer = Buffer(tmp_path)
    sequences = [buffer.add(fix(s)) for s in range(10)]
    assert sequences == sorted(s for s in sequences if s is not None)
    first, last = buffer.take(3), buffer.take(3, is_newest_first=True)
    assert [p.sequence for p in first] == sequences[:3]
    assert [p.sequence for p in last] == sequences[-3:]
    buffer.done(last, {last[0].sequence: "refusal.bad_time"})
    assert buffer.num_pending == 7
    state = buffer.state()
    assert (state.num_refused, state.num_sent, state.num_lost) == (1, 3, 0)
    assert state.oldest_at == NOW
    buffer.close()


def test_sequences_are_never_given_twice(tmp_path: Path) -> None:
    """Not after everything was sent, not after a restart, not by another card."""
    given: set[int] = set()
    for _ in range(3):
        buffer = Buffer(tmp_path / "card")
        for s in range(5):
            sequence = buffer.add(fix(s))
            assert sequence is not None
            assert sequence not in given
            given.add(sequence)
        buffer.done(buffer.take(100))
        buffer.close()
    other = Buffer(tmp_path / "other")
    begin = other.add(fix(0))
    assert begin is not None
    assert begin not in given
    assert max(given | {begin}) < 2**53
    other.close()


def test_a_pulled_plug_loses_nothing(tmp_path: Path) -> None:
    """A process that is killed while it writes has on disk whatever it said that it has."""
    program = (
        "import sys; from pathlib import Path; from fleet.buffer import Buffer\n"
        "from tests.fleet.test_buffer import fix\n"
        "buffer = Buffer(Path(sys.argv[1]))\n"
        "for s in range(10**6): print(buffer.add(fix(s)), flush=True)\n"
    )
    for _ in range(2):
        running = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert running.stdout is not None
        said = [running.stdout.readline() for _ in range(20)]
        time.sleep(0.05)
        os.kill(running.pid, signal.SIGKILL)
        said += running.stdout.read().splitlines()
        running.wait()
        running.stdout.close()
        told = {int(s) for s in said if s.strip()}
        buffer = Buffer(tmp_path)
        kept = {p.sequence for p in buffer.take(10**6)}
        assert told <= kept
        assert len(kept - told) <= 1  # Written, and killed before it could say so.
        buffer.done(buffer.take(10**6))
        buffer.close()


def test_writes_are_on_the_disk(tmp_path: Path) -> None:
    """Each fix is flushed to the disk: the journal is a WAL and every commit is synchronised."""
    buffer = Buffer(tmp_path)
    assert buffer._connection.execute("pragma synchronous").fetchone()[0] == 2
    assert buffer._connection.execute("pragma journal_mode").fetchone()[0] == "wal"
    buffer.close()


def test_a_full_disk_is_waited_out_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """SQLite's own "disk is full": told once, kept in memory, written when there is room."""
    buffer = Buffer(tmp_path, most_bytes=100_000)
    buffer._connection.execute("pragma synchronous=off")
    added = 0
    while buffer.state().num_held == 0:
        buffer.add(fix(added))
        added += 1
        assert added < 5000
    for s in range(50):
        assert buffer.add(fix(added + s)) is None
    assert buffer.state().num_held == 51
    full = [r for r in caplog.records if "takes no positions" in r.message]
    assert len(full) == 1
    buffer.done(buffer.take(200))
    assert buffer.num_pending == added - 1 - 200
    assert buffer.add(fix(added + 50)) is not None
    state = buffer.state()
    assert (state.num_held, state.num_lost) == (0, 0)
    assert state.num_pending == added + 51 - 200
    buffer.close()


def test_what_fits_nowhere_is_counted(tmp_path: Path) -> None:
    """Disk and memory full: the oldest in memory is lost, and the loss is told and kept."""
    buffer = Buffer(tmp_path, most_bytes=1, most_held=10)
    while buffer.state().num_held < 10:
        buffer.add(fix(0))
    for s in range(7):
        buffer.add(fix(s))
    assert buffer.state().num_lost == 7
    buffer.done(buffer.take(1000))
    buffer.add(fix(0))
    buffer.close()
    again = Buffer(tmp_path)
    # One more fell out when the last one came, before the disk took the rest.
    assert again.state().num_lost == 8
    again.close()


def test_what_the_disk_will_not_let_go_of_is_not_sent_twice(tmp_path: Path) -> None:
    """A delete that fails is made up for later; meanwhile the fix does not come up again."""
    buffer = Buffer(tmp_path)
    for s in range(5):
        buffer.add(fix(s))
    blocker = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    buffer._connection.execute("pragma busy_timeout=10")
    blocker.execute("begin immediate")
    buffer.done(buffer.take(2))
    assert len(buffer.take(10)) == buffer.num_pending == 3
    blocker.execute("rollback")
    blocker.close()
    buffer.done(buffer.take(1))
    assert buffer.state().num_sent == 3
    buffer.close()


def test_a_damaged_file_is_put_aside(tmp_path: Path) -> None:
    """A card that rotted costs what was on it, not the day: a new file is begun."""
    buffer = Buffer(tmp_path)
    for s in range(300):
        buffer.add(fix(s))
    buffer.close()
    raw = bytearray((tmp_path / FILE).read_bytes())
    raw[4096:12288] = os.urandom(8192)
    (tmp_path / FILE).write_bytes(raw)
    again = Buffer(tmp_path)
    assert again.add(fix(0)) is not None
    assert [p.name for p in tmp_path.glob("*.damaged-*")]
    again.close()
    (tmp_path / FILE).write_bytes(b"this is no database" * 500)
    Buffer(tmp_path).close()

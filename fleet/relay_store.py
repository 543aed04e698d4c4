"""Tablets' events kept on the vehicle's own computer until the service has answered them.

An event is on the disk (``synchronous=full``) before the tablet hears that it was taken. It is
known by its id: to bring it twice changes nothing. What the service answered is kept beside it,
numbered, so that every tablet gets its answers however often a connection breaks.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from data.model.errors import BookmobileError
from fleet.journal_doubles import base_of
from fleet.journal_json import digest, event_from_json

FILE = "relay.sqlite"
KEEP = timedelta(days=14)
"""So long an answered event is kept: a wiped tablet gets its days back."""
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_SCHEMA = """
create table if not exists event (
    number integer primary key autoincrement, event_id text not null unique,
    device text not null, digest text not null, body text not null, taken_at real not null,
    state text not null default 'waiting', answer text, answer_no integer);
create index if not exists event_waits on event (state, number);
create index if not exists event_answered on event (device, answer_no);
create table if not exists clock (
    journal text primary key, sequence integer not null, device_at text not null,
    boot text not null, boot_s real not null) without rowid;
create table if not exists day (device text primary key, body text not null) without rowid;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of events brought: all that were kept or known, and the others with a code."""

    kept: tuple[str, ...]
    refused: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenClock:
    """A tablet's clock as this computer saw it, so many seconds ago."""

    journal: str
    sequence: int
    device_at: datetime
    ago_s: float


class RelayStore:
    """The file of one vehicle; its threads share it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / FILE
        path.touch(mode=0o600)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        self._db.executescript(_SCHEMA)
        self._boot = _BOOT.read_text(encoding="ascii").strip() if _BOOT.exists() else "boot"

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def take(self, documents: Sequence[Mapping[str, Any]]) -> Taken:
        """Keep events; when this returns they are on the disk.

        One that the service had refused waits once more: its tablet asks for it.
        """
        kept, refused = [], {}
        rows = []
        for document in documents:
            told = document.get("event_id")
            event_id = told if isinstance(told, str) else ""
            try:
                event = event_from_json(document)
            except BookmobileError as wrong:
                refused[event_id] = wrong.code
                continue
            body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
            row = (event.event_id, base_of(event.device_id), digest(event), body, time.time())
            rows.append(row)
        with self._lock, self._db:
            self._db.execute("begin immediate")
            for row in rows:
                self._db.execute(
                    "insert into event (event_id, device, digest, body, taken_at) "
                    "values (?, ?, ?, ?, ?) on conflict (event_id) do update "
                    "set state = 'waiting', answer_no = null where state = 'refused' "
                    "and digest = excluded.digest",
                    row,
                )
                same = self._db.execute(
                    "select digest from event where event_id = ?", (row[0],)
                ).fetchone()
                if same[0] == row[2]:
                    kept.append(row[0])
                else:
                    refused[row[0]] = "journal.id_taken"
        return Taken(kept=tuple(kept), refused=refused)

    def see_clock(self, journal: str, sequence: int, device_at: datetime) -> None:
        """Note a tablet's clock now."""
        now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        row = (journal, sequence, device_at.isoformat(), self._boot, now_s)
        with self._lock, self._db:
            self._db.execute("insert or replace into clock values (?, ?, ?, ?, ?)", row)

    def clocks(self) -> tuple[SeenClock, ...]:
        """Clocks seen since this computer was started: only then it is known how long ago."""
        now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        with self._lock:
            rows = self._db.execute(
                "select journal, sequence, device_at, boot_s from clock where boot = ?",
                (self._boot,),
            ).fetchall()
        return tuple(
            SeenClock(
                journal=journal,
                sequence=sequence,
                device_at=datetime.fromisoformat(at),
                ago_s=max(0.0, now_s - then_s),
            )
            for journal, sequence, at, then_s in rows
        )

    def waiting(self, most: int) -> tuple[dict[str, Any], ...]:
        """The oldest events that the service has not answered."""
        with self._lock:
            rows = self._db.execute(
                "select body from event where state = 'waiting' order by number limit ?", (most,)
            ).fetchall()
        return tuple(json.loads(body) for (body,) in rows)

    def settle(self, answers: Sequence[Mapping[str, Any]], revision: int) -> None:
        """Keep what the service answered, for the tablets to fetch."""
        with self._lock, self._db:
            self._db.execute("begin immediate")
            number = self._one("select coalesce(max(answer_no), 0) from event")
            for answer in answers:
                number += 1
                told = json.dumps({**answer, "revision": revision}, ensure_ascii=False)
                state = "refused" if answer.get("answer") == "refused" else "answered"
                self._db.execute(
                    "update event set state = ?, answer = ?, answer_no = ? where event_id = ?",
                    (state, told, number, answer.get("event_id")),
                )

    def answers(self, device: str, after: int, most: int) -> tuple[tuple[dict[str, Any], ...], int]:
        """Answers for a device behind a number, and the number of the last of them."""
        with self._lock:
            rows = self._db.execute(
                "select answer, answer_no from event where device = ? and answer_no > ? "
                "order by answer_no limit ?",
                (device, after, most),
            ).fetchall()
        return tuple(json.loads(told) for told, _ in rows), rows[-1][1] if rows else after

    def events_of(self, device: str) -> tuple[dict[str, Any], ...]:
        """All that is kept of a device's events, in the order in which they came."""
        with self._lock:
            rows = self._db.execute(
                "select body from event where device = ? order by number", (device,)
            ).fetchall()
        return tuple(json.loads(body) for (body,) in rows)

    def count(self, device: str = "") -> int:
        """How many events are kept, of a device or at all."""
        with self._lock:
            return self._one("select count(*) from event where ? in ('', device)", device)

    def count_waiting(self) -> int:
        """How many events the service has not answered."""
        with self._lock:
            return self._one("select count(*) from event where state = 'waiting'")

    def put_day(self, device: str, body: str) -> None:
        """Keep a device's day, sealed by a key that stays on the tablet."""
        with self._lock, self._db:
            self._db.execute("insert or replace into day values (?, ?)", (device, body))

    def day(self, device: str) -> str | None:
        """The sealed day of a device."""
        with self._lock:
            row = self._db.execute("select body from day where device = ?", (device,)).fetchone()
        return None if row is None else str(row[0])

    def prune(self, at: datetime) -> int:
        """Forget what was answered long ago; how many events."""
        limit = (at.astimezone(UTC) - KEEP).timestamp()
        with self._lock, self._db:
            done = self._db.execute(
                "delete from event where state = 'answered' and taken_at < ?", (limit,)
            )
            return done.rowcount

    def _one(self, query: str, *values: object) -> int:
        return int(self._db.execute(query, values).fetchone()[0])

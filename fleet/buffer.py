"""Fixes kept on board until the service has them: a file that survives a pulled plug.

Every fix is on the disk (``synchronous=full``) before it counts as taken. Sequences never repeat:
those of another file begin elsewhere by chance, so a replaced card is not taken for old news. A
full disk is waited out in memory; what does not fit there either is counted as lost.
"""

import json
import logging
import secrets
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import wraps
from pathlib import Path

from data.model.telemetry import Fix
from fleet.batch import fix_to_json

log = logging.getLogger(__name__)

FILE = "positions.sqlite"
_BASE_BITS, _COUNT_BITS = 20, 32
"""Sequences stay below 2**52, which every JSON reader keeps exact."""
_PAGE = 4096
_SCHEMA = """
create table if not exists fix (sequence integer primary key, body text not null);
create table if not exists refused (
    sequence integer primary key, body text not null, code text not null);
create table if not exists meta (name text primary key, value integer not null) without rowid;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A fix that waits: its sequence and its JSON."""

    sequence: int
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferState:
    """How the buffer stands; ``oldest_at`` is the time of the oldest fix that waits."""

    num_pending: int
    num_refused: int
    num_held: int
    """In memory, because the disk takes nothing."""
    num_lost: int
    num_sent: int
    bytes_used: int
    oldest_at: datetime | None


def _locked[**P, T](method: Callable[P, T]) -> Callable[P, T]:
    """One thread at a time in the methods of a buffer."""

    @wraps(method)
    def alone(*args: P.args, **kwargs: P.kwargs) -> T:
        buffer = args[0]
        assert isinstance(buffer, Buffer)
        with buffer._lock:
            return method(*args, **kwargs)

    return alone


class Buffer:
    """The store of one device; its threads share it.

    Parameters
    ----------
    folder
        Where the file lies; made if it is not there.
    most_bytes
        The file does not grow beyond it.
    most_held
        Fixes that are kept in memory while the disk takes none.
    """

    def __init__(self, folder: Path, *, most_bytes: int = 1 << 28, most_held: int = 40_000) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / FILE
        self._most_bytes = most_bytes
        self._held: deque[Fix] = deque()
        self._most_held = most_held
        self._is_full = False
        self._lost_here = 0
        self._gone: set[int] = set()
        """What the service has and the disk would not let go of yet."""
        self._lock = threading.RLock()
        self._connection = _opened(self.path, most_bytes)
        self._next = self._first_free()

    @_locked
    def close(self) -> None:
        """Write what is held, if the disk takes it, and close the file."""
        if self._held:
            self._store()
        self._connection.close()

    @_locked
    def add(self, fix: Fix) -> int | None:
        """Keep a fix; its sequence, or ``None`` while the disk takes nothing."""
        self._held.append(fix)
        if len(self._held) > self._most_held:
            self._held.popleft()
            self._lost_here += 1
        before = self._next
        return self._next - 1 if self._store() and self._next > before else None

    @_locked
    def take(self, most: int, *, is_newest_first: bool = False) -> tuple[Pending, ...]:
        """The oldest fixes that wait, or the newest; each in order of sequence."""
        order = "desc" if is_newest_first else "asc"
        rows = self._connection.execute(
            f"select sequence, body from fix order by sequence {order} limit ?",
            (most + len(self._gone),),
        ).fetchall()
        found = [Pending(sequence=s, body=body) for s, body in rows if s not in self._gone][:most]
        return tuple(reversed(found) if is_newest_first else found)

    @_locked
    def done(self, pending: Sequence[Pending], refused: dict[int, str] | None = None) -> None:
        """Let go of what the service has; what it refused is set aside with its reason."""
        if not pending:
            return
        bad = refused or {}
        self._gone |= {p.sequence for p in pending}
        try:
            with _transaction(self._connection):
                self._connection.executemany(
                    "insert or replace into refused values (?, ?, ?)",
                    [(p.sequence, p.body, bad[p.sequence]) for p in pending if p.sequence in bad],
                )
                self._connection.executemany(
                    "delete from fix where sequence = ?", [(s,) for s in self._gone]
                )
                self._raise_to("top", max(self._gone))
                self._count("sent", len(self._gone))
        except sqlite3.OperationalError as wrong:
            # After a new start they are sent again: the service knows a fix by its sequence.
            self._note_full(wrong)
            return
        self._gone.clear()

    @_locked
    def state(self) -> BufferState:
        """How the buffer stands."""
        first = self._connection.execute(
            "select body from fix order by sequence limit 1"
        ).fetchone()
        oldest = None if first is None else datetime.fromisoformat(json.loads(first[0])["fix_at"])
        pages = self._one("pragma page_count") - self._one("pragma freelist_count")
        return BufferState(
            num_pending=self.num_pending,
            num_refused=self._one("select count(*) from refused"),
            num_held=len(self._held),
            num_lost=self._meta("lost") + self._lost_here,
            num_sent=self._meta("sent"),
            bytes_used=pages * _PAGE,
            oldest_at=oldest,
        )

    @property
    @_locked
    def num_pending(self) -> int:
        """How many fixes wait for the service."""
        return self._one("select count(*) from fix") - len(self._gone)

    def _store(self) -> bool:
        """Write everything held in one transaction; whether the disk took it."""
        rows = [
            (sequence, _body(fix, sequence)) for sequence, fix in enumerate(self._held, self._next)
        ]
        try:
            with _transaction(self._connection):
                self._connection.executemany("insert into fix values (?, ?)", rows)
                if self._lost_here:
                    self._count("lost", self._lost_here)
        except sqlite3.OperationalError as wrong:
            self._note_full(wrong)
            return False
        self._next += len(rows)
        self._held.clear()
        self._lost_here = 0
        if self._is_full:
            self._is_full = False
            log.warning("disk takes positions again", extra={"written": len(rows)})
        return True

    def _note_full(self, wrong: sqlite3.OperationalError) -> None:
        if not self._is_full:
            self._is_full = True
            log.error("disk takes no positions, memory does", extra={"cause": str(wrong)})

    def _first_free(self) -> int:
        """The next sequence: behind everything kept, refused or sent before."""
        highest = max(
            self._one("select coalesce(max(sequence), 0) from fix"),
            self._one("select coalesce(max(sequence), 0) from refused"),
            self._meta("top"),
        )
        if highest:
            return highest + 1
        base = (1 + secrets.randbelow((1 << _BASE_BITS) - 1)) << _COUNT_BITS
        with _transaction(self._connection):
            self._raise_to("top", base)
        return base + 1

    def _one(self, query: str) -> int:
        return int(self._connection.execute(query).fetchone()[0])

    def _meta(self, name: str) -> int:
        row = self._connection.execute("select value from meta where name = ?", (name,)).fetchone()
        return 0 if row is None else int(row[0])

    def _raise_to(self, name: str, value: int) -> None:
        self._connection.execute(
            "insert into meta values (?, ?) "
            "on conflict (name) do update set value = max(value, excluded.value)",
            (name, value),
        )

    def _count(self, name: str, number: int) -> None:
        self._connection.execute(
            "insert into meta values (?, ?) "
            "on conflict (name) do update set value = value + excluded.value",
            (name, number),
        )


class _transaction:  # noqa: N801 - used like a function
    """One transaction that is there whole or not at all."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("begin immediate")

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            try:
                self._connection.execute("commit")
            except sqlite3.OperationalError:
                self._rollback()
                raise
        else:
            self._rollback()

    def _rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("rollback")


def _opened(path: Path, most_bytes: int) -> sqlite3.Connection:
    """The file, sound; a damaged one is put aside and a new one begun."""
    try:
        return _connected(path, most_bytes)
    except sqlite3.DatabaseError as wrong:
        if isinstance(wrong, sqlite3.OperationalError) and "malformed" not in str(wrong):
            raise
        aside = path.with_name(f"{path.name}.damaged-{secrets.token_hex(4)}")
        path.rename(aside)
        for tail in ("-wal", "-shm"):
            path.with_name(path.name + tail).unlink(missing_ok=True)
        log.error("buffer was damaged and is put aside", extra={"file": aside.name})
        return _connected(path, most_bytes)


def _connected(path: Path, most_bytes: int) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=full")
        connection.execute("pragma busy_timeout=10000")
        if connection.execute("pragma quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("malformed")
        connection.executescript(_SCHEMA)
        connection.execute(f"pragma max_page_count={max(16, most_bytes // _PAGE)}")
    except BaseException:
        connection.close()
        raise
    return connection


def _body(fix: Fix, sequence: int) -> str:
    told = fix_to_json(replace(fix, sequence=sequence))
    return json.dumps(told, separators=(",", ":"), allow_nan=False)


def batch_body(pending: Iterable[Pending], *, sent_at: str) -> bytes:
    """The body of a batch of stored fixes."""
    fixes = ",".join(p.body for p in pending)
    return f'{{"sent_at":"{sent_at}","fixes":[{fixes}]}}'.encode()

"""The outbox of one machine as a file: a line for each step of an operation, the last one counts.

Lines are only added, each on the disk before anything is sent, so that an end at any moment loses
nothing. A line that was not written to its end is taken out: it was not acted upon.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from api.services.folders import not_written
from data.model.errors import InputError
from data.model.library_ops import LibraryOperation
from fleet.library.outbox import Outbox, Posting
from fleet.library.outbox_json import operation_from_json, posting_from_json, posting_to_json

_OWN = 0o600
"""Cards and names of readers stand in it."""


class QueueFile:
    """An outbox kept in a file that is held by one program at a time."""

    def __init__(self, path: Path, held: IO[str], outbox: Outbox) -> None:
        self.path, self.outbox, self._held = path, outbox, held

    def keep(self, posting: Posting) -> None:
        """Add a posting, durably."""
        self._held.write(_line(posting))
        self._held.flush()
        os.fsync(self._held.fileno())
        self.outbox = self.outbox.put(posting)

    def take(self, outbox: Outbox) -> None:
        """Keep what an outbox has and the file has not."""
        for operation_id, posting in outbox.postings.items():
            if self.outbox.postings.get(operation_id) != posting:
                self.keep(posting)


def _line(posting: Posting) -> str:
    return json.dumps(posting_to_json(posting), ensure_ascii=False) + "\n"


@contextmanager
def open_queue(path: Path) -> Iterator[QueueFile]:
    """The outbox in a file, made where there is none.

    Raises
    ------
    InputError
        ``library.queue_held`` where another program has it, ``library.bad_line`` where a line in it
        cannot be read, ``file.not_written…``
    """
    try:
        held = os.fdopen(
            os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, _OWN),
            "a+",
            encoding="utf-8",
            newline="\n",
        )
    except OSError as wrong:
        raise not_written(path.parent, wrong) from wrong
    with held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as wrong:
            raise InputError("library.queue_held", file=path.name) from wrong
        held.seek(0)
        text = held.read()
        latest: dict[str, Posting] = {}
        whole, _, cut = text.rpartition("\n")
        for number, line in enumerate(whole.split("\n"), start=1):
            if line.strip():
                posting = posting_from_json(_json(line, path, number))
                latest[posting.operation_id] = posting
        if cut:
            held.truncate(len((whole + "\n" if whole else "").encode()))
        yield QueueFile(path, held, Outbox.of(latest.values()))


def _json(line: str, path: Path, number: int) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as wrong:
        raise InputError("library.bad_line", file=path.name, line=number) from wrong


def read_operations(path: Path) -> tuple[LibraryOperation, ...]:
    """Operations of a file, one JSON object a line.

    Raises
    ------
    InputError
        ``library.no_file``, ``library.bad_line``, ``library.in_line`` with what is wrong there.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        raise InputError("library.no_file", file=path) from wrong
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found.append(operation_from_json(_json(line, path, number)))
        except InputError as wrong:
            if wrong.code == "library.bad_line":
                raise
            raise InputError(
                "library.in_line", file=path.name, line=number, problems=(wrong,)
            ) from wrong
    return tuple(found)

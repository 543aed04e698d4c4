"""Readings of drafts: one child process each, followed by what it writes into the draft.

A reading belongs to its draft, not to the page or the server that began it: whoever looks at the
draft next sees how far it has come, and takes it up again where its process is gone.
"""

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from api.services.import_outcome import OUTCOME, Outcome, Told
from api.services.import_worker import OUTCOME as OUTCOME_FILE
from api.services.import_worker import PROGRESS, STOP
from api.services.region_drafts import Drafts, write_whole

MOST_TRIES = 2
DEAD_AFTER_S = 20.0
"""A reading of another server that has not told of itself for so long has lost its process."""
_TRIES = "tries"
_DRIVERS = frozenset({"GeoJSON", "GPKG", "ESRI Shapefile"})
"""Drivers of the vector library that uploads need; all others are off while they are read."""


@cache
def _drivers() -> frozenset[str]:
    """All drivers of the vector library, asked in a process of its own: it is large."""
    asked = "import pyogrio; print(*pyogrio.list_drivers(), sep='\\n')"
    told = subprocess.run(
        [sys.executable, "-P", "-c", asked], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    return frozenset(told.stdout.splitlines())


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a reading has come."""

    phase: str = "setup.phase.opening"
    fraction: float = 0.0
    file: str = ""


@dataclass(slots=True)
class Runs:
    """The child processes of this server.

    Parameters
    ----------
    most_mb
        Of all that may come out of one zip.
    """

    drafts: Drafts
    most_mb: int
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def begin(self, draft_id: str) -> None:
        """Read a draft anew."""
        self.stop(draft_id)
        folder = self.drafts.folder(draft_id)
        for name in (OUTCOME_FILE, STOP):
            (folder / name).unlink(missing_ok=True)
        self._start(draft_id, tries=1)

    def stop(self, draft_id: str) -> None:
        """End a reading, also one of another server."""
        folder = self.drafts.folder(draft_id)
        (folder / STOP).touch()
        process = self._running.pop(draft_id, None)
        if process is not None:
            process.kill()
            process.wait()
        (folder / PROGRESS).unlink(missing_ok=True)

    def close(self) -> None:
        """End all readings of this server; they are taken up again when asked for."""
        for process in self._running.values():
            process.kill()
            process.wait()
        self._running.clear()

    def follow(self, draft_id: str) -> Progress | Outcome | None:
        """What has become of a reading; ``None`` where there is none."""
        folder = self.drafts.folder(draft_id)
        outcome = _outcome(folder)
        if outcome is None:
            told = _progress(folder)
            if told is None:
                return None
            if self._is_alive(draft_id, told):
                return Progress(
                    phase=str(told.get("phase", "setup.phase.opening")),
                    fraction=float(told.get("fraction", 0.0)),
                    file=str(told.get("file", "")),
                )
            # It may have ended well between the two looks.
            outcome = _outcome(folder)
        if outcome is not None:
            self._reap(draft_id)
            return outcome
        tries = _tries(folder)
        if tries >= MOST_TRIES:
            mark = self.drafts.print_of(draft_id)
            return Outcome(print_of_draft=mark, errors=(Told(code="setup.reader_lost"),))
        self._start(draft_id, tries=tries + 1)
        return Progress()

    def _start(self, draft_id: str, *, tries: int) -> None:
        self._reap(draft_id)
        folder = self.drafts.folder(draft_id)
        write_whole(folder / _TRIES, str(tries).encode())
        write_whole(folder / PROGRESS, json.dumps({"at": time.time()}).encode())
        off = ",".join(sorted(_drivers() - _DRIVERS))
        command = [sys.executable, "-m", "api.services.import_worker"]
        command += [str(self.drafts.root.resolve()), draft_id, str(self.most_mb), off]
        self._running[draft_id] = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )

    def _reap(self, draft_id: str) -> None:
        process = self._running.pop(draft_id, None)
        if process is not None:
            process.wait()

    def _is_alive(self, draft_id: str, told: dict[str, Any]) -> bool:
        process = self._running.get(draft_id)
        if process is not None:
            return process.poll() is None
        return time.time() - float(told.get("at", 0.0)) < DEAD_AFTER_S


def _progress(folder: Path) -> dict[str, Any] | None:
    try:
        told: dict[str, Any] = json.loads((folder / PROGRESS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told


def _outcome(folder: Path) -> Outcome | None:
    try:
        return OUTCOME.validate_json((folder / OUTCOME_FILE).read_bytes())
    except OSError:
        return None


def _tries(folder: Path) -> int:
    try:
        return int((folder / _TRIES).read_text())
    except (OSError, ValueError):
        return 1

"""A process made ready for one search: what it takes to start is done before a job comes."""

import logging
import multiprocessing
from datetime import datetime
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from api.jobs.entry import enter
from api.jobs.outcome import FromSearch
from api.settings import Settings
from data.model.jobs import Job, JobKind

log = logging.getLogger(__name__)

_SPAWN = multiprocessing.get_context("spawn")
_FAREWELL_S = 1.0


class SearchProcess:
    """A process of its own, so that a limit and a cancel are certain; it serves one job.

    Parameters
    ----------
    kind
        The kind of job that it is quick to begin; it does any.
    """

    def __init__(self, settings: Settings, lease_s: float, kind: JobKind) -> None:
        self._line: Connection
        self._line, line = _SPAWN.Pipe()
        self._process: BaseProcess = _SPAWN.Process(
            target=enter, args=(line, settings, lease_s, kind), name="search", daemon=True
        )
        self._process.start()
        line.close()

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def begin(self, job: Job, now: datetime) -> None:
        """Give it its job; one that has died meanwhile is found out when it is listened to."""
        self.say((job, now))

    def say(self, word: object) -> None:
        """Send to it; one that has gone is found out when it is listened to."""
        try:
            self._line.send(word)
        except OSError:
            log.debug("search.gone", extra={"pid": self.pid})

    def hear(self, wait_s: float) -> FromSearch | None:
        """What it says within a time.

        Raises
        ------
        EOFError
            Where it has ended.
        """
        try:
            if not self._line.poll(wait_s):
                return None
            told: FromSearch = self._line.recv()
        except OSError as wrong:
            raise EOFError from wrong
        return told

    def exit_code(self) -> int | None:
        """How it ended: below zero by a signal."""
        self._process.join(_FAREWELL_S)
        return self._process.exitcode

    def end(self) -> None:
        """End it, whatever it does."""
        self._line.close()
        self._process.kill()
        self._process.join()

"""The door of a search process: what a search needs is loaded behind it, not by the worker."""

import ctypes
import signal
import sys
from multiprocessing.connection import Connection

from api.settings import Settings
from data.model.jobs import JobKind

_PR_SET_PDEATHSIG = 1
"""From ``linux/prctl.h``."""


def enter(line: Connection, settings: Settings, lease_s: float, kind: JobKind) -> None:
    """Load what searches of a kind need, then wait for a job: the target of the process."""
    _die_with_worker()
    from api.jobs.search import runner_of, search

    runner_of(kind)
    search(line, settings, lease_s)


def _die_with_worker() -> None:
    """Have Linux end this process with its worker at once, however busy the machine is.

    Elsewhere the closed line to the worker tells it (``api.jobs.search.Link``). The signal comes
    when the thread ends that started this process, and that one watches over it to its end.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

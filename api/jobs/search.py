"""The process of its own in which a job is searched: it reads, tells, and hands over what it found.

It lives no longer than its worker's right to the job: with the worker, or when the worker has not
said for a while that the job is still its own, it ends at once.
"""

import importlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

from api.jobs.context import Context
from api.jobs.failures import failure_of
from api.jobs.outcome import STOP, BrokenPlanError, FromSearch, Outcome, Refusal
from api.jobs.params import params_of
from api.jobs.telling import Telling
from api.logs import set_up_logs
from api.settings import Settings
from data.db.engine import open_engine
from data.model.errors import BookmobileError
from data.model.jobs import Job, JobFailure, JobKind

log = logging.getLogger(__name__)

RUNNERS: dict[JobKind, tuple[str, str]] = {
    JobKind.PLAN: ("api.jobs.plan_runners", "run_plan"),
    JobKind.REPLAN: ("api.jobs.plan_runners", "run_replan"),
    JobKind.EXPLAIN: ("api.jobs.explain_runner", "run_explain"),
    JobKind.FRONTIER: ("api.jobs.choice_runners", "run_frontier"),
    JobKind.FLEET_SIZE: ("api.jobs.choice_runners", "run_fleet_size"),
}
"""The function of each kind; its module is loaded for the kind that a process stands ready for."""
CRASHED = "jobs.crashed"
NICENESS = 5
"""Pages are answered before plans are searched where both want the processor."""
_ORPHANED = 3


class Link:
    """The line to the worker: what is sent to it, and whether it still speaks."""

    def __init__(self, line: Connection, lease_s: float) -> None:
        self._line = line
        self._lease_s = lease_s
        self._lock = threading.Lock()
        self._is_stopped = False

    def first(self) -> tuple[Job, datetime]:
        """Wait for the job, as long as there is a worker; from then on it has to speak."""
        try:
            job, now = self._line.recv()
        except (EOFError, OSError):
            os._exit(_ORPHANED)
        threading.Thread(target=self._listen, name="lease", daemon=True).start()
        return job, now

    def send(self, message: FromSearch) -> None:
        """Send to the worker; who cannot be reached is gone, and the search with it."""
        with self._lock:
            try:
                self._line.send(message)
            except OSError:
                os._exit(_ORPHANED)

    def is_stopped(self) -> bool:
        """Whether the search is to end with the best so far."""
        return self._is_stopped

    def _listen(self) -> None:
        heard_s = time.monotonic()
        while True:
            left_s = heard_s + self._lease_s - time.monotonic()
            if left_s <= 0 or not self._line.poll(left_s):
                os._exit(_ORPHANED)
            try:
                told = self._line.recv()
            except (EOFError, OSError):
                os._exit(_ORPHANED)
            heard_s = time.monotonic()
            self._is_stopped = self._is_stopped or told == STOP


def search(line: Connection, settings: Settings, lease_s: float) -> None:
    """Wait for a job, run it and send what came of it."""
    # Ctrl-C in a terminal reaches every process; the worker decides what becomes of the search.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(AttributeError, OSError):
        os.nice(NICENESS)
    set_up_logs(settings)
    link = Link(line, lease_s)
    job, now = link.first()
    engine = open_engine(settings.database_url)
    try:
        tick = Telling(job.kind, link.send, link.is_stopped)
        ctx = Context(job=job, settings=settings, engine=engine, tick=tick, now=now)
        link.send(answer(ctx))
    finally:
        engine.dispose()


def answer(ctx: Context) -> Outcome | Refusal:
    """What comes of a job: a result, or why there is none."""
    job = ctx.job
    try:
        return runner_of(job.kind)(ctx, params_of(dict(job.params)))
    except BrokenPlanError as broken:
        return Refusal(failure=broken.failure)
    except BookmobileError as error:
        return Refusal(failure=failure_of(error))
    except Exception as wrong:  # the edge of the process: whoever asked is told
        log.exception("job.crashed", extra={"job_id": job.job_id, "kind": job.kind.value})
        return Refusal(failure=JobFailure(code=CRASHED, facts={"cause": type(wrong).__name__}))


def runner_of(kind: JobKind) -> Callable[[Context, Any], Outcome]:
    """What does jobs of a kind."""
    module, name = RUNNERS[kind]
    found: Callable[[Context, Any], Outcome] = getattr(importlib.import_module(module), name)
    return found

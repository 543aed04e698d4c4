"""A worker: takes jobs from the queue, has each searched, stores what came of it."""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from api.jobs.failures import failure_of
from api.jobs.outcome import Outcome, Refusal
from api.jobs.pace import USUAL, Pace
from api.jobs.process import SearchProcess
from api.jobs.queue import LANES, LONG, USUAL_KIND, JobQueue
from api.jobs.reaping import hand_out_waiting, lose_worker, reap, release
from api.jobs.storing import ClaimLostError, announce, store_outcome, store_refusal
from api.jobs.watching import End, Watch, Watched
from api.services.letter_sending import LetterPost
from api.services.report_sending import deliver_due
from api.settings import Settings
from data.db import job_store
from data.db.engine import open_engine, writing
from data.model.errors import BookmobileError
from data.model.jobs import Claim, Job, JobFailure, JobKind, JobState

log = logging.getLogger(__name__)

KEEP_DAYS = 90
"""Days for which jobs that ended, and the plans they found and nobody kept, can be looked at."""
_TIDY_EVERY = timedelta(hours=1)
NOTHING = Refusal(failure=JobFailure(code="jobs.cancelled"))


def utc_now() -> datetime:
    """The instant it is, aware, UTC."""
    return datetime.now(UTC)


class _Ready:
    """The search process that stands ready for the next job of a thread."""

    def __init__(self, settings: Settings, lease_s: float, kind: JobKind) -> None:
        self._settings, self._lease_s, self._kind = settings, lease_s, kind
        self._process: SearchProcess | None = None

    def prepare(self) -> None:
        """Have a living one."""
        if self._process is not None and not self._process.is_alive:
            self.end()
        if self._process is None:
            self._process = SearchProcess(self._settings, self._lease_s, self._kind)

    def take(self) -> SearchProcess:
        """Give it away."""
        self.prepare()
        process, self._process = self._process, None
        assert process is not None
        return process

    def end(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None


class Worker:
    """Threads that take jobs, each lane its own; one looks for lost jobs, one sends reports.

    Parameters
    ----------
    name
        Under which it claims jobs; unique.
    slots
        Long jobs at once. Questions have a slot of their own.
    lanes
        Lanes of the queue that it takes jobs from.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        name: str,
        slots: int = 1,
        lanes: Sequence[str] = LANES,
        pace: Pace = USUAL,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings, self._name, self._pace, self._clock = settings, name, pace, clock
        self._leaving = threading.Event()
        self._engine: Engine = open_engine(settings.database_url)
        self._queue = JobQueue(settings.database_url)
        self._threads = [
            threading.Thread(target=self._take, args=(lane,), name=f"{lane}-{number}")
            for lane in lanes
            for number in range(slots if lane == LONG else 1)
        ]
        self._threads.append(threading.Thread(target=self._look_after, name="reaper"))
        self._threads.append(threading.Thread(target=self._deliver, name="reports"))
        self._tidied_at: datetime | None = None

    def run(self) -> None:
        """Work until ``leave``; what runs then is handed out again."""
        log.info("worker.started", extra={"worker": self._name})
        for thread in self._threads:
            thread.start()
        self._leaving.wait()
        for thread in self._threads:
            thread.join()
        try:
            release(self._engine, self._queue, self._name)
        finally:
            self._queue.close()
            self._engine.dispose()
        log.info("worker.ended", extra={"worker": self._name})

    def leave(self) -> None:
        """End soon; safe in a signal handler."""
        self._leaving.set()

    def _take(self, lane: str) -> None:
        """Do one job of a lane after the other; the process for the next stands ready."""
        ready = _Ready(self._settings, self._pace.lease_s, USUAL_KIND[lane])
        try:
            self._take_with(lane, ready)
        finally:
            ready.end()

    def _take_with(self, lane: str, ready: "_Ready") -> None:
        is_cut_off = False
        while not self._leaving.is_set():
            try:
                ready.prepare()
                job_id = self._queue.next_id(lane)
                if job_id is not None:
                    self._do(job_id, ready)
            except Exception as wrong:  # the edge of the worker: it goes on
                if not is_cut_off:
                    log.exception("worker.failed", extra={"cause": type(wrong).__name__})
                is_cut_off, job_id = True, None
            else:
                is_cut_off = False
            if job_id is None:
                self._leaving.wait(self._pace.poll_s if not is_cut_off else self._pace.reap_s)

    def _do(self, job_id: str, ready: "_Ready") -> None:
        with writing(self._engine) as session:
            job = job_store.claim(session, job_id, worker=self._name, at=self._clock())
            if job is None:
                return
            announce(session, job, JobState.RUNNING, fraction=0.0)
        held = Claim(job_id=job_id, worker=self._name, tries=job.tries)
        log.info("job.started", extra=self._facts(job))
        try:
            watched = self._watched(job, held, ready)
            self._end(job, held, watched)
        except ClaimLostError:
            log.warning("job.claim_lost", extra=self._facts(job))

    def _watched(self, job: Job, held: Claim, ready: "_Ready") -> Watched:
        if job.is_cancelled:
            return Watched(ending=End.CANCELLED, is_cancelled=True)
        watch = Watch(
            self._engine,
            ready.take(),
            job,
            held,
            pace=self._pace,
            clock=self._clock,
            is_leaving=self._leaving.is_set,
        )
        return watch.run()

    def _end(self, job: Job, held: Claim, watched: Watched) -> None:
        now, ending = self._clock(), watched.ending
        stopped = watched.is_cancelled
        match ending:
            case Outcome():
                try:
                    store_outcome(self._engine, job, held, ending, is_cancelled=stopped, at=now)
                except BookmobileError as error:
                    refusal = Refusal(failure=failure_of(error))
                    store_refusal(self._engine, job, held, refusal, is_cancelled=False, at=now)
            case Refusal():
                store_refusal(self._engine, job, held, ending, is_cancelled=stopped, at=now)
            case End.CANCELLED:
                store_refusal(self._engine, job, held, NOTHING, is_cancelled=True, at=now)
            case End.DIED:
                lose_worker(
                    self._engine, self._queue, self._name, self._pace, now, job_id=job.job_id
                )
            case End.LOST | End.LEFT:
                pass
        told = ending.value if isinstance(ending, End) else type(ending).__name__.lower()
        log.info("job.ended", extra=self._facts(job) | {"ending": told})

    def _look_after(self) -> None:
        """Look for lost jobs, and for waiting ones that the queue has lost, until the end."""
        is_cut_off = False
        while not self._leaving.wait(self._pace.reap_s):
            try:
                now = self._clock()
                reap(self._engine, self._queue, self._pace, now)
                hand_out_waiting(self._engine, self._queue)
                self._tidy(now)
            except Exception:  # the edge of the worker: it goes on
                if not is_cut_off:
                    log.exception("worker.reaper_failed")
                is_cut_off = True
            else:
                is_cut_off = False

    def _deliver(self) -> None:
        """Send the reports that have fallen due, and letters to residents, until the end."""
        letters = LetterPost(self._engine, self._settings)
        boxes = {
            "reports": lambda now: deliver_due(self._engine, self._settings, now),
            "letters": letters.deliver,
        }
        cut_off: set[str] = set()
        while not self._leaving.wait(self._pace.reap_s):
            for box, deliver in boxes.items():
                try:
                    deliver(self._clock())
                except Exception:  # the edge of the worker: it goes on
                    if box not in cut_off:
                        log.exception("worker.deliveries_failed", extra={"box": box})
                    cut_off.add(box)
                else:
                    cut_off.discard(box)

    def _tidy(self, now: datetime) -> None:
        if self._tidied_at is not None and now - self._tidied_at < _TIDY_EVERY:
            return
        self._tidied_at = now
        with writing(self._engine) as session:
            dropped = job_store.drop_before(session, now - timedelta(days=KEEP_DAYS))
        if dropped:
            log.info("jobs.dropped", extra={"jobs": dropped})

    @staticmethod
    def _facts(job: Job) -> dict[str, object]:
        return {"job_id": job.job_id, "kind": job.kind.value, "tries": job.tries}

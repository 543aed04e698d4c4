"""Jobs that a worker does no more: handed out again, given up, or ended as cancelled."""

import logging
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session

from api.jobs.pace import Pace
from api.jobs.queue import LANES, JobQueue, lane_of
from api.jobs.storing import announce
from data.db import job_store
from data.db.engine import reading, writing
from data.model.jobs import JobState, Reaped

log = logging.getLogger(__name__)


def reap(engine: Engine, queue: JobQueue, pace: Pace, now: datetime) -> Reaped:
    """Take away what is held by workers not heard of for ``lost_s``."""
    with writing(engine) as session:
        taken = job_store.reap(
            session, silent_since=now - pace.silence, at=now, most_tries=pace.most_tries
        )
        _announce(session, taken)
    return _handed_out(engine, queue, taken)


def lose_worker(
    engine: Engine,
    queue: JobQueue,
    worker: str,
    pace: Pace,
    now: datetime,
    *,
    job_id: str | None = None,
) -> Reaped:
    """Take away what a worker holds that is known to be dead, or one job whose search is."""
    with writing(engine) as session:
        taken = job_store.lose(session, worker, at=now, most_tries=pace.most_tries, job_id=job_id)
        _announce(session, taken)
    return _handed_out(engine, queue, taken)


def release(engine: Engine, queue: JobQueue, worker: str) -> None:
    """Hand out again what a worker holds that ends in good order."""
    with writing(engine) as session:
        taken = Reaped(again=job_store.release(session, worker))
        _announce(session, taken)
    _handed_out(engine, queue, taken)


def hand_out_waiting(engine: Engine, queue: JobQueue) -> None:
    """Offer again what waits where the queue is empty: a message may have been lost."""
    empty = {lane for lane in LANES if queue.size(lane) == 0}
    if not empty:
        return
    with reading(engine) as session:
        found = job_store.waiting(session)
    for job_id, kind in found:
        if lane_of(kind) in empty:
            queue.hand_out(job_id, kind)


def _announce(session: Session, taken: Reaped) -> None:
    for state, ids in (
        (JobState.QUEUED, taken.again),
        (JobState.FAILED, taken.failed),
        (JobState.CANCELLED, taken.cancelled),
    ):
        for job_id in ids:
            job = job_store.get_job(session, job_id)
            failure = job.failure
            told = {} if failure is None else {"code": failure.code, "facts": dict(failure.facts)}
            announce(session, job, state, fraction=0.0, **told)
            log.warning(
                "job.taken_away",
                extra={"job_id": job_id, "state": state.value, "tries": job.tries},
            )


def _handed_out(engine: Engine, queue: JobQueue, taken: Reaped) -> Reaped:
    if taken.again:
        with reading(engine) as session:
            jobs = [job_store.get_job(session, job_id) for job_id in taken.again]
        for job in jobs:
            queue.hand_out(job.job_id, job.kind)
    return taken

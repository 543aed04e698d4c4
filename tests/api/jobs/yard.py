"""A database with the small region of Rutland, jobs asked in it, and workers that do them."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from api.jobs.context import Context
from api.jobs.outcome import Note, Outcome
from api.jobs.pace import Pace
from api.jobs.params import AnyParams
from api.jobs.queue import LONG
from api.jobs.search import answer
from api.jobs.storing import store_outcome, store_refusal
from api.jobs.telling import Telling
from api.jobs.worker import Worker
from api.services.jobs import cancel_job, hand_out, request_job
from api.settings import Settings
from api.words import Words
from data.db import event_store, job_store, plan_store, region_store
from data.db.engine import open_engine, reading, writing
from data.db.plan_store import StoredPlan
from data.model.accounts import Caller, Role
from data.model.jobs import Claim, Job, JobState
from data.model.records import LiveEvent
from tests.plan_example import STOPS, region

REGION_ID = "rutland"
DORA = Caller(account_id="d" * 32, name="Dora", roles=frozenset({Role.DISPATCHER}))
QUICK = Pace(beat_s=0.5, lease_s=2.0, lost_s=3.0, reap_s=0.3, poll_s=0.05)
"""A lost worker is found out soon; on a very busy machine a living one may be, too."""
CALM = Pace(lease_s=300.0, lost_s=600.0, poll_s=0.05, overrun_s=600.0, stop_s=300.0)
PATIENCE_S = 400.0
"""Tests wait this long for what takes seconds on a machine that is not busy."""


class Yard:
    """Jobs of one database."""

    def __init__(self, folder: Path, url: str) -> None:
        self.settings = Settings(
            data_dir=folder / "data", cache_dir=folder / "cache", database_url=url, language="en"
        )
        self.engine: Engine = open_engine(url)
        self.notes: list[Note] = []
        with writing(self.engine) as session:
            region_store.add_region(session, replace(region(), stops=STOPS), at=datetime.now(UTC))

    def ask(self, params: AnyParams) -> Job:
        """Store a job and offer it to the workers."""
        with writing(self.engine) as session:
            job = request_job(
                session,
                REGION_ID,
                params,
                by=DORA,
                words=Words("en"),
                at=datetime.now(UTC),
            )
        hand_out(self.settings.database_url, job)
        return job

    def cancel(self, job: Job) -> None:
        with writing(self.engine) as session:
            cancel_job(session, REGION_ID, job.job_id, by=DORA, at=datetime.now(UTC))

    def look(self, job: Job) -> Job:
        with reading(self.engine) as session:
            return job_store.get_job(session, job.job_id)

    def wait(self, job: Job, until: Callable[[Job], bool]) -> list[Job]:
        """Look at a job until something holds: every different sight of it."""
        seen = [self.look(job)]
        ends_s = time.monotonic() + PATIENCE_S
        while not until(seen[-1]):
            assert time.monotonic() < ends_s, f"waited in vain: {seen[-1]}"
            time.sleep(0.05)
            now = self.look(job)
            if now != seen[-1]:
                seen.append(now)
        return seen

    def end(self, job: Job) -> Job:
        """The job once it has ended."""
        return self.wait(job, lambda j: j.state.is_ended)[-1]

    def do(self, params: AnyParams, meanwhile: Callable[[], object] | None = None) -> Job:
        """Ask for a job and do it here, without a worker's process: the job once it has ended.

        ``meanwhile`` happens after the search and before its result is stored.
        """
        job = self.ask(params)
        now = datetime.now(UTC)
        with writing(self.engine) as session:
            claimed = job_store.claim(session, job.job_id, worker="here", at=now)
        assert claimed is not None
        tick = Telling(job.kind, self.notes.append, lambda: False)
        found = answer(
            Context(job=claimed, settings=self.settings, engine=self.engine, tick=tick, now=now)
        )
        if meanwhile is not None:
            meanwhile()
        held = Claim(job_id=job.job_id, worker="here", tries=1)
        if isinstance(found, Outcome):
            store_outcome(self.engine, claimed, held, found, is_cancelled=False, at=now)
        else:
            store_refusal(self.engine, claimed, held, found, is_cancelled=False, at=now)
        return self.look(job)

    def done(self, params: AnyParams, meanwhile: Callable[[], object] | None = None) -> Job:
        """The same of a job that must not fail."""
        job = self.do(params, meanwhile)
        assert job.state is JobState.DONE, job.failure
        return job

    def plan(self, plan_id: str | None) -> StoredPlan:
        assert plan_id is not None
        with reading(self.engine) as session:
            return plan_store.get_plan(session, plan_id)

    def plans(self) -> tuple[StoredPlan, ...]:
        with reading(self.engine) as session:
            return plan_store.list_plans(session, REGION_ID)

    def events(self, job: Job) -> list[LiveEvent]:
        """What open pages were told of a job."""
        with reading(self.engine) as session:
            found = event_store.events_after(session, 0, limit=10_000)
        return [e for e in found if e.topic == "job" and e.subject == job.job_id]

    @contextmanager
    def working(
        self, name: str = "here", lanes: Sequence[str] = (LONG,), pace: Pace = CALM
    ) -> Iterator[None]:
        """A worker in this process until the end of the block."""
        worker = Worker(self.settings, name=name, lanes=lanes, pace=pace)
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            yield
        finally:
            worker.leave()
            thread.join()

    @contextmanager
    def worker_process(self, name: str) -> Iterator[int]:
        """A worker in a process of its own, to be killed; its number."""
        process = multiprocessing.get_context("spawn").Process(
            target=_work, args=(self.settings, name)
        )
        process.start()
        assert process.pid is not None
        try:
            yield process.pid
        finally:
            if process.is_alive():
                os.kill(process.pid, signal.SIGCONT)
                process.kill()
            process.join()
            process.close()

    def close(self) -> None:
        self.engine.dispose()


def _work(settings: Settings, name: str) -> None:
    Worker(settings, name=name, lanes=(LONG,), pace=QUICK).run()


def children_of(pid: int) -> list[int]:
    """Processes that a process has started and that run."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    found: list[int] = []
    for task in listed.parent.parent.glob("*/children"):
        found += [int(child) for child in task.read_text(encoding="ascii").split()]
    return found


def is_running(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"

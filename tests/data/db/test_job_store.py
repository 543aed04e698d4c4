"""Jobs in a table: one worker wins a claim, a lost one gives it up, nothing is written twice."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from data.db import job_store, region_store
from data.db.engine import open_engine, reading, writing
from data.model.errors import ConflictError, NotFoundError
from data.model.jobs import (
    Claim,
    Job,
    JobFailure,
    JobKind,
    JobPlan,
    JobPlanDocument,
    JobState,
    Standing,
    Told,
)
from tests.plan_example import region

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=30)


@pytest.fixture(autouse=True)
def rutland(engine: Engine) -> None:
    with writing(engine) as session:
        region_store.add_region(session, region(), at=NOW)
        region_store.add_region(session, replace(region(), region_id="other"), at=NOW)


def add(engine: Engine, *ids: str, **facts: Any) -> None:
    """Put jobs into the queue, each a second younger than the one before."""
    given: dict[str, Any] = {"kind": JobKind.PLAN, "params": {"seed": 1}, "region_id": "rutland"}
    with writing(engine) as session:
        for number, job_id in enumerate(ids):
            made = NOW + timedelta(seconds=number)
            job_store.add_job(session, Job(job_id=job_id, created_at=made, **given | facts))


def begin(engine: Engine, job_id: str, worker: str = "a", at: datetime = NOW) -> Claim:
    with writing(engine) as session:
        job = job_store.claim(session, job_id, worker=worker, at=at)
    assert job is not None
    return Claim(job_id=job_id, worker=worker, tries=job.tries)


def job_of(engine: Engine, job_id: str) -> Job:
    with reading(engine) as session:
        return job_store.get_job(session, job_id)


def test_of_many_workers_one_gets_a_job(engine: Engine) -> None:
    """Four workers that reach for the same jobs at once share them without overlap."""
    ids = [f"job-{number}" for number in range(12)]
    add(engine, *ids)
    won: list[tuple[str, str]] = []
    ready = threading.Barrier(4)

    def reach(worker: str) -> None:
        own = open_engine(engine.url.render_as_string(hide_password=False))
        ready.wait()
        for job_id in ids:
            with writing(own) as session:
                if job_store.claim(session, job_id, worker=worker, at=NOW) is not None:
                    won.append((job_id, worker))
        own.dispose()

    threads = [threading.Thread(target=reach, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(job_id for job_id, _ in won) == sorted(ids)
    assert {job_id: job_of(engine, job_id).worker for job_id in ids} == dict(won)


def test_progress_is_kept_and_a_cancel_is_heard(engine: Engine) -> None:
    """A worker tells how far it is; from a cancel on the answer is to stop."""
    add(engine, "one")
    held = begin(engine, "one")
    told = Told(phase="jobs.phase.solve", code="jobs.plan.best", facts={"prize": 7})
    with writing(engine) as session:
        assert job_store.beat(session, held, at=LATER, fraction=0.4, told=told) is Standing.GO_ON
    job = job_of(engine, "one")
    assert (job.state, job.fraction, job.told, job.beat_at) == (
        JobState.RUNNING,
        0.4,
        told,
        LATER,
    )
    with writing(engine) as session:
        cancelled = job_store.cancel(session, "one", region_id="rutland", at=LATER)
        assert cancelled.state is JobState.RUNNING
        assert job_store.beat(session, held, at=LATER) is Standing.STOP
        assert job_store.finish(session, held, JobState.CANCELLED, at=LATER, result={"x": 1})
    assert job_of(engine, "one").result == {"x": 1}


def test_a_waiting_job_is_cancelled_at_once(engine: Engine) -> None:
    """Nobody can claim it afterwards; a second cancel changes nothing."""
    add(engine, "one")
    with writing(engine) as session:
        job = job_store.cancel(session, "one", region_id="rutland", at=LATER)
        assert (job.state, job.ended_at) == (JobState.CANCELLED, LATER)
        assert job_store.claim(session, "one", worker="a", at=LATER) is None
        again = job_store.cancel(session, "one", region_id="rutland", at=LATER + timedelta(days=1))
    assert again.ended_at == LATER


def test_a_lost_worker_writes_nothing_more(engine: Engine) -> None:
    """Once a job was handed out again, neither progress nor a result of before is taken."""
    add(engine, "one")
    first = begin(engine, "one", "a")
    with writing(engine) as session:
        reaped = job_store.reap(session, silent_since=LATER, at=LATER, most_tries=3)
    assert reaped.again == ("one",)
    second = begin(engine, "one", "b", LATER)
    with writing(engine) as session:
        assert job_store.beat(session, first, at=LATER, fraction=0.9) is Standing.LOST
        assert not job_store.finish(session, first, JobState.DONE, at=LATER, result={"by": "a"})
        assert job_store.finish(session, second, JobState.DONE, at=LATER, result={"by": "b"})
        assert not job_store.finish(session, second, JobState.DONE, at=LATER, result={"by": "c"})
    job = job_of(engine, "one")
    assert (job.result, job.tries, job.fraction) == ({"by": "b"}, 2, 1.0)


def test_the_third_loss_is_the_last(engine: Engine) -> None:
    """A job whose worker is lost three times fails, with a reason."""
    add(engine, "one")
    for number in range(3):
        begin(engine, "one", f"w{number}")
        with writing(engine) as session:
            reaped = job_store.reap(session, silent_since=LATER, at=LATER, most_tries=3)
    assert reaped.failed == ("one",)
    job = job_of(engine, "one")
    assert job.state is JobState.FAILED
    assert job.failure == JobFailure(code="jobs.lost", facts={"tries": 3})


def test_a_lost_job_that_was_cancelled_ends(engine: Engine) -> None:
    """It is not begun again for nothing."""
    add(engine, "one")
    begin(engine, "one")
    with writing(engine) as session:
        job_store.cancel(session, "one", region_id="rutland", at=NOW)
        reaped = job_store.reap(session, silent_since=LATER, at=LATER, most_tries=3)
    assert reaped.cancelled == ("one",)
    assert job_of(engine, "one").state is JobState.CANCELLED


def test_living_workers_keep_their_jobs(engine: Engine) -> None:
    """Only the silent one loses its job; a dead one's jobs can be taken at once."""
    add(engine, "one", "two", "three")
    begin(engine, "one", "a")
    begin(engine, "two", "b", LATER)
    begin(engine, "three", "c", LATER)
    with writing(engine) as session:
        silent = job_store.reap(session, silent_since=LATER, at=LATER, most_tries=3)
        dead = job_store.lose(session, "c", at=LATER, most_tries=3)
    assert (silent.again, dead.again) == (("one",), ("three",))
    assert job_of(engine, "two").state is JobState.RUNNING


def test_an_orderly_end_costs_no_try(engine: Engine) -> None:
    """A worker that is stopped hands its jobs back; they are as if never begun."""
    add(engine, "one")
    for _ in range(5):
        begin(engine, "one", "a")
        with writing(engine) as session:
            assert job_store.release(session, "a") == ("one",)
    assert (job_of(engine, "one").tries, job_of(engine, "one").state) == (0, JobState.QUEUED)
    with reading(engine) as session:
        assert job_store.waiting(session) == (("one", JobKind.PLAN),)


def test_lists_are_filtered_and_paged(engine: Engine) -> None:
    """The newest first, page by page; other regions' jobs are neither listed nor found."""
    add(engine, "a", "b", "c", "d")
    add(engine, "e", kind=JobKind.EXPLAIN, plan_id="p")
    add(engine, "x", region_id="other")
    begin(engine, "b")

    def ids(**asked: Any) -> list[str]:
        with reading(engine) as session:
            return [j.job_id for j in job_store.list_jobs(session, "rutland", **asked)]

    first = ids(limit=2)
    assert first + ids(limit=2, after=first[-1]) == ["d", "c", "b", "e"]
    assert ids(limit=2, after="e") == ["a"]
    assert ids(states=[JobState.RUNNING]) == ["b"]
    assert ids(kinds=[JobKind.EXPLAIN]) == ids(plan_id="p") == ["e"]
    with reading(engine) as session:
        for refused in (
            lambda: job_store.get_job(session, "x", region_id="rutland"),
            lambda: job_store.list_jobs(session, "rutland", after="x"),
        ):
            with pytest.raises(NotFoundError) as told:
                refused()
            assert told.value.code == "jobs.unknown"


def test_figures_tell_what_waits(engine: Engine) -> None:
    """Jobs by state, and since when the oldest waits."""
    add(engine, "a", "b", "c")
    begin(engine, "a")
    with reading(engine) as session:
        figures = job_store.figures(session)
        assert job_store.num_open(session, "rutland") == 3
        assert job_store.num_running(session, heard_since=NOW) == 1
        assert job_store.num_running(session, heard_since=LATER) == 0
    assert figures.num_by_state[JobState.QUEUED] == 2
    assert figures.num_by_state[JobState.RUNNING] == 1
    assert figures.num_by_state[JobState.FAILED] == 0
    assert figures.oldest_queued_at == NOW + timedelta(seconds=1)


def found(*requests: bytes) -> Sequence[tuple[JobPlan, JobPlanDocument]]:
    return [
        (
            JobPlan(name=f"plan-{number}", summary={"people": number}),
            JobPlanDocument(request=request, plan=b"plan%d" % number),
        )
        for number, request in enumerate(requests)
    ]


def test_plans_to_choose_from_are_kept_once(engine: Engine) -> None:
    """Each has its own request or shares that of the first, and becomes a plan but once."""
    add(engine, "one")
    with writing(engine) as session:
        job_store.add_job_plans(session, "one", found(b"r", b"r", b"other"))
    with writing(engine) as session:
        documents = [job_store.job_plan(session, "one", f"plan-{n}")[1] for n in range(3)]
        assert [d.request for d in documents] == [b"r", b"r", b"other"]
        assert [d.plan for d in documents] == [b"plan0", b"plan1", b"plan2"]
        job_store.mark_kept(session, "one", "plan-1", "p" * 32)
    with writing(engine) as session:
        kept = [p.plan_id for p in job_store.list_job_plans(session, "one")]
        assert kept == [None, "p" * 32, None]
        with pytest.raises(ConflictError) as refused:
            job_store.mark_kept(session, "one", "plan-1", "q" * 32)
        assert refused.value.code == "jobs.kept_already"
        with pytest.raises(NotFoundError):
            job_store.job_plan(session, "one", "plan-9")


def test_old_jobs_go_with_their_plans(engine: Engine) -> None:
    """Only what ended before the date is deleted."""
    add(engine, "old", "young", "open")
    with writing(engine) as session:
        job_store.add_job_plans(session, "old", found(b"r"))
        job_store.add_job_plans(session, "young", found(b"r"))
    for job_id, ends_at in (("old", NOW), ("young", LATER)):
        held = begin(engine, job_id)
        with writing(engine) as session:
            assert job_store.finish(session, held, JobState.DONE, at=ends_at, result={})
    with writing(engine) as session:
        assert job_store.drop_before(session, LATER) == 1
        left = [j.job_id for j in job_store.list_jobs(session, "rutland")]
        assert sorted(left) == ["open", "young"]
        assert job_store.list_job_plans(session, "old") == ()
        assert len(job_store.list_job_plans(session, "young")) == 1

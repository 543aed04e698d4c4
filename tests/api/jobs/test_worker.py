"""Workers: a job is searched, followed, stopped, and survives whoever does it."""

import os
import signal
import sys
import time
from itertools import pairwise

import pytest
from sqlmodel import select

from api.jobs.params import PlanParams
from api.jobs.queue import LONG, JobQueue
from data.db import audit_store
from data.db.engine import reading
from data.db.tables.plans import PlanRow
from data.model.jobs import JobState
from tests.api.jobs.yard import DORA, QUICK, Yard, children_of, is_running

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def still_running(pids: list[int]) -> list[int]:
    """Processes that are not gone within a moment; one that was killed has to be let out."""
    ends_s = time.monotonic() + 3
    while (left := [pid for pid in pids if is_running(pid)]) and time.monotonic() < ends_s:
        time.sleep(0.02)
    return left


def test_a_plan_is_searched_and_stored(yard: Yard) -> None:
    """Progress only grows; the plan stands in the list, in the change log and in the events."""
    with yard.working():
        job = yard.ask(PlanParams(name="Spring", time_limit_s=2, num_vehicles=1, threads=1))
        seen = yard.wait(job, lambda j: j.state.is_ended)
    ended = seen[-1]
    assert ended.state is JobState.DONE, ended.failure
    assert [j.state for j in seen[:1]] == [JobState.QUEUED]
    assert all(a.fraction <= b.fraction for a, b in pairwise(seen))
    assert len({j.fraction for j in seen}) > 3
    plan = yard.plan(ended.plan_id)
    assert (plan.name, plan.created_by, plan.num_violations) == ("Spring", DORA.account_id, 0)
    assert plan.summary == ended.result["summary"]
    assert plan.summary["stops_served"] == 5
    assert plan.facts["num_vehicles"] == 1
    told = [e.facts["state"] for e in yard.events(job)]
    assert told[0] == "queued" and told[-1] == "done" and set(told[1:-1]) == {"running"}
    fractions = [e.facts["fraction"] for e in yard.events(job)]
    assert fractions == sorted(fractions)
    best = [e.facts for e in yard.events(job) if e.facts.get("code") == "jobs.plan.best_below"]
    assert best and best[-1]["facts"]["prize"] == 2920
    with reading(yard.engine) as session:
        (entry,) = audit_store.entries(session, limit=5, action="plan.add")
    assert (entry.subject, entry.account_id) == (ended.plan_id, DORA.account_id)


def test_a_cancel_keeps_the_best_so_far(plain_yard: Yard) -> None:
    """An hour's search that is stopped ends soon, and its plan is stored."""
    with plain_yard.working():
        job = plain_yard.ask(PlanParams(time_limit_s=3600, threads=1))
        plain_yard.wait(job, lambda j: j.told.code == "jobs.plan.best_below")
        plain_yard.cancel(job)
        began_s = time.monotonic()
        ended = plain_yard.end(job)
    assert time.monotonic() - began_s < 120
    assert ended.state is JobState.CANCELLED
    assert plain_yard.plan(ended.plan_id).summary["people_reached"] == 2920
    assert ended.result["stopped_by"] == "cancelled"


@linux_only
@pytest.mark.thorough
def test_what_a_killed_worker_did_is_done_by_another(yard: Yard) -> None:
    """``kill -9`` in mid-search: the search ends with its worker, another begins it anew."""
    with yard.worker_process("first") as pid:
        job = yard.ask(PlanParams(time_limit_s=2, threads=1))
        yard.wait(job, lambda j: j.fraction > 0.2)
        searches = children_of(pid)
        os.kill(pid, signal.SIGKILL)
        with yard.working("second", pace=QUICK):
            taken = yard.wait(job, lambda j: j.worker == "second")[-1]
            assert not still_running(searches)
            ended = yard.end(job)
    assert taken.tries >= 2
    assert (ended.state, ended.worker) == (JobState.DONE, "second")
    with reading(yard.engine) as session:
        assert len(session.exec(select(PlanRow)).all()) == 1


@linux_only
@pytest.mark.thorough
def test_a_job_never_runs_twice_at_once(plain_yard: Yard) -> None:
    """A worker that stands still loses its job; its search has ended before another begins.

    When it wakes up it stores nothing.
    """
    with plain_yard.worker_process("asleep") as pid:
        job = plain_yard.ask(PlanParams(time_limit_s=3, threads=1))
        plain_yard.wait(job, lambda j: j.fraction > 0.2)
        searches = children_of(pid)
        os.kill(pid, signal.SIGSTOP)
        with plain_yard.working("awake", pace=QUICK):
            taken = plain_yard.wait(job, lambda j: j.worker == "awake")[-1]
            assert taken.tries >= 2
            assert not still_running(searches)
            os.kill(pid, signal.SIGCONT)
            ended = plain_yard.end(job)
            time.sleep(1)
    assert (ended.state, ended.worker) == (JobState.DONE, "awake")
    assert len(plain_yard.plans()) == 1
    assert plain_yard.look(job) == ended


def test_a_worker_that_is_told_to_end_leaves_its_job(plain_yard: Yard) -> None:
    """The job waits for the next worker at once, as if it had not been begun."""
    with plain_yard.working():
        job = plain_yard.ask(PlanParams(time_limit_s=3600, threads=1))
        plain_yard.wait(job, lambda j: j.fraction >= 0.15)
    left = plain_yard.look(job)
    assert (left.state, left.tries, left.worker) == (JobState.QUEUED, 0, None)
    queue = JobQueue(plain_yard.settings.database_url)
    assert queue.next_id(LONG) == job.job_id
    queue.close()

"""The queue hands out ids by lane and urgency; what it loses is offered again."""

from pathlib import Path

from api.jobs.params import PlanParams
from api.jobs.queue import LONG, PREFIX, SHORT, JobQueue
from api.jobs.reaping import hand_out_waiting
from data.model.jobs import JobKind
from tests.api.jobs.yard import Yard


def test_urgent_jobs_come_first_and_questions_wait_for_nobody(yard: Yard) -> None:
    """A dispatcher waits for a replan; a frontier may take its time; questions have a lane."""
    queue = JobQueue(yard.settings.database_url)
    for job_id, kind in (
        ("frontier", JobKind.FRONTIER),
        ("first", JobKind.PLAN),
        ("second", JobKind.PLAN),
        ("replan", JobKind.REPLAN),
        ("question", JobKind.EXPLAIN),
    ):
        queue.hand_out(job_id, kind)
    other = JobQueue(yard.settings.database_url)
    taken = [(queue, other)[n % 2].next_id(LONG) for n in range(5)]
    assert taken == ["replan", "first", "second", "frontier", None]
    assert (queue.size(SHORT), other.next_id(SHORT), queue.next_id(SHORT)) == (1, "question", None)
    queue.close()
    other.close()


def test_a_lost_message_is_offered_again(yard: Yard) -> None:
    """A job whose id a worker took and lost is offered again, others are not offered twice."""
    job = yard.ask(PlanParams(time_limit_s=1))
    queue = JobQueue(yard.settings.database_url)
    hand_out_waiting(yard.engine, queue)
    assert (queue.size(LONG), queue.next_id(LONG)) == (1, job.job_id)
    hand_out_waiting(yard.engine, queue)
    assert queue.next_id(LONG) == job.job_id
    yard.cancel(job)
    hand_out_waiting(yard.engine, queue)
    assert queue.next_id(LONG) is None
    queue.close()


def test_the_queue_of_a_file_lies_beside_it(plain_yard: Yard) -> None:
    """Nothing of it is in the service's own database."""
    plain_yard.ask(PlanParams(time_limit_s=1))
    database = Path(plain_yard.engine.url.database or "")
    assert database.with_name("service-queue.sqlite").is_file()
    with plain_yard.engine.connect() as connection:
        names = connection.exec_driver_sql("select name from sqlite_master").scalars().all()
    assert not [n for n in names if n.startswith((PREFIX, "task"))]

"""Jobs: a durable queue in a table. Every step is one conditional change, so that two cannot win.

A worker claims a job and gets a ``Claim``; what it writes afterwards holds only while the claim
does. A job whose worker has not been heard of is handed out again, and the claim of before is void.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, delete, func, or_, select, update

from data.db.base import Json
from data.db.tables.jobs import JobPlanRow, PlanJobRow
from data.model.errors import ConflictError, NotFoundError
from data.model.jobs import (
    Claim,
    Job,
    JobFailure,
    JobFigures,
    JobKind,
    JobPlan,
    JobPlanDocument,
    JobState,
    Reaped,
    Standing,
    Told,
)

LOST = "jobs.lost"
"""Why a job failed whose worker was lost every time."""


def add_job(session: Session, job: Job) -> None:
    """Put a job into the queue."""
    session.add(
        PlanJobRow(
            job_id=job.job_id,
            region_id=job.region_id,
            plan_id=job.plan_id,
            kind=job.kind.value,
            params=dict(job.params),
            created_at=job.created_at,
            created_by=job.created_by,
        )
    )
    session.flush()


def get_job(session: Session, job_id: str, *, region_id: str | None = None) -> Job:
    """A job; with ``region_id`` only where it is of that region.

    Raises
    ------
    NotFoundError
        ``jobs.unknown``.
    """
    return _job(_row(session, job_id, region_id))


def list_jobs(
    session: Session,
    region_id: str,
    *,
    states: Sequence[JobState] = (),
    kinds: Sequence[JobKind] = (),
    plan_id: str | None = None,
    limit: int = 50,
    after: str | None = None,
) -> tuple[Job, ...]:
    """Jobs of a region, the newest first, from the one after job ``after``.

    Raises
    ------
    NotFoundError
        ``jobs.unknown`` for an ``after`` that is no job of the region.
    """
    asked = select(PlanJobRow).where(PlanJobRow.region_id == region_id)
    if states:
        asked = asked.where(col(PlanJobRow.state).in_([s.value for s in states]))
    if kinds:
        asked = asked.where(col(PlanJobRow.kind).in_([k.value for k in kinds]))
    if plan_id is not None:
        asked = asked.where(PlanJobRow.plan_id == plan_id)
    made, key = col(PlanJobRow.created_at), col(PlanJobRow.job_id)
    if after is not None:
        last = _row(session, after, region_id)
        asked = asked.where(
            or_(
                made < last.created_at,
                (made == last.created_at) & (key < last.job_id),
            )
        )
    rows = session.exec(asked.order_by(made.desc(), key.desc()).limit(limit))
    return tuple(_job(row) for row in rows)


def num_open(session: Session, region_id: str) -> int:
    """Jobs of a region that wait or run."""
    asked = select(func.count()).where(
        PlanJobRow.region_id == region_id, col(PlanJobRow.state).in_(_OPEN)
    )
    return session.exec(asked).one()


def claim(session: Session, job_id: str, *, worker: str, at: datetime) -> Job | None:
    """Take a waiting job; ``None`` where another was faster or it waits no more."""
    taken = session.exec(
        update(PlanJobRow)
        .where(col(PlanJobRow.job_id) == job_id, col(PlanJobRow.state) == JobState.QUEUED.value)
        .values(
            state=JobState.RUNNING.value,
            worker=worker,
            tries=col(PlanJobRow.tries) + 1,
            fraction=0.0,
            told={},
            beat_at=at,
            started_at=at,
        )
    )
    return get_job(session, job_id) if taken.rowcount == 1 else None


def beat(
    session: Session,
    held: Claim,
    *,
    at: datetime,
    fraction: float | None = None,
    told: Told | None = None,
) -> Standing:
    """Say that the worker lives, and how far it is; learn whether to go on."""
    values: Json = {"beat_at": at}
    if fraction is not None:
        values["fraction"] = fraction
    if told is not None:
        values["told"] = _told_json(told)
    written = session.exec(update(PlanJobRow).where(*_held(held)).values(**values))
    if written.rowcount != 1:
        return Standing.LOST
    asked = select(PlanJobRow.is_cancelled).where(PlanJobRow.job_id == held.job_id)
    return Standing.STOP if session.exec(asked).one() else Standing.GO_ON


def finish(
    session: Session,
    held: Claim,
    state: JobState,
    *,
    at: datetime,
    result: Json | None = None,
    failure: JobFailure | None = None,
    plan_id: str | None = None,
) -> bool:
    """End a job; ``False``, and nothing written, where the claim holds no more.

    Whoever stores a result does it in the same transaction, and rolls it back on ``False``.
    """
    values: Json = {"state": state.value, "ended_at": at, "beat_at": at}
    if state is JobState.DONE:
        values["fraction"] = 1.0
    if result is not None:
        values["result"] = result
    if failure is not None:
        values["failure"] = _failure_json(failure)
    if plan_id is not None:
        values["plan_id"] = plan_id
    written = session.exec(update(PlanJobRow).where(*_held(held)).values(**values))
    return bool(written.rowcount == 1)


def cancel(session: Session, job_id: str, *, region_id: str, at: datetime) -> Job:
    """Ask that a job stops: one that waits ends at once, a running one is told.

    One that has ended stays as it is.
    """
    _row(session, job_id, region_id)
    # A job that is handed out again between the two changes would miss both.
    held = select(PlanJobRow.job_id).where(PlanJobRow.job_id == job_id).with_for_update()
    session.exec(held).one()
    asked = update(PlanJobRow).where(col(PlanJobRow.job_id) == job_id)
    state = col(PlanJobRow.state)
    session.exec(
        asked.where(state == JobState.QUEUED.value).values(
            state=JobState.CANCELLED.value, is_cancelled=True, ended_at=at
        )
    )
    session.exec(asked.where(state == JobState.RUNNING.value).values(is_cancelled=True))
    return get_job(session, job_id)


def release(session: Session, worker: str) -> tuple[str, ...]:
    """Hand out again what a worker holds that ends in good order; the try does not count."""
    held = select(PlanJobRow.job_id).where(
        PlanJobRow.worker == worker, PlanJobRow.state == JobState.RUNNING.value
    )
    found = tuple(session.exec(held.with_for_update()))
    session.exec(
        update(PlanJobRow)
        .where(col(PlanJobRow.job_id).in_(found))
        .values(state=JobState.QUEUED.value, worker=None, tries=col(PlanJobRow.tries) - 1)
    )
    return found


def lose(
    session: Session,
    worker: str,
    *,
    at: datetime,
    most_tries: int,
    job_id: str | None = None,
) -> Reaped:
    """Take away what a worker holds that is known to be dead, or one job whose search is."""
    held = select(PlanJobRow).where(
        PlanJobRow.worker == worker, PlanJobRow.state == JobState.RUNNING.value
    )
    if job_id is not None:
        held = held.where(PlanJobRow.job_id == job_id)
    return _taken_away(session, session.exec(held.with_for_update()), at, most_tries)


def reap(session: Session, *, silent_since: datetime, at: datetime, most_tries: int) -> Reaped:
    """Take away what is held by workers that were last heard of before a moment."""
    held = select(PlanJobRow).where(
        PlanJobRow.state == JobState.RUNNING.value, col(PlanJobRow.beat_at) < silent_since
    )
    return _taken_away(session, session.exec(held.with_for_update()), at, most_tries)


def waiting(session: Session, *, limit: int = 1000) -> tuple[tuple[str, JobKind], ...]:
    """Jobs that wait and what they are, the oldest first."""
    asked = (
        select(PlanJobRow.job_id, PlanJobRow.kind)
        .where(PlanJobRow.state == JobState.QUEUED.value)
        .order_by(col(PlanJobRow.created_at))
        .limit(limit)
    )
    return tuple((job_id, JobKind(kind)) for job_id, kind in session.exec(asked))


def figures(session: Session) -> JobFigures:
    """How many jobs stand where, and since when the oldest waits."""
    counted = dict(
        session.exec(select(PlanJobRow.state, func.count()).group_by(PlanJobRow.state)).all()
    )
    oldest = select(func.min(PlanJobRow.created_at)).where(
        PlanJobRow.state == JobState.QUEUED.value
    )
    return JobFigures(
        num_by_state={state: counted.get(state.value, 0) for state in JobState},
        oldest_queued_at=session.exec(oldest).one(),
    )


def num_running(session: Session, *, heard_since: datetime) -> int:
    """Running jobs whose worker was heard of since a moment."""
    asked = select(func.count()).where(
        PlanJobRow.state == JobState.RUNNING.value, col(PlanJobRow.beat_at) >= heard_since
    )
    return session.exec(asked).one()


def add_job_plans(
    session: Session, job_id: str, plans: Iterable[tuple[JobPlan, JobPlanDocument]]
) -> None:
    """Keep the plans that a job found; a request equal to that of the first is kept once."""
    first: bytes | None = None
    for plan, document in plans:
        is_known = document.request == first
        first = document.request if first is None else first
        session.add(
            JobPlanRow(
                job_id=job_id,
                name=plan.name,
                request=b"" if is_known else document.request,
                plan=document.plan,
                summary=dict(plan.summary),
                facts=dict(plan.facts),
            )
        )
        session.flush()


def list_job_plans(session: Session, job_id: str) -> tuple[JobPlan, ...]:
    """The plans that a job found, in its order, without their documents."""
    asked = (
        select(JobPlanRow.name, JobPlanRow.summary, JobPlanRow.facts, JobPlanRow.plan_id)
        .where(JobPlanRow.job_id == job_id)
        .order_by(col(JobPlanRow.row_id))
    )
    return tuple(
        JobPlan(name=name, summary=summary, facts=facts, plan_id=plan_id)
        for name, summary, facts, plan_id in session.exec(asked)
    )


def job_plan(session: Session, job_id: str, name: str) -> tuple[JobPlan, JobPlanDocument]:
    """One of a job's plans with its document.

    Raises
    ------
    NotFoundError
        ``jobs.unknown_plan``.
    """
    row = _plan_row(session, job_id, name)
    request = row.request
    if not request:
        asked = select(JobPlanRow.request).where(JobPlanRow.job_id == job_id)
        request = session.exec(asked.order_by(col(JobPlanRow.row_id)).limit(1)).one()
    plan = JobPlan(name=row.name, summary=row.summary, facts=row.facts, plan_id=row.plan_id)
    return plan, JobPlanDocument(request=request, plan=row.plan)


def mark_kept(session: Session, job_id: str, name: str, plan_id: str) -> None:
    """Note that one of a job's plans was kept as a plan of the region.

    Raises
    ------
    ConflictError
        ``jobs.kept_already``.
    """
    row = _plan_row(session, job_id, name)
    if row.plan_id is not None:
        raise ConflictError("jobs.kept_already", name=name, plan_id=row.plan_id)
    row.plan_id = plan_id
    session.add(row)
    session.flush()


def drop_before(session: Session, at: datetime) -> int:
    """Delete jobs that ended before a moment, with the plans they found; how many."""
    ended = col(PlanJobRow.ended_at) < at
    old = select(PlanJobRow.job_id).where(ended)
    session.exec(delete(JobPlanRow).where(col(JobPlanRow.job_id).in_(old)))
    return int(session.exec(delete(PlanJobRow).where(ended)).rowcount)


_OPEN = (JobState.QUEUED.value, JobState.RUNNING.value)


def _held(held: Claim) -> tuple[Any, ...]:
    return (
        col(PlanJobRow.job_id) == held.job_id,
        col(PlanJobRow.worker) == held.worker,
        col(PlanJobRow.tries) == held.tries,
        col(PlanJobRow.state) == JobState.RUNNING.value,
    )


def _taken_away(
    session: Session, rows: Iterable[PlanJobRow], at: datetime, most_tries: int
) -> Reaped:
    again, failed, cancelled = [], [], []
    for row in rows:
        if row.is_cancelled:
            row.state, row.ended_at = JobState.CANCELLED.value, at
            cancelled.append(row.job_id)
        elif row.tries >= most_tries:
            row.state, row.ended_at = JobState.FAILED.value, at
            row.failure = _failure_json(JobFailure(code=LOST, facts={"tries": row.tries}))
            failed.append(row.job_id)
        else:
            row.state, row.worker = JobState.QUEUED.value, None
            again.append(row.job_id)
        session.add(row)
    session.flush()
    return Reaped(again=tuple(again), failed=tuple(failed), cancelled=tuple(cancelled))


def _row(session: Session, job_id: str, region_id: str | None = None) -> PlanJobRow:
    row = session.get(PlanJobRow, job_id, populate_existing=True)
    if row is None or region_id not in (None, row.region_id):
        raise NotFoundError("jobs.unknown", job_id=job_id)
    return row


def _plan_row(session: Session, job_id: str, name: str) -> JobPlanRow:
    asked = select(JobPlanRow).where(JobPlanRow.job_id == job_id, JobPlanRow.name == name)
    row = session.exec(asked.with_for_update()).first()
    if row is None:
        raise NotFoundError("jobs.unknown_plan", job_id=job_id, name=name)
    return row


def _told_json(told: Told) -> Json:
    return {"phase": told.phase, "code": told.code, "facts": dict(told.facts)}


def _failure_json(failure: JobFailure) -> Json:
    return {
        "code": failure.code,
        "facts": dict(failure.facts),
        "problems": [_failure_json(p) for p in failure.problems],
    }


def _failure(document: Json) -> JobFailure | None:
    if not document:
        return None
    problems = (_failure(p) for p in document.get("problems", ()))
    return JobFailure(
        code=document["code"],
        facts=document.get("facts", {}),
        problems=tuple(p for p in problems if p is not None),
    )


def _job(row: PlanJobRow) -> Job:
    return Job(
        job_id=row.job_id,
        region_id=row.region_id,
        kind=JobKind(row.kind),
        params=row.params,
        created_at=row.created_at,
        created_by=row.created_by,
        plan_id=row.plan_id,
        state=JobState(row.state),
        fraction=row.fraction,
        told=Told(**row.told) if row.told else Told(),
        result=row.result,
        failure=_failure(row.failure),
        is_cancelled=row.is_cancelled,
        tries=row.tries,
        worker=row.worker,
        beat_at=row.beat_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )

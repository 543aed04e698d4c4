"""What a search found, stored with the end of its job in one transaction, or not at all."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from api.jobs.outcome import FoundPlan, Outcome, Refusal
from data.db import audit_store, event_store, job_store, plan_store, region_store
from data.db.engine import writing
from data.db.plan_store import PlanState, StoredPlan
from data.model.accounts import PROGRAM, Caller
from data.model.errors import ConflictError
from data.model.jobs import Claim, Job, JobFailure, JobState

TOPIC = "job"
ADDED, STEP = "plan.add", "plan.step"
"""Actions of the audit log: a new plan; a step of one, as ``api.services.editing`` notes it."""


class ClaimLostError(Exception):
    """The job was handed to another worker: what was found here is not to be stored."""


def announce(session: Session, job: Job, state: JobState, **facts: Any) -> None:
    """Tell open pages how a job stands, if the transaction is committed."""
    event_store.emit(
        session,
        TOPIC,
        job.job_id,
        job.region_id,
        kind=job.kind.value,
        state=state.value,
        **facts,
    )


def store_outcome(
    engine: Engine, job: Job, held: Claim, outcome: Outcome, *, is_cancelled: bool, at: datetime
) -> None:
    """Store what was found and end the job; ``cancelled`` with the best so far, else ``done``.

    Raises
    ------
    ClaimLostError
        Where the job is no longer this worker's; nothing is stored.
    """
    state = JobState.CANCELLED if is_cancelled else JobState.DONE
    with writing(engine) as session:
        result = dict(outcome.result)
        plan_id: str | None = None
        if outcome.found is not None:
            stored, is_aside = _store_plan(session, job, outcome.found, at)
            plan_id = stored.plan_id
            result |= {"plan_id": plan_id, "version": stored.version, "is_aside": is_aside}
        job_store.add_job_plans(session, job.job_id, outcome.choices)
        if not job_store.finish(session, held, state, at=at, result=result, plan_id=plan_id):
            raise ClaimLostError
        announce(session, job, state, fraction=1.0, plan_id=plan_id or job.plan_id)


def store_refusal(
    engine: Engine, job: Job, held: Claim, refusal: Refusal, *, is_cancelled: bool, at: datetime
) -> None:
    """End a job that found nothing; one that was asked to stop is ``cancelled``, not failed.

    Raises
    ------
    ClaimLostError
        Where the job is no longer this worker's.
    """
    state = JobState.CANCELLED if is_cancelled else JobState.FAILED
    failure = None if is_cancelled else refusal.failure
    with writing(engine) as session:
        ended = job_store.finish(
            session, held, state, at=at, result=dict(refusal.result), failure=failure
        )
        if not ended:
            raise ClaimLostError
        announce(session, job, state, **_failure_facts(failure))


def _failure_facts(failure: JobFailure | None) -> Mapping[str, Any]:
    return {} if failure is None else {"code": failure.code, "facts": dict(failure.facts)}


def _store_plan(
    session: Session, job: Job, found: FoundPlan, at: datetime
) -> tuple[StoredPlan, bool]:
    """The stored plan, and whether it stands aside since its own was changed meanwhile."""
    state = PlanState(
        plan=found.plan,
        pins=dict(found.pins),
        step=dict(found.step),
        summary=dict(found.summary),
        num_violations=0,
    )
    if found.append_to is not None:
        plan_id, version = found.append_to
        try:
            stored = plan_store.append_state(
                session, plan_id, expect_version=version, state=state, at=at, by=job.created_by
            )
        except ConflictError:
            # Somebody has worked on the plan: his change stays, and so does what was found.
            return _add(session, job, found, state, at), True
        _tell_step(session, job, stored)
        return stored, False
    return _add(session, job, found, state, at), False


def _add(
    session: Session, job: Job, found: FoundPlan, state: PlanState, at: datetime
) -> StoredPlan:
    # Whoever changes the region closes and adds rows; one that was put away is no plan's home.
    region_store.region_revision(session, job.region_id)
    stored = plan_store.add_plan(
        session,
        plan_id=uuid.uuid4().hex,
        region_id=job.region_id,
        name=found.name,
        request=found.request,
        state=state,
        facts=dict(found.facts),
        at=at,
        by=job.created_by,
        from_plan_id=found.from_plan_id,
    )
    audit_store.record(
        session,
        _caller(job),
        ADDED,
        stored.plan_id,
        region_id=job.region_id,
        job_id=job.job_id,
        name=stored.name,
    )
    event_store.emit(
        session,
        "plan",
        stored.plan_id,
        job.region_id,
        version=stored.version,
        account_id=job.created_by,
    )
    return stored


def _tell_step(session: Session, job: Job, stored: StoredPlan) -> None:
    audit_store.record(
        session,
        _caller(job),
        STEP,
        stored.plan_id,
        region_id=job.region_id,
        version=stored.version,
        step=dict(stored.step),
    )
    event_store.emit(
        session,
        "plan",
        stored.plan_id,
        job.region_id,
        version=stored.version,
        account_id=job.created_by,
    )


def _caller(job: Job) -> Caller:
    return PROGRAM if job.created_by is None else Caller(account_id=job.created_by)

"""Long work asked for and stopped: checked first, then stored, then handed to the workers."""

import logging
import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from api.jobs.params import (
    AnyParams,
    ExplainParams,
    FleetSizeParams,
    FrontierParams,
    PlanParams,
    ReplanParams,
)
from api.jobs.queue import JobQueue
from api.jobs.storing import ADDED, announce
from api.services.dwelling import with_open_times
from api.services.needs import norm_set_of
from api.services.plan_frame import check_frame, with_nights
from api.words import Words
from data.db import audit_store, event_store, job_store, plan_store, region_store
from data.db.plan_store import PlanState, StoredPlan
from data.feeds.plan_bytes import pins_to_json, unpack_request
from data.model.accounts import Caller
from data.model.errors import ConflictError, InputError, NotFoundError, RequestError
from data.model.jobs import Job, JobState

log = logging.getLogger(__name__)

MOST_OPEN = 20
"""Jobs of one region that may wait and run; more would only wait."""
ASKED, STOPPED = "job.add", "job.cancel"
"""Actions of the audit log."""


def request_job(
    session: Session, region_id: str, params: AnyParams, *, by: Caller, words: Words, at: datetime
) -> Job:
    """Store a job, once what can be told at once is right; ``hand_out`` it after the commit.

    Raises
    ------
    NotFoundError
        ``region.unknown``, ``plan.unknown``.
    RequestError
        ``jobs.too_many``; as ``check_frame`` for dates, vehicles and rules that no plan can have.
    ConflictError
        ``region.closed``; ``store.stale`` where the plan has another version than the page shows.
    """
    _check_region(session, region_id)
    waiting = job_store.num_open(session, region_id)
    if waiting >= MOST_OPEN:
        raise RequestError("jobs.too_many", n=waiting, limit=MOST_OPEN)
    params = _checked(session, region_id, params, words, at)
    job = Job(
        job_id=uuid.uuid4().hex,
        region_id=region_id,
        kind=params.kind,
        params=params.model_dump(mode="json"),
        plan_id=getattr(params, "plan_id", None),
        created_at=at,
        created_by=by.account_id,
    )
    job_store.add_job(session, job)
    audit_store.record(session, by, ASKED, job.job_id, region_id=region_id, kind=job.kind.value)
    announce(session, job, JobState.QUEUED, fraction=0.0)
    return job


def hand_out(url: str, job: Job) -> None:
    """Offer a stored job to the workers; one that cannot be offered now is found by them later."""
    try:
        queue = JobQueue(url)
        try:
            queue.hand_out(job.job_id, job.kind)
        finally:
            queue.close()
    except Exception:  # the drivers share no error; the job itself is safe in its table
        log.warning("job.not_handed_out", extra={"job_id": job.job_id}, exc_info=True)


def cancel_job(session: Session, region_id: str, job_id: str, *, by: Caller, at: datetime) -> Job:
    """Ask that a job stops; one that has ended stays as it is.

    Raises
    ------
    NotFoundError
        ``jobs.unknown``.
    """
    before = job_store.get_job(session, job_id, region_id=region_id)
    job = job_store.cancel(session, job_id, region_id=region_id, at=at)
    if not before.state.is_ended and not before.is_cancelled:
        audit_store.record(session, by, STOPPED, job_id, region_id=region_id)
        announce(session, job, job.state, fraction=job.fraction, is_cancelled=True)
    return job


def keep_choice(
    session: Session,
    region_id: str,
    job_id: str,
    choice: str,
    *,
    name: str | None,
    by: Caller,
    words: Words,
    at: datetime,
) -> StoredPlan:
    """Make one of the plans that a job found a plan of the region.

    Raises
    ------
    NotFoundError
        ``jobs.unknown``, ``jobs.unknown_plan``.
    ConflictError
        ``jobs.kept_already``.
    """
    job = job_store.get_job(session, job_id, region_id=region_id)
    found, document = job_store.job_plan(session, job_id, choice)
    request = unpack_request(document.request)
    plan_id = uuid.uuid4().hex
    job_store.mark_kept(session, job_id, choice, plan_id)
    stored = plan_store.add_plan(
        session,
        plan_id=plan_id,
        region_id=region_id,
        name=name or words(f"jobs.name.{job.kind.value}", name=choice),
        request=document.request,
        state=PlanState(
            plan=document.plan,
            pins=pins_to_json(request.pins),
            step={"code": "step.begun", "job_id": job_id},
            summary=dict(found.summary),
            num_violations=0,
        ),
        facts=dict(found.facts),
        at=at,
        by=by.account_id,
    )
    audit_store.record(
        session, by, ADDED, plan_id, region_id=region_id, job_id=job_id, name=stored.name
    )
    event_store.emit(
        session, "plan", plan_id, region_id, version=stored.version, account_id=by.account_id
    )
    return stored


def _check_region(session: Session, region_id: str) -> None:
    regions = region_store.list_regions(session, with_closed=True)
    found = next((r for r in regions if r.region_id == region_id), None)
    if found is None:
        raise NotFoundError("region.unknown", region_id=region_id)
    if found.closed_at is not None:
        raise ConflictError("jobs.region_closed", region=region_id)


def _checked(
    session: Session, region_id: str, params: AnyParams, words: Words, at: datetime
) -> AnyParams:
    match params:
        case ReplanParams() | ExplainParams():
            stored = _plan(session, region_id, params.plan_id)
            if isinstance(params, ReplanParams):
                return _with_version(params, stored)
        case PlanParams():
            _check_wishes(params)
            if params.from_plan_id is not None:
                _plan(session, region_id, params.from_plan_id)
            else:
                _check_frame(session, region_id, params, params.num_vehicles, at)
            return params if params.name else _named(session, region_id, params, words, at)
        case FrontierParams():
            _check_frame(session, region_id, params, params.num_vehicles, at)
        case FleetSizeParams():
            _check_frame(session, region_id, params, params.num_vehicles, at)
    return params


def _check_wishes(params: PlanParams) -> None:
    """Refuse wishes that exclude one another or want an earlier plan."""
    if params.until_date is not None and params.weeks is not None:
        raise InputError(
            "request.until_and_weeks", until=params.until_date.isoformat(), weeks=params.weeks
        )
    if params.from_plan_id is None and params.keep:
        raise InputError("pins.keep_needs_start", text=params.keep[0])
    if params.from_plan_id is None and params.max_changes is not None:
        raise InputError("pins.cap_needs_start", max_changes=params.max_changes)
    with_open_times((), params.dwell)


def _plan(session: Session, region_id: str, plan_id: str) -> StoredPlan:
    stored = plan_store.get_plan(session, plan_id)
    if stored.region_id != region_id:
        raise NotFoundError("plan.unknown", plan_id=plan_id)
    return stored


def _with_version(params: ReplanParams, stored: StoredPlan) -> ReplanParams:
    if params.expect_version not in (None, stored.version):
        raise ConflictError(
            "store.stale",
            subject=stored.name,
            found=stored.version,
            expected=params.expect_version,
        )
    return params.model_copy(update={"expect_version": stored.version})


def _named(
    session: Session, region_id: str, params: PlanParams, words: Words, at: datetime
) -> PlanParams:
    zone = ZoneInfo(region_store.load_region(session, region_id).time_zone)
    name = words("jobs.name.plan", name=words.day(at.astimezone(zone).date()))
    return params.model_copy(update={"name": name})


def _check_frame(
    session: Session,
    region_id: str,
    params: PlanParams | FrontierParams | FleetSizeParams,
    num_vehicles: int | None,
    at: datetime,
) -> None:
    """Refuse at once what no plan can have; the rest is found out by the search."""
    region = region_store.load_region(session, region_id)
    norm_set_of(region, params.norm_set_id)
    until = None
    if isinstance(params, PlanParams):
        until = params.until_date
        region = with_nights(region, params.nights)
    today = at.astimezone(ZoneInfo(region.time_zone)).date()
    monday = today + timedelta(days=7 - today.weekday())
    check_frame(
        region,
        start_date=params.start_date or region.start_date or monday,
        weeks=params.weeks or region.standard.cycle_weeks,
        until_date=until,
        num_vehicles=num_vehicles,
    )

"""Long work: asked for, followed, stopped; plans to choose from kept."""

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response

from api.auth import Dispatcher, require_region
from api.conditions import Items, PagingDep, RepeatDep
from api.errors import problems
from api.language import words_of
from api.schemas.jobs import (
    EXAMPLES,
    ChoiceKeep,
    ChoicePublic,
    ChoicesPublic,
    JobCreate,
    JobDetail,
    JobPublic,
    KeptPublic,
)
from api.services.job_views import job_detail, job_public
from api.services.jobs import cancel_job, hand_out, keep_choice, request_job
from api.state import ServiceDep
from data.db import job_store
from data.db.engine import reading, writing
from data.model.jobs import JobKind, JobState

router = APIRouter(prefix="/regions/{region_id}/jobs", tags=["jobs"])


@router.post("", status_code=202, response_model=JobDetail, responses=problems(404, 409, 429))
def ask(
    region_id: str,
    body: Annotated[JobCreate, Body(openapi_examples=EXAMPLES)],
    request: Request,
    asking: Dispatcher,
    service: ServiceDep,
    repeat: RepeatDep,
) -> Response:
    """Ask for long work; the answer comes at once, the work goes on by itself.

    Follow it by events of the topic `job` whose subject is its `job_id`, or by asking for it
    again. Its end is `done`, `failed` or `cancelled`.
    """
    require_region(asking, region_id)
    words = words_of(request)
    with writing(service.engine) as session:
        if (before := repeat.answer(session)) is not None:
            return before
        job = request_job(session, region_id, body.root, by=asking, words=words, at=service.clock())
        headers = {"location": f"{request.url.path}/{job.job_id}"}
        answer = repeat.keep(session, 202, job_detail(words, job), headers)
    hand_out(service.settings.database_url, job)
    return answer


@router.get("", responses=problems(404))
def list_jobs(
    region_id: str,
    request: Request,
    asking: Dispatcher,
    service: ServiceDep,
    paging: PagingDep,
    state: Annotated[list[JobState] | None, Query(description="In these states.")] = None,
    kind: Annotated[list[JobKind] | None, Query(description="Of these kinds.")] = None,
    plan: Annotated[str | None, Query(max_length=36, description="About one plan.")] = None,
) -> Items[JobPublic]:
    """Jobs of a region, the newest first."""
    require_region(asking, region_id)
    words = words_of(request)
    with reading(service.engine) as session:
        found = job_store.list_jobs(
            session,
            region_id,
            states=tuple(state or ()),
            kinds=tuple(kind or ()),
            plan_id=plan,
            limit=paging.fetch,
            after=paging.after_text() or None,
        )
    return paging.page(found, lambda job: job_public(words, job), lambda job: (job.job_id,))


@router.get("/{job_id}", responses=problems(404))
def get_job(
    region_id: str, job_id: str, request: Request, asking: Dispatcher, service: ServiceDep
) -> JobDetail:
    """One job: how far it is, or what came of it."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        job = job_store.get_job(session, job_id, region_id=region_id)
    return job_detail(words_of(request), job)


@router.post("/{job_id}/cancel", responses=problems(404))
def cancel(
    region_id: str, job_id: str, request: Request, asking: Dispatcher, service: ServiceDep
) -> JobDetail:
    """Ask a job to stop; the best plan so far is kept. One that has ended stays as it is."""
    require_region(asking, region_id)
    with writing(service.engine) as session:
        job = cancel_job(session, region_id, job_id, by=asking, at=service.clock())
    return job_detail(words_of(request), job)


@router.get("/{job_id}/choices", responses=problems(404))
def list_choices(
    region_id: str, job_id: str, asking: Dispatcher, service: ServiceDep
) -> ChoicesPublic:
    """The plans that a job found to choose from."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        job_store.get_job(session, job_id, region_id=region_id)
        found = job_store.list_job_plans(session, job_id)
    return ChoicesPublic(
        items=[
            ChoicePublic(
                name=one.name,
                summary=dict(one.summary),
                facts=dict(one.facts),
                plan_id=one.plan_id,
            )
            for one in found
        ]
    )


@router.post(
    "/{job_id}/choices", status_code=201, response_model=KeptPublic, responses=problems(404, 409)
)
def keep(
    region_id: str,
    job_id: str,
    body: ChoiceKeep,
    request: Request,
    asking: Dispatcher,
    service: ServiceDep,
    repeat: RepeatDep,
) -> Response:
    """Keep one of a job's plans as a plan of the region."""
    require_region(asking, region_id)
    with writing(service.engine) as session:
        if (before := repeat.answer(session)) is not None:
            return before
        stored = keep_choice(
            session,
            region_id,
            job_id,
            body.choice,
            name=body.name,
            by=asking,
            words=words_of(request),
            at=service.clock(),
        )
        kept = KeptPublic(plan_id=stored.plan_id, name=stored.name, version=stored.version)
        headers = {"location": f"/api/v1/plans/{stored.plan_id}"}
        return repeat.keep(session, 201, kept, headers)

"""Requests for stops for other programs: residents ask and read, the desk scores and answers."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from sqlmodel import Session

from api.auth import Dispatcher, Staff, require_region
from api.errors import problems
from api.language import language_of
from api.pages.public_region import cache_of, named_pages
from api.schemas.fields import NUL_FREE
from api.schemas.stop_requests import (
    AnswerBody,
    CountBody,
    StopRequestBody,
    StopRequestPublic,
    StopRequestTaken,
    StopRequestTold,
)
from api.services import stop_requests
from api.state import ServiceDep
from data.db import publication_store, stop_request_store
from data.db.engine import reading, writing
from data.model.stop_request import RequestState

public = APIRouter(prefix="/public/{region_id}/stop-requests", tags=["public"])
desk = APIRouter(prefix="/regions/{region_id}/stop-requests", tags=["stop requests"])
RegionId = Annotated[str, Path(max_length=64, pattern=NUL_FREE, description="The region.")]
Secret = Annotated[str, Path(max_length=64, pattern=NUL_FREE, description="Told when one asked.")]
RequestId = Annotated[str, Path(max_length=36, pattern=NUL_FREE, description="The request.")]


@public.post("", status_code=201, responses=problems(404, 429))
def ask_for_a_stop(
    region_id: RegionId, body: StopRequestBody, request: Request, service: ServiceDep
) -> StopRequestTaken:
    """Ask for a stop; the answer will stand at an address that is told once."""
    published = cache_of(request).get(service.engine, region_id)
    language = language_of(request, published.timetable.language)
    _, secret = stop_requests.ask_for_stop(
        service,
        published,
        body.to_domain(),
        language=language,
        caller=request.client.host if request.client else "",
    )
    links = named_pages(request, service, published, language).links
    return StopRequestTaken(
        secret=secret,
        page=links.absolute(links.page(f"request/{secret}")),
        address=links.absolute(f"/api/v1/public/{region_id}/stop-requests/{secret}"),
    )


@public.get("/{secret}", responses=problems(404))
def get_own_request(region_id: RegionId, secret: Secret, service: ServiceDep) -> StopRequestTold:
    """A request and its answer, for whoever has its secret."""
    with reading(service.engine) as session:
        return StopRequestTold.of(stop_requests.asked_with(session, region_id, secret))


@desk.get("", responses=problems(404))
def list_stop_requests(
    region_id: RegionId,
    asking: Staff,
    service: ServiceDep,
    state: Annotated[RequestState, Query(description="What has become of them.")] = (
        RequestState.OPEN
    ),
) -> list[StopRequestPublic]:
    """At most 500 of a state: open ones by what they are worth, others the newest first."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        publication_store.region_head(session, region_id)
        found = stop_request_store.list_requests(session, region_id, states=[state])
    if state is RequestState.OPEN:
        found = tuple(sorted(found, key=lambda r: (-r.points, r.created_at)))
    return [StopRequestPublic.of(one) for one in found]


@desk.get("/{request_id}", responses=problems(404))
def get_stop_request(
    region_id: RegionId, request_id: RequestId, asking: Staff, service: ServiceDep
) -> StopRequestPublic:
    """One request with its score."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        return _told(session, region_id, request_id)


@desk.post("/{request_id}/score", responses=problems(404))
def score_stop_request(
    region_id: RegionId, request_id: RequestId, asking: Dispatcher, service: ServiceDep
) -> StopRequestPublic:
    """Work out what it is worth by the plan in force."""
    require_region(asking, region_id)
    return StopRequestPublic.of(
        stop_requests.score_request(service.engine, region_id, request_id, at=service.clock())
    )


@desk.put("/{request_id}/answer", responses=problems(404, 409))
def answer_stop_request(
    region_id: RegionId,
    request_id: RequestId,
    body: AnswerBody,
    asking: Dispatcher,
    service: ServiceDep,
) -> StopRequestPublic:
    """Answer it, once; whoever asked reads the answer at the secret address, or by letter."""
    require_region(asking, region_id)
    with writing(service.engine) as session:
        return StopRequestPublic.of(
            stop_requests.answer_request(
                session,
                region_id,
                request_id,
                body.state,
                body.answer,
                by=asking,
                at=service.clock(),
            )
        )


@desk.put("/{request_id}/count", responses=problems(404, 409))
def count_stop_request(
    region_id: RegionId,
    request_id: RequestId,
    body: CountBody,
    asking: Dispatcher,
    service: ServiceDep,
) -> StopRequestPublic:
    """Let the planner expect those who asked, or no longer."""
    require_region(asking, region_id)
    with writing(service.engine) as session:
        return StopRequestPublic.of(
            stop_requests.count_request(
                session, region_id, request_id, body.people, by=asking, at=service.clock()
            )
        )


def _told(session: Session, region_id: str, request_id: str) -> StopRequestPublic:
    return StopRequestPublic.of(stop_request_store.get_request(session, region_id, request_id))

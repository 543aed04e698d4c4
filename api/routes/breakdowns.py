"""Breakdowns: what becomes of the rest of a vehicle's day, shown before and done at once."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.auth import Dispatcher, require_region
from api.conditions import RepeatDep
from api.errors import problems
from api.schemas.breakdown import BreakdownBody, BreakdownPublic, DecidedBody
from api.schemas.fields import NUL_FREE
from api.schemas.publication import CancellationPublic
from api.services import breakdown
from api.services.plan_access import account_names
from api.state import ServiceDep
from data.db.engine import reading, writing

router = APIRouter(prefix="/regions/{region_id}/breakdowns", tags=["cancellations"])
RegionId = Annotated[str, Path(max_length=64, pattern=NUL_FREE, description="The region.")]


@router.post("/preview", responses=problems(404))
def preview_breakdown(
    region_id: RegionId, body: BreakdownBody, asking: Dispatcher, service: ServiceDep
) -> BreakdownPublic:
    """Who could take over the rest of a vehicle's day, and what would be lost."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        shown = breakdown.preview(session, region_id, body.to_asked(), at=service.clock())
    return BreakdownPublic.from_domain(shown)


@router.post("", status_code=201, response_model=CancellationPublic, responses=problems(404, 409))
def decide_breakdown(
    region_id: RegionId,
    body: DecidedBody,
    asking: Dispatcher,
    service: ServiceDep,
    repeat: RepeatDep,
) -> Response:
    """Hand over, move and cancel as decided; it is undone as a cancellation is."""
    require_region(asking, region_id)
    with writing(service.engine) as session:
        if (before := repeat.answer(session)) is not None:
            return before
        done = breakdown.decide(
            session,
            region_id,
            body.to_asked(),
            body.to_decided(),
            by=asking,
            at=service.clock(),
        )
        names = account_names(session, [done.created_by])
        headers = {"location": f"/api/v1/regions/{region_id}/cancellations/{done.exception_id}"}
        return repeat.keep(session, 201, CancellationPublic.from_domain(done, names), headers)

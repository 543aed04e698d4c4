"""Cancelling visits: shown before, done at once, taken back in one step."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from sqlmodel import Session

from api.auth import Dispatcher, Staff, require_region
from api.conditions import RepeatDep
from api.errors import problems
from api.schemas.fields import NUL_FREE
from api.schemas.publication import CancelBody, CancellationPublic, CancelPreviewPublic
from api.services import cancelling
from api.services.circulation_followed import would_follow
from api.services.plan_access import account_names
from api.state import ServiceDep
from data.db import publication_store
from data.db.engine import reading, writing
from data.model.cancellation import ServiceException

router = APIRouter(prefix="/regions/{region_id}/cancellations", tags=["cancellations"])
RegionId = Annotated[str, Path(max_length=64, pattern=NUL_FREE, description="The region.")]
ExceptionKey = Annotated[
    str, Path(max_length=40, pattern=NUL_FREE, description="Id of the cancellation.")
]


@router.get("", responses=problems(404))
def list_cancellations(
    region_id: RegionId,
    asking: Staff,
    service: ServiceDep,
    first: Annotated[
        date | None, Query(alias="from", description="Those that last so long.")
    ] = None,
    last: Annotated[
        date | None, Query(alias="until", description="Those that begin by it.")
    ] = None,
    undone: Annotated[bool, Query(description="Those taken back too.")] = False,
) -> list[CancellationPublic]:
    """What was cancelled, the newest first."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        publication_store.region_head(session, region_id)
        found = publication_store.list_exceptions(
            session, region_id, from_date=first, until_date=last, with_undone=undone
        )
        return [_public(session, exception) for exception in found]


@router.get("/{exception_id}", responses=problems(404))
def get_cancellation(
    region_id: RegionId, exception_id: ExceptionKey, asking: Staff, service: ServiceDep
) -> CancellationPublic:
    """One cancellation with everything that followed from it."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        found = publication_store.get_exception(session, region_id, exception_id)
        return _public(session, found)


@router.post("/preview", responses=problems(404))
def preview_cancellation(
    region_id: RegionId, body: CancelBody, asking: Dispatcher, service: ServiceDep
) -> CancelPreviewPublic:
    """Which visits would be cancelled, and what their stops have instead; nothing is stored."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        shown = cancelling.preview(session, region_id, body.to_domain(), at=service.clock())
    followed = would_follow(service, region_id, shown.visits)
    return CancelPreviewPublic.from_domain(shown, followed)


@router.post("", status_code=201, response_model=CancellationPublic, responses=problems(404, 409))
def cancel(
    region_id: RegionId,
    body: CancelBody,
    asking: Dispatcher,
    service: ServiceDep,
    repeat: RepeatDep,
) -> Response:
    """Cancel, with page, calendars, notices and all else that hangs on the visits."""
    require_region(asking, region_id)
    with writing(service.engine) as session:
        if (before := repeat.answer(session)) is not None:
            return before
        done = cancelling.cancel(
            session, region_id, body.to_domain(), seen=body.seen, by=asking, at=service.clock()
        )
        headers = {"location": f"/api/v1/regions/{region_id}/cancellations/{done.exception_id}"}
        return repeat.keep(session, 201, _public(session, done), headers)


@router.post("/{exception_id}/undo", responses=problems(404, 409))
def undo(
    region_id: RegionId, exception_id: ExceptionKey, asking: Dispatcher, service: ServiceDep
) -> CancellationPublic:
    """Take a cancellation back: everything is as it was, and calendars learn of it."""
    require_region(asking, region_id)
    with writing(service.engine) as session:
        undone = cancelling.undo(session, region_id, exception_id, by=asking, at=service.clock())
        return _public(session, undone)


def _public(session: Session, exception: ServiceException) -> CancellationPublic:
    names = account_names(session, [exception.created_by, exception.undone_by])
    return CancellationPublic.from_domain(exception, names)

"""Published timetables: versions, what a publication would change, publishing."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.auth import Dispatcher, Staff, require_region
from api.conditions import IfMatchDep, Items, PagingDep, RepeatDep, etag
from api.errors import problems
from api.schemas.fields import NUL_FREE
from api.schemas.publication import PreviewPublic, PublishBody, TimetablePublic
from api.services import publishing
from api.services.plan_access import account_names
from api.state import ServiceDep
from data.db import publication_store
from data.db.engine import reading, writing

router = APIRouter(prefix="/regions/{region_id}/timetables", tags=["timetables"])
RegionId = Annotated[str, Path(max_length=64, pattern=NUL_FREE, description="The region.")]


@router.get("", responses=problems(404))
def list_timetables(
    region_id: RegionId, asking: Staff, service: ServiceDep, paging: PagingDep
) -> Items[TimetablePublic]:
    """Versions, the newest first; the ETag guards a publication."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        publication_store.region_head(session, region_id)
        found = publication_store.list_timetables(
            session, region_id, limit=paging.fetch, before=paging.after_number()
        )
        state = publication_store.publication_state(session, region_id)
        names = account_names(session, (t.published_by for t in found))
    paging.response.headers["etag"] = etag(state.revision)
    return paging.page(
        found, lambda t: TimetablePublic.from_domain(t, names), lambda t: (t.version,)
    )


@router.get("/{version}", responses=problems(404))
def get_timetable(
    region_id: RegionId,
    version: Annotated[int, Path(ge=1, le=2**31 - 1)],
    asking: Staff,
    service: ServiceDep,
) -> TimetablePublic:
    """One version."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        found = publication_store.get_timetable(session, region_id, version)
        names = account_names(session, [found.published_by])
    return TimetablePublic.from_domain(found, names)


@router.post("/preview", responses=problems(404))
def preview_publication(
    region_id: RegionId,
    body: PublishBody,
    asking: Dispatcher,
    service: ServiceDep,
    response: Response,
) -> PreviewPublic:
    """What publishing a plan would change for readers; nothing is stored."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        shown = publishing.preview(session, region_id, body.to_domain(), at=service.clock())
    response.headers["etag"] = etag(shown.revision)
    return PreviewPublic.from_domain(shown)


@router.post(
    "",
    status_code=201,
    response_model=TimetablePublic,
    responses=problems(404, 409, 412, 428),
)
def publish(
    region_id: RegionId,
    body: PublishBody,
    asking: Dispatcher,
    service: ServiceDep,
    match: IfMatchDep,
    repeat: RepeatDep,
) -> Response:
    """Promise a plan's visits to readers: one version, or nothing."""
    require_region(asking, region_id)
    with writing(service.engine) as session:
        if (before := repeat.answer(session)) is not None:
            return before
        made = publishing.publish(
            session,
            region_id,
            body.to_domain(),
            expect_revision=match.revision,
            by=asking,
            at=service.clock(),
        )
        state = publication_store.publication_state(session, region_id)
        names = account_names(session, [made.published_by])
        headers = {
            "etag": etag(state.revision),
            "location": f"/api/v1/regions/{region_id}/timetables/{made.version}",
        }
        return repeat.keep(session, 201, TimetablePublic.from_domain(made, names), headers)

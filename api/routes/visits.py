"""Promised stop visits, and make-up visits for cancelled ones."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.auth import Dispatcher, Staff, require_region
from api.conditions import Items, PagingDep, RepeatDep
from api.errors import problems
from api.schemas.fields import NUL_FREE
from api.schemas.publication import OfferBody, OfferPublic, VisitPublic
from api.services import make_up
from api.state import ServiceDep
from data.db import publication_store
from data.db.engine import reading, writing
from data.model.errors import InputError
from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.publication import PromisedVisit, VisitId, VisitState

router = APIRouter(prefix="/regions/{region_id}/visits", tags=["visits"])
RegionId = Annotated[str, Path(max_length=64, pattern=NUL_FREE, description="The region.")]
VisitKey = Annotated[
    str, Path(max_length=40, pattern=NUL_FREE, description="Lasting id of the visit.")
]


@router.get("", responses=problems(404))
def list_visits(
    region_id: RegionId,
    asking: Staff,
    service: ServiceDep,
    paging: PagingDep,
    first: Annotated[date | None, Query(alias="from", description="First service date.")] = None,
    last: Annotated[date | None, Query(alias="until", description="Last one.")] = None,
    stop: Annotated[str | None, Query(max_length=120, pattern=NUL_FREE)] = None,
    vehicle: Annotated[str | None, Query(max_length=120, pattern=NUL_FREE)] = None,
    state: Annotated[list[VisitState] | None, Query()] = None,
) -> Items[VisitPublic]:
    """Visits by date and time, whatever has become of them."""
    require_region(asking, region_id)
    start = _after(paging.after)
    with reading(service.engine) as session:
        publication_store.region_head(session, region_id)
        found = publication_store.load_visits(
            session,
            region_id,
            from_date=max(filter(None, (first, start and start[0])), default=None),
            until_date=last,
            stop_id=None if stop is None else StopId(stop),
            vehicle_id=None if vehicle is None else VehicleId(vehicle),
            states=state or (),
        )
    left = [v for v in found if start is None or _key(v) > start]
    return paging.page(
        left[: paging.fetch],
        VisitPublic.from_domain,
        lambda v: (v.service_date.isoformat(), *_key(v)[1:]),
    )


type _Key = tuple[date, str, int, str]


def _key(visit: PromisedVisit) -> _Key:
    return visit.service_date, visit.vehicle_id, visit.start_s, visit.visit_id


def _after(cursor: tuple[object, ...] | None) -> _Key | None:
    match cursor:
        case None:
            return None
        case (str() as on, str() as vehicle_id, int() as start_s, str() as visit_id):
            try:
                return date.fromisoformat(on), vehicle_id, start_s, visit_id
            except ValueError:
                pass
    raise InputError("request.bad_cursor")


@router.get("/{visit_id}", responses=problems(404))
def get_visit(
    region_id: RegionId, visit_id: VisitKey, asking: Staff, service: ServiceDep
) -> VisitPublic:
    """One visit."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        (visit,) = publication_store.get_visits(session, region_id, [VisitId(visit_id)])
    return VisitPublic.from_domain(visit)


@router.get("/{visit_id}/make-ups", responses=problems(404, 409))
def list_offers(
    region_id: RegionId, visit_id: VisitKey, asking: Dispatcher, service: ServiceDep
) -> list[OfferPublic]:
    """Free places for a visit instead of a cancelled one, the best first."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        found = make_up.offers(session, region_id, VisitId(visit_id), at=service.clock())
    return [OfferPublic.from_domain(offer) for offer in found]


@router.post(
    "/{visit_id}/make-ups",
    status_code=201,
    response_model=VisitPublic,
    responses=problems(404, 409),
)
def accept_offer(
    region_id: RegionId,
    visit_id: VisitKey,
    body: OfferBody,
    asking: Dispatcher,
    service: ServiceDep,
    repeat: RepeatDep,
) -> Response:
    """Promise a make-up visit."""
    require_region(asking, region_id)
    with writing(service.engine) as session:
        if (before := repeat.answer(session)) is not None:
            return before
        visit = make_up.accept(
            session, region_id, VisitId(visit_id), body.key, by=asking, at=service.clock()
        )
        headers = {"location": f"/api/v1/regions/{region_id}/visits/{visit.visit_id}"}
        return repeat.keep(session, 201, VisitPublic.from_domain(visit), headers)

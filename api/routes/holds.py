"""Holds of readers, and the lists of what to load and to hand over on a vehicle's day."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.auth import require_region
from api.errors import problems
from api.routes.circulation import Librarian, RegionId
from api.routes.tablet import Aboard
from api.schemas.fields import NUL_FREE
from api.schemas.holds import (
    DayListsPublic,
    HoldCreate,
    HoldPlaced,
    SetAside,
    SetAsideCreate,
)
from api.services import circulation_day
from api.state import ServiceDep
from data.model.fleet import VehicleId
from data.model.place import StopId

router = APIRouter(prefix="/regions/{region_id}/circulation", tags=["circulation"])


@router.post("/holds", status_code=201, responses=problems(404))
def post_hold(
    region_id: RegionId, body: HoldCreate, asking: Librarian, service: ServiceDep
) -> HoldPlaced:
    """Take a reader's hold of a title at a stop."""
    require_region(asking, region_id)
    hold_id = circulation_day.place_hold(
        service,
        region_id,
        title_id=body.title_id,
        patron_id=body.patron_id,
        stop_id=StopId(body.stop_id),
        by=asking,
        at=service.clock(),
    )
    return HoldPlaced(hold_id=hold_id)


@router.delete("/holds/{hold_id}", status_code=204, responses=problems(404))
def delete_hold(
    region_id: RegionId,
    hold_id: Annotated[str, Path(max_length=64, pattern=NUL_FREE)],
    asking: Librarian,
    service: ServiceDep,
) -> None:
    """Give a hold up."""
    require_region(asking, region_id)
    circulation_day.cancel_hold(service, region_id, hold_id, by=asking, at=service.clock())


@router.post("/set-aside", responses=problems(404))
def post_set_aside(
    region_id: RegionId, body: SetAsideCreate, asking: Librarian, service: ServiceDep
) -> SetAside:
    """Set items aside for the holds of a run's stops, the oldest hold first."""
    require_region(asking, region_id)
    num = circulation_day.set_holds_aside(
        service,
        region_id,
        VehicleId(body.vehicle),
        body.date,
        by=asking,
        at=service.clock(),
    )
    return SetAside(num_ready=num)


@router.get("/lists", responses=problems(404))
def get_lists(
    region_id: RegionId,
    asking: Aboard,
    service: ServiceDep,
    vehicle: Annotated[str, Query(max_length=120, pattern=NUL_FREE)],
    on: Annotated[date, Query(alias="date")],
) -> DayListsPublic:
    """What to hand over at each stop of a run, and what must come aboard before it."""
    require_region(asking, region_id)
    return DayListsPublic.from_domain(
        circulation_day.day_lists(service, region_id, VehicleId(vehicle), on)
    )

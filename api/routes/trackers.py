"""Trackers of a region, and devices that knocked and were refused."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.auth import Dispatcher, require_region
from api.errors import problems
from api.road import RoadDep
from api.schemas.fields import NUL_FREE
from api.schemas.trackers import (
    Adoption,
    TrackerCreate,
    TrackerPublic,
    TrackerSetUp,
    TrackerUpdate,
    UnknownDevicePublic,
)
from api.services import trackers as changes
from api.services.trackers import NewTracker, SetUp
from api.state import ServiceDep
from data.db import publication_store, tracker_store
from data.db.engine import reading
from data.model.fleet import VehicleId
from data.model.tracker import Protocol

router = APIRouter(prefix="/regions/{region_id}", tags=["trackers"])
RegionId = Annotated[str, Path(max_length=64, pattern=NUL_FREE, description="The region.")]
TrackerKey = Annotated[str, Path(max_length=40, pattern=NUL_FREE)]


def _shown(found: SetUp) -> TrackerSetUp:
    return TrackerSetUp(
        tracker=TrackerPublic.from_domain(found.tracker),
        secret=found.secret,
        address=found.address,
    )


@router.get("/trackers", responses=problems(404))
def list_trackers(
    region_id: RegionId,
    asking: Dispatcher,
    service: ServiceDep,
    closed: Annotated[bool, Query(description="Closed ones too.")] = False,
) -> list[TrackerPublic]:
    """Trackers by vehicle; servers that forward for many first."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        publication_store.region_head(session, region_id)
        found = tracker_store.list_trackers(session, region_id, with_closed=closed)
    return [TrackerPublic.from_domain(tracker) for tracker in found]


@router.post("/trackers", status_code=201, responses=problems(404, 409))
def add_tracker(
    region_id: RegionId,
    body: TrackerCreate,
    asking: Dispatcher,
    service: ServiceDep,
    road: RoadDep,
) -> TrackerSetUp:
    """Take positions of a device; the answer tells its secret this once."""
    asked = NewTracker(
        vehicle_id=None if body.vehicle_id is None else VehicleId(body.vehicle_id),
        protocol=body.protocol,
        external_id=body.external_id,
        name=body.name,
        needs_secret=body.needs_secret,
    )
    found = changes.add_tracker(service, asking, region_id, asked)
    road.known.forget()
    return _shown(found)


@router.get("/trackers/{tracker_id}", responses=problems(404))
def get_tracker(
    region_id: RegionId, tracker_id: TrackerKey, asking: Dispatcher, service: ServiceDep
) -> TrackerPublic:
    """One tracker."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        return TrackerPublic.from_domain(changes.own_tracker(session, region_id, tracker_id))


@router.patch("/trackers/{tracker_id}", responses=problems(404))
def rename_tracker(
    region_id: RegionId,
    tracker_id: TrackerKey,
    body: TrackerUpdate,
    asking: Dispatcher,
    service: ServiceDep,
) -> TrackerPublic:
    """Call a tracker otherwise."""
    return TrackerPublic.from_domain(
        changes.rename(service, asking, region_id, tracker_id, body.name)
    )


@router.delete("/trackers/{tracker_id}", responses=problems(404))
def close_tracker(
    region_id: RegionId,
    tracker_id: TrackerKey,
    asking: Dispatcher,
    service: ServiceDep,
    road: RoadDep,
) -> TrackerPublic:
    """Take no more positions of a tracker; its tracks stay as long as tracks are kept."""
    closed = changes.close(service, asking, region_id, tracker_id)
    road.known.forget()
    return TrackerPublic.from_domain(closed)


@router.post("/trackers/{tracker_id}/secret", responses=problems(404))
def renew_secret(
    region_id: RegionId,
    tracker_id: TrackerKey,
    asking: Dispatcher,
    service: ServiceDep,
    road: RoadDep,
) -> TrackerSetUp:
    """Another secret; the one before no longer works."""
    found = changes.renew_secret(service, asking, region_id, tracker_id)
    road.known.forget()
    return _shown(found)


@router.get("/unknown-devices", responses=problems(404))
def list_unknown(
    region_id: RegionId, asking: Dispatcher, service: ServiceDep, road: RoadDep
) -> list[UnknownDevicePublic]:
    """Devices that were refused lately, the one heard of last first; they are of no region yet."""
    require_region(asking, region_id)
    road.known.write_notes()
    with reading(service.engine) as session:
        publication_store.region_head(session, region_id)
        found = tracker_store.list_unknown(session)
    return [UnknownDevicePublic.from_domain(device) for device in found]


@router.post(
    "/unknown-devices/{protocol}/{external_id:path}/adoption",
    status_code=201,
    responses=problems(404, 409),
)
def adopt(
    region_id: RegionId,
    protocol: Protocol,
    external_id: Annotated[str, Path(max_length=100, pattern=NUL_FREE)],
    body: Adoption,
    asking: Dispatcher,
    service: ServiceDep,
    road: RoadDep,
) -> TrackerSetUp:
    """Say which vehicle a refused device rides on."""
    road.known.write_notes()
    asked = NewTracker(
        vehicle_id=VehicleId(body.vehicle_id),
        protocol=protocol,
        external_id=external_id,
        name=body.name,
        needs_secret=body.needs_secret,
    )
    found = changes.adopt(service, asking, region_id, protocol, external_id, asked)
    road.known.forget()
    return _shown(found)

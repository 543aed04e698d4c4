"""Vehicles on the road now, their planned and driven ways, warnings."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from api.auth import Dispatcher, Staff, require_region
from api.conditions import Items, PagingDep
from api.errors import problems
from api.schemas.fields import NUL_FREE
from api.schemas.live import (
    Acknowledgement,
    AlertPublic,
    LiveBoard,
    TrackPublic,
    VehicleLive,
)
from api.services import alerting, live_view
from api.services.live_shapes import shown_alert, shown_board, shown_tracks, shown_vehicle
from api.state import ServiceDep
from data.db import alert_store, audit_store, publication_store
from data.db.alert_store import AlertState
from data.db.engine import reading, writing
from data.model.errors import InputError
from data.model.fleet import VehicleId

router = APIRouter(prefix="/regions/{region_id}", tags=["live"])
RegionId = Annotated[str, Path(max_length=64, pattern=NUL_FREE, description="The region.")]
VehicleKey = Annotated[str, Path(max_length=120, pattern=NUL_FREE, description="The vehicle.")]
Dated = Annotated[date, Query(alias="date", description="Service date.")]
MOST_REVISION = 2**62


@router.get("/live", responses=problems(404))
def get_live(
    region_id: RegionId,
    asking: Staff,
    service: ServiceDep,
    since: Annotated[
        int | None,
        Query(ge=0, le=MOST_REVISION, description="Only vehicles that changed after it."),
    ] = None,
) -> LiveBoard:
    """Every vehicle as it is now, and the warnings that go on."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        found = live_view.board(session, region_id, at=service.clock(), since=since)
    return shown_board(found)


@router.get("/live/{vehicle_id}", responses=problems(404))
def get_vehicle(
    region_id: RegionId,
    vehicle_id: VehicleKey,
    asking: Staff,
    service: ServiceDep,
    on: Annotated[date | None, Query(alias="date", description="An earlier service date.")] = None,
) -> VehicleLive:
    """One vehicle as it is now, or as an earlier day ended."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        at = service.clock()
        if on is not None:
            at = min(at, live_view.end_of(session, region_id, on))
        found = live_view.board(session, region_id, at=at, vehicle_id=VehicleId(vehicle_id))
    return shown_vehicle(found, found.vehicles[0])


@router.get("/live/{vehicle_id}/line", responses=problems(404))
def get_line(
    region_id: RegionId, vehicle_id: VehicleKey, on: Dated, asking: Staff, service: ServiceDep
) -> dict[str, Any]:
    """The way that a vehicle is to drive on a date: GeoJSON, one feature a leg."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        publication_store.region_head(session, region_id)
        _, legs, follows_roads = live_view.planned_line(
            session, region_id, VehicleId(vehicle_id), on
        )
    return {
        "type": "FeatureCollection",
        "follows_roads": follows_roads,
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "LineString", "coordinates": [list(p) for p in leg]},
                "properties": {"leg": number},
            }
            for number, leg in enumerate(legs)
        ],
    }


@router.get("/tracks/{vehicle_id}", responses=problems(404))
def get_track(
    region_id: RegionId, vehicle_id: VehicleKey, on: Dated, asking: Dispatcher, service: ServiceDep
) -> TrackPublic:
    """The way that a vehicle drove on a date, and what was left out of it with the reasons."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        tracks = live_view.day_tracks(session, region_id, VehicleId(vehicle_id), on)
    return shown_tracks(VehicleId(vehicle_id), on, tracks)


@router.get("/alerts", responses=problems(404))
def list_alerts(
    region_id: RegionId,
    asking: Staff,
    service: ServiceDep,
    paging: PagingDep,
    state: Annotated[AlertState, Query(description="open: those that go on.")] = AlertState.OPEN,
    first: Annotated[date | None, Query(alias="from", description="First service date.")] = None,
    last: Annotated[date | None, Query(alias="until", description="Last one.")] = None,
    vehicle: Annotated[str | None, Query(max_length=120, pattern=NUL_FREE)] = None,
) -> Items[AlertPublic]:
    """Warnings, the newest first."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        found = alert_store.list_alerts(
            session,
            region_id,
            state=state,
            from_date=first,
            until_date=last,
            vehicle_id=None if vehicle is None else VehicleId(vehicle),
            limit=paging.fetch,
            before=_before(paging.after),
        )
        names = live_view.board_names(session, region_id, found, at=service.clock())
    return paging.page(
        found,
        lambda alert: shown_alert(names, alert),
        lambda alert: (alert.raised_at.isoformat(), alert.alert_id),
    )


@router.post("/alerts/{alert_id}/acknowledgement", responses=problems(404))
def acknowledge(
    region_id: RegionId,
    alert_id: Annotated[str, Path(max_length=40, pattern=NUL_FREE)],
    body: Acknowledgement,
    asking: Dispatcher,
    service: ServiceDep,
) -> AlertPublic:
    """Say that a warning has been seen, and what is done about it."""
    require_region(asking, region_id)
    with writing(service.engine) as session:
        alert = alert_store.acknowledge(
            session,
            region_id,
            alert_id,
            at=service.clock(),
            by=asking.account_id,
            note=body.note.strip(),
        )
        audit_store.record(
            session,
            asking,
            "alert.acknowledge",
            alert_id,
            region_id=region_id,
            kind=alert.kind.value,
            vehicle=str(alert.vehicle_id),
        )
        alerting.tell(session, alert, "acknowledged")
        names = live_view.board_names(session, region_id, [alert], at=service.clock())
    return shown_alert(names, alert)


def _before(after: tuple[Any, ...] | None) -> tuple[datetime, str] | None:
    if after is None:
        return None
    try:
        at, alert_id = after
        found = datetime.fromisoformat(at), str(alert_id)
    except (ValueError, TypeError):
        raise InputError("request.bad_cursor") from None
    if found[0].tzinfo is None or "\x00" in found[1]:
        raise InputError("request.bad_cursor")
    return found

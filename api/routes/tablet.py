"""A tablet's day and its map."""

import gzip
from datetime import date
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import FileResponse

from api.auth import Caller, Role, require, require_region
from api.errors import problems
from api.schemas.fields import NUL_FREE
from api.schemas.tablet import TabletDay
from api.services.basemaps import desk_basemap
from api.services.region_parts import parts_of
from api.services.tablet_day import DayAsked, tablet_day
from api.state import Service, ServiceDep
from data.db.engine import reading
from data.model.errors import BookmobileError, InputError
from data.model.fleet import VehicleId

router = APIRouter(prefix="/tablet", tags=["tablet"])
Aboard = Annotated[Caller, Depends(require(Role.CREW, Role.LIBRARIAN, Role.DISPATCHER))]
RegionQuery = Annotated[
    str | None,
    Query(max_length=64, pattern=NUL_FREE, description="A paired tablet may leave it out."),
]
HOUR = "private, max-age=3600"
GZIP_LEVEL = 6


@router.get("/day", response_model=TabletDay, responses=problems(404) | {304: {}})
def get_day(
    request: Request,
    asking: Aboard,
    service: ServiceDep,
    region_id: RegionQuery = None,
    vehicle: Annotated[
        str | None,
        Query(max_length=120, pattern=NUL_FREE, description="Default: the one it rides on."),
    ] = None,
    on: Annotated[
        date | None, Query(alias="date", description="Service date; default: today's.")
    ] = None,
) -> Response:
    """Run, stop cards, readers of the day's stops, items and rules, for a day without a network."""
    region = region_of(asking, region_id)
    vehicle_id = vehicle or asking.vehicle_id
    if vehicle_id is None:
        raise InputError("tablet.no_vehicle")
    day = tablet_day(
        service,
        DayAsked(
            region_id=region,
            vehicle_id=VehicleId(vehicle_id),
            on=on,
            caller=asking,
            basemap=basemap_of(request, service, region),
            words_version=request.app.state.static_version,
            at=service.clock(),
        ),
    )
    headers = {
        "etag": f'"{day.version}"',
        "cache-control": "private, no-cache",
        "vary": "accept-encoding, authorization, cookie",
    }
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    body = day.model_dump_json().encode()
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        body = gzip.compress(body, GZIP_LEVEL, mtime=0)
    return Response(body, media_type="application/json", headers=headers)


@router.get("/map.pmtiles", response_class=FileResponse, responses=problems(404))
def get_map(
    request: Request, asking: Aboard, service: ServiceDep, region_id: RegionQuery = None
) -> FileResponse:
    """The map of the district, to be kept on the tablet; answers to ranges."""
    with reading(service.engine) as session:
        region, _ = parts_of(request).regions.load(session, region_of(asking, region_id))
    path = desk_basemap(region, service.settings)
    return FileResponse(path, media_type="application/vnd.pmtiles", headers={"cache-control": HOUR})


def region_of(asking: Caller, region_id: str | None) -> str:
    """The region that is asked for, or the only one of whoever asks.

    Raises
    ------
    InputError
        ``tablet.no_region``.
    AccessError
        ``access.region``.
    """
    if region_id is None:
        if len(asking.region_ids) != 1:
            raise InputError("tablet.no_region")
        (region_id,) = asking.region_ids
    require_region(asking, region_id)
    return region_id


def basemap_of(request: Request, service: Service, region_id: str) -> Path | None:
    """The region's map; a region of which nothing can be drawn has none."""
    with reading(service.engine) as session:
        region, _ = parts_of(request).regions.load(session, region_id)
    try:
        return desk_basemap(region, service.settings)
    except BookmobileError:
        return None

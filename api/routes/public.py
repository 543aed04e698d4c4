"""What residents are told, for other programs: no account."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from api.errors import problems
from api.language import language_of
from api.limiter import Limit
from api.pages.public import cache_of, pages_of
from api.schemas.fields import NUL_FREE
from api.schemas.public import (
    NoticePublic,
    PublicStopModel,
    PublicStopWhole,
    PublicVisit,
)
from api.services.public_pages import PublicPages
from api.state import ServiceDep
from data.model.errors import InputError
from data.model.place import StopId
from data.model.place_search import QUERY_CHARS
from data.model.public_timetable import PublicStop
from data.model.publication import PromisedVisit

router = APIRouter(prefix="/public/{region_id}", tags=["public"])
RegionId = Annotated[str, Path(max_length=64, pattern=NUL_FREE, description="The region.")]
CORS = {"access-control-allow-origin": "*"}
MOST_NEAR = 10


def _pages(request: Request, service: ServiceDep, region_id: str) -> PublicPages:
    published = cache_of(request).get(service.engine, region_id)
    return pages_of(service, published, language_of(request, published.timetable.language))


@router.get("/stops", responses=problems(404, 429))
def find_stops(
    region_id: RegionId,
    request: Request,
    service: ServiceDep,
    response: Response,
    q: Annotated[str | None, Query(max_length=QUERY_CHARS, description="Village or stop.")] = None,
    lon: Annotated[float | None, Query(ge=-180, le=180)] = None,
    lat: Annotated[float | None, Query(ge=-90, le=90)] = None,
) -> list[PublicStopModel]:
    """Stops with their next real visit: by name, or nearest first; without either all of them."""
    if (lon is None) != (lat is None):
        raise InputError("public.bad_position")
    response.headers.update(CORS)
    pages = _pages(request, service, region_id)
    if q or lon is not None:
        service.limiter.check(Limit.SEARCH, request.client.host if request.client else "")
    found: list[tuple[PublicStop, float | None]]
    if lon is not None and lat is not None:
        found = [*pages.timetable.nearest(lon, lat, most=MOST_NEAR)]
    elif q:
        found = pages.stops_named(q)
    else:
        found = [(stop, None) for stop in pages.timetable.stops]
    return [PublicStopModel(**_stop(pages, stop, metres)) for stop, metres in found]


@router.get("/stops/{stop_id:path}", responses=problems(404))
def get_stop(
    region_id: RegionId,
    stop_id: Annotated[str, Path(max_length=120, pattern=NUL_FREE)],
    request: Request,
    service: ServiceDep,
    response: Response,
) -> PublicStopWhole:
    """A stop with all its coming visits, cancelled ones too."""
    response.headers.update(CORS)
    pages = _pages(request, service, region_id)
    stop = pages.place(StopId(stop_id))
    coming = pages.timetable.coming(stop.stop_id, pages.now)
    return PublicStopWhole(
        **_stop(pages, stop, None),
        rhythm=[f"{rule}, {time}" for rule, time in pages.views.rhythm(stop.stop_id)],
        visits=[_visit(pages, v) for v in coming],
    )


@router.get("/notices", responses=problems(404))
def list_notices(
    region_id: RegionId, request: Request, service: ServiceDep, response: Response
) -> list[NoticePublic]:
    """Notices that are shown now, the newest first."""
    response.headers.update(CORS)
    pages = _pages(request, service, region_id)
    known = pages.timetable.stop_of
    return [
        NoticePublic(
            notice_id=n.notice_id,
            stop_id=n.stop_id,
            stop=known[n.stop_id].name,
            text=pages.views.notice(n).text,
            created_at=n.created_at,
        )
        for n in pages.timetable.notices
        if n.is_shown(pages.now[0]) and n.stop_id in known
    ]


def _stop(pages: PublicPages, stop: PublicStop, metres: float | None) -> dict[str, Any]:
    following = pages.timetable.next_visit(stop.stop_id, pages.now)
    links = pages.links
    return {
        "stop_id": stop.stop_id,
        "name": stop.name,
        "community": stop.community,
        "lon": stop.lon,
        "lat": stop.lat,
        "step_free": stop.step_free,
        "page": links.absolute(links.stop(stop.stop_id)),
        "calendar": links.absolute(links.stop_ics(stop.stop_id)),
        "distance_m": None if metres is None else round(metres),
        "next": None if following is None else _visit(pages, following),
    }


def _visit(pages: PublicPages, visit: PromisedVisit) -> PublicVisit:
    timetable, words = pages.timetable, pages.words
    instead = timetable.make_up_of.get(visit.visit_id)
    return PublicVisit(
        visit_id=visit.visit_id,
        opens_date=visit.opens_date,
        opens=words.clock(visit.opens_s),
        closes=words.clock(visit.closes_s),
        vehicle=timetable.vehicles.get(visit.vehicle_id, visit.vehicle_id),
        state=visit.state,
        reason=words(f"cancel.reason.{visit.reason}") if visit.reason else "",
        make_up_for=visit.make_up_for,
        replaced_by=None if instead is None else instead.visit_id,
    )

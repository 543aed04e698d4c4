"""What residents are told, for other programs: no account."""

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from api.conditions import names_tag
from api.errors import problems
from api.language import language_of
from api.limiter import Limit, network_asking
from api.pages.public_feed import OPEN
from api.pages.public_region import cache_of, named_pages
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
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "As it was."}}
MOST_NEAR = 10


def _pages(request: Request, service: ServiceDep, region_id: str) -> PublicPages:
    published = cache_of(request).get(service.engine, region_id)
    language = language_of(request, published.timetable.language)
    return named_pages(request, service, published, language)


def _unchanged(request: Request, response: Response, pages: PublicPages) -> Response | None:
    """The answer that nothing has changed; else the headers by which one asks again.

    What is told depends on the language, on what is published, on the day and on the visits that
    are over: they are not the next ones any more.
    """
    num_over = sum(v.ends <= pages.now for v in pages.timetable.visits)
    told = "\n".join(
        (
            str(request.url),
            pages.published.mark,
            pages.words.language,
            pages.now[0].isoformat(),
            str(num_over),
            request.app.version,
        )
    )
    tag = f'"{hashlib.sha256(told.encode()).hexdigest()[:24]}"'
    headers = OPEN | {
        "etag": tag,
        "cache-control": "private, no-cache",
        "vary": "Accept-Language, Cookie",
    }
    given = request.headers.get("if-none-match")
    if given is not None and names_tag(given, tag):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return None


@router.get(
    "/stops", response_model=list[PublicStopModel], responses=problems(404, 429) | UNCHANGED
)
def find_stops(
    region_id: RegionId,
    request: Request,
    service: ServiceDep,
    response: Response,
    q: Annotated[str | None, Query(max_length=QUERY_CHARS, description="Village or stop.")] = None,
    lon: Annotated[float | None, Query(ge=-180, le=180)] = None,
    lat: Annotated[float | None, Query(ge=-90, le=90)] = None,
) -> list[PublicStopModel] | Response:
    """Stops with their next real visit: by name, or nearest first; without either all of them."""
    if (lon is None) != (lat is None):
        raise InputError("public.bad_position")
    pages = _pages(request, service, region_id)
    if (same := _unchanged(request, response, pages)) is not None:
        return same
    if q or lon is not None:
        service.limiter.check(Limit.SEARCH, network_asking(request))
    found: list[tuple[PublicStop, float | None]]
    if lon is not None and lat is not None:
        found = [*pages.timetable.nearest(lon, lat, most=MOST_NEAR)]
    elif q:
        found = pages.stops_named(q)
    else:
        found = [(stop, None) for stop in pages.timetable.stops]
    return [PublicStopModel(**_stop(pages, stop, metres)) for stop, metres in found]


@router.get(
    "/stops/{stop_id:path}", response_model=PublicStopWhole, responses=problems(404) | UNCHANGED
)
def get_stop(
    region_id: RegionId,
    stop_id: Annotated[str, Path(max_length=120, pattern=NUL_FREE)],
    request: Request,
    service: ServiceDep,
    response: Response,
) -> PublicStopWhole | Response:
    """A stop with all its coming visits, cancelled ones too."""
    pages = _pages(request, service, region_id)
    stop = pages.place(StopId(stop_id))
    if (same := _unchanged(request, response, pages)) is not None:
        return same
    coming = pages.timetable.coming(stop.stop_id, pages.now)
    return PublicStopWhole(
        **_stop(pages, stop, None),
        rhythm=[f"{rule}, {time}" for rule, time in pages.views.rhythm(stop.stop_id)],
        visits=[_visit(pages, v) for v in coming],
    )


@router.get("/notices", response_model=list[NoticePublic], responses=problems(404) | UNCHANGED)
def list_notices(
    region_id: RegionId, request: Request, service: ServiceDep, response: Response
) -> list[NoticePublic] | Response:
    """Notices that are shown now, the newest first."""
    pages = _pages(request, service, region_id)
    if (same := _unchanged(request, response, pages)) is not None:
        return same
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

"""Pages and feeds for residents: no account, no script needed, addresses that stay."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import StringConstraints
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.auth import know_caller
from api.limiter import Limit, network_asking
from api.middleware import content_security_policy
from api.pages.public_feed import OPEN, Feed, asked_language
from api.pages.public_region import (
    named_pages,
    now_of,
    pages_for,
    pages_of,
    published_of,
    stop_id_of,
    vehicle_id_of,
)
from api.rendering import page_headers, render
from api.services.letters import sends_letters
from api.services.public_gtfs import region_gtfs
from api.services.public_pages import Context, PublicPages
from api.services.public_realtime import Realtime
from api.state import ServiceDep
from api.web.public_links import PREFIX
from data.db import leg_line_store
from data.db.engine import reading
from data.db.regions_known_store import region_names
from data.model.accounts import NOBODY
from data.model.addresses import key_of
from data.model.errors import InputError
from data.model.place_search import QUERY_CHARS

router = APIRouter(prefix=PREFIX + "/{region}")
short = APIRouter()
"""Short addresses for posters: ``/<region>`` leads to the region's page. Included last."""

REALTIME_AGE_S = 15
_PAGE = {"cache-control": "private, no-cache"}
Coordinate = Annotated[str | None, Query(max_length=20)]
Lang = Annotated[str | None, Query(max_length=8)]
MOST_EMBEDDED = 50
"""Stops that one list shows."""
EmbeddedStop = Annotated[str, StringConstraints(max_length=500)]


def _show(request: Request, pages: PublicPages, template: str, context: Context) -> Response:
    return render(
        request,
        f"public/{template}.html",
        headers=_PAGE,
        language=pages.timetable.language,
        **context,
    )


@router.get("")
def home(
    region: str,
    request: Request,
    service: ServiceDep,
    q: Annotated[str, Query(max_length=500)] = "",
    lon: Coordinate = None,
    lat: Coordinate = None,
) -> Response:
    """Nearest stop and next real visit, by the name of a village or by position."""
    position = _position(lon, lat)
    query = " ".join(q.replace("\0", "").split())[:QUERY_CHARS]
    if query or position:
        service.limiter.check(Limit.SEARCH, network_asking(request))
    pages = pages_for(request, service, region)
    context = pages.home(query=query, position=position)
    part = pages.links.page("now/home")
    return _show(
        request, pages, "home", context | {"vehicles": now_of(service, pages).vehicles(),
        "now_source": part},
    )  # fmt: skip


def _position(lon: str | None, lat: str | None) -> tuple[float, float] | None:
    """Lon and lat as somebody's browser gave them.

    Raises
    ------
    InputError
        ``public.bad_position``.
    """
    if lon is None and lat is None:
        return None
    try:
        x, y = float(lon or ""), float(lat or "")
    except ValueError:
        raise InputError("public.bad_position") from None
    if not (-180 <= x <= 180 and -90 <= y <= 90):
        raise InputError("public.bad_position")
    return x, y


@router.get("/timetable")
def timetable_page(region: str, request: Request, service: ServiceDep) -> Response:
    """The whole timetable by stop; for readers without account it is made once a minute."""
    pages = pages_for(request, service, region)

    def made() -> Response:
        # What is kept for all has nothing of the address by which somebody asked first.
        context = pages.whole() | {"here": request.url.path}
        return _show(request, pages, "timetable", context)

    know_caller(request)
    if request.state.caller.is_known:
        return made()
    language, minute = pages.words.language, int(service.clock().timestamp() // 60)
    state = f"{pages.published.mark} {minute}"
    body = pages.published.feeds.get(
        f"page {request.url.path} {language}", lambda: bytes(made().body), state=state
    )
    return HTMLResponse(body, headers=_PAGE | page_headers(language))


@router.get("/notices")
def notices_page(region: str, request: Request, service: ServiceDep) -> Response:
    """What readers are told besides the timetable."""
    pages = pages_for(request, service, region)
    return _show(request, pages, "notices", pages.notices())


@router.get("/data")
def data_page(region: str, request: Request, service: ServiceDep) -> Response:
    """Addresses of the open data."""
    pages = pages_for(request, service, region)
    return _show(request, pages, "data", pages.data())


@router.get("/embed")
def embed(
    region: str,
    request: Request,
    service: ServiceDep,
    stop: Annotated[list[EmbeddedStop] | None, Query(max_length=MOST_EMBEDDED)] = None,
    lang: Lang = None,
) -> Response:
    """The next visits of some stops, or of all, to be shown in a frame of any site."""
    published = published_of(request, service, region)
    language = asked_language(lang, published)
    # The frame speaks the language that its address names, whoever looks at it.
    request.state.caller = replace(NOBODY, language=language)
    pages = pages_of(service, published, language)
    headers = _PAGE | {"content-security-policy": content_security_policy(frame_ancestors="*")}
    context = pages.embed([stop_id_of(one) for one in stop or ()])
    return render(request, "public/embed.html", headers=headers, **context)


@router.api_route("/timetable.ics", methods=["GET", "HEAD"])
def region_calendar(
    region: str, request: Request, service: ServiceDep, lang: Lang = None
) -> Response:
    """All visits as iCalendar."""
    feed = Feed(request, service, region, lang)
    return feed.answer("text/calendar; charset=utf-8", feed.pages.calendar)


@router.api_route("/timetable.csv", methods=["GET", "HEAD"])
def region_table(region: str, request: Request, service: ServiceDep, lang: Lang = None) -> Response:
    """The timetable in the schema of mobile-library stops."""
    feed = Feed(request, service, region, lang)
    return feed.answer("text/csv; charset=utf-8; header=present", feed.pages.table)


@router.api_route("/stops.geojson", methods=["GET", "HEAD"])
def region_map(region: str, request: Request, service: ServiceDep, lang: Lang = None) -> Response:
    """Stops with their coming visits."""
    feed = Feed(request, service, region, lang)
    return feed.answer("application/geo+json", feed.pages.geojson)


@router.api_route("/notices.atom", methods=["GET", "HEAD"])
def region_notices(
    region: str, request: Request, service: ServiceDep, lang: Lang = None
) -> Response:
    """Notices as a feed."""
    feed = Feed(request, service, region, lang)
    return feed.answer("application/atom+xml; charset=utf-8", feed.pages.atom)


@router.api_route("/gtfs.zip", methods=["GET", "HEAD"])
def region_gtfs_feed(
    region: str, request: Request, service: ServiceDep, lang: Lang = None
) -> Response:
    """The timetable as GTFS, a feed of its own that seats nobody."""
    feed = Feed(request, service, region, lang)
    with reading(service.engine) as session:
        roads = leg_line_store.state_of(session, feed.pages.timetable.region_id)
    return feed.answer(
        "application/zip", lambda: region_gtfs(service.engine, feed.pages), state=roads
    )


@router.api_route("/gtfs-rt/{name}.pb", methods=["GET", "HEAD"])
def realtime_feed(region: str, name: str, request: Request, service: ServiceDep) -> Response:
    """GTFS Realtime: ``trip-updates``, ``vehicle-positions`` or ``alerts``."""
    published = published_of(request, service, region)
    pages = named_pages(request, service, published, published.timetable.language)
    realtime = Realtime(pages, now_of(service, pages), service.clock())
    kinds = {
        "trip-updates": realtime.trip_updates,
        "vehicle-positions": realtime.vehicle_positions,
        "alerts": realtime.alerts,
    }
    if name not in kinds:
        raise HTTPException(404)
    headers = OPEN | {"cache-control": f"public, max-age={REALTIME_AGE_S}"}
    return Response(kinds[name](), media_type="application/x-protobuf", headers=headers)


@router.api_route("/stops/{stop}.ics", methods=["GET", "HEAD"])
def stop_calendar(
    region: str, stop: str, request: Request, service: ServiceDep, lang: Lang = None
) -> Response:
    """A stop's visits as iCalendar."""
    feed = Feed(request, service, region, lang)
    stop_id = feed.pages.place(stop_id_of(stop)).stop_id
    return feed.answer("text/calendar; charset=utf-8", lambda: feed.pages.stop_calendar(stop_id))


@router.get("/stops/{stop}")
def stop_page(region: str, stop: str, request: Request, service: ServiceDep) -> Response:
    """The timetable of a stop."""
    pages = pages_for(request, service, region)
    stop_id = stop_id_of(stop)
    found = now_of(service, pages).visit(stop_id)
    part = pages.links.page(f"now/stops/{stop}")
    extra = {"found": found, "now_source": part, "has_letters": sends_letters(service.settings)}
    return _show(request, pages, "stop", pages.stop(stop_id) | extra)


@router.api_route("/vehicles/{vehicle}.ics", methods=["GET", "HEAD"])
def vehicle_calendar(
    region: str, vehicle: str, request: Request, service: ServiceDep, lang: Lang = None
) -> Response:
    """A vehicle's visits as iCalendar."""
    feed = Feed(request, service, region, lang)
    vehicle_id = vehicle_id_of(vehicle)
    feed.pages.vehicle_name(vehicle_id)
    return feed.answer(
        "text/calendar; charset=utf-8", lambda: feed.pages.vehicle_calendar(vehicle_id)
    )


@router.get("/vehicles/{vehicle}")
def vehicle_page(region: str, vehicle: str, request: Request, service: ServiceDep) -> Response:
    """The coming days of a vehicle."""
    pages = pages_for(request, service, region)
    vehicle_id = vehicle_id_of(vehicle)
    now = now_of(service, pages).vehicle(vehicle_id)
    part = pages.links.page(f"now/vehicles/{vehicle}")
    return _show(
        request, pages, "vehicle", pages.vehicle(vehicle_id) | {"now": now, "now_source": part}
    )


@short.get("/{region}")
def short_address(region: str, service: ServiceDep) -> Response:
    """Lead from ``/<region>`` to its page; any other word is a page that is not there."""
    region_id = key_of(region)
    with reading(service.engine) as session:
        if region_id is None or region_id not in region_names(session):
            raise HTTPException(404)
    return RedirectResponse(f"{PREFIX}/{region}", status_code=308)

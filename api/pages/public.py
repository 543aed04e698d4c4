"""Pages and feeds for residents: no account, no script needed, addresses that stay."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import StringConstraints
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.auth import know_caller
from api.conditions import names_tag
from api.language import language_of
from api.limiter import Limit, network_asking
from api.middleware import content_security_policy
from api.rendering import page_headers, render
from api.services.letters import sends_letters
from api.services.public import Published, PublishedCache
from api.services.public_gtfs import region_gtfs
from api.services.public_now import NowViews, read_road
from api.services.public_pages import Context, PublicPages
from api.services.public_realtime import Realtime
from api.state import Service, ServiceDep
from api.web.public_links import PREFIX, ServedLinks
from api.words import LANGUAGES, Words
from data.db import leg_line_store
from data.db.engine import reading
from data.db.regions_known_store import region_names
from data.model.accounts import NOBODY
from data.model.addresses import key_of
from data.model.errors import InputError, NotFoundError
from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.place_search import QUERY_CHARS

router = APIRouter(prefix=PREFIX + "/{region}")
short = APIRouter()
"""Short addresses for posters: ``/<region>`` leads to the region's page. Included last."""

FEED_AGE_S = 900
REALTIME_AGE_S = 15
_PAGE = {"cache-control": "private, no-cache"}
OPEN = {"access-control-allow-origin": "*", "access-control-expose-headers": "ETag, Last-Modified"}
"""Feeds are there for everybody's pages."""
Coordinate = Annotated[str | None, Query(max_length=20)]
Lang = Annotated[str | None, Query(max_length=8)]
MOST_EMBEDDED = 50
"""Stops that one list shows."""
EmbeddedStop = Annotated[str, StringConstraints(max_length=500)]


def cache_of(request: Request) -> PublishedCache:
    """Regions read before, one cache for each application."""
    state = request.app.state
    cache: PublishedCache | None = getattr(state, "published", None)
    if cache is None:
        cache = state.published = PublishedCache()
    return cache


def published_of(request: Request, service: Service, region: str) -> Published:
    """What a region tells, by the part of an address that names it.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    region_id = key_of(region)
    if region_id is None:
        raise NotFoundError("region.unknown", region_id=region[:80])
    return cache_of(request).get(service.engine, region_id)


def pages_for(request: Request, service: Service, region: str) -> PublicPages:
    """The pages in the reader's language."""
    published = published_of(request, service, region)
    own = published.timetable.language
    return pages_of(service, published, language_of(request, own))


def pages_of(service: Service, published: Published, language: str) -> PublicPages:
    """The pages of a region as the service shows them now."""
    own = Words(published.timetable.language).language
    links = ServedLinks(
        region_id=published.timetable.region_id,
        public_url=service.settings.public_url,
        feed_language=None if language == own else language,
    )
    return PublicPages(
        published=published,
        now=published.now(service.clock()),
        words=Words(language),
        links=links,
    )


def named_pages(
    request: Request, service: Service, published: Published, language: str
) -> PublicPages:
    """The same with absolute addresses, be they those by which it was just asked."""
    pages = pages_of(service, published, language)
    if service.settings.public_url or not isinstance(pages.links, ServedLinks):
        return pages
    links = replace(pages.links, public_url=str(request.base_url))
    return replace(pages, links=links)


def now_of(service: Service, pages: PublicPages) -> NowViews:
    """Where the region's vehicles are now."""
    with reading(service.engine) as session:
        road = read_road(
            session,
            pages.timetable.region_id,
            at=service.clock(),
            today=pages.now[0],
            public=pages.timetable.stop_of.keys(),
        )
    return NowViews(pages.views, road)


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
    language = _asked(lang, published)
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


def stop_id_of(part: str) -> StopId:
    """A stop's id by its part of an address."""
    key = key_of(part)
    if key is None:
        raise NotFoundError("public.no_stop")
    return StopId(key)


def vehicle_id_of(part: str) -> VehicleId:
    """A vehicle's id by its part of an address."""
    key = key_of(part)
    if key is None:
        raise NotFoundError("public.no_vehicle")
    return VehicleId(key)


def _asked(lang: str | None, published: Published) -> str:
    """The language that an address names, else the region's."""
    return lang if lang in LANGUAGES else Words(published.timetable.language).language


class Feed:
    """One feed's answer: the same for everybody, made only where it has changed."""

    def __init__(
        self,
        request: Request,
        service: Service,
        region: str,
        lang: str | None,
        *,
        is_paper: bool = False,
    ) -> None:
        # Paper outlives the address by which somebody asked for it; nothing else does.
        published = published_of(request, service, region)
        self._request = request
        self._limiter = service.limiter
        self._changed_at = published.timetable.changed_at
        language = _asked(lang, published)
        if is_paper:
            self.pages = pages_of(service, published, language)
        else:
            self.pages = named_pages(request, service, published, language)

    def answer(
        self,
        kind: str,
        make: Callable[[], bytes],
        *,
        variant: str = "",
        state: str = "",
        name: str = "",
    ) -> Response:
        """The feed, or that it has not changed.

        Parameters
        ----------
        variant
            What else of the address tells it from others.
        state
            Of what else it is made than of what is published.
        name
            Name under which a browser saves it.
        """
        pages, request = self.pages, self._request
        name_of = (request.url.path, variant, pages.words.language, pages.links.absolute(""))
        told = "\n".join(
            (
                *name_of,
                state,
                pages.published.mark,
                pages.now[0].isoformat(),
                request.app.version,
            )
        )
        tag = f'"{hashlib.sha256(told.encode()).hexdigest()[:24]}"'
        headers = {
            **OPEN,
            "etag": tag,
            "cache-control": f"public, max-age={FEED_AGE_S}",
            "content-language": pages.words.language,
            "content-type": kind,
        }
        # A date tells nothing where a feed is made of more than what is published.
        changed_at = None if state else self._changed_at
        if changed_at is not None:
            headers["last-modified"] = format_datetime(changed_at, usegmt=True)
        if name:
            headers["content-disposition"] = f'inline; filename="{name}"'
        if self._is_known(tag, changed_at):
            return Response(status_code=304, headers=headers)
        body = pages.published.feeds.get("\n".join(name_of), make, state=tag)
        return Response(body, headers=headers)

    def limited(self, limit: Limit, make: Callable[[], bytes]) -> Callable[[], bytes]:
        """What makes the feed, as often as one address of the network may have it made.

        What is kept is for everybody, as often as they like.
        """

        def made() -> bytes:
            self._limiter.check(limit, network_asking(self._request))
            return make()

        return made

    def _is_known(self, tag: str, changed_at: datetime | None) -> bool:
        """Whether whoever asks has the feed as it is (RFC 9110, 13.1: the tag goes first)."""
        given = self._request.headers.get("if-none-match")
        if given is not None:
            return names_tag(given, tag)
        since = self._request.headers.get("if-modified-since")
        if since is None or changed_at is None:
            return False
        return _same_day(since, changed_at, self.pages)


def _same_day(since: str, changed_at: datetime, pages: PublicPages) -> bool:
    """Whether nothing has changed since an instant; a new day drops what is past."""
    try:
        at = parsedate_to_datetime(since)
    except ValueError:
        return False
    if at.tzinfo is None or at < changed_at.replace(microsecond=0):
        return False
    return pages.published.now(at)[0] == pages.now[0]

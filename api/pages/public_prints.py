"""Paper for residents as PDF: posters, large print, the whole timetable."""

from collections.abc import Callable

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.limiter import Limit
from api.pages.public import Lang
from api.pages.public_feed import Feed
from api.pages.public_region import stop_id_of, vehicle_id_of
from api.services.public_prints import PublicPrints, Size
from api.settings import Settings
from api.state import ServiceDep
from api.web.public_links import PREFIX

router = APIRouter(prefix=PREFIX + "/{region}")
_METHODS = ["GET", "HEAD"]


@router.api_route("/stops/{stop}/poster.pdf", methods=_METHODS)
def stop_poster(
    region: str,
    stop: str,
    request: Request,
    service: ServiceDep,
    size: Size = "a4",
    lang: Lang = None,
) -> Response:
    """A stop's poster for the notice board."""
    feed = Feed(request, service, region, lang, is_paper=True)
    stop_id = feed.pages.place(stop_id_of(stop)).stop_id
    prints = _prints(feed, service.settings)
    return _answer(feed, f"{stop}-{size}", lambda: prints.poster(stop_id, size), size)


@router.api_route("/posters.pdf", methods=_METHODS)
def posters(
    region: str, request: Request, service: ServiceDep, size: Size = "a4", lang: Lang = None
) -> Response:
    """The posters of all stops."""
    feed = Feed(request, service, region, lang, is_paper=True)
    prints = _prints(feed, service.settings)
    return _answer(feed, f"{region}-{size}", lambda: prints.posters(size), size)


@router.api_route("/stops/{stop}/large-print.pdf", methods=_METHODS)
def stop_large(
    region: str, stop: str, request: Request, service: ServiceDep, lang: Lang = None
) -> Response:
    """A stop's timetable in large print."""
    feed = Feed(request, service, region, lang, is_paper=True)
    stop_id = feed.pages.place(stop_id_of(stop)).stop_id
    prints = _prints(feed, service.settings)
    return _answer(feed, f"{stop}-large", lambda: prints.stop_large(stop_id))


@router.api_route("/vehicles/{vehicle}/large-print.pdf", methods=_METHODS)
def vehicle_large(
    region: str, vehicle: str, request: Request, service: ServiceDep, lang: Lang = None
) -> Response:
    """The stops of a vehicle in large print."""
    feed = Feed(request, service, region, lang, is_paper=True)
    vehicle_id = vehicle_id_of(vehicle)
    feed.pages.vehicle_name(vehicle_id)
    prints = _prints(feed, service.settings)
    return _answer(feed, f"{vehicle}-large", lambda: prints.vehicle_large(vehicle_id))


@router.api_route("/large-print.pdf", methods=_METHODS)
def region_large(region: str, request: Request, service: ServiceDep, lang: Lang = None) -> Response:
    """All stops in large print."""
    feed = Feed(request, service, region, lang, is_paper=True)
    prints = _prints(feed, service.settings)
    return _answer(feed, f"{region}-large", prints.region_large)


@router.api_route("/timetable.pdf", methods=_METHODS)
def timetable(region: str, request: Request, service: ServiceDep, lang: Lang = None) -> Response:
    """The whole timetable."""
    feed = Feed(request, service, region, lang, is_paper=True)
    prints = _prints(feed, service.settings)
    return _answer(feed, f"{region}-timetable", prints.timetable)


def has_address(settings: Settings) -> bool:
    """Whether a code on paper leads somewhere."""
    return settings.has_address


def _prints(feed: Feed, settings: Settings) -> PublicPrints:
    return PublicPrints(pages=feed.pages, has_address=has_address(settings))


def _answer(feed: Feed, name: str, make: Callable[[], bytes], variant: str = "") -> Response:
    """A document; parts of addresses hold nothing that a file name may not."""
    language = feed.pages.words.language
    return feed.answer(
        "application/pdf",
        feed.limited(Limit.PRINT, make),
        variant=variant,
        name=f"bookmobile-{name}-{language}.pdf",
    )

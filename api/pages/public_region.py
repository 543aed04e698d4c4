"""A region as its residents' pages have it: read once, in a language, with its addresses."""

from dataclasses import replace

from fastapi import Request

from api.language import language_of
from api.services.public import Published, PublishedCache
from api.services.public_now import NowViews, read_road
from api.services.public_pages import PublicPages
from api.state import Service
from api.web.public_links import ServedLinks
from api.words import Words
from data.db.engine import reading
from data.model.addresses import key_of
from data.model.errors import NotFoundError
from data.model.fleet import VehicleId
from data.model.place import StopId


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

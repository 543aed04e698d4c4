"""Where a region's open data is found; the feeds themselves stand beside the public pages."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.errors import problems
from api.pages.public_feed import OPEN
from api.pages.public_region import cache_of, named_pages
from api.schemas.fields import NUL_FREE
from api.schemas.public import FeedPublic
from api.state import ServiceDep
from api.words import Words

router = APIRouter(prefix="/public/{region_id}/feeds", tags=["public"])
RegionId = Annotated[str, Path(max_length=64, pattern=NUL_FREE, description="The region.")]
KINDS = (
    ("timetable.ics", "text/calendar"),
    ("timetable.csv", "text/csv"),
    ("stops.geojson", "application/geo+json"),
    ("notices.atom", "application/atom+xml"),
    ("gtfs.zip", "application/zip"),
)
REALTIME = ("trip-updates", "vehicle-positions", "alerts")


@router.get("", responses=problems(404))
def list_feeds(
    region_id: RegionId, request: Request, service: ServiceDep, response: Response
) -> list[FeedPublic]:
    """Addresses that stay: of the region, of each vehicle, of each stop."""
    response.headers.update(OPEN)
    published = cache_of(request).get(service.engine, region_id)
    language = Words(published.timetable.language).language
    pages = named_pages(request, service, published, language)
    links = pages.links
    whole = [(name, links.feed(name), kind) for name, kind in KINDS]
    live = [f"gtfs-rt/{name}.pb" for name in REALTIME]
    whole += [(name, links.page(name), "application/x-protobuf") for name in live]
    vehicles = [(i, links.vehicle_ics(i), "text/calendar") for i in pages.vehicle_ids]
    stops = [(s.stop_id, links.stop_ics(s.stop_id), "text/calendar") for s in pages.timetable.stops]
    return [
        FeedPublic(name=name, address=links.absolute(address), media_type=kind)
        for name, address, kind in (*whole, *vehicles, *stops)
    ]

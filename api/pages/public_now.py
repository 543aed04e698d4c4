"""Where the bookmobile is now, for residents: a page, and the parts of pages fetched again.

Each part is what its page shows at first, so nothing depends on scripts.
"""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.pages.public_region import now_of, pages_for, stop_id_of, vehicle_id_of
from api.rendering import render
from api.services.public_pages import PublicPages
from api.state import ServiceDep
from api.web.public_links import PREFIX

router = APIRouter(prefix=PREFIX + "/{region}/now")
_FRESH = {"cache-control": "private, no-cache"}


def _show(request: Request, pages: PublicPages, name: str, **context: Any) -> Response:
    return render(
        request,
        f"public/{name}.html",
        headers=_FRESH,
        language=pages.timetable.language,
        links=pages.links,
        views=pages.views,
        region_name=pages.region_name,
        here_page="now",
        **context,
    )


@router.get("")
def now_page(region: str, request: Request, service: ServiceDep) -> Response:
    """Every vehicle of the region that has visits today."""
    pages = pages_for(request, service, region)
    return _show(
        request, pages, "now", vehicles=now_of(service, pages).vehicles(),
        now_source=pages.links.page("now/region"),
    )  # fmt: skip


@router.get("/region")
def region_part(region: str, request: Request, service: ServiceDep) -> Response:
    """The vehicles of that page alone."""
    pages = pages_for(request, service, region)
    return _show(
        request, pages, "now_region", vehicles=now_of(service, pages).vehicles(),
        now_source=pages.links.page("now/region"), here=pages.links.page("now"),
    )  # fmt: skip


@router.get("/home")
def home_part(region: str, request: Request, service: ServiceDep) -> Response:
    """What the region's first page says of now."""
    pages = pages_for(request, service, region)
    return _show(
        request, pages, "now_home", vehicles=now_of(service, pages).vehicles(),
        now_source=pages.links.page("now/home"), here=pages.links.page("home"),
    )  # fmt: skip


@router.get("/stops/{stop}")
def stop_part(region: str, stop: str, request: Request, service: ServiceDep) -> Response:
    """What a stop's page says of now."""
    pages = pages_for(request, service, region)
    place = pages.place(stop_id_of(stop))
    return _show(
        request, pages, "now_stop", found=now_of(service, pages).visit(place.stop_id), place=place,
        now_source=pages.links.page(f"now/stops/{stop}"), here=pages.links.stop(place.stop_id),
    )  # fmt: skip


@router.get("/vehicles/{vehicle}")
def vehicle_part(region: str, vehicle: str, request: Request, service: ServiceDep) -> Response:
    """What a vehicle's page says of now."""
    pages = pages_for(request, service, region)
    vehicle_id = vehicle_id_of(vehicle)
    pages.vehicle_name(vehicle_id)
    return _show(
        request, pages, "now_vehicle", now=now_of(service, pages).vehicle(vehicle_id),
        now_source=pages.links.page(f"now/vehicles/{vehicle}"),
        here=pages.links.vehicle(vehicle_id),
    )  # fmt: skip

"""Devices in a browser: the dispatcher's list and QR codes, the device's own page."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from markupsafe import Markup
from starlette.responses import HTMLResponse

from api import auth
from api.auth import Anyone, Dispatcher
from api.errors import status_of
from api.language import language_of
from api.pages.forms import done_of, read_roles, see_other
from api.pages.naming import own_regions
from api.rendering import render
from api.routes.session import address_of
from api.services import devices as changes
from api.services.doubled import doubled_among
from api.state import Service, ServiceDep
from data.db import devices_store
from data.db.engine import reading
from data.db.regions_known_store import vehicle_names
from data.model.accounts import DEVICE_ROLES, Caller
from data.model.errors import AccessError, BookmobileError

router = APIRouter()
SHOWN_MAX = 500


@router.get("/devices")
def list_page(request: Request, asking: Dispatcher, service: ServiceDep) -> HTMLResponse:
    """Devices of one's regions, and a form to add one."""
    return _list(request, service, asking, None)


@router.post("/devices")
def add(
    request: Request,
    asking: Dispatcher,
    service: ServiceDep,
    name: Annotated[str, Form(max_length=120)] = "",
    place: Annotated[str, Form(max_length=200)] = "",
    roles: Annotated[tuple[str, ...], Form(max_length=10)] = (),
) -> Response:
    """Add a device and show its code once; ``place`` is ``region|vehicle`` or ``region|``."""
    region_id, _, vehicle_id = place.partition("|")
    try:
        offer = changes.offer_device(
            service, asking, region_id=region_id, name=name,
            vehicle_id=vehicle_id or None, roles=read_roles(roles),
        )  # fmt: skip
    except BookmobileError as error:
        return _list(request, service, asking, error, name=name, place=place, roles=roles)
    return _code_page(request, offer)


@router.post("/devices/{device_id}/pairing")
def offer_again(
    request: Request, device_id: str, asking: Dispatcher, service: ServiceDep
) -> HTMLResponse:
    """Show a new code for a device."""
    return _code_page(request, changes.offer_again(service, asking, device_id))


@router.post("/devices/{device_id}/revoke")
def revoke(device_id: str, asking: Dispatcher, service: ServiceDep) -> Response:
    """Take a device's access away."""
    changes.revoke_device(service, asking, device_id)
    return see_other("/devices", "revoked")


@router.get("/pair")
def pair_page(request: Request, asking: Anyone) -> HTMLResponse:
    """The page that a device opens by its QR code."""
    return render(request, "devices/pair.html", error=None, paired=asking.device_id is not None)


@router.post("/pair")
def pair(
    request: Request,
    service: ServiceDep,
    code: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Exchange the code; the browser of the device keeps the token as a cookie."""
    try:
        paired = changes.pair(service, code, address_of(request))
    except AccessError as error:
        return render(
            request, "devices/pair.html", status=status_of(error), error=error, paired=False
        )
    response = see_other("/pair")
    auth.set_cookie(response, service.settings, paired.token, days=auth.DEVICE_COOKIE_DAYS)
    return response


def _code_page(request: Request, offer: changes.Offer) -> HTMLResponse:
    half = changes.CODE_DIGITS // 2
    return render(
        request, "devices/code.html", device=offer.device, qr=Markup(changes.qr_svg(offer.address)),
        code=f"{offer.code[:half]} {offer.code[half:]}", address=offer.address.partition("#")[0],
        minutes=int(changes.CODE_VALID.total_seconds() // 60),
    )  # fmt: skip


def _list(
    request: Request,
    service: Service,
    caller: Caller,
    error: BookmobileError | None,
    *,
    name: str = "",
    place: str = "",
    roles: tuple[str, ...] = ("crew",),
) -> HTMLResponse:
    with reading(service.engine) as session:
        regions = own_regions(session, caller, language_of(request))
        region_ids = [region_id for region_id, _ in regions]
        found = devices_store.devices(session, region_ids=region_ids, limit=SHOWN_MAX)
        vehicles = vehicle_names(session, region_ids)
        doubled = doubled_among(session, found, region_ids, service.clock())
    return render(
        request, "devices/list.html", status=status_of(error) if error else 200, error=error,
        devices=found, regions=regions, region_of=dict(regions), vehicles=vehicles,
        device_roles=DEVICE_ROLES, name=name, place=place, roles=roles, done=done_of(request),
        now=service.clock(), doubled=doubled,
    )  # fmt: skip

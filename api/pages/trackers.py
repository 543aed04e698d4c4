"""The trackers of a region: paired, adopted, set up, disconnected."""

import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from api.auth import Dispatcher
from api.errors import status_of
from api.pages.desk_region import Desk, open_desk
from api.pages.forms import see_other
from api.road import RoadDep
from api.services import trackers as changes
from api.services.devices import qr_svg
from api.services.tracker_setup import set_up_of
from api.services.trackers import NewTracker, SetUp
from api.state import ServiceDep
from data.db import tracker_store
from data.db.engine import reading
from data.model.errors import BookmobileError, InputError
from data.model.fleet import VehicleId
from data.model.tracker import NAMED_BY_ITSELF, Protocol

router = APIRouter(prefix="/desk/{region_id}/trackers")
KINDS = (
    Protocol.OSMAND,
    Protocol.OWNTRACKS,
    Protocol.BOOKMOBILE,
    Protocol.WIALON,
    Protocol.TRACCAR,
)
"""What can be paired by a form, the easiest first."""
DONE = frozenset({"closed", "adopted"})
_HARDWARE = frozenset({Protocol.WIALON, Protocol.TRACCAR})
Text = Annotated[str, Form(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairForm:
    """The form as it was sent."""

    vehicle_id: str | None = None
    """``None``: nobody has chosen yet; empty: several vehicles."""
    protocol: str = Protocol.OSMAND
    name: str = ""
    external_id: str = ""
    suggested: str = ""
    """The name of a phone that has none of its own; a form sent twice pairs it once."""
    number_only: bool = False


@router.get("")
def trackers_page(
    region_id: str, request: Request, asking: Dispatcher, service: ServiceDep
) -> HTMLResponse:
    """The trackers of a region, devices that nobody knows, a form for one more."""
    return _list(open_desk(request, service, asking, region_id), PairForm())


@router.post("")
def pair(
    region_id: str,
    request: Request,
    asking: Dispatcher,
    service: ServiceDep,
    road: RoadDep,
    vehicle_id: Text = "",
    protocol: Text = "",
    name: Text = "",
    external_id: Text = "",
    suggested: Text = "",
    number_only: Text = "",
) -> HTMLResponse:
    """Pair a tracker and show once how it is set up."""
    desk = open_desk(request, service, asking, region_id)
    form = PairForm(
        vehicle_id=vehicle_id, protocol=protocol, name=name, external_id=external_id.strip(),
        suggested=suggested, number_only=bool(number_only),
    )  # fmt: skip
    try:
        found = changes.add_tracker(service, asking, region_id, _asked(form))
        road.known.forget()
    except BookmobileError as error:
        return _list(desk, form, error)
    return _set_up(desk, found)


@router.post("/adopt")
def adopt(
    region_id: str,
    request: Request,
    asking: Dispatcher,
    service: ServiceDep,
    road: RoadDep,
    vehicle_id: Text = "",
    protocol: Text = "",
    name: Text = "",
    external_id: Text = "",
) -> Response:
    """Take an unknown device for a vehicle; it goes on sending as it does."""
    desk = open_desk(request, service, asking, region_id)
    try:
        kind = _protocol(protocol)
        asked = NewTracker(
            vehicle_id=VehicleId(vehicle_id), protocol=kind, external_id=external_id, name=name,
            needs_secret=False,
        )  # fmt: skip
        changes.adopt(service, asking, region_id, kind, external_id, asked)
        road.known.forget()
    except BookmobileError as error:
        return _list(desk, PairForm(), error)
    return see_other(f"{desk.root}/trackers", "adopted")


@router.post("/{tracker_id}/secret")
def renew(
    region_id: str,
    tracker_id: str,
    request: Request,
    asking: Dispatcher,
    service: ServiceDep,
    road: RoadDep,
) -> HTMLResponse:
    """Give a tracker another secret and show once how it is set up."""
    desk = open_desk(request, service, asking, region_id)
    found = changes.renew_secret(service, asking, region_id, tracker_id)
    road.known.forget()
    return _set_up(desk, found, is_renewed=True)


@router.get("/{tracker_id}")
def set_up(
    region_id: str, tracker_id: str, request: Request, asking: Dispatcher, service: ServiceDep
) -> HTMLResponse:
    """How a tracker is set up that is known by its number alone."""
    desk = open_desk(request, service, asking, region_id)
    with reading(service.engine) as session:
        tracker = changes.own_tracker(session, region_id, tracker_id)
    address = changes.address_of(service.settings, tracker)
    return _set_up(desk, SetUp(tracker=tracker, secret=None, address=address))


@router.post("/{tracker_id}/close")
def close(
    region_id: str,
    tracker_id: str,
    request: Request,
    asking: Dispatcher,
    service: ServiceDep,
    road: RoadDep,
) -> Response:
    """Take nothing more from a tracker."""
    desk = open_desk(request, service, asking, region_id)
    changes.close(service, asking, region_id, tracker_id)
    road.known.forget()
    return see_other(f"{desk.root}/trackers", "closed")


def _protocol(text: str) -> Protocol:
    """A kind of tracker by its code.

    Raises
    ------
    InputError
        ``trackers.unknown_kind``.
    """
    try:
        return Protocol(text)
    except ValueError:
        raise InputError("trackers.unknown_kind", value=text[:40]) from None


def _asked(form: PairForm) -> NewTracker:
    """The tracker of a form; a phone without an own name gets one."""
    kind = _protocol(form.protocol)
    external_id: str | None = form.external_id or None
    if external_id is None and kind in NAMED_BY_ITSELF - _HARDWARE:
        external_id = form.suggested or None
    if kind is Protocol.OWNTRACKS and external_id is not None and "/" not in external_id:
        external_id = f"bus/{external_id}"
    return NewTracker(
        vehicle_id=VehicleId(form.vehicle_id) if form.vehicle_id else None,
        protocol=kind,
        external_id=external_id,
        name=form.name,
        needs_secret=not (form.number_only and kind in _HARDWARE),
    )


def _set_up(desk: Desk, found: SetUp, *, is_renewed: bool = False) -> HTMLResponse:
    apps = set_up_of(found.tracker, found.secret, found.address)
    return desk.render(
        "trackers/set_up.html",
        area="live",
        tracker=found.tracker,
        secret=found.secret,
        address=found.address,
        is_renewed=is_renewed,
        apps=[(app, Markup(qr_svg(app.qr)) if app.qr else "") for app in apps],
    )


def _list(desk: Desk, form: PairForm, error: BookmobileError | None = None) -> HTMLResponse:
    region_id = desk.region.region_id
    with reading(desk.service.engine) as session:
        found = tracker_store.list_trackers(session, region_id)
        unknown = tracker_store.list_unknown(session)
    told = desk.request.query_params.get("done")
    vehicles = [(v.vehicle_id, v.name) for v in desk.region.vehicles]
    return desk.render(
        "trackers/list.html",
        area="live",
        status=status_of(error) if error else 200,
        error=error,
        done=told if told in DONE else None,
        trackers=found,
        unknown=unknown,
        vehicles=vehicles,
        vehicle_names=dict(vehicles),
        kinds=KINDS,
        form=form,
        suggested=f"bus-{secrets.token_hex(3)}",
    )

"""What the pages of lending at the desk share: their tabs, places, and who may do what."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.auth import Caller, Role, require
from api.errors import status_of
from api.pages.desk_region import Desk, Given, form_data, text_of
from api.services.circulation_find import stop_names
from api.services.own_journal import OFFICE
from data.db.engine import reading
from data.model.errors import BookmobileError
from data.model.region import Region
from data.model.stock import ItemPlace, PlaceKind, parse_place

AREA = "circulation"
TABS = ("waiting", "counter", "readers", "items", "moves", "loads", "rules", "library")
PATHS = {"waiting": "", **{name: f"/{name}" for name in TABS[1:]}}
Form = Annotated[FormData, Depends(form_data)]
Looking = Annotated[Caller, Depends(require(Role.LIBRARIAN, Role.DISPATCHER))]
Librarian = Annotated[Caller, Depends(require(Role.LIBRARIAN))]


def points_of(desk: Desk) -> list[tuple[str, str]]:
    """Places at which the desk lends, with their names: the office, and each library."""
    office = (str(OFFICE), desk.words("lending.place.office"))
    return [office, *((f"point:{x.library_id}", x.name) for x in desk.region.libraries)]


def place_names(desk: Desk) -> dict[str, str]:
    """Names of all places of a region by ``str(place)``."""
    region: Region = desk.region
    names = dict(points_of(desk))
    for vehicle in region.vehicles:
        key = str(vehicle.vehicle_id)
        names[f"vehicle:{key}"] = vehicle.name
        names[f"store:{key}"] = desk.words("lending.place.store", name=vehicle.name)
    with reading(desk.service.engine) as session:
        # Deposit boxes stand at stops' own library points.
        for stop_id, name in stop_names(session, region.region_id).items():
            names.setdefault(f"point:{stop_id}", name)
    return names


def chosen_place(desk: Desk, told: Given) -> ItemPlace:
    """Where the librarian works, as the form or the address says; the office otherwise."""
    text = text_of(told, "place")
    if text not in dict(points_of(desk)):
        return OFFICE
    place = parse_place(text)
    return place if place.kind is PlaceKind.POINT else OFFICE


def show(
    desk: Desk,
    template: str,
    *,
    tab: str,
    error: BookmobileError | None = None,
    **context: Any,
) -> Response:
    """A page of lending."""
    return desk.render(
        f"circulation/{template}.html",
        area=AREA,
        status=200 if error is None else status_of(error),
        tab=tab,
        tabs=[(name, f"{desk.root}/circulation{PATHS[name]}") for name in TABS],
        error=error,
        zone=desk.region.time_zone,
        place_names=place_names(desk),
        is_demo=desk.service.settings.is_demo,
        can_decide=desk.asking.may(Role.LIBRARIAN),
        **context,
    )


def back_to(path: str, **told: str) -> RedirectResponse:
    """To a page after something was done; what is empty is left out of the address."""
    query = urlencode({name: value for name, value in told.items() if value})
    return RedirectResponse(f"{path}?{query}" if query else path, status_code=303)

"""A vehicle's day once more: planned, driven, with the positions that were not believed."""

import json
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.auth import Caller, Role, require
from api.pages.desk_region import Desk, date_of, open_desk
from api.pages.live import SHARED, fleet_of
from api.state import ServiceDep
from api.web.map_words import map_words
from data.model.addresses import key_of, part_of
from data.model.errors import NotFoundError
from data.model.fleet import Vehicle, VehicleId

router = APIRouter()
Watcher = Annotated[Caller, Depends(require(Role.DISPATCHER))]
"""Who may see where somebody drove."""
MODULES = (
    *SHARED,
    *(
        f"live/{n}.mjs"
        for n in (
            "day", "day_read", "day_state", "geo", "player", "pointing", "strip", "telling",
            "track_time",
        )
    ),
)  # fmt: skip


@router.get("/desk/{region_id}/replay")
def choose_day(
    region_id: str,
    request: Request,
    asking: Watcher,
    service: ServiceDep,
    vehicle: Annotated[str, Query(max_length=200)],
) -> Response:
    """Lead from a vehicle's id and a date to the day."""
    desk = open_desk(request, service, asking, region_id)
    _, found = _vehicle_of(desk, part_of(vehicle))
    on = date_of(request.query_params, "date")
    asked = "" if on is None else f"?date={on.isoformat()}"
    return RedirectResponse(f"{desk.root}/live/{part_of(found.vehicle_id)}{asked}", status_code=303)


@router.get("/desk/{region_id}/live/{vehicle}")
def day_page(
    region_id: str, vehicle: str, request: Request, asking: Watcher, service: ServiceDep
) -> HTMLResponse:
    """The replay of one vehicle's day, today's without a date."""
    desk = open_desk(request, service, asking, region_id)
    number, found = _vehicle_of(desk, vehicle)
    on = date_of(request.query_params, "date") or desk.today
    on = min(on, desk.today)
    return desk.render(
        "live/day.html",
        area="live",
        vehicle=found,
        vehicle_part=part_of(found.vehicle_id),
        number_in_fleet=number,
        vehicles=[(v.vehicle_id, v.name) for v in desk.region.vehicles],
        on=on,
        before=on - timedelta(days=1),
        after=on + timedelta(days=1) if on < desk.today else None,
        address=_Address(root=desk.root),
        fleet=json.dumps(fleet_of(desk), ensure_ascii=False),
        map_words=json.dumps(map_words(desk.words), ensure_ascii=False),
        modules=MODULES,
    )


class _Address:
    """Addresses of days."""

    def __init__(self, *, root: str) -> None:
        self._root = root

    def __call__(self, vehicle_part: str, on: date) -> str:
        return f"{self._root}/live/{vehicle_part}?date={on.isoformat()}"


def _vehicle_of(desk: Desk, part: str) -> tuple[int, Vehicle]:
    """A vehicle of the region and its place in the fleet.

    Raises
    ------
    NotFoundError
        ``live.no_vehicle``.
    """
    key = key_of(part)
    for number, vehicle in enumerate(desk.region.vehicles):
        if vehicle.vehicle_id == key:
            return number, vehicle
    raise NotFoundError("live.no_vehicle", vehicle_id=VehicleId(part[:80]))

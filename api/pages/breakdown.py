"""The desk's page of a breakdown: what has happened, what can be done, done by one button."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.auth import Dispatcher
from api.errors import status_of
from api.pages.desk_region import Desk, Given, form_data, open_desk, text_of, whole_of
from api.services import breakdown
from api.services.breakdown_asked import (
    BreakdownAsked,
    BreakdownPreview,
    Decided,
    Move,
    OtherDate,
)
from api.services.promised_days import PromisedDay, promised_days
from api.state import ServiceDep
from data.db.engine import reading, writing
from data.model.calendar import HOUR_S, MINUTE_S
from data.model.cancellation import CancelReason
from data.model.errors import BookmobileError, InputError
from data.model.fleet import VehicleId
from data.model.publication import VisitId

router = APIRouter(prefix="/desk/{region_id}/breakdown")
AREA = "timetable"
FIELDS = ("vehicle", "reason", "note", "back", "late", "changes")
LATE_MIN = (0, 15, 30, 45, 60, 90, 120)
CHANGES = (0, 1, 2, 3, 5)
_MOST_HOURS = 47
"""A service date may end in the night after it."""
Form = Annotated[FormData, Depends(form_data)]


@router.get("")
def breakdown_page(
    request: Request, region_id: str, asking: Dispatcher, service: ServiceDep
) -> Response:
    """Which vehicle and what may be done; once asked, what that comes to."""
    desk = open_desk(request, service, asking, region_id)
    return _page(desk, request.query_params)


@router.post("")
def decide(
    request: Request, region_id: str, asking: Dispatcher, service: ServiceDep, form: Form
) -> Response:
    """Do what was shown."""
    desk = open_desk(request, service, asking, region_id)
    try:
        asked = _asked(form)
        with writing(service.engine) as session:
            done = breakdown.decide(
                session, region_id, asked, _decided(form), by=asking, at=service.clock()
            )
    except BookmobileError as error:
        return _page(desk, form, error)
    address = f"{desk.root}/exceptions/{done.exception_id}?told=done"
    return RedirectResponse(address, status_code=303)


def _asked(given: Given) -> BreakdownAsked:
    """What a form asks.

    Raises
    ------
    InputError
        For what is missing or wrong in it.
    """
    vehicle, reason = text_of(given, "vehicle"), text_of(given, "reason") or "breakdown"
    if not vehicle:
        raise InputError("cancel.needs_vehicle")
    if reason not in list(CancelReason):
        raise InputError("cancel.needs_reason")
    helpers = [h for h in given.getlist("helper") if isinstance(h, str)]
    is_chosen = text_of(given, "chosen") == "1"
    late, changes = whole_of(given, "late"), whole_of(given, "changes")
    return BreakdownAsked(
        vehicle_id=VehicleId(vehicle),
        reason=CancelReason(reason),
        note=text_of(given, "note"),
        back_at_s=clock_of(text_of(given, "back"), "back"),
        helpers=frozenset(VehicleId(h) for h in helpers) if is_chosen else None,
        most_late_min=30 if late is None else late,
        max_changes=changes or 0,
        with_other_days=not is_chosen or text_of(given, "days") == "1",
    )


def clock_of(text: str, field: str) -> int | None:
    """``HH:MM`` as seconds from midnight; ``None`` where it is empty.

    Raises
    ------
    InputError
        ``form.not_a_clock``.
    """
    if not text:
        return None
    parts = text.split(":")[:2]
    is_clock = len(parts) == 2 and all(p.isascii() and p.isdigit() and len(p) <= 2 for p in parts)
    hours, minutes = (int(p) for p in parts) if is_clock else (99, 99)
    if hours > _MOST_HOURS or minutes >= HOUR_S // MINUTE_S:
        raise InputError("form.not_a_clock", field=field, value=text[:20])
    return hours * HOUR_S + minutes * MINUTE_S


def _decided(form: FormData) -> Decided:
    """What the form of the preview sends back: ``visit|vehicle|start`` and with a date between."""
    moves, others = [], []
    for text in form.getlist("move"):
        visit, vehicle, start_s = _parts(text, 3)
        moves.append(
            Move(visit_id=VisitId(visit), vehicle_id=VehicleId(vehicle), start_s=_whole(start_s))
        )
    for text in form.getlist("other"):
        visit, vehicle, on, start_s = _parts(text, 4)
        others.append(
            OtherDate(
                visit_id=VisitId(visit),
                vehicle_id=VehicleId(vehicle),
                service_date=_day(on),
                start_s=_whole(start_s),
            )
        )
    return Decided(seen=text_of(form, "seen"), moves=tuple(moves), other_dates=tuple(others))


def _parts(text: object, num: int) -> list[str]:
    parts = text.split("|") if isinstance(text, str) else []
    if len(parts) != num:
        raise InputError("breakdown.garbled")
    return parts


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise InputError("breakdown.garbled")
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError("breakdown.garbled") from None


def _page(desk: Desk, given: Given, error: BookmobileError | None = None) -> Response:
    region_id, service = desk.region.region_id, desk.service
    shown: BreakdownPreview | None = None
    with reading(service.engine) as session:
        days: tuple[PromisedDay, ...] = promised_days(session, region_id, desk.today)
        if text_of(given, "vehicle"):
            try:
                asked = _asked(given)
                shown = breakdown.preview(session, region_id, asked, at=service.clock())
            except BookmobileError as refused:
                error = error or refused
    fleet = days[0].request.vehicles if days else desk.region.vehicles
    is_chosen = text_of(given, "chosen") == "1"
    helpers = {h for h in given.getlist("helper") if isinstance(h, str)}
    return desk.render(
        "timetable/breakdown.html",
        area=AREA,
        zone=desk.region.time_zone,
        status=200 if error is None else status_of(error),
        error=error,
        given={name: text_of(given, name) for name in FIELDS},
        days=[d for d in days if d.visits],
        fleet=[(v.vehicle_id, v.name) for v in fleet],
        helpers=helpers if is_chosen else {v.vehicle_id for v in fleet},
        with_days=not is_chosen or text_of(given, "days") == "1",
        reasons=list(CancelReason),
        late_choices=LATE_MIN,
        change_choices=CHANGES,
        shown=shown,
    )

"""The desk's cancel: ask, see what it does, confirm, find make-up visits, take it back."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.auth import Dispatcher, Staff
from api.errors import status_of
from api.pages.desk_region import (
    Desk,
    Given,
    date_of,
    form_data,
    open_desk,
    text_of,
    whole_of,
)
from api.services import cancelling, make_up
from api.services.cancelling import CancelPreview, names_of
from api.services.circulation_followed import NOTHING, has_followed, would_follow
from api.services.plan_access import account_names
from api.state import ServiceDep
from data.db import letter_store, publication_store
from data.db.engine import reading, writing
from data.model.cancellation import Cancellation, CancelReason, Scope, next_visit
from data.model.errors import BookmobileError, InputError
from data.model.fleet import VehicleId
from data.model.publication import VisitId, VisitState, moment_of

router = APIRouter(prefix="/desk/{region_id}")
AREA = "timetable"
FIELDS = ("scope", "reason", "note", "visit", "vehicle", "from", "until")
Form = Annotated[FormData, Depends(form_data)]


@router.get("/cancel")
def cancel_page(
    request: Request, region_id: str, asking: Dispatcher, service: ServiceDep
) -> Response:
    """What is to be cancelled, and, once asked, what that does."""
    desk = open_desk(request, service, asking, region_id)
    return _cancel_form(desk, request.query_params)


@router.post("/cancel")
def cancel(
    request: Request, region_id: str, asking: Dispatcher, service: ServiceDep, form: Form
) -> Response:
    """Cancel what was shown."""
    desk = open_desk(request, service, asking, region_id)
    try:
        asked = _asked(form)
        with writing(service.engine) as session:
            done = cancelling.cancel(
                session,
                region_id,
                asked,
                seen=text_of(form, "seen") or None,
                by=asking,
                at=service.clock(),
            )
    except BookmobileError as error:
        return _cancel_form(desk, form, error)
    return _to_exception(desk, done.exception_id, "done")


def _asked(given: Given) -> Cancellation:
    """The request of a form.

    Raises
    ------
    InputError
        For what is missing or wrong in it.
    """
    scope, reason = text_of(given, "scope"), text_of(given, "reason")
    if scope not in list(Scope):
        raise InputError("cancel.needs_scope")
    if reason not in list(CancelReason):
        raise InputError("cancel.needs_reason")
    vehicle, visit = text_of(given, "vehicle"), text_of(given, "visit")
    has_vehicle = scope in (Scope.RUN, Scope.VEHICLE)
    has_span = scope in (Scope.VEHICLE, Scope.CLOSED)
    return Cancellation(
        scope=Scope(scope),
        reason=CancelReason(reason),
        note=text_of(given, "note"),
        visit_id=VisitId(visit) if visit and scope == Scope.VISIT else None,
        vehicle_id=VehicleId(vehicle) if vehicle and has_vehicle else None,
        from_date=None if scope == Scope.VISIT else date_of(given, "from"),
        until_date=date_of(given, "until") if has_span else None,
    )


def _cancel_form(desk: Desk, given: Given, error: BookmobileError | None = None) -> Response:
    shown: CancelPreview | None = None
    region_id, service = desk.region.region_id, desk.service
    values = {name: text_of(given, name) for name in FIELDS}
    visit, num_letters = None, 0
    with reading(service.engine) as session:
        stops, vehicles = names_of(session, region_id)
        if values["visit"]:
            try:
                (visit,) = publication_store.get_visits(
                    session, region_id, [VisitId(values["visit"])]
                )
            except BookmobileError as refused:
                error = error or refused
        if values["reason"]:
            try:
                shown = cancelling.preview(session, region_id, _asked(given), at=service.clock())
                stop_ids = {str(v.stop_id) for v in shown.visits}
                num_letters = len(letter_store.readers_of(session, region_id, stop_ids))
            except BookmobileError as refused:
                error = error or refused
    return desk.render(
        "timetable/cancel.html",
        followed=would_follow(service, region_id, shown.visits) if shown else NOTHING,
        area=AREA,
        zone=desk.region.time_zone,
        status=200 if error is None else status_of(error),
        error=error,
        given=values,
        scopes=[s for s in Scope if s is not Scope.VISIT or visit is not None],
        reasons=list(CancelReason),
        vehicles=sorted(vehicles.items(), key=lambda pair: pair[1]),
        visit=visit,
        stops=stops,
        shown=shown,
        num_letters=num_letters,
    )


@router.get("/exceptions/{exception_id}")
def exception_page(
    request: Request,
    region_id: str,
    exception_id: str,
    asking: Staff,
    service: ServiceDep,
    offers: Annotated[str, Query(max_length=40)] = "",
    told: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """What was cancelled, what each stop has instead; ``offers`` looks for a make-up visit."""
    desk = open_desk(request, service, asking, region_id)
    return _exception(desk, exception_id, offers=offers, told=told)


@router.post("/exceptions/{exception_id}/undo")
def undo(
    request: Request, region_id: str, exception_id: str, asking: Dispatcher, service: ServiceDep
) -> Response:
    """Take a cancellation back."""
    desk = open_desk(request, service, asking, region_id)
    try:
        with writing(service.engine) as session:
            cancelling.undo(session, region_id, exception_id, by=asking, at=service.clock())
    except BookmobileError as error:
        return _exception(desk, exception_id, error=error)
    return _to_exception(desk, exception_id, "undone")


@router.post("/exceptions/{exception_id}/make-up")
def take_offer(
    request: Request,
    region_id: str,
    exception_id: str,
    asking: Dispatcher,
    service: ServiceDep,
    form: Form,
) -> Response:
    """Promise a make-up visit."""
    desk = open_desk(request, service, asking, region_id)
    missed = VisitId(text_of(form, "visit"))
    try:
        on, start_s = date_of(form, "date"), whole_of(form, "start_s")
        if on is None or start_s is None:
            raise InputError("cancel.needs_date")
        choice = VehicleId(text_of(form, "vehicle")), on, start_s
        with writing(service.engine) as session:
            make_up.accept(session, region_id, missed, choice, by=asking, at=service.clock())
    except BookmobileError as error:
        return _exception(desk, exception_id, offers=missed, error=error)
    return _to_exception(desk, exception_id, "made_up")


def _to_exception(desk: Desk, exception_id: str, told: str) -> Response:
    address = f"{desk.root}/exceptions/{exception_id}?told={told}"
    return RedirectResponse(address, status_code=303)


def _exception(
    desk: Desk,
    exception_id: str,
    *,
    offers: str = "",
    told: str = "",
    error: BookmobileError | None = None,
) -> Response:
    region_id, service = desk.region.region_id, desk.service
    at = service.clock()
    now = moment_of(at, desk.region.time_zone)
    found: tuple[make_up.Offer, ...] | None = None
    with reading(service.engine) as session:
        exception = publication_store.get_exception(session, region_id, exception_id)
        stops, vehicles = names_of(session, region_id)
        visits = cancelling.own_visits(session, exception)
        coming = publication_store.load_visits(
            session, region_id, from_date=now[0], states=[VisitState.PLANNED]
        )
        people = account_names(session, [exception.created_by, exception.undone_by])
        if offers:
            try:
                found = make_up.offers(session, region_id, VisitId(offers), at=at)
            except BookmobileError as refused:
                error = error or refused
    instead = {v.make_up_for: v for v in coming if v.make_up_for}
    rows: list[dict[str, Any]] = [
        {
            "visit": v,
            "next": next_visit((c for c in coming if c.stop_id == v.stop_id), now),
            "make_up": instead.get(v.visit_id),
            "can_make_up": v.state is VisitState.CANCELLED and not exception.is_undone,
        }
        for v in visits
    ]
    return desk.render(
        "timetable/exception.html",
        followed=has_followed(service, region_id, exception),
        area=AREA,
        zone=desk.region.time_zone,
        status=200 if error is None else status_of(error),
        error=error,
        exception=exception,
        rows=rows,
        stops=stops,
        vehicles=vehicles,
        people=people,
        offers=found,
        offers_for=next((v for v in visits if v.visit_id == offers), None),
        told=told if told in ("done", "undone", "made_up") else "",
        can_undo=not exception.is_undone and _is_ahead(exception.until_date, now[0]),
    )


def _is_ahead(last: date, today: date) -> bool:
    return last >= today

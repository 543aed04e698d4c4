"""Run sheets: found by number or date, printed, and typed in again by keyboard."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.auth import Caller, Role, require
from api.errors import status_of
from api.pages.desk_region import Desk, form_data, open_desk, text_of
from api.services.day_report import sheet_for
from api.services.diary_words import count_name, fault_text
from api.services.ledger import Ledger
from api.services.run_sheet_print import sheet_pdf
from api.services.run_sheet_typing import (
    WAY,
    Before,
    TypedSheet,
    TypedStop,
    Typing,
    before_of,
    read_km,
    read_stop,
    save_sheet,
    weigh,
)
from api.services.run_sheets import FIELDS, SKIPS, RunSheet, run_sheet, sheet_in, sheet_named
from api.services.visit_records import keep_records
from api.state import ServiceDep
from data.db import publication_store
from data.db.engine import reading
from data.model.errors import BookmobileError, InputError, NotFoundError

router = APIRouter(prefix="/desk/{region_id}/sheets")
AREA = "diary"
Writer = Annotated[Caller, Depends(require(Role.DISPATCHER, Role.LIBRARIAN, Role.CREW))]
Form = Annotated[FormData, Depends(form_data)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """How the form stands: what is in its boxes, and what was said of it."""

    values: Mapping[str, str] = field(default_factory=dict)
    typing: Typing | None = None
    error: BookmobileError | None = None
    saved: str = ""


@router.get("")
def find_page(
    request: Request,
    region_id: str,
    asking: Writer,
    service: ServiceDep,
    number: Annotated[str, Query(max_length=40)] = "",
    on: Annotated[str, Query(alias="date", max_length=10)] = "",
) -> Response:
    """Open a sheet by its number; or print those of a date."""
    desk = open_desk(request, service, asking, region_id)
    error: BookmobileError | None = None
    if number:
        try:
            vehicle_id, found = sheet_named([v.vehicle_id for v in desk.region.vehicles], number)
        except NotFoundError as unknown:
            error = unknown
        else:
            return RedirectResponse(_address(desk, found, vehicle_id), status_code=303)
    shown = _date(on) or desk.today
    with reading(service.engine) as session:
        visits = publication_store.load_visits(
            session, region_id, from_date=shown, until_date=shown
        )
    running = {v.vehicle_id for v in visits if v.is_told}
    return desk.render(
        "diary/sheets.html",
        area=AREA,
        status=200 if error is None else status_of(error),
        error=error,
        number=number,
        on=shown,
        vehicles=[v for v in desk.region.vehicles if v.vehicle_id in running],
    )


def _date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1900 <= found.year < date.max.year else None


def _address(desk: Desk, on: date, vehicle_id: str) -> str:
    return f"{desk.root}/sheets/{on.isoformat()}/{vehicle_id}"


@router.get("/{on}/{vehicle_id}/sheet.pdf")
def sheet_document(
    request: Request,
    region_id: str,
    on: date,
    vehicle_id: str,
    asking: Writer,
    service: ServiceDep,
) -> Response:
    """The sheet to be printed."""
    desk = open_desk(request, service, asking, region_id)
    sheet = run_sheet(service, region_id, vehicle_id, on)
    base = service.settings.public_url.rstrip("/")
    body = sheet_pdf(sheet, desk.words, address=f"{base}{desk.root}/sheets?number={sheet.number}")
    headers = {"content-disposition": f'inline; filename="sheet_{sheet.number}.pdf"'}
    return Response(body, media_type="application/pdf", headers=headers)


@router.get("/{on}/{vehicle_id}")
def type_page(
    request: Request,
    region_id: str,
    on: date,
    vehicle_id: str,
    asking: Writer,
    service: ServiceDep,
    saved: Annotated[str, Query(max_length=6)] = "",
) -> Response:
    """The sheet as a form, with what was typed of it before."""
    desk = open_desk(request, service, asking, region_id)
    with service.ledgers.reading(service.engine, region_id) as (session, ledger):
        sheet = sheet_in(session, ledger, vehicle_id, on)
        values = _values(session, desk, sheet, before_of(ledger, sheet))
    return _page(desk, sheet, _Shown(values=values, saved=saved))


@router.post("/{on}/{vehicle_id}")
def type_in(
    request: Request,
    region_id: str,
    on: date,
    vehicle_id: str,
    asking: Writer,
    service: ServiceDep,
    form: Form,
) -> Response:
    """Check a typed sheet, or save it: what needs a look is saved at the second asking."""
    desk = open_desk(request, service, asking, region_id)
    given = {name: text_of(form, name) for name in form}
    num: int | None = None
    with service.ledgers.changing(service.engine, region_id) as (session, ledger):
        sheet = sheet_in(session, ledger, vehicle_id, on)
        try:
            typing = _weigh(session, ledger, sheet, given, desk)
            is_clear = not typing.warned or bool(given.get("confirm"))
            if given.get("do") == "save" and is_clear:
                num = save_sheet(service, session, sheet, typing, by=asking)
                num += typing.way is not None
        except InputError as wrong:
            shown = _Shown(values=given, error=_named(desk, wrong))
        else:
            shown = _Shown(values=given, typing=typing)
    if num is None:
        return _page(desk, sheet, shown)
    keep_records(service, region_id)
    return RedirectResponse(f"{_address(desk, on, vehicle_id)}?saved={num}", status_code=303)


def _weigh(
    session: Session, ledger: Ledger, sheet: RunSheet, given: Mapping[str, str], desk: Desk
) -> Typing:
    way = {name: read_km(given.get(name, ""), name) for name in WAY}
    stops = {str(s.visit.visit_id): read_stop(given, s) for s in sheet.stops}
    typed = TypedSheet(stops=stops, **way)
    typing = weigh(session, ledger, sheet, typed, now=desk.service.clock())
    is_empty = all(stop.is_empty for stop in stops.values()) and not any(
        value is not None for value in way.values()
    )
    if is_empty and not typing.entries:
        raise InputError("runsheet.nothing")
    return typing


def _named(desk: Desk, error: BookmobileError) -> InputError:
    """An error that names the box in the reader's words."""
    name = error.facts.get("field")
    told = dict(error.facts)
    if isinstance(name, str):
        told["field"] = _label(desk, name)
    return InputError(error.code, **told)


def _label(desk: Desk, name: str) -> str:
    words = desk.words
    if name in FIELDS:
        return count_name(name, words)
    own = {"odometer_out_km": "odometer_out", "odometer_in_km": "odometer_in"}
    return words(f"runsheet.{own.get(name, name)}")


def _values(
    session: Session, desk: Desk, sheet: RunSheet, before: Mapping[str, Before]
) -> dict[str, str]:
    """The boxes as they were typed before."""
    known = sheet_for(session, sheet.head.region_id, sheet.vehicle.vehicle_id, sheet.on)
    values = {
        name: f"{value:g}" if known.revision and (value := getattr(known, name)) is not None else ""
        for name in WAY
    }
    for visit_id, was in before.items():
        values |= {f"{n}:{visit_id}": v for n, v in _boxes(desk, was.typed).items()}
    return values


def _boxes(desk: Desk, typed: TypedStop) -> dict[str, str]:
    clock = desk.words.clock
    return {
        "opened": "" if typed.opened_s is None else clock(typed.opened_s),
        "closed": "" if typed.closed_s is None else clock(typed.closed_s),
        "skip": "" if typed.skip is None else str(SKIPS.index(typed.skip) + 1),
        "note": typed.note,
        **{name: str(n) if (n := typed.counts.get(name)) else "" for name in FIELDS},
    }


def _page(desk: Desk, sheet: RunSheet, shown: _Shown) -> Response:
    words = desk.words
    error = shown.error
    warned: list[str] = []
    if shown.typing is not None:
        for one in shown.typing.warned:
            facts: dict[str, Any] = {"stop": one.stop}
            if one.fault is not None:
                facts["fault"] = fault_text(one.fault, words)
            if one.at is not None:
                at = one.at.astimezone(ZoneInfo(desk.region.time_zone))
                facts["when"] = f"{words.day(at.date(), 'd MMM')}, {at:%H:%M}"
            warned.append(words(one.code, **facts))
    return desk.render(
        "diary/type.html",
        area=AREA,
        status=200 if error is None else status_of(error),
        error=error,
        sheet=sheet,
        values=shown.values,
        fields=[(name, count_name(name, words)) for name in FIELDS],
        warned=warned,
        typing=shown.typing,
        saved=shown.saved if shown.saved.isdigit() else "",
        may_type=sheet.on <= desk.today,
    )

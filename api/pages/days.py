"""The desk's driven days: a span at a glance, one date, the fixes behind a figure, the sheets."""

import re
import tempfile
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import RedirectResponse, Response

from api.auth import Dispatcher, Role, Staff
from api.errors import status_of
from api.pages.breakdown import clock_of
from api.pages.desk_region import Desk, Given, date_of, form_data, open_desk, text_of, whole_of
from api.schemas.crew_notes import CrewNotePublic
from api.services.crew_notes import by_vehicle, notes_in
from api.services.day_export import day_csv, day_xlsx, period_xlsx
from api.services.day_report import (
    USUAL_DAYS,
    DayReport,
    day_report,
    period_report,
    sheet_for,
)
from api.services.day_upload import Joined, join_file
from api.services.photos import photos_folder
from api.services.way_sheets import ReadAboard, read_aboard
from api.state import ServiceDep
from data.db import audit_store, day_sheet_store, track_store
from data.db.engine import reading, writing
from data.model.day_record import HELD
from data.model.day_sheet import CLOCKS, TEXTS, DaySheet
from data.model.errors import AccessError, BookmobileError, InputError, NotFoundError
from data.model.fleet import VehicleId
from data.model.journal import EventKind
from data.model.live import ActualState
from data.model.service_time import clock_s, instant_of
from fleet.filters import judge_all

router = APIRouter(prefix="/desk/{region_id}/days")
AREA = "days"
MOST_FIXES = 600
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WRITERS = (Role.DISPATCHER, Role.CREW, Role.LIBRARIAN)
SHOWN = {
    "held": tuple(HELD),
    "kept": (ActualState.KEPT,),
    "late": (ActualState.LATE,),
    "early": (ActualState.EARLY,),
    "skipped": (ActualState.SKIPPED,),
    "cancelled": (ActualState.CANCELLED,),
    "unplanned": (ActualState.UNPLANNED,),
}
"""By what the numbers of a day open the visits behind them."""
_ODD = re.compile(r"[^\w.() -]+")
_AMOUNTS = ("odometer_out_km", "odometer_in_km", "fuel")
_FLAGS = ("is_technical_passed", "is_medical_before_passed", "is_medical_after_passed")
Form = Annotated[FormData, Depends(form_data)]


@router.get("")
def days_page(
    request: Request,
    region_id: str,
    asking: Staff,
    service: ServiceDep,
    first: Annotated[str, Query(alias="from", max_length=10)] = "",
    last: Annotated[str, Query(alias="until", max_length=10)] = "",
) -> Response:
    """Kept visits, punctuality, stays and drives of a span of dates."""
    desk = open_desk(request, service, asking, region_id)
    error: BookmobileError | None = None
    from_date, until_date = _span(desk, first, last)
    with reading(service.engine) as session:
        try:
            report = period_report(session, region_id, from_date, until_date)
        except InputError as refused:
            error, (from_date, until_date) = refused, _span(desk, "", "")
            report = period_report(session, region_id, from_date, until_date)
    return desk.render(
        "days/list.html",
        area=AREA,
        status=200 if error is None else status_of(error),
        error=error,
        report=report,
        first=from_date,
        last=until_date,
    )


def _span(desk: Desk, first: str, last: str) -> tuple[date, date]:
    usual = desk.today - timedelta(days=USUAL_DAYS - 1)
    return _date(first) or usual, _date(last) or desk.today


def _date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1900 <= found.year < date.max.year else None


@router.get("/report.xlsx")
def days_workbook(
    request: Request,
    region_id: str,
    asking: Staff,
    service: ServiceDep,
    first: Annotated[str, Query(alias="from", max_length=10)] = "",
    last: Annotated[str, Query(alias="until", max_length=10)] = "",
) -> Response:
    """The same as a workbook."""
    desk = open_desk(request, service, asking, region_id)
    with reading(service.engine) as session:
        report = period_report(session, region_id, *_span(desk, first, last))
    name = f"days_{report.first.isoformat()}_{report.last.isoformat()}.xlsx"
    return _file(period_xlsx(report, desk.words), XLSX, name)


@router.get("/{on}")
def day_page(
    request: Request,
    region_id: str,
    on: date,
    asking: Staff,
    service: ServiceDep,
    vehicle: Annotated[str, Query(max_length=120)] = "",
    show: Annotated[str, Query(max_length=12)] = "",
) -> Response:
    """A date: each vehicle's visits and drives, planned and as they were."""
    desk = open_desk(request, service, asking, region_id)
    return _day(desk, on, vehicle=vehicle, show=show)


def _day(
    desk: Desk,
    on: date,
    *,
    vehicle: str = "",
    show: str = "",
    joined: Joined | None = None,
    error: BookmobileError | None = None,
) -> Response:
    report = _report(desk, on)
    notes, readings = _told_aboard(desk, report)
    return desk.render(
        "days/day.html",
        area=AREA,
        notes=notes,
        skips={n.visit_id: n for n in chain(*notes.values()) if n.kind == EventKind.SKIP},
        readings=readings,
        zone=desk.region.time_zone,
        status=200 if error is None else status_of(error),
        error=error,
        report=report,
        vehicle=vehicle,
        show=show if show in SHOWN else "",
        shown=SHOWN.get(show, tuple(ActualState)),
        joined=joined,
        earlier=on - timedelta(days=1),
        later=on + timedelta(days=1),
        may_write=desk.asking.may(*WRITERS),
        is_today=on == desk.today,
    )


def _told_aboard(
    desk: Desk, report: DayReport
) -> tuple[
    Mapping[VehicleId, tuple[CrewNotePublic, ...]], Mapping[VehicleId, tuple[ReadAboard, ...]]
]:
    """By vehicle, what the crews told, and their odometers that the sheets do not say."""
    service, region_id = desk.service, desk.region.region_id
    folder = photos_folder(service.settings.data_dir, region_id)
    with service.ledgers.reading(service.engine, region_id) as (session, ledger):
        notes = by_vehicle(notes_in(session, ledger, report.on))
        sheets = {v.vehicle_id: v.sheet for v in report.vehicles}
        readings = read_aboard(ledger, report.on, sheets)
    shown = {
        vehicle_id: tuple(CrewNotePublic.of(note, region_id, folder) for note in told)
        for vehicle_id, told in notes.items()
    }
    return shown, readings


def _report(desk: Desk, on: date) -> DayReport:
    _check_date(on)
    with reading(desk.service.engine) as session:
        return day_report(session, desk.region.region_id, on, at=desk.service.clock())


def _check_date(on: date) -> None:
    if not 1900 <= on.year < date.max.year:
        raise NotFoundError("days.no_day", date=on.isoformat())


@router.get("/{on}/report.xlsx")
def day_workbook(
    request: Request, region_id: str, on: date, asking: Staff, service: ServiceDep
) -> Response:
    """A date as a workbook: figures, visits, drives, waybills."""
    desk = open_desk(request, service, asking, region_id)
    report = _report(desk, on)
    return _file(day_xlsx(report, desk.words), XLSX, f"day_{on.isoformat()}.xlsx")


@router.get("/{on}/visits.csv")
def day_table(
    request: Request, region_id: str, on: date, asking: Staff, service: ServiceDep
) -> Response:
    """A date's visits as CSV."""
    desk = open_desk(request, service, asking, region_id)
    report = _report(desk, on)
    return _file(
        day_csv(report, desk.words), "text/csv; charset=utf-8", f"day_{on.isoformat()}.csv"
    )


def _file(body: bytes, kind: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=kind, headers=headers)


@router.get("/{on}/{vehicle_id}/fixes")
def fixes_page(
    request: Request,
    region_id: str,
    on: date,
    vehicle_id: str,
    asking: Dispatcher,
    service: ServiceDep,
    first: Annotated[int, Query(alias="from", ge=0, le=200_000)] = 0,
    last: Annotated[int, Query(alias="until", ge=0, le=200_000)] = 27 * 3600,
) -> Response:
    """The positions behind a figure, each with what became of it; seconds from midnight."""
    desk = open_desk(request, service, asking, region_id)
    zone = ZoneInfo(desk.region.time_zone)
    report = _report(desk, on)
    mine = next((v for v in report.vehicles if v.vehicle_id == vehicle_id), None)
    if mine is None:
        raise NotFoundError("days.no_run", vehicle_id=vehicle_id, date=on.isoformat())
    span = instant_of(on, 3 * 3600, zone), instant_of(on + timedelta(days=1), 3 * 3600, zone)
    with reading(service.engine) as session:
        stored = track_store.read_track(session, region_id, mine.vehicle_id, *span)
    judged = judge_all(s.fix for s in stored)
    rows: list[dict[str, Any]] = []
    for one in judged:
        at_s = clock_s(on, one.fix.fix_at, zone)
        if first <= at_s <= last:
            rows.append({"at_s": round(at_s), "fix": one.fix, "verdict": one.verdict})
    return desk.render(
        "days/fixes.html",
        area=AREA,
        report=report,
        mine=mine,
        rows=rows[:MOST_FIXES],
        num_rows=len(rows),
        num_all=len(judged),
        limit=MOST_FIXES,
        first=first,
        last=last,
    )


@router.get("/{on}/{vehicle_id}/sheet")
def sheet_page(
    request: Request, region_id: str, on: date, vehicle_id: str, asking: Staff, service: ServiceDep
) -> Response:
    """Odometer, fuel and waybill of a vehicle and date, to fill in and to print."""
    desk = open_desk(request, service, asking, region_id)
    return _sheet(desk, on, vehicle_id)


@router.post("/{on}/{vehicle_id}/sheet")
def write_sheet(
    request: Request,
    region_id: str,
    on: date,
    vehicle_id: str,
    asking: Staff,
    service: ServiceDep,
    form: Form,
) -> Response:
    """Write it down."""
    desk = open_desk(request, service, asking, region_id)
    if not asking.may(*WRITERS):
        raise AccessError("access.role")
    try:
        _known(desk, on, vehicle_id)
        sheet = _sheet_of(form, region_id, VehicleId(vehicle_id), on)
        with writing(service.engine) as session:
            stored = day_sheet_store.put_sheet(
                session,
                sheet,
                expect_revision=whole_of(form, "revision") or 0,
                by=asking.account_id,
                at=service.clock(),
            )
            audit_store.record(
                session,
                asking,
                "sheet.write",
                f"{vehicle_id} {on.isoformat()}",
                region_id=region_id,
                vehicle=vehicle_id,
                date=on.isoformat(),
                revision=stored.revision,
            )
    except BookmobileError as error:
        return _sheet(desk, on, vehicle_id, given=form, error=error)
    return RedirectResponse(f"{desk.root}/days/{on.isoformat()}#v-{vehicle_id}", status_code=303)


def _known(desk: Desk, on: date, vehicle_id: str) -> None:
    fleet = {str(v.vehicle_id) for v in desk.region.vehicles}
    if vehicle_id not in fleet:
        raise NotFoundError("days.no_run", vehicle_id=vehicle_id, date=on.isoformat())


def _sheet_of(form: FormData, region_id: str, vehicle_id: VehicleId, on: date) -> DaySheet:
    values: dict[str, Any] = {name: text_of(form, name) for name in TEXTS}
    values |= {name: clock_of(text_of(form, name), name) for name in CLOCKS}
    values |= {name: _amount(text_of(form, name), name) for name in _AMOUNTS}
    flags = {"yes": True, "no": False}
    values |= {name: flags.get(text_of(form, name)) for name in _FLAGS}
    return DaySheet(
        region_id=region_id,
        vehicle_id=vehicle_id,
        service_date=on,
        valid_until=date_of(form, "valid_until"),
        **values,
    )


def _amount(text: str, field: str) -> float | None:
    if not text:
        return None
    plain = text.replace("\N{NO-BREAK SPACE}", "").replace(" ", "").replace(",", ".")
    digits = plain.replace(".", "", 1)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10):
        raise InputError("waybill.not_a_number", field=field, value=text[:20])
    return float(plain)


def _sheet(
    desk: Desk,
    on: date,
    vehicle_id: str,
    *,
    given: Given | None = None,
    error: BookmobileError | None = None,
) -> Response:
    _known(desk, on, vehicle_id)
    report = _report(desk, on)
    with reading(desk.service.engine) as session:
        sheet = sheet_for(session, desk.region.region_id, VehicleId(vehicle_id), on)
    mine = next((v for v in report.vehicles if v.vehicle_id == vehicle_id), None)
    values = {name: getattr(sheet, name) for name in TEXTS}
    values |= {name: desk.words.clock(s) if (s := getattr(sheet, name)) is not None else ""
               for name in CLOCKS}  # fmt: skip
    values |= {name: "" if (n := getattr(sheet, name)) is None else f"{n:g}" for name in _AMOUNTS}
    values |= {name: {True: "yes", False: "no"}.get(getattr(sheet, name), "") for name in _FLAGS}
    values["valid_until"] = sheet.valid_until.isoformat() if sheet.valid_until else ""
    if given is not None:
        values |= {name: text_of(given, name) for name in values}
    vehicle = next(v for v in desk.region.vehicles if str(v.vehicle_id) == vehicle_id)
    return desk.render(
        "days/sheet.html",
        area=AREA,
        status=200 if error is None else status_of(error),
        error=error,
        on=on,
        mine=mine,
        vehicle=vehicle,
        values=values,
        # Whoever was slower opens it anew: saving again would write over what the other wrote.
        revision=sheet.revision if given is None else whole_of(given, "revision") or 0,
        may_write=desk.asking.may(*WRITERS),
    )


@router.post("/{on}/uploads")
async def upload(
    request: Request, region_id: str, on: date, asking: Dispatcher, service: ServiceDep
) -> Response:
    """A file of positions for a vehicle of the date."""
    desk = open_desk(request, service, asking, region_id)
    form = await request.form(max_files=1, max_fields=10)
    vehicle, sent = text_of(form, "vehicle"), form.get("file")
    _check_date(on)
    try:
        _known(desk, on, vehicle)
        if not isinstance(sent, UploadFile) or not sent.filename:
            raise InputError("days.no_file")
        with tempfile.TemporaryDirectory() as folder:
            name = Path(sent.filename.replace("\\", "/")).name[:100] or "track"
            path = Path(folder) / (_ODD.sub("_", name).strip(".") or "track")
            with path.open("wb") as target:
                while piece := await sent.read(1 << 20):
                    target.write(piece)
            joined = join_file(
                service, region_id, VehicleId(vehicle), on, path, name=name, by=asking
            )
    except BookmobileError as error:
        return _day(desk, on, vehicle=vehicle, error=error)
    finally:
        await form.close()
    return _day(desk, on, vehicle=vehicle, joined=joined)

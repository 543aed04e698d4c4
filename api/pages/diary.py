"""The desk's diary: a vehicle's month, the lines behind a number, one record with its trail."""

from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.auth import Staff
from api.errors import status_of
from api.pages.desk_region import Desk, form_data, open_desk, text_of, whole_of
from api.services.diary import (
    FIGURES,
    SUMMED,
    diary_of,
    faults_of,
    lines_of,
    month_of,
    sums_of,
    vehicles_of,
    ways_of,
)
from api.services.diary_export import diary_xlsx, lines_csv
from api.services.diary_record import record_view
from api.services.diary_words import count_name, fault_text, reason_text
from api.services.duty import service_date_of
from api.services.visit_records import keep_records
from api.services.visit_records_correct import correct, mark_of, may_correct
from api.state import ServiceDep
from data.db.engine import reading, writing
from data.model.errors import BookmobileError, InputError
from data.model.fleet import VehicleId
from data.model.stop_counts import BANDED, NAMES, PLAIN, Band

router = APIRouter(prefix="/desk/{region_id}/diary")
AREA = "diary"
MOST_LINES = 500
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHOWN = ("runs", "stops", "gps", "visits", "children", "youth", "users", "loans")
COUNTED = ("visits_event", "returns", "references_total", "copies_made", "events_count",
           "refusals")  # fmt: skip
ODD = ("partial", "skipped", "cancelled", "unknown", "faults", "corrections")
Form = Annotated[FormData, Depends(form_data)]
Vehicle = Annotated[str, Query(max_length=120)]


def _vehicle(text: str) -> VehicleId | None:
    return VehicleId(text) if text else None


def _month(text: str, today: date) -> date:
    try:
        found = date.fromisoformat(f"{text}-01")
    except ValueError:
        return today
    return found if 1900 <= found.year < date.max.year else today


def _date(text: str, otherwise: date) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return otherwise
    return found if 1900 <= found.year < date.max.year else otherwise


def _words(desk: Desk) -> dict[str, Any]:
    """Names that the templates need."""
    words = desk.words

    def figure_name(figure: str) -> str:
        return count_name(figure, words) if figure in NAMES else words(f"diary.fig.{figure}")

    return {
        "count_name": lambda name: count_name(name, words),
        "fault_text": lambda fault: fault_text(fault, words),
        "reason_text": lambda reason: reason_text(reason, words),
        "figure_name": figure_name,
        "faults_of": faults_of,
        "zone": desk.region.time_zone,
    }


@router.get("")
def diary_page(
    request: Request,
    region_id: str,
    asking: Staff,
    service: ServiceDep,
    vehicle: Vehicle = "",
    month: Annotated[str, Query(max_length=7)] = "",
) -> Response:
    """A month as the paper diary has it: opening, each day, month, year so far."""
    desk = open_desk(request, service, asking, region_id)
    keep_records(service, region_id)
    on = _month(month, desk.today)
    with reading(service.engine) as session:
        diary = diary_of(session, region_id, on, vehicle_id=_vehicle(vehicle))
    return desk.render(
        "diary/month.html",
        area=AREA,
        diary=diary,
        vehicle=vehicle,
        month=on.strftime("%Y-%m"),
        shown=SHOWN,
        counted=COUNTED,
        odd=ODD,
        **_words(desk),
    )


@router.get("/report.xlsx")
def diary_workbook(
    request: Request,
    region_id: str,
    asking: Staff,
    service: ServiceDep,
    vehicle: Vehicle = "",
    month: Annotated[str, Query(max_length=7)] = "",
) -> Response:
    """The month as a workbook, with every line."""
    desk = open_desk(request, service, asking, region_id)
    keep_records(service, region_id)
    on = _month(month, desk.today)
    with reading(service.engine) as session:
        diary = diary_of(session, region_id, on, vehicle_id=_vehicle(vehicle))
    return _file(diary_xlsx(diary, desk.words), XLSX, f"diary_{on:%Y-%m}.xlsx")


@router.get("/lines")
def lines_page(
    request: Request,
    region_id: str,
    asking: Staff,
    service: ServiceDep,
    first: Annotated[str, Query(alias="from", max_length=10)] = "",
    last: Annotated[str, Query(alias="until", max_length=10)] = "",
    vehicle: Vehicle = "",
    figure: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """The stop visits behind a number."""
    desk = open_desk(request, service, asking, region_id)
    from_date, until_date = _span(desk, first, last)
    figure = _figure(figure)
    with reading(service.engine) as session:
        found = lines_of(
            session, region_id, from_date, until_date, vehicle_id=_vehicle(vehicle), figure=figure
        )
        names = vehicles_of(session, region_id, found)
    return desk.render(
        "diary/lines.html",
        area=AREA,
        records=found[:MOST_LINES],
        num_records=len(found),
        limit=MOST_LINES,
        first=from_date,
        last=until_date,
        vehicle=vehicle,
        vehicles=names,
        figure=figure,
        figures=(*FIGURES, *(n for n in SUMMED if n not in FIGURES)),
        **_words(desk),
    )


@router.get("/lines.csv")
def lines_table(
    request: Request,
    region_id: str,
    asking: Staff,
    service: ServiceDep,
    first: Annotated[str, Query(alias="from", max_length=10)] = "",
    last: Annotated[str, Query(alias="until", max_length=10)] = "",
    vehicle: Vehicle = "",
    figure: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """The same as CSV, all of them."""
    desk = open_desk(request, service, asking, region_id)
    from_date, until_date = _span(desk, first, last)
    with reading(service.engine) as session:
        found = lines_of(
            session,
            region_id,
            from_date,
            until_date,
            vehicle_id=_vehicle(vehicle),
            figure=_figure(figure),
        )
        names = vehicles_of(session, region_id, found)
    body = lines_csv(found, names, ZoneInfo(desk.region.time_zone), desk.words)
    return _file(body, "text/csv; charset=utf-8", f"diary_{from_date}_{until_date}.csv")


@router.get("/ways")
def ways_page(
    request: Request,
    region_id: str,
    asking: Staff,
    service: ServiceDep,
    first: Annotated[str, Query(alias="from", max_length=10)] = "",
    last: Annotated[str, Query(alias="until", max_length=10)] = "",
    vehicle: Vehicle = "",
) -> Response:
    """The runs behind kilometres and fuel."""
    desk = open_desk(request, service, asking, region_id)
    from_date, until_date = _span(desk, first, last)
    with reading(service.engine) as session:
        ways = ways_of(session, region_id, from_date, until_date, vehicle_id=_vehicle(vehicle))
        names = vehicles_of(session, region_id)
    return desk.render(
        "diary/ways.html",
        area=AREA,
        ways=ways,
        sums=sums_of((), ways),
        first=from_date,
        last=until_date,
        vehicle=vehicle,
        vehicles=names,
    )


def _span(desk: Desk, first: str, last: str) -> tuple[date, date]:
    month = month_of(desk.today)
    return _date(first, month[0]), _date(last, month[1])


def _figure(text: str) -> str:
    return text if text in FIGURES or text in NAMES else ""


def _file(body: bytes, kind: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=kind, headers=headers)


@router.get("/visits/{key}")
def record_page(
    request: Request,
    region_id: str,
    key: str,
    asking: Staff,
    service: ServiceDep,
    done: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """One stop visit on record: what it is made of, and who has corrected it."""
    desk = open_desk(request, service, asking, region_id)
    return _record(desk, key, done=bool(done))


@router.post("/visits/{key}/corrections")
def correct_count(
    request: Request, region_id: str, key: str, asking: Staff, service: ServiceDep, form: Form
) -> Response:
    """Correct a count, with a reason."""
    desk = open_desk(request, service, asking, region_id)
    name = text_of(form, "name")
    try:
        value = whole_of(form, "value")
        if value is None:
            raise InputError("record.not_a_number", name=name, value=text_of(form, "value")[:20])
        with writing(service.engine) as session:
            correct(
                session,
                region_id,
                key,
                name=name,
                value=value,
                reason=text_of(form, "reason"),
                expect_mark=whole_of(form, "mark") or 0,
                by=asking,
                at=service.clock(),
            )
    except BookmobileError as error:
        return _record(desk, key, error=_named(desk, error), given=form)
    return RedirectResponse(f"{desk.root}/diary/visits/{key}?done=1", status_code=303)


def _named(desk: Desk, error: BookmobileError) -> BookmobileError:
    """An error that names a count in the reader's words."""
    name = error.facts.get("name")
    if not isinstance(name, str) or name not in NAMES:
        return error
    return type(error)(error.code, **{**error.facts, "name": count_name(name, desk.words)})


def _record(
    desk: Desk,
    key: str,
    *,
    done: bool = False,
    error: BookmobileError | None = None,
    given: FormData | None = None,
) -> Response:
    view = record_view(desk.service, desk.region.region_id, key)
    today = service_date_of(desk.service.clock(), ZoneInfo(desk.region.time_zone))
    names = {v.vehicle_id: v.name for v in desk.region.vehicles}
    return desk.render(
        "diary/record.html",
        area=AREA,
        status=200 if error is None else status_of(error),
        view=view,
        record=view.record,
        vehicle_name=names.get(view.record.vehicle_id, str(view.record.vehicle_id)),
        mark=mark_of(view.record),
        may_correct=may_correct(desk.asking, view.record, today),
        choices=(*(n for b in BANDED for n in (b, *(f"{b}.{band}" for band in Band))), *PLAIN),
        values={n: text_of(given, n) if given else "" for n in ("name", "value", "reason")},
        done=done,
        error=error,
        **_words(desk),
    )

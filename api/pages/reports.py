"""The desk's reports: choose one, read it, open the stop visits behind a number, take it along."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from api.auth import Role, Staff
from api.errors import status_of
from api.pages.desk_region import Desk, open_desk
from api.services.known_stops import known_stops
from api.services.number_behind import number_behind
from api.services.report_costs import prices_of
from api.services.report_files import MEDIA, desk_address, file_name, report_file
from api.services.report_frame import known_forms
from api.services.report_shelf import shelf_of
from api.services.report_told import (
    Teller,
    chart_svg,
    charted_rows,
    drill_query,
    is_numeric,
    line_kind,
)
from api.services.reports import build_report
from api.state import Service, ServiceDep
from data.db import report_store, visit_record_store
from data.db.engine import reading
from data.model.errors import BookmobileError, InputError, NotFoundError
from data.model.report import Drill, Report, ReportAsked, ReportKind, until_today, year_earlier
from data.model.report_schedule import PLACED_KINDS, ReportFormat
from data.model.service_costs import CostPrices

router = APIRouter(prefix="/desk/{region_id}/reports")
AREA = "reports"
WRITERS = (Role.DISPATCHER, Role.ANALYST)
LINES_AT_ONCE = 200
MEASURE_MAX = 240
Text = Annotated[str, Query(max_length=120)]
First = Annotated[str, Query(alias="from", max_length=10)]
Last = Annotated[str, Query(alias="until", max_length=10)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A choice of dates with its name."""

    code: str
    first: date
    last: date


def usual_spans(today: date) -> tuple[Span, ...]:
    """The spans that are asked for most."""
    month = today.replace(day=1)
    before = month - timedelta(days=1)
    year = date(today.year, 1, 1)
    return (
        Span(code="month", first=month, last=today),
        Span(code="last_month", first=before.replace(day=1), last=before),
        Span(code="year", first=year, last=today),
        Span(code="last_year", first=year_earlier(year), last=date(today.year - 1, 12, 31)),
    )


@router.get("")
def reports_page(region_id: str) -> Response:
    """The first report."""
    return RedirectResponse(f"/desk/{region_id}/reports/{ReportKind.FORM}", status_code=303)


@router.get("/lines")
def lines_page(
    request: Request,
    region_id: str,
    asking: Staff,
    service: ServiceDep,
    measure: Annotated[str, Query(max_length=MEASURE_MAX)] = "",
    first: First = "",
    last: Last = "",
    vehicle: Text = "",
    stop: Text = "",
    place: Text = "",
    against_first: Annotated[str, Query(alias="against_from", max_length=10)] = "",
    against_last: Annotated[str, Query(alias="against_until", max_length=10)] = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """Exactly the lines that a number sums, or its formula with the numbers in it."""
    desk = open_desk(request, service, asking, region_id)
    year = usual_spans(desk.today)[2]
    before = _date(against_first), _date(against_last)
    begin, end = _date(first) or year.first, _date(last) or year.last
    drill = Drill(
        measure=measure,
        from_date=begin,
        until_date=until_today(begin, end, desk.today),
        vehicle_id=vehicle or None,
        stop_id=stop or None,
        place=place,
        against=(before[0], before[1]) if before[0] and before[1] else None,
    )
    with reading(service.engine) as session:
        found = number_behind(session, desk.region, drill, known_forms(service.settings))
        stops = known_stops(session, region_id, desk.region.stops)
    skipped = (page - 1) * LINES_AT_ONCE
    prices = prices_in(service, desk)
    return desk.render(
        "reports/lines.html",
        area=AREA,
        found=found,
        kind=line_kind(found),
        lines=found.lines[skipped : skipped + LINES_AT_ONCE],
        page=page,
        num_pages=max(1, -(-len(found.lines) // LINES_AT_ONCE)),
        teller=Teller(words=desk.words),
        query=request.query_params,
        drill_query=drill_query,
        currency=prices.currency,
        stop_name=stops[stop].name if stop in stops else stop,
        vehicles={str(v.vehicle_id): v.name for v in desk.region.vehicles},
        zone=desk.region.time_zone,
        may_see_items=asking.may(Role.LIBRARIAN, Role.DISPATCHER),
        link=_link,
    )


def prices_in(service: Service, desk: Desk) -> CostPrices:
    """The prices that the region's reports reckon with."""
    with reading(service.engine) as session:
        settings = report_store.get_settings(session, desk.region.region_id)
    return prices_of(settings, desk.region)


@router.get("/{kind}")
def report_page(
    request: Request,
    region_id: str,
    kind: str,
    asking: Staff,
    service: ServiceDep,
    first: First = "",
    last: Last = "",
    vehicle: Text = "",
    form: Text = "",
) -> Response:
    """A report as tables and charts; each number leads to what it sums."""
    desk = open_desk(request, service, asking, region_id)
    asked, error = _asked_or_usual(desk, kind, first, last, vehicle, form)
    report: Report | None = None
    try:
        report = _build(desk, asked, anew=True)
    except NotFoundError as refused:
        error = error or refused
        asked = replace(asked, vehicle_id=None, form_id="")
        report = _build(desk, asked, anew=True)
    teller = Teller(words=desk.words)
    return desk.render(
        "reports/report.html",
        area=AREA,
        status=200 if error is None else status_of(error),
        error=error,
        report=report,
        asked=asked,
        kinds=list(ReportKind),
        forms=known_forms(service.settings),
        spans=usual_spans(desk.today),
        teller=teller,
        is_numeric=is_numeric,
        has_chart=lambda table: bool(charted_rows(table)),
        drill_query=drill_query,
        query=_query(asked),
        link=_link,
        vehicles=desk.region.vehicles,
        has_places=asked.kind in PLACED_KINDS,
        may_write=asking.may(*WRITERS),
    )


@router.get("/{kind}/chart/{table}.svg")
def chart(
    request: Request,
    region_id: str,
    kind: str,
    table: str,
    asking: Staff,
    service: ServiceDep,
    first: First = "",
    last: Last = "",
    vehicle: Text = "",
    form: Text = "",
) -> Response:
    """The chart of a table."""
    desk = open_desk(request, service, asking, region_id)
    report = _build(desk, _asked(desk, kind, first, last, vehicle, form))
    found = next((t for t in report.tables if t.code == table), None)
    svg = chart_svg(found, Teller(words=desk.words)) if found is not None else None
    if svg is None:
        known = ", ".join(t.code for t in report.tables)
        raise NotFoundError("reports.no_table", value=table[:40], known=known)
    return Response(svg, media_type="image/svg+xml")


@router.get("/{kind}/file.{ending}")
def file(
    request: Request,
    region_id: str,
    kind: str,
    ending: ReportFormat,
    asking: Staff,
    service: ServiceDep,
    first: First = "",
    last: Last = "",
    vehicle: Text = "",
    form: Text = "",
    table: Text = "",
) -> Response:
    """The report as PDF, workbook, CSV of one table, or GeoJSON."""
    desk = open_desk(request, service, asking, region_id)
    report = _build(desk, _asked(desk, kind, first, last, vehicle, form))
    body = report_file(
        report,
        ending,
        desk.words,
        region_name=desk.region.name_in(desk.words.language),
        at=service.clock().astimezone(ZoneInfo(desk.region.time_zone)),
        desk_url=desk_address(service.settings, region_id, asked_at=str(request.base_url)),
        table=table,
    )
    name = file_name(report, ending, desk.words.language, table)
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=MEDIA[ending], headers=headers)


def _asked_or_usual(
    desk: Desk, kind: str, first: str, last: str, vehicle: str, form: str
) -> tuple[ReportAsked, BookmobileError | None]:
    """What is asked for; where its dates are none, this year and what was wrong."""
    try:
        return _asked(desk, kind, first, last, vehicle, form), None
    except NotFoundError:
        raise
    except BookmobileError as refused:
        return _asked(desk, kind, "", "", vehicle, form), refused


def _asked(desk: Desk, kind: str, first: str, last: str, vehicle: str, form: str) -> ReportAsked:
    if kind not in set(ReportKind):
        raise NotFoundError("reports.no_kind", value=kind[:40], known=", ".join(ReportKind))
    year = usual_spans(desk.today)[2]
    return ReportAsked(
        kind=ReportKind(kind),
        region_id=desk.region.region_id,
        from_date=_date(first) or year.first,
        until_date=_date(last) or year.last,
        vehicle_id=vehicle or None,
        form_id=form if kind == ReportKind.FORM else "",
    )


def _build(desk: Desk, asked: ReportAsked, *, anew: bool = False) -> Report:
    """The report; a chart or file takes the one that its page has just shown."""
    shelf = shelf_of(desk.request)
    with reading(desk.service.engine) as session:
        book = visit_record_store.record_book(session, asked.region_id)
        last = until_today(asked.from_date, asked.until_date, desk.today)
        stand = asked, last, desk.revision, book.revision
        report = None if anew else shelf.take(stand)
        if report is None:
            forms = known_forms(desk.service.settings)
            report = build_report(session, desk.region, asked, forms, today=desk.today)
            shelf.put(stand, report)
    return report


def _query(asked: ReportAsked) -> dict[str, str]:
    """What is asked for, as parameters of an address."""
    told = {"from": asked.from_date.isoformat(), "until": asked.until_date.isoformat()}
    if asked.vehicle_id:
        told["vehicle"] = asked.vehicle_id
    if asked.form_id:
        told["form"] = asked.form_id
    return told


def _link(path: str, query: Mapping[str, str], **more: object) -> str:
    """An address with its parameters; ``None`` takes one away."""
    told = {**query, **{k: str(v) for k, v in more.items() if v is not None}}
    return f"{path}?{urlencode(told)}"


def _date(text: str) -> date | None:
    """A date of an address; ``None`` where it names none."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as wrong:
        raise InputError("reports.no_date", value=text) from wrong

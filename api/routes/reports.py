"""Reports: their numbers, the stop visits behind each, their settings, and their sending."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.auth import Caller, Role, Staff, require, require_region
from api.conditions import IfMatchDep, etag
from api.errors import problems
from api.language import words_of
from api.schemas.fields import NUL_FREE
from api.schemas.reports import (
    DeliveryPublic,
    FormPublic,
    NumberPublic,
    ReportPublic,
    ReportSettingsBody,
    ReportSettingsPublic,
    ScheduleBody,
    ScheduleChangeBody,
    SchedulePublic,
)
from api.services import report_sending
from api.services.number_behind import number_behind
from api.services.region_parts import parts_of
from api.services.report_files import MEDIA, desk_address, file_name, report_file
from api.services.report_frame import known_forms
from api.services.report_told import Teller
from api.services.reports import build_report
from api.state import Service, ServiceDep
from data.db import publication_store, report_store
from data.db.engine import reading
from data.model.publication import moment_of
from data.model.region import Region
from data.model.report import Drill, Report, ReportAsked, ReportKind, until_today
from data.model.report_schedule import ReportFormat

router = APIRouter(prefix="/regions/{region_id}", tags=["reports"])
RegionId = Annotated[str, Path(max_length=64, pattern=NUL_FREE, description="The region.")]
ScheduleKey = Annotated[str, Path(max_length=40, pattern=NUL_FREE, description="The order.")]
DeliveryKey = Annotated[str, Path(max_length=40, pattern=NUL_FREE, description="The delivery.")]
Writer = Annotated[Caller, Depends(require(Role.DISPATCHER, Role.ANALYST))]
MOST_LINES = 1_000
MOST_DELIVERIES = 200
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE: dict[int | str, dict[str, Any]] = {
    **problems(404),
    200: {"content": {m.partition(";")[0]: _BINARY for m in MEDIA.values()},
          "description": "The report."},
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The span and the part of the diary that is asked for."""

    first: date | None
    last: date | None
    vehicle_id: str | None
    form_id: str


def part(
    first: Annotated[date | None, Query(alias="from", description="First date.")] = None,
    last: Annotated[date | None, Query(alias="until", description="Last date.")] = None,
    vehicle: Annotated[
        str | None, Query(max_length=120, pattern=NUL_FREE, description="One bookmobile.")
    ] = None,
    form: Annotated[
        str,
        Query(max_length=64, pattern=NUL_FREE, description="Edition of the form; else in force."),
    ] = "",
) -> Part:
    """Without dates: this year up to today."""
    return Part(first=first, last=last, vehicle_id=vehicle or None, form_id=form)


PartDep = Annotated[Part, Depends(part)]


def _region(request: Request, service: Service, asking: Caller, region_id: str) -> Region:
    require_region(asking, region_id)
    with reading(service.engine) as session:
        return parts_of(request).regions.load(session, region_id)[0]


def _report(service: Service, region: Region, kind: ReportKind, asked: Part) -> Report:
    last = asked.last or _today(service, region)
    whole = ReportAsked(
        kind=kind,
        region_id=region.region_id,
        from_date=asked.first or date(last.year, 1, 1),
        until_date=last,
        vehicle_id=asked.vehicle_id,
        form_id=asked.form_id if kind is ReportKind.FORM else "",
    )
    with reading(service.engine) as session:
        forms = known_forms(service.settings)
        return build_report(session, region, whole, forms, today=_today(service, region))


def _today(service: Service, region: Region) -> date:
    return moment_of(service.clock(), region.time_zone)[0]


@router.get("/reports/forms", responses=problems(404))
def list_forms(
    request: Request, region_id: RegionId, asking: Staff, service: ServiceDep
) -> list[FormPublic]:
    """Editions of statistical forms, with their source and how surely they are known."""
    _region(request, service, asking, region_id)
    language = words_of(request).language
    return [FormPublic.from_domain(f, language) for f in known_forms(service.settings)]


@router.get("/reports/lines", responses=problems(404))
def get_lines(
    request: Request,
    region_id: RegionId,
    asking: Staff,
    service: ServiceDep,
    asked: PartDep,
    measure: Annotated[
        str, Query(max_length=240, pattern=NUL_FREE, description="As `lines` of a cell names it.")
    ],
    stop: Annotated[
        str | None, Query(max_length=120, pattern=NUL_FREE, description="One stop.")
    ] = None,
    place: Annotated[
        str, Query(max_length=120, pattern=NUL_FREE, description="Of stock: kind:id.")
    ] = "",
    against_from: Annotated[date | None, Query(description="Growth: first date before.")] = None,
    against_until: Annotated[date | None, Query(description="Growth: last date before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_LINES)] = 200,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> NumberPublic:
    """Exactly the lines that a number sums, or the numbers of its formula."""
    region = _region(request, service, asking, region_id)
    today = _today(service, region)
    last = asked.last or today
    begin = asked.first or date(last.year, 1, 1)
    drill = Drill(
        measure=measure,
        from_date=begin,
        until_date=until_today(begin, last, today),
        vehicle_id=asked.vehicle_id,
        stop_id=stop or None,
        place=place,
        against=(against_from, against_until) if against_from and against_until else None,
    )
    with reading(service.engine) as session:
        found = number_behind(session, region, drill, known_forms(service.settings))
    return NumberPublic.from_domain(found, offset, limit)


@router.get("/reports/{kind}", responses=problems(404))
def get_report(
    request: Request,
    region_id: RegionId,
    kind: ReportKind,
    asking: Staff,
    service: ServiceDep,
    asked: PartDep,
) -> ReportPublic:
    """A report; each number with how to ask for what it sums."""
    region = _region(request, service, asking, region_id)
    teller = Teller(words=words_of(request, region.language))
    return ReportPublic.from_domain(_report(service, region, kind, asked), teller)


@router.get("/reports/{kind}/file.{ending}", response_class=Response, responses=_FILE)
def get_report_file(
    request: Request,
    region_id: RegionId,
    kind: ReportKind,
    ending: ReportFormat,
    asking: Staff,
    service: ServiceDep,
    asked: PartDep,
    table: Annotated[
        str, Query(max_length=40, pattern=NUL_FREE, description="Of a CSV: its table.")
    ] = "",
) -> Response:
    """A report as PDF, workbook, CSV of one table, or GeoJSON, in the caller's language."""
    region = _region(request, service, asking, region_id)
    words = words_of(request, region.language)
    report = _report(service, region, kind, asked)
    body = report_file(
        report,
        ending,
        words,
        region_name=region.name_in(words.language),
        at=service.clock().astimezone(ZoneInfo(region.time_zone)),
        desk_url=desk_address(service.settings, region_id, asked_at=str(request.base_url)),
        table=table,
    )
    name = file_name(report, ending, words.language, table)
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=MEDIA[ending], headers=headers)


@router.get("/report-settings", responses=problems(404))
def get_settings(
    region_id: RegionId, asking: Staff, service: ServiceDep, response: Response
) -> ReportSettingsPublic:
    """Targets, rules of review, prices and quotas; revision 0: the defaults."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        publication_store.region_head(session, region_id)
        found = report_store.get_settings(session, region_id)
    response.headers["etag"] = etag(found.revision)
    return ReportSettingsPublic.from_domain(found)


@router.put("/report-settings", responses=problems(404, 409, 412, 428))
def put_settings(
    region_id: RegionId,
    body: ReportSettingsBody,
    asking: Writer,
    service: ServiceDep,
    match: IfMatchDep,
    response: Response,
) -> ReportSettingsPublic:
    """Change them all; `If-Match: "0"` where nothing was said yet."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        publication_store.region_head(session, region_id)
        current = report_store.get_settings(session, region_id)
    match.check(current.revision, ReportSettingsPublic.from_domain(current))
    stored = report_sending.change_settings(
        service, region_id, body.to_domain(), expect_revision=current.revision, by=asking
    )
    response.headers["etag"] = etag(stored.revision)
    return ReportSettingsPublic.from_domain(stored)


@router.get("/report-schedules", responses=problems(404))
def list_schedules(region_id: RegionId, asking: Staff, service: ServiceDep) -> list[SchedulePublic]:
    """Reports that are sent by themselves."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        publication_store.region_head(session, region_id)
        found = report_store.list_schedules(session, region_id)
    return [SchedulePublic.from_domain(s) for s in found]


@router.post("/report-schedules", status_code=201, responses=problems(404))
def add_schedule(
    request: Request, region_id: RegionId, body: ScheduleBody, asking: Writer, service: ServiceDep
) -> SchedulePublic:
    """Send a report by itself; the first when its span ends next."""
    region = _region(request, service, asking, region_id)
    made = report_sending.new_schedule(
        region_id,
        kind=body.kind.value,
        format=body.format.value,
        period=body.period.value,
        channel=body.channel.value,
        recipient=body.recipient,
        language=body.language,
        vehicle_id=body.vehicle_id or None,
        form_id=body.form_id,
        by=asking,
        at=service.clock(),
    )
    found = report_sending.add_schedule(service, region, made, by=asking)
    return SchedulePublic.from_domain(found)


@router.patch("/report-schedules/{schedule_id}", responses=problems(404))
def change_schedule(
    region_id: RegionId,
    schedule_id: ScheduleKey,
    body: ScheduleChangeBody,
    asking: Writer,
    service: ServiceDep,
) -> SchedulePublic:
    """Let it rest, or go on."""
    require_region(asking, region_id)
    found = report_sending.let_rest(
        service, region_id, schedule_id, is_active=body.is_active, by=asking
    )
    return SchedulePublic.from_domain(found)


@router.delete("/report-schedules/{schedule_id}", status_code=204, responses=problems(404))
def drop_schedule(
    region_id: RegionId, schedule_id: ScheduleKey, asking: Writer, service: ServiceDep
) -> None:
    """Take it away, with the record of what it sent."""
    require_region(asking, region_id)
    report_sending.drop_schedule(service, region_id, schedule_id, by=asking)


@router.post("/report-schedules/{schedule_id}/deliveries", status_code=202, responses=problems(404))
def send_now(
    request: Request,
    region_id: RegionId,
    schedule_id: ScheduleKey,
    asking: Writer,
    service: ServiceDep,
) -> DeliveryPublic:
    """Send the last span that is over at once, also where it was sent before."""
    region = _region(request, service, asking, region_id)
    found = report_sending.send_now(service, region, schedule_id, by=asking)
    return DeliveryPublic.from_domain(found)


@router.get("/report-deliveries", responses=problems(404))
def list_deliveries(
    region_id: RegionId,
    asking: Staff,
    service: ServiceDep,
    limit: Annotated[int, Query(ge=1, le=MOST_DELIVERIES)] = 50,
) -> list[DeliveryPublic]:
    """What was sent, and what could not be; the newest first."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        publication_store.region_head(session, region_id)
        found = report_store.list_deliveries(session, region_id, limit=limit)
    return [DeliveryPublic.from_domain(d) for d in found]


@router.post("/report-deliveries/{delivery_id}/tries", status_code=202, responses=problems(404))
def send_again(
    region_id: RegionId, delivery_id: DeliveryKey, asking: Writer, service: ServiceDep
) -> DeliveryPublic:
    """Send a report once more."""
    require_region(asking, region_id)
    found = report_sending.send_again(service, region_id, delivery_id, by=asking)
    return DeliveryPublic.from_domain(found)

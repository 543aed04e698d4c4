"""Driven days: reports, odometers and waybills, what they taught."""

from datetime import date, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from sqlmodel import Session

from api.auth import Caller, Dispatcher, Role, Staff, require, require_region
from api.conditions import IfMatchDep, etag
from api.errors import problems
from api.language import words_of
from api.schemas.days import (
    DayReportPublic,
    DecisionBody,
    LearnBody,
    PeriodReportPublic,
    ProposalPublic,
    SheetBody,
    SheetPublic,
)
from api.schemas.fields import NUL_FREE
from api.services.day_export import day_csv, day_xlsx, period_xlsx
from api.services.day_report import (
    USUAL_DAYS,
    DayReport,
    PeriodReport,
    day_report,
    period_report,
    sheet_for,
)
from api.services.learned_times import decide_learned, propose_learned
from api.state import Service, ServiceDep
from data.db import (
    audit_store,
    day_sheet_store,
    learned_store,
    publication_store,
    region_store,
)
from data.db.engine import reading, writing
from data.model.errors import NotFoundError
from data.model.fleet import VehicleId

router = APIRouter(prefix="/regions/{region_id}", tags=["days"])
RegionId = Annotated[str, Path(max_length=64, pattern=NUL_FREE, description="The region.")]
VehicleKey = Annotated[str, Path(max_length=120, pattern=NUL_FREE, description="The vehicle.")]
On = Annotated[date, Path(description="The service date.")]
ProposalKey = Annotated[str, Path(max_length=40, pattern=NUL_FREE, description="The proposal.")]
Writer = Annotated[Caller, Depends(require(Role.DISPATCHER, Role.CREW, Role.LIBRARIAN))]
FromDate = Annotated[date | None, Query(alias="from", description="First date.")]
UntilDate = Annotated[date | None, Query(alias="until", description="Last date.")]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_WORKBOOK: dict[int | str, dict[str, Any]] = {
    **problems(404),
    200: {"content": {XLSX: _BINARY}, "description": "The workbook."},
}
_TABLE: dict[int | str, dict[str, Any]] = {
    **problems(404),
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "The table."},
}


@router.get("/days", responses=problems(404))
def get_days(
    region_id: RegionId,
    asking: Staff,
    service: ServiceDep,
    first: FromDate = None,
    last: UntilDate = None,
) -> PeriodReportPublic:
    """Kept visits, punctuality, stays and drives of a span; else of the last four weeks."""
    return PeriodReportPublic.from_domain(_span(service, asking, region_id, first, last))


def _span(
    service: Service, asking: Caller, region_id: str, first: date | None, last: date | None
) -> PeriodReport:
    require_region(asking, region_id)
    with reading(service.engine) as session:
        head = publication_store.region_head(session, region_id)
        today = service.clock().astimezone(ZoneInfo(head.time_zone)).date()
        until = last or today
        start = first or until - timedelta(days=min(USUAL_DAYS - 1, until.toordinal() - 1))
        return period_report(session, region_id, start, until)


@router.get("/days/report.xlsx", response_class=Response, responses=_WORKBOOK)
def get_days_workbook(
    request: Request,
    region_id: RegionId,
    asking: Staff,
    service: ServiceDep,
    first: FromDate = None,
    last: UntilDate = None,
) -> Response:
    """The same as a workbook, in the caller's language."""
    report = _span(service, asking, region_id, first, last)
    name = f"days_{report.first.isoformat()}_{report.last.isoformat()}.xlsx"
    return _file(period_xlsx(report, words_of(request)), XLSX, name)


@router.get("/days/{on}", responses=problems(404))
def get_day(region_id: RegionId, on: On, asking: Staff, service: ServiceDep) -> DayReportPublic:
    """Each vehicle's visits and drives of a date, planned and as they were."""
    return DayReportPublic.from_domain(_day(service, asking, region_id, on))


@router.get("/days/{on}/report.xlsx", response_class=Response, responses=_WORKBOOK)
def get_day_workbook(
    request: Request, region_id: RegionId, on: On, asking: Staff, service: ServiceDep
) -> Response:
    """A date as a workbook (figures, visits, drives, waybills), in the caller's language."""
    report = _day(service, asking, region_id, on)
    return _file(day_xlsx(report, words_of(request)), XLSX, f"day_{on.isoformat()}.xlsx")


@router.get("/days/{on}/visits.csv", response_class=Response, responses=_TABLE)
def get_day_table(
    request: Request, region_id: RegionId, on: On, asking: Staff, service: ServiceDep
) -> Response:
    """A date's visits as CSV (UTF-8), heads and outcomes in the caller's language."""
    report = _day(service, asking, region_id, on)
    return _file(day_csv(report, words_of(request)), CSV, f"day_{on.isoformat()}.csv")


def _day(service: Service, asking: Caller, region_id: str, on: date) -> DayReport:
    require_region(asking, region_id)
    with reading(service.engine) as session:
        return day_report(session, region_id, on, at=service.clock())


def _file(body: bytes, kind: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=kind, headers=headers)


@router.get("/days/{on}/sheets/{vehicle_id}", responses=problems(404))
def get_sheet(
    region_id: RegionId,
    on: On,
    vehicle_id: VehicleKey,
    asking: Staff,
    service: ServiceDep,
    response: Response,
) -> SheetPublic:
    """Odometer, fuel and waybill; one that is not stored is begun from the vehicle's last."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        publication_store.region_head(session, region_id)
        found = sheet_for(session, region_id, VehicleId(vehicle_id), on)
        if found.revision == 0:
            _check_vehicle(session, region_id, vehicle_id, on)
    response.headers["etag"] = etag(found.revision)
    return SheetPublic.from_domain(found)


@router.put("/days/{on}/sheets/{vehicle_id}", responses=problems(404, 412, 428))
def put_sheet(
    region_id: RegionId,
    on: On,
    vehicle_id: VehicleKey,
    body: SheetBody,
    asking: Writer,
    service: ServiceDep,
    match: IfMatchDep,
    response: Response,
) -> SheetPublic:
    """Write it down; `If-Match: "0"` for one that is not stored yet."""
    require_region(asking, region_id)
    with writing(service.engine) as session:
        publication_store.region_head(session, region_id)
        _check_vehicle(session, region_id, vehicle_id, on)
        key = VehicleId(vehicle_id)
        current = sheet_for(session, region_id, key, on)
        match.check(current.revision, SheetPublic.from_domain(current))
        stored = day_sheet_store.put_sheet(
            session,
            body.to_domain(region_id, key, on),
            expect_revision=current.revision,
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
    response.headers["etag"] = etag(stored.revision)
    return SheetPublic.from_domain(stored)


def _check_vehicle(session: Session, region_id: str, vehicle_id: str, on: date) -> None:
    region = region_store.load_region(session, region_id)
    if vehicle_id not in {str(v.vehicle_id) for v in region.vehicles}:
        raise NotFoundError("days.no_run", vehicle_id=vehicle_id, date=on.isoformat())


@router.get("/learned", responses=problems(404))
def list_learned(region_id: RegionId, asking: Staff, service: ServiceDep) -> list[ProposalPublic]:
    """What recorded days taught: proposals, the newest first, with what became of them."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        publication_store.region_head(session, region_id)
        found = learned_store.list_proposals(session, region_id)
    return [ProposalPublic.from_domain(p) for p in found]


@router.post("/learned", status_code=201, responses=problems(404))
def learn(
    region_id: RegionId, body: LearnBody, asking: Dispatcher, service: ServiceDep
) -> ProposalPublic:
    """Learn from driven days; the proposal changes nothing until it is accepted."""
    require_region(asking, region_id)
    with writing(service.engine) as session:
        found = propose_learned(
            session, region_id, body.first_date, body.last_date, by=asking, at=service.clock()
        )
    return ProposalPublic.from_domain(found)


@router.post("/learned/{proposal_id}/decision", responses=problems(404, 409, 412, 428))
def decide(
    region_id: RegionId,
    proposal_id: ProposalKey,
    body: DecisionBody,
    asking: Dispatcher,
    service: ServiceDep,
    match: IfMatchDep,
) -> ProposalPublic:
    """Accept, reject, or take out of use; `If-Match` is the proposal's revision."""
    require_region(asking, region_id)
    with writing(service.engine) as session:
        current = learned_store.get_proposal(session, region_id, proposal_id)
        match.check(current.revision, ProposalPublic.from_domain(current))
        found = decide_learned(
            session,
            region_id,
            proposal_id,
            body.state,
            expect_revision=current.revision,
            note=body.note,
            by=asking,
            at=service.clock(),
        )
    return ProposalPublic.from_domain(found)

"""Stop visits on record, the diary, and corrections of counts."""

from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Response

from api.auth import Staff, require_region
from api.conditions import IfMatchDep, Items, PagingDep, RepeatDep, etag
from api.errors import problems
from api.schemas.fields import NUL_FREE
from api.schemas.visit_records import (
    CorrectionBody,
    CorrectionPublic,
    DiaryPublic,
    RecordPublic,
    RecordWhole,
)
from api.services.diary import FIGURES, diary_of, has_figure
from api.services.duty import service_date_of
from api.services.visit_records import keep_records
from api.services.visit_records_correct import correct, mark_of
from api.state import Service, ServiceDep
from data.db import publication_store, visit_record_store
from data.db.engine import reading, writing
from data.model.errors import InputError
from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.stop_counts import NAMES

router = APIRouter(prefix="/regions/{region_id}", tags=["diary"])
RegionId = Annotated[str, Path(max_length=64, pattern=NUL_FREE, description="The region.")]
RecordKey = Annotated[str, Path(max_length=64, pattern=NUL_FREE, description="The record.")]
VehicleKey = Annotated[
    str | None, Query(max_length=120, pattern=NUL_FREE, description="Of one vehicle.")
]


@router.get("/visit-records", responses=problems(404))
def list_records(
    region_id: RegionId,
    asking: Staff,
    service: ServiceDep,
    paging: PagingDep,
    first: Annotated[date | None, Query(alias="from", description="First service date.")] = None,
    last: Annotated[date | None, Query(alias="until", description="Last service date.")] = None,
    vehicle_id: VehicleKey = None,
    stop_id: Annotated[
        str | None, Query(max_length=120, pattern=NUL_FREE, description="Of one stop.")
    ] = None,
    figure: Annotated[
        str | None,
        Query(max_length=64, pattern=NUL_FREE, description="A count, or a figure of the diary."),
    ] = None,
) -> Items[RecordPublic]:
    """Stop visits on record by date, vehicle and time; else those of today."""
    require_region(asking, region_id)
    if figure is not None and figure not in FIGURES and figure not in NAMES:
        raise InputError("counts.unknown", name=figure)
    keep_records(service, region_id)
    today = _today(service, region_id)
    with reading(service.engine) as session:
        found = visit_record_store.load_records(
            session,
            region_id,
            from_date=first or last or today,
            until_date=last or first or today,
            vehicle_id=None if vehicle_id is None else VehicleId(vehicle_id),
            stop_id=None if stop_id is None else StopId(stop_id),
        )
    after = paging.after_number() or 0
    shown = [(n, r) for n, r in enumerate(found, start=1) if has_figure(r, figure or "")]
    some = [one for one in shown if one[0] > after][: paging.fetch]
    return paging.page(some, lambda one: RecordPublic.from_domain(one[1]), lambda one: (one[0],))


def _today(service: Service, region_id: str) -> date:
    with reading(service.engine) as session:
        head = publication_store.region_head(session, region_id)
    return service_date_of(service.clock(), ZoneInfo(head.time_zone))


@router.get("/visit-records/{key}", responses=problems(404))
def get_record(
    region_id: RegionId, key: RecordKey, asking: Staff, service: ServiceDep, response: Response
) -> RecordWhole:
    """One stop visit on record, with every correction."""
    require_region(asking, region_id)
    keep_records(service, region_id)
    with reading(service.engine) as session:
        publication_store.region_head(session, region_id)
        record = visit_record_store.record_of(session, region_id, key)
        corrections = visit_record_store.list_corrections(session, region_id, key=key)
    response.headers["etag"] = etag(mark_of(record))
    return RecordWhole(
        **RecordPublic.from_domain(record).model_dump(),
        corrections=[CorrectionPublic.from_domain(c) for c in corrections],
    )


@router.post(
    "/visit-records/{key}/corrections",
    status_code=201,
    response_model=RecordPublic,
    responses=problems(404, 412, 428),
)
def add_correction(
    region_id: RegionId,
    key: RecordKey,
    body: CorrectionBody,
    asking: Staff,
    service: ServiceDep,
    match: IfMatchDep,
    repeat: RepeatDep,
) -> Response:
    """Set a count, with a reason; what was stays beside it. Librarians, dispatchers, crews."""
    require_region(asking, region_id)
    with writing(service.engine) as session:
        if (before := repeat.answer(session)) is not None:
            return before
        publication_store.region_head(session, region_id)
        visit_record_store.hold_records(session, region_id)
        record = visit_record_store.record_of(session, region_id, key)
        match.check(mark_of(record), RecordPublic.from_domain(record))
        changed = correct(
            session,
            region_id,
            key,
            name=body.name,
            value=body.value,
            reason=body.reason,
            expect_mark=None,
            by=asking,
            at=service.clock(),
        )
        headers = {"etag": etag(mark_of(changed))}
        return repeat.keep(session, 201, RecordPublic.from_domain(changed), headers)


@router.get("/diary", responses=problems(404))
def get_diary(
    region_id: RegionId,
    asking: Staff,
    service: ServiceDep,
    on: Annotated[
        date | None, Query(alias="month", description="Any date of the month; else this month.")
    ] = None,
    vehicle_id: VehicleKey = None,
) -> DiaryPublic:
    """A month as the paper diary has it: opening balance, days, month, year so far."""
    require_region(asking, region_id)
    keep_records(service, region_id)
    month = on or _today(service, region_id)
    with reading(service.engine) as session:
        vehicle = None if vehicle_id is None else VehicleId(vehicle_id)
        return DiaryPublic.from_domain(diary_of(session, region_id, month, vehicle_id=vehicle))

"""The calendar: closed days, moved working days, school time, absences of vehicles and people."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.auth import Dispatcher, Staff, require_region
from api.conditions import RepeatDep
from api.errors import problems
from api.schemas.calendar import AddedEntry, CalendarPublic, EntryBody, EntryPublic, HitPublic
from api.services import calendar_days
from api.services.region_parts import parts_of
from api.services.things import Edit
from api.state import ServiceDep
from data.db import region_store
from data.db.engine import reading, writing
from data.model.errors import InputError

router = APIRouter(prefix="/regions/{region_id}/calendar", tags=["calendar"])
RegionId = Annotated[str, Path(max_length=64, description="The region.")]
MOST_SPAN = timedelta(days=800)


@router.get("", responses=problems(404))
def get_calendar(
    request: Request,
    region_id: RegionId,
    asking: Staff,
    service: ServiceDep,
    first: Annotated[date | None, Query(description="Left out: the first of this year.")] = None,
    last: Annotated[date | None, Query(description="Left out: a year after the first.")] = None,
) -> CalendarPublic:
    """What a span of dates brings."""
    require_region(asking, region_id)
    first = first or date(service.clock().year, 1, 1)
    last = last or first + timedelta(days=365)
    if not timedelta() <= last - first <= MOST_SPAN:
        raise InputError("calendar.span", first=first, last=last, limit=MOST_SPAN.days)
    with reading(service.engine) as session:
        region, _ = parts_of(request).regions.load(session, region_id)
        found = calendar_days.read_calendar(session, region, first=first, last=last)
    return CalendarPublic(
        first=first,
        last=last,
        working_weekdays=sorted(found.working_weekdays),
        schools=list(found.schools),
        entries=[EntryPublic.from_domain(entry) for entry in found.entries],
    )


@router.post("", status_code=201, response_model=AddedEntry, responses=problems(404))
def add_entry(
    region_id: RegionId,
    body: EntryBody,
    asking: Dispatcher,
    service: ServiceDep,
    repeat: RepeatDep,
) -> Response:
    """Add an entry; the answer lists the promised visits on its days, which stay as they are."""
    require_region(asking, region_id)
    entry = body.to_domain()
    with writing(service.engine) as session:
        if (before := repeat.answer(session)) is not None:
            return before
        region_store.region_revision(session, region_id)
        edit = Edit(session=session, caller=asking, region_id=region_id, at=service.clock())
        hits = calendar_days.add_entry(edit, entry)
        added = AddedEntry(
            entry=EntryPublic.from_domain(entry),
            hits=[HitPublic.from_domain(visit) for visit in hits],
        )
        return repeat.keep(session, 201, added)


@router.delete("/{mark:path}", status_code=204, responses=problems(404))
def remove_entry(
    region_id: RegionId,
    mark: Annotated[str, Path(max_length=400, description="`mark` of the entry.")],
    asking: Dispatcher,
    service: ServiceDep,
) -> None:
    """Take an entry out; dates that it has no more are no fault."""
    require_region(asking, region_id)
    entry = calendar_days.entry_of(mark)
    with writing(service.engine) as session:
        region_store.region_revision(session, region_id)
        edit = Edit(session=session, caller=asking, region_id=region_id, at=service.clock())
        calendar_days.remove_entry(edit, entry)

"""The calendar in a browser: closed days, moved working days, school time, absences."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import Response

from api.auth import Dispatcher, Staff
from api.errors import status_of
from api.pages.calendar_grid import Month, month_of, months_of, shifted
from api.pages.desk_region import Desk, date_of, form_data, open_desk, text_of
from api.pages.forms import done_of, see_other
from api.services import calendar_days
from api.services.calendar_days import OF_SCHOOL, Entry, EntryKind
from api.services.cancelling import names_of
from api.services.things import Edit
from api.state import ServiceDep
from data.db import region_store
from data.db.engine import reading, writing
from data.model.errors import BookmobileError, InputError, NotFoundError
from data.model.publication import PromisedVisit
from data.model.staff import CrewMember

router = APIRouter(prefix="/desk/{region_id}/calendar")
Form = Annotated[FormData, Depends(form_data)]
YEARS = range(2000, 2101)
SHOWN_HITS = 50


@dataclass(slots=True, kw_only=True)
class Shown:
    """What the page shows beside the days."""

    year: int
    month: int | None
    error: BookmobileError | None = None
    typed: FormData | None = None
    added: Entry | None = None


@router.get("")
def calendar_page(
    request: Request,
    region_id: str,
    asking: Staff,
    service: ServiceDep,
    year: Annotated[int | None, Query(ge=2000, le=2100)] = None,
    month: Annotated[int | None, Query(ge=1, le=12)] = None,
    added: Annotated[str, Query(max_length=400)] = "",
) -> Response:
    """A month, or the year where no month is named."""
    desk = open_desk(request, service, asking, region_id)
    shown = Shown(year=year or desk.today.year, month=month)
    if year is None and month is None:
        shown.month = desk.today.month
    if added:
        try:
            shown.added = calendar_days.entry_of(added)
        except NotFoundError:
            shown.added = None
    return _page(desk, shown)


@router.post("")
def add_entry(
    request: Request, region_id: str, asking: Dispatcher, service: ServiceDep, data: Form
) -> Response:
    """Add an entry, then show which promised visits fall on it."""
    desk = open_desk(request, service, asking, region_id)
    try:
        entry = _typed(data)
        with writing(service.engine) as session:
            calendar_days.add_entry(_edit(desk, session), entry)
    except BookmobileError as wrong:
        year, month = _place(data, desk.today)
        return _page(desk, Shown(year=year, month=month, error=wrong, typed=data))
    address = f"{desk.root}/calendar?year={entry.first.year}&month={entry.first.month}"
    return see_other(f"{address}&{urlencode({'added': entry.mark})}")


@router.post("/remove")
def remove_entry(
    request: Request, region_id: str, asking: Dispatcher, service: ServiceDep, data: Form
) -> Response:
    """Take an entry out."""
    desk = open_desk(request, service, asking, region_id)
    year, month = _place(data, desk.today)
    try:
        entry = calendar_days.entry_of(text_of(data, "mark"))
        with writing(service.engine) as session:
            calendar_days.remove_entry(_edit(desk, session), entry)
    except BookmobileError as wrong:
        return _page(desk, Shown(year=year, month=month, error=wrong))
    at_month = f"&month={month}" if month else ""
    return see_other(f"{desk.root}/calendar?year={year}{at_month}&done=changed")


@router.post("/weekdays")
def set_weekdays(
    request: Request, region_id: str, asking: Dispatcher, service: ServiceDep, data: Form
) -> Response:
    """Say on which weekdays there is service."""
    desk = open_desk(request, service, asking, region_id)
    year, month = _place(data, desk.today)
    given = [str(v) for v in data.getlist("weekdays") if isinstance(v, str)]
    days = frozenset(int(v) for v in given if v in {str(n) for n in range(7)})
    try:
        with writing(service.engine) as session:
            calendar_days.set_weekdays(_edit(desk, session), days)
    except BookmobileError as wrong:
        return _page(desk, Shown(year=year, month=month, error=wrong))
    return see_other(f"{desk.root}/calendar?year={year}&month={month or 1}&done=changed")


def _edit(desk: Desk, session: Session) -> Edit:
    return Edit(
        session=session,
        caller=desk.asking,
        region_id=desk.region.region_id,
        at=desk.service.clock(),
    )


def _typed(data: FormData) -> Entry:
    """The entry of a form.

    Raises
    ------
    InputError
        ``calendar.needs_kind``, ``calendar.needs_date``, ``form.not_a_date``.
    """
    code = text_of(data, "kind")
    if code not in set(EntryKind):
        raise InputError("calendar.needs_kind", field="kind")
    kind = EntryKind(code)
    first = date_of(data, "first")
    if first is None:
        raise InputError("calendar.needs_date", field="first")
    subject = {
        EntryKind.VEHICLE_OFF: "vehicle",
        EntryKind.CREW_OFF: "crew",
        EntryKind.SPECIALIST_OFF: "specialist",
    }.get(kind, "school" if kind in OF_SCHOOL else "")
    return Entry(
        kind=kind,
        first=first,
        last=date_of(data, "last") or first,
        name=text_of(data, "name"),
        subject=text_of(data, subject)[:300] if subject else "",
    )


def _place(data: FormData, today: date) -> tuple[int, int | None]:
    """Year and month that a form was sent from."""
    year, month = text_of(data, "year"), text_of(data, "month")
    found = int(year) if year.isdigit() and int(year) in YEARS else today.year
    return found, int(month) if month.isdigit() and 1 <= int(month) <= 12 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelLink:
    """The desk's cancel, filled in for visits that an entry hits."""

    address: str
    num_visits: int
    vehicle_id: str = ""
    """Whose visits, where the entry does not close the day for all."""


def _cancel_links(desk: Desk, entry: Entry, hits: Sequence[PromisedVisit]) -> list[CancelLink]:
    """One for a closed day, else one for each vehicle; days that are over are left as they were."""
    first = max(entry.first, desk.today)
    asked = {"from": first.isoformat(), "until": entry.last.isoformat()}
    hits = [visit for visit in hits if visit.service_date >= first]
    if not hits:
        return []
    if entry.kind is EntryKind.CLOSED:
        asked |= {"scope": "closed", "reason": "holiday"}
        return [CancelLink(address=_cancel_address(desk, asked), num_visits=len(hits))]
    asked |= {
        "scope": "vehicle",
        "reason": "illness" if entry.kind is EntryKind.CREW_OFF else "breakdown",
    }
    counted = Counter(str(visit.vehicle_id) for visit in hits)
    return [
        CancelLink(
            address=_cancel_address(desk, asked | {"vehicle": vehicle_id}),
            num_visits=number,
            vehicle_id=vehicle_id,
        )
        for vehicle_id, number in sorted(counted.items())
    ]


def _cancel_address(desk: Desk, asked: dict[str, str]) -> str:
    return f"{desk.root}/cancel?{urlencode(asked)}"


def _page(desk: Desk, shown: Shown) -> Response:
    region, year, month = desk.region, shown.year, shown.month
    with reading(desk.service.engine) as session:
        crew = [s.thing for s in region_store.list_things(session, region.region_id, CrewMember)]
        first, last = date(year, 1, 1), date(year, 12, 31)
        found = calendar_days.read_calendar(session, region, first=first, last=last)
        hits: tuple[PromisedVisit, ...] = ()
        if shown.added is not None:
            hits = calendar_days.hits_of(session, region.region_id, shown.added)
        stops, _ = names_of(session, region.region_id) if hits else ({}, {})
        ahead = [e for e in found.entries if e.last >= desk.today] if desk.can_edit else []
        all_hits = calendar_days.hits_of_each(session, region.region_id, ahead)
    cancels = {e.mark: _cancel_links(desk, e, h) for e, h in zip(ahead, all_hits, strict=True)}
    months: Sequence[Month]
    if month is None:
        months = months_of(year, region.calendar, found.entries, desk.today)
        entries = found.entries
    else:
        months = (month_of(year, month, region.calendar, found.entries, desk.today),)
        days = [day.on for day in months[0].days]
        entries = tuple(e for e in found.entries if e.first <= days[-1] and days[0] <= e.last)
    names = {
        EntryKind.VEHICLE_OFF: {str(v.vehicle_id): v.name for v in region.vehicles},
        EntryKind.CREW_OFF: {str(m.crew_member_id): m.name for m in crew},
        EntryKind.SPECIALIST_OFF: {str(s.specialist_id): s.name for s in region.specialists},
    }
    return desk.render(
        "calendar/calendar.html",
        area="calendar",
        status=200 if shown.error is None else status_of(shown.error),
        shown=shown,
        year=year,
        month=month,
        months=months,
        entries=entries,
        exceptions=found.exceptions,
        calendar=region.calendar,
        kinds=list(EntryKind),
        names=names,
        schools=found.schools,
        stops={str(key): stop.name for key, stop in stops.items()},
        vehicle_names=names[EntryKind.VEHICLE_OFF],
        hits=hits[:SHOWN_HITS],
        num_hits=len(hits),
        cancel=_cancel_links(desk, shown.added, hits) if shown.added else [],
        cancels=cancels,
        before=shifted(year, month or 1, -1 if month else -12),
        after=shifted(year, month or 1, 1 if month else 12),
        done=done_of(desk.request),
    )

"""The desk's timetable: what is promised day by day, versions, and publishing a plan."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from sqlmodel import Session
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
from api.pages.public_prints import has_address
from api.services import publishing
from api.services.cancelling import names_of
from api.services.plan_access import account_names
from api.services.plan_words import rule_notes
from api.services.publishing import PublishAsked, PublishPreview
from api.state import ServiceDep
from api.web.public_links import ServedLinks
from data.db import plan_store, publication_store
from data.db.engine import reading, writing
from data.model.cancellation import ServiceException
from data.model.errors import BookmobileError
from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.public_timetable import PublicStop, is_public
from data.model.publication import ChangeKind, PromisedVisit
from data.model.publication_diff import DiffLine, PrintedTime

router = APIRouter(prefix="/desk/{region_id}/timetable")
AREA = "timetable"
DAYS_SHOWN = 14
MOST_VERSIONS = 50
_STOPS_SHOWN = 300
_EARLIEST = date(1900, 1, 1)
_A_MONDAY = date(2024, 1, 1)
"""Weekdays are named by a week that begins on it."""
Form = Annotated[FormData, Depends(form_data)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One vehicle's visits of a date."""

    vehicle_id: VehicleId
    vehicle: str
    visits: tuple[PromisedVisit, ...]

    @property
    def can_cancel(self) -> bool:
        return any(v.is_coming for v in self.visits)


@router.get("")
def timetable_page(
    request: Request,
    region_id: str,
    asking: Staff,
    service: ServiceDep,
    first: Annotated[str, Query(alias="from", max_length=10)] = "",
    stop: Annotated[str, Query(max_length=120)] = "",
    published: Annotated[int | None, Query(ge=1, le=1_000_000)] = None,
) -> Response:
    """What readers are promised, the versions, cancellations in force."""
    desk = open_desk(request, service, asking, region_id)
    with reading(service.engine) as session:
        coming = publication_store.next_date(session, region_id, desk.today)
        start = _date(first) or coming or desk.today
        versions = publication_store.list_timetables(session, region_id, limit=MOST_VERSIONS)
        stops, vehicles = names_of(session, region_id)
        visits = publication_store.load_visits(
            session,
            region_id,
            from_date=start,
            until_date=start + timedelta(days=DAYS_SHOWN - 1) if not stop else None,
            stop_id=StopId(stop) if stop else None,
        )
        exceptions = publication_store.list_exceptions(session, region_id, from_date=desk.today)
        people = account_names(session, _accounts(versions, exceptions))
        plans = {p.plan_id: p.name for p in _plans(session, region_id)}
    return desk.render(
        "timetable/timetable.html",
        area=AREA,
        zone=desk.region.time_zone,
        versions=versions,
        plans=plans,
        people=people,
        days=_days(visits, vehicles, {} if stop else dict.fromkeys(_span(start, DAYS_SHOWN))),
        stops=stops,
        vehicles=vehicles,
        exceptions=exceptions,
        start=start,
        earlier=start - timedelta(days=DAYS_SHOWN),
        later=start + timedelta(days=DAYS_SHOWN),
        chosen=stop,
        choices=_choices(stops),
        links=ServedLinks(region_id=region_id, public_url=""),
        has_address=has_address(service.settings),
        public_stops={s.stop_id for s in stops.values() if is_public(s)},
        published=published,
    )


def _date(text: str) -> date | None:
    """A date of an address, as long as days before and after it can be counted."""
    try:
        on = date.fromisoformat(text)
    except ValueError:
        return None
    return on if _EARLIEST.year <= on.year < date.max.year else None


def _span(start: date, days: int) -> Iterable[date]:
    return (start + timedelta(days=k) for k in range(days))


def _choices(stops: Mapping[StopId, PublicStop]) -> list[PublicStop]:
    return sorted(stops.values(), key=lambda s: (s.name.casefold(), s.stop_id))


def _accounts(
    versions: Iterable[publication_store.Timetable], exceptions: Iterable[ServiceException]
) -> list[str | None]:
    return [v.published_by for v in versions] + [e.created_by for e in exceptions]


def _plans(session: Session, region_id: str) -> tuple[plan_store.StoredPlan, ...]:
    return plan_store.list_plans(session, region_id, with_archived=True)


def _days(
    visits: Iterable[PromisedVisit], vehicles: Mapping[str, str], dates: Mapping[date, object]
) -> list[tuple[date, list[RunView]]]:
    """Dates with their runs; those without a visit are listed too where dates are given."""
    runs: dict[date, dict[VehicleId, list[PromisedVisit]]] = {on: {} for on in dates}
    for visit in visits:
        if visit.is_told:
            of_day = runs.setdefault(visit.service_date, {})
            of_day.setdefault(visit.vehicle_id, []).append(visit)
    return [
        (
            on,
            [
                RunView(
                    vehicle_id=vehicle_id,
                    vehicle=vehicles.get(vehicle_id, vehicle_id),
                    visits=tuple(own),
                )
                for vehicle_id, own in sorted(of_day.items())
            ],
        )
        for on, of_day in sorted(runs.items())
        if of_day or dates
    ]


@router.get("/publish")
def publish_page(
    request: Request, region_id: str, asking: Dispatcher, service: ServiceDep
) -> Response:
    """Choose a plan and see what it changes for readers."""
    desk = open_desk(request, service, asking, region_id)
    return _publish_form(desk, request.query_params)


@router.post("/publish")
def publish(
    request: Request, region_id: str, asking: Dispatcher, service: ServiceDep, form: Form
) -> Response:
    """Publish what was shown."""
    desk = open_desk(request, service, asking, region_id)
    try:
        asked = _asked(form)
        with writing(service.engine) as session:
            timetable = publishing.publish(
                session,
                region_id,
                asked,
                expect_revision=whole_of(form, "revision"),
                by=asking,
                at=service.clock(),
            )
    except BookmobileError as error:
        return _publish_form(desk, form, error)
    return RedirectResponse(f"{desk.root}/timetable?published={timetable.version}", status_code=303)


def _asked(given: Given) -> PublishAsked:
    return PublishAsked(
        plan_id=text_of(given, "plan"),
        from_date=date_of(given, "from"),
        until_date=date_of(given, "until"),
        note=text_of(given, "note"),
        max_changes=whole_of(given, "cap"),
    )


def _publish_form(desk: Desk, given: Given, error: BookmobileError | None = None) -> Response:
    shown: PublishPreview | None = None
    region_id = desk.region.region_id
    with reading(desk.service.engine) as session:
        plans = plan_store.list_plans(session, region_id)
        if text_of(given, "plan"):
            try:
                shown = publishing.preview(
                    session, region_id, _asked(given), at=desk.service.clock()
                )
            except BookmobileError as refused:
                error = error or refused
        _, vehicles = names_of(session, region_id)
    if shown is not None:
        vehicles |= {v.vehicle_id: v.name for v in shown.opened.request.vehicles}
    stops = _told_stops(desk, shown, vehicles) if shown else []
    return desk.render(
        "timetable/publish.html",
        area=AREA,
        zone=desk.region.time_zone,
        status=200 if error is None else status_of(error),
        error=error,
        plans=plans,
        given={name: text_of(given, name) for name in ("plan", "from", "until", "cap", "note")},
        shown=shown,
        stops=[s for s in stops if s["lost"]][:_STOPS_SHOWN],
        num_only_added=sum(not s["lost"] for s in stops),
        counts=shown.result.counts if shown else {},
        notes=rule_notes(desk.words, shown.opened.request) if shown else [],
    )


def _told_stops(
    desk: Desk, shown: PublishPreview, vehicles: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The stops of a preview in words; those that only gain visits are counted alone."""
    return [
        {
            "name": shown.stop_name(stop.stop_id),
            "lost": any(line.kind is not ChangeKind.ADDED for line in stop.lines),
            "kept": stop.num_kept,
            "lines": [_told_line(desk, line, vehicles) for line in stop.lines],
        }
        for stop in shown.stops
    ]


def _told_line(desk: Desk, line: DiffLine, vehicles: Mapping[str, str]) -> dict[str, Any]:
    words = desk.words
    first = min(d for pair in line.dates for d in pair if d is not None)
    before, after = (_printed(desk, t) for t in (line.before, line.after))
    text = words(
        f"publish.line.{line.kind.value}",
        before=before,
        after=after,
        before_vehicle=_vehicle(line.before, vehicles),
        after_vehicle=_vehicle(line.after, vehicles),
    )
    times = words.count("publish.line.times", len(line.dates), first=words.day(first, "d MMMM"))
    return {"kind": line.kind.value, "text": text, "times": times}


def _printed(desk: Desk, time: PrintedTime | None) -> str:
    if time is None:
        return ""
    weekday, opens_s, closes_s, _ = time
    day = desk.words.day(_A_MONDAY + timedelta(days=weekday), "EEE")
    return f"{day} {desk.words.clock(opens_s)}–{desk.words.clock(closes_s)}"


def _vehicle(time: PrintedTime | None, vehicles: Mapping[str, str]) -> str:
    return "" if time is None else vehicles.get(time[3], time[3])

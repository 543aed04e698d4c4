"""The day that a tablet takes along, made of the promised run and the replayed circulation."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlmodel import Session

from api.schemas.tablet import (
    BoxAboard,
    CardsAboard,
    DepotAboard,
    DueAboard,
    JournalAboard,
    MapAboard,
    RegionAboard,
    RulesAboard,
    RunAboard,
    SiteAboard,
    StopAboard,
    TabletDay,
    VehicleAboard,
    VisitAboard,
    WayAboard,
)
from api.services.day_book import days_on
from api.services.duty import service_date_of
from api.services.ledger import Ledger
from api.services.live_view import planned_line
from api.services.promised_days import PromisedDay
from api.services.tablet_readers import (
    boxes_aboard,
    holds_aboard,
    items_aboard,
    loans_aboard,
    patrons_aboard,
    titles_aboard,
)
from api.state import Service
from data.db import day_sheet_store, publication_store, region_store
from data.db.publication_store import RegionHead
from data.model.accounts import Caller
from data.model.errors import NotFoundError
from data.model.fleet import Vehicle, VehicleId
from data.model.journal_bodies import VisitDate
from data.model.place import Stop, StopId
from data.model.publication import PromisedVisit, VisitId
from data.model.service_time import instant_of
from data.model.stock import ItemPlace, PlaceKind
from fleet.circulation_due import coming_visits, due_of
from fleet.circulation_lists import boxes_at, stop_card
from fleet.circulation_snapshot import Snapshot, snapshot_of

VERSION = 1
MOST_COMING = 12
"""So many later visits of a stop are told."""
UNSEEN = {"version", "revision", "made_at", "expires_at", "journal"}
"""Fields that say nothing of what is in the day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayAsked:
    """Whose day is asked for; without a date today's."""

    region_id: str
    vehicle_id: VehicleId
    on: date | None
    caller: Caller
    basemap: Path | None
    words_version: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    asked: DayAsked
    on: date
    head: RegionHead
    vehicle: Vehicle
    stops: Mapping[StopId, Stop]
    visits: tuple[PromisedVisit, ...]
    """Of the vehicle on the date, those cancelled included."""
    later: Mapping[StopId, tuple[VisitDate, ...]]
    """Of each stop the visits from the date on."""
    day: PromisedDay | None

    @property
    def place(self) -> ItemPlace:
        return ItemPlace(kind=PlaceKind.VEHICLE, key=str(self.vehicle.vehicle_id))

    @property
    def store(self) -> ItemPlace:
        return ItemPlace(kind=PlaceKind.STORE, key=str(self.vehicle.vehicle_id))


def tablet_day(service: Service, asked: DayAsked) -> TabletDay:
    """All that a tablet needs of a vehicle's day.

    Raises
    ------
    NotFoundError
        ``region.unknown``; ``tablet.unknown_vehicle``.
    """
    with service.ledgers.reading(service.engine, asked.region_id) as (session, ledger):
        parts = _load(session, ledger, asked)
        return _day(session, ledger, parts)


def _load(session: Session, ledger: Ledger, asked: DayAsked) -> _Parts:
    head = publication_store.region_head(session, asked.region_id)
    on = asked.on or service_date_of(asked.at, ZoneInfo(head.time_zone))
    stored = region_store.list_things(session, asked.region_id, Vehicle)
    vehicle = next((s.thing for s in stored if s.key == asked.vehicle_id), None)
    if not isinstance(vehicle, Vehicle):
        raise NotFoundError("tablet.unknown_vehicle", vehicle=str(asked.vehicle_id))
    visits = publication_store.load_visits(
        session, asked.region_id, from_date=on, until_date=on, vehicle_id=asked.vehicle_id
    )
    visits = tuple(v for v in visits if v.is_told)
    # A return after midnight of the last day: its doors open a day after its service date.
    until = on + timedelta(days=ledger.lending.rules.most_days + 60)
    served = {v.stop_id for v in visits}
    coming = publication_store.load_visits(session, asked.region_id, from_date=on, until_date=until)
    own = [v for v in coming if v.stop_id in served]
    return _Parts(
        asked=asked,
        on=on,
        head=head,
        vehicle=vehicle,
        stops={
            s.thing.stop_id: s.thing
            for s in region_store.list_things(session, asked.region_id, Stop)
            if isinstance(s.thing, Stop)
        },
        visits=tuple(sorted(visits, key=lambda v: (v.start_s, v.visit_id))),
        later={stop_id: coming_visits(own, stop_id) for stop_id in sorted(served)},
        day=days_on(session, asked.region_id, on).get(asked.vehicle_id),
    )


def _day(session: Session, ledger: Ledger, parts: _Parts) -> TabletDay:
    rules = ledger.lending.rules
    snapshot = snapshot_of(ledger.state, parts.place, parts.later, rules, at=parts.asked.at)
    salt = _salt(parts)
    region = parts.head
    day = TabletDay(
        v=VERSION,
        version="",
        revision=ledger.head.revision,
        made_at=snapshot.made_at,
        expires_at=snapshot.expires_at,
        service_date=parts.on,
        region=RegionAboard(
            region_id=region.region_id,
            name=region.name_in(region.language),
            time_zone=region.time_zone,
            language=region.language,
        ),
        vehicle=VehicleAboard(
            vehicle_id=str(parts.vehicle.vehicle_id),
            name=parts.vehicle.name,
            place=str(parts.place),
            store=str(parts.store),
        ),
        run=_run(session, ledger, parts),
        way=_way(session, parts),
        patrons=patrons_aboard(snapshot, parts.on, salt),
        titles=titles_aboard(snapshot),
        items=items_aboard(snapshot),
        loans=loans_aboard(snapshot),
        holds=holds_aboard(snapshot),
        rules=_rules(snapshot),
        cards=_cards(ledger, parts, salt),
        journal=_journal(ledger, parts),
        map=_map(parts),
        words_version=parts.asked.words_version,
    )
    return day.model_copy(update={"version": _version(day)})


def _version(day: TabletDay) -> str:
    told = day.model_dump(mode="json", exclude=UNSEEN)
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    # A copy that is asked for again, unchanged, lives on for another day at most by its version.
    dated = f"{day.made_at.astimezone(UTC).date()}{text}"
    return hashlib.sha256(dated.encode()).hexdigest()[:32]


def _salt(parts: _Parts) -> str:
    """Cards look otherwise on every tablet and day, so that copies cannot be put together."""
    caller = parts.asked.caller.device_id or parts.asked.caller.account_id or ""
    told = f"{parts.head.region_id}/{caller}/{parts.on.isoformat()}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _run(session: Session, ledger: Ledger, parts: _Parts) -> RunAboard:
    run = parts.day.run if parts.day is not None else None
    line: Iterable[Iterable[tuple[float, float]]] = ()
    if run is not None and run.stops:
        _, line, _ = planned_line(session, parts.head.region_id, parts.vehicle.vehicle_id, parts.on)
    boxes = boxes_at(ledger.state)
    return RunAboard(
        run_id=f"{parts.vehicle.vehicle_id}@{parts.on.isoformat()}",
        depart_at=run.depart_at if run else None,
        return_at=run.return_at if run else None,
        start_depot=_depot(parts, run.start_depot_id if run else None),
        end_depot=_depot(parts, run.end_depot_id if run else None),
        stops=[
            _stop(ledger, parts, visit, stop, boxes_aboard(boxes, stop, parts.on))
            for visit in parts.visits
            if (stop := _stop_of(parts, visit)) is not None
        ],
        line=[[[round(x, 6), round(y, 6)] for x, y in leg] for leg in line],
    )


def _way(session: Session, parts: _Parts) -> WayAboard:
    region_id, vehicle_id = parts.head.region_id, parts.vehicle.vehicle_id
    sheet = day_sheet_store.get_sheet(session, region_id, vehicle_id, parts.on)
    last = day_sheet_store.last_sheet(session, region_id, vehicle_id, parts.on)
    has_last = last is not None and last.odometer_in_km is not None
    planned_m = parts.day.run.drive_m if parts.day is not None else None
    return WayAboard(
        last_km=last.odometer_in_km if last is not None else None,
        last_date=last.service_date if last is not None and has_last else None,
        out_km=sheet.odometer_out_km if sheet is not None else None,
        in_km=sheet.odometer_in_km if sheet is not None else None,
        fuel=sheet.fuel if sheet is not None else None,
        planned_km=None if planned_m is None else round(planned_m / 1000, 1),
    )


def _depot(parts: _Parts, depot_id: str | None) -> DepotAboard | None:
    if parts.day is None or depot_id is None:
        return None
    place = parts.day.run.depot_places.get(depot_id)
    return None if place is None else DepotAboard(depot_id=depot_id, lon=place[0], lat=place[1])


def _stop_of(parts: _Parts, visit: PromisedVisit) -> Stop | None:
    """The stop as the region has it now, else as the plan had it."""
    planned = () if parts.day is None else parts.day.request.stops
    return parts.stops.get(visit.stop_id) or next(
        (s for s in planned if s.stop_id == visit.stop_id), None
    )


def _stop(
    ledger: Ledger, parts: _Parts, visit: PromisedVisit, stop: Stop, boxes: list[BoxAboard]
) -> StopAboard:
    zone = ZoneInfo(parts.head.time_zone)
    card = stop_card(ledger.state, visit)
    later = parts.later[visit.stop_id]
    due = due_of(later, visit.opens_date, ledger.lending.rules)
    times = {
        f"{name}_at": instant_of(visit.service_date, getattr(visit, f"{name}_s"), zone)
        for name in ("arrival", "start", "end", "departure")
    }
    site = {name: getattr(stop.site, name) for name in SiteAboard.model_fields}
    coming = [v for v in later if v.opens_date > visit.opens_date][:MOST_COMING]
    if not ledger.lending.rules.is_due_at_visit:
        # The tablet reckons due dates from these; without them a loan lasts the most days.
        coming = []
    return StopAboard(
        visit_id=visit.visit_id,
        stop_id=visit.stop_id,
        name=stop.name,
        community=stop.community,
        kind=stop.kind,
        state=visit.state,
        lon=stop.lon,
        lat=stop.lat,
        arrival_s=visit.arrival_s,
        start_s=visit.start_s,
        end_s=visit.end_s,
        departure_s=visit.departure_s,
        **times,
        services=sorted(visit.services),
        site=SiteAboard(**site),
        to_hand_over=list(dict.fromkeys(line.hold_id for line in card.to_hand_over)),
        expected_back=[loan.loan_id for loan in card.expected_back],
        blocked=[p.patron_id for p in card.blocked],
        collectives=[p.patron_id for p in card.collectives],
        boxes_back=boxes,
        due=DueAboard(
            due_date=due.due_date, due_visit_id=due.visit_id or VisitId(""), basis=due.basis
        ),
        coming=[VisitAboard(visit_id=v.visit_id, opens_date=v.opens_date) for v in coming],
    )


def _rules(snapshot: Snapshot) -> RulesAboard:
    told = {f.name: getattr(snapshot.rules, f.name) for f in fields(snapshot.rules)}
    return RulesAboard(**{name: told[name] for name in RulesAboard.model_fields})


def _cards(ledger: Ledger, parts: _Parts, salt: str) -> CardsAboard:
    prefix = f"{(parts.asked.caller.device_id or parts.asked.caller.account_id or '')[:6]}-"
    numbers = [
        int(number)
        for patron in ledger.state.patrons.values()
        if patron.card.startswith(prefix)
        and (number := patron.card.removeprefix(prefix)).isascii()
        and number.isdigit()
        and len(number) < 10
    ]
    return CardsAboard(salt=salt, prefix=prefix, next_number=max(numbers, default=0) + 1)


def _journal(ledger: Ledger, parts: _Parts) -> JournalAboard:
    device_id = parts.asked.caller.device_id
    if device_id is None:
        return JournalAboard(device_id="", last_sequence={})
    return JournalAboard(device_id=device_id, last_sequence=ledger.last_sequences(device_id))


def _map(parts: _Parts) -> MapAboard | None:
    path = parts.asked.basemap
    if path is None:
        return None
    stat = path.stat()
    version = hashlib.sha256(f"{path.name}/{stat.st_size}/{stat.st_mtime_ns}".encode())
    return MapAboard(
        url=f"/api/v1/tablet/map.pmtiles?region_id={parts.head.region_id}",
        size_bytes=stat.st_size,
        version=version.hexdigest()[:16],
    )

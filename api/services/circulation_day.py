"""Before a vehicle leaves: items set aside for readers who asked, what to load and to hand over."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from api.services.ledger import Ledger
from api.services.own_journal import Entry, write_down
from api.state import Service
from data.db import audit_store, event_store, load_plan_store, publication_store
from data.model.accounts import Caller
from data.model.errors import NotFoundError
from data.model.fleet import VehicleId
from data.model.journal import EventKind
from data.model.journal_bodies import HoldBody, HoldCancelledBody, HoldReadyBody
from data.model.loans import HoldId
from data.model.patrons import PatronId
from data.model.place import StopId
from data.model.publication import PromisedVisit
from data.model.stock import ItemId, ItemPlace, PlaceKind, TitleId
from fleet.circulation_due import coming_visits
from fleet.circulation_lists import LoadLine, PickLine, assign_holds, load_list, pick_list


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLists:
    """What is to be handed over on a run, and what must come aboard before it."""

    picks: tuple[PickLine, ...]
    loads: tuple[LoadLine, ...]
    titles: Mapping[ItemId, str]
    """Names of the items' titles by item."""


def day_lists(service: Service, region_id: str, vehicle_id: VehicleId, on: date) -> DayLists:
    """Pick list and load list of a vehicle's day.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    with service.ledgers.reading(service.engine, region_id) as (session, ledger):
        visits = _visits_on(session, region_id, vehicle_id, on)
        picks = pick_list(ledger.state, visits, on)
        kept = load_plan_store.get_load(session, region_id, str(vehicle_id), on)
        planned = [] if kept is None else kept.facts.get("put_aboard", ())
        loads = load_list(ledger.state, _place(vehicle_id), picks, planned=planned)
        ids = {line.item.item_id for line in picks} | {line.item_id for line in loads}
        titles = {
            item_id: title.name
            for item_id in ids
            if (title := ledger.state.title_of(ledger.state.items[item_id])) is not None
        }
        return DayLists(picks=picks, loads=loads, titles=titles)


def set_holds_aside(
    service: Service,
    region_id: str,
    vehicle_id: VehicleId,
    on: date,
    *,
    by: Caller,
    at: datetime,
) -> int:
    """Set items aside for the holds of a run's stops; gives how many. Twice is once.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    with service.ledgers.changing(service.engine, region_id) as (session, ledger):
        visits = _visits_on(session, region_id, vehicle_id, on)
        until = on + timedelta(days=ledger.lending.rules.most_days * 3)
        coming = publication_store.load_visits(session, region_id, from_date=on, until_date=until)
        num_ready = 0
        for stop_id in dict.fromkeys(v.stop_id for v in visits if v.is_coming):
            # One stop after another: an item set aside here is free for no other stop.
            bodies = assign_holds(
                ledger.state,
                stop_id,
                coming_visits(coming, stop_id),
                _place(vehicle_id),
                from_date=on,
                rules=ledger.lending.rules,
            )
            entries = [
                Entry(
                    kind=EventKind.HOLD_READY
                    if isinstance(body, HoldReadyBody)
                    else EventKind.HOLD_EXPIRED,
                    body=body,
                    service_date=on,
                    stop_id=stop_id,
                )
                for body in bodies
            ]
            num_ready += sum(e.kind is EventKind.HOLD_READY for e in entries)
            write_down(session, region_id, entries, at=at, by=by.account_id or "")
            ledger.catch_up(session)
        if num_ready:
            audit_store.record(
                session, by, "circulation.set_aside", str(vehicle_id), region_id=region_id,
                date=on.isoformat(), items=num_ready,
            )  # fmt: skip
            event_store.emit(session, "circulation", "", region_id, ready=num_ready)
        return num_ready


def place_hold(
    service: Service,
    region_id: str,
    *,
    title_id: str,
    patron_id: str,
    stop_id: StopId,
    by: Caller,
    at: datetime,
) -> HoldId:
    """A reader asks for a title at a stop.

    Raises
    ------
    NotFoundError
        ``circulation.unknown_patron``, ``circulation.unknown_title``, ``circulation.unknown_stop``.
    """
    with service.ledgers.changing(service.engine, region_id) as (session, ledger):
        state = ledger.state
        if PatronId(patron_id) not in state.patrons:
            raise NotFoundError("circulation.unknown_patron", patron_id=patron_id)
        if TitleId(title_id) not in state.titles:
            raise NotFoundError("circulation.unknown_title", title_id=title_id)
        if not publication_store.load_visits(session, region_id, stop_id=stop_id):
            raise NotFoundError("circulation.unknown_stop", stop_id=stop_id)
        hold_id = HoldId(uuid.uuid4().hex)
        body = HoldBody(hold_id=hold_id, title_id=title_id, patron_id=patron_id, stop_id=stop_id)
        _write(session, ledger, EventKind.HOLD, body, stop_id, by=by, at=at)
        return hold_id


def cancel_hold(
    service: Service, region_id: str, hold_id: str, *, by: Caller, at: datetime
) -> None:
    """A reader does not want a hold any more.

    Raises
    ------
    NotFoundError
        ``circulation.unknown_hold``; for one that is closed too.
    """
    with service.ledgers.changing(service.engine, region_id) as (session, ledger):
        hold = ledger.state.holds.get(HoldId(hold_id))
        if hold is None or not hold.is_open:
            raise NotFoundError("circulation.unknown_hold", hold_id=hold_id)
        body = HoldCancelledBody(hold_id=hold_id)
        _write(session, ledger, EventKind.HOLD_CANCELLED, body, hold.stop_id, by=by, at=at)


def _write(
    session: Session,
    ledger: Ledger,
    kind: EventKind,
    body: HoldBody | HoldCancelledBody,
    stop_id: StopId,
    *,
    by: Caller,
    at: datetime,
) -> None:
    entry = Entry(kind=kind, body=body, service_date=ledger.lending.local_date(at), stop_id=stop_id)
    write_down(session, ledger.region_id, [entry], at=at, by=by.account_id or "")
    ledger.catch_up(session)
    audit_store.record(
        session, by, f"circulation.{kind.value}", body.hold_id, region_id=ledger.region_id
    )


def _place(vehicle_id: VehicleId) -> ItemPlace:
    return ItemPlace(kind=PlaceKind.VEHICLE, key=str(vehicle_id))


def _visits_on(
    session: Session, region_id: str, vehicle_id: VehicleId, on: date
) -> tuple[PromisedVisit, ...]:
    return publication_store.load_visits(
        session, region_id, from_date=on, until_date=on, vehicle_id=vehicle_id
    )

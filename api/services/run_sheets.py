"""The paper of a run: one sheet a vehicle and date, known by a number that anybody can type."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from api.services.day_book import days_on
from api.services.ledger import Ledger
from api.state import Service
from data.db import publication_store, region_store
from data.db.publication_store import RegionHead
from data.model.crew_bodies import SkipReason
from data.model.errors import NotFoundError
from data.model.fleet import Vehicle, VehicleId
from data.model.place import Stop
from data.model.publication import PromisedVisit
from data.model.service_time import clock_s
from data.model.stock import ItemPlace, PlaceKind
from fleet.circulation_lists import pick_list

FIELDS = (
    "visits_service.children",
    "visits_service.youth",
    "visits_service.adult",
    "visits_service.senior",
    "visits_event",
    "users_new",
    "users_renewed",
    "loans_home",
    "loans_child_lit",
    "returns",
    "references_total",
    "copies_made",
    "events_count",
    "refusals",
)
"""Counts that the paper has a box for, in its order."""
SKIPS = tuple(SkipReason)
"""Reasons by their number on the paper, from 1."""
_CODES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBook:
    """An item to hand over; of its reader only the end of the card stands on paper."""

    title: str
    item_id: str
    card_end: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetStop:
    """A stop visit of the sheet; ``name`` and site as they are on the date."""

    visit: PromisedVisit
    name: str
    stop: Stop | None
    books: tuple[HeldBook, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSheet:
    """The sheet of a vehicle and date."""

    head: RegionHead
    vehicle: Vehicle
    on: date
    number: str
    stops: tuple[SheetStop, ...]
    depart_s: int | None
    return_s: int | None

    @property
    def place(self) -> ItemPlace:
        return ItemPlace(kind=PlaceKind.VEHICLE, key=str(self.vehicle.vehicle_id))

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.head.time_zone)


def codes_of(vehicle_ids: Iterable[str]) -> dict[str, str]:
    """A number of four digits for each vehicle, the same as long as the fleet has it."""
    found: dict[str, str] = {}
    taken: set[int] = set()
    for vehicle_id in sorted(vehicle_ids):
        code = int.from_bytes(hashlib.sha256(vehicle_id.encode()).digest()[:4]) % _CODES
        while code in taken:
            code = (code + 1) % _CODES
        taken.add(code)
        found[vehicle_id] = f"{code:04}"
    return found


def number_of(on: date, code: str) -> str:
    """A sheet's number: date, vehicle, and a digit by which slips are known."""
    digits = f"{on:%y%m%d}{code}"
    return f"{digits[:6]}-{digits[6:]}{_check_digit(digits)}"


def _check_digit(digits: str) -> int:
    """The digit of Luhn's formula, that tells each single wrong digit and most swaps."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return -total % 10


def sheet_named(vehicle_ids: Iterable[str], number: str) -> tuple[VehicleId, date]:
    """The vehicle and date of a sheet's number, however it is typed.

    Raises
    ------
    NotFoundError
        ``runsheet.unknown``.
    """
    digits = "".join(c for c in number if c.isascii() and c.isdigit())
    if len(digits) == 11 and int(digits[-1]) == _check_digit(digits[:-1]):
        by_code = {code: vehicle for vehicle, code in codes_of(vehicle_ids).items()}
        try:
            on = date(2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
        except ValueError:
            on = None
        if on is not None and digits[6:10] in by_code:
            return VehicleId(by_code[digits[6:10]]), on
    raise NotFoundError("runsheet.unknown", number=number[:40])


def run_sheet(service: Service, region_id: str, vehicle_id: str, on: date) -> RunSheet:
    """The sheet of a vehicle and date.

    Raises
    ------
    NotFoundError
        ``region.unknown``; ``runsheet.no_run`` where it has no stop visits, or there is no vehicle.
    """
    with service.ledgers.reading(service.engine, region_id) as (session, ledger):
        return sheet_in(session, ledger, vehicle_id, on)


def sheet_in(session: Session, ledger: Ledger, vehicle_id: str, on: date) -> RunSheet:
    """The same within somebody's transaction."""
    region_id = ledger.region_id
    head = publication_store.region_head(session, region_id)
    vehicles = {s.key: s.thing for s in region_store.list_things(session, region_id, Vehicle)}
    vehicle = vehicles.get(vehicle_id)
    visits = publication_store.load_visits(
        session, region_id, from_date=on, until_date=on, vehicle_id=VehicleId(vehicle_id)
    )
    visits = tuple(v for v in visits if v.is_told)
    if not isinstance(vehicle, Vehicle) or not visits:
        name = vehicle.name if isinstance(vehicle, Vehicle) else vehicle_id[:120]
        raise NotFoundError("runsheet.no_run", vehicle=name, date=on.isoformat())
    stops = {
        s.thing.stop_id: s.thing
        for s in region_store.list_things(session, region_id, Stop, on=on)
        if isinstance(s.thing, Stop)
    }
    day = days_on(session, region_id, on).get(vehicle.vehicle_id)
    books = _books(ledger, visits, on)
    zone = ZoneInfo(head.time_zone)
    return RunSheet(
        head=head,
        vehicle=vehicle,
        on=on,
        number=number_of(on, codes_of(vehicles)[vehicle_id]),
        stops=tuple(
            SheetStop(
                visit=visit,
                name=stops[visit.stop_id].name if visit.stop_id in stops else str(visit.stop_id),
                stop=stops.get(visit.stop_id),
                books=tuple(books.get(visit.visit_id, ())),
            )
            for visit in sorted(visits, key=lambda v: (v.start_s, v.visit_id))
        ),
        depart_s=None if day is None else _clock(on, day.run.depart_at, zone),
        return_s=None if day is None else _clock(on, day.run.return_at, zone),
    )


def _clock(on: date, at: datetime | None, zone: ZoneInfo) -> int | None:
    return None if at is None else max(0, round(clock_s(on, at, zone)))


def _books(
    ledger: Ledger, visits: tuple[PromisedVisit, ...], on: date
) -> Mapping[str, list[HeldBook]]:
    found: dict[str, list[HeldBook]] = defaultdict(list)
    for line in pick_list(ledger.state, visits, on):
        title = ledger.state.title_of(line.item)
        patron = ledger.state.patrons.get(line.patron_id)
        book = HeldBook(
            title=str(line.item.item_id) if title is None else title.name,
            item_id=str(line.item.item_id),
            card_end="" if patron is None else patron.card[-3:],
        )
        found[line.visit_id].append(book)
    return found

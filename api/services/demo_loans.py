"""Simulated readers of the demo, what they have had, have and wait for; nobody of them lives.

Readers are called by numbers, their cards begin with ``DEMO``. Each simulated stop visit of the
last year lends as many books as its record says were taken home, to readers of the stop; most come
back at the next visit. The same seed makes the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.random import Generator
from sqlalchemy import Engine
from sqlmodel import Session

from api.services.own_journal import Entry, write_down
from data.db import circulation_store, publication_store, visit_record_store
from data.db.engine import writing
from data.model.journal import EventKind
from data.model.journal_bodies import LoanBody, ReturnBody, VisitDate
from data.model.lending import LendingRules
from data.model.loans import Hold, HoldId, Loan, LoanId
from data.model.patrons import Block, BlockReason, Patron, PatronId, PatronKind
from data.model.place import StopId
from data.model.stock import Item, ItemId, ItemPlace, PlaceKind, Title
from data.model.stop_counts import total_of
from data.model.visit_record import VisitRecord
from fleet.circulation_due import coming_visits, due_of

PAST_DAYS = 365
READERS_A_STOP = (8, 34)
KINDS = {PatronKind.PERSON: 0.96, PatronKind.COLLECTIVE: 0.025, PatronKind.HOME: 0.015}
NAMES = {
    PatronKind.PERSON: "Читатель",
    PatronKind.COLLECTIVE: "Коллективный абонемент",
    PatronKind.HOME: "Читатель на дому",
}
CHILDREN = 0.34
NUM_HOLDS = 40
HOLD_DAYS = 8
"""Holds are at stops to which a vehicle comes in so many days."""
MOST_AT_ONCE = 4
"""So many books does a reader of the demo have at once, a group five times as many."""
LATE = 0.06
"""Share of books that come back one visit later than due."""


@dataclass(slots=True)
class _World:
    """Who reads where, what stands on which vehicle, and what is lent."""

    rng: Generator
    zone: ZoneInfo
    readers: dict[StopId, list[Patron]]
    free: dict[str, list[ItemId]]
    coming: Mapping[StopId, Sequence[VisitDate]]
    rules: LendingRules = field(default_factory=LendingRules)
    open: dict[StopId, list[Loan]] = field(default_factory=dict)
    num_of: dict[PatronId, int] = field(default_factory=dict)
    ended: list[Loan] = field(default_factory=list)
    number: int = 0


def lend_past(engine: Engine, region_id: str, *, at: datetime, seed: int) -> int:
    """Store readers, loans and holds where the region has no readers yet; how many loans."""
    with writing(engine) as session:
        circulation_store.hold_circulation(session, region_id)
        base = circulation_store.load_base(session, region_id)
        if any(isinstance(thing, Patron) for thing in base):
            return 0
        items = [thing for thing in base if isinstance(thing, Item)]
        world = _world(session, region_id, items, at, seed)
        today = at.astimezone(world.zone).date()
        records = visit_record_store.load_records(
            session, region_id,
            from_date=today - timedelta(days=PAST_DAYS), until_date=today - timedelta(days=1),
        )  # fmt: skip
        for record in sorted(records, key=lambda r: (r.service_date, r.vehicle_id, r.key)):
            if record.is_held and record.stop_id is not None:
                _visit(world, record, record.stop_id)
        lent = [loan for own in world.open.values() for loan in own]
        titles = [thing for thing in base if isinstance(thing, Title)]
        readers = [p for own in world.readers.values() for p in own]
        holds = list(_holds(world, titles, at))
        circulation_store.put_things(session, region_id, [*readers, *lent, *holds])
        circulation_store.put_ended(session, region_id, world.ended, {})
        circulation_store.advance(session, region_id, is_new_base=True)
        if clashes := _clashes(world, lent, at):
            write_down(session, region_id, clashes[1], at=clashes[0])
    return len(lent) + len(world.ended)


def _world(
    session: Session, region_id: str, items: Sequence[Item], at: datetime, seed: int
) -> _World:
    head = publication_store.region_head(session, region_id)
    visits = publication_store.load_visits(session, region_id)
    rng = np.random.default_rng([seed, 613])
    stops = sorted({v.stop_id for v in visits})
    free: dict[str, list[ItemId]] = {}
    for item in items:
        if item.place.kind is PlaceKind.VEHICLE:
            free.setdefault(item.place.key, []).append(item.item_id)
    today = at.astimezone(ZoneInfo(head.time_zone)).date()
    return _World(
        rng=rng,
        zone=ZoneInfo(head.time_zone),
        readers=_readers(rng, stops, today),
        free=free,
        coming={stop: coming_visits(visits, stop) for stop in stops},
    )


def _readers(rng: Generator, stops: Sequence[StopId], today: date) -> dict[StopId, list[Patron]]:
    found: dict[StopId, list[Patron]] = {}
    number = 0
    for stop_id in stops:
        for _ in range(int(rng.integers(*READERS_A_STOP))):
            number += 1
            found.setdefault(stop_id, []).append(_reader(rng, number, stop_id, today))
    return found


def _reader(rng: Generator, number: int, stop_id: StopId, today: date) -> Patron:
    kind = PatronKind(str(rng.choice([k.value for k in KINDS], p=list(KINDS.values()))))
    years = int(rng.integers(6, 15) if rng.random() < CHILDREN else rng.integers(16, 88))
    since = today - timedelta(days=int(rng.integers(1, 350)))
    chance = rng.random()
    block = Block(reason=BlockReason.DEBT, since_date=since, note="пример")
    is_over = chance > 0.97
    return Patron(
        patron_id=PatronId(f"demo-p{number:04d}"),
        card=f"DEMO-{number:04d}",
        name=f"{NAMES[kind]} {number:04d}",
        kind=kind,
        birth_date=date(today.year - years, 1 + number % 12, 1 + number % 28)
        if kind is not PatronKind.COLLECTIVE
        else None,
        stop_ids=frozenset({stop_id}),
        registered_date=since,
        expires_date=today - timedelta(days=9) if is_over else since + timedelta(days=365),
        blocks=(block,) if chance < 0.015 else (),
    )


def _visit(world: _World, record: VisitRecord, stop_id: StopId) -> None:
    """What comes back at a stop visit, and what is taken home from it."""
    opened = record.opened_at or record.planned_open_at
    if opened is None:
        return
    rng, vehicle = world.rng, str(record.vehicle_id)
    place = ItemPlace(kind=PlaceKind.VEHICLE, key=vehicle)
    shelf = world.free.setdefault(vehicle, [])
    kept: list[Loan] = []
    for loan in world.open.get(stop_id, ()):
        if loan.place != place or loan.due.due_date > record.service_date or rng.random() < LATE:
            kept.append(loan)
            continue
        back = opened + timedelta(minutes=int(rng.integers(1, 50)))
        world.ended.append(replace(loan, returned_at=back, return_place=place))
        world.num_of[loan.patron_id] -= 1
        shelf.append(loan.item_id)
    readers = world.readers.get(stop_id, [])
    for _ in range(total_of(record.counts, "loans_home")):
        if not readers or not shelf:
            break
        reader = readers[int(len(readers) * rng.random() ** 1.4)]
        most = MOST_AT_ONCE * (5 if reader.kind is PatronKind.COLLECTIVE else 1)
        if world.num_of.get(reader.patron_id, 0) >= most or reader.blocks:
            continue
        lent = opened + timedelta(minutes=int(rng.integers(1, 55)))
        # The shelf's first ones are asked for more often than its last.
        item_id = shelf.pop(int(len(shelf) * rng.random() ** 1.6))
        kept.append(_loan(world, item_id, reader, stop_id, lent, place))
        world.num_of[reader.patron_id] = world.num_of.get(reader.patron_id, 0) + 1
    world.open[stop_id] = kept


def _loan(
    world: _World,
    item_id: ItemId,
    reader: Patron,
    stop_id: StopId,
    lent: datetime,
    place: ItemPlace,
) -> Loan:
    world.number += 1
    on = lent.astimezone(world.zone).date()
    return Loan(
        loan_id=LoanId(f"demo-l{world.number:06d}"),
        item_id=item_id,
        patron_id=reader.patron_id,
        place=place,
        loaned_at=lent,
        due=due_of(world.coming.get(stop_id, ()), on, world.rules),
        due_from_date=on,
        stop_id=stop_id,
    )


def _holds(world: _World, titles: Sequence[Title], at: datetime) -> Iterator[Hold]:
    """Readers of some stops wait for titles, the oldest wish some weeks old."""
    soon = (at + timedelta(days=HOLD_DAYS)).date()
    stops = sorted(
        stop_id
        for stop_id, own in world.readers.items()
        if own and any(at.date() < v.opens_date < soon for v in world.coming.get(stop_id, ()))
    )
    for number in range(NUM_HOLDS if titles and stops else 0):
        stop_id = stops[int(world.rng.integers(len(stops)))]
        readers = [p for p in world.readers[stop_id] if not p.blocks]
        if readers:
            yield Hold(
                hold_id=HoldId(f"demo-h{number:03d}"),
                title_id=titles[int(world.rng.integers(len(titles)))].title_id,
                patron_id=readers[int(world.rng.integers(len(readers)))].patron_id,
                stop_id=stop_id,
                placed_at=at - timedelta(hours=int(world.rng.integers(20, 500))),
            )


def _clashes(
    world: _World, lent: Sequence[Loan], at: datetime
) -> tuple[datetime, list[Entry]] | None:
    """Two things that wait for a librarian: taken back, and lent, elsewhere soon after a loan.

    They happened two days ago and more, for a demo's clock may be put back by one.
    """
    since = at - timedelta(days=world.rules.doubt_days)
    recent = [x for x in lent if since < x.loaned_at < at - timedelta(days=2)]
    last = sorted(recent, key=lambda x: (x.loaned_at, x.loan_id))[-2:]
    if len(last) < 2:
        return None
    first, second = last
    others = [p for own in world.readers.values() for p in own if p.patron_id != second.patron_id]
    when = second.loaned_at + timedelta(hours=3)
    on = when.astimezone(world.zone).date()
    due = on + timedelta(days=world.rules.most_days)
    loan = LoanBody(item_id=second.item_id, patron_id=others[0].patron_id, due_date=due)
    back = ReturnBody(item_id=first.item_id)
    return when, [
        Entry(kind=EventKind.RETURN, body=back, service_date=on),
        Entry(kind=EventKind.LOAN, body=loan, service_date=on),
    ]

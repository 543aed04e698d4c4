"""Fifty tablets at once, and a region with a million past loans: seconds and memory.

``pytest -m benchmark -s tests/benchmarks/test_circulation_reach.py``; ``BOOKMOBILE_BENCH_LOANS``
says how many loans the past has, ``BOOKMOBILE_BENCH_EVENTS`` how many events are not folded yet.
Baselines: a minute until the last of fifty tablets was answered, when each of them had the whole
day replayed for itself; and no look of a librarian or tablet longer than a few seconds, however
long the past.
"""

import os
import random
import sys
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import JSON, Connection, Integer, String, cast, func, insert, literal, select
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import SQLModel, col

from api.services import circulation_counter, circulation_desk, circulation_find
from api.services.circulation_settling import settle_region
from api.services.ledger import Ledgers
from api.services.own_journal import OFFICE
from api.services.visit_records import keep_records
from data.db import circulation_store
from data.db.engine import writing
from data.db.tables.circulation import CirculationEndedRow, JournalEventRow
from data.model.accounts import Caller, Role
from data.model.patrons import Patron, PatronId
from data.model.stock import Item, ItemId, ItemPlace, PlaceKind, Title, TitleId
from tests.api.circulation.library import (
    ABOARD,
    OLGA,
    STOPS,
    Library,
    TabletAt,
    bring,
    library,
    pair,
    stock_up,
)
from tests.api.circulation.test_sync_property import all_at_once, caller_of
from tests.api.tracking.depot import REGION
from tests.databases import KINDS, postgres_url

pytestmark = pytest.mark.benchmark
NUM_LOANS = int(os.environ.get("BOOKMOBILE_BENCH_LOANS", "1000000"))
NUM_EVENTS = int(os.environ.get("BOOKMOBILE_BENCH_EVENTS", "20000"))
BLOCK = 10_000
"""So many loans are written one by one; the others are copies under other ids."""
NUM_TITLES, NUM_ITEMS, NUM_ABOARD, NUM_READERS = 8_000, 20_000, 1_200, 5_000
CENTRAL = ItemPlace(kind=PlaceKind.POINT, key="central")
BEGIN = datetime(2023, 1, 1, tzinfo=UTC)
LONGEST_S = 20.0
"""No look may take longer, whatever the machine does besides."""


@pytest.mark.parametrize("kind", KINDS)
def test_fifty_tablets_with_three_hundred_events_each(kind: str, tmp_path: Path) -> None:
    """None lost, none doubled, no error; how long until the last was answered."""
    begun = time.process_time()
    if kind == "sqlite":
        with library(tmp_path) as one:
            took_s = measured(one)
    else:
        with postgres_url() as url, library(tmp_path, url=url) as one:
            took_s = measured(one)
    used_s = time.process_time() - begun
    sys.stderr.write(
        f"{kind}: 50 tablets, 15,000 events: the last was answered after {took_s:.1f} s; "
        f"{used_s:.1f} s of processor for tablets, server and the clean sync to hold it against\n"
    )


def measured(one: Library) -> float:
    # A busy machine makes them wait; what is measured is told, not asserted.
    one.depot.client.timeout = httpx.Timeout(900)
    return all_at_once(one, events=300, at_once=300)


@pytest.mark.parametrize("kind", KINDS)
def test_a_million_past_loans_slow_nobody(kind: str, tmp_path: Path) -> None:
    """What a librarian and a tablet wait for in a region with a long past and two busy months."""
    if kind == "sqlite":
        with library(tmp_path) as one:
            long_past(one)
    else:
        with postgres_url() as url, library(tmp_path, url=url) as one:
            long_past(one)


def long_past(one: Library) -> None:
    """Fill a region, ask it what its people ask, tell how long that took, and fold some more."""
    began = time.perf_counter()
    stock_up(one.engine, *_stock(), *_readers())
    past(one, NUM_LOANS)
    tell(f"{one.engine.dialect.name}: {NUM_LOANS:,} past loans written", began)
    region, at = REGION, one.depot.now
    service = one.service
    tracemalloc.start()
    service.ledgers = Ledgers()
    began = time.perf_counter()
    circulation_desk.waiting(service, region)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    tell(f"  opened with {peak / 2**20:.0f} MiB", began)
    tablet, token = not_folded(one, NUM_EVENTS)
    service.ledgers = Ledgers()
    looked(f"opened with {NUM_EVENTS:,} events to replay", lambda: waiting(one), most_s=120)
    looked("the desk's page", lambda: waiting(one))
    found = looked("a reader", lambda: circulation_find.reader_page(service, region, "r7", at))
    assert found.num_past >= NUM_LOANS // NUM_READERS
    item = looked("an item", lambda: circulation_find.item_page(service, region, "b7"))
    assert len(item.loans) >= NUM_LOANS // NUM_ITEMS
    looked("items by a word", lambda: circulation_find.find_items(service, region, "книга 77"))
    looked("readers by a word", lambda: circulation_find.find_readers(service, region, "77"))
    looked("a tablet's day", lambda: one.day(token))
    counter = circulation_counter.Counter(
        service=service, region_id=region, place=OFFICE, at=at,
        by=Caller(account_id=OLGA.account_id, name="", roles=frozenset({Role.LIBRARIAN})),
    )  # fmt: skip
    looked("a return at the desk", lambda: circulation_counter.take_back(counter, item="b9"))
    begin = len(tablet.events)
    for n in range(300):
        tablet.lend(f"b{10_000 + n}", f"r{n}", at - timedelta(hours=1) + timedelta(seconds=n))
    looked("300 events of a tablet", lambda: one.bring(token, tablet, tablet.events[begin:]))
    looked("records of visits", lambda: keep_records(service, region), most_s=120)
    before = at - timedelta(days=5)
    folded = looked("folded", lambda: settle_region(service, region, before, least=1), most_s=120)
    assert folded > NUM_EVENTS // 2
    looked(f"opened anew after {folded:,} events were folded", lambda: waiting(one))


def waiting(one: Library) -> circulation_desk.Waiting:
    return circulation_desk.waiting(one.service, REGION)


def looked[T](what: str, look: Callable[[], T], *, most_s: float = LONGEST_S) -> T:
    """Time a look, tell it, and hold it to its limit."""
    began, used = time.perf_counter(), time.process_time()
    found = look()
    used_s = time.process_time() - used
    took_s = tell(f"  {what}, {used_s:.2f} s of processor", began)
    assert took_s <= most_s, what
    return found


def tell(what: str, began: float) -> float:
    took_s = time.perf_counter() - began
    sys.stderr.write(f"{what}: {took_s:.2f} s\n")
    return took_s


def _stock() -> list[Title | Item]:
    titles = [Title(title_id=TitleId(f"w{n}"), name=f"Книга {n}") for n in range(NUM_TITLES)]
    items = [
        Item(
            item_id=ItemId(f"b{n}"),
            title_id=titles[n % NUM_TITLES].title_id,
            place=ABOARD if n < NUM_ABOARD else CENTRAL,
        )
        for n in range(NUM_ITEMS)
    ]
    return [*titles, *items]


def _readers() -> list[Patron]:
    return [
        Patron(
            patron_id=PatronId(f"r{n}"),
            card=f"k-{n:05}",
            name=f"Читатель {n}",
            stop_ids=frozenset({STOPS[n % len(STOPS)]}),
        )
        for n in range(NUM_READERS)
    ]


def not_folded(one: Library, num: int) -> tuple[TabletAt, str]:
    """Loans and returns of the last fifty days, brought by one tablet each ten days."""
    chance = random.Random(1)
    lent: set[str] = set()
    at = one.depot.now - timedelta(days=50)
    step = timedelta(days=49) / num
    for number in range(5):
        device, token = pair(one.engine, number)
        tablet = TabletAt(device=device)
        for _ in range(num // 5):
            at += step
            item = f"b{chance.randrange(NUM_ITEMS // 2)}"
            if item in lent:
                lent.discard(item)
                tablet.write("return", at, STOPS[0], item_id=item)
            else:
                lent.add(item)
                tablet.lend(item, f"r{chance.randrange(NUM_READERS)}", at)
        bring(one.service, caller_of(tablet), tablet, tablet.events, at)
    return tablet, token


def past(one: Library, num: int) -> None:
    """Loans that were returned, with their events, settled, as folding leaves them."""
    ended, events = [], []
    block = min(num, BLOCK)
    for n in range(block):
        at = BEGIN + timedelta(minutes=2 * n)
        item, patron = f"b{n * 7 % NUM_ITEMS}", f"r{n * 3 % NUM_READERS}"
        ended.append(_ended(n, item, patron, at))
        events += [
            _event(2 * n + 1, "loan", at, item_id=item, patron_id=patron),
            _event(2 * n + 2, "return", at + timedelta(days=7), item_id=item),
        ]
    with writing(one.engine) as session:
        session.connection().execute(insert(CirculationEndedRow), ended)
        session.connection().execute(insert(JournalEventRow), events)
    for number in range(1, num // block):
        with writing(one.engine) as session:
            _copy(session.connection(), CirculationEndedRow, "key", number)
            _copy(session.connection(), JournalEventRow, "event_id", number)
    with writing(one.engine) as session:
        circulation_store.hold_circulation(session, REGION)
        circulation_store.settle(
            session, REGION, things=[], ended=[], visits={}, gone={},
            touched={("item", f"b{n}"): BEGIN for n in range(NUM_ITEMS)}, until=BEGIN,
        )  # fmt: skip


def _copy(connection: Connection, table: type[SQLModel], key: str, number: int) -> None:
    """The first block's rows once more, under other ids, items and readers shifted along."""
    own = table.__table__.c  # type: ignore[attr-defined]
    is_postgres = connection.dialect.name == "postgresql"

    def renamed(column: ColumnElement[str]) -> ColumnElement[str]:
        found: ColumnElement[str] = func.replace(column, "past-0-", f"past-{number}-")
        return found

    told: dict[str, ColumnElement[Any]] = {}
    for column in own:
        if column.name == "event_no":
            continue
        if column.name == key:
            told[column.name] = renamed(column)
        elif column.name == "facts":
            text = renamed(cast(column, String))
            told[column.name] = cast(text, JSON) if is_postgres else text
        elif column.name == "sequence":
            told[column.name] = column + 2 * BLOCK * number
        elif column.name in ("item_id", "patron_id"):
            told[column.name] = _shifted(column, number)
        else:
            told[column.name] = column
    first = select(*told.values()).where(col(own[key]).like("past-0-%"))
    connection.execute(insert(table).from_select(list(told), first))


def _shifted(column: ColumnElement[str], number: int) -> ColumnElement[str]:
    """An item or reader some places on, so that each has a share of the past."""
    most = NUM_ITEMS if column.name == "item_id" else NUM_READERS
    letter = "b" if column.name == "item_id" else "r"
    whole = cast(func.substr(column, 2), Integer)
    return literal(letter).concat(cast((whole + 1237 * number) % most, String))


def _ended(n: int, item: str, patron: str, at: datetime) -> dict[str, object]:
    back = at + timedelta(days=7)
    facts = {
        "loan_id": f"past-0-{n}", "item_id": item, "patron_id": patron,
        "place": {"kind": "vehicle", "key": "north"}, "loaned_at": at.isoformat(),
        "due": {"due_date": back.date().isoformat()}, "due_from_date": at.date().isoformat(),
        "returned_at": back.isoformat(),
    }  # fmt: skip
    return {
        "region_id": REGION, "kind": "loan", "key": f"past-0-{n}", "item_id": item,
        "patron_id": patron, "stop_id": STOPS[n % len(STOPS)], "ended_at": back, "facts": facts,
    }  # fmt: skip


def _event(number: int, kind: str, at: datetime, **body: str) -> dict[str, object]:
    facts = {"v": 1, "event_id": f"past-0-{number}", "kind": kind, "body": body}
    return {
        "region_id": REGION, "event_id": f"past-0-{number}", "device_id": "old",
        "sequence": number, "digest": "0" * 64, "received_at": at, "carried_by": "old",
        "settled_at": at, "facts": facts,
    }  # fmt: skip

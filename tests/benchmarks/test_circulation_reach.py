"""Fifty tablets at once, and a region with a million past loans: seconds and memory.

``pytest -m benchmark -s tests/benchmarks/test_circulation_reach.py``; ``BOOKMOBILE_BENCH_LOANS``
says how many loans the past has. Baseline: a minute until the last of fifty tablets was answered,
when each of them had the whole day replayed for itself.
"""

import os
import sys
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import insert

from api.services.ledger import Ledgers
from data.db import circulation_store
from data.db.engine import writing
from data.db.tables.circulation import CirculationEndedRow, JournalEventRow
from tests.api.circulation.library import MORNING, Library, library, state_of
from tests.api.circulation.test_sync_property import all_at_once
from tests.api.tracking.depot import REGION
from tests.databases import KINDS, postgres_url

pytestmark = pytest.mark.benchmark
NUM_LOANS = int(os.environ.get("BOOKMOBILE_BENCH_LOANS", "1000000"))
AT_ONCE = 20_000
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


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


def test_a_million_past_loans_are_not_replayed(tmp_path: Path) -> None:
    """Time and memory until a region with a settled past can be asked."""
    with library(tmp_path) as one:
        past(one, NUM_LOANS)
        one.service.ledgers = Ledgers()
        tracemalloc.start()
        begun = time.perf_counter()
        state = state_of(one.engine)
        took_s = time.perf_counter() - begun
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        with one.service.ledgers.reading(one.engine, REGION) as (session, ledger):
            begun = time.perf_counter()
            found = ledger.loans_of_item(session, "i7")
            looked_up_s = time.perf_counter() - begun
        assert len(found) == NUM_LOANS // 60 + (NUM_LOANS % 60 > 7)
        assert all(loan.returned_at is not None for loan in found)
        assert len(state) > 80
    sys.stderr.write(
        f"{NUM_LOANS:,} past loans ({2 * NUM_LOANS:,} events): opened in {took_s:.2f} s, "
        f"{peak / 2**20:.1f} MiB; {len(found):,} loans of one item in {looked_up_s:.2f} s\n"
    )


def past(one: Library, num: int) -> None:
    """Loans that were returned, with their events, settled, as folding leaves them."""
    for begin in range(0, num, AT_ONCE):
        ended, events = [], []
        for n in range(begin, min(num, begin + AT_ONCE)):
            at = BEGIN + timedelta(seconds=30 * n)
            item, patron = f"i{n % 60}", f"p{n % 20}"
            ended.append(_ended(n, item, patron, at))
            events += [
                _event(2 * n + 1, "loan", at, item_id=item, patron_id=patron),
                _event(2 * n + 2, "return", at + timedelta(days=7), item_id=item),
            ]
        with writing(one.engine) as session:
            session.connection().execute(insert(CirculationEndedRow), ended)
            session.connection().execute(insert(JournalEventRow), events)
    with writing(one.engine) as session:
        circulation_store.hold_circulation(session, REGION)
        circulation_store.settle(
            session, REGION, things=[], ended=[], visits={}, gone={},
            touched={("item", f"i{n}"): MORNING for n in range(60)}, until=MORNING,
        )  # fmt: skip


def _ended(n: int, item: str, patron: str, at: datetime) -> dict[str, object]:
    back = at + timedelta(days=7)
    facts = {
        "loan_id": f"past-{n}", "item_id": item, "patron_id": patron,
        "place": {"kind": "vehicle", "key": "north"}, "loaned_at": at.isoformat(),
        "due": {"due_date": back.date().isoformat()}, "due_from_date": at.date().isoformat(),
        "returned_at": back.isoformat(),
    }  # fmt: skip
    return {
        "region_id": REGION, "kind": "loan", "key": f"past-{n}", "item_id": item,
        "patron_id": patron, "ended_at": back, "facts": facts,
    }  # fmt: skip


def _event(number: int, kind: str, at: datetime, **body: str) -> dict[str, object]:
    facts = {"v": 1, "event_id": f"past-{number}", "kind": kind, "body": body}
    return {
        "region_id": REGION, "event_id": f"past-{number}", "device_id": "old",
        "sequence": number, "digest": "0" * 64, "received_at": at, "carried_by": "old",
        "settled_at": at, "facts": facts,
    }  # fmt: skip

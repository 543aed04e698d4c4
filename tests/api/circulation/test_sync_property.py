"""However tablets sync, the state is that of one clean sync: cut off, doubled, relayed, at once."""

import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event
from sqlmodel import Session, delete, func, select

from api.app import create_app
from api.services.ledger import Ledgers
from api.setting_variables import Environment
from api.settings import Settings
from api.state import Service
from data.db.engine import writing
from data.db.tables.circulation import ClockMarkRow, JournalEventRow
from data.model.accounts import Caller, Device, Role
from tests.api.circulation.library import (
    MORNING,
    Library,
    TabletAt,
    bring,
    library,
    pair,
    random_day,
    readers,
    state_of,
    stock,
    stock_up,
)
from tests.api.tracking.depot import REGION, fill
from tests.databases import KINDS, build, postgres_url

EVENING = MORNING + timedelta(hours=10)
NUM_TABLETS = 3


class CutOffError(Exception):
    """The server dies, or the network does."""


@pytest.fixture(scope="module", params=KINDS)
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A service with readers, stock and paired tablets, on each database."""
    folder = tmp_path_factory.mktemp("service")
    if request.param == "sqlite":
        yield from _service(folder, f"sqlite:///{folder / 'service.db'}")
    else:
        with postgres_url() as url:
            yield from _service(folder, url)


def _service(folder: Path, url: str) -> Iterator[Service]:
    app = create_app(
        Settings(data_dir=folder, database_url=url, environment=Environment.DEVELOPMENT)
    )
    made: Service = app.state.service
    build(made.engine)
    fill(made.engine, MORNING)
    stock_up(made.engine, *stock(), *readers())
    for number in range(NUM_TABLETS):
        pair(made.engine, number)
    yield made
    made.engine.dispose()


def clear(engine: Engine) -> None:
    """Forget every journal."""
    with writing(engine) as session:
        session.exec(delete(JournalEventRow))
        session.exec(delete(ClockMarkRow))


def tablets(chance: random.Random) -> list[TabletAt]:
    """Days written by tablets whose clocks are off, one of them wiped on the way."""
    found = []
    for number in range(NUM_TABLETS):
        device = _device(number)
        off_s = chance.choice((0.0, -86_400.0, 3.25, 7200.0))
        for word in ("first", "again")[: 1 + (number == 0)]:
            tablet = TabletAt(device=device, off_s=off_s, word=word)
            random_day(tablet, chance, chance.randrange(5, 25))
            found.append(tablet)
    return found


def _device(number: int) -> Device:
    return Device(
        device_id=f"{number:032x}",
        region_id="",
        name="",
        roles=(Role.CREW,),
        created_at=MORNING,
    )


def caller_of(tablet: TabletAt) -> Caller:
    device_id = tablet.device.device_id
    return Caller(device_id=device_id, name="", roles=frozenset({Role.CREW}))


@contextmanager
def cut_after(engine: Engine, statements: int) -> Iterator[None]:
    """Let the database's connection break at a statement, the commit included."""
    left = [statements]

    def count(*_args: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise CutOffError

    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "commit", count)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", count)
        event.remove(engine, "commit", count)


WORLDS = 20
FEW_WORLDS = 4
"""So many where nobody asks for a thorough run."""
ON_POSTGRES = int(os.environ.get("BOOKMOBILE_INTERRUPTIONS", "120"))
CUTS = {"sqlite": 52, "postgresql": -(-ON_POSTGRES // WORLDS)}
"""Interruptions of each world: together a thousand on SQLite, on PostgreSQL as many as asked."""


def interrupted(service: Service, days: Sequence[TabletAt], chance: random.Random) -> int:
    """Bring everything, interrupted at least so often as ``CUTS`` says; gives how often.

    A tablet that has all its answers and is cut off no more sends everything once again.
    """
    most = CUTS[service.engine.dialect.name]
    left = {t.journal_id: list(t.events) for t in days}
    by_id = {t.journal_id: t for t in days}
    num_cut = 0
    while any(left.values()) or num_cut < most:
        if not any(left.values()):
            left = {t.journal_id: list(t.events) for t in days}
        tablet = by_id[chance.choice([j for j, events in left.items() if events])]
        waiting = left[tablet.journal_id]
        batch = chance.sample(waiting, chance.randrange(1, len(waiting) + 1))
        if chance.random() < 0.3:
            other = chance.choice(days)
            # A relay carries what another wrote, maybe sent before.
            batch += chance.sample(other.events, chance.randrange(len(other.events)))
        if chance.random() < 0.2:
            service.ledgers = Ledgers()  # the server was started anew
        at = EVENING + timedelta(minutes=num_cut)
        how = chance.random() if num_cut < most else 1.0
        if how < 0.75:
            num_cut += 1
            with pytest.raises(CutOffError), cut_after(service.engine, chance.randrange(12)):
                bring(service, caller_of(tablet), tablet, batch, at)
                raise CutOffError  # it came through; the answer is lost
            continue
        done = bring(service, caller_of(tablet), tablet, batch, at)
        if how < 0.85:
            num_cut += 1
            continue  # taken, and the answer is lost
        assert all(a.leaves_device for a in done.answers)
        gone = {str(a.event_id) for a in done.answers}
        for journal_id, events in left.items():
            left[journal_id] = [e for e in events if e["event_id"] not in gone]
    for tablet in days:
        # Whose events all came by another asks once itself: only then its clock is known.
        bring(service, caller_of(tablet), tablet, [], EVENING + timedelta(minutes=num_cut))
    return num_cut


NUM_CUT: Counter[str] = Counter()
PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
SEEDS = st.integers(min_value=0, max_value=2**32)


@settings(max_examples=FEW_WORLDS, deadline=None, phases=PHASES)
@given(seed=SEEDS)
def test_an_interrupted_sync_ends_as_a_clean_one(service: Service, seed: int) -> None:
    """Cut off at any statement or answer, doubled, relayed, over restarts: the same state."""
    hold(service, seed)


@pytest.mark.thorough
@settings(max_examples=WORLDS, deadline=None, phases=PHASES)
@given(seed=SEEDS)
def test_a_thousand_interruptions_end_as_one_clean_sync(service: Service, seed: int) -> None:
    """The same of many more worlds."""
    hold(service, seed)


def hold(service: Service, seed: int) -> None:
    """Sync some days interrupted and at one go: the state is the same."""
    chance = random.Random(seed)
    days = tablets(chance)
    clear(service.engine)
    service.ledgers = Ledgers()
    NUM_CUT[service.engine.dialect.name] += interrupted(service, days, chance)
    kept = state_of(service.engine)
    with service.ledgers.reading(service.engine, REGION) as (_, ledger):
        in_memory = ledger.state.as_found()
        verdicts = {i: o.verdict for i, o in ledger.replay.outcomes.items()}
    clear(service.engine)
    service.ledgers = Ledgers()
    for tablet in days:
        bring(service, caller_of(tablet), tablet, tablet.events, EVENING)
    with service.ledgers.reading(service.engine, REGION) as (session, ledger):
        clean = ledger.state.as_found()
        assert {i: o.verdict for i, o in ledger.replay.outcomes.items()} == verdicts
        num = _num_events(session)
    assert kept == clean
    assert in_memory == clean
    assert num == sum(len(t.events) for t in days)


def _num_events(session: Session) -> int:
    return session.exec(select(func.count()).select_from(JournalEventRow)).one()


@pytest.mark.parametrize("worlds", [FEW_WORLDS, pytest.param(WORLDS, marks=pytest.mark.thorough)])
def test_enough_interruptions_were_tried(service: Service, worlds: int) -> None:
    """The property above cut off often enough to mean something: of 20 worlds a thousand times."""
    kind = service.engine.dialect.name
    assert NUM_CUT[kind] >= CUTS[kind] * worlds
    assert CUTS["sqlite"] * WORLDS >= 1000


def test_two_processes_take_turns(service: Service) -> None:
    """Two servers on one database, each with a replay of its own, end as one would."""
    chance = random.Random(11)
    days = tablets(chance)
    clear(service.engine)
    done: list[str] = []

    def serve(own: Ledgers, tablet: TabletAt) -> None:
        part = replace(service, ledgers=own)
        for begin in range(0, len(tablet.events), 3):
            batch = tablet.events[begin : begin + 3]
            bring(part, caller_of(tablet), tablet, batch, EVENING)
        done.append(tablet.journal_id)

    servers = [Ledgers(), Ledgers()]
    threads = [
        threading.Thread(target=serve, args=(servers[n % 2], tablet))
        for n, tablet in enumerate(days)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == sorted(t.journal_id for t in days)
    at_once = state_of(service.engine)
    for own in servers:
        with own.reading(service.engine, REGION) as (_, ledger):
            assert ledger.state.as_found() == at_once
    clear(service.engine)
    service.ledgers = Ledgers()
    for tablet in days:
        bring(service, caller_of(tablet), tablet, tablet.events, EVENING)
    assert at_once == state_of(service.engine)


@pytest.mark.parametrize("kind", KINDS)
def test_fifty_tablets_at_once(kind: str, tmp_path: Path) -> None:
    """All bring a day at the same moment over HTTP: none is lost, none doubled, no error."""
    if kind == "sqlite":
        with library(tmp_path) as one:
            all_at_once(one)
    else:
        with postgres_url() as url, library(tmp_path, url=url) as one:
            all_at_once(one, events=8)


def all_at_once(one: Library, num: int = 50, events: int = 20, at_once: int = 20) -> float:
    """Sync days at the same moment and hold them against one clean sync; gives the seconds."""
    chance = random.Random(5)
    days = []
    for number in range(num):
        device, token = pair(one.engine, number)
        tablet = TabletAt(device=device, off_s=chance.choice((0.0, -86_400.0, 45.5)))
        random_day(tablet, chance, events)
        days.append((tablet, token))
    failures: list[str] = []
    begin = threading.Barrier(num)

    def sync_day(tablet: TabletAt, token: str) -> None:
        begin.wait()
        left = list(tablet.events)
        while left:
            batch = left[:at_once]
            try:
                told = one.bring(token, tablet, batch)
            except (httpx.HTTPError, AssertionError) as wrong:
                failures.append(repr(wrong)[:300])
                return
            gone = {a["event_id"] for a in told["answers"] if a["answer"] != "refused"}
            left = [e for e in left if e["event_id"] not in gone]

    threads = [threading.Thread(target=sync_day, args=day) for day in days]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s = time.monotonic() - begun
    sys.stderr.write(f"{num} tablets, {num * events} events: {took_s:.1f} s\n")
    assert failures == []
    found = state_of(one.engine)
    clear(one.engine)
    one.service.ledgers = Ledgers()
    for tablet, _ in days:
        bring(one.service, caller_of(tablet), tablet, tablet.events, one.depot.now)
    assert found == state_of(one.engine)
    return took_s

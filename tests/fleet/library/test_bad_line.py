"""A day of 300 operations over lines that break: at last each was carried out once."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from data.model.library_ops import LibraryOperation, OperationKind
from fleet.library.delivery import Delivery, LibrarySystem
from fleet.library.irbis_client import IrbisClient, IrbisSettings
from fleet.library.irbis_system import IrbisSystem
from fleet.library.outbox import Outbox, Posting, add
from fleet.library.sip2_client import Sip2Client, Sip2Settings
from fleet.library.sip2_system import Sip2System
from tests.fleet.library import irbis_server, sip2_server
from tests.fleet.library.operations import operation

NUM_ITEMS = 150


def day() -> list[LibraryOperation]:
    """Every item lent, every second one returned, every fourth lent to the next reader."""
    made = []
    for n in range(NUM_ITEMS):
        item = f"46{n:05}"
        made.append(operation(operation_id=f"lend-{n}", item_id=item, after_s=n))
        if n % 2 == 0:
            made.append(
                operation(
                    OperationKind.RETURN, operation_id=f"back-{n}", item_id=item, after_s=500 + n
                )
            )
        if n % 2 == 1 or n % 4 == 0:
            kind = OperationKind.RENEWAL if n % 2 else OperationKind.LOAN
            card = "R-1" if n % 2 else "R-2"
            made.append(
                operation(kind, operation_id=f"more-{n}", item_id=item, card=card, after_s=900 + n)
            )
    return made


def told(system: LibrarySystem) -> Outbox:
    """The outbox after as many rounds as it takes."""
    now = datetime(2026, 11, 26, 18, tzinfo=UTC)
    kept: list[Posting] = []
    box = add(Outbox(), day())
    for _ in range(400):
        box = Delivery(system, kept.append, clock=lambda: now).run(box)  # noqa: B023
        now += timedelta(hours=2)
        if not box.unsettled:
            break
    return box


def whose() -> dict[str, str]:
    """Who has what in the end, by hand."""
    has = {f"46{n:05}": "R-1" for n in range(NUM_ITEMS) if n % 2}
    return has | {f"46{n:05}": "R-2" for n in range(NUM_ITEMS) if n % 4 == 0}


@pytest.mark.parametrize("seed", [1, 2])
def test_sip2(seed: int) -> None:
    """Two answers in ten are cut, garbled or lost, some after the operation was done."""
    chance = random.Random(seed)
    bad = [sip2_server.Fault.GARBLE, sip2_server.Fault.CUT, sip2_server.Fault.DROP_AFTER]
    bad += [sip2_server.Fault.DROP_BEFORE, sip2_server.Fault.CLOSE, sip2_server.Fault.ASK_AGAIN]
    server = sip2_server.Sip2TestServer()
    server.shelf.items = {f"46{n:05}": f"Том {n}" for n in range(NUM_ITEMS)}
    server.faults = [
        chance.choice(bad) if chance.random() < 0.2 else sip2_server.Fault.NONE for _ in range(5000)
    ]
    with sip2_server.running(server):
        client = Sip2Client(
            Sip2Settings(
                host="127.0.0.1", port=server.port, login="van", password="secret", timeout_s=3.0
            )
        )
        box = told(Sip2System(client))
        client.close()
    assert box.unsettled == ()
    assert server.shelf.loans == whose()
    doubled = {k: n for k, n in server.shelf.num_done.items() if n > 1 and int(k[-5:]) % 4}
    assert doubled == {}
    assert all(n == 2 for k, n in server.shelf.num_done.items() if k[:2] == "11" and n > 1)
    assert server.complaints == []


def test_irbis() -> None:
    """The same over the protocol of IRBIS64: one field 40 for each loan, copies as they are."""
    chance = random.Random(1)
    bad = [irbis_server.Fault.CUT, irbis_server.Fault.DROP_AFTER, irbis_server.Fault.DROP_BEFORE]
    bad += [irbis_server.Fault.NONSENSE, irbis_server.Fault.OTHER, irbis_server.Fault.LOCKED]
    bad += [irbis_server.Fault.FORGOTTEN]
    server = irbis_server.IrbisTestServer()
    for card in ("R-1", "R-2"):
        server.readers.add(f"10#{card}", f"30#{card}")
    for n in range(NUM_ITEMS):
        server.books.add(f"903#Ш{n}", f"910#^a0^b{n}^h46{n:05}")
    server.faults = [
        chance.choice(bad) if chance.random() < 0.1 else irbis_server.Fault.NONE
        for _ in range(20_000)
    ]
    with irbis_server.running(server):
        client = IrbisClient(
            IrbisSettings(
                host="127.0.0.1",
                port=server.port,
                login="kibo",
                password="Секрет",
                timeout_s=3.0,
            )
        )
        box = told(IrbisSystem(client))
        client.unregister()
    assert box.unsettled == ()
    fields = {f"R-{n}": server.readers.lines(n, 40) for n in (1, 2)}
    assert (len(fields["R-1"]), len(fields["R-2"])) == (NUM_ITEMS, len(range(0, NUM_ITEMS, 4)))
    found = {
        irbis_server.subfield(text, "h"): card
        for card, lines in fields.items()
        for text in lines
        if irbis_server.subfield(text, "f").startswith("*")
    }
    assert found == whose()
    lent = {
        irbis_server.subfield(server.books.lines(m, 910)[0], "h")
        for m in server.books.records
        if irbis_server.subfield(server.books.lines(m, 910)[0], "a") == "1"
    }
    assert lent == set(whose())
    assert server.complaints == []

"""Logs of a day of lending name no reader, no card, no telephone: whatever goes well or wrong."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from api.auth import cookie_name
from api.logs import set_up_logs
from api.setting_variables import Environment
from api.settings import Settings
from data.model.library_link import SystemKind
from fleet.library.outbox import Standing
from tests.api.circulation.library import (
    MORNING,
    OLGA_TOKEN,
    STOPS,
    Library,
    TabletAt,
    library,
    pair,
)
from tests.api.circulation.test_library_delivery import connect, turn
from tests.api.tracking.depot import REGION
from tests.fleet.days import DAY
from tests.fleet.library import sip2_server
from tests.fleet.library.sip2_server import Fault, Sip2TestServer

LATE = MORNING + timedelta(hours=1)
PRODUCTION = Settings(environment=Environment.PRODUCTION)
SECRETS = ("Иванова", "Сидорова", "card-", "+7 900", "+7 911", "sidorova@")


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Library]:
    with library(tmp_path) as made:
        yield made


@pytest.fixture(autouse=True)
def kept_logging() -> Iterator[None]:
    """Logging as it was before, once the test is over."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_day_of_lending(one: Library, capfd: pytest.CaptureFixture[str]) -> None:
    """Loans, a registration, an unknown card, a refused event, questions by name, erasure."""
    set_up_logs(PRODUCTION)
    device, token = pair(one.engine, 1)
    one.day(token)
    tablet = TabletAt(device=device)
    tablet.lend("i1", "p1", LATE)
    tablet.write("loan", LATE, STOPS[0], item_id="i2", card="card-nobody", due_date="2026-12-22")
    tablet.write(
        "registration", LATE, STOPS[0], patron_id="new-1", card="card-sidorova",
        name="Сидорова Анна", phone="+7 911 111-11-11",
    )  # fmt: skip
    tablet.write("registration", LATE, STOPS[0], patron_id="new-2", card="card-\u0000", name=7)
    answers = one.bring(token, tablet)["answers"]
    assert {"accepted", "conflict", "refused"} <= {a["answer"] for a in answers}
    jar = {"cookie": f"{cookie_name(one.service.settings)}={OLGA_TOKEN}"}
    desk = f"/desk/{REGION}/circulation"
    for page in ("readers?q=Иванова", "counter?q=card-00001", "readers/p1", "readers/card-0001"):
        answer = one.depot.client.get(f"{desk}/{page}", headers=jar)
        assert answer.status_code == (404 if page == "readers/card-0001" else 200)
    form = {"name": "Сидорова", "card": "card-00001", "consent": "1"}
    one.depot.client.post(f"{desk}/readers", data=form, headers=jar)
    one.ask("DELETE", f"regions/{REGION}/circulation/patrons/p5")
    one.ask("GET", f"tablet/day?date={DAY}&card=card-00002", "token-of-nobody-card-00003")
    told = capfd.readouterr().err
    assert "sync/events" in told
    assert [secret for secret in SECRETS if secret in told] == []


def test_a_library_system_that_answers_badly(
    one: Library, capfd: pytest.CaptureFixture[str]
) -> None:
    """Garbled, cut, dropped and refused: what went wrong is told without whose loan it was."""
    set_up_logs(PRODUCTION)
    sip2 = Sip2TestServer(slow_s=0.3)
    sip2.shelf.patrons = {f"card-{n:05}": "Иванова" for n in range(20) if n != 2}
    sip2.shelf.items = {f"i{n}": "Книга" for n in range(60)}
    sip2.faults = [Fault.GARBLE, Fault.DROP_AFTER, Fault.CUT, Fault.NONSENSE]
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    for n in range(1, 4):
        tablet.lend(f"i{n}", f"p{n}", LATE + timedelta(minutes=n))
    with sip2_server.running(sip2):
        connect(one, SystemKind.SIP2, sip2.port, no_block=False)
        one.bring(token, tablet)
        state = turn(one, 6)
    assert state.counts[Standing.SETTLED] == 2
    told = capfd.readouterr().err
    assert told
    assert [secret for secret in (*SECRETS, "secret") if secret in told] == []

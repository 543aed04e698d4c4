"""The SIP2 client against a server written from the protocol's document, over TCP."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from data.model.errors import InputError
from data.model.library_ops import Answer, LibraryOperation, OperationKind, Outcome
from fleet.library.sip2_client import Sip2Client, Sip2Settings
from fleet.library.sip2_requests import Terminal
from fleet.library.sip2_system import Sip2System
from fleet.library.trouble import LibraryTroubleError, RefusedByLibraryError
from tests.fleet.library.operations import AT, CARD, DUE, ITEM, operation
from tests.fleet.library.sip2_server import Fault, Sip2TestServer, free_port, running

type Start = Callable[..., tuple[Sip2TestServer, Sip2Client]]
TERMINAL = Terminal(institution="BM", location="van-1", time_zone=ZoneInfo("Europe/Kaliningrad"))


@pytest.fixture
def start() -> Iterator[Start]:
    """A server with the faults asked for, and a client of it."""
    with ExitStack() as stack:

        def made(
            server: Sip2TestServer | None = None, **settings: object
        ) -> tuple[Sip2TestServer, Sip2Client]:
            told = stack.enter_context(running(server or Sip2TestServer()))
            given: dict[str, object] = {
                "host": "127.0.0.1",
                "port": told.port,
                "login": "van",
                "password": "secret",
                "terminal": TERMINAL,
                "timeout_s": 2.0,
            }
            client = Sip2Client(Sip2Settings(**(given | settings)))  # type: ignore[arg-type]
            stack.callback(client.close)
            return told, client

        yield made


def carried(client: Sip2Client, told: LibraryOperation, *, is_repeat: bool = False) -> Answer:
    return Sip2System(client).carry_out(told, is_repeat=is_repeat)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251", "cp866"])
@pytest.mark.parametrize("terminator", ["cr", "crlf"])
def test_a_day_goes_through(start: Start, encoding: str, terminator: str) -> None:
    """Sign in, status, reader, item, loan, renewal, hold, return: as the document has them."""
    ends = {"cr": b"\r", "crlf": b"\r\n"}[terminator]
    server, client = start(
        Sip2TestServer(encoding=encoding, terminator=ends),
        encoding=encoding,
        terminator=terminator,
    )
    system = client.open()
    assert (system.is_online, system.takes_offline, system.library) == (True, True, "ЦБС")
    assert client.patron_status(CARD).is_known is True
    assert client.patron("nobody").is_known is False
    assert client.checkout(CARD, ITEM, at=AT, due_date=DUE, is_done=True).title == "Ёлка и звёзды"
    assert client.patron(CARD).charged == (ITEM,)
    assert client.patron(CARD).name == "Иванова Мария"
    item = client.item(ITEM)
    assert (item.is_charged, item.due_date) == (True, DUE)
    assert client.renew(CARD, ITEM, at=AT, due_date=DUE).is_done
    assert client.hold("R-2", at=AT, item_id=ITEM).is_done
    assert client.hold("R-2", at=AT, item_id=ITEM, is_cancelled=True).is_done
    assert client.checkin(ITEM, at=AT).is_done
    assert client.item(ITEM).is_back
    assert server.complaints == []
    assert server.shelf.loans == {}


def test_numbers_go_round(start: Start) -> None:
    """After nine comes nought: thirty messages on one connection."""
    server, client = start()
    for _ in range(30):
        assert client.item(ITEM).is_back
    assert server.asked.count("93") == 1
    assert client.num_asked_again == 0


def test_without_checksums(start: Start) -> None:
    """A system that keeps no sums is spoken to without them."""
    server, client = start(has_checks=False)
    assert client.checkout(CARD, ITEM, at=AT).is_done
    assert server.complaints == []


@pytest.mark.parametrize(
    "fault", [Fault.GARBLE, Fault.CUT, Fault.NO_SUM, Fault.NONSENSE, Fault.ASK_AGAIN]
)
def test_a_garbled_answer_is_asked_for_again(start: Start, fault: Fault) -> None:
    """The loan is carried out once, and its answer comes on the second asking."""
    server, client = start(Sip2TestServer(faults=[fault], faults_for="11"))
    assert carried(client, operation()).outcome is Outcome.ACCEPTED
    assert server.shelf.num_done == {f"11 {ITEM}": 1}
    assert client.num_asked_again == 1


def test_a_slow_answer_is_not_taken_for_the_next(start: Start) -> None:
    """The message is sent again under its number, done once, and its late answers do no harm."""
    faults = [Fault.SLOW]
    server, client = start(
        Sip2TestServer(faults=faults, faults_for="11", slow_s=0.45), timeout_s=0.3
    )
    assert carried(client, operation()).outcome is Outcome.ACCEPTED
    assert server.shelf.num_done == {f"11 {ITEM}": 1}
    assert client.item("4600002").item_id == "4600002"
    assert client.item(ITEM).item_id == ITEM


def test_silence_is_doubtful(start: Start) -> None:
    """No answer ever: the operation may have been done, and was."""
    server, client = start(
        Sip2TestServer(faults=[Fault.SILENT] * 3, faults_for="11"), timeout_s=0.2, retries=2
    )
    answer = carried(client, operation())
    assert (answer.outcome, answer.code) == (Outcome.DOUBTFUL, "library.slow")
    assert server.shelf.num_done == {f"11 {ITEM}": 1}
    assert carried(client, operation(), is_repeat=True).outcome is Outcome.ALREADY
    assert server.shelf.num_done == {f"11 {ITEM}": 1}


@pytest.mark.parametrize("kind", [OperationKind.LOAN, OperationKind.RETURN, OperationKind.RENEWAL])
@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.DROP_BEFORE])
def test_a_dropped_connection_does_nothing_twice(
    start: Start, kind: OperationKind, fault: Fault
) -> None:
    """Whether done or not when the line broke, after the repeat it was done once."""
    code = {"loan": "11", "return": "09", "renewal": "29"}[kind.value]
    server, client = start(Sip2TestServer(faults=[fault], faults_for=code))
    if kind is not OperationKind.LOAN:
        server.shelf.loans[ITEM], server.shelf.due[ITEM] = CARD, "20261130    235959"
    assert carried(client, operation(kind)).outcome is Outcome.DOUBTFUL
    again = carried(client, operation(kind), is_repeat=True)
    expected = Outcome.ALREADY if fault is Fault.DROP_AFTER else Outcome.ACCEPTED
    assert again.outcome is expected
    assert server.shelf.num_done == {f"{code} {ITEM}": 1}


def test_a_system_that_does_not_tell_is_not_told_twice(start: Start) -> None:
    """On loan, but not to whom: a person decides."""
    server, client = start(
        Sip2TestServer(faults=[Fault.DROP_AFTER], faults_for="11", lists_charged=False)
    )
    assert carried(client, operation()).outcome is Outcome.DOUBTFUL
    answer = carried(client, operation(), is_repeat=True)
    assert (answer.outcome, answer.code) == (Outcome.REFUSED, "library.cannot_tell")
    assert server.shelf.num_done == {f"11 {ITEM}": 1}


def test_a_refusal_has_the_systems_words(start: Start) -> None:
    """Who has the book, in the words of the system."""
    server, client = start()
    server.shelf.loans[ITEM] = "R-2"
    answer = carried(client, operation())
    assert answer.outcome is Outcome.REFUSED
    assert answer.told == "Книга числится за другим читателем"


def test_what_happened_cannot_be_blocked(start: Start) -> None:
    """Told as done it passes a block; a system that takes no offline work is asked as at a desk."""
    server, client = start()
    server.shelf.blocked.add(CARD)
    assert carried(client, operation()).outcome is Outcome.ACCEPTED
    desk, at_desk = start(Sip2TestServer(takes_offline=False))
    desk.shelf.blocked.add(CARD)
    assert carried(at_desk, operation()).told == "Читатель заблокирован"


def test_an_answer_to_another_question_is_doubtful(start: Start) -> None:
    """The answer names another item: nobody knows what became of ours."""
    _, client = start(Sip2TestServer(faults=[Fault.OTHER_ITEM], faults_for="11"))
    answer = carried(client, operation())
    assert (answer.outcome, answer.code) == (Outcome.DOUBTFUL, "library.sip2_other_item")


def test_a_due_date_of_the_system_is_told(start: Start) -> None:
    """The system lends for another time than the reader was told."""
    _, client = start()
    answer = carried(client, replace(operation(), due_date=None))
    assert answer.due_date == DUE
    assert carried(client, operation()).due_date is None


def test_a_wrong_password_tells_nothing(start: Start) -> None:
    """No operation is sent where we are not let in."""
    server, client = start(password="wrong")
    with pytest.raises(RefusedByLibraryError, match="login_refused"):
        client.open()
    assert carried(client, operation()).outcome is Outcome.UNREACHABLE
    assert set(server.asked) == {"93"}


def test_nobody_listens() -> None:
    """A port that is closed: nothing was told."""
    client = Sip2Client(Sip2Settings(host="127.0.0.1", port=free_port(), timeout_s=1.0))
    with pytest.raises(LibraryTroubleError, match=r"library\.unreachable"):
        client.open()
    assert carried(client, operation()).outcome is Outcome.UNREACHABLE


def test_a_server_that_went_away_between_two_operations(start: Start) -> None:
    """An idle connection that the system closed is opened anew, without any doubt."""
    server, client = start(Sip2TestServer(faults=[Fault.CLOSE], faults_for="17"))
    assert client.item(ITEM).is_back
    time.sleep(0.05)
    assert carried(client, operation()).outcome is Outcome.ACCEPTED
    assert server.shelf.num_done == {f"11 {ITEM}": 1}


def test_a_delimiter_in_a_barcode_never_reaches_the_line(start: Start) -> None:
    """A barcode with the protocol's own delimiter is refused before anything is sent."""
    server, client = start()
    answer = carried(client, operation(item_id="46|BIY"))
    assert (answer.outcome, answer.code) == (Outcome.REFUSED, "library.bad_for_sip2")
    assert "11" not in server.asked
    with pytest.raises(InputError, match="bad_for_sip2"):
        client.item("a|b")


def test_what_the_encoding_lacks_is_told(start: Start) -> None:
    """A sign that is not in cp1251 cannot be sent there."""
    _, client = start(Sip2TestServer(encoding="cp1251"), encoding="cp1251")
    answer = carried(client, operation(card="R-日"))
    assert answer.code == "library.not_in_encoding"


def test_registrations_go_another_way(start: Start) -> None:
    """SIP2 has no message for a new reader: a person enters them."""
    _, client = start()
    told = operation(OperationKind.REGISTRATION, name="Петров Пётр")
    assert carried(client, told).code == "library.sip2_cannot_carry"

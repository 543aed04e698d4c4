"""The IRBIS64 client against a server written from the protocol's description, over TCP."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from data.model.errors import InputError
from data.model.library_ops import OperationKind, Outcome
from fleet.library.irbis_client import IrbisClient, IrbisSettings
from fleet.library.irbis_system import IrbisSystem
from fleet.library.trouble import LibraryTroubleError, RefusedByLibraryError
from tests.fleet.library.irbis_server import Fault, IrbisTestServer, running
from tests.fleet.library.operations import CARD, ITEM, operation
from tests.fleet.library.sip2_server import free_port

type Start = Callable[..., tuple[IrbisTestServer, IrbisSystem]]
READER = ("10#Иванова", "11#Мария", "12#Петровна", "30#R-1", "21#19800229", "29#1")
OTHER = ("10#Ли", "30#R-2")
BOOK = (
    "200#^aЁлка^eсказки",
    "903#84/Е48",
    "910#^a0^b123^dКИБО^h4600001",
    "910#^a0^b124^dКИБО^h4600002",
)


@pytest.fixture
def start() -> Iterator[Start]:
    """A server with two readers and a book of two copies, and a system that speaks with it."""
    with ExitStack() as stack:

        def made(
            *faults: Fault, at: str = "", **settings: object
        ) -> tuple[IrbisTestServer, IrbisSystem]:
            told = stack.enter_context(
                running(IrbisTestServer(faults=list(faults), faults_for=at, slow_s=0.6))
            )
            told.readers.add(*READER)
            told.readers.add(*OTHER)
            told.books.add(*BOOK)
            given: dict[str, object] = {
                "host": "127.0.0.1",
                "port": told.port,
                "login": "kibo",
                "password": "Секрет",
                "timeout_s": 3.0,
            }
            client = IrbisClient(IrbisSettings(**(given | settings)))  # type: ignore[arg-type]
            stack.callback(client.unregister)
            return told, IrbisSystem(client)

        yield made


def loans(server: IrbisTestServer, mfn: int = 1) -> list[str]:
    return server.readers.lines(mfn, 40)


def copy_status(server: IrbisTestServer) -> str:
    return server.books.lines(1, 910)[0][len("910#^a")]


def test_a_loan_stands_in_both_records(start: Start) -> None:
    """Field 40 as IRBIS writes it, local date and time, and the copy lent."""
    server, system = start()
    told = operation(place="КИБО", operator="kibo", brief="Ёлка : сказки")
    assert system.carry_out(told, is_repeat=False).outcome is Outcome.ACCEPTED
    assert loans(server) == [
        "40#^gIBIS^a84/Е48^b123^h4600001^kКИБО^vКИБО^d20261126^1101530^e20261214^f******"
        "^ikibo^cЁлка : сказки^9bm:op-1"
    ]
    assert copy_status(server) == "1"
    assert server.readers.records[1][1][:6] == list(READER)
    assert server.complaints == []


def test_renewal_and_return(start: Start) -> None:
    """The loan is made longer with its count, then closed; the copy is free again."""
    server, system = start()
    for number, kind in enumerate(
        (OperationKind.LOAN, OperationKind.RENEWAL, OperationKind.RENEWAL, OperationKind.RETURN)
    ):
        told = operation(kind, operation_id=f"op-{number}", after_s=number * 86_400)
        assert system.carry_out(told, is_repeat=False).outcome is Outcome.ACCEPTED
    (loan,) = loans(server)
    for part in ("^f20261129", "^l20261128", "^42", "^9bm:op-0 bm:op-1 bm:op-2 bm:op-3"):
        assert part in loan
    assert copy_status(server) == "0"


def test_told_again_it_is_entered_once(start: Start) -> None:
    """The mark in the record knows the operation, also after its return."""
    server, system = start()
    lent, back = operation(), operation(OperationKind.RETURN, operation_id="op-2")
    for told in (lent, lent, back, lent, back):
        assert system.carry_out(told, is_repeat=True).is_settled
    assert len(loans(server)) == 1
    assert "^f20261126" in loans(server)[0]
    assert copy_status(server) == "0"


@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.DROP_BEFORE, Fault.SLOW, Fault.NONSENSE])
def test_an_answer_lost_while_writing_is_doubtful(start: Start, fault: Fault) -> None:
    """Whether it was written or not, told again it stands there once, in both records."""
    server, system = start(fault, at="D", timeout_s=0.4)
    assert system.carry_out(operation(), is_repeat=False).outcome is Outcome.DOUBTFUL
    assert system.carry_out(operation(), is_repeat=True).is_settled
    assert len(loans(server)) == 1
    assert copy_status(server) == "1"


def test_broken_off_between_reader_and_book(start: Start) -> None:
    """The reader was written and the book was not: the repeat writes the book."""
    server, system = start()
    server.faults_for, server.faults = "D", []

    def fail_next() -> None:
        server.faults.append(Fault.LOCKED)

    server.before_write = fail_next
    answer = system.carry_out(operation(), is_repeat=False)
    assert (answer.outcome, answer.code) == (Outcome.DOUBTFUL, "library.irbis_busy")
    assert (len(loans(server)), copy_status(server)) == (1, "0")
    assert system.carry_out(operation(), is_repeat=True).outcome is Outcome.ALREADY
    assert (len(loans(server)), copy_status(server)) == (1, "1")


@pytest.mark.parametrize(
    "fault",
    [Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.CUT, Fault.NONSENSE, Fault.OTHER, Fault.SLOW],
)
@pytest.mark.parametrize("at", ["C", "K"])
def test_reading_is_asked_again(start: Start, fault: Fault, at: str) -> None:
    """A lost, cut or garbled answer to a question costs a repeat and no more."""
    server, system = start(fault, at=at, timeout_s=0.5)
    assert system.carry_out(operation(), is_repeat=False).outcome is Outcome.ACCEPTED
    assert server.readers.records[1][1][:6] == list(READER)
    assert len(loans(server)) == 1


def test_a_record_cut_off_is_never_written_back(start: Start) -> None:
    """Every answer to reading is cut: nothing is told, nothing is lost."""
    server, system = start(*[Fault.CUT] * 12, at="C")
    answer = system.carry_out(operation(), is_repeat=False)
    assert (answer.outcome, answer.code) == (Outcome.UNREACHABLE, "library.irbis_cut_off")
    assert server.num_written == 0


def test_somebody_else_changes_the_reader(start: Start) -> None:
    """The version has moved on: read anew, entered on top, their change kept."""
    server, system = start()

    def changed() -> None:
        version, lines = server.readers.records[1]
        server.readers.records[1] = (version + 1, [*lines, "33#новая пометка"])

    server.before_write = changed
    assert system.carry_out(operation(), is_repeat=False).outcome is Outcome.ACCEPTED
    assert server.readers.lines(1, 33) == ["33#новая пометка"]
    assert len(loans(server)) == 1


@pytest.mark.parametrize("fault", [Fault.LOCKED, Fault.OVERLOAD])
def test_a_busy_server_is_tried_later(start: Start, fault: Fault) -> None:
    """A locked record or too many clients: not done, and no matter for a person."""
    server, system = start(fault, at="D")
    answer = system.carry_out(operation(), is_repeat=False)
    assert (answer.outcome, answer.code) == (Outcome.UNREACHABLE, "library.irbis_busy")
    assert system.carry_out(operation(), is_repeat=False).outcome is Outcome.ACCEPTED
    assert len(loans(server)) == 1


@pytest.mark.parametrize("at", ["C", "D", "K"])
def test_a_server_started_anew(start: Start, at: str) -> None:
    """It has forgotten us: sign in again and go on."""
    server, system = start(Fault.FORGOTTEN, at=at)
    assert system.carry_out(operation(), is_repeat=False).outcome is Outcome.ACCEPTED
    assert server.asked.count("A") == 2


def test_a_number_that_is_taken(start: Start) -> None:
    """Another client has our number: take another."""
    server, system = start(Fault.TAKEN, at="A")
    assert system.client.register() == "64.2022.1"
    assert len(server.clients) == 1
    system.client.unregister()
    assert server.clients == set()


def test_refusals_go_to_a_person(start: Start) -> None:
    """No such reader, no such copy, lent to somebody else, not lent at all, no message for it."""
    server, system = start()
    cases = {
        "library.irbis_no_reader": operation(card="R-9"),
        "library.irbis_no_copy": operation(item_id="999"),
        "library.irbis_not_lent": operation(OperationKind.RENEWAL),
        "library.irbis_nobody_has_it": operation(OperationKind.RETURN, card=""),
        "library.irbis_cannot_carry": operation(OperationKind.HOLD),
        "library.irbis_card_taken": operation(OperationKind.REGISTRATION, name="Ли"),
        "library.bad_for_irbis": operation(card='R"1'),
    }
    for code, told in cases.items():
        answer = system.carry_out(told, is_repeat=False)
        assert (answer.outcome, answer.code) == (Outcome.REFUSED, code)
    assert system.carry_out(operation(), is_repeat=False).outcome is Outcome.ACCEPTED
    again = system.carry_out(operation(operation_id="op-2"), is_repeat=False)
    other = system.carry_out(operation(operation_id="op-3", card="R-2"), is_repeat=False)
    assert (again.code, other.code) == ("library.irbis_has_it", "library.irbis_lent_to_other")
    assert server.num_written == 2


def test_two_readers_of_one_card(start: Start) -> None:
    """Which of them it was, a person tells."""
    server, system = start()
    server.readers.add("10#Тёзка", "30#R-1")
    answer = system.carry_out(operation(), is_repeat=False)
    assert (answer.outcome, answer.code) == (Outcome.REFUSED, "library.irbis_two_readers")


def test_a_return_without_a_card(start: Start) -> None:
    """Where the library indexes what is out, the reader is found by the book."""
    _, system = start(loan_prefix="OUT=")
    assert system.carry_out(operation(), is_repeat=False).outcome is Outcome.ACCEPTED
    back = operation(OperationKind.RETURN, operation_id="op-2", card="")
    assert system.carry_out(back, is_repeat=False).outcome is Outcome.ACCEPTED


def test_a_new_reader(start: Start) -> None:
    """Registered once; the loan after it finds them."""
    server, system = start()
    told = operation(
        OperationKind.REGISTRATION, card="R-7", name="Петров Пётр Ильич", phone="+7 401"
    )
    assert system.carry_out(told, is_repeat=False).outcome is Outcome.ACCEPTED
    assert system.carry_out(told, is_repeat=True).outcome is Outcome.ALREADY
    lent = operation(card="R-7", operation_id="op-2")
    assert system.carry_out(lent, is_repeat=False).outcome is Outcome.ACCEPTED
    assert server.readers.records[3][1][:6] == [
        "10#Петров",
        "11#Пётр",
        "12#Ильич",
        "17#+7 401",
        "30#R-7",
        "51#20261126",
    ]


def test_a_wrong_password(start: Start) -> None:
    """The server's words are told; nothing is."""
    _, system = start(password="нет")
    with pytest.raises(RefusedByLibraryError) as caught:
        system.client.register()
    assert caught.value.told == "-4444: неверный пароль"
    assert system.carry_out(operation(), is_repeat=False).outcome is Outcome.UNREACHABLE


def test_nobody_listens() -> None:
    """A port that is closed: nothing was told."""
    client = IrbisClient(IrbisSettings(host="127.0.0.1", port=free_port(), timeout_s=1.0))
    with pytest.raises(LibraryTroubleError, match=r"library\.unreachable"):
        client.register()
    answer = IrbisSystem(client).carry_out(operation(), is_repeat=False)
    assert answer.outcome is Outcome.UNREACHABLE


def test_what_would_break_a_packet_is_refused(start: Start) -> None:
    """A quotation mark would end the term of a search."""
    _, system = start()
    with pytest.raises(InputError, match="bad_for_irbis"):
        system.client.search("RDR", "RI=", f'{CARD}" + "{ITEM}')

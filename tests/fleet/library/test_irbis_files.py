"""Records of IRBIS64 in files and packets, and operations entered into exports."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.feeds.irbis_import import import_readers
from data.feeds.irbis_iso import iso_file, read_iso_file
from data.feeds.irbis_readers import copies_of, loans_of, read_patron
from data.feeds.irbis_record import (
    IrbisField,
    IrbisRecord,
    read_field,
    read_record_lines,
    read_text_file,
    record_lines,
    text_file,
)
from data.model.errors import InputError
from data.model.library_ops import OperationKind
from data.model.stock import ItemPlace, PlaceKind
from fleet.library.irbis_ledger import IrbisRules, enter_files
from fleet.library.irbis_wire import Session, packet, read_reply
from fleet.library.sip2_wire import GarbledError
from tests.fleet.library.operations import CARD, ITEM, operation

HELP_EXAMPLE = """# 101: rus
# 920: PAZK
# 215: ^AXIV, 330^Ck-формы^0a-табл.^3в пер.
# 711: ^AГосударственный банк^U2
# 903: 336.87/С23-079572
# 210: ^D1911^CТипография Государственного банка^AСанкт-Петербург
*****
"""
"""From IRBIS's help, "Структура текстового файла документов" (shortened)."""

letters = st.text(
    alphabet=st.characters(whitelist_categories=("L", "N", "Zs"), max_codepoint=0x44F),
    max_size=20,
).map(
    lambda t: "".join(c for c in t.encode("cp1251", "ignore").decode("cp1251") if c.isprintable())
)
made_fields = st.builds(
    IrbisField,
    tag=st.integers(10, 999),
    value=letters,
    subfields=st.lists(st.tuples(st.sampled_from("abcdefghiklv123459"), letters), max_size=5).map(
        tuple
    ),
)
made_records = st.builds(
    IrbisRecord, fields=st.lists(made_fields, min_size=1, max_size=6).map(tuple)
)


def test_the_example_of_the_help() -> None:
    """The file that IRBIS's own help shows is read, and written so that it reads the same."""
    found = read_text_file(HELP_EXAMPLE.encode())
    (record,) = found.records
    assert (record.first(903), record.first(210, "d"), found.bad_lines) == (
        "336.87/С23-079572",
        "1911",
        (),
    )
    assert record.all(215)[0].subfields[2] == ("0", "a-табл.")
    assert read_text_file(text_file([record])).records == (record,)


@given(st.lists(made_records, max_size=4), st.sampled_from(["utf-8", "cp1251"]))
def test_records_survive_both_kinds_of_files(records: list[IrbisRecord], encoding: str) -> None:
    """What is written in lines or in ISO 2709 is read back as it was."""
    assert list(read_iso_file(iso_file(records, encoding=encoding), encoding=encoding).records) == (
        records
    )
    # In lines, blanks at the end of a field and a field that is empty look the same as none.
    assert len(
        read_text_file(text_file(records, encoding=encoding), encoding=encoding).records
    ) == (len(records))


@given(made_records, st.integers(0, 10**9), st.integers(0, 255), st.integers(0, 10**6))
def test_records_survive_a_packet(record: IrbisRecord, mfn: int, status: int, version: int) -> None:
    """A record goes through the protocol's lines unchanged."""
    whole = IrbisRecord(fields=record.fields, mfn=mfn, status=status, version=version)
    assert read_record_lines(record_lines(whole)) == whole


@given(st.binary(max_size=300), st.sampled_from(["utf-8", "cp1251"]))
def test_any_file_is_read_or_refused(raw: bytes, encoding: str) -> None:
    """No file from outside ends the program."""
    for reader in (read_text_file, read_iso_file):
        try:
            reader(raw, encoding=encoding)
        except InputError as wrong:
            assert wrong.code == "library.not_in_encoding_file"


@given(st.lists(st.text(max_size=30), max_size=6))
def test_any_lines_are_a_record_or_refused(lines: list[str]) -> None:
    """No answer to reading ends the program."""
    try:
        read_record_lines(lines)
    except InputError as wrong:
        assert wrong.code == "library.irbis_bad_record"


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=60).map(lambda b: b"\r\n" * 12 + b)))
def test_any_bytes_are_a_reply_or_garbled(raw: bytes) -> None:
    """No packet ends the program."""
    session = Session(client_id=1, query_id=1, login="", password="")
    with pytest.raises(GarbledError):
        read_reply(raw, "C", session)


def test_a_packet_by_hand() -> None:
    """Length, ten lines of head, parameters: counted by hand."""
    session = Session(client_id=123456, query_id=1, login="kibo", password="x")
    raw = packet("C", session, (("RDR", "cp1251"), ("7", "cp1251")))
    assert raw == b"31\nC\nB\nC\n123456\n1\nx\nkibo\n\n\n\nRDR\n7\n"


def test_an_iso_field_with_a_value_before_its_subfields() -> None:
    """The card of a reader (field 30) stands before any subfield; readers of MARC lose it."""
    record = IrbisRecord(fields=(read_field(30, "R-1"), read_field(40, "x^aШ^f******")))
    raw = iso_file([record], encoding="cp1251")
    assert raw[:5] == f"{len(raw):05d}".encode()
    assert read_iso_file(raw, encoding="cp1251").records == (record,)


def test_a_cut_off_iso_record_is_counted() -> None:
    """One record is cut: the others are read, the cut one is told by its number."""
    record = IrbisRecord(fields=(IrbisField(tag=30, value="R-1"),))
    raw = iso_file([record, record])
    half = len(raw) // 2
    found = read_iso_file(raw[: half - 8] + b"\x1d" + raw[half:])
    assert (len(found.records), found.bad_lines) == (1, (1,))


def test_too_long_for_iso_is_refused() -> None:
    """A field of ISO 2709 has at most 9,999 bytes, Cyrillic two for a letter."""
    record = IrbisRecord(fields=(IrbisField(tag=300, value="я" * 5000),))
    with pytest.raises(InputError, match="iso_too_long"):
        iso_file([record])


def test_readers_and_their_loans() -> None:
    """A visit without a book is no loan; a loan with stars for its return is open."""
    reader = IrbisRecord(
        fields=(
            IrbisField(tag=10, value="Иванова"),
            IrbisField(tag=11, value="Мария"),
            IrbisField(tag=21, value="19800229"),
            IrbisField(tag=30, value="R-1"),
            read_field(40, "^d20261101^vКИБО"),
            read_field(40, "^gIBIS^aШ^b7^h46^d20261101^e20261130^f******"),
            read_field(40, "^gIBIS^aШ^b8^d20261001^e20261030^f20261029"),
        )
    )
    patron = read_patron(reader)
    assert patron is not None
    assert (patron.card, patron.name, patron.birth_date) == (
        "R-1",
        "Иванова Мария",
        date(1980, 2, 29),
    )
    assert [(one.inventory_no, one.is_open) for one in loans_of(reader)] == [
        ("7", True),
        ("8", False),
    ]
    assert read_patron(IrbisRecord()) is None


def test_a_day_is_entered_into_exports() -> None:
    """Loan and return by file: only changed records come back, the rest is told with why."""
    readers = [
        IrbisRecord(fields=(IrbisField(tag=30, value=CARD),)),
        IrbisRecord(
            fields=(
                IrbisField(tag=30, value="R-2"),
                read_field(40, "^gIBIS^b9^h4600009^d20261101^e20261130^f******"),
            )
        ),
        IrbisRecord(fields=(IrbisField(tag=30, value="R-3"),)),
    ]
    books = [
        IrbisRecord(
            fields=(
                IrbisField(tag=903, value="84/Е48"),
                read_field(910, f"^a0^b123^h{ITEM}"),
                read_field(910, "^a1^b9^h4600009"),
                read_field(910, "^a6^b10^h4600010"),
            )
        )
    ]
    done = enter_files(
        [
            operation(operation_id="lent"),
            operation(
                OperationKind.RETURN, operation_id="back", item_id="4600009", card="", after_s=60
            ),
            operation(operation_id="gone", item_id="4600010"),
            operation(operation_id="held", item_id="4600011"),
            operation(OperationKind.HOLD, operation_id="hold"),
        ],
        readers,
        books,
        IrbisRules(),
    )
    assert done.carried == ("lent", "back")
    assert {x.operation_id: x.code for x in done.left_out} == {
        "gone": "library.irbis_written_off",
        "held": "library.irbis_no_copy",
        "hold": "library.irbis_cannot_carry",
    }
    assert [r.first(30) for r in done.readers] == [CARD, "R-2"]
    assert "^f20261126" in done.readers[1].all(40)[0].text()
    assert [c.status for c in copies_of(done.books[0])] == ["1", "0", "6"]
    again = enter_files([operation(operation_id="lent")], done.readers, done.books, IrbisRules())
    assert (again.carried, again.readers, again.books) == (("lent",), (), ())


POINT = ItemPlace(kind=PlaceKind.POINT, key="zelenogradsk")


def test_readers_of_an_export_with_their_open_loans() -> None:
    """Open loans come with their dates; who has no card or another's is named."""
    records = [
        IrbisRecord(
            fields=(
                IrbisField(tag=10, value="Ёлкина"),
                IrbisField(tag=30, value=CARD),
                read_field(40, "^gIBIS^aШ^b7^h46^d20261101^1101530^e20261130^f******^42"),
                read_field(40, "^gIBIS^aШ^b8^d20261001^e20261030^f20261029"),
                read_field(40, "^gIBIS^aШ^b9^dнеизвестно^f******"),
            )
        ),
        IrbisRecord(fields=(IrbisField(tag=10, value="Без билета"),)),
        IrbisRecord(fields=(IrbisField(tag=10, value="Тёзка"), IrbisField(tag=30, value=CARD))),
    ]
    for raw in (text_file(records, encoding="cp1251"), iso_file(records, encoding="cp1251")):
        found = import_readers(raw, encoding="cp1251", place=POINT)
        (patron,), (loan,) = found.patrons, found.loans
        assert (patron.name, patron.card) == ("Ёлкина", CARD)
        assert (loan.item_id, loan.due.due_date, loan.num_renewals) == ("46", date(2026, 11, 30), 2)
        assert loan.loaned_at == datetime(2026, 11, 1, 8, 15, 30, tzinfo=UTC)
        assert loan.patron_id == patron.patron_id
        assert [(u.number, u.code) for u in found.unread] == [
            (1, "library.irbis_odd_loan"),
            (2, "library.irbis_no_card"),
            (3, "library.irbis_two_readers"),
        ]


@given(st.lists(made_records, max_size=4))
def test_any_records_are_readers_or_named(records: list[IrbisRecord]) -> None:
    """Every record is a reader or is told; none is passed over in silence."""
    found = import_readers(text_file(records), encoding="utf-8", place=POINT)
    told = {u.number for u in found.unread if u.code != "library.irbis_odd_loan"}
    assert len(found.patrons) + len(told) == len(records)

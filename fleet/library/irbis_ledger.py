"""What an operation does to the records of IRBIS64: a reader's field 40 and a copy's field 910.

IRBIS keeps no ids of operations, so each loan bears ours in its note (40^9, ``bm:`` and the id):
told twice, it is entered once. The server knows no rules of lending; what its own workstation would
question is put before a person here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from data.feeds.irbis_readers import (
    FREE,
    LENT,
    MARKED,
    NOT_LENDABLE,
    IrbisCopy,
    copy_of,
    irbis_date,
    loan_field,
    loans_of,
    marked,
    reader_card,
    registered,
    with_mark,
)
from data.feeds.irbis_record import IrbisRecord
from data.model.errors import InputError
from data.model.library_ops import (
    Answer,
    LeftOut,
    LibraryOperation,
    OperationId,
    OperationKind,
    Outcome,
    in_time_order,
    plain_facts,
)

_ACCEPTED, _ALREADY = Answer(outcome=Outcome.ACCEPTED), Answer(outcome=Outcome.ALREADY)


@dataclass(frozen=True, slots=True, kw_only=True)
class IrbisRules:
    """How a library keeps its bases.

    ``catalogue`` is the base that holds the books (40^g); dates are those of ``time_zone``.
    """

    catalogue: str = "IBIS"
    time_zone: str = "Europe/Kaliningrad"

    def local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.time_zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An operation entered: the records as they are now to be, or ``None`` where one stays."""

    answer: Answer
    reader: IrbisRecord | None = None
    book: IrbisRecord | None = None


def enter(
    operation: LibraryOperation,
    reader: IrbisRecord | None,
    book: IrbisRecord | None,
    rules: IrbisRules,
) -> Entry:
    """Enter an operation into its reader's record and its book's.

    Parameters
    ----------
    reader
        Whoever holds the operation's card; of a return, whoever has the book.
    book
        The catalogue record of which the item is a copy.
    """
    if reader is not None and reader.is_deleted:
        reader = None
    match operation.kind:
        case OperationKind.LOAN:
            return _lent(operation, reader, book, rules)
        case OperationKind.RETURN:
            return _returned(operation, reader, book, rules)
        case OperationKind.RENEWAL:
            return _renewed(operation, reader, rules)
        case OperationKind.REGISTRATION:
            return _registered(operation, reader, rules)
        case OperationKind.HOLD | OperationKind.HOLD_CANCELLED:
            return _refused("library.irbis_cannot_carry")


def _refused(code: str) -> Entry:
    return Entry(answer=Answer(outcome=Outcome.REFUSED, code=code))


def _lent(
    operation: LibraryOperation,
    reader: IrbisRecord | None,
    book: IrbisRecord | None,
    rules: IrbisRules,
) -> Entry:
    if reader is None:
        return _refused("library.irbis_no_reader")
    copy = copy_of(book, operation.item_id, operation.inventory_no) if book is not None else None
    own = marked(reader, operation.operation_id)
    if own is not None:
        is_out = own.get("f").startswith("*")
        return Entry(answer=_ALREADY, book=_with_status(book, copy, LENT) if is_out else None)
    if book is None or copy is None:
        return _refused("library.irbis_no_copy")
    if copy.status in NOT_LENDABLE:
        return _refused(f"library.irbis_{NOT_LENDABLE[copy.status]}")
    if any(
        one.is_open and one.is_of(operation.item_id, copy.inventory_no) for one in loans_of(reader)
    ):
        return _refused("library.irbis_has_it")
    if copy.status == LENT:
        return _refused("library.irbis_lent_to_other")
    local = rules.local(operation.at)
    told = operation
    if not told.catalogue_code:
        told = replace(told, catalogue_code=book.first(903))
    added = loan_field(
        told, copy, database=rules.catalogue, day=local.date(), clock=f"{local:%H%M%S}"
    )
    return Entry(answer=_ACCEPTED, reader=reader.adding(added), book=_with_status(book, copy, LENT))


def _returned(
    operation: LibraryOperation,
    reader: IrbisRecord | None,
    book: IrbisRecord | None,
    rules: IrbisRules,
) -> Entry:
    if reader is None:
        return _refused("library.irbis_nobody_has_it")
    copy = copy_of(book, operation.item_id, operation.inventory_no) if book is not None else None
    inventory = copy.inventory_no if copy is not None else operation.inventory_no
    own = [one for one in loans_of(reader) if one.is_of(operation.item_id, inventory)]
    has_it = any(one.is_open for one in own)
    if marked(reader, operation.operation_id) is not None:
        return Entry(answer=_ALREADY, book=None if has_it else _with_status(book, copy, FREE))
    loan = next((one for one in own if one.is_open), None)
    if loan is None:
        return _refused("library.irbis_not_lent")
    day = irbis_date(_day(operation, rules))
    closed = with_mark(loan.field.with_subfield("f", day), operation.operation_id)
    return Entry(
        answer=_ACCEPTED,
        reader=reader.replacing(loan.field, closed),
        book=_with_status(book, copy, FREE),
    )


def _renewed(operation: LibraryOperation, reader: IrbisRecord | None, rules: IrbisRules) -> Entry:
    if reader is None:
        return _refused("library.irbis_no_reader")
    if marked(reader, operation.operation_id) is not None:
        return Entry(answer=_ALREADY)
    loan = next(
        (
            one
            for one in loans_of(reader)
            if one.is_open and one.is_of(operation.item_id, operation.inventory_no)
        ),
        None,
    )
    if loan is None:
        return _refused("library.irbis_not_lent")
    before = loan.field.get("4").strip()
    count = int(before) + 1 if before.isascii() and before.isdigit() else 1
    longer = loan.field.with_subfield("l", irbis_date(_day(operation, rules)))
    longer = longer.with_subfield("4", str(count))
    if operation.due_date is not None:
        longer = longer.with_subfield("e", irbis_date(operation.due_date))
    longer = with_mark(longer, operation.operation_id)
    return Entry(answer=_ACCEPTED, reader=reader.replacing(loan.field, longer))


def _registered(
    operation: LibraryOperation, reader: IrbisRecord | None, rules: IrbisRules
) -> Entry:
    if reader is None:
        made = registered(operation, day=_day(operation, rules))
        return Entry(answer=_ACCEPTED, reader=made)
    mark = MARKED + operation.operation_id
    if any(mark in f.value.split() for f in reader.all(33)):
        return Entry(answer=_ALREADY)
    return _refused("library.irbis_card_taken")


def _day(operation: LibraryOperation, rules: IrbisRules) -> date:
    return rules.local(operation.at).date()


def _with_status(
    book: IrbisRecord | None, copy: IrbisCopy | None, status: str
) -> IrbisRecord | None:
    """The book with its copy lent or free; a lost or written-off one stays as it is."""
    if book is None or copy is None or copy.status == status or copy.status in NOT_LENDABLE:
        return None
    return book.replacing(copy.field, copy.field.with_subfield("a", status))


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesEntered:
    """Records to be imported back in IRBIS, whole, and what became of each operation."""

    readers: tuple[IrbisRecord, ...]
    books: tuple[IrbisRecord, ...]
    carried: tuple[OperationId, ...]
    left_out: tuple[LeftOut, ...]


def enter_files(
    operations: Iterable[LibraryOperation],
    readers: Iterable[IrbisRecord],
    books: Iterable[IrbisRecord],
    rules: IrbisRules,
) -> FilesEntered:
    """Enter operations into exports of the readers' base and the catalogue.

    Only records that change are given back. Of two readers with one card neither is touched.
    """
    held = _by_card(readers)
    shelf = list(books)
    where = _by_copy(shelf)
    changed_cards: dict[str, None] = {}
    changed_books: dict[int, None] = {}
    carried: list[OperationId] = []
    left_out: list[LeftOut] = []
    for operation in in_time_order(operations):
        card = operation.card or _card_of(held, operation)
        at = where.get(operation.item_id, where.get(operation.inventory_no))
        facts: dict[str, str] = {}
        code = "library.irbis_two_readers" if len(held.get(card, ())) > 1 else ""
        if not code:
            found = held.get(card, ())
            reader = found[0] if found else None
            book = shelf[at] if at is not None else None
            try:
                entry = enter(operation, reader, book, rules)
            except InputError as wrong:
                entry, facts = _refused(wrong.code), plain_facts(wrong)
            code = "" if entry.answer.is_settled else entry.answer.code
        if code:
            left_out.append(LeftOut(operation_id=operation.operation_id, code=code, facts=facts))
            continue
        carried.append(operation.operation_id)
        if entry.reader is not None:
            held[card] = (entry.reader,)
            changed_cards[card] = None
        if entry.book is not None and at is not None:
            shelf[at] = entry.book
            changed_books[at] = None
    return FilesEntered(
        readers=tuple(held[card][0] for card in changed_cards),
        books=tuple(shelf[at] for at in changed_books),
        carried=tuple(carried),
        left_out=tuple(left_out),
    )


def _by_card(readers: Iterable[IrbisRecord]) -> dict[str, tuple[IrbisRecord, ...]]:
    held: dict[str, tuple[IrbisRecord, ...]] = {}
    for reader in readers:
        if card := reader_card(reader):
            held[card] = (*held.get(card, ()), reader)
    return held


def _by_copy(books: list[IrbisRecord]) -> dict[str, int]:
    where: dict[str, int] = {}
    for at, book in enumerate(books):
        for copy in book.all(910):
            for code in ("h", "b"):
                if number := copy.get(code).strip():
                    where.setdefault(number, at)
    return where


def _card_of(held: dict[str, tuple[IrbisRecord, ...]], operation: LibraryOperation) -> str:
    """The card of whoever has the item on loan; empty where nobody has."""
    for card, found in held.items():
        for reader in found:
            if any(
                one.is_open and one.is_of(operation.item_id, operation.inventory_no)
                for one in loans_of(reader)
            ):
                return card
    return ""

"""Readers, loans and copies as IRBIS64 keeps them: fields 30, 40 and 910.

References
----------
ManagedIrbis5 (MIT) ``ReaderInfo.cs``, ``ReaderConfiguration.cs``, ``VisitInfo.cs``; statuses of
copies as in the delivered menu of IRBIS (0 free, 1 lent, 4 lost, 5 not lent, 6 written off, 8 on
its way).
"""

from dataclasses import dataclass
from datetime import date

from data.feeds.irbis_record import IrbisField, IrbisRecord, made_field
from data.model.errors import InputError
from data.model.library_ops import LibraryOperation
from data.model.patrons import EARLIEST_BIRTH, Patron, PatronId

LOAN, COPY, TICKET = 40, 910, 30
OUT = "******"
"""Stands for the date of return while the book is out."""
FREE, LENT = "0", "1"
NOT_LENDABLE = {"4": "lost", "6": "written_off"}
MARKED = "bm:"
"""Begins the note of a loan of ours; the id of its operation follows."""


def irbis_date(day: date) -> str:
    """A date as IRBIS writes it."""
    return f"{day:%Y%m%d}"


def read_date(text: str) -> date | None:
    """A date of IRBIS; ``None`` for anything else."""
    plain = text.strip()
    if len(plain) != 8 or not (plain.isascii() and plain.isdigit()):
        return None
    try:
        return date(int(plain[:4]), int(plain[4:6]), int(plain[6:]))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class IrbisLoan:
    """A field 40 that is a loan, not a bare visit."""

    field: IrbisField
    inventory_no: str
    barcode: str
    database: str
    catalogue_code: str
    lent_date: date | None
    due_date: date | None
    returned_date: date | None
    is_open: bool

    def is_of(self, item_id: str, inventory_no: str = "") -> bool:
        """Whether the loan is of this copy, by its barcode or inventory number."""
        own = {self.barcode, self.inventory_no} - {""}
        return item_id in own or bool(inventory_no and inventory_no == self.inventory_no)


def loans_of(reader: IrbisRecord) -> tuple[IrbisLoan, ...]:
    """All loans of a reader in the order of their fields; visits without a book are none."""
    found = []
    for one in reader.all(LOAN):
        if not (one.get("a") or one.get("b") or one.get("h")):
            continue
        returned = one.get("f").strip()
        found.append(
            IrbisLoan(
                field=one,
                inventory_no=one.get("b").strip(),
                barcode=one.get("h").strip(),
                database=one.get("g").strip(),
                catalogue_code=one.get("a").strip(),
                lent_date=read_date(one.get("d")),
                due_date=read_date(one.get("e")),
                returned_date=read_date(returned),
                is_open=not returned or returned.startswith("*"),
            )
        )
    return tuple(found)


def marked(reader: IrbisRecord, operation_id: str) -> IrbisField | None:
    """The loan that holds the mark of an operation of ours."""
    mark = MARKED + operation_id
    return next((f for f in reader.all(LOAN) if mark in f.get("9").split()), None)


def with_mark(loan: IrbisField, operation_id: str) -> IrbisField:
    """A loan with the mark of one more operation after what its note says."""
    note = f"{loan.get('9')} {MARKED}{operation_id}".strip()
    return loan.with_subfield("9", note)


def reader_card(reader: IrbisRecord) -> str:
    return reader.first(TICKET)


def read_patron(reader: IrbisRecord) -> Patron | None:
    """A reader for the tablet, named by the card; ``None`` where there is no card.

    Rights and forbidden places (fields 29, 56, 57) are each library's own and are not read.
    """
    card = reader_card(reader)
    if not card:
        return None
    born = read_date(reader.first(21))
    name = " ".join(part for tag in (10, 11, 12) if (part := reader.first(tag)))
    return Patron(
        patron_id=PatronId(f"irbis:{card}"[:64]),
        card=card,
        name=name[:200],
        birth_date=born if born is not None and born >= EARLIEST_BIRTH else None,
        phone=reader.first(17)[:200],
        registered_date=read_date(reader.first(51)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IrbisCopy:
    """A field 910: one copy of a book, or a number of them without barcodes."""

    field: IrbisField
    status: str
    inventory_no: str
    barcode: str
    place: str


def copies_of(book: IrbisRecord) -> tuple[IrbisCopy, ...]:
    """The copies of a catalogue record."""
    return tuple(
        IrbisCopy(
            field=one,
            status=one.get("a").strip(),
            inventory_no=one.get("b").strip(),
            barcode=one.get("h").strip(),
            place=one.get("d").strip(),
        )
        for one in book.all(COPY)
    )


def copy_of(book: IrbisRecord, item_id: str, inventory_no: str = "") -> IrbisCopy | None:
    """The copy with a barcode, else the one with an inventory number."""
    copies = copies_of(book)
    by_barcode = next((c for c in copies if c.barcode and c.barcode == item_id), None)
    wanted = {item_id, inventory_no} - {""}
    by_number = next((c for c in copies if c.inventory_no and c.inventory_no in wanted), None)
    return by_barcode or by_number


def loan_field(
    operation: LibraryOperation, copy: IrbisCopy | None, *, database: str, day: date, clock: str
) -> IrbisField:
    """Field 40 of a loan.

    Parameters
    ----------
    day, clock
        Local date and time (``HHMMSS``) of the loan.
    """
    inventory = copy.inventory_no if copy is not None else operation.inventory_no
    return made_field(
        LOAN,
        (
            ("g", database),
            ("a", operation.catalogue_code),
            ("b", inventory),
            ("h", operation.item_id if operation.item_id != inventory else ""),
            ("k", copy.place if copy is not None else ""),
            ("v", operation.place),
            ("d", irbis_date(day)),
            ("1", clock),
            ("e", irbis_date(operation.due_date) if operation.due_date is not None else ""),
            ("f", OUT),
            ("i", operation.operator),
            ("c", operation.brief.replace("^", " ")),
            ("9", MARKED + operation.operation_id),
        ),
    )


def registered(operation: LibraryOperation, *, day: date) -> IrbisRecord:
    """The record of a new reader.

    Raises
    ------
    InputError
        ``library.lacking`` where there is no name: IRBIS names readers by it.
    """
    parts = operation.name.split(maxsplit=2)
    if not parts:
        raise InputError(
            "library.lacking",
            operation_id=operation.operation_id,
            kind=operation.kind.value,
            field="name",
        )
    born = irbis_date(operation.birth_date) if operation.birth_date is not None else ""
    told = [
        *zip((10, 11, 12), parts, strict=False),
        (17, operation.phone),
        (21, born),
        (TICKET, operation.card),
        (51, irbis_date(day)),
        (33, MARKED + operation.operation_id),
    ]
    fields = tuple(IrbisField(tag=tag, value=_checked(tag, text)) for tag, text in told if text)
    return IrbisRecord(fields=fields)


def _checked(tag: int, text: str) -> str:
    if "^" in text or any(ord(c) < 32 for c in text):
        raise InputError("library.bad_for_irbis", field=str(tag), value=text)
    return text

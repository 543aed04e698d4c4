"""Readers of an IRBIS64 base and what they have on loan, for the tablets.

Read are card, names, date of birth, telephone and date of registration, and the open loans of field
40. Rights and blocks (fields 29, 56, 57) are each library's own and are not guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from data.feeds.irbis_iso import read_iso_file
from data.feeds.irbis_readers import IrbisLoan, loans_of, read_patron, reader_card
from data.feeds.irbis_record import IrbisRecord, RecordsRead, read_text_file
from data.model.errors import InputError
from data.model.loans import Due, Loan, LoanId
from data.model.patrons import Patron
from data.model.stock import ID_MAX, ItemId, ItemPlace

_ISO_BEGIN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A record, or a loan of it, that could not be taken; ``number`` counts records from 1."""

    number: int
    code: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadersRead:
    """Readers, their open loans, and what was not taken, with why."""

    patrons: tuple[Patron, ...]
    loans: tuple[Loan, ...]
    unread: tuple[Unread, ...] = ()


def read_any_file(raw: bytes, *, encoding: str) -> RecordsRead:
    """Records of an export in lines or in ISO 2709, whichever it is."""
    reader = read_iso_file if raw[:_ISO_BEGIN].isdigit() else read_text_file
    return reader(raw, encoding=encoding)


def import_readers(
    raw: bytes, *, encoding: str, place: ItemPlace, time_zone: str = "Europe/Kaliningrad"
) -> ReadersRead:
    """Readers and open loans of an export of RDR.

    Parameters
    ----------
    place
        Where loans were made, as far as we know: the library that lent.

    Raises
    ------
    InputError
        ``library.not_in_encoding_file``
    """
    found = read_any_file(raw, encoding=encoding)
    unread = [
        Unread(number=n, code="library.irbis_bad_record", facts={"value": str(n)})
        for n in found.bad_lines
    ]
    patrons: dict[str, Patron] = {}
    loans: dict[LoanId, Loan] = {}
    for number, record in enumerate(found.records, start=1):
        try:
            patron = read_patron(record)
            if patron is None:
                raise InputError("library.irbis_no_card")
            if patron.card in patrons:
                raise InputError("library.irbis_two_readers")
        except InputError as wrong:
            unread.append(Unread(number=number, code=wrong.code, facts=wrong.facts))
            continue
        patrons[patron.card] = patron
        for one in loans_of(record):
            if not one.is_open:
                continue
            try:
                loan = _loan(record, one, patron, place, ZoneInfo(time_zone))
                loans[loan.loan_id] = loan
            except InputError as wrong:
                unread.append(Unread(number=number, code=wrong.code, facts=wrong.facts))
    return ReadersRead(
        patrons=tuple(patrons.values()), loans=tuple(loans.values()), unread=tuple(unread)
    )


def _loan(
    record: IrbisRecord, one: IrbisLoan, patron: Patron, place: ItemPlace, zone: ZoneInfo
) -> Loan:
    item_id = one.barcode or one.inventory_no
    if not item_id or len(item_id) > ID_MAX or one.lent_date is None or one.due_date is None:
        raise InputError("library.irbis_odd_loan", value=one.field.text()[:80])
    clock = one.field.get("1").strip()
    try:
        at = time.fromisoformat(clock) if len(clock) == 6 and clock.isdigit() else time(12)
    except ValueError:
        at = time(12)
    loaned_at = datetime.combine(one.lent_date, at, tzinfo=zone).astimezone(UTC)
    renewals = one.field.get("4").strip()
    return Loan(
        loan_id=LoanId(f"irbis:{reader_card(record)}:{item_id}:{one.lent_date:%Y%m%d}"),
        item_id=ItemId(item_id),
        patron_id=patron.patron_id,
        place=place,
        loaned_at=loaned_at,
        due=Due(due_date=one.due_date),
        due_from_date=one.lent_date,
        num_renewals=int(renewals) if renewals.isascii() and renewals.isdigit() else 0,
    )

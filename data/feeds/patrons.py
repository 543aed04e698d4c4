"""Readers from tables: one row a reader; rows to values and back."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from data.feeds.entity import Entity
from data.feeds.importing import fill, import_table, recode, stable_id
from data.feeds.report import ImportReport
from data.feeds.rows import Row
from data.feeds.values import write_date, write_yes_no
from data.model.errors import InputError
from data.model.patrons import Block, BlockReason, Patron, PatronId, PatronKind
from data.model.place import StopId

BY_CARD = "by-card"
"""Begins ids made of a card: whoever keeps readers gives them lasting ones."""
_SINCE_EVER = date(2000, 1, 1)
KIND_WORDS = {
    "читатель": "person",
    "человек": "person",
    "коллективный": "collective",
    "коллектив": "collective",
    "на дому": "home",
    "надомный": "home",
} | {kind.value: kind.value for kind in PatronKind}
COLUMNS = (
    "patron_id",
    "card",
    "name",
    "kind",
    "birth_date",
    "phone",
    "stop_ids",
    "registered_date",
    "expires_date",
    "blocked",
    "disabled",
)


def patron_from_row(row: Row) -> Patron | None:
    """The reader of a row; ``blocked`` is a reason, or yes for one that is not told."""
    patron_id = row.required("patron_id")
    born, registered = row.day("birth_date"), row.day("registered_date")
    expires, disabled = row.day("expires_date"), row.yes_no("disabled")
    kind = row.choice("kind", PatronKind, PatronKind.PERSON)
    blocks: tuple[Block, ...] = ()
    if row.text("blocked"):
        is_reason = row.text("blocked") in set(BlockReason)
        reason = BlockReason(row.text("blocked")) if is_reason else BlockReason.LIBRARY
        if is_reason or row.yes_no("blocked"):
            blocks = (Block(reason=reason, since_date=registered or born or _SINCE_EVER),)
    if row.is_wrong:
        return None
    try:
        return Patron(
            patron_id=PatronId(patron_id),
            card=row.text("card"),
            name=row.text("name"),
            kind=kind,
            birth_date=born,
            phone=row.text("phone"),
            stop_ids=frozenset(StopId(part) for part in row.parts("stop_ids")),
            registered_date=registered,
            expires_date=expires,
            blocks=blocks,
            is_disabled=bool(disabled),
        )
    except InputError as wrong:
        row.note("feeds.patrons.bad_reader", "patron_id", cause=wrong.code)
        return None


def patron_cells(patron: Patron) -> dict[str, str]:
    return {
        "patron_id": patron.patron_id,
        "card": patron.card,
        "name": patron.name,
        "kind": patron.kind.value,
        "birth_date": write_date(patron.birth_date),
        "phone": patron.phone,
        "stop_ids": ";".join(sorted(patron.stop_ids)),
        "registered_date": write_date(patron.registered_date),
        "expires_date": write_date(patron.expires_date),
        "blocked": patron.blocks[0].reason.value if patron.blocks else "",
        "disabled": write_yes_no(patron.is_disabled),
    }


PATRONS: Entity[Patron] = Entity(
    name="patrons",
    id_column="patron_id",
    columns=COLUMNS,
    required=("patron_id",),
    from_row=patron_from_row,
    to_cells=patron_cells,
    id_of=lambda patron: patron.patron_id,
)


def complete_patrons(rows: Sequence[Row]) -> None:
    """Name readers that have no id by their card; our words for kinds."""
    for row in rows:
        if not row.has("patron_id") and row.has("card"):
            fill(row, "patron_id", stable_id(BY_CARD, row.text("card")))
        recode(row, "kind", KIND_WORDS, PatronKind.PERSON.value)


def import_patrons(
    path: Path, *, mapping: Mapping[str, str] | None = None, encoding: str | None = None
) -> tuple[tuple[Patron, ...], ImportReport]:
    """Read readers from CSV or XLSX; good rows load, every other is reported with its cause.

    Raises
    ------
    InputError
        Where nothing can be read at all.
    """
    return import_table(
        path,
        PATRONS,
        mapping=mapping,
        encoding=encoding,
        optional=("patron_id",),
        complete=complete_patrons,
    )

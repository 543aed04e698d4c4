"""Stock and readers taken into a region's circulation from files."""

import tempfile
import uuid
from dataclasses import replace
from pathlib import Path

from sqlmodel import Session

from api.services.ledger import Ledger
from api.state import Service
from data.db import audit_store, circulation_store
from data.db.circulation_store import BaseThing
from data.feeds.iso2709 import EncodingPreview, preview_encodings, preview_text
from data.feeds.marc_stock import import_marc
from data.feeds.patrons import BY_CARD, import_patrons
from data.feeds.report import ImportReport
from data.feeds.stock import StockedItem, import_stock, titles_in
from data.model.accounts import Caller
from data.model.errors import InputError
from data.model.patrons import Patron, PatronId
from data.model.stock import ItemPlace

TABLES = (".csv", ".tsv", ".txt", ".xlsx")
MARC = (".mrc", ".iso", ".marc", ".dat")


def take_stock(
    service: Service,
    region_id: str,
    raw: bytes,
    *,
    file_name: str,
    place: ItemPlace,
    encoding: str | None = None,
    is_trial: bool = False,
    by: Caller,
) -> ImportReport:
    """Take items with their titles in; those that are known are renewed, none is removed.

    Where an item is now is what the journal says: a known item keeps its place.

    Raises
    ------
    InputError
        ``circulation.unknown_format``; where nothing can be read.
    """
    stocked, report = _read_stock(raw, file_name, place, encoding)
    if is_trial:
        return report
    with service.ledgers.changing(service.engine, region_id) as (session, ledger):
        known = ledger.state.items
        items = [
            replace(s.item, place=known[s.item.item_id].place, box_id=known[s.item.item_id].box_id)
            if s.item.item_id in known
            else s.item
            for s in stocked
        ]
        _keep(session, region_id, [*titles_in(stocked), *items])
        audit_store.record(
            session, by, "circulation.stock", str(place), region_id=region_id,
            items=len(items), rejected=report.num_rejected,
        )  # fmt: skip
    return report


def _read_stock(
    raw: bytes, file_name: str, place: ItemPlace, encoding: str | None
) -> tuple[tuple[StockedItem, ...], ImportReport]:
    suffix = Path(file_name).suffix.lower()
    with tempfile.TemporaryDirectory() as folder:
        if suffix in TABLES:
            return import_stock(_put(folder, raw, suffix), place, encoding=encoding)
        if suffix in MARC:
            return import_marc(_put(folder, raw, suffix), place, encoding=encoding)
    known = ", ".join((*TABLES, *MARC))
    raise InputError("circulation.unknown_format", name=file_name[:80], known=known)


def preview_file(raw: bytes, file_name: str) -> tuple[EncodingPreview, ...]:
    """How a file reads in each encoding that it may be in; nothing for one that tells its own.

    Raises
    ------
    InputError
        Where nothing can be read.
    """
    suffix = Path(file_name).suffix.lower()
    if suffix in MARC:
        with tempfile.TemporaryDirectory() as folder:
            return preview_encodings(_put(folder, raw, suffix))
    return preview_text(raw) if suffix in (".csv", ".tsv", ".txt") and raw else ()


def take_readers(
    service: Service,
    region_id: str,
    raw: bytes,
    *,
    file_name: str,
    encoding: str | None = None,
    is_trial: bool = False,
    by: Caller,
) -> ImportReport:
    """Take readers in; those that are known by their id are renewed, none is removed.

    Raises
    ------
    InputError
        ``circulation.unknown_format``; where nothing can be read.
    """
    suffix = Path(file_name).suffix.lower()
    if suffix not in TABLES:
        raise InputError("circulation.unknown_format", name=file_name[:80], known=", ".join(TABLES))
    with tempfile.TemporaryDirectory() as folder:
        patrons, report = import_patrons(_put(folder, raw, suffix), encoding=encoding)
    if is_trial:
        return report
    with service.ledgers.changing(service.engine, region_id) as (session, ledger):
        _keep(session, region_id, [_with_lasting_id(ledger, p) for p in patrons])
        audit_store.record(
            session, by, "circulation.readers", "", region_id=region_id,
            readers=len(patrons), rejected=report.num_rejected,
        )  # fmt: skip
    return report


def _with_lasting_id(ledger: Ledger, patron: Patron) -> Patron:
    """The reader under the id that the card's holder has; new ones get one that says nothing."""
    if not patron.patron_id.startswith(f"{BY_CARD}-"):
        return patron
    known = ledger.state.patrons_with_card(patron.card)
    return replace(patron, patron_id=known[0].patron_id if known else PatronId(uuid.uuid4().hex))


def _put(folder: str, raw: bytes, suffix: str) -> Path:
    # The file's own name is the sender's: it never becomes a path.
    path = Path(folder) / f"upload{suffix}"
    path.write_bytes(raw)
    return path


def _keep(session: Session, region_id: str, things: list[BaseThing]) -> None:
    circulation_store.put_things(session, region_id, things)
    circulation_store.advance(session, region_id, is_new_base=True)

"""Files for a library's own system made at the desk: what waits goes in, a person says what became.

A file is kept as it was made. Until somebody says that it was imported, its operations are in
doubt; where it was not, they wait again.
"""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

from sqlmodel import Session

from api.services.library_delivery import take_operations
from api.services.library_system import zone_of
from api.state import Service
from data.db import audit_store, event_store, library_store
from data.db.engine import reading, writing
from data.feeds.evergreen_offline import pending_xacts
from data.feeds.irbis_import import read_any_file
from data.feeds.irbis_iso import iso_file
from data.feeds.irbis_record import IrbisRecord, text_file
from data.feeds.koha_koc import koc_file
from data.model.accounts import Caller
from data.model.errors import ConflictError, InputError
from data.model.library_link import FileState, LibraryLink, SystemKind
from data.model.library_ops import (
    Answer,
    ExchangeFile,
    LibraryOperation,
    Outcome,
)
from fleet.library.irbis_ledger import IrbisRules, enter_files
from fleet.library.outbox import Posting, Standing
from fleet.library.outbox_json import posting_from_json, posting_to_json

IN_FILE = "library.in_file"
ENDINGS = {
    SystemKind.KOHA_FILE: "koc",
    SystemKind.EVERGREEN_FILE: "xacts",
    SystemKind.IRBIS_FILE: "zip",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bases:
    """Exports of IRBIS: the readers, and the catalogue where there is one."""

    readers: bytes = b""
    books: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A file that was made: its number, and how much it could not carry."""

    file_no: int
    num_carried: int
    num_left_out: int


def make_file(service: Service, region_id: str, bases: Bases, *, by: Caller, at: datetime) -> Made:
    """Put what waits into a file; what the format cannot carry goes to a person.

    Raises
    ------
    InputError
        ``library.no_files``, ``library.nothing_waits``, ``library.readers_needed``,
        ``library.bad_line``.
    """
    take_operations(service, region_id)
    with writing(service.engine) as session:
        link = library_store.hold_link(session, region_id)
        if not link.is_on or not link.kind.is_file:
            raise InputError("library.no_files")
        free = library_store.load_free_postings(session, region_id)
        postings = [posting_from_json(one) for one in free]
        if not postings:
            raise InputError("library.nothing_waits")
        zone = zone_of(session, region_id)
        made = _content([p.operation for p in postings], link, zone, bases)
        carried, left = set(made.carried), {x.operation_id: x for x in made.left_out}
        local = at.astimezone(ZoneInfo(zone))
        name = f"bookmobile-{local:%Y-%m-%d-%H%M%S}.{ENDINGS[link.kind]}"
        file_no = 0
        if carried:
            file_no = library_store.add_file(
                session, region_id, name=name, content=made.content, num=len(carried), at=at,
                by=by.account_id or "",
            )  # fmt: skip
        inside = [
            replace(p, standing=Standing.DOUBTFUL, num_tries=p.num_tries + 1, answer=_in_file())
            for p in postings
            if p.operation_id in carried
        ]
        asking = [
            replace(
                p,
                standing=Standing.ASKS,
                answer=Answer(outcome=Outcome.REFUSED, code=x.code, facts=x.facts),
            )
            for p in postings
            if (x := left.get(p.operation_id)) is not None
        ]
        _put(service, session, region_id, inside, file_no)
        _put(service, session, region_id, asking, None)
        audit_store.record(
            session, by, "circulation.link_file", name, region_id=region_id,
            carried=len(carried), left_out=len(left),
        )  # fmt: skip
        event_store.emit(session, "library", name, region_id)
        return Made(file_no=file_no, num_carried=len(carried), num_left_out=len(left))


def _in_file() -> Answer:
    return Answer(outcome=Outcome.DOUBTFUL, code=IN_FILE)


def _put(
    service: Service,
    session: Session,
    region_id: str,
    postings: Sequence[Posting],
    file_no: int | None,
) -> None:
    documents = [posting_to_json(p) for p in postings]
    library_store.put_postings(session, region_id, documents, now=service.clock(), file_no=file_no)


def _content(
    operations: Sequence[LibraryOperation], link: LibraryLink, zone: str, bases: Bases
) -> ExchangeFile:
    if link.kind is SystemKind.KOHA_FILE:
        own = version("bookmobile-planner")
        return koc_file(operations, time_zone=zone, generator_version=own)
    if link.kind is SystemKind.EVERGREEN_FILE:
        return pending_xacts(operations, time_zone=zone)
    if not bases.readers:
        raise InputError("library.readers_needed")
    encoding = str(link.settings.get("encoding") or "utf-8")
    rules = IrbisRules(catalogue=str(link.settings.get("catalogue") or "IBIS"), time_zone=zone)
    entered = enter_files(
        operations,
        irbis_records(bases.readers, "readers", encoding),
        irbis_records(bases.books, "books", encoding) if bases.books else (),
        rules,
    )
    is_iso = link.settings.get("form") == "irbis-iso"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as folder:
        for name, records in (("readers", entered.readers), ("books", entered.books)):
            if records:
                written = (iso_file if is_iso else text_file)(records, encoding=encoding)
                folder.writestr(f"{name}.{'iso' if is_iso else 'txt'}", written)
    return ExchangeFile(
        content=packed.getvalue(), carried=entered.carried, left_out=entered.left_out
    )


def irbis_records(raw: bytes, name: str, encoding: str) -> tuple[IrbisRecord, ...]:
    """Records of an export.

    Raises
    ------
    InputError
        ``library.bad_line``: a record passed over would be a loan not entered, and nobody would
        know. ``library.bad_setting`` where there is no such encoding.
    """
    try:
        "".encode(encoding)
    except LookupError as wrong:
        raise InputError(
            "library.bad_setting", name="encoding", value=encoding, expected="utf-8, cp1251, cp866"
        ) from wrong
    found = read_any_file(raw, encoding=encoding)
    if found.bad_lines:
        raise InputError("library.bad_line", file=name, line=found.bad_lines[0])
    return found.records


def file_of(service: Service, region_id: str, file_no: int) -> tuple[str, bytes]:
    """Name and content of a file.

    Raises
    ------
    NotFoundError
        ``library.unknown_file``.
    """
    with reading(service.engine) as session:
        return library_store.file_content(session, region_id, file_no)


def say_of_file(
    service: Service, region_id: str, file_no: int, state: FileState, *, by: Caller, at: datetime
) -> None:
    """Say that a file was imported, or that it was not, so that its operations wait again.

    Raises
    ------
    NotFoundError
        ``library.unknown_file``.
    ConflictError
        ``library.file_decided`` where somebody has said so before.
    """
    with writing(service.engine) as session:
        library_store.hold_link(session, region_id)
        before = library_store.set_file_state(session, region_id, file_no, state)
        if before is not FileState.MADE:
            raise ConflictError("library.file_decided", number=file_no)
        told = library_store.load_postings(
            session, region_id, [Standing.DOUBTFUL.value], file_no=file_no
        )
        postings = [posting_from_json(one) for one in told]
        if state is FileState.IMPORTED:
            answer = Answer(outcome=Outcome.ACCEPTED, code=IN_FILE)
            done = [replace(p, standing=Standing.SETTLED, answer=answer) for p in postings]
            _put(service, session, region_id, done, None)
        else:
            again = [
                replace(p, standing=Standing.WAITING, answer=None, next_at=None) for p in postings
            ]
            _put(service, session, region_id, again, 0)
        audit_store.record(
            session,
            by,
            "circulation.link_file_told",
            str(file_no),
            region_id=region_id,
            state=state.value,
        )
        event_store.emit(session, "library", str(file_no), region_id)

"""The link to a library's own system as it is kept: settings, operations on their way, files."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import defer
from sqlmodel import Session, col, func, select

from data.db.tables.circulation import LibraryFileRow, LibraryPostingRow, LibrarySystemRow
from data.db.turns import take_turn
from data.model.errors import NotFoundError
from data.model.library_link import FileState, LibraryFile, LibraryLink, SystemKind

_AT_ONCE = 500
PERSONAL = ("card", "name", "phone", "birth_date")
type Document = Mapping[str, Any]


def link(session: Session, region_id: str) -> LibraryLink:
    """The link of a region; one that has none stands alone."""
    row = session.get(LibrarySystemRow, region_id)
    return LibraryLink() if row is None else _link(row)


def hold_link(session: Session, region_id: str) -> LibraryLink:
    """Take the turn to change a region's link; kept to the end of the transaction."""
    take_turn(session, f"library:{region_id}")
    return _link(_row(session, region_id))


def regions_linked(session: Session) -> tuple[str, ...]:
    """Regions that have a system which is switched on."""
    asked = select(LibrarySystemRow.region_id).where(col(LibrarySystemRow.is_on).is_(True))
    return tuple(session.exec(asked.order_by(LibrarySystemRow.region_id)))


def set_link(
    session: Session,
    region_id: str,
    *,
    kind: SystemKind,
    is_on: bool,
    settings: Document,
    secrets: Mapping[str, str],
    told_from: datetime | None,
) -> LibraryLink:
    """Change how a region's system is reached; the turn must be held."""
    row = _row(session, region_id)
    row.kind, row.is_on, row.told_from = kind.value, is_on, told_from
    row.facts, row.secrets = dict(settings), dict(secrets)
    row.revision += 1
    row.taken_revision = -1
    row.trouble = {}
    session.flush()
    return _link(row)


def lease(session: Session, region_id: str, owner: str, now: datetime, lasts: timedelta) -> bool:
    """Let one process alone deliver for a while; false where another does."""
    take_turn(session, f"library:{region_id}")
    row = _row(session, region_id)
    if row.held_by not in ("", owner) and row.held_until is not None and row.held_until > now:
        return False
    row.held_by, row.held_until = owner, now + lasts
    session.flush()
    return True


def release(session: Session, region_id: str, owner: str) -> None:
    """End a lease."""
    row = _row(session, region_id)
    if row.held_by == owner:
        row.held_by, row.held_until = "", None
        session.flush()


def note_try(session: Session, region_id: str, now: datetime, trouble: Document) -> None:
    """Note how the last try went; trouble keeps since when it lasts."""
    row = _row(session, region_id)
    row.tried_at = now
    if not trouble:
        row.reached_at, row.trouble = now, {}
    else:
        since = row.trouble.get("since") or now.isoformat()
        row.trouble = {**trouble, "since": since}
    session.flush()


def note_taken(session: Session, region_id: str, revision: int) -> None:
    """Note up to which revision of the circulation operations were taken."""
    _row(session, region_id).taken_revision = revision
    session.flush()


def known_postings(
    session: Session, region_id: str, from_at: datetime
) -> dict[str, tuple[str, Document]]:
    """Standing and document of each operation that happened from an instant on, by its id."""
    asked = select(
        LibraryPostingRow.operation_id, LibraryPostingRow.standing, LibraryPostingRow.facts
    ).where(
        LibraryPostingRow.region_id == region_id,
        col(LibraryPostingRow.happened_at) >= from_at,
    )
    return {
        operation_id: (standing, facts) for operation_id, standing, facts in session.exec(asked)
    }


def put_postings(
    session: Session,
    region_id: str,
    documents: Iterable[Document],
    *,
    now: datetime,
    file_no: int | None = None,
) -> None:
    """Add postings, or take the place of those with their ids."""
    wanted = {str(d["operation"]["operation_id"]): d for d in documents}
    keys = list(wanted)
    known: dict[str, LibraryPostingRow] = {}
    for at in range(0, len(keys), _AT_ONCE):
        asked = select(LibraryPostingRow).where(
            LibraryPostingRow.region_id == region_id,
            col(LibraryPostingRow.operation_id).in_(keys[at : at + _AT_ONCE]),
        )
        known |= {row.operation_id: row for row in session.exec(asked)}
    for key, document in wanted.items():
        row = known.get(key)
        if row is None:
            row = LibraryPostingRow(
                region_id=region_id,
                operation_id=key,
                event_id=key.partition("~")[0],
                standing="",
                happened_at=datetime.fromisoformat(document["operation"]["at"]),
            )
            session.add(row)
        row.standing, row.facts = document["standing"], dict(document)
        is_settled = document["standing"] == "settled"
        row.settled_at = (row.settled_at or now) if is_settled else None
        if file_no is not None:
            row.file_no = file_no or None
    session.flush()


def drop_postings(session: Session, region_id: str, operation_ids: Sequence[str]) -> None:
    """Take operations out that were never sent and are not to be any more."""
    for row in session.exec(
        select(LibraryPostingRow).where(
            LibraryPostingRow.region_id == region_id,
            col(LibraryPostingRow.operation_id).in_(operation_ids),
        )
    ):
        session.delete(row)
    session.flush()


def load_postings(
    session: Session,
    region_id: str,
    standings: Sequence[str],
    *,
    limit: int | None = None,
    file_no: int | None = None,
) -> tuple[Document, ...]:
    """Postings by standing, in the order in which their operations happened."""
    asked = select(LibraryPostingRow.facts).where(
        LibraryPostingRow.region_id == region_id,
        col(LibraryPostingRow.standing).in_(standings),
    )
    if file_no is not None:
        asked = asked.where(LibraryPostingRow.file_no == file_no)
    asked = asked.order_by(
        col(LibraryPostingRow.happened_at), col(LibraryPostingRow.posting_no)
    ).limit(limit)
    return tuple(session.exec(asked))


def load_free_postings(session: Session, region_id: str) -> tuple[Document, ...]:
    """Waiting postings that no file carries."""
    asked = select(LibraryPostingRow.facts).where(
        LibraryPostingRow.region_id == region_id,
        LibraryPostingRow.standing == "waiting",
        col(LibraryPostingRow.file_no).is_(None),
    )
    asked = asked.order_by(col(LibraryPostingRow.happened_at), col(LibraryPostingRow.posting_no))
    return tuple(session.exec(asked))


def posting(session: Session, region_id: str, operation_id: str) -> Document:
    """One posting.

    Raises
    ------
    NotFoundError
        ``library.unknown_operation``.
    """
    asked = select(LibraryPostingRow.facts).where(
        LibraryPostingRow.region_id == region_id, LibraryPostingRow.operation_id == operation_id
    )
    found = session.exec(asked).first()
    if found is None:
        raise NotFoundError("library.unknown_operation", operation_id=operation_id[:64])
    return found


def counts(session: Session, region_id: str) -> dict[str, tuple[int, datetime | None]]:
    """How many postings stand where, with when the oldest of them happened."""
    asked = (
        select(
            LibraryPostingRow.standing,
            func.count(),
            func.min(LibraryPostingRow.happened_at),
        )
        .where(LibraryPostingRow.region_id == region_id)
        .group_by(LibraryPostingRow.standing)
    )
    return {standing: (num, oldest) for standing, num, oldest in session.exec(asked)}


def unsent_events(session: Session, region_id: str) -> frozenset[str]:
    """Events of which an operation is not settled yet."""
    asked = select(LibraryPostingRow.event_id).where(
        LibraryPostingRow.region_id == region_id,
        LibraryPostingRow.standing != "settled",
    )
    return frozenset(session.exec(asked))


def forget_person(session: Session, region_id: str, card: str) -> None:
    """Take what tells of a person out of operations that are settled."""
    asked = select(LibraryPostingRow).where(
        LibraryPostingRow.region_id == region_id, LibraryPostingRow.standing == "settled"
    )
    for row in session.exec(asked):
        told = row.facts.get("operation", {})
        if told.get("card") == card:
            less = {
                k: v for k, v in told.items() if k not in ("card", "name", "phone", "birth_date")
            }
            row.facts = {**row.facts, "operation": less}
    session.flush()


def add_file(
    session: Session, region_id: str, *, name: str, content: bytes, num: int, at: datetime, by: str
) -> int:
    """Keep a file; gives its number."""
    row = LibraryFileRow(
        region_id=region_id, name=name, content=content, num_operations=num, made_at=at, made_by=by
    )
    session.add(row)
    session.flush()
    assert row.file_no is not None
    return row.file_no


def files(session: Session, region_id: str, *, limit: int = 50) -> tuple[LibraryFile, ...]:
    """Files that were made, the newest first."""
    # The content, which may be large, is left where it is.
    asked = (
        select(LibraryFileRow)
        .options(defer(col(LibraryFileRow.content)))  # type: ignore[arg-type]
        .where(LibraryFileRow.region_id == region_id)
        .order_by(col(LibraryFileRow.file_no).desc())
        .limit(limit)
    )
    return tuple(
        LibraryFile(
            file_no=row.file_no or 0,
            name=row.name,
            made_at=row.made_at,
            made_by=row.made_by,
            num_operations=row.num_operations,
            state=FileState(row.state),
        )
        for row in session.exec(asked)
    )


def file_content(session: Session, region_id: str, file_no: int) -> tuple[str, bytes]:
    """Name and content of a file.

    Raises
    ------
    NotFoundError
        ``library.unknown_file``.
    """
    row = _file_row(session, region_id, file_no)
    return row.name, row.content


def set_file_state(session: Session, region_id: str, file_no: int, state: FileState) -> FileState:
    """Note what became of a file; gives what was noted before.

    Raises
    ------
    NotFoundError
        ``library.unknown_file``.
    """
    row = _file_row(session, region_id, file_no)
    before = FileState(row.state)
    row.state = state.value
    session.flush()
    return before


def _file_row(session: Session, region_id: str, file_no: int) -> LibraryFileRow:
    row = session.get(LibraryFileRow, file_no)
    if row is None or row.region_id != region_id:
        raise NotFoundError("library.unknown_file", number=file_no)
    return row


def _row(session: Session, region_id: str) -> LibrarySystemRow:
    row = session.get(LibrarySystemRow, region_id)
    if row is None:
        row = LibrarySystemRow(region_id=region_id)
        session.add(row)
        session.flush()
    return row


def _link(row: LibrarySystemRow) -> LibraryLink:
    return LibraryLink(
        kind=SystemKind(row.kind),
        is_on=row.is_on,
        revision=row.revision,
        settings=row.facts,
        secrets=row.secrets,
        told_from=row.told_from,
        taken_revision=row.taken_revision,
        reached_at=row.reached_at,
        tried_at=row.tried_at,
        trouble=row.trouble,
    )

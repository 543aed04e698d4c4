"""A region's circulation: its base, and how it stands.

Whoever changes it takes the region's turn first (``hold_circulation``), so that events and
revisions are numbered in the order in which they can be seen.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import bindparam, insert, update
from sqlmodel import Session, col, delete, select

from data.db.tables.circulation import CirculationEndedRow, CirculationRow, CirculationThingRow
from data.db.tables.regions import RegionRow
from data.db.turns import take_turn
from data.model.errors import NotFoundError
from data.model.journal_kept import CirculationHead
from data.model.lending import RulesChange
from data.model.loans import Hold, Loan
from data.model.patrons import Patron
from data.model.stock import Item, ItemMove, Title

type BaseThing = Title | Item | Patron | Loan | Hold

_KINDS: dict[type, tuple[str, str]] = {
    Title: ("title", "title_id"),
    Item: ("item", "item_id"),
    Patron: ("patron", "patron_id"),
    Loan: ("loan", "loan_id"),
    Hold: ("hold", "hold_id"),
}
_ADAPTERS: dict[str, TypeAdapter[Any]] = {
    name: TypeAdapter(kind) for kind, (name, _) in _KINDS.items()
}
_LOAN: TypeAdapter[Loan] = TypeAdapter(Loan)
_MOVE: TypeAdapter[ItemMove] = TypeAdapter(ItemMove)
_CHANGE: TypeAdapter[RulesChange] = TypeAdapter(RulesChange)
_AT_ONCE = 500


def circulation_head(session: Session, region_id: str) -> CirculationHead:
    """How a region's circulation stands; one that has none yet stands at nought."""
    row = session.get(CirculationRow, region_id)
    return CirculationHead() if row is None else _head(row)


def hold_circulation(session: Session, region_id: str) -> CirculationHead:
    """Take the region's turn to change its circulation; kept to the end of the transaction.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    take_turn(session, f"circulation:{region_id}")
    return _head(_row(session, region_id))


def advance(
    session: Session, region_id: str, *, own_events: int = 0, is_new_base: bool = False
) -> CirculationHead:
    """Note a change; the turn must be held."""
    row = _row(session, region_id)
    row.revision += 1
    row.own_sequence += own_events
    row.base_revision += is_new_base
    session.flush()
    return _head(row)


def add_rules(session: Session, region_id: str, change: RulesChange) -> CirculationHead:
    """Let other rules of lending take effect; the turn must be held."""
    row = _row(session, region_id)
    changes = [*row.rules.get("changes", ()), _CHANGE.dump_python(change, mode="json")]
    row.rules = {"changes": changes}
    return advance(session, region_id, is_new_base=True)


def rules_changes(head: CirculationHead) -> tuple[RulesChange, ...]:
    """The rules that took effect in a region, by time; before the first it lent by the defaults."""
    return tuple(_CHANGE.validate_python(told) for told in head.rules.get("changes", ()))


def load_base(session: Session, region_id: str) -> tuple[BaseThing, ...]:
    """Everything as it was before the journal."""
    asked = select(CirculationThingRow.kind, CirculationThingRow.facts).where(
        CirculationThingRow.region_id == region_id
    )
    return tuple(_ADAPTERS[kind].validate_python(facts) for kind, facts in session.exec(asked))


def load_touched(session: Session, region_id: str) -> dict[tuple[str, str], datetime]:
    """When a settled event last had to do with an item, reader or title, by kind and id."""
    asked = select(
        CirculationThingRow.kind, CirculationThingRow.key, CirculationThingRow.touched_at
    ).where(
        CirculationThingRow.region_id == region_id,
        col(CirculationThingRow.touched_at).is_not(None),
    )
    return {(kind, key): at for kind, key, at in session.exec(asked) if at is not None}


def settle(
    session: Session,
    region_id: str,
    *,
    things: Iterable[BaseThing],
    ended: Iterable[Loan],
    moves: Iterable[ItemMove] = (),
    visits: Mapping[str, Mapping[str, Any]],
    gone: Mapping[type, Sequence[str]],
    touched: Mapping[tuple[str, str], datetime],
    until: datetime,
) -> CirculationHead:
    """Let the base be what a settled part of the journal came to; the turn must be held."""
    put_things(session, region_id, things)
    for kind, keys in gone.items():
        drop_things(session, region_id, kind, keys)
    put_ended(session, region_id, ended, visits, moves)
    told = update(CirculationThingRow).where(
        col(CirculationThingRow.region_id) == region_id,
        col(CirculationThingRow.kind) == bindparam("told_kind"),
        col(CirculationThingRow.key) == bindparam("told_key"),
    )
    rows = [{"told_kind": k, "told_key": i, "told_at": at} for (k, i), at in touched.items()]
    if rows:
        session.connection().execute(told.values(touched_at=bindparam("told_at")), rows)
        session.expire_all()
    _row(session, region_id).settled_until = until
    return advance(session, region_id, is_new_base=True)


def put_ended(
    session: Session,
    region_id: str,
    loans: Iterable[Loan],
    visits: Mapping[str, Mapping[str, Any]],
    moves: Iterable[ItemMove] = (),
) -> None:
    """Keep loans that have ended, moves, and logs of visits as documents, to be looked up."""
    rows = [_ended_row(region_id, "loan", x.loan_id, _LOAN.dump_python(x, mode="json"),
                       item_id=x.item_id, patron_id=x.patron_id, stop_id=x.stop_id or "",
                       ended_at=x.returned_at)
            for x in loans]  # fmt: skip
    rows += [_ended_row(region_id, "move", _move_key(x), _MOVE.dump_python(x, mode="json"),
                        item_id=x.item_id, ended_at=x.moved_at)
             for x in moves]  # fmt: skip
    rows += [_ended_row(region_id, "visit", key, facts) for key, facts in visits.items()]
    by_kind: dict[str, list[str]] = {"loan": [], "move": [], "visit": []}
    for row in rows:
        by_kind[str(row["kind"])].append(str(row["key"]))
    for kind, keys in by_kind.items():
        for at in range(0, len(keys), _AT_ONCE):
            session.exec(
                delete(CirculationEndedRow).where(
                    col(CirculationEndedRow.region_id) == region_id,
                    col(CirculationEndedRow.kind) == kind,
                    col(CirculationEndedRow.key).in_(keys[at : at + _AT_ONCE]),
                )
            )
    if rows:
        session.connection().execute(insert(CirculationEndedRow), rows)


def _ended_row(
    region_id: str,
    kind: str,
    key: str,
    facts: Mapping[str, Any],
    *,
    item_id: str = "",
    patron_id: str = "",
    stop_id: str = "",
    ended_at: datetime | None = None,
) -> dict[str, Any]:
    return {
        "region_id": region_id,
        "kind": kind,
        "key": key,
        "item_id": item_id,
        "patron_id": patron_id,
        "stop_id": stop_id,
        "ended_at": ended_at,
        "facts": dict(facts),
    }


def _move_key(move: ItemMove) -> str:
    """One event moves many items; both ids together are longer than a key."""
    return sha256(f"{move.event_id}/{move.item_id}".encode()).hexdigest()[:40]


def ended_moves(session: Session, region_id: str, item_id: str) -> tuple[ItemMove, ...]:
    """Settled moves of an item, by time."""
    asked = (
        select(CirculationEndedRow.facts)
        .where(
            CirculationEndedRow.region_id == region_id,
            CirculationEndedRow.kind == "move",
            CirculationEndedRow.item_id == item_id,
        )
        .order_by(col(CirculationEndedRow.ended_at), CirculationEndedRow.key)
    )
    return tuple(_MOVE.validate_python(facts) for facts in session.exec(asked))


def ended_loans(
    session: Session,
    region_id: str,
    *,
    loan_ids: Sequence[str] = (),
    item_id: str = "",
    patron_id: str = "",
) -> tuple[Loan, ...]:
    """Loans that have ended and are settled, by ids, or of an item, or of a reader."""
    asked = select(CirculationEndedRow.facts).where(
        CirculationEndedRow.region_id == region_id, CirculationEndedRow.kind == "loan"
    )
    if item_id:
        asked = asked.where(CirculationEndedRow.item_id == item_id)
    elif patron_id:
        asked = asked.where(CirculationEndedRow.patron_id == patron_id)
    else:
        asked = asked.where(col(CirculationEndedRow.key).in_(loan_ids))
    return tuple(_LOAN.validate_python(facts) for facts in session.exec(asked))


def ended_at_stops(
    session: Session, region_id: str, stop_ids: Sequence[str], since: datetime
) -> tuple[tuple[str, str, datetime], ...]:
    """Items, readers and ends of settled loans that were lent at some stops, ended since then."""
    asked = select(
        CirculationEndedRow.item_id, CirculationEndedRow.patron_id, CirculationEndedRow.ended_at
    ).where(
        CirculationEndedRow.region_id == region_id,
        col(CirculationEndedRow.stop_id).in_(stop_ids),
        col(CirculationEndedRow.ended_at) >= since,
        CirculationEndedRow.kind == "loan",
    )
    return tuple((item, patron, at) for item, patron, at in session.exec(asked) if at is not None)


def put_things(session: Session, region_id: str, things: Iterable[BaseThing]) -> int:
    """Add things to the base, or take the place of those with their ids; gives how many."""
    wanted: dict[tuple[str, str], Mapping[str, Any]] = {}
    for thing in things:
        kind, field = _KINDS[type(thing)]
        told = _ADAPTERS[kind].dump_python(thing, mode="json")
        wanted[kind, getattr(thing, field)] = told
    for kind in {kind for kind, _ in wanted}:
        keys = [key for other, key in wanted if other == kind]
        known = _rows(session, region_id, kind, keys)
        for key, row in known.items():
            row.facts = dict(wanted[kind, key])
        fresh = [
            {"region_id": region_id, "kind": kind, "key": key, "facts": dict(wanted[kind, key])}
            for key in keys
            if key not in known
        ]
        if fresh:
            session.connection().execute(insert(CirculationThingRow), fresh)
    session.flush()
    return len(wanted)


def drop_things(session: Session, region_id: str, kind: type, keys: Sequence[str]) -> None:
    """Take things out of the base for good."""
    for at in range(0, len(keys), _AT_ONCE):
        session.exec(
            delete(CirculationThingRow).where(
                col(CirculationThingRow.region_id) == region_id,
                col(CirculationThingRow.kind) == _KINDS[kind][0],
                col(CirculationThingRow.key).in_(keys[at : at + _AT_ONCE]),
            )
        )


def _rows(
    session: Session, region_id: str, kind: str, keys: Sequence[str]
) -> dict[str, CirculationThingRow]:
    found: dict[str, CirculationThingRow] = {}
    for at in range(0, len(keys), _AT_ONCE):
        asked = select(CirculationThingRow).where(
            CirculationThingRow.region_id == region_id,
            CirculationThingRow.kind == kind,
            col(CirculationThingRow.key).in_(keys[at : at + _AT_ONCE]),
        )
        found |= {row.key: row for row in session.exec(asked)}
    return found


def _row(session: Session, region_id: str) -> CirculationRow:
    row = session.get(CirculationRow, region_id)
    if row is None:
        if session.get(RegionRow, region_id) is None:
            raise NotFoundError("region.unknown", region_id=region_id)
        row = CirculationRow(region_id=region_id)
        session.add(row)
        session.flush()
    return row


def _head(row: CirculationRow) -> CirculationHead:
    return CirculationHead(
        revision=row.revision,
        base_revision=row.base_revision,
        own_sequence=row.own_sequence,
        rules=row.rules,
        settled_until=row.settled_until,
    )

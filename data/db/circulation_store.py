"""A region's circulation: its base, and how it stands.

Whoever changes it takes the region's turn first (``hold_circulation``), so that events and
revisions are numbered in the order in which they can be seen.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter
from sqlmodel import Session, col, delete, select

from data.db.tables.circulation import CirculationRow, CirculationThingRow
from data.db.tables.regions import RegionRow
from data.db.turns import take_turn
from data.model.errors import NotFoundError
from data.model.journal_kept import CirculationHead
from data.model.lending import RulesChange
from data.model.loans import Hold, Loan
from data.model.patrons import Patron
from data.model.stock import Item, Title

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
        for key in keys:
            facts = dict(wanted[kind, key])
            if key in known:
                known[key].facts = facts
            else:
                session.add(
                    CirculationThingRow(region_id=region_id, kind=kind, key=key, facts=facts)
                )
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
    )

"""Lines of legs along the roads, kept by what they depend on."""

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import batched

from sqlmodel import Session, col, delete, func, select

from data.db.tables.tracking import LegLineRow
from data.model.lines import Line, pack_line, unpack_line

_AT_ONCE = 500
"""Keys in one question; SQLite takes no more than some thousands."""


def lines_of(session: Session, region_id: str, keys: Collection[str]) -> dict[str, Line]:
    """The lines that are known; one without points says that no road leads there."""
    found: dict[str, Line] = {}
    for part in batched(dict.fromkeys(keys), _AT_ONCE):
        asked = select(LegLineRow.leg_key, LegLineRow.points).where(
            LegLineRow.region_id == region_id, col(LegLineRow.leg_key).in_(part)
        )
        found |= {key: unpack_line(points) for key, points in session.exec(asked)}
    return found


def known_keys(session: Session, region_id: str) -> set[str]:
    """The keys of all lines of a region."""
    asked = select(LegLineRow.leg_key).where(LegLineRow.region_id == region_id)
    return set(session.exec(asked))


def num_lines(session: Session, region_id: str) -> int:
    """How many lines a region has."""
    asked = select(func.count()).select_from(LegLineRow).where(LegLineRow.region_id == region_id)
    return session.exec(asked).one()


def put_lines(session: Session, region_id: str, lines: Mapping[str, Line], *, at: datetime) -> None:
    """Keep lines; those that another process has kept meanwhile stay as they are."""
    known = lines_of(session, region_id, lines)
    for key, line in lines.items():
        if key not in known:
            row = LegLineRow(region_id=region_id, leg_key=key, points=pack_line(line), made_at=at)
            session.add(row)
    session.flush()


def drop_lines(session: Session, region_id: str, keys: Collection[str]) -> None:
    """Forget lines that no run uses any more."""
    for part in batched(dict.fromkeys(keys), _AT_ONCE):
        session.exec(
            delete(LegLineRow).where(
                col(LegLineRow.region_id) == region_id, col(LegLineRow.leg_key).in_(part)
            )
        )

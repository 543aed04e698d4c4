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


def known_lines(session: Session, region_id: str) -> dict[str, tuple[str, datetime]]:
    """By key, in which roads each line of a region was found, and when."""
    asked = select(LegLineRow.leg_key, LegLineRow.roads_mark, LegLineRow.made_at).where(
        LegLineRow.region_id == region_id
    )
    return {key: (mark, made_at) for key, mark, made_at in session.exec(asked)}


def state_of(session: Session, region_id: str) -> str:
    """Another text whenever lines of a region came or changed."""
    asked = select(func.count(), func.max(LegLineRow.made_at)).where(
        LegLineRow.region_id == region_id
    )
    number, newest = session.exec(asked).one()
    return f"{number} {newest}"


def has_lines(session: Session, region_id: str) -> bool:
    """Whether any way of a region is kept."""
    asked = select(LegLineRow.leg_key).where(LegLineRow.region_id == region_id).limit(1)
    return session.exec(asked).first() is not None


def put_lines(
    session: Session, region_id: str, lines: Mapping[str, Line], *, roads_mark: str, at: datetime
) -> None:
    """Keep lines in place of what was kept by the same keys."""
    for key, line in lines.items():
        row = LegLineRow(
            region_id=region_id,
            leg_key=key,
            roads_mark=roads_mark,
            points=pack_line(line),
            made_at=at,
        )
        session.merge(row)
    session.flush()


def drop_lines(session: Session, region_id: str, keys: Collection[str]) -> None:
    """Forget lines that no run uses any more."""
    for part in batched(dict.fromkeys(keys), _AT_ONCE):
        session.exec(
            delete(LegLineRow).where(
                col(LegLineRow.region_id) == region_id, col(LegLineRow.leg_key).in_(part)
            )
        )

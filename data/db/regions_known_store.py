"""Which regions there are, for whatever only needs their ids and names."""

from collections.abc import Iterable, Mapping

from sqlmodel import Session, col, select

from data.db.tables.regions import RegionRow


def region_names(session: Session) -> dict[str, Mapping[str, str]]:
    """Names, by language, of every region that is not closed, by its id."""
    query = select(RegionRow).where(col(RegionRow.closed_at).is_(None))
    rows = session.exec(query.order_by(col(RegionRow.region_id)))
    return {row.region_id: row.names for row in rows}


def unknown_regions(session: Session, region_ids: Iterable[str]) -> list[str]:
    """Those of some ids that are no region's."""
    wanted = set(region_ids)
    found = session.exec(
        select(RegionRow.region_id).where(col(RegionRow.region_id).in_(wanted))
    ).all()
    return sorted(wanted - set(found))

"""Which regions there are, for whatever only needs their ids and names."""

from collections.abc import Iterable, Mapping

from sqlmodel import Session, col, select

from data.db.tables.regions import RegionRow, VehicleRow


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


def vehicle_names(session: Session, region_ids: Iterable[str]) -> dict[str, dict[str, str]]:
    """Names of the vehicles of today by id, of each region that has any."""
    rows = session.exec(
        select(VehicleRow)
        .where(col(VehicleRow.region_id).in_(list(region_ids)))
        .where(col(VehicleRow.valid_to_date).is_(None))
        .order_by(col(VehicleRow.order), col(VehicleRow.key))
    )
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row.region_id, {})[row.key] = row.name or row.key
    return found

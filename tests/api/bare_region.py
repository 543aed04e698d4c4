"""Regions in the database for tests that need no more than their id and name."""

from datetime import UTC, datetime

from sqlalchemy import Engine

from data.db.engine import writing
from data.db.tables.regions import RegionRow, VehicleRow

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def region_row(region_id: str, at: datetime = NOW) -> RegionRow:
    """A region with nothing in it."""
    names = {"en": region_id.capitalize(), "ru": {"rutland": "Ратленд"}.get(region_id, region_id)}
    return RegionRow(
        region_id=region_id, names=names, time_zone="Europe/London", language="en",
        crs="EPSG:27700", created_at=at, changed_at=at,
    )  # fmt: skip


def add_region(engine: Engine, region_id: str, *vehicles: str) -> None:
    """Store a region with vehicles."""
    with writing(engine) as session:
        session.add(region_row(region_id))
        session.flush()
        for key in vehicles:
            session.add(VehicleRow(region_id=region_id, key=key, name=key.upper(), depot_id="d"))

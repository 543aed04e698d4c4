"""Kilometres of a run are the same for the diary and for the money."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from api.services.diary import ways_of
from api.services.report_costs import run_costs
from data.db import day_sheet_store, live_store, region_store
from data.db.engine import open_engine, reading, writing
from data.model.day_sheet import DaySheet
from data.model.fleet import VehicleId
from data.model.live import DayEnds
from data.model.service_costs import CostPrices
from tests.api.publication.office import REGION, region
from tests.data.diary import record
from tests.databases import build

KIBO = VehicleId("kibo-1")
FIRST, LAST = date(2026, 3, 2), date(2026, 3, 4)
AT = datetime(2026, 4, 1, tzinfo=UTC)


def test_a_tracker_that_only_stood_tells_no_kilometres(tmp_path: Path) -> None:
    """120 km by track, 90 by odometer; a track without a way is no run of nothing: the mean."""
    engine = open_engine(f"sqlite:///{tmp_path / 'kept.db'}")
    build(engine)
    days = [date(2026, 3, n) for n in (2, 3, 4)]
    ends = [
        DayEnds(region_id=REGION, vehicle_id=KIBO, service_date=on, driven_m=driven_m, num_fixes=30)
        for on, driven_m in zip(days, (120_000, 0, 95_000), strict=True)
    ]
    sheet = DaySheet(
        region_id=REGION, vehicle_id=KIBO, service_date=days[2], odometer_out_km=1000,
        odometer_in_km=1090,
    )  # fmt: skip
    records = [record(f"k{on.day}", on, KIBO, "kalinovka") for on in days]
    with writing(engine) as session:
        region_store.add_region(session, region(), at=AT)
        live_store.put_ends(session, ends)
        day_sheet_store.put_sheet(session, sheet, at=AT, by=None, expect_revision=None)
    with reading(engine) as session:
        costs = run_costs(session, region(), CostPrices(currency="RUB"), records)
        ways = ways_of(session, REGION, FIRST, LAST)
    engine.dispose()
    told = {c.use.service_date: (c.use.km, c.use.is_km_measured) for c in costs}
    assert told == {
        days[0]: (120, True), days[1]: (pytest.approx(105), False), days[2]: (90, True)
    }  # fmt: skip
    assert {w.on: w.km for w in ways} == {on: km for on, (km, known) in told.items() if known}

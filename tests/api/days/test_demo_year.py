"""The demo's simulated past: plainly labelled, the same for the same seed, of the known sums."""

from datetime import date, timedelta
from itertools import pairwise

from api.services.demo_year import CYCLE_DAYS, record_years
from data.db import day_sheet_store, visit_record_store
from data.db.engine import reading
from data.model.stop_counts import PLAIN, add_counts, count_faults
from tests.api.days.yard import TUESDAY, Yard
from tests.api.publication.office import REGION


def test_two_years_of_the_published_cycle(yard: Yard) -> None:
    """23 visits and 29 documents a run, growth, seasons; every record says that it is simulated."""
    made = record_years(yard.engine, REGION, at=yard.now, seed=1)
    assert made is not None
    assert (made.first, made.last) == (date(2025, 1, 1), TUESDAY - timedelta(days=1))
    with reading(yard.engine) as session:
        records = visit_record_store.load_records(
            session, REGION, from_date=made.first, until_date=made.last
        )
        sheets = day_sheet_store.list_sheets(
            session, REGION, from_date=made.first, until_date=made.last
        )
    assert len(records) == made.num_records > 300
    assert all(r.is_simulated for r in records)
    assert len({r.key for r in records}) == len(records)
    assert [r.key for r in records if count_faults(r.counts)] == []
    held = [r for r in records if r.is_held and r.service_date.year == 2026]
    runs = {(r.vehicle_id, r.service_date) for r in held}
    assert 19 < sum(r.num_visits for r in held) / len(runs) < 27
    assert 24 < sum(r.num_loans for r in held) / len(runs) < 34
    year_ago = date(2025, 11, 30)
    before = [r for r in records if r.is_held and r.service_date <= year_ago]
    assert sum(r.num_visits for r in held) > sum(r.num_visits for r in before)
    sums = add_counts(r.counts for r in records)
    not_made = {"loans_installed", "loans_licensed", "loans_own_digital"}  # from networks
    not_made |= {"loans_other_stock", "loans_special_format", "returns_other_point"}
    assert {name for name in PLAIN if name not in sums} == not_made
    days = {r.service_date for r in records}
    assert all((a - TUESDAY).days % CYCLE_DAYS in (0, 14) for a in days)
    assert date(2026, 1, 6) not in days, "a holiday"
    driven = {(r.service_date, r.vehicle_id) for r in records if r.is_held}
    assert len(sheets) == made.num_sheets == len(driven)
    for vehicle_id in {s.vehicle_id for s in sheets}:
        own = [s for s in sheets if s.vehicle_id == vehicle_id]
        assert all(a.odometer_in_km == b.odometer_out_km for a, b in pairwise(own))
    again = record_years(yard.engine, REGION, at=yard.now, seed=1)
    assert again == made
    with reading(yard.engine) as session:
        assert records == visit_record_store.load_records(
            session, REGION, from_date=made.first, until_date=made.last
        )

"""Visits and loans by open hour, where some stop visits' hours are not known."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from api.services.number_behind import number_behind
from api.services.report_told import Teller
from api.services.reports import build_report
from api.words import Words
from data.db import region_store
from data.db import visit_record_store as records_store
from data.db.engine import open_engine, reading, writing
from data.feeds.form_file import shipped_forms
from data.model.report import ReportAsked, ReportKind
from tests.api.publication.office import REGION, region
from tests.data.diary import record
from tests.databases import build


def test_what_is_divided_by_hours_happened_in_them(tmp_path: Path) -> None:
    """Twice two hours with ten visits; forty more of a stop visit of which nobody knows when."""
    engine = open_engine(f"sqlite:///{tmp_path / 'kept.db'}")
    build(engine)
    days = [date(2026, 3, n) for n in (2, 9, 16)]
    counts = {"visits_service.adult": 10, "loans_home": 6}
    records = [record(f"k{on.day}", on, "kibo-1", "kalinovka", counts=counts) for on in days[:2]]
    records.append(
        record(
            "late", days[2], "kibo-1", "kalinovka", is_planned=False, opened_at=None,
            closed_at=None, counts={"visits_service.adult": 40, "loans_home": 1},
        )
    )  # fmt: skip
    with writing(engine) as session:
        region_store.add_region(session, region(), at=datetime(2026, 4, 1, tzinfo=UTC))
        records_store.put_records(session, records)
    asked = ReportAsked(
        kind=ReportKind.REVIEW, region_id=REGION, from_date=date(2026, 3, 1),
        until_date=date(2026, 3, 31),
    )  # fmt: skip
    with reading(engine) as session:
        report = build_report(session, region(), asked, shipped_forms())
        cells = {
            cell.drill.measure: cell
            for table in report.tables
            for row in table.rows
            for cell in row
            if cell.drill is not None and cell.drill.stop_id == "kalinovka"
        }
        by_hour = cells["per(open_visits,open_hours)"]
        found = number_behind(session, region(), by_hour.drill, shipped_forms())  # type: ignore[arg-type]
    engine.dispose()
    assert by_hour.value == pytest.approx(20 / 4)
    assert cells["per(open_loans,open_hours)"].value == pytest.approx(12 / 4)
    assert cells["visits"].value == 60
    assert found.value == pytest.approx(20 / 4)
    visits, hours = found.parts
    assert [len(part.lines) for part in (visits, hours)] == [2, 2]
    assert visits.value == 20
    assert hours.value == pytest.approx(4)
    told = Teller(words=Words("ru")).lead(visits)
    assert told == "Стоянки, часы работы которых известны: 2. Остальные на часы не делятся."

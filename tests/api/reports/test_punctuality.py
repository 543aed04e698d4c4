"""Plan against actual: promises kept and punctuality equal a count by hand."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from api.services.report_told import Teller
from api.services.reports import build_report
from api.words import Words
from data.db import region_store
from data.db import visit_record_store as records_store
from data.db.engine import open_engine, reading, writing
from data.feeds.form_file import shipped_forms
from data.model.report import Report, ReportAsked, ReportKind
from data.model.visit_record import RecordState, VisitRecord
from tests.api.publication.office import REGION, region
from tests.data.diary import record
from tests.databases import build

MONTH = date(2026, 3, 1), date(2026, 3, 31)
LATE_MIN = (0, 10, 11, -10, -11, 60)
"""Of the held stop visits: ten minutes are still in time, to either side."""
NOT = {"opened_at": None, "closed_at": None}


def stop_visits() -> Iterator[VisitRecord]:
    """Ten promised ones, six of them with times; one that nobody promised."""
    for n, late in enumerate(LATE_MIN):
        opened = datetime(2026, 3, 2 + n, 8, tzinfo=UTC) + timedelta(minutes=late)
        # Two hours were promised; who came late stayed as long as promised but for the last.
        stays = timedelta(hours=2) if late < 60 else timedelta(hours=1)
        yield record(
            f"k{n}", date(2026, 3, 2 + n), "kibo-1", "kalinovka" if n < 3 else "kamenskoe",
            opened_at=opened, closed_at=opened + stays,
        )  # fmt: skip
    yield record("k6", date(2026, 3, 9), "kibo-2", "kamenskoe", **NOT)
    yield record("s", date(2026, 3, 10), "kibo-2", "kamenskoe", state=RecordState.SKIPPED, **NOT)
    yield record("c", date(2026, 3, 11), "kibo-2", "kamenskoe", state=RecordState.CANCELLED, **NOT)
    yield record("u", date(2026, 3, 12), "kibo-2", "kamenskoe", state=RecordState.UNKNOWN, **NOT)
    yield record("x", date(2026, 3, 13), "kibo-2", "kamenskoe", is_planned=False)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    """The report of the month."""
    folder: Path = tmp_path_factory.mktemp("punctuality")
    engine: Engine = open_engine(f"sqlite:///{folder / 'kept.db'}")
    build(engine)
    with writing(engine) as session:
        region_store.add_region(session, region(), at=datetime(2026, 4, 1, tzinfo=UTC))
        records_store.put_records(session, stop_visits())
    asked = ReportAsked(
        kind=ReportKind.PUNCTUALITY, region_id=REGION, from_date=MONTH[0], until_date=MONTH[1]
    )
    with reading(engine) as session:
        yield build_report(session, region(), asked, shipped_forms())
    engine.dispose()


def told(report: Report, table: int, row: int) -> dict[str, object]:
    """A row's values by column."""
    found = report.tables[table]
    return {c.code: cell.value for c, cell in zip(found.columns, found.rows[row], strict=True)}


def test_promises_and_punctuality_equal_a_count_by_hand(report: Report) -> None:
    """7 of 10 kept; of 6 with a known opening 3 in time, 2 late, 1 early; 60 minutes in all."""
    total = told(report, 0, -1)
    assert (total["promised"], total["kept"], total["not_held"], total["unknown"]) == (10, 7, 2, 1)
    assert total["kept_share"] == pytest.approx(0.7)
    assert (total["timed"], total["late"], total["early"]) == (6, 2, 1)
    assert total["punctual_share"] == pytest.approx(0.5)
    assert total["late_mean"] == pytest.approx(60 / 6)
    # Squares of 0, 10, 11, -10, -11, 60 from their mean 10: 100 + 0 + 1 + 400 + 441 + 2500.
    assert total["late_sd"] == pytest.approx((3442 / 5) ** 0.5)
    # Five stays as promised and one an hour short.
    assert total["stay_change"] == pytest.approx(-60 / 6)
    assert total["stay_sd"] == pytest.approx((5 * 100 + 2500) ** 0.5 / 5**0.5)


def test_the_parts_add_up_and_the_worst_stop_comes_first(report: Report) -> None:
    """Bookmobiles and stops each add up to the whole; what is unknown is no punctuality."""
    vehicles = [told(report, 0, n) for n in range(len(report.tables[0].rows) - 1)]
    stops = [told(report, 2, n) for n in range(len(report.tables[2].rows))]
    for some in (vehicles, stops):
        assert sum(int(str(r["promised"])) for r in some) == 10
        assert sum(int(str(r["kept"])) for r in some) == 7
    second = next(r for r in vehicles if r["timed"] == 0)
    assert (second["punctual_share"], second["late_mean"], second["late_sd"]) == (None, None, None)
    # Kalinovka opened in time at 2 of 3, Kamenskoe at 1 of 7 that were promised.
    assert [r["promised"] for r in stops] == [7, 3]
    assert [p.figures["punctual"] for p in report.places] == [1, 2]


@pytest.mark.parametrize("language", ["ru", "en"])
def test_it_is_told_in_words(report: Report, language: str) -> None:
    """Every heading, title and note has words of its own, and the tolerance stands in them."""
    teller = Teller(words=Words(language))
    texts = [teller.report_title(report), *(teller.said(note) for note in report.notes)]
    for table in report.tables:
        texts += [teller.title(table), *(teller.head(column) for column in table.columns)]
    assert not [text for text in texts if "reports." in text]
    assert "10" in texts[1]

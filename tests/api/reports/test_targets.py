"""Promises held against a base year: nobody is told "reached" where something is not known."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete

from api.services.number_behind import number_behind
from api.services.report_told import Teller
from api.services.reports import build_report
from api.words import Words
from data.db import region_store, report_store
from data.db import visit_record_store as records_store
from data.db.engine import open_engine, reading, writing
from data.db.tables.visit_records import VisitRecordRow
from data.feeds.form_file import shipped_forms
from data.model.place import SettlementId
from data.model.region import Region
from data.model.report import Cell, Report, ReportAsked, ReportKind, Said
from data.model.report_settings import ReportSettings, Targets
from data.model.visit_record import VisitRecord
from tests.api.publication.office import REGION, region
from tests.data.diary import record
from tests.databases import build

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
TODAY = date(2026, 11, 27)
YEAR = date(2026, 1, 1), TODAY
FORMS = shipped_forms()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The small district, its diary still empty."""
    folder: Path = tmp_path_factory.mktemp("targets")
    found = open_engine(f"sqlite:///{folder / 'targets.db'}")
    build(found)
    with writing(found) as session:
        region_store.add_region(session, region(), at=NOW)
    yield found
    found.dispose()


@pytest.fixture(autouse=True)
def _empty(engine: Engine) -> Iterator[None]:
    yield
    with writing(engine) as session:
        session.exec(delete(VisitRecordRow))


def weekly(first: date, last: date, **counts: int) -> Iterator[VisitRecord]:
    """A stop visit a week at Kalinovka."""
    on = first
    while on <= last:
        yield record(
            f"w{on}", on, "kibo-1", "kalinovka", settlement_id="kalinovka",
            counts=counts or {"visits_service": 20},
        )  # fmt: skip
        on += timedelta(days=7)


def told(
    engine: Engine,
    records: Iterator[VisitRecord],
    targets: Targets,
    place: Region | None = None,
    vehicle_id: str | None = None,
) -> Report:
    """The report of the year so far; each number is there again behind its link."""
    with writing(engine) as session:
        records_store.put_records(session, tuple(records))
        held = report_store.get_settings(session, REGION)
        report_store.put_settings(
            session, REGION, ReportSettings(targets=targets), expect_revision=held.revision,
            by=None, at=NOW,
        )  # fmt: skip
    asked = ReportAsked(
        kind=ReportKind.TARGETS, region_id=REGION, from_date=YEAR[0], until_date=YEAR[1],
        vehicle_id=vehicle_id,
    )  # fmt: skip
    district = place or region()
    with reading(engine) as session:
        report = build_report(session, district, asked, FORMS)
        for row in report.tables[0].rows:
            for cell in row:
                if cell.drill is not None and isinstance(cell.value, int | float):
                    behind = number_behind(session, district, cell.drill, FORMS)
                    assert behind.value == pytest.approx(cell.value), cell.drill
    return report


def values(row: tuple[Cell, ...]) -> list[object]:
    """A row's values but for its name; of a text its code."""
    return [c.value.code if isinstance(c.value, Said) else c.value for c in row[1:]]


def note(report: Report, code: str) -> str | None:
    """The Russian words of a note; ``None`` where there is none."""
    found = next((n for n in report.notes if n.code == code), None)
    return None if found is None else Teller(words=Words("ru")).said(found)


def this_year() -> Iterator[VisitRecord]:
    return weekly(date(2026, 1, 5), TODAY)


def test_a_base_year_that_the_diary_knows_in_part_gives_way_to_the_number_given(
    engine: Engine,
) -> None:
    """Written down since October 2025, 1,200 visits typed in: these are the base, by their part."""

    def both() -> Iterator[VisitRecord]:
        yield from weekly(date(2025, 10, 1), date(2025, 12, 31))
        yield from this_year()

    report = told(engine, both(), Targets(base_visits=1200))
    row = report.tables[0].rows[0]
    base, now = 1200 * 331 / 365, 20 * 47
    assert values(row)[:2] == [round(base), now]
    assert row[1].is_estimate
    assert row[3].value == pytest.approx(now / round(base) - 1)
    assert values(row)[-1] == "reports.reached.no"
    assert "1 окт. 2025" in (note(report, "reports.note.base_from_given") or "")


def test_a_base_year_known_in_part_alone_tells_no_growth(engine: Engine) -> None:
    """Nothing typed in: growth is unknown, and since when the diary goes is told."""

    def both() -> Iterator[VisitRecord]:
        yield from weekly(date(2025, 10, 1), date(2025, 12, 31))
        yield from this_year()

    report = told(engine, both(), Targets())
    assert values(report.tables[0].rows[0]) == [None, 940, None, 0.1, "reports.reached.unknown"]
    assert "1 окт. 2025" in (note(report, "reports.note.base_from") or "")


def test_a_diary_that_begins_with_the_year_knows_it(engine: Engine) -> None:
    """Runs that begin after the holidays leave nothing out."""

    def both() -> Iterator[VisitRecord]:
        yield from weekly(date(2025, 1, 13), TODAY, visits_service=20)

    report = told(engine, both(), Targets(base_visits=1200))
    row = report.tables[0].rows[0]
    assert (row[1].value, row[1].is_estimate) == (20 * 46, False)
    assert not any(n.code.startswith("reports.note.base") for n in report.notes)


def test_a_base_of_records_without_counts_gives_way_to_the_number_given(engine: Engine) -> None:
    """Stop visits of which nobody counted anything are no base."""

    def both() -> Iterator[VisitRecord]:
        yield from weekly(date(2024, 12, 2), date(2025, 12, 31), loans_home=1)
        yield from this_year()

    report = told(engine, both(), Targets(base_visits=365))
    assert values(report.tables[0].rows[0])[0] == 331


def test_a_number_for_the_region_is_no_base_of_one_bookmobile(engine: Engine) -> None:
    """What was typed in is of all of them: one alone has no growth against it."""
    report = told(engine, this_year(), Targets(base_visits=1200), vehicle_id="kibo-1")
    row = report.tables[0].rows[0]
    assert values(row) == [None, 940, None, 0.1, "reports.reached.unknown"]
    assert note(report, "reports.note.no_base_of_one") is not None


def test_a_span_that_ends_ahead_is_told_as_far_as_today(engine: Engine) -> None:
    """Asked for the whole year in November: the base is of eleven months, a new stop in grace."""

    def both() -> Iterator[VisitRecord]:
        yield from weekly(date(2024, 12, 2), date(2025, 12, 31))
        yield from this_year()
        for n in range(8):
            yield record(
                f"n{n}", date(2026, 8, 4) + timedelta(days=14 * n), "kibo-1", "kamenskoe",
                settlement_id="kamenskoe", counts={"visits_service": 1},
            )  # fmt: skip

    told(engine, both(), Targets())
    asked = ReportAsked(kind=ReportKind.TARGETS, region_id=REGION, from_date=YEAR[0],
                        until_date=TODAY)  # fmt: skip
    whole = replace(asked, until_date=date(2027, 5, 31))
    whole = replace(whole, from_date=date(2026, 6, 1))
    with reading(engine) as session:
        for kind in ReportKind:
            until = build_report(
                session, region(), replace(asked, kind=kind, from_date=whole.from_date), FORMS
            )
            found = build_report(session, region(), replace(whole, kind=kind), FORMS, today=TODAY)
            assert (found.asked, found.tables) == (until.asked, until.tables)
            first = Teller(words=Words("ru")).said(found.notes[0])
            assert "27 нояб. 2026" in first
        ahead = replace(whole, from_date=date(2027, 1, 1))
        assert build_report(session, region(), ahead, FORMS, today=TODAY).asked.until_date == (
            date(2027, 1, 1)
        )


def unknown_people() -> Region:
    """Kalinovka has 100 people, nobody knows how many Kamenskoe has."""
    people = {"kalinovka": 100, "kamenskoe": None}
    return replace(
        region(),
        settlements=tuple(
            replace(s, population=people.get(str(s.settlement_id), s.population))
            for s in region().settlements
        ),
    )


def two_villages() -> Iterator[VisitRecord]:
    for n, (stop, users) in enumerate((("kalinovka", 10), ("kamenskoe", 40))):
        yield record(
            f"v{n}", date(2026, 3, 2 + n), "kibo-1", stop, settlement_id=SettlementId(stop),
            counts={"visits_service": users, "users_new": users},
        )  # fmt: skip


def test_people_that_nobody_counted_are_not_taken_for_none(engine: Engine) -> None:
    """50 users among 100 people and a village of unknown size: no share, nothing reached."""
    goals = Targets(library_users=300)
    report = told(engine, two_villages(), goals, unknown_people())
    rows = report.tables[0].rows
    assert values(rows[1]) == [None, 50, None, 0.35, "reports.reached.unknown"]
    assert values(rows[2])[0] is None
    assert values(rows[2])[-1] == "reports.reached.unknown"
    assert "1" in (note(report, "reports.note.people_unknown") or "")
    whole = told(engine, two_villages(), goals)
    assert values(whole.tables[0].rows[1]) == [
        501 + 547, 50, pytest.approx(50 / 1048), 0.35, "reports.reached.no",
    ]  # fmt: skip
    assert note(whole, "reports.note.people_unknown") is None


def test_users_of_stops_in_no_known_place_are_told(engine: Engine) -> None:
    """Whoever was served nobody knows where is not among the residents of the villages served."""

    def fair() -> Iterator[VisitRecord]:
        yield from two_villages()
        yield record("f", date(2026, 3, 9), "kibo-1", None, name="Ярмарка",
                     counts={"visits_service": 400, "users_new": 400})  # fmt: skip

    report = told(engine, fair(), Targets())
    assert report.tables[0].rows[1][3].is_estimate
    assert values(report.tables[0].rows[1]) == [
        1048,
        450,
        pytest.approx(450 / 1048),
        0.35,
        "reports.reached.unknown",
    ]
    assert "400" in (note(report, "reports.note.users_nowhere") or "")
    sure = told(engine, iter(()), Targets(coverage=0.5))
    assert values(sure.tables[0].rows[1])[-1] == "reports.reached.no"

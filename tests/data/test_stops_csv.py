"""The stops schema comes in and goes out without losing a character."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.feeds.report import Verdict
from data.feeds.stops import import_stops
from data.feeds.stops_csv import (
    COLUMNS,
    MobileStopRow,
    read_stops_csv,
    visit_dates,
    write_stops_csv,
)
from data.feeds.stops_schema import mobile_stop_rows, scheduled_stops
from data.model.errors import InputError
from data.model.place import StopKind
from data.model.recurrence import Recurrence

UK = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "uk-mobile-libraries"


def _head(path: Path) -> str:
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        return lines.readline().strip()


FILES = sorted(p for p in UK.rglob("*.csv") if set(_head(p).split(",")) == set(COLUMNS))
"""Every published table of the schema; others of that folder have other columns."""
ROW = MobileStopRow(
    organisation="Shire",
    mobile="Van",
    route="A",
    community="Ashton",
    stop="Hall, the old one",
    geox="-1.934588",
    geoy="51.64466400",
    day="Friday",
    type="Public",
    arrival="9:30",
    departure="10:15",
    frequency="FREQ=WEEKLY;INTERVAL=2",
    start="2026-12-04",
)


@pytest.mark.skipif(not UK.exists(), reason="shared data not at hand")
def test_every_published_table_of_the_schema_is_tried() -> None:
    """Twenty-six councils and the sample of the schema; tables of 2017 have other columns."""
    assert len(FILES) == 27
    left = {p for p in UK.rglob("*.csv") if p not in FILES}
    assert {p.parent.name for p in left} == {"older-2017", UK.name}


@pytest.mark.skipif(not UK.exists(), reason="shared data not at hand")
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_published_timetables_round_trip(path: Path, tmp_path: Path) -> None:
    """Every value of a published timetable is kept; the second pass is byte-identical."""
    rows, report = read_stops_csv(path)
    assert report.num_loaded == len(rows) > 0
    assert not report.unused_columns
    first, second = tmp_path / "1.csv", tmp_path / "2.csv"
    write_stops_csv(rows, first)
    again, _ = read_stops_csv(first)
    write_stops_csv(again, second)
    assert again == rows
    assert second.read_bytes() == first.read_bytes()
    assert first.read_bytes().rstrip(b"\n") == path.read_bytes().rstrip(b"\n")
    scheduled, bad = scheduled_stops(rows)
    assert len(scheduled) >= len(rows) - 1
    assert all(row.departure <= row.arrival for row in bad)
    assert all(item.cycle_frequency.visits >= 1 for item in scheduled)


@given(
    st.lists(
        st.builds(
            MobileStopRow,
            **{
                column: st.text(st.characters(codec="utf-8", exclude_characters="\r\0"))
                for column in COLUMNS
            },
        ).filter(lambda row: any(getattr(row, c).strip() for c in COLUMNS))
    )
)
def test_any_text_survives(
    tmp_path_factory: pytest.TempPathFactory, rows: list[MobileStopRow]
) -> None:
    """Commas, quotation marks, line breaks and blanks come back as they were."""
    path = tmp_path_factory.mktemp("stops") / "s.csv"
    write_stops_csv(rows, path)
    again, _ = read_stops_csv(path)
    assert list(again) == rows


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("postcode", "238420", "feeds.stops.postcode"),
        ("type", "Secret", "feeds.cell.not_one_of"),
        ("day", "Freitag", "feeds.cell.not_one_of"),
        ("arrival", "half past", "feeds.cell.not_a_time"),
        ("departure", "08:00", "feeds.stops.departure_before_arrival"),
        ("frequency", "every week", "feeds.stops.not_a_rule"),
        ("start", "4 December", "feeds.cell.not_a_date"),
        ("start", "2026-12-02", "feeds.stops.start_on_other_day"),
        ("end", "2020-01-01", "feeds.stops.end_before_start"),
        ("exceptions", "2026-12-25,soon", "feeds.cell.not_a_date"),
        ("geox", "far", "feeds.cell.not_a_number"),
        ("geoy", "95", "feeds.cell.out_of_range"),
        ("organisation", "", "feeds.cell.missing"),
    ],
)
def test_wrong_values_are_told_and_kept(tmp_path: Path, column: str, value: str, code: str) -> None:
    """A value that breaks the schema is reported with its row; it is not dropped."""
    path = tmp_path / "s.csv"
    write_stops_csv([ROW, replace(ROW, **{column: value})], path)
    rows, report = read_stops_csv(path)
    assert getattr(rows[1], column) == value
    assert [(p.code, p.row, p.column) for p in report.problems] == [(code, 3, column)]
    assert report.problems[0].verdict is Verdict.FLAGGED


def test_other_tables_are_refused(tmp_path: Path) -> None:
    """A table without the schema's required columns is no timetable."""
    path = tmp_path / "s.csv"
    path.write_text("stop,day\nA,Monday\n")
    with pytest.raises(InputError) as caught:
        read_stops_csv(path)
    assert caught.value.code == "feeds.columns.missing"


def test_visit_dates() -> None:
    """Dates follow the rule, stop at the end and leave the exceptions out."""
    first, last = date(2026, 12, 1), date(2027, 1, 31)
    fridays = visit_dates(replace(ROW, exceptions="2027-01-01, 2027-01-15"), first, last)
    assert fridays == (date(2026, 12, 4), date(2026, 12, 18), date(2027, 1, 29))
    ended = visit_dates(replace(ROW, end="2026-12-18"), first, last)
    assert ended == (date(2026, 12, 4), date(2026, 12, 18))
    monthly = replace(ROW, frequency="FREQ=MONTHLY;BYDAY=2FR")
    assert visit_dates(monthly, first, last) == (date(2026, 12, 11), date(2027, 1, 8))
    shifted = replace(ROW, start="2026-12-01")  # a Tuesday; the day says Friday
    assert visit_dates(shifted, first, date(2026, 12, 20)) == (
        date(2026, 12, 4),
        date(2026, 12, 18),
    )
    with pytest.raises(InputError) as caught:
        visit_dates(replace(ROW, frequency="often"), first, last)
    assert caught.value.code == "feeds.stops.rule_of_stop"
    with pytest.raises(InputError) as caught:
        visit_dates(replace(ROW, start=""), first, last)
    assert caught.value.code == "feeds.stops.date_of_stop"


def test_rows_to_stops_and_back() -> None:
    """A row becomes a stop with times in seconds; private stops are not written out."""
    private = replace(ROW, stop="Mrs Smith", type="Private")
    stops, bad = scheduled_stops([ROW, private, replace(ROW, geox="")])
    assert len(bad) == 1
    assert (stops[0].arrival_s, stops[0].departure_s) == (34_200, 36_900)
    assert stops[0].stop.service_s == 2_700
    assert stops[1].stop.kind is StopKind.PRIVATE
    (row,) = mobile_stop_rows(stops)
    assert row == replace(ROW, geox="-1.93459", geoy="51.64466", arrival="09:30")
    assert len(mobile_stop_rows(stops, with_private=True)) == 2


def test_schedule_becomes_stops(tmp_path: Path) -> None:
    """A timetable imports as stops, one a row with its rule; rows without a place are refused."""
    path = tmp_path / "s.csv"
    rows = [
        ROW,
        replace(ROW, arrival="14:00", departure="15:00"),
        replace(ROW, stop="Green", frequency="FREQ=MONTHLY;BYDAY=2FR"),
        replace(ROW, stop="Nowhere", geox="", geoy=""),
        replace(ROW, stop="Back", departure="08:00"),
    ]
    write_stops_csv(rows, path)
    stops, report = import_stops(path, cycle_weeks=4)
    assert [(s.name, s.visits_per_cycle, s.service_s, len(s.windows)) for s in stops] == [
        ("Hall, the old one", 2, 2700, 1),
        ("Hall, the old one", 2, 3600, 1),
        ("Green", 1, 2700, 1),
    ]
    assert stops[1].stop_id == f"{stops[0].stop_id}-2"
    assert [s.min_gap_days for s in stops] == [14, 14, 28]
    first, _, green = (s.recurrence for s in stops)
    assert first == Recurrence(rule="FREQ=WEEKLY;INTERVAL=2", start_date=date(2026, 12, 4))
    assert green is not None
    assert green.rule == "FREQ=MONTHLY;BYDAY=2FR"
    assert [(p.code, p.row) for p in report.rejected] == [
        ("feeds.stops.departure_before_arrival", 6),
        ("feeds.row.no_position", 5),
    ]
    assert (report.num_rows, report.num_loaded) == (5, 3)


@pytest.mark.parametrize(("cycle_weeks", "gap"), [(2, 14), (3, 1), (4, 14), (6, 14)])
def test_every_second_week_is_never_two_in_a_row(
    tmp_path: Path, cycle_weeks: int, gap: int
) -> None:
    """A stop of one row keeps its interval wherever the cycle can hold it."""
    path = tmp_path / "s.csv"
    write_stops_csv([ROW], path)
    ((stop,), _) = import_stops(path, cycle_weeks=cycle_weeks)
    assert stop.min_gap_days == gap

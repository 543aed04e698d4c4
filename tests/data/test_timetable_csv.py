"""A plan's timetable in the exchange schema."""

from datetime import date, datetime, time
from pathlib import Path

from dateutil.rrule import rrulestr

from data.feeds.stops_csv import DAYS, read_stops_csv
from data.feeds.timetable_csv import write_timetable
from data.model.timetable import visit_dates
from tests import plan_example as example

UNTIL = date(2026, 8, 30)


def write(path: Path) -> int:
    return write_timetable(
        example.request(),
        example.plan(),
        path,
        organisation="Rutland, libraries",
        timetable_url="https://example.org/timetable",
        until=UNTIL,
    )


def test_the_file_obeys_the_schema(tmp_path: Path) -> None:
    """Our own strict reader finds nothing wrong with any row."""
    num_rows = write(tmp_path / "t.csv")
    rows, report = read_stops_csv(tmp_path / "t.csv")
    assert report.problems == ()
    assert len(rows) == num_rows == 4
    assert {r.type for r in rows} == {"Public", "Dynamic"}


def test_private_stops_are_never_exported(tmp_path: Path) -> None:
    """The school's stop does not stand in the file in any form."""
    write(tmp_path / "t.csv")
    assert "School" not in (tmp_path / "t.csv").read_text("utf-8")


def test_rows_give_the_dates_of_the_plan(tmp_path: Path) -> None:
    """Start, frequency, end and exceptions together are the plan's own dates."""
    write(tmp_path / "t.csv")
    rows, _ = read_stops_csv(tmp_path / "t.csv")
    request, plan = example.request(), example.plan()
    for stop in (example.COTTESMORE, example.EXTON, example.WING):
        found = set()
        for row in (r for r in rows if r.stop == stop.name):
            start, end = date.fromisoformat(row.start), date.fromisoformat(row.end)
            assert DAYS[start.weekday()] == row.day
            rule = rrulestr(row.frequency, dtstart=datetime.combine(start, time()))
            dates = {d.date() for d in rule.between(*span(start, end), inc=True)}
            found |= dates - {date.fromisoformat(d) for d in row.exceptions.split(",") if d}
        assert tuple(sorted(found)) == visit_dates(request, plan, stop.stop_id, UNTIL)


def span(start: date, end: date) -> tuple[datetime, datetime]:
    return datetime.combine(start, time()), datetime.combine(end, time())


def test_a_fortnightly_stop_is_one_row(tmp_path: Path) -> None:
    """Even visits at one clock time are one row of that rhythm, named by the cycle's weeks."""
    write(tmp_path / "t.csv")
    rows, _ = read_stops_csv(tmp_path / "t.csv")
    [exton] = [r for r in rows if r.stop == example.EXTON.name]
    assert exton.frequency == "FREQ=WEEKLY;INTERVAL=2"
    assert exton.route == "Monday 1+3/4"
    assert (exton.arrival, exton.departure) == ("12:00", "13:00")
    assert (exton.start, exton.end, exton.exceptions) == ("2026-03-02", "2026-08-30", "")
    wing = [r for r in rows if r.stop == example.WING.name]
    assert [(r.mobile, r.route, r.arrival, r.exceptions) for r in wing] == [
        ("South", "Wednesday 3/4", "15:00", ""),
        ("Северный", "Wednesday 1/4", "10:00", "2026-04-01"),
    ]

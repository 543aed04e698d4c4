"""Table, map and notices made from promised visits: right, readable by others, harmless."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from data.feeds.notices_atom import AtomEntry, notices_atom
from data.feeds.spreadsheet_text import harmless
from data.feeds.stops_csv import read_stops_csv, visit_dates
from data.feeds.visits_csv import visits_csv
from data.feeds.visits_geojson import visits_geojson
from data.model.addresses import key_of, part_of
from data.model.publication import VisitState
from tests.data.test_publication import FIRST
from tests.data.test_visits_ical import STOPS, biweekly, timetable_of, with_state

ATOM = "{http://www.w3.org/2005/Atom}"


def test_the_table_obeys_the_schema_and_gives_the_same_dates(tmp_path: Path) -> None:
    """Read back by our own reader of the schema: no fault, the dates that take place."""
    visits = with_state(biweekly(), 2, state=VisitState.CANCELLED, reason="road")
    timetable = timetable_of(visits)
    text = visits_csv(
        timetable, timetable.visits, organisation="Rutland", timetable_url="https://x.example/t",
        from_date=FIRST,
    )  # fmt: skip
    (tmp_path / "t.csv").write_bytes(text)
    (row,), report = read_stops_csv(tmp_path / "t.csv")
    assert report.problems == ()
    assert (row.day, row.arrival, row.departure) == ("Monday", "10:00", "11:00")
    assert row.frequency == "FREQ=WEEKLY;INTERVAL=2"
    taking_place = [v.opens_date for v in visits if v.is_coming]
    assert list(visit_dates(row, date(2026, 1, 1), date(2027, 1, 1))) == taking_place


def test_what_is_over_is_not_in_the_table() -> None:
    """A line without a visit to come has no row."""
    timetable = timetable_of(biweekly(3))
    text = visits_csv(
        timetable, timetable.visits, organisation="", timetable_url="",
        from_date=FIRST + timedelta(29),
    )  # fmt: skip
    assert len(list(csv.reader(io.StringIO(text.decode())))) == 1


def test_a_formula_in_a_name_is_text() -> None:
    """A spreadsheet shows it and computes nothing; coordinates stay numbers."""
    stops = (replace(STOPS[0], name='=HYPERLINK("http://evil")', community="@SUM(A1)"), STOPS[1])
    timetable = timetable_of(biweekly(), stops=stops)
    text = visits_csv(
        timetable, timetable.visits, organisation="-2+3", timetable_url="", from_date=FIRST
    )
    (row,) = csv.DictReader(io.StringIO(text.decode()))
    assert row["stop"] == '\'=HYPERLINK("http://evil")'
    assert row["community"] == "'@SUM(A1)"
    assert row["organisation"] == "'-2+3"
    assert row["geox"] == "-0.63470"
    assert harmless("-12.5") == "-12.5"


def test_the_map_has_stops_with_their_visits() -> None:
    """GeoJSON: lon first, instants with their offset, cancelled ones marked."""
    visits = with_state(biweekly(), 3, state=VisitState.CANCELLED, reason="road")
    timetable = timetable_of(visits)
    text = visits_geojson(timetable, from_date=FIRST, stop_address=lambda s: f"https://x/{s}")
    document = json.loads(text)
    exton, wing = document["features"]
    assert exton["geometry"]["coordinates"] == [-0.6347, 52.6887]
    told = exton["properties"]["visits"]
    assert told[0]["opens_at"] == "2026-03-02T10:00:00+00:00"
    assert told[2]["opens_at"] == "2026-03-30T10:00:00+01:00"
    assert [v["state"] for v in told].count("cancelled") == 1
    assert wing["properties"]["visits"] == []


@given(text=st.text(max_size=60))
def test_any_text_is_well_formed_in_the_notices(text: str) -> None:
    """Control characters, markup, lone surrogates: the feed is XML and says the rest."""
    at = datetime(2026, 3, 2, tzinfo=UTC)
    entry = AtomEntry(entry_id="urn:x", title=text, text=text, address="https://x", updated_at=at)
    feed = notices_atom(
        [entry], feed_id="tag:x", title=text, author=text, address="https://x", page="https://y",
        language="ru", updated_at=at,
    )  # fmt: skip
    root = ElementTree.fromstring(feed)
    found = root.find(f"{ATOM}entry/{ATOM}content")
    assert found is not None
    assert found.attrib["type"] == "text"
    assert root.findtext(f"{ATOM}updated") == "2026-03-02T00:00:00Z"
    if text.isprintable() and text.isascii():
        assert (found.text or "") == text


@given(key=st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=40))
def test_an_id_survives_its_address(key: str) -> None:
    """Any id becomes letters, digits, hyphens and tildes, and comes back as it was."""
    part = part_of(key)
    assert not set(part) & set("./\\:?#% &\"'<>")
    if key.isprintable():
        assert key_of(part) == key


def test_addresses_that_nobody_gave_lead_nowhere() -> None:
    """Climbing paths, half codes, other spellings of the same id, control characters."""
    for part in ("..", "a/b", "a.b", "~", "~2", "~zz", "~41", "~ff", "~00", "~0a", "", "é"):
        assert key_of(part) is None

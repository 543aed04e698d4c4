"""The public site as files: complete, replaced as a whole, refused where it would do harm."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import gtfs_guru
import pytest
from icalendar import Calendar

from api.services.public import Published, read_published
from api.services.public_views import PublicViews
from api.static_site import MARK, write_site
from api.web.public_links import FileLinks
from api.words import Words
from data.db.engine import reading
from data.model.cancellation import Notice
from data.model.errors import InputError
from data.model.place import StopId
from tests.api.publication.office import NOW, REGION, Office
from tests.api.runner import Terminal
from tests.api.test_export_cli import read_tables


def published_of(office: Office) -> Published:
    with reading(office.engine) as session:
        return read_published(session, REGION)


@pytest.fixture
def told(office: Office) -> Office:
    office.publish()
    return office


def test_every_page_and_feed_in_both_languages(told: Office, tmp_path: Path) -> None:
    """Each stop has a page, a calendar and a list to embed; feeds speak their folder's language."""
    number = write_site(published_of(told), tmp_path / "site", at=NOW, base_url="https://x.example")
    files = {p.relative_to(tmp_path / "site").as_posix() for p in (tmp_path / "site").rglob("*")}
    for language in ("en", "ru"):
        for name in (
            "index.html", "timetable.html", "notices.html", "data.html", "timetable.ics",
            "timetable.csv", "stops.geojson", "notices.atom", "stops/kalinovka.html",
            "stops/kalinovka.ics", "embed/kalinovka.html", "embed.html", "vehicles/kibo-1.html",
            "vehicles/kibo-1.ics", "timetable.pdf", "large-print.pdf", "posters-a4.pdf",
            "posters-a3.pdf", "stops/kalinovka/poster-a4.pdf", "stops/kalinovka/poster-a3.pdf",
            "stops/kalinovka/large-print.pdf", "vehicles/kibo-1/large-print.pdf",
        ):  # fmt: skip
            assert f"{language}/{name}" in files
    assert number == sum((tmp_path / "site" / f).is_file() for f in files)
    page = (tmp_path / "site/ru/stops/kalinovka.html").read_text(encoding="utf-8")
    assert 'href="../stops/kalinovka/poster-a4.pdf"' in page
    english = Calendar.from_ical((tmp_path / "site/en/stops/kalinovka.ics").read_bytes())
    assert str(english["NAME"]) == "Bookmobile: Калиновка"
    assert str(english["SOURCE"]) == "https://x.example/en/stops/kalinovka.ics"


def test_a_second_writing_replaces_the_first(told: Office, tmp_path: Path) -> None:
    """Nothing old is left, nothing lies beside it."""
    folder = tmp_path / "web" / "site"
    write_site(published_of(told), folder, at=NOW)
    (folder / "ru" / "old.html").write_text("old", encoding="utf-8")
    write_site(published_of(told), folder, at=NOW)
    assert not (folder / "ru" / "old.html").exists()
    assert [p.name for p in folder.parent.iterdir()] == ["site"]


def test_a_folder_of_other_things_is_not_touched(told: Office, tmp_path: Path) -> None:
    """Somebody's documents stay; an empty folder is taken."""
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        write_site(published_of(told), tmp_path / "letters", at=NOW)
    assert refused.value.code == "site.not_empty"
    assert [p.name for p in (tmp_path / "letters").iterdir()] == ["letter.txt"]
    (tmp_path / "empty").mkdir()
    write_site(published_of(told), tmp_path / "empty", at=NOW)
    assert (tmp_path / "empty" / MARK).is_file()


def test_what_cannot_be_written_is_refused(told: Office, tmp_path: Path) -> None:
    """An address that is none; ids that a Windows disk takes for one; nothing is left half."""
    with pytest.raises(InputError) as refused:
        write_site(published_of(told), tmp_path / "site", at=NOW, base_url="library")
    assert refused.value.code == "site.base_url"
    published = published_of(told)
    stops = published.timetable.stops
    twin = replace(stops[0], stop_id=StopId(stops[0].stop_id.upper()))
    timetable = replace(published.timetable, stops=(*stops, twin))
    with pytest.raises(InputError) as same:
        write_site(replace(published, timetable=timetable), tmp_path / "site", at=NOW)
    assert same.value.code == "site.same_file"
    assert list(tmp_path.glob("*site*")) == []


def test_a_climbing_id_stays_in_the_folder(told: Office, tmp_path: Path) -> None:
    """A stop called ../../evil gets a page like any other."""
    published = published_of(told)
    stops = published.timetable.stops
    evil = replace(stops[0], stop_id=StopId("../../evil"), name="../../evil")
    timetable = replace(published.timetable, stops=(*stops, evil))
    write_site(replace(published, timetable=timetable), tmp_path / "in" / "site", at=NOW)
    assert [p.name for p in (tmp_path / "in").iterdir()] == ["site"]
    assert (tmp_path / "in/site/ru/stops/~2e~2e~2f~2e~2e~2fevil.html").is_file()


def test_the_command_writes_the_site(
    told: Office, bookmobile: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One region needs no name; an unknown one is refused; nothing published is said."""
    monkeypatch.setenv("BOOKMOBILE_DATABASE", str(told.engine.url))
    offset_s = round((NOW - datetime.now(UTC)).total_seconds())
    monkeypatch.setenv("BOOKMOBILE_CLOCK_OFFSET_S", str(offset_s))
    done = bookmobile("site", tmp_path / "out", "--base-url", "https://bus.example.org")
    assert done.code == 0
    assert "files written" in done.said
    assert (tmp_path / "out" / "ru" / "index.html").is_file()
    for language in ("ru", "en"):
        feed = tmp_path / "out" / language / "gtfs.zip"
        told_of = gtfs_guru.validate(str(feed), date="2026-11-30")
        assert [f"{e.code}: {e.message}" for e in told_of.errors()] == []
        tables = read_tables(feed)
        assert "shapes" not in tables, "no road is known, and a straight line is none"
        address = f"https://bus.example.org/{language}/stops/kalinovka.html"
        assert address in {r["stop_url"] for r in tables["stops"]}
    assert bookmobile("site", tmp_path / "other", "--region", "nowhere").code == 2


def test_without_a_timetable_there_is_no_site(office: Office, tmp_path: Path) -> None:
    """It would tell readers nothing."""
    with pytest.raises(InputError) as refused:
        write_site(published_of(office), tmp_path / "site", at=NOW)
    assert refused.value.code == "site.nothing"


def test_a_notice_is_of_the_day_in_the_region(told: Office) -> None:
    """What is told half an hour after midnight there is not dated the day before."""
    timetable = published_of(told).timetable
    views = PublicViews(timetable, (NOW.date(), 0), Words("en"), FileLinks(language="en"))
    notice = Notice(
        notice_id="n" * 32,
        region_id=REGION,
        stop_id=timetable.stops[0].stop_id,
        code="notice.cancelled",
        facts={"date": "2026-12-08", "start_s": 36_000, "reason": "weather", "count": 1},
        shown_from_date=date(2026, 12, 2),
        shown_until_date=date(2026, 12, 8),
        created_at=datetime(2026, 12, 1, 22, 30, tzinfo=UTC),
    )
    assert views.notice(notice).iso_day == "2026-12-02"

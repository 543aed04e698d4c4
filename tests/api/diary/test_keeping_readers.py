"""Who was served stands under a pseudonym, so that different readers can be counted."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from api.services.circulation_persons import forget_patron
from api.services.report_readers import SpanReaders
from data.db import visit_reader_store, visit_record_store
from data.db.engine import reading
from data.model.accounts import PROGRAM
from data.model.readers_served import ReaderCount, pseudonym
from data.model.service_time import instant_of
from tests.api.circulation.library import STOPS
from tests.api.diary.book import Book, book
from tests.api.tracking.depot import NORTH, REGION
from tests.fleet.days import DAY

FIRST, SECOND, THIRD = (str(s) for s in STOPS[:3])


def at(one: Book, stop: str) -> datetime:
    """Twenty minutes before the doors close, so that all is said while they are open."""
    return instant_of(DAY, one.visits[stop].end_s, ZoneInfo("Europe/Kaliningrad")) - timedelta(
        minutes=20
    )


def hold(one: Book, stop: str, *lent: tuple[str, str]) -> None:
    """Tap opening and closing of a stop with some loans between."""
    when = at(one, stop)
    one.write("open", when, stop)
    one.write("count", when, stop, counts={"visits_service.adult": 5})
    for item, patron in lent:
        loan = one.tablet.lend(item, patron, when)
        loan |= {"visit_id": one.visits[stop].visit_id, "stop_id": stop}
    one.write("close", when + timedelta(minutes=20), stop)


def served(one: Book) -> ReaderCount:
    with reading(one.library.engine) as session:
        records = visit_record_store.load_records(
            session, REGION, from_date=DAY, until_date=DAY, vehicle_id=NORTH
        )
        read = SpanReaders(session=session, region_id=REGION, vehicle_id=str(NORTH))
        return read.count((DAY, DAY), records)


def test_a_reader_of_two_stops_is_one_person(tmp_path: Path) -> None:
    """Three loans to one reader at two stops: one person, whose id stands nowhere as it is."""
    with book(tmp_path) as one:
        hold(one, FIRST, ("i1", "p1"), ("i2", "p1"))
        hold(one, SECOND, ("i3", "p1"))
        one.sync()
        one.keep()
        found = served(one)
        assert (found.num_readers, found.num_known, found.num_unknown) == (1, 2, 0)
        assert found.is_whole
        keys = [r.key for r in one.records.values()]
        with reading(one.library.engine) as session:
            told = visit_reader_store.readers_of(session, REGION, keys)
        readers = {s.reader for some in told.values() for s in some}
        assert len(readers) == 1
        assert readers.isdisjoint({"p1", pseudonym("p1", "")}), "the region's secret is in it"


def test_forgetting_a_reader_changes_nothing_that_was_counted(tmp_path: Path) -> None:
    """The item is back and the reader forgotten: the day still had one reader, of that age."""
    with book(tmp_path) as one:
        hold(one, FIRST, ("i1", "p1"))
        one.sync()
        one.keep()
        before = served(one)
        back = one.write("return", at(one, SECOND), SECOND, item_id="i1")
        back["visit_id"] = one.visits[SECOND].visit_id
        one.sync()
        forget_patron(one.library.service, REGION, "p1", by=PROGRAM)
        one.keep()
        after = served(one)
        assert (after.num_readers, after.by_band) == (before.num_readers, before.by_band)
        assert after.by_band, "the age is known"


def test_loans_that_were_typed_as_a_sum_make_readers_unknown(tmp_path: Path) -> None:
    """Two loans typed from paper at one stop: nobody knows whose, so persons are not countable."""
    with book(tmp_path) as one:
        hold(one, FIRST, ("i1", "p1"))
        one.write("open", at(one, THIRD), THIRD)
        one.write("count", at(one, THIRD), THIRD, counts={"users_new.adult": 1})
        one.sync()
        one.keep()
        found = served(one)
        assert (found.num_readers, found.num_known, found.num_unknown) == (1, 1, 1)
        assert not found.is_whole

"""A cancellation taken back: readers of pages and feeds learn what takes place after all."""

from datetime import date, datetime, timedelta
from xml.etree import ElementTree

import pytest
from google.transit import gtfs_realtime_pb2 as rt

from api.services.public import read_published
from api.services.public_now import NowViews, read_road
from api.services.public_pages import PublicPages
from api.services.public_realtime import Realtime
from api.web.public_links import ServedLinks
from api.words import Words
from data.db.engine import reading
from data.model.cancellation import CancelReason
from data.model.place import StopId
from tests.api.publication.office import NOW, REGION, VEHICLE_ID, Office

URL = "https://bus.example.org"
TUESDAY = date(2026, 12, 1)
ATOM = {"a": "http://www.w3.org/2005/Atom"}


@pytest.fixture
def told(office: Office) -> Office:
    """Eight weeks are published."""
    office.publish()
    return office


def pages(office: Office, language: str = "ru") -> PublicPages:
    with reading(office.engine) as session:
        known = read_published(session, REGION)
    return PublicPages(
        published=known,
        now=known.now(office.now),
        words=Words(language),
        links=ServedLinks(region_id=REGION, public_url=URL),
    )


def entries(office: Office, language: str = "ru") -> list[tuple[str, str, str]]:
    """Id, title and text of each entry of the feed."""
    root = ElementTree.fromstring(pages(office, language).atom())
    return [
        tuple(e.findtext(f"a:{name}", "", ATOM) for name in ("id", "title", "content"))  # type: ignore[misc]
        for e in root.findall("a:entry", ATOM)
    ]


def shown(office: Office, language: str = "ru") -> list[str]:
    return [n.text for n in pages(office, language).notices()["notices"]]


def test_a_restored_visit_is_an_entry_of_its_own(told: Office) -> None:
    """Programs that have read the cancellation get a new entry: they pass over a changed one."""
    visit = told.visit("kaluzhskoe", TUESDAY)
    done = told.cancel("visit", CancelReason.WEATHER, visit_id=visit.visit_id)
    ((first_id, title, _),) = entries(told)
    assert title == "Калужское: стоянка отменена"
    told.undo(done.exception_id)
    ((entry_id, title, text),) = entries(told)
    assert entry_id != first_id
    assert title == "Калужское: стоянка состоится"
    assert text == "Стоянка 1 декабря, 14:00 состоится."
    assert shown(told) == [text]
    assert entries(told, "en")[0][2] == "The visit on 1 December, 14:00 takes place after all."


def test_it_is_told_until_the_day_is_over(told: Office) -> None:
    """The page shows it up to the day of the visit and no longer."""
    visit = told.visit("kaluzhskoe", TUESDAY)
    told.undo(told.cancel("visit", visit_id=visit.visit_id).exception_id)
    told.now = NOW + timedelta(days=5)
    assert shown(told) == ["Стоянка 1 декабря, 14:00 состоится."]
    told.now = NOW + timedelta(days=6)
    assert shown(told) == []


def test_what_is_cancelled_again_is_not_told_to_take_place(told: Office) -> None:
    """The second cancellation alone stands; no page contradicts itself."""
    visit = told.visit("kaluzhskoe", TUESDAY)
    told.undo(told.cancel("visit", visit_id=visit.visit_id).exception_id)
    told.cancel("visit", CancelReason.ROAD, visit_id=visit.visit_id)
    assert [title for _, title, _ in entries(told)] == ["Калужское: стоянка отменена"]
    (text,) = shown(told)
    assert text.startswith("Стоянка 1 декабря, 14:00 отменена: дорога закрыта.")


def test_what_is_restored_twice_is_told_once(told: Office) -> None:
    """Whoever cancels and takes back again and again fills no page with it."""
    visit = told.visit("kaluzhskoe", TUESDAY)
    for minutes in range(3):
        told.now = NOW + timedelta(minutes=minutes)
        told.undo(told.cancel("visit", visit_id=visit.visit_id).exception_id)
    assert shown(told) == ["Стоянка 1 декабря, 14:00 состоится."]


def test_nobody_comes_instead_any_more(told: Office) -> None:
    """Whoever was told of a make-up visit learns that there is none."""
    visit = told.visit("kaluzhskoe", TUESDAY)
    done = told.cancel("visit", visit_id=visit.visit_id)
    offer = told.offers(visit.visit_id)[0]
    told.accept(offer)
    told.undo(done.exception_id)
    (text,) = shown(told)
    day = Words("ru").day(offer.service_date, "d MMMM")
    start = Words("ru").clock(offer.start_s)
    assert text == (
        f"Стоянка 1 декабря, 14:00 состоится. Взамен {day}, {start} библиобус не приедет."
    )


def test_of_a_span_only_what_is_still_to_come(told: Office) -> None:
    """Visits that have passed stay cancelled and are not told to take place."""
    done = told.cancel(
        "vehicle", vehicle_id=VEHICLE_ID, from_date=TUESDAY, until_date=date(2026, 12, 15)
    )
    told.now = datetime.fromisoformat("2026-12-02T12:00:00+00:00")
    told.undo(done.exception_id)
    facts = {n.stop_id: n.facts for n in pages(told).timetable.notices}
    assert facts[StopId("kalinovka")]["count"] == 2
    assert (facts[StopId("kalinovka")]["date"], facts[StopId("kalinovka")]["last_date"]) == (
        "2026-12-08",
        "2026-12-15",
    )
    assert "Состоятся 2 стоянки с 8 декабря по 15 декабря." in shown(told)


def test_journey_planners_are_told_too(told: Office) -> None:
    """The alert of the cancellation gives way to one that nothing is wrong."""
    visit = told.visit("kaluzhskoe", TUESDAY)
    told.undo(told.cancel("visit", visit_id=visit.visit_id).exception_id)
    known = pages(told)
    with reading(told.engine) as session:
        road = read_road(session, REGION, at=told.now, today=known.now[0])
    message = rt.FeedMessage()
    message.ParseFromString(Realtime(known, NowViews(known.views, road), told.now).alerts())
    (alert,) = [e.alert for e in message.entity]
    assert alert.effect == rt.Alert.NO_EFFECT
    assert [i.stop_id for i in alert.informed_entity] == ["kaluzhskoe"]

"""What residents read on paper: posters, large print, the whole timetable."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pypdf import PdfReader

from api.services.public import Published, read_published
from api.services.public_pages import PublicPages
from api.services.public_prints import SIZES, PublicPrints
from api.web.public_links import ServedLinks
from api.words import Words
from data.db.engine import reading
from data.model.cancellation import CancelReason
from data.model.errors import NotFoundError
from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.publication import VisitId
from tests.api.publication.office import NOW, REGION, Office

KALUZHSKOE = StopId("kaluzhskoe")
LONG = "Краснознаменское-на-Немане село Новобратионовское (у дома культуры имени А. С. Пушкина)"
MM_PT = 72 / 25.4


def published_of(office: Office, **changes: Any) -> Published:
    with reading(office.engine) as session:
        published = read_published(session, REGION)
    return replace(published, timetable=replace(published.timetable, **changes))


def prints_of(
    published: Published, language: str = "ru", *, url: str = "https://bus.example"
) -> PublicPrints:
    pages = PublicPages(
        published=published,
        now=published.now(NOW),
        words=Words(language),
        links=ServedLinks(region_id=REGION, public_url=url),
    )
    return PublicPrints(pages=pages)


def texts_of(document: bytes) -> list[str]:
    """The text of each page on one line."""
    pages = PdfReader(io.BytesIO(document)).pages
    return [" ".join(p.extract_text().replace("\u200b", "").split()) for p in pages]


@pytest.fixture
def told(office: Office) -> Office:
    office.publish()
    return office


def test_a_poster_says_what_a_reader_asks(told: Office) -> None:
    """Name, rhythm, dates with times, telephone, region, short address, until when it holds."""
    prints = prints_of(published_of(told, phone="8 (40141) 3-21-00"))
    (page,) = texts_of(prints.poster(KALUZHSKOE, "a4"))
    for part in (
        "Калужское", "Черняховский район", "По вторникам, раз в 2 недели, 14:00–15:00",
        "Вторник, 1 декабря 14:00–15:00", "Вторник, 12 января 2027 14:00–15:00",
        "Вопросы? Звоните: 8 (40141) 3-21-00", "bus.example/kaliningrad",
        "График действует по 24 января 2027.", "По состоянию на 26 ноября.",
    ):  # fmt: skip
        assert part in page
    assert "отменена" not in page
    english = texts_of(prints_of(prints.pages.published, "en").poster(KALUZHSKOE, "a4"))[0]
    assert "Tuesdays, every 2 weeks" in english
    assert "Tuesday, 1 December 14:00–15:00" in english


def test_posters_have_the_size_that_was_asked(told: Office) -> None:
    """A4 and A3 in millimetres, one page for each stop, every picture with words of its own."""
    prints = prints_of(published_of(told))
    for size, (width_mm, height_mm) in zip(SIZES, ((210, 297), (297, 420)), strict=True):
        document = PdfReader(io.BytesIO(prints.posters(size)))
        assert len(document.pages) == len(prints.pages.timetable.stops)
        box = document.pages[0].mediabox
        assert (round(box.width / MM_PT), round(box.height / MM_PT)) == (width_mm, height_mm)


def test_a_cancelled_visit_is_on_top_of_the_poster(told: Office) -> None:
    """What is cancelled, why, what comes instead; the dates below are those that hold."""
    visit = told.visit("kaluzhskoe", NOW.date() + timedelta(5))
    told.cancel("visit", CancelReason.ROAD, visit_id=visit.visit_id, note="Мост закрыт.")
    told.accept(told.offers(visit.visit_id)[0])
    (page,) = texts_of(prints_of(published_of(told)).poster(KALUZHSKOE, "a4"))
    head, _, dates = page.partition("Ближайшие даты")
    assert "Стоянка отменена" in head
    assert "Вторник, 1 декабря, 14:00–15:00. Дорога закрыта. Мост закрыт." in head
    assert "Вместо неё: среда, 2 декабря" in head
    assert "Вторник, 1 декабря" not in dates
    assert "Среда, 2 декабря вместо 1 декабря" in dates


def test_a_later_cancelled_visit_is_among_the_dates(told: Office) -> None:
    """The next visit holds, so that one is told first; the other says that it is off."""
    visit = told.visit("kaluzhskoe", NOW.date() + timedelta(19))
    told.cancel("visit", CancelReason.WEATHER, visit_id=visit.visit_id)
    (page,) = texts_of(prints_of(published_of(told)).poster(KALUZHSKOE, "a4"))
    assert "Стоянка отменена" not in page
    assert "Вторник, 15 декабря отменена, " in page


def test_all_visits_cancelled(told: Office) -> None:
    """Three stand in the box, further ones below; none is shown as one that comes."""
    for visit in told.visits(stop_id=KALUZHSKOE):
        told.cancel("visit", CancelReason.WEATHER, visit_id=visit.visit_id)
    (page,) = texts_of(prints_of(published_of(told)).poster(KALUZHSKOE, "a4"))
    assert "Стоянка отменена Вторник, 1 декабря" in page


def test_paper_without_an_address_has_no_code(told: Office) -> None:
    """A code that leads nowhere would waste a reader's time."""
    published = published_of(told)
    with_code = prints_of(published)
    without = replace(with_code, has_address=False)
    makes: tuple[Callable[[PublicPrints], bytes], ...] = (
        lambda p: p.poster(KALUZHSKOE, "a4"),
        lambda p: p.timetable(),
        lambda p: p.stop_large(KALUZHSKOE),
    )
    for make in makes:
        assert "bus.example" in texts_of(make(with_code))[0]
        assert "bus.example" not in texts_of(make(without))[0]


def test_large_print_is_large(told: Office) -> None:
    """No letter is below 18 points, and each stop has a page of its own."""
    prints = prints_of(published_of(told, phone="8 (40141) 3-21-00"))
    document = PdfReader(io.BytesIO(prints.region_large()))
    sizes: set[float] = set()

    def note(text: str, _: list[float], matrix: list[float], __: object, size: float) -> None:
        if text.strip():
            sizes.add(round(size * abs(matrix[3]), 2))

    for sheet in document.pages:
        sheet.extract_text(visitor_text=note)
    assert min(sizes) >= 18
    pages = texts_of(prints.region_large())
    stops = [s.name for s in prints.pages.timetable.stops]
    assert len(pages) == 1 + len(stops)
    for name, page in zip(stops, pages[1:], strict=True):
        assert page.startswith(name)
    assert "Страница 2 из 4" in pages[1]


def test_large_print_of_one_stop_and_of_a_vehicle(told: Office) -> None:
    """One page for a stop; of a vehicle its stops, in the order of its next days."""
    prints = prints_of(published_of(told))
    assert len(texts_of(prints.stop_large(KALUZHSKOE))) == 1
    pages = texts_of(prints.vehicle_large(VehicleId("kibo-1")))
    assert [p.split()[0] for p in pages[1:]] == ["Калиновка", "Калужское", "Каменское"]
    with pytest.raises(NotFoundError):
        prints.vehicle_large(VehicleId("nothing"))
    with pytest.raises(NotFoundError):
        prints.poster(StopId("nothing"), "a3")


def test_the_whole_timetable(told: Office) -> None:
    """Each stop with its rhythm and the dates of a quarter by month; what is off is told."""
    visit = told.visit("kaluzhskoe", NOW.date() + timedelta(5))
    told.cancel("visit", CancelReason.ROAD, visit_id=visit.visit_id)
    (page,) = texts_of(prints_of(published_of(told)).timetable())
    assert "Даты по 24 января 2027" in page
    assert "10:00–11:30: 1, 15, 29 декабря; 12 января 2027" in page
    assert "14:00–15:00: 15, 29 декабря; 12 января 2027" in page
    assert "Отменена: вторник, 1 декабря, 14:00–15:00 (дорога закрыта)." in page
    assert "Калужское: Стоянка 1 декабря, 14:00 отменена: дорога закрыта." in page


@pytest.mark.parametrize("name", [LONG, "щ" * 200, "<script>#panic()</script> $x$ \u202e日本"])
def test_long_and_hostile_names_keep_every_document_on_its_pages(told: Office, name: str) -> None:
    """A long name takes smaller letters and fewer dates, never a second page or the margin."""
    published = published_of(told)
    stops = tuple(replace(s, name=name, community=name) for s in published.timetable.stops)
    prints = prints_of(replace(published, timetable=replace(published.timetable, stops=stops)))
    assert len(texts_of(prints.posters("a4"))) == len(stops)
    assert len(texts_of(prints.stop_large(KALUZHSKOE))) == 1
    assert texts_of(prints.timetable())


def test_a_region_of_sixty_stops(told: Office) -> None:
    """Each stop has its own page, the list before them leads to it."""
    published = published_of(told)
    timetable = published.timetable
    known = timetable.stops
    stops = [replace(known[k % 3], stop_id=StopId(f"s{k}"), name=f"Место {k}") for k in range(60)]
    visits = [
        replace(visit, stop_id=stop.stop_id, visit_id=VisitId(f"{visit.visit_id}-{k}"))
        for k, stop in enumerate(stops)
        for visit in timetable.visits_of(known[k % 3].stop_id)
    ]
    visits.sort(key=lambda v: (v.opens_date, v.opens_s, v.visit_id))
    large = replace(timetable, stops=tuple(stops), visits=tuple(visits))
    pages = texts_of(prints_of(replace(published, timetable=large)).region_large())
    contents = len(pages) - len(stops)
    assert (
        pages[contents - 1]
        .replace(" .", "")
        .endswith(f"Место 59 {len(pages)} Страница {contents} из {len(pages)}")
    )
    assert all(f"Место {k}" in pages[contents + k] for k in range(60))
    assert len(texts_of(prints_of(replace(published, timetable=large)).posters("a4"))) == 60

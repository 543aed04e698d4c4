"""Run sheets: their number, the paper, and typing in, which twice is once."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pypdf import PdfReader

from api.services.run_sheet_print import sheet_pdf
from api.services.run_sheets import HeldBook, codes_of, number_of, run_sheet, sheet_named
from api.words import Words
from data.db import day_sheet_store, journal_store
from data.db.engine import reading
from data.model.errors import NotFoundError
from data.model.place import SiteCard
from data.model.publication import VisitState
from data.model.stop_counts import CountMethod
from data.model.visit_record import RecordState
from tests.api.circulation.library import OLGA_TOKEN, STOPS
from tests.api.diary.book import Book, book
from tests.api.tracking.depot import NORTH, REGION
from tests.fleet.days import DAY
from tests.pdf_ua import assert_pdf_ua

FIRST, SECOND, THIRD = (str(s) for s in STOPS[:3])
FLEET = [f"kibo-{n}" for n in range(30)]


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Book]:
    with book(tmp_path) as made:
        yield made


def ask(one: Book, method: str, path: str, **given: object) -> httpx.Response:
    headers = {"authorization": f"Bearer {OLGA_TOKEN}", "accept-language": "en"}
    client = one.library.depot.client
    return client.request(method, f"/desk/{REGION}/sheets{path}", headers=headers, **given)  # type: ignore[arg-type]


def type_in(one: Book, do: str = "save", **boxes: str) -> httpx.Response:
    """Send the form; boxes are named ``field__STOP``, counts by their last word."""
    names = {"visits": "visits_service.adult", "loans": "loans_home"}
    data = {"do": do}
    for key, value in boxes.items():
        name, _, stop = key.partition("__")
        visit = f":{one.visits[stop].visit_id}" if stop else ""
        data[f"{names.get(name, name)}{visit}"] = value
    return ask(one, "POST", f"/{DAY}/{NORTH}", data=data)


def num_events(one: Book) -> int:
    with reading(one.library.engine) as session:
        return len(journal_store.load_events(session, REGION))


def test_a_number_is_known_however_it_is_typed_and_a_slip_is_not() -> None:
    """With or without its dash; every single wrong digit is noticed; no two vehicles share one."""
    codes = codes_of(FLEET)
    assert len(set(codes.values())) == len(FLEET)
    number = number_of(DAY, codes["kibo-7"])
    for typed in (number, number.replace("-", ""), f" № {number} "):
        assert sheet_named(FLEET, typed) == ("kibo-7", DAY)
    for place, digit in enumerate(number):
        if digit.isdigit():
            wrong = number[:place] + str((int(digit) + 1) % 10) + number[place + 1 :]
            with pytest.raises(NotFoundError):
                sheet_named(FLEET, wrong)
    for nothing in ("", "261301-00000", "x" * 99):
        with pytest.raises(NotFoundError):
            sheet_named(FLEET, nothing)


def test_the_paper_has_every_stop_and_its_number(one: Book) -> None:
    """As text in the document, with title and language; the number opens the form."""
    answer = ask(one, "GET", f"/{DAY}/{NORTH}/sheet.pdf")
    assert answer.headers["content-type"] == "application/pdf", answer.text
    reader = PdfReader(io.BytesIO(answer.content))
    text = "\n".join(page.extract_text() for page in reader.pages)
    assert len(reader.pages) == 1
    for number, stop in enumerate(STOPS, start=1):
        assert re.search(rf"^{number}$", text, re.MULTILINE)
        assert stop in text
    sheet = next(w for w in text.split() if w.startswith(f"{DAY:%y%m%d}-"))
    assert_pdf_ua(answer.content)
    opened = ask(one, "GET", f"?number={sheet}")
    assert opened.status_code == 303
    assert opened.headers["location"] == f"/desk/{REGION}/sheets/{DAY}/{NORTH}"
    assert ask(one, "GET", "?number=261201-00000").status_code == 404


def test_the_paper_tells_contact_notes_and_books_as_they_are_written(one: Book) -> None:
    """Of a reader only the end of the card; what looks like markup or code is only text."""
    sheet = run_sheet(one.library.service, REGION, str(NORTH), DAY)
    first = sheet.stops[0]
    assert first.stop is not None
    site = SiteCard(contact="Мария #panic() +7 401", notes="$x$ *ключ* у сторожа " + "ы" * 90)
    book = HeldBook(title="<script>Война и мир", item_id="i7", card_end="003")
    told = replace(first, stop=replace(first.stop, site=site), books=(book,) * 14)
    cancelled = replace(
        sheet.stops[1],
        visit=replace(sheet.stops[1].visit, state=VisitState.CANCELLED, reason="weather"),
    )
    sheet = replace(sheet, stops=(told, cancelled, *sheet.stops[2:]))
    document = sheet_pdf(sheet, Words("ru"), address="https://bibliobus.example/desk/r/sheets")
    text = " ".join(p.extract_text() for p in PdfReader(io.BytesIO(document)).pages)
    plain = " ".join(text.replace("\u200b", "").split())
    assert_pdf_ua(document)
    assert "Контакт: Мария #panic() +7 401" in plain
    assert "$x$ *ключ* у сторожа" in plain
    assert "<script>Война и мир [i7] …003" in plain
    assert "+2" in plain
    assert "Отменена: погода" in plain
    assert "card-" not in plain


@pytest.mark.parametrize(("num_stops", "num_pages"), [(8, 1), (14, 2)])
def test_an_ordinary_day_takes_one_page(one: Book, num_stops: int, num_pages: int) -> None:
    """Eight stops with contact, notes and books; of more none is torn, and headings come again."""
    sheet = run_sheet(one.library.service, REGION, str(NORTH), DAY)
    site = SiteCard(contact="Ольга, +7 900 123-45-67", notes="Въезд со двора школы")
    book = HeldBook(title="Два капитана", item_id="2000000001", card_end="017")
    stops = []
    for number in range(num_stops):
        own = sheet.stops[number % len(sheet.stops)]
        assert own.stop is not None
        told = replace(own.stop, site=site, community="Сельское поселение")
        stops.append(replace(own, stop=told, name=f"Хутор{number:02}", books=(book,)))
    address = "https://bibliobus.example/desk/kaliningrad/sheets/2026-12-01/kibo-1"
    document = sheet_pdf(replace(sheet, stops=tuple(stops)), Words("ru"), address=address)
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(document)).pages]
    assert len(pages) == num_pages
    for number in range(num_stops):
        assert sum(f"Хутор{number:02}" in page for page in pages) == 1
    assert all("Открыта" in page and "Отказы" in page for page in pages)
    assert "Заметки" in pages[-1]


def test_a_typed_sheet_is_on_record_and_typed_twice_is_there_once(one: Book) -> None:
    """Times, counts, a skip, the odometer; again adds nothing, a change is a change."""
    boxes = {
        f"opened__{FIRST}": "850", f"closed__{FIRST}": "09:50", f"visits__{FIRST}": "12",
        f"loans__{FIRST}": "20", f"skip__{SECOND}": "1", "odometer_out_km": "100200,5",
        "odometer_in_km": "100300",
    }  # fmt: skip
    before = num_events(one)
    assert "nothing is saved yet" in type_in(one, "check", **boxes).text
    assert num_events(one) == before
    assert type_in(one, **boxes).headers["location"].endswith("saved=5")
    assert num_events(one) == before + 4
    held, skipped = one.records[FIRST], one.records[SECOND]
    assert held.state is RecordState.DONE
    assert held.counts == {"loans_home": 20, "visits_service.adult": 12}
    assert held.count_methods == (CountMethod.PAPER,)
    assert held.counted_by == ("b" * 32,)
    assert (skipped.state, skipped.reason) == (RecordState.SKIPPED, "road")
    with reading(one.library.engine) as session:
        way = day_sheet_store.get_sheet(session, REGION, NORTH, DAY)
    assert way is not None
    assert (way.odometer_out_km, way.odometer_in_km) == (100200.5, 100300)
    assert type_in(one, **boxes).headers["location"].endswith("saved=0")
    assert num_events(one) == before + 4
    changed = boxes | {f"visits__{FIRST}": "10", f"opened__{FIRST}": "0855"}
    warned = type_in(one, **changed)
    assert warned.status_code == 200
    assert "typed in before" in warned.text
    assert num_events(one) == before + 4
    type_in(one, **changed, confirm="1")
    assert one.records[FIRST].counts == {"loans_home": 20, "visits_service.adult": 10}
    assert one.records[FIRST].opened_at != held.opened_at
    emptied = {k: v for k, v in changed.items() if not k.startswith("skip")}
    type_in(one, **emptied, confirm="1")
    assert one.records[SECOND].state is RecordState.UNKNOWN


def test_what_cannot_be_right_is_shown_before_it_is_saved(one: Book) -> None:
    """Loans without visits and counts of a tablet ask; nonsense is refused, box by box."""
    one.write("count", one.library.depot.now, FIRST, counts={"visits_service": 3})
    one.sync()
    before = num_events(one)
    asked = type_in(one, **{f"loans__{SECOND}": "5", f"visits__{FIRST}": "2"})
    assert asked.status_code == 200
    assert "no visits" in asked.text
    assert "the tablet has counted here already" in asked.text
    for boxes, word in {
        f"opened__{FIRST}=2460": "is no time of day",
        f"visits__{FIRST}=a lot": "is no whole number",
        f"visits__{FIRST}=99999": "is no whole number",
        f"skip__{FIRST}=9": "is no reason",
        f"skip__{FIRST}=7": "needs a remark",
        "odometer_in_km=far": "is no number of kilometres",
        "do=save": "Nothing is filled in",
    }.items():
        name, _, value = boxes.partition("=")
        told = type_in(one, **({} if name == "do" else {name: value}))
        assert told.status_code == 422, boxes
        assert word in told.text, boxes
    both = {f"skip__{FIRST}": "1", f"visits__{FIRST}": "2"}
    assert "left out, yet" in type_in(one, **both).text
    wrong = {f"opened__{FIRST}": "11:00", f"closed__{FIRST}": "10:00"}
    assert "closed before" in type_in(one, **wrong).text
    assert num_events(one) == before


def test_a_day_to_come_and_a_vehicle_without_a_run_are_refused(one: Book) -> None:
    """The form tells so; nothing can be written ahead."""
    assert ask(one, "GET", f"/{DAY + timedelta(days=1)}/{NORTH}").status_code == 404
    assert ask(one, "GET", f"/{DAY}/nobody").status_code == 404
    one.library.depot.now -= timedelta(days=2)
    told = type_in(one, **{f"visits__{FIRST}": "2"})
    assert told.status_code == 422
    assert "still to come" in told.text

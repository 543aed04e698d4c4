"""Stock comes aboard from tables and from MARC files of any make, with a report of each refusal."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from pymarc import Field, Indicators, Record, Subfield

from api.words import LANGUAGES, Words
from data.feeds.iso2709 import preview_encodings, read_records
from data.feeds.marc_stock import Dialect, import_marc
from data.feeds.report import Verdict
from data.feeds.stock import COLUMNS, import_stock, stocked_item_cells, titles_in
from data.model.age_marks import AgeMark, age_on, is_too_young, parse_age_mark
from data.model.errors import InputError
from data.model.stock import Carrier, ItemPlace, PlaceKind

STORE = ItemPlace(kind=PlaceKind.STORE, key="v1")


def marc(
    *fields: tuple[str, str | dict[str, str]], leader: str = "am", coding: str = " "
) -> Record:
    """A record as pymarc writes it, in any language."""
    record = Record()
    record.leader = f"00000n{leader} {coding}2200000 i 4500"  # type: ignore[assignment]
    for tag, value in fields:
        if isinstance(value, str):
            record.fields.append(Field(tag=tag, data=value))
        else:
            subfields = [Subfield(code=code[0], value=text) for code, text in value.items()]
            record.fields.append(
                Field(tag=tag, indicators=Indicators(" ", " "), subfields=subfields)
            )
    return record


def as_bytes(record: Record, encoding: str) -> bytes:
    """The record's bytes in an encoding, its lengths counted in bytes."""
    directory, data = b"", b""
    for field in record.fields:
        if field.control_field:
            raw = (field.data or "").encode(encoding) + b"\x1e"
        else:
            raw = "".join(field.indicators or ()).encode()
            for sub in field.subfields:
                raw += b"\x1f" + sub.code.encode() + sub.value.encode(encoding)
            raw += b"\x1e"
        directory += field.tag.encode() + f"{len(raw):04d}{len(data):05d}".encode()
        data += raw
    base = 24 + len(directory) + 1
    total = base + len(data) + 1
    leader = str(record.leader)
    head = f"{total:05d}{leader[5:12]}{base:05d}{leader[17:24]}".encode()
    return head + directory + b"\x1e" + data + b"\x1d"


ONEGIN = marc(
    ("001", "RU/KON/1"),
    ("010", {"a": "978-5-04-089234-1"}),
    ("100", {"a": "20190416d2019    d||y0rusy0189    ca"}),
    ("101", {"a": "rus"}),
    ("106", {"a": "d"}),
    ("200", {"a": "Евгений Онегин", "e": "роман в стихах", "f": "А. С. Пушкин"}),
    ("210", {"a": "Москва", "c": "Эксмо", "d": "2019"}),
    ("333", {"a": "12+"}),
    ("621", {"a": "84(2=411.2)5"}),
    ("700", {"a": "Пушкин", "b": "А. С.", "g": "Александр Сергеевич"}),
    ("910", {"a": "0", "b": "12345", "h": "E200341201", "d": "КИБО", "r": "84", "c": "20200115"}),
)
TWAIN = marc(
    ("001", "ocm7"),
    ("008", "950101s1995    nyu    jd     000 1 eng  "),
    ("020", {"a": "0451526538 (pbk.)"}),
    ("100", {"a": "Twain, Mark,"}),
    ("245", {"a": "The adventures of Tom Sawyer /", "c": "Mark Twain."}),
    ("260", {"b": "Signet,", "c": "c1995."}),
    ("952", {"p": "30001", "c": "FIC", "d": "2001-02-03", "0": "0"}),
    ("952", {"p": "30002", "c": "FIC", "0": "1"}),
)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251", "cp866"])
def test_rusmarc_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    """A RUSMARC record reads the same from UTF-8, cp1251 and cp866, and the guess is right."""
    path = tmp_path / "stock.iso"
    path.write_bytes(as_bytes(ONEGIN, encoding) * 3)
    preview = preview_encodings(path)
    assert (preview[0].encoding, preview[0].is_likely) == (encoding, True)
    assert preview[0].lines[0] == "Евгений Онегин"
    assert preview[0].num_wrong == 0
    assert any("Евгений Онегин" not in p.lines for p in preview[1:])
    stock, report = import_marc(path, STORE)
    assert report.encoding == encoding
    item, title = stock[0].item, stock[0].title
    assert (title.name, title.author) == (
        "Евгений Онегин : роман в стихах",
        "Пушкин, Александр Сергеевич",
    )
    assert (title.year, title.age_mark, title.language) == (2019, AgeMark.TWELVE, "rus")
    assert (title.is_for_children, title.is_accessible) == (True, True)
    assert (title.classification, title.shelf) == ("84(2=411.2)5", "84")
    assert (item.item_id, item.inventory_no, item.place) == ("E200341201", "12345", STORE)
    assert item.acquired_date == date(2020, 1, 15)
    assert [p.code for p in report.problems] == ["feeds.row.duplicate_id"] * 2


def test_marc21_with_its_copies(tmp_path: Path) -> None:
    """A MARC 21 record gives each copy of Koha's field 952; a withdrawn one stays marked."""
    path = tmp_path / "stock.mrc"
    path.write_bytes(TWAIN.as_marc())
    stock, report = import_marc(path, STORE)
    assert [(s.item.item_id, s.item.is_withdrawn) for s in stock] == [
        ("30001", False),
        ("30002", True),
    ]
    (title,) = titles_in(stock)
    assert (title.name, title.author, title.year) == (
        "The adventures of Tom Sawyer",
        "Twain, Mark",
        1995,
    )
    assert (title.isbn, title.language, title.publisher) == ("0451526538", "eng", "Signet")
    assert (title.is_for_children, title.is_accessible) == (True, True)
    assert title.carrier is Carrier.BOOK
    assert (report.num_rows, report.num_loaded) == (2, 2)


def test_lengths_counted_in_letters_are_mended(tmp_path: Path) -> None:
    """A record whose lengths count letters is read by its separators and flagged."""
    sound = as_bytes(ONEGIN, "utf-8")
    wrong = as_bytes(ONEGIN, "cp1251")
    base = int(wrong[12:17])
    broken = wrong[:base] + sound[int(sound[12:17]) :]
    path = tmp_path / "letters.iso"
    path.write_bytes(broken)
    stock, report = import_marc(path, STORE)
    assert stock[0].title.name.startswith("Евгений Онегин")
    assert [(p.code, p.verdict) for p in report.problems] == [
        ("feeds.marc.mended", Verdict.FLAGGED)
    ]


def test_bad_records_are_told_and_the_others_load(tmp_path: Path) -> None:
    """Cut off, without a title, without copies, in another encoding: each is named by number."""
    no_title = marc(("001", "x"), ("910", {"b": "9"}))
    no_copies = marc(("200", {"a": "Книга"}))
    path = tmp_path / "mixed.iso"
    path.write_bytes(
        as_bytes(ONEGIN, "utf-8")
        + as_bytes(no_title, "utf-8")
        + as_bytes(no_copies, "utf-8")
        + as_bytes(ONEGIN, "cp1251")
        + b"00100nam\x1d"
        + as_bytes(ONEGIN, "utf-8").replace(b"\x1erus", b"rus").replace(b"\x1e  \x1fad", b"  ")
    )
    stock, report = import_marc(path, STORE, encoding="utf-8")
    assert len(stock) == 1
    assert [(p.code, p.row) for p in report.problems] == [
        ("feeds.marc.no_title", 2),
        ("feeds.marc.no_copies", 3),
        ("feeds.marc.wrong_encoding", 4),
        ("feeds.marc.cut_off", 5),
        ("feeds.marc.bad_directory", 6),
    ]
    assert (report.num_rows, report.num_rejected) == (6, 5)
    for language in LANGUAGES:
        words = Words(language)
        for problem in report.problems:
            message = words(problem.code, **problem.facts)
            assert message != problem.code
            assert "{" not in message


@pytest.mark.parametrize("content", [b"hello", b"\x1d", b"\x1e\x1d" * 4, b"\x00" * 90 + b"\x1d"])
def test_no_marc_at_all(tmp_path: Path, content: bytes) -> None:
    """A file of another kind is refused whole, with its name."""
    path = tmp_path / "photo.iso"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        import_marc(path, STORE)
    assert caught.value.facts["file"] == "photo.iso"


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_broken_bytes_never_break_the_reader(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever bytes of a file are changed or lost, records are read or refused."""
    raw = bytearray(as_bytes(ONEGIN, "cp1251") + TWAIN.as_marc())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(raw) - 1))
        if data.draw(st.booleans()):
            raw[place] = data.draw(st.integers(0, 255))
        else:
            del raw[place]
    path = tmp_path_factory.getbasetemp() / "broken.iso"
    path.write_bytes(bytes(raw))
    try:
        stock, report = import_marc(path, STORE)
    except InputError as refused:
        assert refused.code.startswith("feeds.marc.")
        return
    assert len(stock) == report.num_loaded
    assert report.num_rows >= len(read_records(path)) - report.num_rejected


def test_stock_from_a_sheet(tmp_path: Path) -> None:
    """A librarian's own columns are understood; odd marks and years are flagged, gaps refused."""
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.append(
        ["Инв. номер", "Автор", "Заглавие", "Год", "Знак", "Полка", "Детская", "Вид издания"]
    )
    sheet.append([1001, "Пушкин А. С.", "Сказки", 2020, "6+", "Дет", "да", "книга"])
    sheet.append([1002, "", "Мурзилка", 2024, "0 +", "Жур", "да", "журнал"])
    sheet.append([1003, "", "Странная", 1200, "21+", "", "", "свиток"])
    sheet.append([None, "", "Без номера", 2001, "", "", "", ""])
    sheet.append([1002, "", "Второй раз", 2001, "", "", "", ""])
    path = tmp_path / "stock.xlsx"
    workbook.save(path)
    stock, report = import_stock(path, STORE)
    assert [(s.item.item_id, s.title.name, s.title.age_mark, s.title.carrier) for s in stock] == [
        ("1001", "Сказки", AgeMark.SIX, Carrier.BOOK),
        ("1002", "Мурзилка", AgeMark.ZERO, Carrier.PERIODICAL),
        ("1003", "Странная", AgeMark.NONE, Carrier.BOOK),
    ]
    assert stock[0].title.is_for_children
    assert stock[2].title.year is None
    assert sorted((p.code, p.row, p.verdict.value) for p in report.problems) == [
        ("feeds.cell.missing", 5, "rejected"),
        ("feeds.cell.unknown_word", 4, "flagged"),
        ("feeds.row.duplicate_id", 6, "rejected"),
        ("feeds.stock.odd_year", 4, "flagged"),
        ("feeds.stock.unknown_age_mark", 4, "flagged"),
    ]


def test_a_stock_comes_back_as_it_was(tmp_path: Path) -> None:
    """What is written in our own columns is read as it was, formulas and all."""
    path = tmp_path / "stock.csv"
    path.write_text(
        "item_id,title,place,title_id,thickness_mm,for_loan,author\n"
        "A-1,=1+1,vehicle:v1,t1,12.5,false,O'Neil\nA-2,Двое,point:club,t2,,,\n",
        encoding="utf-8",
    )
    stock, report = import_stock(path, STORE)
    assert not report.problems
    again = tmp_path / "again.csv"
    lines = [",".join(COLUMNS)]
    lines += [",".join(f'"{v}"' for v in map(stocked_item_cells(s).get, COLUMNS)) for s in stock]
    again.write_text("\n".join(lines), encoding="utf-8")
    assert import_stock(again, STORE)[0] == stock


def test_a_bad_place_is_refused(tmp_path: Path) -> None:
    """A place that is none of the three is named."""
    path = tmp_path / "stock.csv"
    path.write_text("item_id,title,place\nA-1,One,moon:1\n", encoding="utf-8")
    stock, report = import_stock(path, STORE)
    assert stock == ()
    assert [(p.code, p.row) for p in report.problems] == [("feeds.stock.bad_item", 2)]


def test_age_marks() -> None:
    """Marks are read however they are written; ages are counted to the day."""
    assert [parse_age_mark(t) for t in ("16+", "16 +", "[16+]", "+16", "16", "", "3+", "x")] == [
        AgeMark.SIXTEEN,
        AgeMark.SIXTEEN,
        AgeMark.SIXTEEN,
        AgeMark.SIXTEEN,
        AgeMark.SIXTEEN,
        AgeMark.NONE,
        None,
        None,
    ]
    born = date(2008, 2, 29)
    assert age_on(born, date(2026, 2, 28)) == 17
    assert age_on(born, date(2026, 3, 1)) == 18
    assert is_too_young(AgeMark.EIGHTEEN, born, date(2026, 2, 28))
    assert not is_too_young(AgeMark.EIGHTEEN, None, date(2026, 2, 28))


def test_dialects_may_be_told(tmp_path: Path) -> None:
    """A file told to be of the other dialect has no titles there."""
    path = tmp_path / "stock.mrc"
    path.write_bytes(TWAIN.as_marc())
    stock, report = import_marc(path, STORE, dialect=Dialect.RUSMARC)
    assert stock == ()
    assert [p.code for p in report.problems] == ["feeds.marc.no_title"]

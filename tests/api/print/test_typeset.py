"""Documents on paper: every letter can be shown, a name is only a name, bytes are the same."""

import io
import json
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
from pypdf import PdfReader

from api.print.glyphs import UNKNOWN, covered, printable
from api.print.typeset import Json, print_pdf, qr_svg
from api.words import LANGUAGES, Words, messages

AT = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def timetable(**more: Json) -> dict[str, Json]:
    """The data of a timetable with one row."""
    row: dict[str, Json] = {
        "name": "Калиновка",
        "community": "",
        "rhythm": [],
        "dates": ["1 декабря"],
        "off": [],
    }
    return {
        "title": "График", "region": "Район", "phone": "", "address": "", "valid": "", "made": "",
        "until": "Даты", "qr": "", "qr_alt": "", "notices": [], "rows": [row | more],
    }  # fmt: skip


def text_of(document: bytes) -> str:
    pages = PdfReader(io.BytesIO(document)).pages
    return "\n".join(page.extract_text() for page in pages)


@pytest.mark.parametrize("language", LANGUAGES)
def test_fonts_have_every_letter_of_our_words(language: str) -> None:
    """No word of a document has a letter that its fonts lack."""
    words = {letter for text in messages(language, "print").values() for letter in text}
    assert words
    assert not {letter for letter in words if ord(letter) not in covered()}


def test_fonts_have_cyrillic_latin_and_signs() -> None:
    """Russian and its neighbours, the languages of Europe, money and numbers, and nothing else."""
    letters = "ЁёЖжЪъЫыЭэ ҒғӨөҮүҢңІіЇїЎў Łódź Ærø Ñandú Žďár Αθήνα Hà Nội № ₽ € « » „ “ – — … × °"
    assert {c for c in letters if ord(c) not in covered()} == set()
    assert not {
        c for c in "日א\N{BUS}\N{SOFT HYPHEN}\N{RIGHT-TO-LEFT OVERRIDE}" if ord(c) in covered()
    }


def test_what_no_font_has_becomes_a_sign() -> None:
    """Unknown letters are marked, invisible ones dropped, accents joined, line breaks kept."""
    assert printable("Кали\u0301нка") == "Кали\u0301нка"
    assert printable("и\u0306") == "й"
    assert printable("−5 → 7") == "–5 – 7"
    assert printable("a日\N{BUS}b") == f"a{UNKNOWN}{UNKNOWN}b"
    assert printable("a\0\u202e\u200b\ufeffb\u2028c\td\ne") == "ab c d\ne"
    assert printable("\ud800\ue000\uffff") == UNKNOWN * 3


def test_the_same_input_gives_the_same_bytes() -> None:
    """Made twice it is equal to the byte; made at another time or of other data it is not."""
    words = Words("ru")
    first = print_pdf("timetable", timetable(), words, at=AT)
    assert print_pdf("timetable", timetable(), words, at=AT) == first
    assert print_pdf("timetable", timetable(name="Иная"), words, at=AT) != first
    assert print_pdf("timetable", timetable(), words, at=AT.replace(hour=13)) != first


def test_a_document_is_tagged_titled_and_speaks_its_language() -> None:
    """It claims PDF/UA-1, names its language and title, and has its table tagged."""
    document = PdfReader(io.BytesIO(print_pdf("timetable", timetable(), Words("ru"), at=AT)))
    catalogue: Any = document.root_object
    assert catalogue["/Lang"] == "ru"
    assert catalogue["/MarkInfo"]["/Marked"] == True  # noqa: E712
    assert document.metadata is not None and document.metadata.title == "График"
    assert b"<pdfuaid:part>1</pdfuaid:part>" in catalogue["/Metadata"].get_object().get_data()
    kinds = set()
    waiting: list[Any] = [catalogue["/StructTreeRoot"].get_object()]
    while waiting:
        element = waiting.pop().get_object()
        if isinstance(element, list):
            waiting += element
        elif isinstance(element, dict):
            kinds.add(element.get("/S"))
            waiting += [element["/K"]] if "/K" in element else []
    assert {"/H1", "/Table", "/THead", "/TH", "/TD"} <= kinds


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '#panic("x")',
        '#import "/etc/passwd"',
        "$x$ *b* _i_ `c` @ref <label> \\u{41}",
        "{stop} {{7*7}}",
        "=HYPERLINK(1)",
        "щ" * 300,
        "日本 \u202e \0 \ud800",
    ],
)
def test_a_name_is_printed_as_it_is_written(name: str) -> None:
    """Whatever a name holds it is no source; long ones stay in their column."""
    document = print_pdf("timetable", timetable(name=name), Words("en"), at=AT)
    shown = "".join(text_of(document).split()).replace("\u200b", "").replace("\u00ad", "")
    expected = "".join(printable(unicodedata.normalize("NFC", name)).split())
    assert expected in shown.replace("-", "") or expected in shown


def test_a_code_holds_its_address() -> None:
    """A QR code is SVG with nothing but shapes, another address gives another."""
    one, two = qr_svg("https://bus.example/r/a"), qr_svg("https://bus.example/r/b")
    assert one.startswith("<svg")
    assert one != two
    assert qr_svg("https://bus.example/r/a") == one
    assert "script" not in qr_svg("javascript:<script>alert(1)</script>")


def test_words_with_facts_are_filled_in_by_templates() -> None:
    """A template's own message has its facts in the language of the document."""
    for language, told in (("ru", "Страница 1 из 1"), ("en", "Page 1 of 1")):
        shown = text_of(print_pdf("timetable", timetable(), Words(language), at=AT))
        assert told in " ".join(shown.split()), json.dumps(shown)

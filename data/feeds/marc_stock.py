"""Stock from MARC 21 and RUSMARC records: what each says of its title and of its copies.

Both are turned into the rows of ``data.feeds.stock``, so that a record and a line of a table pass
the same checks. Copies stand in different fields of different systems; the first kind of field that
a record has is taken.

References
----------
MARC 21 Format for Bibliographic Data (008, 020, 082/084, 100, 245, 260/264, 300, 521); RUSMARC
(010, 100, 101, 106, 200, 210, 333, 621/675/686, 700); Koha item fields 952 and 995; IRBIS64 910.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from data.feeds.iso2709 import (
    ENCODINGS,
    RawRecord,
    decoded,
    likely_encoding,
    read_records,
)
from data.feeds.report import ImportReport, Problem, Verdict
from data.feeds.stock import StockedItem, load_stock
from data.feeds.tables import Table, TableRow
from data.model.errors import InputError
from data.model.stock import ItemPlace

_YEAR = re.compile(r"(1[5-9]\d\d|20\d\d)")
_MARK = re.compile(r"(?<!\d)(0|6|12|16|18)\s?\+")
_TAIL = " /:;,=.[]"


class Dialect(StrEnum):
    """Which fields mean what."""

    MARC21 = "marc21"
    RUSMARC = "rusmarc"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyFields:
    """Where a system writes its copies: subfield codes of one tag."""

    tag: str
    barcode: str
    inventory: str
    shelf: str = ""
    acquired: str = ""
    status: str = ""
    out: frozenset[str] = frozenset()
    """Values of ``status`` that say lost or written off."""


COPIES = {
    Dialect.MARC21: (
        CopyFields(
            tag="952",
            barcode="p",
            inventory="i",
            shelf="c",
            acquired="d",
            status="0",
            out=frozenset("123456789"),
        ),
        CopyFields(tag="852", barcode="p", inventory="t", shelf="c"),
    ),
    Dialect.RUSMARC: (
        CopyFields(
            tag="910",
            barcode="h",
            inventory="b",
            shelf="r",
            acquired="c",
            status="a",
            out=frozenset("46"),
        ),
        CopyFields(tag="995", barcode="f", inventory="j", shelf="e"),
        CopyFields(tag="952", barcode="p", inventory="i", shelf="c", acquired="d"),
        CopyFields(tag="899", barcode="x", inventory="p", shelf="b"),
    ),
}


@dataclass(frozen=True, slots=True)
class _Texts:
    """A record's text in one encoding."""

    record: RawRecord
    encoding: str

    def all(self, tag: str, code: str = "") -> list[str]:
        return [_tidy(decoded(v, self.encoding)) for v in self.record.values(tag, code)]

    def first(self, *places: tuple[str, str]) -> str:
        """The first text that stands at one of several tags and codes."""
        return next((text for tag, code in places for text in self.all(tag, code) if text), "")

    def fixed(self, tag: str, code: str, start: int, length: int = 1) -> str:
        """Characters of a field of fixed places."""
        raw = self.record.values(tag, code)
        return raw[0].decode("latin-1")[start : start + length] if raw else ""


def _tidy(text: str) -> str:
    return " ".join(text.replace("\x88", "").replace("\x89", "").split())


def import_marc(
    path: Path,
    place: ItemPlace,
    *,
    encoding: str | None = None,
    dialect: Dialect | None = None,
) -> tuple[tuple[StockedItem, ...], ImportReport]:
    """Read a stock from an ISO 2709 file.

    Rows of the report are records, counted from 1; a record with several copies is told once for
    each of them.

    Parameters
    ----------
    encoding
        One of ``iso2709.ENCODINGS``; the likeliest where it is not given.
    dialect
        Found out from the field of the title where it is not given.

    Raises
    ------
    InputError
        ``feeds.file.unknown_encoding``, ``feeds.marc.no_records`` …
    """
    if encoding is not None and encoding not in ENCODINGS:
        raise InputError("feeds.file.unknown_encoding", file=path.name, encoding=encoding)
    records = read_records(path)
    used = encoding or likely_encoding(records)
    spoken = dialect or dialect_of(records)
    rows: list[TableRow] = []
    problems: list[Problem] = []
    num_refused = 0
    for record in records:
        told = {"file": path.name, "row": record.number}
        found, fault = _rows_of(record, used, spoken)
        if fault:
            problems.append(Problem(code=fault, facts={**told, "encoding": used}))
            num_refused += 1
            continue
        if record.is_mended:
            problems.append(Problem(code="feeds.marc.mended", facts=told, verdict=Verdict.FLAGGED))
        rows += found
    columns = tuple(dict.fromkeys(name for row in rows for name in row.cells))
    table = Table(file=path.name, columns=columns or ("title",), rows=tuple(rows), encoding=used)
    stock, report = load_stock(table, place)
    return stock, ImportReport(
        file=report.file,
        entity=report.entity,
        num_rows=report.num_rows + num_refused,
        num_loaded=report.num_loaded,
        problems=(*problems, *report.problems),
        encoding=used,
    )


def dialect_of(records: tuple[RawRecord, ...]) -> Dialect:
    """MARC 21 writes its titles in 245, RUSMARC in 200."""
    num_245 = sum(bool(r.values("245", "a")) for r in records)
    num_200 = sum(bool(r.values("200", "a")) for r in records)
    return Dialect.MARC21 if num_245 >= num_200 else Dialect.RUSMARC


def _rows_of(record: RawRecord, encoding: str, dialect: Dialect) -> tuple[list[TableRow], str]:
    """The rows of a record's copies, or the code of why it has none."""
    if record.fault:
        return [], record.fault
    texts = _Texts(record, encoding)
    try:
        title = _marc21(texts) if dialect is Dialect.MARC21 else _rusmarc(texts)
        copies = list(_copies(texts, dialect))
    except UnicodeDecodeError:
        return [], "feeds.marc.wrong_encoding"
    if not title["title"]:
        return [], "feeds.marc.no_title"
    if not copies:
        return [], "feeds.marc.no_copies"
    title["age_mark"] = _age_mark(texts)
    rows = []
    for copy in copies:
        cells = {**title, **{name: value for name, value in copy.items() if value}}
        cells = {name: value for name, value in cells.items() if value}
        rows.append(TableRow(line=record.number, cells=cells, num_cells=len(cells)))
    return rows, ""


def _marc21(texts: _Texts) -> dict[str, str]:
    audience = texts.fixed("008", "", 22)
    form = texts.fixed("008", "", 23)
    name = " ".join(texts.all("245", "a")[:1] + texts.all("245", "b")[:1])
    language = texts.first(("041", "a")) or texts.fixed("008", "", 35, 3)
    dated = texts.first(("264", "c"), ("260", "c")) or texts.fixed("008", "", 7, 4)
    return {
        "title": name.strip(_TAIL),
        "author": texts.first(("100", "a"), ("110", "a"), ("700", "a")).strip(" ,;:/"),
        "year": _year(dated),
        "isbn": texts.first(("020", "a")).split(" ")[0],
        "language": language.strip(" |"),
        "carrier": _carrier(texts.record.leader),
        "classification": texts.first(("084", "a"), ("082", "a"), ("080", "a")),
        "publisher": texts.first(("264", "b"), ("260", "b")).strip(_TAIL),
        "for_children": _yes(audience in "abcj" and audience != ""),
        "accessible": _yes(form in "df" and form != ""),
        "catalogue_code": texts.first(("001", "")),
    }


def _rusmarc(texts: _Texts) -> dict[str, str]:
    audience = texts.fixed("100", "a", 17, 3)
    form = texts.fixed("106", "a", 0)
    name = " : ".join(texts.all("200", "a")[:1] + texts.all("200", "e")[:1])
    initials = texts.first(("700", "g"), ("700", "b"))
    author = texts.first(("700", "a"))
    author = f"{author}, {initials}" if author and initials else author
    dated = texts.first(("210", "d"), ("214", "d")) or texts.fixed("100", "a", 9, 4)
    return {
        "title": name.strip(_TAIL),
        "author": author or texts.first(("200", "f")),
        "year": _year(dated),
        "isbn": texts.first(("010", "a")),
        "language": texts.first(("101", "a")),
        "carrier": _carrier(texts.record.leader),
        "classification": texts.first(("621", "a"), ("686", "a"), ("675", "a")),
        "publisher": texts.first(("210", "c"), ("214", "c")),
        "for_children": _yes(any(code in "abcd" for code in audience)),
        "accessible": _yes(form in "df" and form != ""),
        "catalogue_code": texts.first(("903", "a"), ("903", ""), ("001", "")),
    }


def _carrier(leader: str) -> str:
    """By type and level of the record: places 6 and 7 of its leader."""
    if leader[7:8] == "s":
        return "periodical"
    return "audiovisual" if leader[6:7] in ("g", "i", "j") else "book"


def _year(text: str) -> str:
    found = _YEAR.search(text)
    return found[0] if found else ""


def _yes(claim: bool) -> str:  # noqa: FBT001
    return "true" if claim else ""


def _age_mark(texts: _Texts) -> str:
    """A mark such as ``16+`` from the notes where systems write it."""
    for tag, code in (("333", "a"), ("521", "a"), ("900", "z"), ("300", "a"), ("500", "a")):
        for text in texts.all(tag, code):
            if found := _MARK.search(text):
                return f"{found[1]}+"
    return ""


def _copies(texts: _Texts, dialect: Dialect) -> Iterator[dict[str, str]]:
    for kind in COPIES[dialect]:
        fields = [f for f in texts.record.fields if f.tag == kind.tag]
        copies = []
        for field in fields:
            own = {code: _tidy(decoded(v, texts.encoding)) for code, v in field.subfields}
            barcode, inventory = own.get(kind.barcode, ""), own.get(kind.inventory, "")
            if not barcode and not inventory:
                continue
            is_out = bool(kind.status) and own.get(kind.status, "") in kind.out
            copies.append(
                {
                    "item_id": barcode or inventory,
                    "inventory_no": inventory,
                    "shelf": own.get(kind.shelf, ""),
                    "acquired_date": _dated(own.get(kind.acquired, "")),
                    "withdrawn": _yes(is_out),
                }
            )
        if copies:
            yield from copies
            return


def _dated(text: str) -> str:
    """A date of a copy as tables have it; what is no date says nothing."""
    try:
        found = date.fromisoformat(text) if text else None
    except ValueError:
        return ""
    return "" if found is None else found.isoformat()

"""Tables of any kind as rows of text: CSV, XLSX, GeoJSON, GeoPackage, Shapefile."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data.feeds.encodings import detect_encoding
from data.model.errors import InputError

DELIMITERS = (",", ";", "\t", "|")
_TEXT_KINDS = frozenset({".csv", ".txt", ".tsv"})
_SHEET_KINDS = frozenset({".xlsx", ".xlsm"})
_SHAPE_KINDS = frozenset({".geojson", ".json", ".gpkg", ".shp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """Cells by column name, with where the row stands in its file.

    ``line`` is the line of a text file, the row of a sheet or the number of a feature, from 1.
    ``lon``, ``lat`` come from the geometry of a feature. ``num_cells`` is how many cells the row
    has, which may be more than there are columns.
    """

    line: int
    cells: dict[str, str]
    num_cells: int
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as it stands in its file, all cells as text."""

    file: str
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    encoding: str = ""
    delimiter: str = ""


def read_table(path: Path, *, encoding: str | None = None, layer: str | None = None) -> Table:
    """Read a table of any known kind.

    Parameters
    ----------
    path
        ``.csv``, ``.tsv``, ``.txt``, ``.xlsx``, ``.geojson``, ``.json``, ``.gpkg`` or ``.shp``.
    encoding
        Of a text file or a Shapefile's table; found out where it is not given.
    layer
        Sheet of a workbook or layer of a GeoPackage; the first where it is not given.

    Raises
    ------
    InputError
        ``feeds.file.*``: missing, empty, of an unknown kind, not to be read.
    """
    check_file(path)
    kind = path.suffix.lower()
    if kind not in _TEXT_KINDS | _SHEET_KINDS | _SHAPE_KINDS:
        known = ", ".join(sorted(_TEXT_KINDS | _SHEET_KINDS | _SHAPE_KINDS))
        raise InputError("feeds.file.unknown_kind", file=path.name, kind=kind, known=known)
    if kind in _TEXT_KINDS:
        return read_csv(path, encoding=encoding)
    if kind in _SHEET_KINDS:
        from data.feeds.sheets import read_sheet

        return read_sheet(path, sheet=layer)
    from data.feeds.shapes import read_shapes

    return read_shapes(path, encoding=encoding, layer=layer)


def check_file(path: Path) -> None:
    """Raise ``InputError`` unless the path is a file with something in it."""
    if path.is_dir():
        raise InputError("feeds.file.is_folder", file=str(path))
    if not path.exists():
        raise InputError("feeds.file.missing", file=str(path))
    if path.stat().st_size == 0:
        raise InputError("feeds.file.empty", file=str(path))


def read_text(path: Path, *, encoding: str | None = None) -> tuple[str, str]:
    """Text of a file and the encoding it was read in.

    Raises
    ------
    InputError
        ``feeds.file.unknown_encoding`` or ``feeds.file.wrong_encoding``.
    """
    check_file(path)
    raw = path.read_bytes()
    chosen = encoding or detect_encoding(raw)
    try:
        return raw.decode(chosen).removeprefix("\ufeff"), chosen
    except LookupError as wrong:
        raise InputError("feeds.file.unknown_encoding", file=path.name, encoding=chosen) from wrong
    except UnicodeDecodeError as wrong:
        raise InputError(
            "feeds.file.wrong_encoding",
            file=path.name,
            encoding=chosen,
            line=raw.count(b"\n", 0, wrong.start) + 1,
        ) from wrong


def read_csv(path: Path, *, encoding: str | None = None, head_is_first: bool = False) -> Table:
    """A delimited text file; encoding and delimiter are found out.

    Parameters
    ----------
    head_is_first
        The first line names the columns and so tells the delimiter by itself. Otherwise lines
        above the head are passed over, and the first records tell it.
    """
    text, used = read_text(path, encoding=encoding)
    sample = text.lstrip().split("\n", 1)[0] if head_is_first else text
    delimiter = detect_delimiter(sample)
    lines = _csv_lines(path, text, delimiter)
    head: tuple[str, ...] = ()
    rows = []
    for line, cells in lines:
        if not head:
            if sum(1 for cell in cells if cell.strip()) > 1 or delimiter not in text:
                head = tidy_heads(cells)
            continue
        rows.append(
            TableRow(
                line=line,
                cells=dict(zip(head, cells, strict=False)),
                num_cells=filled_cells(cells),
            )
        )
    if not head:
        raise InputError("feeds.file.no_head", file=path.name)
    return Table(file=path.name, columns=head, rows=tuple(rows), encoding=used, delimiter=delimiter)


def _csv_lines(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Records with the line each begins on; records of blanks only are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begin = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begin, cells
            begin = reader.line_num + 1
    except csv.Error as wrong:
        raise InputError("feeds.file.broken_csv", file=path.name, line=begin) from wrong


def filled_cells(cells: list[str]) -> int:
    """Number of cells up to the last that is not empty."""
    count = len(cells)
    while count and not cells[count - 1].strip():
        count -= 1
    return count


def tidy_heads(cells: list[str]) -> tuple[str, ...]:
    """Column names without outer blanks; trailing nameless columns are dropped."""
    heads = [" ".join(cell.split()) for cell in cells]
    while heads and not heads[-1]:
        heads.pop()
    return tuple(heads)


def detect_delimiter(text: str) -> str:
    """The delimiter that cuts the first records into most columns, alike on each record."""
    sample = "".join(text.splitlines(keepends=True)[:20])
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        try:
            widths = [
                len(cells)
                for cells in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
                if any(cells)
            ]
        except csv.Error:
            continue
        if not widths:
            continue
        common = max(set(widths), key=lambda width: (widths.count(width), width))
        if common > 1:
            score = (widths.count(common) / len(widths), common)
            if score > best_score:
                best, best_score = delimiter, score
    return best

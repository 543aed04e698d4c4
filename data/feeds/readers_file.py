"""Registered readers by municipality, as a library's annual statistics tell them.

A table of ``municipality_id`` and ``readers``, with ``year`` and ``source`` where they are known.
"""

from collections.abc import Sequence
from pathlib import Path

from data.feeds.tables import read_table
from data.model.errors import InputError
from data.model.place import Municipality
from data.model.reader_share import ReaderShare


def read_readers(path: Path, municipalities: Sequence[Municipality]) -> tuple[ReaderShare, ...]:
    """The share of readers in each municipality of the file, with its census population.

    Raises
    ------
    InputError
        ``coverage.readers_columns``, ``coverage.readers_municipality``,
        ``coverage.readers_number``, and what an unreadable table says.
    """
    table = read_table(path)
    heads = {head.strip().casefold() for head in table.columns}
    if not {"municipality_id", "readers"} <= heads:
        raise InputError("coverage.readers_columns", file=path.name)
    known = {str(m.municipality_id): m for m in municipalities}
    shares = []
    for row in table.rows:
        cells = {name.strip().casefold(): text.strip() for name, text in row.cells.items()}
        place = known.get(cells["municipality_id"])
        if place is None:
            raise InputError(
                "coverage.readers_municipality",
                file=path.name,
                row=row.line,
                value=cells["municipality_id"][:80],
            )
        year = cells.get("year", "")
        shares.append(
            ReaderShare(
                readers=_whole(path, row.line, "readers", cells["readers"]),
                population=place.population,
                municipality_id=place.municipality_id,
                name=place.name,
                year=_whole(path, row.line, "year", year) if year else None,
                source=cells.get("source", "") or path.name,
            )
        )
    return tuple(shares)


def _whole(path: Path, row: int, column: str, text: str) -> int:
    digits = text.replace("\N{NO-BREAK SPACE}", "").replace(" ", "").removesuffix(".0")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise InputError(
            "coverage.readers_number", file=path.name, row=row, column=column, value=text[:40]
        )
    return int(digits)

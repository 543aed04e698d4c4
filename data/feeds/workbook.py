"""Sheets of a workbook: headed tables whose cells are typed, so that no text runs as a formula."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook

from data.model.calendar import DAY_S
from data.model.labels import Labels

_DATE_FORMATS = {"ru": "dd.mm.yyyy", "en": "d mmm yyyy"}


class Share(float):
    """A ratio in a column of other numbers; its cell shows it in per cent, with the sign."""

    __slots__ = ()


type Cell = str | float | bool | date | None


class Kind(StrEnum):
    """What a column holds; a clock time is seconds from midnight."""

    TEXT = "text"
    COUNT = "count"
    NUMBER = "number"
    FINE = "fine"
    SHARE = "share"
    DEGREES = "degrees"
    DATE = "date"
    CLOCK = "clock"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading (already words), what it holds and how wide it is, in characters."""

    title: str
    kind: Kind = Kind.TEXT
    width: int = 14


LINK_MAX = 2_000
"""Longest address of a cell."""


class TableBook:
    """A workbook of tables.

    Parameters
    ----------
    made_on
        Date of making that the file carries; the same tables and date give the same file.
    """

    def __init__(self, path: Path, label: Labels, made_on: date) -> None:
        self._label = label
        self._book = Workbook(
            str(path), {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
        )
        self._book.set_properties({"created": datetime.combine(made_on, time(), UTC)})
        formats: dict[Kind, dict[str, object]] = {
            Kind.TEXT: {"text_wrap": True},
            Kind.COUNT: {"num_format": "#,##0"},
            Kind.NUMBER: {"num_format": "#,##0.0"},
            Kind.FINE: {"num_format": "0.000000"},
            Kind.SHARE: {"num_format": "0.0%"},
            Kind.DEGREES: {"num_format": "0.00000"},
            Kind.DATE: {"num_format": _DATE_FORMATS[label.language], "align": "left"},
            Kind.CLOCK: {"num_format": "hh:mm", "align": "left"},
            Kind.FLAG: {},
        }
        self._formats = {
            kind: self._book.add_format({"valign": "top", **form}) for kind, form in formats.items()
        }
        self._linked = {
            kind: self._book.add_format(
                {"valign": "top", **form, "font_color": "#0B5394", "underline": 1}
            )
            for kind, form in formats.items()
        }
        self._head = self._book.add_format(
            {"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#E8EEF4", "bottom": 1}
        )
        self._title = self._book.add_format({"bold": True, "font_size": 14})

    def add_table(
        self,
        name: str,
        columns: Sequence[Column],
        rows: Sequence[Sequence[Cell]],
        links: Sequence[Sequence[str]] = (),
    ) -> None:
        """A sheet with a heading row that stays in view and can be filtered.

        Parameters
        ----------
        links
            Addresses that cells of ``rows`` lead to, each in its cell's place; empty is none. The
            cell keeps its value.
        """
        sheet = self._book.add_worksheet(name[:31])
        for j, column in enumerate(columns):
            sheet.set_column(j, j, column.width)
            sheet.write_string(0, j, column.title, self._head)
        for i, row in enumerate(rows, start=1):
            for j, (column, value) in enumerate(zip(columns, row, strict=True)):
                address = links[i - 1][j] if links else ""
                # A program for tables would refuse a file with a longer one.
                is_linked = bool(address) and len(address) <= LINK_MAX
                if is_linked:
                    sheet.write_url(i, j, address, string=" ")
                self._write(sheet, i, j, column.kind, value, is_linked=is_linked)
        sheet.freeze_panes(1, 0)
        if rows:
            sheet.autofilter(0, 0, len(rows), len(columns) - 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)

    def add_facts(self, name: str, title: str, facts: Sequence[tuple[str, Kind, Cell]]) -> None:
        """A sheet of named values, one a line."""
        sheet = self._book.add_worksheet(name[:31])
        sheet.set_column(0, 0, 48)
        sheet.set_column(1, 1, 40)
        sheet.write_string(0, 0, title, self._title)
        for i, (text, kind, value) in enumerate(facts, start=2):
            sheet.write_string(i, 0, text, self._formats[Kind.TEXT])
            self._write(sheet, i, 1, kind, value)

    def close(self) -> None:
        """Write the file."""
        self._book.close()

    def _write(
        self, sheet: Any, i: int, j: int, kind: Kind, value: Cell, *, is_linked: bool = False
    ) -> None:
        own = Kind.SHARE if isinstance(value, Share) else kind
        form = (self._linked if is_linked else self._formats)[own]
        if value is None or value == "":
            sheet.write_blank(i, j, None, form)
        elif kind is Kind.FLAG:
            sheet.write_string(i, j, self._label("table.yes" if value else "table.no"), form)
        elif isinstance(value, str):
            sheet.write_string(i, j, value, form)
        elif isinstance(value, date):
            sheet.write_datetime(i, j, datetime.combine(value, time()), form)
        elif kind is Kind.CLOCK:
            sheet.write_number(i, j, value / DAY_S, form)
        else:
            sheet.write_number(i, j, value, form)

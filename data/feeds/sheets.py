"""Workbooks (XLSX): one sheet as a table of text."""

import warnings
from datetime import date, datetime, time
from pathlib import Path
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from data.feeds.columns import nearest
from data.feeds.tables import Table, TableRow, filled_cells, tidy_heads
from data.model.errors import InputError


def read_sheet(path: Path, *, sheet: str | None = None) -> Table:
    """A sheet of a workbook; the head is its first row with at least two filled cells.

    Raises
    ------
    InputError
        ``feeds.file.not_a_workbook``, ``feeds.file.unknown_layer`` or ``feeds.file.no_head``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # styles and extensions we do not read
            workbook = load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as wrong:
        raise InputError("feeds.file.not_a_workbook", file=path.name) from wrong
    try:
        names = workbook.sheetnames
        if sheet is not None and sheet not in names:
            raise InputError(
                "feeds.file.unknown_layer",
                file=path.name,
                layer=sheet,
                nearest=nearest(sheet, names),
                known=", ".join(names),
            )
        head: tuple[str, ...] = ()
        rows = []
        lines = workbook[sheet or names[0]].iter_rows(values_only=True)
        for line, values in enumerate(lines, start=1):
            cells = [cell_text(value) for value in values]
            width = filled_cells(cells)
            if not width:
                continue
            if head:
                cut = dict(zip(head, cells, strict=False))
                rows.append(TableRow(line=line, cells=cut, num_cells=width))
            elif sum(1 for cell in cells if cell.strip()) > 1:
                head = tidy_heads(cells)
    finally:
        workbook.close()
    if not head:
        raise InputError("feeds.file.no_head", file=path.name)
    return Table(file=path.name, columns=head, rows=tuple(rows))


def cell_text(value: object) -> str:
    """A cell's value as the text that a person would have typed."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        is_day = (value.hour, value.minute, value.second) == (0, 0, 0)
        return value.date().isoformat() if is_day else value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat(timespec="minutes" if value.second == 0 else "seconds")
    return str(value)

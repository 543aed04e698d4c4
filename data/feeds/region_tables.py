"""The CSV tables of a region folder: read strictly, written whole."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from data.feeds.columns import strict_columns
from data.feeds.entity import Entity
from data.feeds.report import Problem, input_error
from data.feeds.rows import Row, twin_rows
from data.feeds.tables import read_csv


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRows[T]:
    """Values of a table with the rows they came from, so that later checks can name the line."""

    items: tuple[T, ...] = ()
    rows: tuple[Row, ...] = ()
    ids: frozenset[str] = field(default_factory=frozenset)
    is_there: bool = False


def read_rows[T](folder: Path, entity: Entity[T]) -> ReadRows[T]:
    """A table of a region folder; an absent file is an empty table.

    We write UTF-8 with commas; a table saved by a spreadsheet program in its own way is read too.

    Raises
    ------
    InputError
        With every problem of the file in ``problems``.
    """
    path = folder / f"{entity.name}.csv"
    if not path.exists():
        return ReadRows()
    table = read_csv(path, head_is_first=True)
    problems = strict_columns(table.columns, entity.columns, table.file)
    problems += [
        Problem(
            code="feeds.columns.missing",
            facts={
                "file": table.file,
                "column": column,
                "columns": ", ".join(table.columns),
            },
        )
        for column in entity.required
        if column not in table.columns
    ]
    if problems:
        raise input_error(problems)
    rows, items = [], []
    for source in table.rows:
        row = Row(file=table.file, line=source.line, cells=source.cells, digits=None)
        if source.num_cells > len(table.columns):
            row.note(
                "feeds.row.too_many_cells", found=source.num_cells, expected=len(table.columns)
            )
        item = entity.from_row(row)
        if item is None or row.is_wrong:
            problems += row.causes
        else:
            rows.append(row)
            items.append(item)
    ids = [entity.id_of(item) for item in items]
    for index in sorted(twin_rows(zip(ids, rows, strict=True))):
        problems += rows[index].causes
    if problems:
        raise input_error(problems)
    return ReadRows(items=tuple(items), rows=tuple(rows), ids=frozenset(ids), is_there=True)


def write_rows[T](items: Iterable[T], folder: Path, entity: Entity[T]) -> None:
    """Write a table of a region folder under its own name."""
    write_table(items, folder / f"{entity.name}.csv", entity)


def write_table[T](items: Iterable[T], path: Path, entity: Entity[T]) -> None:
    """Write a table: UTF-8, comma, one line feed a row."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=entity.columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(entity.to_cells(item) for item in items)
    path.write_text(text.getvalue(), encoding="utf-8", newline="")


def check_references(
    read: ReadRows[object],
    columns: Mapping[str, frozenset[str]],
    *,
    target: str,
    problems: list[Problem],
) -> None:
    """Note every id in ``columns`` that the target table does not hold.

    Parameters
    ----------
    columns
        Column name to the ids that may stand in it; a cell may list several.
    target
        File name of the table that is referred to.
    """
    for row in read.rows:
        for column, known in columns.items():
            for reference in row.parts(column):
                if reference not in known:
                    row.note("feeds.cell.unknown_reference", column, value=reference, target=target)
        problems += row.causes

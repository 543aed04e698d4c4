"""Import of one table of any kind: columns matched, rows read one by one, each refusal reported."""

from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import blake2s
from pathlib import Path

from data.feeds.columns import match_columns
from data.feeds.entity import Entity
from data.feeds.report import ImportReport
from data.feeds.rows import Row, twin_rows
from data.feeds.tables import Table, read_table
from data.feeds.values import is_missing
from data.model.errors import InputError

_ID_DIGITS = 10
POSITION = ("lon", "lat")


def import_table[T](
    path: Path,
    entity: Entity[T],
    *,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    layer: str | None = None,
    extra_columns: tuple[str, ...] = (),
    optional: Collection[str] = (),
    complete: Callable[[Sequence[Row]], None] | None = None,
    check: Callable[[Sequence[tuple[T, Row]]], None] | None = None,
) -> tuple[tuple[T, ...], ImportReport]:
    """Read a foreign table; good rows load, every other is reported with its cause.

    Parameters
    ----------
    mapping
        The file's column names to ours, where the synonyms do not know them.
    extra_columns
        Columns that are read for ``complete`` alone.
    optional
        Columns that ``complete`` makes where they are missing, though the entity requires them.
    complete
        Fills cells before rows are read (identifiers, words of a fixed list).
    check
        Notes problems of values among one another after rows are read.

    Raises
    ------
    InputError
        Where nothing can be read at all: the file, its mapping, or a required column.
    """
    return load_table(
        read_table(path, encoding=encoding, layer=layer),
        entity,
        mapping=mapping,
        extra_columns=extra_columns,
        optional=optional,
        complete=complete,
        check=check,
    )


def load_table[T](
    table: Table,
    entity: Entity[T],
    *,
    mapping: Mapping[str, str] | None = None,
    extra_columns: tuple[str, ...] = (),
    optional: Collection[str] = (),
    complete: Callable[[Sequence[Row]], None] | None = None,
    check: Callable[[Sequence[tuple[T, Row]]], None] | None = None,
) -> tuple[tuple[T, ...], ImportReport]:
    """Do what ``import_table`` does with a table that is read already."""
    columns = match_columns(
        table.columns,
        (*entity.columns, *extra_columns),
        entity=entity.name,
        file=table.file,
        mapping=mapping,
        empty=_empty_heads(table),
    )
    has_shapes = any(row.lon is not None for row in table.rows)
    _require(table, entity, columns, has_shapes=has_shapes, optional=optional)
    rows = _rows(table, columns)
    if complete is not None:
        complete(rows)
    loaded = [
        (item, row)
        for row in rows
        if not row.is_wrong and (item := entity.from_row(row)) is not None
    ]
    later = twin_rows((entity.id_of(item), row) for item, row in loaded)
    loaded = [pair for index, pair in enumerate(loaded) if index not in later]
    if check is not None:
        check(loaded)
    items = tuple(item for item, row in loaded if not row.is_wrong)
    return items, ImportReport(
        file=table.file,
        entity=entity.name,
        num_rows=len(rows),
        num_loaded=len(items),
        problems=tuple(problem for row in rows for problem in row.problems),
        columns=columns,
        unused_columns=tuple(head for head in table.columns if head not in columns),
        encoding=table.encoding,
    )


def _empty_heads(table: Table) -> frozenset[str]:
    return frozenset(
        head
        for head in table.columns
        if not any(row.cells.get(head, "").strip() for row in table.rows)
    )


def _require[T](
    table: Table,
    entity: Entity[T],
    columns: Mapping[str, str],
    *,
    has_shapes: bool,
    optional: Collection[str],
) -> None:
    found = set(columns.values()) | set(optional)
    if has_shapes:
        found |= set(POSITION)
    for column in entity.required:
        if column not in found:
            raise InputError(
                "feeds.columns.missing",
                file=table.file,
                column=column,
                columns=", ".join(table.columns),
            )


def _rows(table: Table, columns: Mapping[str, str]) -> list[Row]:
    heads = {ours: theirs for theirs, ours in columns.items()}
    rows = []
    for source in table.rows:
        cells = {ours: source.cells.get(theirs, "") for theirs, ours in columns.items()}
        if source.lon is not None and source.lat is not None:
            cells |= {"lon": repr(source.lon), "lat": repr(source.lat)}
        row = Row(file=table.file, line=source.line, cells=cells, heads=heads)
        if source.num_cells > len(table.columns):
            row.note(
                "feeds.row.too_many_cells", found=source.num_cells, expected=len(table.columns)
            )
        rows.append(row)
    return rows


def fill(row: Row, column: str, value: str) -> None:
    """Put a value into a cell of a row that is being completed."""
    row.cells = {**row.cells, column: value}


def fill_ids(rows: Sequence[Row], column: str, prefix: str, parts: Sequence[str]) -> None:
    """Give every row without an id one that is made from other cells.

    The same cells give the same id in every file and at every import.
    """
    for row in rows:
        if is_missing(row.cells.get(column, "")):
            fill(row, column, stable_id(prefix, *(_part(row, part) for part in parts)))


def _part(row: Row, column: str) -> str:
    """A cell for an id; positions as rounded on entry, so that 20.510 and 20.51 are one."""
    if column not in POSITION:
        return row.text(column).casefold()
    quiet = Row(file=row.file, line=row.line, cells=row.cells)
    number = quiet.number(column)
    return "" if number is None else f"{number:.5f}"


def stable_id(prefix: str, *parts: str) -> str:
    """An id made from texts: short, and the same wherever it is made."""
    digest = blake2s("\x1f".join(parts).encode()).hexdigest()
    return f"{prefix}-{digest[:_ID_DIGITS]}"


def recode(row: Row, column: str, words: Mapping[str, str], otherwise: str) -> None:
    """Turn a file's word into ours; an unknown one becomes ``otherwise`` and is flagged."""
    text = row.text(column)
    if not text:
        return
    ours = words.get(text.casefold())
    if ours is None:
        row.flag("feeds.cell.unknown_word", column, taken=otherwise)
    fill(row, column, ours or otherwise)


def check_known[T](
    pairs: Sequence[tuple[T, Row]], column: str, known: Collection[str] | None, target: str
) -> None:
    """Note every id of a column that is not among the known; ``None`` asks nothing."""
    if known is None:
        return
    for _, row in pairs:
        for reference in row.parts(column):
            if reference not in known:
                row.note("feeds.cell.unknown_reference", column, value=reference, target=target)

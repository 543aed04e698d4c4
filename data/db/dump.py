"""All rows as JSON values, the same from SQLite and PostgreSQL, and back."""

import base64
import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from itertools import batched
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    LargeBinary,
    Table,
    TypeDecorator,
    func,
    select,
    text,
)
from sqlmodel import JSON

from data.db.engine import open_engine
from data.db.tables import METADATA

PASSING = frozenset({"answer", "sign_in"})
"""Tables of what lasts some days at most: answers to repeated requests, sign-ins."""
_BATCH = 200

type Row = dict[str, Any]


def tables() -> tuple[str, ...]:
    """Names of the tables that are dumped, each after those that it refers to."""
    return tuple(t.name for t in METADATA.sorted_tables if t.name not in PASSING)


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """The database as it is at one moment, while others go on writing.

    Of SQLite a copy is made by its backup API; PostgreSQL shows one state to a transaction.
    """
    if engine.dialect.name != "sqlite":
        isolated = engine.execution_options(isolation_level="REPEATABLE READ")
        with isolated.connect() as connection:
            connection.execute(text("set transaction read only"))
            yield connection
        return
    with tempfile.TemporaryDirectory(prefix="bookmobile-") as folder:
        file = Path(folder) / "copy.sqlite"
        raw = engine.raw_connection()
        target = sqlite3.connect(file)
        try:
            source: Any = raw.driver_connection
            source.backup(target)
        finally:
            target.close()
            raw.close()
        copy = open_engine(f"sqlite:///{file}")
        try:
            with copy.connect() as connection:
                yield connection
        finally:
            copy.dispose()


def rows_of(connection: Connection, name: str) -> Iterator[Row]:
    """The rows of a table in the order of its key, as JSON values."""
    table = METADATA.tables[name]
    asked = select(table).order_by(*table.primary_key.columns)
    with connection.execution_options(yield_per=_BATCH).execute(asked) as found:
        for row in found.mappings():
            yield {column.name: _to_json(row[column.name]) for column in table.columns}


def is_empty(connection: Connection) -> bool:
    """Whether no table has a row."""
    return not any(
        connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in METADATA.sorted_tables
    )


def clear(connection: Connection) -> None:
    """Delete all rows of all tables."""
    for table in reversed(METADATA.sorted_tables):
        connection.execute(table.delete())


def load_rows(connection: Connection, name: str, rows: Iterable[Mapping[str, Any]]) -> int:
    """Put rows of ``rows_of`` into a table; how many.

    Raises
    ------
    ValueError
        For a row that lacks a column, has one too many, or holds a value of another kind.
    """
    table = METADATA.tables[name]
    readers = {column.name: _reader(column) for column in table.columns}
    number = 0
    for batch in batched(rows, _BATCH):
        connection.execute(table.insert(), [_from_json(name, readers, row) for row in batch])
        number += len(batch)
    return number


def renumber(connection: Connection) -> None:
    """Have PostgreSQL count on from the numbers that were loaded; SQLite does by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in METADATA.sorted_tables:
        column = table.autoincrement_column
        if column is None or not _is_numbered(table, column):
            continue
        connection.execute(
            text(
                f"select setval(pg_get_serial_sequence('{table.name}', '{column.name}'), "
                f"coalesce(max({column.name}), 0) + 1, false) from {table.name}"
            )
        )


def _is_numbered(table: Table, column: Column[Any]) -> bool:
    return column.name in table.primary_key.columns and column.type.python_type is int


def _to_json(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value


def _reader(column: Column[Any]) -> TypeAdapter[Any] | None:
    """What reads a column's JSON value; ``None`` for one that is JSON itself."""
    if isinstance(column.type, JSON):
        return None
    stored = column.type
    kind: Any = (stored.impl_instance if isinstance(stored, TypeDecorator) else stored).python_type
    return TypeAdapter(kind | None if column.nullable else kind)


def _from_json(
    name: str, readers: Mapping[str, TypeAdapter[Any] | None], row: Mapping[str, Any]
) -> Row:
    if row.keys() != readers.keys():
        raise ValueError(f"columns of {name}: {sorted(row.keys() ^ readers.keys())}")
    binary = {c.name for c in METADATA.tables[name].columns if isinstance(c.type, LargeBinary)}
    values: Row = {}
    for column, reader in readers.items():
        value = row[column]
        if column in binary and value is not None:
            value = base64.b64decode(value, validate=True)
        values[column] = value if reader is None else _read(reader, value)
    return values


def _read(reader: TypeAdapter[Any], value: Any) -> Any:
    if isinstance(value, bytes):
        return value
    # JSON has no dates: they are read from text, and nothing else is.
    return reader.validate_json(json.dumps(value), strict=True)

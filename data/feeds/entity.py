"""A table of a region: its columns, and how rows become values and values rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from data.feeds.rows import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity[T]:
    """One kind of table.

    ``from_row`` gives ``None`` where the row is wrong; the row then holds the causes.
    """

    name: str
    """Also the name of the region's file: ``<name>.csv``."""
    id_column: str
    columns: tuple[str, ...]
    """Columns in the order of the file."""
    required: tuple[str, ...]
    """Columns without which no row can be read."""
    from_row: Callable[[Row], T | None]
    to_cells: Callable[[T], Mapping[str, str]]
    id_of: Callable[[T], str]

"""What all tables share: names of constraints, rows with a history, documents as JSON."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

type Json = dict[str, Any]


class Versioned(SQLModel):
    """A thing of a region, as it was from one date to another.

    A change closes the row (``valid_to_date``, exclusive) and adds one; nothing is overwritten but
    what was wrong from the start. ``key`` is the thing's lasting id. What no query reads stands in
    ``facts``.
    """

    row_id: int | None = Field(default=None, primary_key=True)
    region_id: str = Field(foreign_key="region.region_id", max_length=64)
    key: str = Field(max_length=120)
    name: str = Field(default="", max_length=300)
    valid_from_date: date = Field(default=date.min)
    """First date of this version; ``date.min``: since ever."""
    valid_to_date: date | None = None
    order: int = Field(default=0)
    """Place among its kind, as the region lists them."""
    revision: int = Field(default=1)
    facts: Json = Field(default_factory=dict, sa_type=JSON)


def versioned_args(table: str) -> tuple[UniqueConstraint | Index, ...]:
    """Constraints of a table of things with a history: one version from a date, found by key."""
    return (
        UniqueConstraint("region_id", "key", "valid_from_date", name=f"uq_{table}_version"),
        Index(f"ix_{table}_current", "region_id", "valid_to_date"),
    )


def split(document: Mapping[str, Any], columns: frozenset[str]) -> tuple[Json, Json]:
    """A document's entries that have a column of their own, and the rest."""
    own = {name: value for name, value in document.items() if name in columns}
    return own, {name: value for name, value in document.items() if name not in columns}

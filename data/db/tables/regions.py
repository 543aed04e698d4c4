"""Regions and what is in them, each thing with its history."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from data.db.base import Json, Versioned, versioned_args


class RegionRow(SQLModel, table=True):
    """A region; ``facts`` holds its standard, sources, outlines and estimate."""

    __tablename__ = "region"
    region_id: str = Field(primary_key=True, max_length=64)
    names: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    time_zone: str = Field(max_length=64)
    language: str = Field(max_length=8)
    crs: str = Field(max_length=64)
    facts: Json = Field(default_factory=dict, sa_type=JSON)
    revision: int = Field(default=1)
    created_at: datetime
    changed_at: datetime
    closed_at: datetime | None = None
    """When it was put away; what happened in it stays readable."""


class MunicipalityRow(Versioned, table=True):
    """A municipal unit."""

    __tablename__ = "municipality"
    __table_args__: Any = versioned_args("municipality")
    population: int | None = None


class SettlementRow(Versioned, table=True):
    """An inhabited place; a merged one names what it became part of."""

    __tablename__ = "settlement"
    __table_args__: Any = versioned_args("settlement")
    lon: float
    lat: float
    population: int | None = None
    municipality_id: str | None = Field(default=None, max_length=120, index=True)
    merged_into: str | None = Field(default=None, max_length=120)


class LibraryRow(Versioned, table=True):
    """A fixed library or library point; a closed branch stays."""

    __tablename__ = "library"
    __table_args__: Any = versioned_args("library")
    lon: float | None = None
    lat: float | None = None
    kind: str = Field(default="library", max_length=16)
    standing: str = Field(default="known", max_length=16)
    settlement_id: str | None = Field(default=None, max_length=120)


class DepotRow(Versioned, table=True):
    """A base or a lodging."""

    __tablename__ = "depot"
    __table_args__: Any = versioned_args("depot")
    lon: float
    lat: float
    kind: str = Field(default="base", max_length=16)


class StopRow(Versioned, table=True):
    """A place where the doors open, with its site card in ``site``."""

    __tablename__ = "stop"
    __table_args__: Any = versioned_args("stop")
    lon: float
    lat: float
    kind: str = Field(default="public", max_length=16)
    community: str = Field(default="", max_length=300)
    site: Json = Field(default_factory=dict, sa_type=JSON)


class VehicleRow(Versioned, table=True):
    """A bookmobile."""

    __tablename__ = "vehicle"
    __table_args__: Any = versioned_args("vehicle")
    depot_id: str = Field(max_length=120)


class CrewMemberRow(Versioned, table=True):
    """A driver, librarian or specialist."""

    __tablename__ = "crew_member"
    __table_args__: Any = versioned_args("crew_member")
    role: str = Field(max_length=32)


class CalendarRow(Versioned, table=True):
    """Working weekdays, holidays, moved working days and school terms."""

    __tablename__ = "calendar"
    __table_args__: Any = versioned_args("calendar")


class NormSetRow(Versioned, table=True):
    """A set of access norms; an old one stays readable by date."""

    __tablename__ = "norm_set"
    __table_args__: Any = versioned_args("norm_set")


class RuleSetRow(Versioned, table=True):
    """A set of working-time rules."""

    __tablename__ = "rule_set"
    __table_args__: Any = versioned_args("rule_set")

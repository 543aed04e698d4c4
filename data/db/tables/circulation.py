"""Circulation aboard: what there was before the journal, the journal, what was refused."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from data.db.base import Json


class CirculationRow(SQLModel, table=True):
    """A region's circulation: how often it changed, its rules, the numbers it has given."""

    __tablename__ = "circulation"
    region_id: str = Field(primary_key=True, foreign_key="region.region_id", max_length=64)
    revision: int = Field(default=0)
    """Grows with every change."""
    base_revision: int = Field(default=0)
    """Grows where the base or the rules change: what was replayed must be replayed anew."""
    own_sequence: int = Field(default=0, sa_type=BigInteger)
    """Greatest number of the service's own journal."""
    rules: Json = Field(default_factory=dict, sa_type=JSON)
    """Changes of the rules of lending, by time."""


class CirculationThingRow(SQLModel, table=True):
    """A title, item, reader, loan or hold as it was before the first event of the journal."""

    __tablename__ = "circulation_thing"
    region_id: str = Field(primary_key=True, foreign_key="region.region_id", max_length=64)
    kind: str = Field(primary_key=True, max_length=16)
    key: str = Field(primary_key=True, max_length=64)
    facts: Json = Field(default_factory=dict, sa_type=JSON)


class JournalEventRow(SQLModel, table=True):
    """An event that was taken; its number tells the order in which they came."""

    __tablename__ = "journal_event"
    __table_args__ = (
        UniqueConstraint("region_id", "event_id", name="uq_journal_event_id"),
        UniqueConstraint("region_id", "device_id", "sequence", name="uq_journal_event_sequence"),
        Index("ix_journal_event_arrival", "region_id", "event_no"),
    )
    event_no: int | None = Field(default=None, primary_key=True)
    region_id: str = Field(foreign_key="region.region_id", max_length=64)
    event_id: str = Field(max_length=64)
    device_id: str = Field(max_length=64)
    sequence: int = Field(sa_type=BigInteger)
    digest: str = Field(max_length=64)
    """SHA-256 of the event as it came; ``facts`` may have lost what tells of a person."""
    received_at: datetime
    carried_by: str = Field(max_length=64)
    """Device or account that brought it."""
    facts: Json = Field(default_factory=dict, sa_type=JSON)


class ClockMarkRow(SQLModel, table=True):
    """A device's clock beside the server's at one exchange."""

    __tablename__ = "clock_mark"
    __table_args__ = (Index("ix_clock_mark_arrival", "region_id", "mark_no"),)
    mark_no: int | None = Field(default=None, primary_key=True)
    region_id: str = Field(foreign_key="region.region_id", max_length=64)
    device_id: str = Field(max_length=64)
    sequence: int = Field(sa_type=BigInteger)
    device_at: datetime
    server_at: datetime


class RefusedEventRow(SQLModel, table=True):
    """An event that could not be taken: kept for a person to look at."""

    __tablename__ = "refused_event"
    __table_args__ = (UniqueConstraint("region_id", "digest", name="uq_refused_event_digest"),)
    refused_no: int | None = Field(default=None, primary_key=True)
    region_id: str = Field(foreign_key="region.region_id", max_length=64)
    digest: str = Field(max_length=64)
    """SHA-256 of what came, so that it is kept once however often it is sent."""
    device_id: str = Field(default="", max_length=64)
    event_id: str = Field(default="", max_length=64)
    code: str = Field(max_length=64)
    reasons: Json = Field(default_factory=dict, sa_type=JSON)
    facts: Json = Field(default_factory=dict, sa_type=JSON)
    carried_by: str = Field(max_length=64)
    refused_at: datetime
    seen_at: datetime | None = None
    """When a person put it aside."""

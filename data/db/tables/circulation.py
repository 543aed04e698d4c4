"""Circulation aboard: what there was before the journal, the journal, what was refused."""

from datetime import date, datetime

from sqlalchemy import JSON, BigInteger, Index, UniqueConstraint, text
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
    settled_until: datetime | None = None
    """What happened until then is settled: it is in the base, and not replayed any more."""


class CirculationThingRow(SQLModel, table=True):
    """A title, item, reader, loan or hold as it was before the first event of the journal."""

    __tablename__ = "circulation_thing"
    region_id: str = Field(primary_key=True, foreign_key="region.region_id", max_length=64)
    kind: str = Field(primary_key=True, max_length=16)
    key: str = Field(primary_key=True, max_length=64)
    touched_at: datetime | None = None
    """When a settled event last had to do with it."""
    facts: Json = Field(default_factory=dict, sa_type=JSON)


class JournalEventRow(SQLModel, table=True):
    """An event that was taken; its number tells the order in which they came."""

    __tablename__ = "journal_event"
    __table_args__ = (
        UniqueConstraint("region_id", "event_id", name="uq_journal_event_id"),
        UniqueConstraint("region_id", "device_id", "sequence", name="uq_journal_event_sequence"),
        Index("ix_journal_event_arrival", "region_id", "event_no"),
        Index(
            "ix_journal_event_open",
            "region_id",
            "event_no",
            sqlite_where=text("settled_at IS NULL"),
            postgresql_where=text("settled_at IS NULL"),
        ),
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
    settled_at: datetime | None = None
    """When it happened, by the corrected clock, once the base holds what it came to."""
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


class LibrarySystemRow(SQLModel, table=True):
    """The library's own system of a region: how it is reached, and how far it was told."""

    __tablename__ = "library_system"
    region_id: str = Field(primary_key=True, foreign_key="region.region_id", max_length=64)
    kind: str = Field(default="", max_length=16)
    """Empty: none, the region stands alone."""
    is_on: bool = Field(default=False)
    revision: int = Field(default=0)
    """Grows with every change of the settings."""
    facts: Json = Field(default_factory=dict, sa_type=JSON)
    """Settings by name."""
    secrets: Json = Field(default_factory=dict, sa_type=JSON)
    """Passwords by name; never shown, never in answers, logs or the audit."""
    told_from: datetime | None = None
    """What happened before is not told: the library knew of it by other ways."""
    taken_revision: int = Field(default=-1)
    """The circulation's revision up to which operations were taken from the journal."""
    reached_at: datetime | None = None
    tried_at: datetime | None = None
    trouble: Json = Field(default_factory=dict, sa_type=JSON)
    """Why it was not reached, with since when; empty while it is."""
    held_by: str = Field(default="", max_length=64)
    held_until: datetime | None = None
    """Until then one process alone delivers."""


class LibraryPostingRow(SQLModel, table=True):
    """An operation for the library's own system and how far it got."""

    __tablename__ = "library_posting"
    __table_args__ = (
        UniqueConstraint("region_id", "operation_id", name="uq_library_posting_operation"),
        Index("ix_library_posting_standing", "region_id", "standing", "happened_at"),
    )
    posting_no: int | None = Field(default=None, primary_key=True)
    region_id: str = Field(foreign_key="region.region_id", max_length=64)
    operation_id: str = Field(max_length=64)
    event_id: str = Field(max_length=64)
    standing: str = Field(max_length=16)
    happened_at: datetime
    settled_at: datetime | None = None
    file_no: int | None = None
    """The file that carries it, where the system is told by files."""
    facts: Json = Field(default_factory=dict, sa_type=JSON)


class LibraryFileRow(SQLModel, table=True):
    """A file for the library's own system, as it was made."""

    __tablename__ = "library_file"
    __table_args__ = (Index("ix_library_file_region", "region_id", "file_no"),)
    file_no: int | None = Field(default=None, primary_key=True)
    region_id: str = Field(foreign_key="region.region_id", max_length=64)
    name: str = Field(max_length=120)
    made_at: datetime
    made_by: str = Field(default="", max_length=64)
    num_operations: int
    state: str = Field(default="made", max_length=16)
    """``made``, ``imported`` once a person said so, ``put_back`` where it was not."""
    content: bytes


class CirculationEndedRow(SQLModel, table=True):
    """A loan that has ended, or a visit's log, once it is settled: looked up, not kept in mind."""

    __tablename__ = "circulation_ended"
    __table_args__ = (
        Index("ix_circulation_ended_item", "region_id", "item_id"),
        Index("ix_circulation_ended_patron", "region_id", "patron_id"),
        Index("ix_circulation_ended_stop", "region_id", "stop_id", "ended_at"),
    )
    region_id: str = Field(primary_key=True, foreign_key="region.region_id", max_length=64)
    kind: str = Field(primary_key=True, max_length=16)
    key: str = Field(primary_key=True, max_length=64)
    item_id: str = Field(default="", max_length=64)
    patron_id: str = Field(default="", max_length=64)
    stop_id: str = Field(default="", max_length=120)
    """At which a loan was lent."""
    ended_at: datetime | None = None
    facts: Json = Field(default_factory=dict, sa_type=JSON)


class LoadPlanRow(SQLModel, table=True):
    """Which items go on a vehicle's run, as the planner chose and with its reasons."""

    __tablename__ = "load_plan"
    region_id: str = Field(primary_key=True, foreign_key="region.region_id", max_length=64)
    vehicle_id: str = Field(primary_key=True, max_length=120)
    service_date: date = Field(primary_key=True)
    made_at: datetime
    made_by: str = Field(default="", max_length=64)
    rules: Json = Field(default_factory=dict, sa_type=JSON)
    facts: Json = Field(default_factory=dict, sa_type=JSON)


class JournalClockRow(SQLModel, table=True):
    """Where the settled part of a device's journal ends, and how its clock stood there."""

    __tablename__ = "journal_clock"
    region_id: str = Field(primary_key=True, foreign_key="region.region_id", max_length=64)
    device_id: str = Field(primary_key=True, max_length=64)
    facts: Json = Field(default_factory=dict, sa_type=JSON)

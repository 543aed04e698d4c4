"""Stop visits on record, the electronic diary: what every report sums, and how it was corrected."""

from datetime import date, datetime

from sqlalchemy import JSON, BigInteger, Index
from sqlmodel import Field, SQLModel

from data.db.base import Json


class VisitRecordRow(SQLModel, table=True):
    """One stop visit as it is on record; made anew whenever something new is known of it.

    What no query reads by itself stands in few columns: reports read tens of thousands of rows.
    """

    __tablename__ = "visit_record"
    __table_args__ = (
        Index("ix_visit_record_day", "region_id", "service_date"),
        Index("ix_visit_record_stop", "region_id", "stop_id", "service_date"),
        Index("ix_visit_record_vehicle", "region_id", "vehicle_id", "service_date"),
    )
    region_id: str = Field(primary_key=True, foreign_key="region.region_id", max_length=64)
    key: str = Field(primary_key=True, max_length=64)
    visit_id: str | None = Field(default=None, max_length=36)
    stop_id: str | None = Field(default=None, max_length=120)
    name: str = Field(max_length=300)
    settlement_id: str | None = Field(default=None, max_length=120)
    municipality_id: str | None = Field(default=None, max_length=120)
    vehicle_id: str = Field(max_length=120)
    service_date: date
    position: int | None = None
    state: str = Field(max_length=16)
    reason: str = Field(default="", max_length=64)
    planned_open_at: datetime | None = None
    planned_close_at: datetime | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    is_gps_confirmed: bool = Field(default=False)
    counts: Json = Field(default_factory=dict, sa_type=JSON)
    """With the corrections in."""
    counted_by: str = Field(default="")
    """Ids, parted by spaces."""
    count_methods: str = Field(default="", max_length=100)
    """Parted by spaces."""
    num_corrections: int = Field(default=0)
    num_readers: int = Field(default=0)
    is_simulated: bool = Field(default=False)


class VisitReaderRow(SQLModel, table=True):
    """A reader served at a stop visit on record, under a pseudonym.

    Date and vehicle are those of the record: different readers are counted without it.
    """

    __tablename__ = "visit_reader"
    __table_args__ = (
        Index("ix_visit_reader_day", "region_id", "service_date", "reader", "band", "vehicle_id"),
    )
    region_id: str = Field(primary_key=True, foreign_key="region.region_id", max_length=64)
    key: str = Field(primary_key=True, max_length=64)
    reader: str = Field(primary_key=True, max_length=32)
    band: str = Field(default="", max_length=16)
    service_date: date
    vehicle_id: str = Field(max_length=120)


class CountCorrectionRow(SQLModel, table=True):
    """A person's change of one count of a stop visit on record; only ever added to."""

    __tablename__ = "count_correction"
    __table_args__ = (Index("ix_count_correction_record", "region_id", "key"),)
    correction_id: str = Field(primary_key=True, max_length=36)
    region_id: str = Field(foreign_key="region.region_id", max_length=64)
    key: str = Field(max_length=64)
    name: str = Field(max_length=64)
    amount: int
    reason: str = Field(max_length=500)
    corrected_at: datetime
    corrected_by: str = Field(max_length=36)


class RecordBookRow(SQLModel, table=True):
    """How far a region's records are kept up with what is known."""

    __tablename__ = "record_book"
    region_id: str = Field(primary_key=True, foreign_key="region.region_id", max_length=64)
    revision: int = Field(default=0, sa_type=BigInteger)
    """Grows with every change of a record or correction."""
    event_no: int = Field(default=0, sa_type=BigInteger)
    """Of the journal, and all that follow: what has been taken in."""
    mark_no: int = Field(default=0, sa_type=BigInteger)
    publication_revision: int = Field(default=0)
    reader_salt: str = Field(default="", max_length=64)
    """Secret by which readers' pseudonyms are made."""
    kept_until_date: date | None = None
    """Last service date whose day was over and has been written up."""


class RecordDueRow(SQLModel, table=True):
    """A service date of which the follower found something new since its records were made."""

    __tablename__ = "record_due"
    region_id: str = Field(primary_key=True, foreign_key="region.region_id", max_length=64)
    service_date: date = Field(primary_key=True)

"""What readers were told: timetables, each stop visit by its lasting id, exceptions, notices."""

from datetime import date, datetime

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from data.db.base import Json


class PublicationRow(SQLModel, table=True):
    """What readers of a region see, as one counter: it grows with every change to it.

    Whoever changes it writes here first and so goes before or after everybody else.
    """

    __tablename__ = "publication"
    region_id: str = Field(primary_key=True, foreign_key="region.region_id", max_length=64)
    revision: int = Field(default=0)
    changed_at: datetime


class TimetableRow(SQLModel, table=True):
    """One published version of a region's timetable; the newest holds from ``from_date`` on."""

    __tablename__ = "timetable"
    __table_args__ = (UniqueConstraint("region_id", "version"),)
    timetable_id: str = Field(primary_key=True, max_length=36)
    region_id: str = Field(foreign_key="region.region_id", max_length=64, index=True)
    version: int
    plan_id: str = Field(foreign_key="plan.plan_id", max_length=36)
    plan_revision: int
    from_date: date
    until_date: date
    note: str = Field(default="", max_length=1000)
    changes: Json = Field(default_factory=dict, sa_type=JSON)
    """How many stop visits were kept, moved, added and withdrawn."""
    places: Json = Field(default_factory=dict, sa_type=JSON)
    """Stops and vehicles as they were called when it was published."""
    published_at: datetime
    published_by: str | None = Field(default=None, max_length=36)


class StopVisitRow(SQLModel, table=True):
    """One stop visit as promised to readers; its id lasts through every change.

    ``state``: ``planned``, ``cancelled``, ``withdrawn`` (not in a later timetable), ``done``,
    ``partial``. ``sequence`` counts the changes that calendars must take over (RFC 5545, SEQUENCE).
    """

    __tablename__ = "stop_visit"
    __table_args__ = (
        Index("ix_stop_visit_day", "region_id", "service_date"),
        Index("ix_stop_visit_stop", "region_id", "stop_id", "service_date"),
    )
    visit_id: str = Field(primary_key=True, max_length=36)
    region_id: str = Field(foreign_key="region.region_id", max_length=64)
    timetable_id: str = Field(foreign_key="timetable.timetable_id", max_length=36)
    stop_id: str = Field(max_length=120)
    vehicle_id: str = Field(max_length=120)
    service_date: date
    """Date of the run; times are seconds from its midnight and may pass 86 400."""
    position: int
    arrival_s: int
    start_s: int
    end_s: int
    departure_s: int
    services: list[str] = Field(default_factory=list, sa_type=JSON)
    state: str = Field(default="planned", max_length=16)
    reason: str = Field(default="", max_length=32)
    """Code of why it is cancelled."""
    sequence: int = Field(default=0)
    make_up_for: str | None = Field(default=None, max_length=36)
    """The cancelled visit that this one stands in for."""
    published_at: datetime
    changed_at: datetime


class ServiceExceptionRow(SQLModel, table=True):
    """What a day brings that no timetable foresaw, and what was done about it.

    ``kind``: ``closed_day``, ``vehicle_off``, ``crew_absent``, ``cancelled``. ``effects`` lists, in
    order, each thing that was changed with its state before and after, so that one undo restores
    all of them.
    """

    __tablename__ = "service_exception"
    exception_id: str = Field(primary_key=True, max_length=36)
    region_id: str = Field(foreign_key="region.region_id", max_length=64, index=True)
    kind: str = Field(max_length=16)
    from_date: date
    until_date: date
    vehicle_id: str | None = Field(default=None, max_length=120)
    crew_member_id: str | None = Field(default=None, max_length=120)
    visit_ids: list[str] = Field(default_factory=list, sa_type=JSON)
    reason: str = Field(default="", max_length=32)
    note: str = Field(default="", max_length=500)
    effects: list[Json] = Field(default_factory=list, sa_type=JSON)
    created_at: datetime
    created_by: str | None = Field(default=None, max_length=36)
    undone_at: datetime | None = None
    undone_by: str | None = Field(default=None, max_length=36)


class NoticeRow(SQLModel, table=True):
    """What readers of a stop are told besides its timetable: a code with facts, never free HTML."""

    __tablename__ = "notice"
    notice_id: str = Field(primary_key=True, max_length=36)
    region_id: str = Field(foreign_key="region.region_id", max_length=64, index=True)
    stop_id: str = Field(max_length=120, index=True)
    visit_id: str | None = Field(default=None, max_length=36)
    exception_id: str | None = Field(default=None, max_length=36)
    code: str = Field(max_length=64)
    facts: Json = Field(default_factory=dict, sa_type=JSON)
    shown_from_date: date
    shown_until_date: date
    created_at: datetime
    withdrawn_at: datetime | None = None

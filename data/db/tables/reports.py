"""Reports: what a region says for them, which are sent by themselves, and what was sent."""

from datetime import date, datetime

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from data.db.base import Json


class ReportSettingsRow(SQLModel, table=True):
    """Targets, rules of review, prices and quotas of a region."""

    __tablename__ = "report_settings"
    region_id: str = Field(primary_key=True, foreign_key="region.region_id", max_length=64)
    facts: Json = Field(default_factory=dict, sa_type=JSON)
    revision: int = Field(default=1)
    changed_at: datetime
    changed_by: str | None = Field(default=None, max_length=36)


class ReportScheduleRow(SQLModel, table=True):
    """A standing order for a report."""

    __tablename__ = "report_schedule"
    __table_args__ = (Index("ix_report_schedule_region", "region_id"),)
    schedule_id: str = Field(primary_key=True, max_length=36)
    region_id: str = Field(foreign_key="region.region_id", max_length=64)
    kind: str = Field(max_length=16)
    format: str = Field(max_length=16)
    period: str = Field(max_length=16)
    channel: str = Field(max_length=16)
    recipient: str = Field(max_length=254)
    language: str = Field(default="ru", max_length=8)
    vehicle_id: str | None = Field(default=None, max_length=120)
    form_id: str = Field(default="", max_length=64)
    is_active: bool = Field(default=True)
    created_at: datetime
    created_by: str | None = Field(default=None, max_length=36)
    revision: int = Field(default=1)


class ReportDeliveryRow(SQLModel, table=True):
    """One report for one span: sent, to be sent, or failed."""

    __tablename__ = "report_delivery"
    __table_args__ = (
        UniqueConstraint("schedule_id", "until_date", name="uq_report_delivery_span"),
        Index("ix_report_delivery_region", "region_id", "due_at"),
        Index("ix_report_delivery_due", "state", "due_at"),
    )
    delivery_id: str = Field(primary_key=True, max_length=36)
    schedule_id: str = Field(foreign_key="report_schedule.schedule_id", max_length=36)
    region_id: str = Field(foreign_key="region.region_id", max_length=64)
    from_date: date
    until_date: date
    state: str = Field(default="waiting", max_length=16)
    tries: int = Field(default=0)
    due_at: datetime
    claimed_until_at: datetime | None = None
    """While somebody sends it nobody else does."""
    ended_at: datetime | None = None
    file: str = Field(default="", max_length=200)
    num_bytes: int | None = None
    code: str = Field(default="", max_length=64)
    facts: Json = Field(default_factory=dict, sa_type=JSON)

"""What people write down of driven days, and what was learned from them."""

from datetime import date, datetime

from sqlalchemy import JSON, Index
from sqlmodel import Field, SQLModel

from data.db.base import Json


class DaySheetRow(SQLModel, table=True):
    """Odometer, fuel and waybill of one vehicle and date; what no query reads is in ``facts``."""

    __tablename__ = "day_sheet"
    region_id: str = Field(primary_key=True, foreign_key="region.region_id", max_length=64)
    vehicle_id: str = Field(primary_key=True, max_length=120)
    service_date: date = Field(primary_key=True)
    number: str = Field(default="", max_length=200)
    odometer_out_km: float | None = None
    odometer_in_km: float | None = None
    fuel: float | None = None
    facts: Json = Field(default_factory=dict, sa_type=JSON)
    revision: int = Field(default=1)
    changed_at: datetime
    changed_by: str | None = Field(default=None, max_length=36)


class LearnedProposalRow(SQLModel, table=True):
    """Times and demand learned from recorded days, to be accepted or rejected by a person.

    ``state``: ``open``, ``accepted`` (what plans go by; one of a region at most), ``rejected``,
    ``replaced`` (accepted once, another was later), ``withdrawn`` (accepted once, then taken out of
    use). ``review`` holds the rows that were shown.
    """

    __tablename__ = "learned_proposal"
    __table_args__ = (Index("ix_learned_proposal_state", "region_id", "state"),)
    proposal_id: str = Field(primary_key=True, max_length=36)
    region_id: str = Field(foreign_key="region.region_id", max_length=64)
    plan_id: str = Field(foreign_key="plan.plan_id", max_length=36)
    state: str = Field(default="open", max_length=16)
    first_date: date
    last_date: date
    num_days: int
    num_legs: int
    learned: Json = Field(sa_type=JSON)
    review: Json = Field(default_factory=dict, sa_type=JSON)
    note: str = Field(default="", max_length=500)
    created_at: datetime
    created_by: str | None = Field(default=None, max_length=36)
    decided_at: datetime | None = None
    decided_by: str | None = Field(default=None, max_length=36)
    revision: int = Field(default=1)

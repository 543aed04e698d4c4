"""Plans: what was asked, every state that the plan has had, and who made it so."""

from datetime import datetime

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from data.db.base import Json


class PlanRow(SQLModel, table=True):
    """A plan: ``revision`` is the state shown now, ``version`` grows with every change.

    The version guards against lost updates.
    """

    __tablename__ = "plan"
    plan_id: str = Field(primary_key=True, max_length=36)
    region_id: str = Field(foreign_key="region.region_id", max_length=64, index=True)
    name: str = Field(max_length=200)
    revision: int = Field(default=1)
    version: int = Field(default=1)
    facts: Json = Field(default_factory=dict, sa_type=JSON)
    """Weeks, dates, number of vehicles and whatever else the list of plans shows."""
    from_plan_id: str | None = Field(default=None, max_length=36)
    created_at: datetime
    created_by: str | None = Field(default=None, max_length=36)
    archived_at: datetime | None = None


class PlanRevisionRow(SQLModel, table=True):
    """One state of a plan: its runs and pins, and the step that led to it from ``parent``."""

    __tablename__ = "plan_revision"
    __table_args__ = (UniqueConstraint("plan_id", "revision"),)
    row_id: int | None = Field(default=None, primary_key=True)
    plan_id: str = Field(foreign_key="plan.plan_id", max_length=36, index=True)
    revision: int
    parent: int | None = None
    plan: bytes
    """The compressed plan of the plan file."""
    request_revision: int
    """The revision that holds what this one is judged by."""
    request: bytes | None = None
    """The compressed request of the plan file; ``None`` where a state before has the same."""
    pins: Json = Field(default_factory=dict, sa_type=JSON)
    step: Json = Field(default_factory=dict, sa_type=JSON)
    """What was done: ``code`` and its facts."""
    summary: Json = Field(default_factory=dict, sa_type=JSON)
    num_violations: int = Field(default=0)
    created_at: datetime
    created_by: str | None = Field(default=None, max_length=36)

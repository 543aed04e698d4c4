"""Long work, so that it survives whoever does it."""

from datetime import datetime

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from data.db.base import Json


class PlanJobRow(SQLModel, table=True):
    """One piece of long work.

    ``state``: ``queued``, ``running``, ``done``, ``failed``, ``cancelled``. A running job whose
    ``beat_at`` is old has lost its worker and is handed out again.
    """

    __tablename__ = "plan_job"
    __table_args__ = (Index("ix_plan_job_newest", "region_id", "created_at", "job_id"),)
    job_id: str = Field(primary_key=True, max_length=36)
    region_id: str = Field(foreign_key="region.region_id", max_length=64)
    plan_id: str | None = Field(default=None, max_length=36, index=True)
    kind: str = Field(max_length=32)
    """What is done: ``plan``, ``replan``, ``explain``, ``frontier``, ``fleet_size``."""
    state: str = Field(default="queued", max_length=16, index=True)
    params: Json = Field(default_factory=dict, sa_type=JSON)
    fraction: float = Field(default=0.0)
    told: Json = Field(default_factory=dict, sa_type=JSON)
    """What to tell people of it now: phase, ``code`` and facts, figures so far."""
    result: Json = Field(default_factory=dict, sa_type=JSON)
    failure: Json = Field(default_factory=dict, sa_type=JSON)
    """``code``, ``facts`` and ``problems`` of a failed job."""
    is_cancelled: bool = Field(default=False)
    """Whether somebody asked to stop; the best so far is kept."""
    beat_at: datetime | None = None
    tries: int = Field(default=0)
    worker: str | None = Field(default=None, max_length=120)
    created_at: datetime
    created_by: str | None = Field(default=None, max_length=36)
    started_at: datetime | None = None
    ended_at: datetime | None = None


class JobPlanRow(SQLModel, table=True):
    """A plan that a job found to choose from, with what it is judged by.

    ``request`` is empty where it is that of the job's first plan.
    """

    __tablename__ = "job_plan"
    __table_args__ = (UniqueConstraint("job_id", "name"),)
    row_id: int | None = Field(default=None, primary_key=True)
    job_id: str = Field(foreign_key="plan_job.job_id", max_length=36, index=True)
    name: str = Field(max_length=200)
    request: bytes
    plan: bytes
    summary: Json = Field(default_factory=dict, sa_type=JSON)
    facts: Json = Field(default_factory=dict, sa_type=JSON)
    plan_id: str | None = Field(default=None, max_length=36)
    """The plan that it was kept as."""

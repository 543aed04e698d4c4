"""Long work, so that it survives whoever does it."""

from datetime import datetime

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from data.db.base import Json


class PlanJobRow(SQLModel, table=True):
    """One piece of long work.

    ``state``: ``queued``, ``running``, ``done``, ``failed``, ``cancelled``. A running job whose
    ``beat_at`` is old has lost its worker and is handed out again.
    """

    __tablename__ = "plan_job"
    job_id: str = Field(primary_key=True, max_length=36)
    region_id: str | None = Field(default=None, max_length=64, index=True)
    plan_id: str | None = Field(default=None, max_length=36, index=True)
    kind: str = Field(max_length=32)
    """What is done: ``plan``, ``replan``, ``explain``, ``frontier``, ``fleet_size`` …"""
    state: str = Field(default="queued", max_length=16, index=True)
    params: Json = Field(default_factory=dict, sa_type=JSON)
    fraction: float = Field(default=0.0)
    told: Json = Field(default_factory=dict, sa_type=JSON)
    """What to tell people of it now: ``code`` and facts, figures so far."""
    result: Json = Field(default_factory=dict, sa_type=JSON)
    is_cancelled: bool = Field(default=False)
    """Whether somebody asked to stop; the best so far is kept."""
    beat_at: datetime | None = None
    tries: int = Field(default=0)
    worker: str | None = Field(default=None, max_length=120)
    created_at: datetime
    created_by: str | None = Field(default=None, max_length=36)
    ended_at: datetime | None = None

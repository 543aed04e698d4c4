"""Requests of residents for a stop."""

from datetime import datetime

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from data.db.base import Json


class StopRequestRow(SQLModel, table=True):
    """A request with its answer; who asked is known by a secret address alone."""

    __tablename__ = "stop_request"
    request_id: str = Field(primary_key=True, max_length=36)
    region_id: str = Field(foreign_key="region.region_id", max_length=64, index=True)
    token_hash: str = Field(max_length=64, unique=True)
    place: str = Field(max_length=120)
    reason: str = Field(max_length=1000)
    contact: str = Field(default="", max_length=200)
    people: int | None = None
    settlement_id: str | None = Field(default=None, max_length=120)
    language: str = Field(max_length=8)
    state: str = Field(max_length=16, index=True)
    answer: str = Field(default="", max_length=1000)
    answered_at: datetime | None = None
    answered_by: str | None = Field(default=None, max_length=36)
    score: Json = Field(default_factory=dict, sa_type=JSON)
    scored_at: datetime | None = None
    created_at: datetime = Field(index=True)
    counted_people: int | None = None
    """How many people the planner is to expect because of it."""
    counted_at: datetime | None = None
    counted_by: str | None = Field(default=None, max_length=36)

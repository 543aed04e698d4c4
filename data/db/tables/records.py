"""What happened: the audit log, live events, answers to repeated requests."""

from datetime import datetime

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from data.db.base import Json


class AuditRow(SQLModel, table=True):
    """Who changed what, when; only ever added to."""

    __tablename__ = "audit"
    audit_id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(index=True)
    account_id: str | None = Field(default=None, max_length=36, index=True)
    """``None``: the program itself, or nobody signed in."""
    device_id: str | None = Field(default=None, max_length=36)
    region_id: str | None = Field(default=None, max_length=64, index=True)
    action: str = Field(max_length=64)
    """Dotted code: ``plan.publish``, ``account.add`` …"""
    subject: str = Field(default="", max_length=200)
    facts: Json = Field(default_factory=dict, sa_type=JSON)


class EventRow(SQLModel, table=True):
    """Something that open pages want to know; its id is the Last-Event-ID."""

    __tablename__ = "event"
    event_id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(index=True)
    region_id: str | None = Field(default=None, max_length=64)
    topic: str = Field(max_length=64)
    """``job``, ``plan``, ``timetable``, ``notice`` …"""
    subject: str = Field(default="", max_length=64)
    facts: Json = Field(default_factory=dict, sa_type=JSON)


class AnswerRow(SQLModel, table=True):
    """The answer to a request that named an idempotency key; a repetition gets it again."""

    __tablename__ = "answer"
    key: str = Field(primary_key=True, max_length=200)
    """Who asked and the key that he chose."""
    request_hash: str = Field(max_length=64)
    status: int
    headers: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    body: bytes
    at: datetime = Field(index=True)

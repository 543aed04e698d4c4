"""Letters to residents: addresses that asked to be told about a stop, and the box of letters."""

from datetime import datetime

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from data.db.base import Json


class SubscriptionRow(SQLModel, table=True):
    """An address and the stop that it is told about; deleted when its owner has had enough."""

    __tablename__ = "subscription"
    __table_args__ = (
        UniqueConstraint("region_id", "stop_id", "address_key", name="uq_subscription_address"),
        Index("ix_subscription_address", "region_id", "address_key"),
    )
    subscription_id: str = Field(primary_key=True, max_length=36)
    region_id: str = Field(foreign_key="region.region_id", max_length=64)
    stop_id: str = Field(max_length=120)
    address: str = Field(max_length=254)
    address_key: str = Field(max_length=254)
    """The address without regard to case."""
    language: str = Field(max_length=8)
    wants_reminder: bool = Field(default=False)
    key: str = Field(max_length=64)
    created_at: datetime
    asked_at: datetime
    expires_at: datetime | None = Field(default=None, index=True)
    confirmed_at: datetime | None = None
    num_refused: int = Field(default=0)


class LetterRow(SQLModel, table=True):
    """One letter: to be sent, sent, or given up; its words are made when it is sent."""

    __tablename__ = "letter"
    __table_args__ = (
        Index("ix_letter_due", "state", "due_at"),
        Index("ix_letter_region", "region_id", "state", "created_at"),
    )
    letter_id: str = Field(primary_key=True, max_length=36)
    region_id: str = Field(foreign_key="region.region_id", max_length=64)
    kind: str = Field(max_length=16)
    mark: str = Field(max_length=160, unique=True)
    """Reader and change: nobody is told of one change twice."""
    subscription_id: str | None = Field(
        default=None, foreign_key="subscription.subscription_id", max_length=36, index=True
    )
    request_id: str | None = Field(default=None, max_length=36)
    notice_id: str | None = Field(default=None, max_length=36, index=True)
    facts: Json = Field(default_factory=dict, sa_type=JSON)
    state: str = Field(default="waiting", max_length=16)
    tries: int = Field(default=0)
    created_at: datetime
    due_at: datetime
    until_at: datetime
    claimed_until_at: datetime | None = None
    """While somebody sends it nobody else does."""
    ended_at: datetime | None = None
    code: str = Field(default="", max_length=64)
    cause: str = Field(default="", max_length=300)

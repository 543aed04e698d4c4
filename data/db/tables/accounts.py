"""Who may do what: accounts of staff, their sign-ins, paired devices."""

from datetime import datetime

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel


class AccountRow(SQLModel, table=True):
    """A login of staff. A removed account stays, closed, for what it did."""

    __tablename__ = "account"
    account_id: str = Field(primary_key=True, max_length=36)
    login: str = Field(max_length=120, unique=True)
    """Lower case."""
    name: str = Field(default="", max_length=200)
    roles: list[str] = Field(default_factory=list, sa_type=JSON)
    region_ids: list[str] = Field(default_factory=list, sa_type=JSON)
    """Regions that it works in; empty means all."""
    language: str | None = Field(default=None, max_length=8)
    password_hash: str | None = Field(default=None, max_length=300)
    """``None``: signs in by the organisation's own accounts alone."""
    oidc_subject: str | None = Field(default=None, max_length=300, unique=True)
    is_demo: bool = Field(default=False)
    revision: int = Field(default=1)
    created_at: datetime
    closed_at: datetime | None = None


class SignInRow(SQLModel, table=True):
    """A sign-in of an account, known by the SHA-256 of its token."""

    __tablename__ = "sign_in"
    token_hash: str = Field(primary_key=True, max_length=64)
    account_id: str = Field(foreign_key="account.account_id", max_length=36, index=True)
    created_at: datetime
    used_at: datetime
    ends_at: datetime


class DeviceRow(SQLModel, table=True):
    """A tablet or tracker: paired once by a code that a dispatcher shows, revocable."""

    __tablename__ = "device"
    device_id: str = Field(primary_key=True, max_length=36)
    region_id: str = Field(foreign_key="region.region_id", max_length=64, index=True)
    vehicle_id: str | None = Field(default=None, max_length=120)
    name: str = Field(max_length=120)
    roles: list[str] = Field(default_factory=list, sa_type=JSON)
    token_hash: str | None = Field(default=None, max_length=64, unique=True)
    pair_hash: str | None = Field(default=None, max_length=64, unique=True)
    pair_until_at: datetime | None = None
    created_at: datetime
    created_by: str | None = Field(default=None, max_length=36)
    paired_at: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None

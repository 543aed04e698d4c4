"""Accounts and sign-ins over HTTP."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from data.model.accounts import NAME_MAX, PASSWORD_MAX, Account, Caller, Role, SignIn

NUL_FREE = r"^[^\x00]*$"
"""PostgreSQL stores no NUL character."""

Login = Annotated[str, Field(min_length=3, max_length=120, pattern=NUL_FREE)]
Name = Annotated[str, Field(max_length=NAME_MAX, pattern=NUL_FREE)]
Language = Annotated[str, Field(pattern="^(en|ru)$", description="Language of pages: en or ru.")]
RegionIds = Annotated[
    list[Annotated[str, Field(max_length=64, pattern=NUL_FREE)]],
    Field(max_length=200, description="Regions that it works in; empty: all."),
]
Roles = Annotated[list[Role], Field(min_length=1, max_length=6)]


class SignInCreate(BaseModel):
    """Login and password."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"login": "olga", "password": "long enough words"}]},
    )
    login: str = Field(max_length=200)
    password: SecretStr = Field(max_length=1000)


class CallerPublic(BaseModel):
    """Whoever asks."""

    account_id: str | None
    device_id: str | None
    name: str
    roles: list[Role]
    region_ids: list[str] = Field(description="Regions that it works in; empty: all.")
    language: str | None

    @classmethod
    def from_domain(cls, caller: Caller) -> "CallerPublic":
        """What the API tells of the one who asks."""
        return cls(
            account_id=caller.account_id,
            device_id=caller.device_id,
            name=caller.name,
            roles=sorted(caller.roles),
            region_ids=sorted(caller.region_ids),
            language=caller.language,
        )


class SignInPublic(BaseModel):
    """One of an account's sign-ins."""

    sign_in_id: str
    created_at: datetime
    used_at: datetime
    ends_at: datetime
    is_this: bool = Field(description="Whether this request came by it.")

    @classmethod
    def from_domain(cls, sign_in: SignIn, this_id: str | None) -> "SignInPublic":
        """What the API tells of a sign-in."""
        return cls(
            sign_in_id=sign_in.sign_in_id,
            created_at=sign_in.created_at,
            used_at=sign_in.used_at,
            ends_at=sign_in.ends_at,
            is_this=sign_in.sign_in_id == this_id,
        )


class OwnPassword(BaseModel):
    """A change of one's own password."""

    model_config = ConfigDict(extra="forbid")
    old: SecretStr = Field(max_length=1000)
    new: SecretStr = Field(max_length=PASSWORD_MAX)


class OwnLanguage(BaseModel):
    """The language in which pages speak to one; null: as the browser asks."""

    model_config = ConfigDict(extra="forbid")
    language: Language | None


class AccountCreate(BaseModel):
    """A new account; without a password it signs in by the organisation's accounts alone."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "login": "olga",
                    "name": "Ольга Петровна",
                    "roles": ["dispatcher"],
                    "region_ids": ["kaliningrad"],
                    "language": "ru",
                    "password": "long enough words",
                }
            ]
        },
    )
    login: Login
    name: Name = ""
    roles: Roles
    region_ids: RegionIds = []
    language: Language | None = None
    password: SecretStr | None = Field(default=None, max_length=PASSWORD_MAX)


class AccountUpdate(BaseModel):
    """What to change; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"roles": ["librarian", "analyst"]}]}
    )
    name: Name | None = None
    roles: Roles | None = None
    region_ids: RegionIds | None = None
    language: Language | None = None


class AccountPassword(BaseModel):
    """A new password given by an administrator; null takes the password away."""

    model_config = ConfigDict(extra="forbid")
    password: SecretStr | None = Field(max_length=PASSWORD_MAX)


class AccountPublic(BaseModel):
    """An account of staff."""

    account_id: str
    login: str
    name: str
    roles: list[Role]
    region_ids: list[str]
    language: str | None
    has_password: bool
    is_linked: bool = Field(description="Whether the organisation's own account is bound to it.")
    is_demo: bool
    revision: int
    created_at: datetime
    closed_at: datetime | None

    @classmethod
    def from_domain(cls, account: Account) -> "AccountPublic":
        """What the API tells of an account."""
        return cls(
            account_id=account.account_id,
            login=account.login,
            name=account.name,
            roles=list(account.roles),
            region_ids=list(account.region_ids),
            language=account.language,
            has_password=account.has_password,
            is_linked=account.is_linked,
            is_demo=account.is_demo,
            revision=account.revision,
            created_at=account.created_at,
            closed_at=account.closed_at,
        )

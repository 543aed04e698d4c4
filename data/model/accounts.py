"""Who may do what: roles, accounts of staff, their sign-ins, paired devices."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from data.model.errors import InputError

LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,118}[a-z0-9]")
NAME_MAX = 200
PASSWORD_MIN = 10
PASSWORD_MAX = 200


class Role(StrEnum):
    """What somebody may do; ``PUBLIC`` is everybody, signed in or not."""

    ADMIN = "admin"
    DISPATCHER = "dispatcher"
    LIBRARIAN = "librarian"
    CREW = "crew"
    ANALYST = "analyst"
    PUBLIC = "public"


STAFF_ROLES = (Role.ADMIN, Role.DISPATCHER, Role.LIBRARIAN, Role.CREW, Role.ANALYST)
"""Roles that an account can have, as pages list them."""
DEVICE_ROLES = (Role.CREW, Role.LIBRARIAN)
"""Roles that a device can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whoever asks: an account, a device or nobody known.

    ``region_ids`` are the regions that it works in; empty means all.
    """

    account_id: str | None = None
    device_id: str | None = None
    name: str = ""
    roles: frozenset[Role] = frozenset({Role.PUBLIC})
    region_ids: frozenset[str] = frozenset()
    language: str | None = None
    vehicle_id: str | None = None
    """The vehicle that a device rides on."""

    @property
    def is_known(self) -> bool:
        """Whether it is signed in or paired."""
        return self.account_id is not None or self.device_id is not None

    @property
    def is_admin(self) -> bool:
        return Role.ADMIN in self.roles

    def may(self, *roles: Role) -> bool:
        """Whether it has one of the roles; an administrator may all."""
        return self.is_admin or not self.roles.isdisjoint(roles)

    def works_in(self, region_id: str) -> bool:
        """Whether the region is one of its own."""
        return self.is_known and (
            self.is_admin or not self.region_ids or region_id in self.region_ids
        )


NOBODY = Caller()
PROGRAM = Caller(name="program", roles=frozenset({Role.ADMIN}))
"""The program itself: commands of the terminal, jobs, housekeeping."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A login of staff.

    ``region_ids`` empty means all regions; ``has_password`` is false for one that signs in by the
    organisation's own accounts alone.
    """

    account_id: str
    login: str
    name: str
    roles: tuple[Role, ...]
    created_at: datetime
    region_ids: tuple[str, ...] = ()
    language: str | None = None
    has_password: bool = False
    is_linked: bool = False
    """Whether the organisation's own account is bound to it."""
    is_demo: bool = False
    revision: int = 1
    closed_at: datetime | None = None

    def __post_init__(self) -> None:
        check_login(self.login)
        if len(self.name) > NAME_MAX:
            raise InputError("account.name_long", length=len(self.name), limit=NAME_MAX)
        if Role.PUBLIC in self.roles or not self.roles:
            raise InputError("account.no_role", known=", ".join(STAFF_ROLES))

    def as_caller(self) -> Caller:
        """The account as whoever asks."""
        return Caller(
            account_id=self.account_id,
            name=self.name or self.login,
            roles=frozenset(self.roles),
            region_ids=frozenset(self.region_ids),
            language=self.language,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A sign-in of an account; ``sign_in_id`` is the beginning of its token's hash."""

    sign_in_id: str
    account_id: str
    created_at: datetime
    used_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A tablet or tracker: paired once by a code, revocable."""

    device_id: str
    region_id: str
    name: str
    roles: tuple[Role, ...]
    created_at: datetime
    vehicle_id: str | None = None
    created_by: str | None = None
    pair_until_at: datetime | None = None
    paired_at: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None

    def as_caller(self) -> Caller:
        """The device as whoever asks."""
        return Caller(
            device_id=self.device_id,
            name=self.name,
            roles=frozenset(self.roles),
            region_ids=frozenset({self.region_id}),
            vehicle_id=self.vehicle_id,
        )


def check_login(login: str) -> None:
    """A login is lower case Latin letters, digits and ``. _ @ + -``.

    Raises
    ------
    InputError
        ``account.bad_login``.
    """
    if not LOGIN.fullmatch(login):
        raise InputError("account.bad_login", login=login)


def check_password(password: str, login: str = "") -> None:
    """A password is long enough and is not the login.

    Raises
    ------
    InputError
        ``account.password_short``, ``account.password_long`` or ``account.password_is_login``.
    """
    if len(password) < PASSWORD_MIN:
        raise InputError("account.password_short", limit=PASSWORD_MIN)
    if len(password) > PASSWORD_MAX:
        raise InputError("account.password_long", limit=PASSWORD_MAX)
    if login and password.lower() == login:
        raise InputError("account.password_is_login")

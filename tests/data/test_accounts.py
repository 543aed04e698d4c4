"""Accounts, devices and callers as values: what is allowed, who may what."""

from datetime import UTC, datetime

import pytest

from data.model.accounts import (
    NOBODY,
    PROGRAM,
    Account,
    Caller,
    Device,
    Role,
    check_password,
)
from data.model.errors import InputError

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def account(login: str = "olga", *roles: Role, name: str = "") -> Account:
    return Account(
        account_id="a", login=login, name=name, roles=roles or (Role.CREW,), created_at=NOW
    )


@pytest.mark.parametrize("login", ["olga", "o.petrova@library.example", "a-1", "0+0"])
def test_logins_that_are_allowed(login: str) -> None:
    """Small Latin letters, digits and a few signs, so that one login is written one way."""
    assert account(login).login == login


@pytest.mark.parametrize(
    "login", ["", "ab", "Olga", "ольга", "a b c", ".olga", "olga.", "a/b", "x" * 121, "olga\n"]
)
def test_logins_that_are_not(login: str) -> None:
    """Capitals, other scripts, spaces, signs at the ends, too short, too long."""
    with pytest.raises(InputError, match="bad_login"):
        account(login)


def test_an_account_has_a_role_that_is_not_everybodys() -> None:
    """None at all and ``public`` are refused; so is a name without end."""
    with pytest.raises(InputError, match="no_role"):
        Account(account_id="a", login="olga", name="", roles=(), created_at=NOW)
    with pytest.raises(InputError, match="no_role"):
        account("olga", Role.CREW, Role.PUBLIC)
    with pytest.raises(InputError, match="name_long"):
        account(name="x" * 201)


@pytest.mark.parametrize(
    ("password", "login", "code"),
    [
        ("123456789", "olga", "account.password_short"),
        ("x" * 201, "olga", "account.password_long"),
        ("Olga.Petrova", "olga.petrova", "account.password_is_login"),
    ],
)
def test_passwords_that_are_not_allowed(password: str, login: str, code: str) -> None:
    """Too short, too long to hash again and again, the login itself."""
    with pytest.raises(InputError) as refusal:
        check_password(password, login)
    assert refusal.value.code == code
    assert password not in str(refusal.value)


def test_a_long_password_needs_no_signs() -> None:
    """Ten characters of anything: length is what counts."""
    check_password("в библиотеке тихо", "olga")


def test_an_administrator_may_all() -> None:
    """Every role's work, in every region, whatever regions are named."""
    boss = Caller(account_id="a", roles=frozenset({Role.ADMIN}), region_ids=frozenset({"x"}))
    assert all(boss.may(role) for role in Role)
    assert boss.works_in("rutland")
    assert PROGRAM.may(Role.DISPATCHER)


def test_others_may_what_their_roles_say_in_their_regions() -> None:
    """One role of several is enough; no region named means all of them."""
    crew = account("olga", Role.CREW, Role.ANALYST).as_caller()
    assert crew.may(Role.DISPATCHER, Role.CREW)
    assert not crew.may(Role.DISPATCHER, Role.ADMIN)
    assert crew.works_in("rutland")
    device = Device(
        device_id="d", region_id="rutland", name="t", roles=(Role.CREW,), created_at=NOW
    ).as_caller()
    assert device.works_in("rutland")
    assert not device.works_in("lapland")
    assert device.is_known
    assert device.account_id is None


def test_nobody_works_nowhere() -> None:
    """Whoever is not signed in has the role of everybody and no region, though none is named."""
    assert not NOBODY.is_known
    assert NOBODY.may(Role.PUBLIC)
    assert not NOBODY.may(Role.CREW)
    assert not NOBODY.works_in("rutland")

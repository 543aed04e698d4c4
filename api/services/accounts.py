"""Accounts of staff: made, changed and closed by administrators, and by whose they are."""

import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from api.auth import hash_token
from api.limiter import Limit
from api.passwords import check_password_hash, hash_password
from api.services.signing_in import normal_login
from api.state import Service
from api.words import LANGUAGES
from data.db import accounts_store, audit_store
from data.db.engine import reading, writing
from data.db.regions_known_store import unknown_regions
from data.db.turns import take_turn
from data.model.accounts import Account, Caller, Role, check_password
from data.model.errors import AccessError, ConflictError, InputError


def new_account(
    now: datetime,
    *,
    login: str,
    name: str,
    roles: Iterable[Role],
    region_ids: Iterable[str] = (),
    language: str | None = None,
    is_demo: bool = False,
) -> Account:
    """An account that is not stored yet.

    Raises
    ------
    InputError
        Where a value is not allowed.
    """
    _check_language(language)
    return Account(
        account_id=uuid.uuid4().hex,
        login=normal_login(login),
        name=name.strip(),
        roles=tuple(sorted(set(roles), key=list(Role).index)),
        region_ids=tuple(sorted(set(region_ids))),
        language=language,
        is_demo=is_demo,
        created_at=now,
    )


def hash_for(account: Account, password: str | None) -> str | None:
    """What to store of a new password; ``None`` for an account without one.

    Raises
    ------
    InputError
        Where the password is not allowed.
    """
    if password is None:
        return None
    check_password(password, account.login)
    return hash_password(password)


def add_account(
    session: Session, caller: Caller, account: Account, password_hash: str | None
) -> Account:
    """Store a new account, in the caller's transaction."""
    _check_regions(session, account.region_ids)
    added = accounts_store.add_account(session, account, password_hash)
    audit_store.record(
        session, caller, "account.add", added.account_id,
        login=added.login, roles=list(added.roles), regions=list(added.region_ids),
    )  # fmt: skip
    return added


def change_account(
    session: Session,
    caller: Caller,
    before: Account,
    *,
    name: str,
    roles: Iterable[Role],
    region_ids: Iterable[str],
    language: str | None,
) -> Account:
    """Store another name, roles, regions, language.

    Raises
    ------
    ConflictError
        ``account.last_admin`` where nobody could administer any more.
    """
    _check_language(language)
    after = replace(
        before,
        name=name.strip(),
        roles=tuple(sorted(set(roles), key=list(Role).index)),
        region_ids=tuple(sorted(set(region_ids))),
        language=language,
    )
    _check_regions(session, after.region_ids)
    if Role.ADMIN in before.roles and Role.ADMIN not in after.roles:
        _keep_an_admin(session, before)
    changed = accounts_store.change_account(session, after)
    what: dict[str, Any] = {
        field: {"before": getattr(before, field), "after": getattr(after, field)}
        for field in ("name", "roles", "region_ids", "language")
        if getattr(before, field) != getattr(after, field)
    }
    audit_store.record(session, caller, "account.change", before.account_id, **what)
    return changed


def close_account(session: Session, caller: Caller, before: Account, now: datetime) -> Account:
    """Close an account: its sign-ins end, what it did stays readable."""
    if before.closed_at is not None:
        return before
    if Role.ADMIN in before.roles:
        _keep_an_admin(session, before)
    closed = accounts_store.change_account(session, replace(before, closed_at=now))
    accounts_store.end_sign_ins(session, before.account_id)
    audit_store.record(session, caller, "account.close", before.account_id, login=before.login)
    return closed


def reopen_account(session: Session, caller: Caller, before: Account) -> Account:
    """Open a closed account again."""
    if before.closed_at is None:
        return before
    opened = accounts_store.change_account(session, replace(before, closed_at=None))
    audit_store.record(session, caller, "account.reopen", before.account_id, login=before.login)
    return opened


def set_password(
    session: Session, caller: Caller, account: Account, hashed: str | None, token: str | None = None
) -> Account:
    """Store a password and end every sign-in but the one of ``token``."""
    changed = accounts_store.set_password(session, account.account_id, hashed)
    accounts_store.end_sign_ins(
        session, account.account_id, but=None if token is None else hash_token(token)
    )
    audit_store.record(session, caller, "account.password", account.account_id)
    return changed


def change_own_password(
    service: Service, caller: Caller, token: str | None, old: str, new: str
) -> Account:
    """Change one's own password.

    Raises
    ------
    AccessError
        ``access.account_only``, ``access.too_many``.
    InputError
        ``account.wrong_password``, or where the new one is not allowed.
    """
    account_id = own_account_id(caller)
    service.limiter.check(Limit.PASSWORD, account_id)
    with reading(service.engine) as session:
        account = accounts_store.account(session, account_id)
        stored = accounts_store.password_hash(session, account_id)
    is_right, _ = check_password_hash(old, stored)
    if not is_right:
        raise InputError("account.wrong_password", field="old")
    hashed = hash_for(account, new)
    with writing(service.engine) as session:
        return set_password(session, caller, account, hashed, token)


def change_own_language(service: Service, caller: Caller, language: str | None) -> Account:
    """Choose the language in which pages speak to one."""
    _check_language(language)
    account_id = own_account_id(caller)
    with writing(service.engine) as session:
        account = accounts_store.account_to_change(session, account_id)
        if account.language == language:
            return account
        return accounts_store.change_account(session, replace(account, language=language))


def own_account_id(caller: Caller) -> str:
    """The caller's account.

    Raises
    ------
    AccessError
        ``access.sign_in`` for nobody, ``access.account_only`` for a device.
    """
    if caller.account_id is None:
        raise AccessError("access.account_only" if caller.is_known else "access.sign_in")
    return caller.account_id


def _keep_an_admin(session: Session, leaving: Account) -> None:
    take_turn(session, "administrators")
    if leaving.closed_at is None and accounts_store.count_admins(session) <= 1:
        raise ConflictError("account.last_admin", login=leaving.login)


def _check_language(language: str | None) -> None:
    if language is not None and language not in LANGUAGES:
        raise InputError("account.language", language=language, known=", ".join(LANGUAGES))


def _check_regions(session: Session, region_ids: tuple[str, ...]) -> None:
    unknown = unknown_regions(session, region_ids)
    if unknown:
        raise InputError("account.unknown_regions", regions=", ".join(unknown))

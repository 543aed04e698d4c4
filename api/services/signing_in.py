"""Signing in and out."""

import unicodedata
from dataclasses import dataclass
from datetime import timedelta

from api.auth import hash_token, new_token
from api.limiter import Limit, network_of
from api.oidc import Identity
from api.passwords import check_password_hash
from api.state import Service
from api.tidying import FAILED_SIGN_IN
from data.db import accounts_store, audit_store
from data.db.engine import reading, writing
from data.model.accounts import NOBODY, PASSWORD_MAX, Account, Caller
from data.model.errors import AccessError

LOGIN_SHOWN = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A new sign-in: the account and the token for the browser."""

    account: Account
    token: str


@dataclass(frozen=True, slots=True)
class Proved:
    """The stored hash that a password was found right by, and a newer one of the same password."""

    stored: str | None
    newer: str | None


def normal_login(login: str) -> str:
    """A login as it is stored."""
    return unicodedata.normalize("NFKC", login).strip().lower()


def sign_in(service: Service, login: str, password: str, address: str) -> SignedIn:
    """Sign in by password.

    Raises
    ------
    AccessError
        ``access.bad_sign_in`` for an unknown login, a closed account and a wrong password alike;
        ``access.too_many``.
    """
    wanted = normal_login(login)[:LOGIN_SHOWN]
    network = network_of(address)
    service.limiter.check(Limit.SIGN_IN_ADDRESS, network)
    service.limiter.check(Limit.SIGN_IN_LOGIN, f"{network} {wanted}")
    service.limiter.check(Limit.SIGN_IN_ANYWHERE, wanted)
    with reading(service.engine) as session:
        account = accounts_store.account_by_login(session, wanted)
        stored = (
            accounts_store.password_hash(session, account.account_id)
            if account is not None and account.closed_at is None
            else None
        )
    is_right, newer = check_password_hash(password[: PASSWORD_MAX + 1], stored)
    if not is_right or account is None:
        with writing(service.engine) as session:
            audit_store.record(session, NOBODY, FAILED_SIGN_IN, wanted, address=address)
        raise AccessError("access.bad_sign_in")
    return open_sign_in(service, account, way="password", password=Proved(stored, newer))


def sign_in_by(service: Service, identity: Identity) -> SignedIn:
    """Sign in whom the organisation's provider vouches for.

    The first time, the account whose login is the identity's is bound to it; after that the
    provider's lasting id alone counts, whatever becomes of names and addresses there.

    Raises
    ------
    AccessError
        ``access.oidc_no_account``, ``access.oidc_unverified``.
    """
    login = normal_login(identity.login)[:LOGIN_SHOWN]
    with writing(service.engine) as session:
        account = accounts_store.account_by_subject(session, identity.subject)
        if account is None and login:
            if not identity.is_vouched:
                raise AccessError("access.oidc_unverified", login=login)
            account = accounts_store.account_by_login(session, login)
            if account is not None and account.is_linked:
                account = None
            if account is not None and account.closed_at is None:
                account = accounts_store.bind_subject(session, account.account_id, identity.subject)
                audit_store.record(
                    session, account.as_caller(), "account.bind", account.account_id, login=login
                )
    if account is None or account.closed_at is not None:
        with writing(service.engine) as session:
            audit_store.record(session, NOBODY, FAILED_SIGN_IN, login, way="oidc")
        raise AccessError("access.oidc_no_account", login=login or "?")
    return open_sign_in(service, account, way="oidc")


def open_sign_in(
    service: Service, account: Account, *, way: str, password: Proved | None = None
) -> SignedIn:
    """Store a new sign-in of an account that has proved who it is.

    Raises
    ------
    AccessError
        ``access.bad_sign_in`` where the password was changed since it was checked.
    """
    token, now = new_token(), service.clock()
    ends_at = now + timedelta(days=service.settings.sign_in_days)
    with writing(service.engine) as session:
        if password is not None:
            accounts_store.account_to_change(session, account.account_id)
            if accounts_store.password_hash(session, account.account_id) != password.stored:
                raise AccessError("access.bad_sign_in")
            if password.newer is not None:
                accounts_store.rehash_password(session, account.account_id, password.newer)
        accounts_store.add_sign_in(session, hash_token(token), account.account_id, now, ends_at)
        audit_store.record(
            session, account.as_caller(), "session.open", account.account_id, way=way
        )
    return SignedIn(account=account, token=token)


def sign_out(service: Service, caller: Caller, token: str) -> None:
    """End the sign-in of a token."""
    if caller.account_id is None:
        return
    with writing(service.engine) as session:
        hashed = hash_token(token)
        accounts_store.end_sign_in(session, caller.account_id, hashed)
        audit_store.record(session, caller, "session.close", caller.account_id)

"""Accounts of staff and their sign-ins."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, delete, select, update

from data.db.tables.accounts import AccountRow, SignInRow
from data.db.turns import take_turn
from data.model.accounts import Account, Role, SignIn
from data.model.errors import ConflictError, NotFoundError

SIGN_IN_ID_CHARS = 16
"""How much of a token's hash names a sign-in: enough to tell, not to sign in with."""


def add_account(session: Session, account: Account, password_hash: str | None) -> Account:
    """Store a new account.

    Raises
    ------
    ConflictError
        ``account.login_taken``, by a closed account too.
    """
    take_turn(session, f"login {account.login}")
    if _row_by_login(session, account.login) is not None:
        raise ConflictError("account.login_taken", login=account.login)
    row = AccountRow(
        account_id=account.account_id,
        login=account.login,
        name=account.name,
        roles=[str(role) for role in account.roles],
        region_ids=list(account.region_ids),
        language=account.language,
        password_hash=password_hash,
        is_demo=account.is_demo,
        created_at=account.created_at,
    )
    session.add(row)
    session.flush()
    return _account(row)


def account(session: Session, account_id: str) -> Account:
    """An account, closed ones too.

    Raises
    ------
    NotFoundError
        ``account.unknown``.
    """
    return _account(_row(session, account_id))


def names(session: Session, account_ids: Iterable[str]) -> dict[str, str]:
    """Names of accounts by id, else their logins; of those that are not there nothing."""
    wanted = set(account_ids)
    if not wanted:
        return {}
    asked = select(AccountRow.account_id, AccountRow.name, AccountRow.login)
    rows = session.exec(asked.where(col(AccountRow.account_id).in_(wanted)))
    return {account_id: name or login for account_id, name, login in rows}


def account_to_change(session: Session, account_id: str) -> Account:
    """The same, and nobody else changes it until this transaction ends.

    Raises
    ------
    NotFoundError
        ``account.unknown``.
    """
    return _account(_held_row(session, account_id))


def account_by_login(session: Session, login: str) -> Account | None:
    """The account of a login in lower case, closed ones too."""
    row = _row_by_login(session, login)
    return None if row is None else _account(row)


def account_by_subject(session: Session, subject: str) -> Account | None:
    """The account bound to an account of the organisation."""
    row = session.exec(select(AccountRow).where(AccountRow.oidc_subject == subject)).one_or_none()
    return None if row is None else _account(row)


def password_hash(session: Session, account_id: str) -> str | None:
    """What the password is checked with; ``None``: the account has no password."""
    return _row(session, account_id).password_hash


def accounts(
    session: Session,
    *,
    limit: int,
    after: str = "",
    role: Role | None = None,
    text: str = "",
    with_closed: bool = False,
) -> list[Account]:
    """Accounts by login, from the one after ``after``; ``text`` is looked for in login and name."""
    query = select(AccountRow).where(col(AccountRow.login) > after)
    if not with_closed:
        query = query.where(col(AccountRow.closed_at).is_(None))
    query = query.order_by(col(AccountRow.login))
    wanted = text.casefold()
    found: list[Account] = []
    # Case of Cyrillic letters is not known to SQLite, and JSON is read by each database in its
    # own way: the few accounts of a library are looked through here.
    for row in session.exec(query):
        one = _account(row)
        if role is not None and role not in one.roles:
            continue
        if wanted not in f"{one.login}\n{one.name}".casefold():
            continue
        found.append(one)
        if len(found) == limit:
            break
    return found


def count_admins(session: Session) -> int:
    """Open accounts of administrators; whoever takes one away counts them before, in turn."""
    rows = session.exec(select(AccountRow).where(col(AccountRow.closed_at).is_(None)))
    return sum(Role.ADMIN in row.roles for row in rows)


def change_account(session: Session, changed: Account) -> Account:
    """Store the changeable parts of an account; its revision goes up by one."""
    row = _held_row(session, changed.account_id)
    row.name = changed.name
    row.roles = [str(role) for role in changed.roles]
    row.region_ids = list(changed.region_ids)
    row.language = changed.language
    row.closed_at = changed.closed_at
    row.revision += 1
    session.add(row)
    session.flush()
    return _account(row)


def set_password(session: Session, account_id: str, hashed: str | None) -> Account:
    """Store what the password is checked with."""
    row = _held_row(session, account_id)
    row.password_hash = hashed
    row.revision += 1
    session.add(row)
    session.flush()
    return _account(row)


def rehash_password(session: Session, account_id: str, hashed: str) -> None:
    """Store the same password hashed by newer parameters; no change to anybody's eyes."""
    row = _row(session, account_id)
    row.password_hash = hashed
    session.add(row)


def bind_subject(session: Session, account_id: str, subject: str | None) -> Account:
    """Bind an account of the organisation, or none."""
    row = _held_row(session, account_id)
    row.oidc_subject = subject
    row.revision += 1
    session.add(row)
    session.flush()
    return _account(row)


def add_sign_in(
    session: Session, token_hash: str, account_id: str, now: datetime, ends_at: datetime
) -> SignIn:
    """Store a new sign-in."""
    row = SignInRow(
        token_hash=token_hash, account_id=account_id, created_at=now, used_at=now, ends_at=ends_at
    )
    session.add(row)
    session.flush()
    return _sign_in(row)


def sign_in_of(session: Session, token_hash: str) -> tuple[SignIn, Account] | None:
    """A sign-in that is stored, with its account; whether it has ended is for the caller."""
    row = session.get(SignInRow, token_hash)
    return None if row is None else (_sign_in(row), _account(_row(session, row.account_id)))


def touch_sign_in(session: Session, token_hash: str, now: datetime) -> None:
    """Note that a sign-in was used."""
    session.exec(
        update(SignInRow).where(col(SignInRow.token_hash) == token_hash).values(used_at=now)
    )


def sign_ins(session: Session, account_id: str) -> list[SignIn]:
    """Sign-ins of an account, the last used first."""
    rows = session.exec(
        select(SignInRow)
        .where(SignInRow.account_id == account_id)
        .order_by(col(SignInRow.used_at).desc(), col(SignInRow.token_hash))
    )
    return [_sign_in(row) for row in rows]


def end_sign_in(session: Session, account_id: str, sign_in_id: str) -> None:
    """End one sign-in of an account.

    Raises
    ------
    NotFoundError
        ``account.unknown_sign_in``.
    """
    done = session.exec(
        delete(SignInRow)
        .where(col(SignInRow.account_id) == account_id)
        .where(col(SignInRow.token_hash).startswith(sign_in_id, autoescape=True))
    )
    if not done.rowcount:
        raise NotFoundError("account.unknown_sign_in", sign_in=sign_in_id)


def end_sign_ins(session: Session, account_id: str, but: str | None = None) -> int:
    """End every sign-in of an account but the one of a token's hash; how many ended."""
    query = delete(SignInRow).where(col(SignInRow.account_id) == account_id)
    if but is not None:
        query = query.where(col(SignInRow.token_hash) != but)
    return int(session.exec(query).rowcount)


def drop_ended(session: Session, now: datetime, idle_before: datetime) -> int:
    """Delete sign-ins that have ended or were not used since; how many."""
    ended = (col(SignInRow.ends_at) <= now) | (col(SignInRow.used_at) < idle_before)
    return int(session.exec(delete(SignInRow).where(ended)).rowcount)


def count_sign_ins(session: Session) -> int:
    """Stored sign-ins."""
    return session.exec(select(func.count()).select_from(SignInRow)).one()


def _row(session: Session, account_id: str) -> AccountRow:
    row = session.get(AccountRow, account_id)
    if row is None:
        raise NotFoundError("account.unknown", account=account_id)
    return row


def _held_row(session: Session, account_id: str) -> AccountRow:
    """The row as it is now, and nobody else's until the transaction ends."""
    row = session.get(AccountRow, account_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFoundError("account.unknown", account=account_id)
    return row


def _row_by_login(session: Session, login: str) -> AccountRow | None:
    return session.exec(select(AccountRow).where(AccountRow.login == login)).one_or_none()


def _roles(codes: Sequence[Any]) -> tuple[Role, ...]:
    return tuple(Role(code) for code in codes)


def _account(row: AccountRow) -> Account:
    return Account(
        account_id=row.account_id,
        login=row.login,
        name=row.name,
        roles=_roles(row.roles),
        region_ids=tuple(row.region_ids),
        language=row.language,
        has_password=row.password_hash is not None,
        is_linked=row.oidc_subject is not None,
        is_demo=row.is_demo,
        revision=row.revision,
        created_at=row.created_at,
        closed_at=row.closed_at,
    )


def _sign_in(row: SignInRow) -> SignIn:
    return SignIn(
        sign_in_id=row.token_hash[:SIGN_IN_ID_CHARS],
        account_id=row.account_id,
        created_at=row.created_at,
        used_at=row.used_at,
        ends_at=row.ends_at,
    )

"""``bookmobile account``: the first administrator, passwords, closing."""

import io
import json
import re
from pathlib import Path

import pytest

from api.passwords import check_password_hash
from api.settings import Settings
from data.db import accounts_store, audit_store
from data.db.engine import open_engine, reading
from data.model.accounts import Account, Role
from tests.api.runner import Terminal


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database that is not there yet."""
    monkeypatch.setenv("BOOKMOBILE_DATA", str(tmp_path / "new" / "folder"))
    monkeypatch.delenv("BOOKMOBILE_DATABASE", raising=False)
    return Settings.from_environment().database_url


def stored(database: str, login: str) -> tuple[Account, str | None]:
    engine = open_engine(database)
    try:
        with reading(engine) as session:
            account = accounts_store.account_by_login(session, login)
            assert account is not None
            return account, accounts_store.password_hash(session, account.account_id)
    finally:
        engine.dispose()


def test_the_first_administrator_is_added_to_a_new_database(
    bookmobile: Terminal, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folder, file and tables are made; the password comes from the standard input, hashed."""
    monkeypatch.setattr("sys.stdin", io.StringIO("long enough words\n"))
    done = bookmobile("account", "add", "Olga", "--role", "admin", "--name", "Ольга")
    assert (done.code, done.said.strip()) == (0, "Account olga added: administrator.")
    account, hashed = stored(database, "olga")
    assert (account.name, account.roles) == ("Ольга", (Role.ADMIN,))
    assert check_password_hash("long enough words", hashed)[0]
    assert "long enough" not in done.said
    engine = open_engine(database)
    with reading(engine) as session:
        (entry,) = audit_store.entries(session, limit=9)
    engine.dispose()
    assert (entry.action, entry.account_id) == ("account.add", None)


def test_a_generated_password_is_shown_once_and_works(bookmobile: Terminal, database: str) -> None:
    """It is long; a new one replaces it; a closed account is opened by it."""
    added = bookmobile("account", "add", "ivan", "--role", "crew", "--role", "analyst",
                       "--generate")  # fmt: skip
    first = re.search(r": (\S{20,})$", added.said.strip())
    assert first is not None
    assert check_password_hash(first[1], stored(database, "ivan")[1])[0]
    bookmobile("account", "add", "boss", "--role", "admin", "--no-password")
    assert stored(database, "boss")[1] is None
    assert bookmobile("account", "close", "Ivan").code == 0
    assert stored(database, "ivan")[0].closed_at is not None
    changed = bookmobile("account", "password", "ivan", "--generate")
    second = re.search(r": (\S{20,})$", changed.said.strip())
    assert second is not None
    account, hashed = stored(database, "ivan")
    assert account.closed_at is None
    assert check_password_hash(second[1], hashed)[0]
    assert not check_password_hash(first[1], hashed)[0]


def test_accounts_are_listed(bookmobile: Terminal, database: str) -> None:
    """For people in their language, for programs as JSON; closed ones where they are asked for."""
    bookmobile("account", "add", "anna", "--role", "admin", "--no-password")
    bookmobile("account", "add", "ivan", "--role", "crew", "--no-password")
    bookmobile("account", "close", "ivan")
    told = bookmobile("account", "list", "--lang", "ru").said
    assert "администратор" in told
    assert "1 учётная запись" in told
    assert "ivan" not in told
    assert "ivan (закрыта)" in bookmobile("account", "list", "--closed", "--lang", "ru").said
    listed = json.loads(bookmobile("account", "list", "--closed", "--json").said)["accounts"]
    assert [(one["login"], one["roles"]) for one in listed] == [
        ("anna", ["admin"]),
        ("ivan", ["crew"]),
    ]
    assert "hash" not in str(listed)
    done = bookmobile("account", "roles", "anna", "--role", "admin", "--role", "dispatcher")
    assert done.said.strip() == "Account anna now is: administrator, dispatcher."


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "x", "--role", "crew", "--no-password"), "The login x is not allowed"),
        (("add", "vera", "--no-password"), "Choose at least one role"),
        (("add", "vera", "--role", "boss", "--no-password"), "Choose at least one role"),
        (("add", "anna", "--role", "crew", "--no-password"), "The login anna is taken"),
        (("add", "vera", "--role", "crew", "--region", "atlantis", "--no-password"),
         "There is no region atlantis"),
        (("close", "nobody"), "There is no account with the login nobody"),
        (("close", "anna"), "anna is the last administrator"),
        (("roles", "anna", "--role", "crew"), "anna is the last administrator"),
        (("password", "nobody", "--generate"), "There is no account with the login nobody"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told(
    bookmobile: Terminal, database: str, arguments: tuple[str, ...], said: str
) -> None:
    """In a sentence, with code 2, and nothing is stored."""
    bookmobile("account", "add", "anna", "--role", "admin", "--no-password")
    before = bookmobile("account", "list", "--closed", "--json").said
    done = bookmobile("account", *arguments)
    assert done.code == 2
    assert said in done.said
    assert bookmobile("account", "list", "--closed", "--json").said == before


def test_a_short_password_is_refused(
    bookmobile: Terminal, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The terminal asks no less of a password than the page does."""
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    done = bookmobile("account", "add", "olga", "--role", "admin")
    assert done.code == 2
    assert "at least 10 characters" in done.said

"""Two who change the same thing at the same time: the second is told, on both databases."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlmodel import Session

from api.services.accounts import change_account
from data.db import accounts_store, region_store
from data.db.engine import reading, writing
from data.model.accounts import PROGRAM, Account, Role
from data.model.errors import BookmobileError
from data.model.place import Stop
from tests import plan_example as example

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
REGION = example.region().region_id


def at_once(
    engine: Engine, look: Callable[[Session], object], *do: Callable[[Session], object]
) -> list[str]:
    """Codes of refusals, once each change was made in a transaction of its own beside the others.

    Each first looks, and goes on when all have looked; on SQLite they come one after the other.
    """
    gate = threading.Barrier(len(do))

    def go(change: Callable[[Session], object]) -> str:
        try:
            with writing(engine) as session:
                look(session)
                with suppress(threading.BrokenBarrierError):
                    gate.wait(timeout=1.0)
                change(session)
        except BookmobileError as refused:
            return refused.code
        return ""

    with ThreadPoolExecutor(len(do)) as threads:
        return sorted(threads.map(go, do))


def test_one_of_two_changes_of_a_stop_is_refused(engine: Engine) -> None:
    """Both saw the first revision: one of them is stored whole, the other told that it is stale."""
    stop = example.STOPS[0]
    with writing(engine) as session:
        region_store.add_region(session, replace(example.region(), stops=(stop,)), at=AT)

    def look(session: Session) -> object:
        return region_store.get_thing(session, REGION, Stop, str(stop.stop_id))

    def put(name: str) -> Callable[[Session], object]:
        changed = replace(stop, name=name)
        return lambda s: region_store.put_thing(s, REGION, changed, at=AT, expect_revision=1)

    assert at_once(engine, look, put("One"), put("Two")) == ["", "store.stale"]
    with reading(engine) as session:
        stored = region_store.get_thing(session, REGION, Stop, str(stop.stop_id))
        assert (stored.revision, region_store.region_revision(session, REGION)) == (2, 2)


def test_one_of_two_changes_of_a_regions_settings_is_refused(engine: Engine) -> None:
    """The settings of the one do not overwrite those of the other."""
    region = example.region()
    with writing(engine) as session:
        region_store.add_region(session, region, at=AT)

    def put(name: str) -> Callable[[Session], object]:
        changed = replace(region, names={"en": name})
        return lambda s: region_store.set_region(s, changed, at=AT, expect_revision=1)

    def look(session: Session) -> object:
        return region_store.region_revision(session, REGION)

    assert at_once(engine, look, put("One"), put("Two")) == ["", "store.stale"]


def test_a_region_is_added_once(engine: Engine) -> None:
    """The second of two imports to the same id is told that it is taken, not broken off."""

    def add(session: Session) -> None:
        region_store.add_region(session, example.region(), at=AT)

    assert at_once(engine, region_store.list_regions, add, add) == ["", "region.taken"]


def person(login: str) -> Account:
    return Account(
        account_id=f"id-{login}", login=login, name="", roles=(Role.ADMIN,), created_at=AT
    )


def test_a_login_is_given_once(engine: Engine) -> None:
    def add(session: Session) -> None:
        accounts_store.add_account(session, person("olga"), None)

    def other(session: Session) -> None:
        accounts_store.add_account(session, replace(person("olga"), account_id="other"), None)

    def look(session: Session) -> object:
        return accounts_store.account_by_login(session, "olga")

    assert at_once(engine, look, add, other) == ["", "account.login_taken"]


def test_two_administrators_cannot_demote_one_another(engine: Engine) -> None:
    """Somebody is left who can administer."""
    with writing(engine) as session:
        for login in ("anna", "boris"):
            accounts_store.add_account(session, person(login), None)

    def demote(login: str) -> Callable[[Session], object]:
        def do(session: Session) -> None:
            before = accounts_store.account_to_change(session, f"id-{login}")
            change_account(
                session, PROGRAM, before, name="", roles=[Role.CREW], region_ids=(), language=None
            )

        return do

    told = at_once(engine, accounts_store.count_admins, demote("anna"), demote("boris"))
    assert told == ["", "account.last_admin"]


def test_a_language_chosen_meanwhile_does_not_open_a_closed_account(engine: Engine) -> None:
    """Whoever changes one field of an account sees what another has just changed in it."""
    with writing(engine) as session:
        accounts_store.add_account(session, person("olga"), None)

    def close(session: Session) -> None:
        before = accounts_store.account_to_change(session, "id-olga")
        accounts_store.change_account(session, replace(before, closed_at=AT))

    def choose(session: Session) -> None:
        before = accounts_store.account_to_change(session, "id-olga")
        accounts_store.change_account(session, replace(before, language="ru"))

    def look(session: Session) -> object:
        return accounts_store.account(session, "id-olga")

    assert at_once(engine, look, close, choose) == ["", ""]
    with reading(engine) as session:
        found = accounts_store.account(session, "id-olga")
    assert (found.closed_at, found.language, found.revision) == (AT, "ru", 3)


def test_a_look_sees_no_half_of_a_change(engine: Engine) -> None:
    """What is committed between two questions of one look is not seen by the second."""
    stop = example.STOPS[0]
    with writing(engine) as session:
        region_store.add_region(session, replace(example.region(), stops=(stop,)), at=AT)
    with reading(engine) as session:
        revision = region_store.region_revision(session, REGION)
        with writing(engine) as other:
            changed = replace(stop, name="Other")
            region_store.put_thing(other, REGION, changed, at=AT, expect_revision=1)
        seen = region_store.get_thing(session, REGION, Stop, str(stop.stop_id))
    assert (revision, seen.revision, seen.thing.name) == (1, 1, stop.name)

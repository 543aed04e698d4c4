"""Accounts, sign-ins and devices as the database keeps them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from data.db import accounts_store, devices_store
from data.db.engine import reading, writing
from data.db.tables.regions import RegionRow
from data.model.accounts import Account, Device, Role
from data.model.errors import ConflictError, NotFoundError

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def account(login: str, *roles: Role, name: str = "") -> Account:
    return Account(
        account_id=f"id-{login}",
        login=login,
        name=name,
        roles=roles or (Role.DISPATCHER,),
        created_at=NOW,
    )


def test_an_account_comes_back_as_it_was_stored(engine: Engine) -> None:
    """Roles, regions, language and the aware instant survive; the hash is told apart."""
    stored = replace(
        account("olga", Role.ADMIN, Role.ANALYST, name="Ольга"),
        region_ids=("rutland",),
        language="ru",
    )
    with writing(engine) as session:
        accounts_store.add_account(session, stored, "hash")
    with reading(engine) as session:
        found = accounts_store.account(session, "id-olga")
        assert found == replace(stored, has_password=True)
        assert accounts_store.password_hash(session, "id-olga") == "hash"
        assert accounts_store.account_by_login(session, "olga") == found
        assert accounts_store.account_by_login(session, "nobody") is None


def test_a_login_is_taken_by_a_closed_account_too(engine: Engine) -> None:
    """What an account did must never be taken for another's."""
    with writing(engine) as session:
        accounts_store.add_account(session, account("olga"), None)
        accounts_store.change_account(session, replace(account("olga"), closed_at=NOW))
    with pytest.raises(ConflictError, match="login_taken"), writing(engine) as session:
        accounts_store.add_account(session, replace(account("olga"), account_id="other"), None)


def test_accounts_are_listed_by_login_in_pages(engine: Engine) -> None:
    """A page begins after a login; closed ones come only where they are asked for."""
    with writing(engine) as session:
        for login in ("cyril", "anna", "boris"):
            accounts_store.add_account(session, account(login), None)
        accounts_store.change_account(session, replace(account("boris"), closed_at=NOW))
    with reading(engine) as session:
        first = accounts_store.accounts(session, limit=1, with_closed=True)
        rest = accounts_store.accounts(session, limit=9, after="anna", with_closed=True)
        opened = accounts_store.accounts(session, limit=9)
    assert [one.login for one in first] == ["anna"]
    assert [one.login for one in rest] == ["boris", "cyril"]
    assert [one.login for one in opened] == ["anna", "cyril"]


def test_accounts_are_found_by_name_in_any_case_and_by_role(engine: Engine) -> None:
    """Cyrillic letters are compared without their case on either database."""
    with writing(engine) as session:
        accounts_store.add_account(session, account("olga", Role.ADMIN, name="ОЛЬГА"), None)
        accounts_store.add_account(session, account("ivan", Role.CREW, name="Иван"), None)
    with reading(engine) as session:
        by_name = accounts_store.accounts(session, limit=9, text="ольга")
        crews = accounts_store.accounts(session, limit=9, role=Role.CREW)
        assert accounts_store.count_admins(session) == 1
    assert [one.login for one in by_name] == ["olga"]
    assert [one.login for one in crews] == ["ivan"]


def test_every_change_raises_the_revision(engine: Engine) -> None:
    """Name, password and binding count; the same password hashed anew does not."""
    with writing(engine) as session:
        added = accounts_store.add_account(session, account("olga"), None)
        changed = accounts_store.change_account(session, replace(added, name="Ольга"))
        secret = accounts_store.set_password(session, "id-olga", "hash")
        bound = accounts_store.bind_subject(session, "id-olga", "issuer 7")
        accounts_store.rehash_password(session, "id-olga", "newer")
    with reading(engine) as session:
        found = accounts_store.account_by_subject(session, "issuer 7")
        assert accounts_store.password_hash(session, "id-olga") == "newer"
    assert (added.revision, changed.revision, secret.revision, bound.revision) == (1, 2, 3, 4)
    assert found is not None
    assert (found.revision, found.is_linked, found.has_password) == (4, True, True)


def test_sign_ins_are_named_without_giving_their_token(engine: Engine) -> None:
    """What names a sign-in is too short to be its hash; the last used comes first."""
    hashes = ["a" * 64, "b" * 64, "c" * 64]
    with writing(engine) as session:
        accounts_store.add_account(session, account("olga"), None)
        for number, hashed in enumerate(hashes):
            at = NOW + timedelta(hours=number)
            accounts_store.add_sign_in(session, hashed, "id-olga", at, NOW + timedelta(days=9))
        accounts_store.touch_sign_in(session, hashes[0], NOW + timedelta(hours=5))
    with reading(engine) as session:
        found = accounts_store.sign_ins(session, "id-olga")
    assert [one.sign_in_id for one in found] == ["a" * 16, "c" * 16, "b" * 16]
    with writing(engine) as session:
        accounts_store.end_sign_in(session, "id-olga", "b" * 16)
        assert accounts_store.end_sign_ins(session, "id-olga", but=hashes[0]) == 1
        assert accounts_store.sign_in_of(session, hashes[0]) is not None
        assert accounts_store.sign_in_of(session, hashes[1]) is None
    with pytest.raises(NotFoundError, match="unknown_sign_in"), writing(engine) as session:
        accounts_store.end_sign_in(session, "id-olga", "%")


def test_ended_and_idle_sign_ins_are_dropped(engine: Engine) -> None:
    """One that is over and one that was long not used go; the third stays."""
    with writing(engine) as session:
        accounts_store.add_account(session, account("olga"), None)
        for hashed, used, ends in (
            ("a" * 64, NOW, NOW + timedelta(days=1)),
            ("b" * 64, NOW, NOW),
            ("c" * 64, NOW - timedelta(days=2), NOW + timedelta(days=1)),
        ):
            accounts_store.add_sign_in(session, hashed, "id-olga", used, ends)
        assert accounts_store.drop_ended(session, NOW, NOW - timedelta(days=1)) == 2
        assert accounts_store.count_sign_ins(session) == 1


def device(device_id: str = "d1") -> Device:
    return Device(
        device_id=device_id,
        region_id="rutland",
        name="Планшет",
        roles=(Role.CREW,),
        created_at=NOW,
        pair_until_at=NOW + timedelta(minutes=10),
    )


@pytest.fixture
def with_region(engine: Engine) -> Engine:
    with writing(engine) as session:
        session.add(
            RegionRow(
                region_id="rutland",
                names={"en": "Rutland"},
                time_zone="Europe/London",
                language="en",
                crs="EPSG:27700",
                created_at=NOW,
                changed_at=NOW,
            )
        )
    return engine


def test_a_code_pairs_once_and_in_time(with_region: Engine) -> None:
    """A second use, a late use and a revoked device get nothing."""
    with writing(with_region) as session:
        devices_store.add_device(session, device(), "code")
        devices_store.add_device(session, device("d2"), "other")
        late = NOW + timedelta(minutes=10)
        assert devices_store.pair(session, "other", "t2", late) is None
        assert devices_store.pair(session, "wrong", "t1", NOW) is None
        paired = devices_store.pair(session, "code", "t1", NOW)
        assert paired is not None
        assert paired.paired_at == NOW
        assert devices_store.pair(session, "code", "t3", NOW) is None
    with reading(with_region) as session:
        assert devices_store.device_of(session, "t1") == paired
        assert devices_store.device_of(session, "t3") is None


def test_a_revoked_device_has_neither_token_nor_code(with_region: Engine) -> None:
    """Its token is unknown at once and its code cannot bring it back; it stays listed."""
    with writing(with_region) as session:
        devices_store.add_device(session, device(), "code")
        devices_store.pair(session, "code", "t1", NOW)
        devices_store.offer_pairing(session, "d1", "again", NOW + timedelta(minutes=10))
        assert devices_store.device_of(session, "t1") is None
        devices_store.revoke(session, "d1", NOW)
        assert devices_store.pair(session, "again", "t2", NOW) is None
        assert devices_store.devices(session, region_ids=None, limit=9) == []
        (kept,) = devices_store.devices(session, region_ids=["rutland"], limit=9, with_revoked=True)
        assert kept.revoked_at == NOW
        assert devices_store.devices(session, region_ids=[], limit=9, with_revoked=True) == []


def test_a_device_belongs_to_a_region_that_there_is(engine: Engine) -> None:
    """An unknown region is named instead of an error of the database."""
    with pytest.raises(NotFoundError, match="unknown_region"), writing(engine) as session:
        devices_store.add_device(session, device(), "code")

"""Signing in, staying signed in, signing out; one's own password and sign-ins."""

import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from api import auth
from api.auth import cookie_name, hash_token
from api.limiter import Limiter
from api.services.accounts import add_account, close_account, hash_for, new_account
from data.db import accounts_store, audit_store
from data.db.engine import reading, writing
from data.model.accounts import PROGRAM, Role
from tests.e2e.service import PASSWORD, Running, run_service


@pytest.fixture(autouse=True)
def fresh_limits(running: Running) -> None:
    """Tries of one test do not count in the next."""
    running.service.limiter = Limiter()


@pytest.fixture(scope="module", autouse=True)
def with_closed(running: Running) -> None:
    """An account that was closed."""
    made = new_account(running.service.clock(), login="closed", name="", roles=[Role.CREW])
    with writing(running.engine) as session:
        added = add_account(session, PROGRAM, made, hash_for(made, PASSWORD))
        close_account(session, PROGRAM, added, running.service.clock())


def sign_in(client: httpx.Client, login: str, password: str = PASSWORD) -> httpx.Response:
    return client.post("/api/v1/session", json={"login": login, "password": password})


def test_a_sign_in_is_a_cookie_that_scripts_cannot_read(running: Running) -> None:
    """The database holds its hash alone; the login's case and spaces do not matter."""
    with running.api(None) as client:
        answer = sign_in(client, " Dispatcher ")
        assert answer.status_code == 201
        assert answer.json()["roles"] == ["dispatcher"]
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Secure" not in cookie
        token = client.cookies["session"]
        with reading(running.engine) as session:
            assert accounts_store.sign_in_of(session, token) is None
            assert accounts_store.sign_in_of(session, hash_token(token)) is not None
        assert client.get("/api/v1/session").json()["name"] == "Диспетчер стенда"
        assert client.delete("/api/v1/session").status_code == 204
        client.cookies.set("session", token)
        assert client.get("/api/v1/session").json()["roles"] == ["public"]
        assert client.delete("/api/v1/session").status_code == 204


def test_over_https_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    """Secure, with the prefix that no neighbouring host can set, and HSTS told."""
    with run_service(tmp_path, public_url="https://bus.example.org") as safe, safe.api(None) as one:
        answer = sign_in(one, "crew")
        page = one.get("/")
    assert answer.headers["set-cookie"].startswith("__Host-session=")
    assert "Secure" in answer.headers["set-cookie"]
    assert "Domain" not in answer.headers["set-cookie"]
    assert "max-age" in page.headers["strict-transport-security"]
    assert cookie_name(safe.settings) == "__Host-session"


@pytest.mark.parametrize(
    ("login", "password"),
    [("nobody", PASSWORD), ("dispatcher", "wrong password"), ("", ""), ("closed", PASSWORD)],
)
def test_every_wrong_sign_in_is_answered_alike(running: Running, login: str, password: str) -> None:
    """Unknown, wrong and closed are not told apart; the try is logged without the password."""
    with running.api(None) as client:
        answer = sign_in(client, login, password)
    assert answer.status_code == 401
    assert answer.json() == {
        "code": "access.bad_sign_in",
        "message": "Login or password is wrong.",
        "facts": {},
        "problems": [],
    }
    assert "set-cookie" not in answer.headers
    with reading(running.engine) as session:
        entry = audit_store.entries(session, limit=1)[0]
    assert (entry.action, entry.subject) == ("session.failed", login)
    assert set(entry.facts) == {"address"}


def test_how_long_it_takes_does_not_tell_whether_a_login_exists(running: Running) -> None:
    """An unknown login costs the same hash as a known one: neither is under half the other."""
    took: dict[str, list[float]] = {"nobody-here": [], "dispatcher": []}
    with running.api(None) as client:
        for _ in range(5):
            for login, times in took.items():
                begun = time.perf_counter()
                sign_in(client, login, "wrong password")
                times.append(time.perf_counter() - begun)
    unknown, known = (min(times) for times in took.values())
    assert 0.5 < unknown / known < 2


def test_too_many_tries_have_to_wait(running: Running) -> None:
    """After ten with one login the right password is refused too, with the time to wait."""
    with running.api(None) as client:
        codes = [sign_in(client, "crew", "wrong password").status_code for _ in range(10)]
        refused = sign_in(client, "CREW ")
        other = sign_in(client, "analyst")
    assert set(codes) == {401}
    assert refused.status_code == 429
    assert refused.json()["code"] == "access.too_many"
    assert 0 < int(refused.headers["retry-after"]) <= 300
    assert other.status_code == 201


def test_a_sign_in_ends_unused_and_after_its_days(running: Running) -> None:
    """Used each day it lives on up to its end; a night and a day without use end it."""
    service = running.service
    begun = service.clock()
    hours = timedelta(hours=running.settings.sign_in_hours)
    days = timedelta(days=running.settings.sign_in_days)
    real = service.clock

    def roles_at(client: httpx.Client, passed: timedelta) -> list[str]:
        service.clock = lambda: begun + passed
        told: list[str] = client.get("/api/v1/session").json()["roles"]
        return told

    try:
        with running.api(Role.LIBRARIAN) as unused:
            assert roles_at(unused, hours - timedelta(minutes=1)) == ["librarian"]
            assert roles_at(unused, 3 * hours) == ["public"]
            service.clock = real
        with running.api(Role.LIBRARIAN) as used:
            passed = timedelta()
            while passed < days - hours:
                passed += hours / 2
                assert roles_at(used, passed) == ["librarian"]
            assert roles_at(used, days + timedelta(minutes=1)) == ["public"]
    finally:
        service.clock = real


def test_ones_own_password(running: Running) -> None:
    """The old one is asked for; every other sign-in ends; the new one holds."""
    own = "/api/v1/session/password"
    with running.api(Role.ANALYST) as here, running.api(Role.ANALYST) as there:
        wrong = here.put(own, json={"old": "wrong password", "new": "another long one"})
        short = here.put(own, json={"old": PASSWORD, "new": "short"})
        done = here.put(own, json={"old": PASSWORD, "new": "another long one"})
        assert here.get("/api/v1/session").json()["roles"] == ["analyst"]
        assert there.get("/api/v1/session").json()["roles"] == ["public"]
    with running.api(None) as client:
        assert sign_in(client, "analyst").status_code == 401
        assert sign_in(client, "analyst", "another long one").status_code == 201
        assert client.put(own, json={"old": "another long one", "new": PASSWORD}).status_code == 200
    assert (wrong.status_code, wrong.json()["code"]) == (422, "account.wrong_password")
    assert (short.status_code, short.json()["facts"]) == (422, {"limit": 10})
    assert done.status_code == 200
    assert "password" not in done.json()
    assert PASSWORD not in done.text


def test_ones_own_sign_ins(running: Running) -> None:
    """They are listed, this one marked; another one can be ended, somebody else's cannot."""
    with running.api(Role.CREW) as here, running.api(Role.CREW) as there:
        listed = here.get("/api/v1/session/sign-ins").json()
        assert [one["is_this"] for one in listed].count(True) == 1
        other = there.get("/api/v1/session/sign-ins").json()
        (theirs,) = [one["sign_in_id"] for one in other if one["is_this"]]
        with running.api(Role.DISPATCHER) as stranger:
            refused = stranger.delete(f"/api/v1/session/sign-ins/{theirs}")
            assert refused.status_code == 404
        assert here.delete(f"/api/v1/session/sign-ins/{theirs}").status_code == 204
        assert there.get("/api/v1/session").json()["roles"] == ["public"]
        assert here.delete(f"/api/v1/session/sign-ins/{theirs}").status_code == 404
        assert here.get("/api/v1/session").json()["roles"] == ["crew"]


def test_ones_own_language(running: Running) -> None:
    """It is stored with the account; one that there is not is refused."""
    with running.api(Role.CREW, "en") as crew:
        done = crew.put("/api/v1/session/language", json={"language": "ru"})
        refused = crew.put("/api/v1/session/language", json={"language": "de"})
        assert crew.get("/api/v1/session").json()["language"] == "ru"
        assert crew.put("/api/v1/session/language", json={"language": None}).status_code == 200
    assert done.json()["language"] == "ru"
    assert refused.status_code == 422
    assert refused.json()["message"].startswith("Неверно")


def test_a_token_of_nobody_is_nobody(running: Running) -> None:
    """Made-up, empty and odd tokens are not signed in, and break nothing."""
    with running.api(None) as client:
        for token in (b"x", b".", "ключ".encode(), b"a" * 7000):
            told = client.get("/api/v1/session", headers={b"authorization": b"Bearer " + token})
            assert told.json()["roles"] == ["public"]


def test_tokens_cannot_be_guessed() -> None:
    """32 random bytes each time."""
    tokens = {auth.new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {43}

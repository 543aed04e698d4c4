"""Sign-in by an organisation's own accounts, against a provider that runs beside it."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey

from api.limiter import Limiter
from api.oidc import OidcClient
from api.services.accounts import add_account, new_account
from api.settings import Settings
from data.db import accounts_store, audit_store
from data.db.engine import reading, writing
from data.model.accounts import PROGRAM, Account, Role
from data.model.errors import AccessError, InputError
from tests.api.oidc_provider import CLIENT_ID, SECRET, Provider, run_provider
from tests.e2e.service import Running, run_service

HTML = {"accept": "text/html", "accept-language": "en"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with run_provider() as one:
        yield one


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Running]:
    """A service that knows the provider, with an account without a password."""
    folder = tmp_path_factory.mktemp("oidc")
    secret = folder / "secret"
    secret.write_text(SECRET + "\n", encoding="utf-8")
    with run_service(
        folder, oidc_issuer=provider.issuer, oidc_client_id=CLIENT_ID, oidc_secret_file=secret,
        oidc_name="Library accounts",
    ) as service:  # fmt: skip
        provider.redirect = f"{service.settings.public_url}/sign-in/oidc/back"
        yield service


@pytest.fixture(autouse=True)
def honest(served: Running, provider: Provider) -> None:
    """Each test begins with a provider that tells the truth, and with no tries counted."""
    served.service.limiter = Limiter()
    provider.claims, provider.refusal, provider.signing = {}, None, None


def add(served: Running, login: str) -> Account:
    made = new_account(served.service.clock(), login=login, name="", roles=[Role.LIBRARIAN])
    with writing(served.engine) as session:
        return add_account(session, PROGRAM, made, None)


def go(served: Running, after: str = "/desk") -> tuple[dict[str, Any], httpx.Response]:
    """Press the button and follow the browser to the end: whom it is then, the last answer."""
    with served.api(None) as client:
        client.headers.update(HTML)
        left = client.get("/sign-in/oidc", params={"next": after})
        assert left.status_code == 303, left.text
        back = client.get(left.headers["location"])
        answer = client.get(back.headers["location"])
        assert "oidc" not in client.cookies
        told: dict[str, Any] = client.get("/api/v1/session").json()
    return told, answer


def test_the_first_sign_in_binds_the_account(served: Running, provider: Provider) -> None:
    """By the verified address; later the provider's lasting id counts, whatever the address."""
    account = add(served, "olga@library.example")
    told, answer = go(served, "/desk?x=1")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/desk?x=1"
    assert (told["account_id"], told["roles"]) == (account.account_id, ["librarian"])

    provider.claims = {"email": "married@library.example", "email_verified": False}
    told, answer = go(served)
    assert told["account_id"] == account.account_id

    provider.claims = {"sub": "8"}
    told, answer = go(served)
    assert answer.status_code == 403
    assert "There is no account here for olga@library.example" in answer.text
    with reading(served.engine) as session:
        actions = [e.action for e in audit_store.entries(session, limit=9)]
        assert accounts_store.account(session, account.account_id).is_linked
    assert actions[0] == "session.failed"
    assert actions.count("account.bind") == 1


def test_the_page_offers_both_ways(served: Running) -> None:
    """The button is there where a provider is, by the name that the settings give it."""
    with served.api(None) as client:
        page = client.get("/sign-in", params={"next": "/devices"}, headers=HTML).text
    assert "Sign in with Library accounts" in page
    assert "/sign-in/oidc?next=/devices" in page


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"email": "stranger@library.example", "sub": "9"}, "no account here"),
        ({"sub": "10", "email": None}, "no account here"),
        ({"sub": "11", "email": "free@library.example", "email_verified": False}, "not vouch"),
        ({"sub": "12", "email": "free@library.example", "email_verified": "true"}, "not vouch"),
        ({"nonce": "another"}, "did not work"),
        ({"aud": "another"}, "did not work"),
        ({"iss": "http://evil.example.org"}, "did not work"),
        ({"exp": int(time.time()) - 3600}, "did not work"),
        ({"sub": "x" * 400}, "did not work"),
        ({"sub": None}, "did not work"),
    ],
)
def test_nobody_comes_in_whom_the_provider_does_not_vouch_for(
    served: Running, provider: Provider, claims: dict[str, Any], reason: str
) -> None:
    """Strangers, unverified addresses, tokens for others, of others, old ones."""
    with reading(served.engine) as session:
        known = accounts_store.account_by_login(session, "free@library.example")
    if known is None:
        add(served, "free@library.example")
    provider.claims = claims
    told, answer = go(served)
    assert answer.status_code == 403
    assert reason in answer.text
    assert told["roles"] == ["public"]


def test_a_token_signed_by_another_key_is_refused(served: Running, provider: Provider) -> None:
    """Only the keys that the provider publishes count."""
    provider.signing = RSAKey.generate_key(2048)
    told, answer = go(served)
    assert "did not work" in answer.text
    assert told["roles"] == ["public"]


def test_a_closed_account_stays_closed(served: Running, provider: Provider) -> None:
    """Leaving the library ends this way in too."""
    account = add(served, "leaver@library.example")
    provider.claims = {"sub": "20", "email": "leaver@library.example"}
    told, answer = go(served)
    assert answer.status_code == 303
    with writing(served.engine) as session:
        bound = accounts_store.account(session, account.account_id)
        accounts_store.change_account(session, replace(bound, closed_at=bound.created_at))
    told, answer = go(served)
    assert answer.status_code == 403
    assert told["roles"] == ["public"]


def test_what_the_provider_refuses_is_told(served: Running, provider: Provider) -> None:
    """Pressing "no" there leads back to the form with a reason."""
    provider.refusal = "access_denied"
    _, answer = go(served)
    assert answer.status_code == 403
    assert "access_denied" in answer.text


def test_an_answer_belongs_to_the_browser_that_asked(served: Running) -> None:
    """Another browser's code, none, an invented state: nobody is signed in as somebody else."""
    with served.api(None) as asking:
        left = asking.get("/sign-in/oidc")
        back = asking.get(left.headers["location"]).headers["location"]
    with served.api(None) as other:
        other.headers.update(HTML)
        stolen = other.get(back)
        assert stolen.status_code == 403
        assert other.get("/api/v1/session").json()["roles"] == ["public"]
        other.get("/sign-in/oidc")
        mixed = other.get(back)
        assert mixed.status_code == 403
        assert other.get("/sign-in/oidc/back").status_code == 403
        assert other.get("/api/v1/session").json()["roles"] == ["public"]


def test_the_way_out_holds_nothing_secret(served: Running, provider: Provider) -> None:
    """The verifier and the secret never pass through the address bar."""
    go(served)
    asked = provider.seen[-1]
    assert "code_verifier" not in asked
    assert SECRET not in str(asked)
    with served.api(None) as client:
        left = client.get("/sign-in/oidc", headers=HTML)
        query = parse_qs(urlsplit(left.headers["location"]).query)
        assert "HttpOnly" in left.headers["set-cookie"]
        assert "SameSite=lax" in left.headers["set-cookie"]
        assert query["state"] != query["nonce"]


def test_without_a_provider_there_is_no_such_page(running: Running) -> None:
    """Neither the button nor the addresses."""
    with running.api(None) as client:
        assert client.get("/sign-in/oidc").status_code == 404
        assert client.get("/sign-in/oidc/back").status_code == 404
        assert "oidc" not in client.get("/sign-in", headers=HTML).text


def test_a_provider_that_cannot_be_reached_is_told(tmp_path: Path) -> None:
    """The form stays usable; the password still works."""
    with run_service(
        tmp_path, oidc_issuer="http://localhost:9", oidc_client_id=CLIENT_ID
    ) as service, service.api(None) as client:  # fmt: skip
        answer = client.get("/sign-in/oidc", headers=HTML)
    assert answer.status_code == 403
    assert "ConnectError" in answer.text
    assert 'name="password"' in answer.text


def test_a_provider_that_names_another_is_not_believed(provider: Provider) -> None:
    """A description that is not the issuer's own could lead to somebody else's keys."""
    provider.told_issuer = "http://evil.example.org"
    settings = Settings(oidc_issuer=provider.issuer, oidc_client_id=CLIENT_ID)
    try:
        with pytest.raises(AccessError) as refusal:
            OidcClient(settings).begin("/")
    finally:
        provider.told_issuer = None
    assert refusal.value.facts["reason"] == "issuer"


def test_a_secret_that_cannot_be_read_is_refused_at_the_start(tmp_path: Path) -> None:
    """The file and the reason are named."""
    settings = Settings(
        oidc_issuer="https://login.example.org", oidc_client_id="x",
        oidc_secret_file=tmp_path / "missing",
    )  # fmt: skip
    with pytest.raises(InputError) as refusal:
        OidcClient(settings)
    assert refusal.value.code == "settings.oidc_secret"

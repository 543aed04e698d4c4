"""Accounts over the API: who may, lost updates, repeats, lists, hostile values."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from data.model.accounts import Role
from tests.api.bare_region import add_region
from tests.e2e.service import PASSWORD, Running

ACCOUNTS = "/api/v1/accounts"


@pytest.fixture(scope="module", autouse=True)
def with_region(running: Running) -> None:
    add_region(running.engine, "rutland")


def add(admin: httpx.Client, login: str, **values: object) -> httpx.Response:
    return admin.post(ACCOUNTS, json={"login": login, "roles": ["crew"], **values})


@pytest.mark.parametrize("role", [r for r in Role if r not in (Role.ADMIN, Role.PUBLIC)])
def test_only_administrators_may(running: Running, role: Role) -> None:
    """Every other role is told what is missing; nobody signed in is asked to sign in."""
    with running.api(role) as client:
        for answer in (client.get(ACCOUNTS), add(client, "x1y"), client.get("/api/v1/audit")):
            assert answer.status_code == 403
            assert answer.json()["code"] == "access.role"
            assert answer.json()["facts"] == {"roles": "admin"}
    with running.api(None) as nobody:
        assert nobody.get(ACCOUNTS).status_code == 401


def test_an_account_is_added_changed_closed_and_opened(running: Running) -> None:
    """Each step gives the next revision as ETag; each is in the log with who did it."""
    with running.api(Role.ADMIN) as admin:
        added = add(admin, "Olga", name="Ольга", region_ids=["rutland"], password=PASSWORD)
        assert added.status_code == 201
        where = added.headers["location"]
        first = added.headers["etag"]
        assert admin.get(where).headers["etag"] == first
        assert added.json()["login"] == "olga"
        assert added.json()["has_password"] is True

        changed = admin.patch(
            where, json={"roles": ["librarian", "crew"], "language": "ru"},
            headers={"if-match": first},
        )  # fmt: skip
        assert changed.status_code == 200
        assert changed.json()["roles"] == ["librarian", "crew"]
        assert changed.json()["name"] == "Ольга"
        assert changed.json()["region_ids"] == ["rutland"]

        new = admin.put(
            f"{where}/password", json={"password": "a new long one"},
            headers={"if-match": changed.headers["etag"]},
        )  # fmt: skip
        closed = admin.delete(where, headers={"if-match": new.headers["etag"]})
        assert closed.json()["closed_at"]
        with running.api(None) as olga:
            body = {"login": "olga", "password": "a new long one"}
            assert olga.post("/api/v1/session", json=body).status_code == 401
            again = admin.post(f"{where}/reopen", headers={"if-match": "*"})
            assert again.json()["closed_at"] is None
            assert olga.post("/api/v1/session", json=body).status_code == 201
        log = admin.get(
            "/api/v1/audit", params={"subject": added.json()["account_id"], "action": "account"}
        ).json()["items"]
    assert [one["action"] for one in log] == [
        "account.reopen", "account.close", "account.password", "account.change", "account.add",
    ]  # fmt: skip
    assert {one["account_id"] for one in log} == {running.accounts[Role.ADMIN].account_id}
    assert log[3]["facts"]["language"] == {"before": None, "after": "ru"}
    assert "long" not in str(log)


def test_nobodys_change_is_lost(running: Running) -> None:
    """Without If-Match 428; with an old one 412, the present state told, nothing stored."""
    with running.api(Role.ADMIN) as admin:
        where = add(admin, "ivan").headers["location"]
        missing = admin.patch(where, json={"name": "x"})
        first = admin.patch(where, json={"name": "Иван"}, headers={"if-match": '"1"'})
        second = admin.patch(where, json={"name": "Пётр"}, headers={"if-match": '"1"'})
        odd = admin.patch(where, json={"name": "x"}, headers={"if-match": "one"})
        assert admin.get(where).json()["name"] == "Иван"
    assert (missing.status_code, missing.json()["code"]) == (428, "request.if_match")
    assert first.status_code == 200
    assert second.status_code == 412
    assert second.headers["etag"] == '"2"'
    assert second.json()["facts"]["current"]["name"] == "Иван"
    assert odd.status_code == 422


def test_a_repeated_request_is_done_once(running: Running) -> None:
    """The same key and body give the first answer; another body is refused; keys are one's own."""
    key = {b"idempotency-key": "ключ 1".encode()}
    with running.api(Role.ADMIN) as admin:
        body = {"login": "twice", "roles": ["crew"]}
        first = admin.post(ACCOUNTS, json=body, headers=key)
        again = admin.post(ACCOUNTS, json=body, headers=key)
        other = admin.post(ACCOUNTS, json={**body, "name": "y"}, headers=key)
        fresh = admin.post(ACCOUNTS, json=body)
    assert first.status_code == again.status_code == 201
    assert again.content == first.content
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert (other.status_code, other.json()["code"]) == (422, "request.key_reused")
    assert (fresh.status_code, fresh.json()["code"]) == (409, "account.login_taken")


def test_a_list_is_read_in_pages(running: Running) -> None:
    """Following next and Link gives each account once, in order, filters kept."""
    with running.api(Role.ADMIN) as admin:
        for number in range(5):
            assert add(admin, f"page-{number}", name="Стр").status_code == 201
        seen: list[str] = []
        answer = admin.get(ACCOUNTS, params={"limit": 2, "text": "стр", "role": "crew"})
        while True:
            page = answer.json()
            seen += [one["login"] for one in page["items"]]
            if page["next"] is None:
                assert "next" not in answer.links
                break
            link = answer.links["next"]["url"]
            assert parse_qs(urlsplit(link).query)["after"] == [page["next"]]
            answer = admin.get(link)
    assert seen == [f"page-{n}" for n in range(5)]


@pytest.mark.parametrize("after", ["x", "bnVsbA", "WzFd", "W10", "W251bGxd", "ew", "A" * 399])
def test_a_made_up_place_in_a_list_is_refused(running: Running, after: str) -> None:
    """Neither broken text nor a cursor of another list goes through."""
    with running.api(Role.ADMIN) as admin:
        answer = admin.get(ACCOUNTS, params={"after": after})
        assert (answer.status_code, answer.json()["code"]) == (422, "request.bad_cursor")
        if after != "WzFd":  # [1] is a good place in the log
            assert admin.get("/api/v1/audit", params={"after": after}).status_code == 422


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"login": "Ольга"}, "account.bad_login"),
        ({"login": "a b"}, "account.bad_login"),
        ({"login": "<script>"}, "account.bad_login"),
        ({"login": "ab"}, "request.invalid"),
        ({"roles": []}, "request.invalid"),
        ({"roles": ["boss"]}, "request.invalid"),
        ({"roles": ["public"]}, "account.no_role"),
        ({"region_ids": ["atlantis"]}, "account.unknown_regions"),
        ({"language": "de"}, "request.invalid"),
        ({"password": "short"}, "account.password_short"),
        ({"password": "x" * 201}, "request.invalid"),
        ({"login": "long-enough", "password": "Long-Enough"}, "account.password_is_login"),
        ({"name": "x" * 201}, "request.invalid"),
        ({"name": "a\x00b"}, "request.invalid"),
        ({"is_demo": True}, "request.invalid"),
        ({"login": {"$ne": ""}}, "request.invalid"),
    ],
)
def test_bad_values_are_refused_and_nothing_is_stored(
    running: Running, values: dict[str, object], code: str
) -> None:
    """Each with its own code, in both languages; the list is as it was."""
    with running.api(Role.ADMIN, "ru") as admin:
        before = admin.get(ACCOUNTS, params={"limit": 200, "closed": True}).json()
        answer = admin.post(ACCOUNTS, json={"login": "newcomer", "roles": ["crew"], **values})
        after = admin.get(ACCOUNTS, params={"limit": 200, "closed": True}).json()
    assert answer.status_code == 422
    assert answer.json()["code"] == code
    assert "{" not in answer.json()["message"]
    assert after == before


def test_the_last_administrator_stays(running: Running) -> None:
    """Neither closing nor another role leaves a service that nobody can administer."""
    where = f"{ACCOUNTS}/{running.accounts[Role.ADMIN].account_id}"
    with running.api(Role.ADMIN) as admin:
        any_revision = {"if-match": "*"}
        closed = admin.delete(where, headers=any_revision)
        demoted = admin.patch(where, json={"roles": ["analyst"]}, headers=any_revision)
        assert closed.status_code == demoted.status_code == 409
        assert closed.json()["code"] == demoted.json()["code"] == "account.last_admin"
        second = add(admin, "second-admin", roles=["admin"]).headers["location"]
        assert admin.delete(second, headers=any_revision).status_code == 200
    with running.api(Role.ADMIN) as admin:
        assert admin.get(ACCOUNTS).status_code == 200


def test_a_closed_accounts_sign_ins_end_at_once(running: Running) -> None:
    """Whoever left cannot go on with a page that is open."""
    with running.api(Role.ADMIN) as admin, running.api(None) as leaver:
        where = add(admin, "leaver", password=PASSWORD).headers["location"]
        leaver.post("/api/v1/session", json={"login": "leaver", "password": PASSWORD})
        assert leaver.get("/api/v1/session").json()["roles"] == ["crew"]
        admin.delete(where, headers={"if-match": "*"})
        assert leaver.get("/api/v1/session").json()["roles"] == ["public"]


def test_the_log_is_filtered_and_paged(running: Running) -> None:
    """By account, action and time; the next page goes on before the last entry."""
    with running.api(Role.ADMIN) as admin:
        page = admin.get("/api/v1/audit", params={"limit": 2, "action": "account"}).json()
        rest = admin.get(
            "/api/v1/audit", params={"limit": 2, "action": "account", "after": page["next"]}
        ).json()
        ids = [one["audit_id"] for one in page["items"] + rest["items"]]
        assert ids == sorted(ids, reverse=True)
        assert len(set(ids)) == 4
        future = {"since": "2999-01-01T00:00:00Z"}
        assert admin.get("/api/v1/audit", params=future).json()["items"] == []
        naive = admin.get("/api/v1/audit", params={"since": "2026-01-01T00:00:00"})
        assert naive.status_code == 422
        assert naive.json()["problems"][0]["code"] == "input.instant"

"""What holds for every request: one shape of refusals, headers, other sites, sizes, statics."""

import http.client
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import text
from starlette.datastructures import Headers

from api.limiter import network_of
from api.middleware import is_foreign
from data.db.engine import writing
from data.db.tables.jobs import PlanJobRow
from data.model.accounts import Role
from tests.api.bare_region import region_row
from tests.e2e.service import Running, run_service

HTML = {"accept": "text/html", "accept-language": "ru"}


def test_refusals_have_one_shape(running: Running) -> None:
    """Unknown addresses, methods, values and callers all answer alike, in the asked language."""
    with running.api(None, "ru") as nobody:
        answers = {
            "request.no_page": nobody.get("/api/v1/nothing"),
            "request.method": nobody.put("/api/v1/accounts"),
            "access.sign_in": nobody.get("/api/v1/accounts"),
            "request.invalid": nobody.post("/api/v1/session", json={"login": 5}),
        }
    for code, answer in answers.items():
        told = answer.json()
        assert set(told) == {"code", "message", "facts", "problems"}
        assert told["code"] == code
        assert re.search("[а-я]", told["message"])
    assert [a.status_code for a in answers.values()] == [404, 405, 401, 422]
    assert answers["access.sign_in"].headers["www-authenticate"] == "Bearer"
    assert answers["request.method"].headers["allow"]
    problems = answers["request.invalid"].json()["problems"]
    assert [(p["code"], p["field"]) for p in problems] == [
        ("input.text", "login"),
        ("input.missing", "password"),
    ]
    assert problems[0]["message"] == "login: нужен текст."


def test_a_fault_never_repeats_the_value(running: Running) -> None:
    """A password that is too long is not told back, nor is it in the facts."""
    secret = "s3cret" * 300
    with running.api(None) as nobody:
        answer = nobody.post("/api/v1/session", json={"login": "x", "password": secret})
    assert answer.status_code == 422
    assert "s3cret" not in answer.text


def test_people_get_pages_and_htmx_gets_fragments(running: Running) -> None:
    """A browser sees a page in its language; htmx a piece that can be put in one."""
    with running.api(Role.CREW, "ru") as crew:
        page = crew.get("/accounts", headers=HTML)
        piece = crew.get("/accounts", headers={"hx-request": "true", "accept": "*/*"})
        missing = crew.get("/nothing", headers=HTML)
    assert (page.status_code, piece.status_code, missing.status_code) == (403, 403, 404)
    assert '<html lang="ru">' in page.text
    assert "Нет доступа" in page.text
    assert "<html" not in piece.text
    assert "нужна роль" in piece.text
    assert "Не найдено" in missing.text


def test_whoever_is_not_signed_in_is_led_to_the_form(running: Running) -> None:
    """A page leads there and back; htmx leads the whole browser; a program gets 401."""
    with running.api(None) as nobody:
        page = nobody.get("/accounts?text=a", headers=HTML)
        piece = nobody.get("/accounts", headers={"hx-request": "true"})
        program = nobody.get("/accounts", headers={"accept": "application/json"})
    assert page.status_code == 303
    assert page.headers["location"] == "/sign-in?next=/accounts%3Ftext%3Da"
    assert piece.headers["hx-redirect"] == "/sign-in"
    assert program.status_code == 401


def test_every_answer_carries_the_headers(running: Running) -> None:
    """Pages, data, refusals, static files and what broke: none may run what it did not bring."""

    @running.app.get("/api/v1/breaks", include_in_schema=False)
    def breaks() -> None:
        raise RuntimeError("broken for the test")

    with running.api(None) as nobody:
        answers = [
            nobody.get(path, headers={"accept": accept})
            for path in ("/", "/sign-in", "/health", "/api/v1/accounts", "/static/site.css",
                         "/nothing", "/api/v1/breaks")
            for accept in ("text/html", "application/json")
        ]  # fmt: skip
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe-inline" not in policy
        assert "'unsafe-eval'" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"]
        assert "strict-transport-security" not in answer.headers
    broken = answers[-1]
    assert broken.status_code == 500
    assert broken.json()["code"] == "request.failed"
    assert re.fullmatch("[0-9a-f]{8}", broken.json()["facts"]["number"])
    assert "RuntimeError" not in broken.text
    assert answers[0].headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "same-site"}, True),
        ({"origin": "https://bus.example.org"}, False),
        ({"origin": "https://evil.example.org"}, True),
        ({"origin": "null"}, True),
        ({"sec-fetch-site": "cross-site", "authorization": "Bearer x"}, False),
        ({"sec-fetch-site": "cross-site", "authorization": "Basic x"}, True),
        ({}, False),
    ],
)
def test_other_sites_are_told_by_their_headers(headers: dict[str, str], foreign: bool) -> None:  # noqa: FBT001
    """A neighbouring host counts as another site; a program without a browser does not."""
    assert is_foreign(Headers(headers), frozenset({"bus.example.org"})) is foreign


def test_another_site_changes_nothing(running: Running) -> None:
    """A form of another site with the cookie is refused before any route; reading is not."""
    foreign = {"sec-fetch-site": "cross-site"}
    with running.api(Role.ADMIN) as admin:
        refused = admin.post("/sign-out", headers=foreign)
        assert refused.status_code == 403
        assert refused.json()["code"] == "access.other_site"
        assert admin.get("/api/v1/session", headers=foreign).json()["roles"] == ["admin"]


def test_a_large_request_is_refused_before_it_is_read(running: Running) -> None:
    """By its stated length, and by what really comes where none is stated; uploads may be more."""
    most = running.settings.request_max_mb * 1_000_000

    def pieces() -> Iterator[bytes]:
        for _ in range(most // 500_000 + 1):
            yield b"x" * 500_000

    kind = {"content-type": "application/json"}
    with running.api(None) as nobody:
        stated = nobody.post("/api/v1/session", content=b"x" * (most + 1), headers=kind)
        unstated = nobody.post("/api/v1/session", content=pieces(), headers=kind)
        upload = nobody.post("/api/v1/uploads", content=b"x" * (most + 1), headers=kind)
        page = nobody.post("/sign-in", content=b"x" * (most + 1), headers=HTML)
    assert stated.status_code == unstated.status_code == page.status_code == 413
    assert stated.json()["code"] == unstated.json()["code"] == "request.too_large"
    assert stated.json()["facts"] == {"limit_mb": running.settings.request_max_mb}
    assert "слишком большой" in page.text
    assert upload.status_code == 404


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"login": "\\ud800", "password": "x"}', b"NaN"]
)
def test_an_unreadable_body_is_refused(running: Running, body: bytes) -> None:
    """Broken JSON, other encodings, endless nesting and half letters are the sender's fault."""
    with running.api(None) as nobody:
        answer = nobody.post(
            "/api/v1/session", content=body, headers={"content-type": "application/json"}
        )
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["message"]


def test_strange_request_lines_do_no_harm(running: Running) -> None:
    """Paths out of the folder, null bytes and no host end as refusals."""
    parts = urlsplit(running.url)
    for path in (
        "/static/../app.py",
        "/static/%2e%2e/%2e%2e/app.py",
        "/static/%00",
        "/static/a/" * 900,
        "//evil.example.org/",
        "/words/..%2fen.json",
        "/sign-in?next=//evil.example.org",
    ):
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status < 500, path
        assert b"def create_app" not in body
        assert "evil" not in (answer.getheader("location") or "")
        connection.close()


def test_static_files_are_kept_for_good_by_their_hash(running: Running) -> None:
    """The page names files by hash; what is named otherwise is asked for again."""
    with running.api(None) as nobody:
        page = nobody.get("/", headers={"accept": "text/html"}).text
        (address,) = re.findall(r'href="(/static/[0-9a-f]{12}/site\.css)"', page)
        named = nobody.get(address)
        plain = nobody.get("/static/site.css")
        older = nobody.get("/static/0123456789ab/site.css")
        font = nobody.get(
            address.replace("site.css", "vendor/noto-sans/noto-sans-cyrillic-400-normal.woff2")
        )
        part = nobody.get(address, headers={"range": "bytes=0-9"})
    assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert named.text == plain.text == older.text
    assert plain.headers["cache-control"] == older.headers["cache-control"] == "public, no-cache"
    assert plain.headers["etag"]
    assert font.headers["content-type"] == "font/woff2"
    assert (part.status_code, len(part.content)) == (206, 10)


def test_health_tells_of_the_database(running: Running) -> None:
    """Well; how long the oldest job waits; what is wrong where the tables are not ours."""
    with running.api(None) as nobody:
        well = nobody.get("/health")
        assert (well.status_code, well.json()["status"]) == (200, "ok")
        assert well.json()["oldest_queued_s"] is None
        since = running.service.clock() - timedelta(seconds=90)
        with writing(running.engine) as session:
            session.add(region_row("jobland", since))
            session.flush()
            session.add(PlanJobRow(job_id="j", region_id="jobland", kind="plan", created_at=since))
        assert 89 < nobody.get("/health").json()["oldest_queued_s"] < 150
        with running.engine.begin() as connection:
            connection.execute(text("update alembic_version set version_num = '0000'"))
        ill = nobody.get("/health")
        with running.engine.begin() as connection:
            revision = well.json()["revision"]
            connection.execute(text("update alembic_version set version_num = :r"), {"r": revision})
    assert (ill.status_code, ill.json()["database"]) == (503, "not_migrated")


def test_the_openapi_document_is_whole(running: Running) -> None:
    """Every operation of the API has a summary and the one shape of refusals."""
    with running.api(None) as nobody:
        document = nobody.get("/api/v1/openapi.json").json()
        page = nobody.get("/api/docs", headers={"accept": "text/html"})
    assert page.status_code == 200
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation.get("summary"), where
            assert path in page.text, where
            for status, answer in operation["responses"].items():
                if int(status) >= 400 and path.startswith("/api/"):
                    schema = next(iter(answer["content"].values()))["schema"]
                    assert schema["$ref"].endswith("/Problem"), f"{where} {status}"


def test_words_for_scripts_are_those_of_the_catalogues(running: Running) -> None:
    """Plural messages come with every form; there is no such file for another language."""
    with running.api(None) as nobody:
        russian = nobody.get("/words/ru.json").json()
        english = nobody.get("/words/en.json").json()
        other = nobody.get("/words/de.json")
    assert other.status_code == 404
    assert set(russian) == set(english)
    assert {len(v) for v in russian.values() if isinstance(v, list)} <= {3}
    assert {len(v) for v in english.values() if isinstance(v, list)} <= {2}


def test_the_language_is_the_accounts_then_the_cookies_then_the_browsers(
    running: Running,
) -> None:
    """The switch changes the account for every browser; without an account, this browser."""

    def lang_of(client: httpx.Client) -> str:
        (found,) = re.findall(r'<html lang="(\w+)">', client.get("/").text)
        return str(found)

    with running.api(None, "de, ru;q=0.5, en;q=0.3") as nobody:
        assert lang_of(nobody) == "ru"
        answer = nobody.post("/language", data={"lang": "en", "next": "/sign-in"})
        assert answer.headers["location"] == "/sign-in"
        assert lang_of(nobody) == "en"
        assert nobody.post("/language", data={"lang": "xx"}).status_code == 422
        off = nobody.post("/language", data={"lang": "en", "next": "https://evil.example.org"})
        assert off.headers["location"] == "/"
    with running.api(Role.ANALYST, "en") as one, running.api(Role.ANALYST, "en") as two:
        one.post("/language", data={"lang": "ru"})
        assert lang_of(two) == "ru"
        assert json.loads(two.get("/api/v1/session").text)["language"] == "ru"
        assert two.get("/api/v1/nothing").json()["message"].startswith("По этому адресу")


def test_head_is_answered_as_get_without_a_body(running: Running) -> None:
    """Watchers and link checkers ask so: pages, data and static files."""
    with running.api(None) as nobody:
        for path in ("/", "/health", "/static/site.css", "/api/v1/session"):
            answer = nobody.head(path, headers={"accept": "text/html"})
            assert answer.status_code == 200, path
            assert answer.content == b""
            assert int(answer.headers["content-length"]) > 0
        assert nobody.head("/nothing").status_code == 404


def test_the_document_tells_how_to_sign_in(running: Running) -> None:
    """What needs a caller names both ways; what anybody may do names none."""
    with running.api(None) as nobody:
        document = nobody.get("/api/v1/openapi.json").json()
    assert set(document["components"]["securitySchemes"]) == {"session", "token"}
    accounts = document["paths"]["/api/v1/accounts"]["get"]
    assert accounts["security"] == [{"session": []}, {"token": []}]
    assert "security" not in document["paths"]["/api/v1/session"]["post"]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
    ],
)
def test_a_limit_counts_a_whole_network_as_one(address: str, network: str) -> None:
    """Whoever has one IPv6 address has all of its network to try from."""
    assert network_of(address) == network


def test_a_lost_database_is_told_and_comes_back(tmp_path: Path) -> None:
    """Health says so, pages answer in the reader's language, and all is well again afterwards."""
    with run_service(tmp_path) as service, service.api(Role.ADMIN, "ru") as admin:
        file = tmp_path / "bookmobile.sqlite"
        service.engine.dispose()
        file.rename(tmp_path / "away")
        file.mkdir()
        ill = admin.get("/health")
        page = admin.get("/accounts", headers=HTML)
        data = admin.get("/api/v1/accounts")
        static = admin.get("/static/site.css")
        file.rmdir()
        (tmp_path / "away").rename(file)
        assert admin.get("/health").json()["status"] == "ok"
        assert admin.get("/api/v1/accounts").status_code == 200
    assert (ill.status_code, ill.json()["database"]) == (503, "unreachable")
    assert page.status_code == data.status_code == 500
    assert "Что-то пошло не так" in page.text
    assert data.json()["code"] == "request.failed"
    assert "sqlite" not in (page.text + data.text).lower()
    assert static.status_code == 200

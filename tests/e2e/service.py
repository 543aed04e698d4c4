"""The service as people use it: a real server, a real database, a real browser.

How to use it
-------------
Fixtures stand in ``tests/e2e/conftest.py``: ``running`` (a server of its own for each test
module, on a fresh, migrated SQLite database, with an account for each role) and ``visit`` (opens
browser contexts, signed in or not)::

    def test_plans_are_listed(running: Running, visit: Visit) -> None:
        with writing(running.engine) as session:      # straight into the database
            ...
        desk = visit(Role.DISPATCHER, language="ru")  # a signed-in browser; None: nobody
        desk.open("/desk/rutland/plans")              # waits for body[data-ready]
        desk.page.get_by_role("button", name="План").click()
        assert desk.axe() == []                       # violations of WCAG 2.1 A and AA
        desk.assert_quiet()                           # no console complaint, no failed request
        desk.shot("plans")                            # out/shots/plans-ru-1366.png, to look at

``running.api(Role.DISPATCHER)`` is an ``httpx.Client`` signed in as the role. ``visit(...,
width=800, height=1180)`` is a tablet, ``dark=True`` the dark scheme. A page that is expected to
fail a request says so: ``desk.expect(404)`` before it, then ``assert_quiet`` leaves it out.

Needs Chromium (Debian package ``chromium``); mark the module
``pytestmark = [pytest.mark.browser, NEEDS_CHROMIUM]``; a long walk is marked ``walk`` too and run
by ``.ci/run`` or ``pytest -m walk``.
"""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, ConsoleMessage, Page, Response
from sqlalchemy import Engine

from api.app import create_app
from api.auth import cookie_name
from api.passwords import hash_password
from api.services.accounts import add_account, new_account
from api.services.signing_in import open_sign_in
from api.serving import make_server
from api.setting_variables import Environment
from api.settings import Settings
from api.state import Service
from data.db.engine import open_engine, writing
from data.model.accounts import PROGRAM, STAFF_ROLES, Account, Role
from tests.databases import build

CHROMIUM = shutil.which("chromium")
NEEDS_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="needs the Debian package chromium")
SWITCHES = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"]  # fmt: skip
PASSWORD = "library on the road"
NAMES = {
    Role.ADMIN: "Администратор стенда",
    Role.DISPATCHER: "Диспетчер стенда",
    Role.LIBRARIAN: "Библиотекарь стенда",
    Role.CREW: "Водитель стенда",
    Role.ANALYST: "Аналитик стенда",
}
PATIENCE_MS = 90_000
"""How long a browser may take on a machine that is busy with other tests."""
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
SHOTS = Path(__file__).resolve().parents[2] / "out" / "shots"
AXE_RUN = """async () => {
  const found = await axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]});
  const where = (rule) => rule.nodes.map((node) => node.target.join(" ")).join(", ");
  return found.violations.map((rule) => `${rule.id}: ${where(rule)}`);
}"""


@dataclass(kw_only=True)
class Running:
    """A server that runs; every account's password is ``PASSWORD``, its login the role."""

    url: str
    app: FastAPI
    accounts: dict[Role, Account]

    @property
    def service(self) -> Service:
        service: Service = self.app.state.service
        return service

    @property
    def engine(self) -> Engine:
        return self.service.engine

    @property
    def settings(self) -> Settings:
        return self.service.settings

    def token(self, role: Role) -> str:
        """Token of a new sign-in as a role."""
        return open_sign_in(self.service, self.accounts[role], way="test").token

    def api(self, role: Role | None, language: str = "en") -> httpx.Client:
        """A client of the API, signed in as a role; close it, or use it in ``with``."""
        # Nothing is encrypted here, and reading certificates to verify by takes 20 ms each time.
        client = httpx.Client(
            base_url=self.url, headers={"accept-language": language}, timeout=90, verify=False
        )
        if role is not None:
            client.cookies.set(cookie_name(self.settings), self.token(role))
        return client


@contextmanager
def run_service(folder: Path, **settings: Any) -> Iterator[Running]:
    """A server on a fresh database in a folder; ends with the block."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        chosen = Settings(
            data_dir=folder, cache_dir=folder / "cache", port=port,
            environment=Environment.PRODUCTION, **settings,
        )  # fmt: skip
        engine = open_engine(chosen.database_url)
        build(engine)
        engine.dispose()
        app = create_app(chosen)
        accounts = _accounts(app.state.service)
        server = make_server(app, chosen, log_level="error")
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "the server did not start"
                time.sleep(0.02)
            yield Running(url=f"http://localhost:{port}", app=app, accounts=accounts)
        finally:
            server.should_exit = True
            thread.join()


@cache
def _hashed() -> str:
    """The stored form of everybody's password, which takes long to make on purpose."""
    return hash_password(PASSWORD)


def _accounts(service: Service) -> dict[Role, Account]:
    made = {
        role: new_account(service.clock(), login=str(role), name=NAMES[role], roles=[role])
        for role in STAFF_ROLES
    }
    with writing(service.engine) as session:
        return {role: add_account(session, PROGRAM, one, _hashed()) for role, one in made.items()}


@dataclass(kw_only=True)
class Visitor:
    """One browser context with everything that went wrong in it."""

    page: Page
    url: str
    language: str
    width: int
    dark: bool
    complaints: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    _expected: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("response", self._response)
        self.page.on("requestfailed", lambda r: self._request_failed(r.url, r.failure or ""))

    def _console(self, message: ConsoleMessage) -> None:
        # A failed request is told in the console too; it is counted where it failed.
        told_already = message.text.startswith("Failed to load resource")
        # Drawing without a GPU is slow when a picture is taken; the driver says so, not the page.
        is_driver = "GL Driver Message" in message.text
        if message.type in ("error", "warning") and not told_already and not is_driver:
            self.complaints.append(message.text)

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self._expected:
            self.failed.append(f"{response.status} {response.url}")

    def _request_failed(self, url: str, reason: str) -> None:
        # A stream of events, and whatever a left page was loading, ends that way.
        if "ERR_ABORTED" not in reason:
            self.failed.append(f"{reason} {url}")

    def expect(self, *statuses: int) -> None:
        """Answers with these statuses are part of the test."""
        self._expected.update(statuses)

    def open(self, path: str, *, ready: str = "body[data-ready]") -> Page:
        """Open a page of the service and wait until its scripts have run."""
        self.page.goto(self.url + path)
        self.page.wait_for_selector(ready)
        return self.page

    def axe(self) -> list[str]:
        """What breaks WCAG 2.1 A or AA on the page as it stands: ``rule: where``."""
        self.page.evaluate(AXE.read_text(encoding="utf-8") + "\n;0")
        found: list[str] = self.page.evaluate(AXE_RUN)
        return found

    def overflow_px(self) -> int:
        """By how much the page is wider than the window: 0, or it scrolls sideways."""
        wide: int = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return max(0, wide)

    def shot(self, name: str, *, whole: bool = False) -> Path:
        """A picture of the page under ``out/shots`` (ignored by git), to look at."""
        scheme = "-dark" if self.dark else ""
        path = SHOTS / f"{name}-{self.language}-{self.width}{scheme}.png"
        self.page.screenshot(path=path, full_page=whole)
        return path

    def assert_quiet(self) -> None:
        """Nothing was complained of in the console, no request failed."""
        assert self.complaints == []
        assert self.failed == []


class Visit:
    """Opens browser contexts on a running service."""

    def __init__(self, browser: Browser, running: Running) -> None:
        self._browser = browser
        self._running = running

    def __call__(
        self,
        role: Role | None,
        *,
        language: str = "en",
        width: int = 1366,
        height: int = 768,
        dark: bool = False,
    ) -> Visitor:
        """A browser of its own, signed in as a role."""
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            locale="ru-RU" if language == "ru" else "en-GB",
            color_scheme="dark" if dark else "light",
            has_touch=width < 1000,
        )
        context.set_default_timeout(PATIENCE_MS)
        if role is not None:
            name = cookie_name(self._running.settings)
            token = self._running.token(role)
            context.add_cookies([{"name": name, "value": token, "url": self._running.url}])
        return Visitor(
            page=context.new_page(), url=self._running.url, language=language, width=width,
            dark=dark,
        )  # fmt: skip

    def close(self) -> None:
        """Close every context."""
        for context in self._browser.contexts:
            context.close()

"""A running service and browsers on it; ``tests/e2e/service.py`` tells how to use them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.service import CHROMIUM, PATIENCE_MS, SWITCHES, Running, Visit, run_service

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server of the module's own on a fresh database."""
    folder: Path = tmp_path_factory.mktemp("service")
    with run_service(folder) as service:
        yield service


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium, started once for the module; no two of Playwright's own loops go at once."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, running: Running) -> Iterator[Visit]:
    """Opens browsers that end with the test."""
    opener = Visit(chromium, running)
    yield opener
    opener.close()

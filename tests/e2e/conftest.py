"""A running service and browsers on it; ``tests/e2e/service.py`` tells how to use them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.service import CHROMIUM, SWITCHES, Running, Visit, run_service


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server of the module's own on a fresh database."""
    folder: Path = tmp_path_factory.mktemp("service")
    with run_service(folder) as service:
        yield service


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium, started once for the module."""
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


SLOW_WALKS = [
    "test_board.py",
    "test_calendar_page.py",
    "test_cancel_page.py",
    "test_needs_page.py",
    "test_plans_page.py",
    "test_public_pages.py",
    "test_setup_wizard.py",
]
"""Long walks through pages; not yet steady enough to judge every change."""

collect_ignore = [] if os.environ.get("BOOKMOBILE_BROWSER_WALKS") else SLOW_WALKS

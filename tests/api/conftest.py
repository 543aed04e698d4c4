"""Shared by the tests of the command line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from data.feeds.plan_file import write_plan
from tests.api.runner import Terminal
from tests.e2e.service import Running, run_service
from tests.planner.examples import make_plan, make_request


@pytest.fixture
def bookmobile(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Terminal:
    """The command, speaking English, with a cache of its own."""
    return Terminal(monkeypatch, capfd, tmp_path / "cache")


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    """The plan of Chernyakhovsk district, Zagorskoe left out."""
    write_plan(tmp_path / "plan.json", make_request(), make_plan())
    return tmp_path / "plan.json"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server of the module's own on a fresh database, with an account for each role."""
    with run_service(tmp_path_factory.mktemp("service")) as service:
        yield service

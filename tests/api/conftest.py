"""Shared by the tests of the command line."""

from pathlib import Path

import pytest

from data.feeds.plan_file import write_plan
from tests.api.runner import Terminal
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

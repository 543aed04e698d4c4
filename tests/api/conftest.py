"""Shared by the tests of the command line."""

from pathlib import Path

import pytest

from tests.api.runner import Terminal


@pytest.fixture
def bookmobile(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Terminal:
    """The command, speaking English, with a cache of its own."""
    return Terminal(monkeypatch, capfd, tmp_path / "cache")

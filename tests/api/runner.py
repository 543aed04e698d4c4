"""Run the command in this process as a person would type it."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.cli import main


@dataclass(frozen=True)
class Outcome:
    """What a command ended with and said, folded lines joined."""

    code: int
    said: str


class Terminal:
    """A terminal of wide lines with its own cache folder."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
        cache: Path,
        language: str = "en",
    ) -> None:
        self._monkeypatch = monkeypatch
        self._capfd = capfd
        monkeypatch.setenv("BOOKMOBILE_LANG", language)
        monkeypatch.setenv("BOOKMOBILE_CACHE", str(cache))
        monkeypatch.setenv("COLUMNS", "1000")

    def __call__(self, *args: object) -> Outcome:
        """Run ``bookmobile`` with the arguments."""
        self._capfd.readouterr()
        self._monkeypatch.setattr(sys, "argv", ["bookmobile", *(str(a) for a in args)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        told = self._capfd.readouterr()
        return Outcome(code=code, said=told.out + told.err)

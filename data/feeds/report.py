"""What an import took and what it refused: every row problem with its place and cause."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from data.model.errors import InputError


class Verdict(StrEnum):
    """What became of a row with a problem."""

    REJECTED = "rejected"
    FLAGGED = "flagged"
    """The row was loaded; a person should look at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a file, a row or a cell.

    ``facts`` always hold ``file``; a row problem also ``row`` (line of a text file, row of a sheet,
    number of a feature), a cell problem also ``column`` and ``value``. ``code`` and ``facts`` go
    to the message catalogues as they are.
    """

    code: str
    facts: Mapping[str, object]
    verdict: Verdict = Verdict.REJECTED

    @property
    def row(self) -> int | None:
        row = self.facts.get("row")
        return row if isinstance(row, int) else None

    @property
    def column(self) -> str:
        return str(self.facts.get("column", ""))

    @property
    def value(self) -> str:
        return str(self.facts.get("value", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """The account of one import."""

    file: str
    entity: str
    """What was read: ``settlements``, ``libraries`` …"""
    num_rows: int
    num_loaded: int
    problems: tuple[Problem, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    """Which column of the file was read as which of ours: theirs to ours."""
    unused_columns: tuple[str, ...] = ()
    encoding: str = ""

    @property
    def rejected(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if p.verdict is Verdict.REJECTED)

    @property
    def flagged(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if p.verdict is Verdict.FLAGGED)

    @property
    def num_rejected(self) -> int:
        """Rows that were not loaded; a row with two problems counts once."""
        return self.num_rows - self.num_loaded


def input_error(problems: Iterable[Problem]) -> InputError:
    """All problems of a file as one error.

    Returns
    -------
    InputError
        With the code and facts of the first problem, so that its message is whole, and all of
        them in the fact ``problems``.
    """
    found = tuple(problems)
    return InputError(found[0].code, **found[0].facts, problems=found)

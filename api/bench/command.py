"""What every ``bookmobile bench`` command shares: options, where it shows itself, how it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api.bench.instance import Outcome
from api.bench.table import shown
from api.settings import Settings
from api.terminal import Bars
from api.words import Words
from data.model.errors import BookmobileError
from data.model.plan import Violation

BROKEN_EXIT = 1
"""A solution breaks a rule of its instance."""
REFUSED_EXIT = 2
"""A file could not be used."""

FilesArgument = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Instance files.")]
TimeOption = Annotated[
    float, typer.Option("--time-limit", min=1.0, help="Seconds for each instance.")
]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed of the search.")]
WorkersOption = Annotated[int, typer.Option("--workers", min=1, help="Search threads.")]
JsonOption = Annotated[Path | None, typer.Option("--json", help="Write the results here as well.")]
LangOption = Annotated[str | None, typer.Option("--lang", help="ru or en.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where a benchmark shows itself: results on standard output, the rest beside it."""

    words: Words
    out: Console
    aside: Console

    @classmethod
    def of(cls, lang: str | None) -> "Stage":
        words = Words(lang or Settings.from_environment().language)
        return cls(words=words, out=Console(), aside=Console(stderr=True))

    def refuse(self, error: BookmobileError) -> None:
        """Tell what is wrong with a file; the others go on."""
        self.aside.print(self.words.error(error), style="red", markup=False)

    def tell(self, code: str, **facts: object) -> None:
        self.out.print(self.words(code, **facts), markup=False)

    def tell_broken(self, name: str, violations: Sequence[Violation]) -> None:
        if violations:
            self.tell("bench.rules_broken", instance=name)
            for violation in violations:
                self.out.print("  " + self.words(violation.code, **violation.facts), markup=False)


def note(outcome: Outcome, bars: Bars, words: Words) -> None:
    found = shown(outcome.cost, words) if outcome.is_feasible else words("bench.infeasible")
    gap = shown(outcome.gap_pct, words)
    bars.best("bench.note", instance=outcome.instance, value=found, gap=gap)


def close(stage: Stage, num_left: int, num_refused: int, feasible: Sequence[bool]) -> None:
    """Say what was not measured, and end with the exit code."""
    if num_left:
        stage.tell("bench.stopped", count=num_left)
    if num_refused:
        raise typer.Exit(REFUSED_EXIT)
    if not all(feasible):
        raise typer.Exit(BROKEN_EXIT)

"""Refusals as a person reads them."""

from rich.console import Console

from api.words import Words
from data.model.errors import BookmobileError


def show_error(console: Console, words: Words, error: BookmobileError) -> None:
    """A refusal in words; where a file has several faults, every one."""
    problems = error.facts.get("problems")
    if isinstance(problems, tuple) and problems:
        if problems[0].code != error.code:
            console.print(words.error(error), style="red", markup=False)
        for problem in problems:
            console.print(words(problem.code, **problem.facts), style="red", markup=False)
    else:
        console.print(words.error(error), style="red", markup=False)

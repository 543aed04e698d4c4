"""What every command shares: the language option and the words of the terminal."""

import json
import sys
from contextvars import ContextVar
from typing import Annotated, Any

import typer
from rich.console import Console

from api.settings import Settings
from api.words import LANGUAGES, Words
from data.model.errors import InputError

JsonOption = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
LangOption = Annotated[str | None, typer.Option("--lang", help="ru or en.")]

_chosen: ContextVar[str | None] = ContextVar("language", default=None)


def words_for(lang: str | None) -> Words:
    """The terminal's language: what was asked, else the environment's. It is remembered.

    Raises
    ------
    InputError
        ``cli.unknown_language`` for a language without a catalogue.
    """
    if lang is not None and lang not in LANGUAGES:
        raise InputError("cli.unknown_language", value=lang, known=", ".join(LANGUAGES))
    _chosen.set(lang)
    return terminal_words()


def terminal_words() -> Words:
    """The words of the language last asked for, for errors told at the program's edge."""
    return Words(_chosen.get() or Settings.from_environment().language)


def progress_console() -> Console:
    """Where progress goes while the answer is JSON: a person's screen, and to no other program."""
    return Console(stderr=True, quiet=not sys.stderr.isatty())


def print_json(facts: dict[str, Any]) -> None:
    """The answer for a program."""
    typer.echo(json.dumps(facts, ensure_ascii=False, indent=1, default=str))

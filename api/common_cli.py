"""What every command shares: the language option and the words of the terminal."""

from contextvars import ContextVar
from typing import Annotated

import typer

from api.settings import Settings
from api.words import LANGUAGES, Words
from data.model.errors import InputError

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

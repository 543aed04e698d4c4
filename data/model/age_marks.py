"""Age marks of printed matter and at what age they may be lent.

References
----------
Federal Law of Russia of 29.12.2010 № 436-FZ "On the protection of children from information harmful
to their health and development": article 6 names the five classes, article 12 their marks.
"""

from datetime import date
from enum import StrEnum

ADULT_YEARS = 18


class AgeMark(StrEnum):
    """The mark printed on a book; most books from before 2012 carry none."""

    NONE = ""
    ZERO = "0+"
    SIX = "6+"
    TWELVE = "12+"
    SIXTEEN = "16+"
    EIGHTEEN = "18+"

    @property
    def years(self) -> int:
        """The least age in years."""
        return int(self.value.removesuffix("+") or 0)


def parse_age_mark(text: str) -> AgeMark | None:
    """The mark that a text names, written ``16+``, ``16 +``, ``+16``, ``[16+]`` or ``16``.

    Returns
    -------
    AgeMark or None
        ``AgeMark.NONE`` for an empty text, ``None`` for one that is no mark.
    """
    digits = "".join(text.split()).strip("[]()+")
    if not digits:
        return AgeMark.NONE
    return next((m for m in AgeMark if m is not AgeMark.NONE and str(m.years) == digits), None)


def age_on(birth_date: date, on: date) -> int:
    """Full years of age on a date; who was born on 29 February turns older on 1 March."""
    had_birthday = (on.month, on.day) >= (birth_date.month, birth_date.day)
    return on.year - birth_date.year - (not had_birthday)


def is_too_young(mark: AgeMark, birth_date: date | None, on: date) -> bool:
    """Whether a mark is above a reader's age; an unknown age is taken for an adult's."""
    return birth_date is not None and age_on(birth_date, on) < mark.years

"""What a drawing or an export needs of a language; ``api.words.Words`` is one."""

from datetime import date
from typing import Protocol


class Labels(Protocol):
    """Words, numbers and dates of one language, handed to code that shows things to people."""

    @property
    def language(self) -> str:
        """Two-letter language code."""
        ...

    def __call__(self, code: str, /, **facts: object) -> str:
        """The text of a code with its facts filled in."""
        ...

    def count(self, code: str, n: int, /, **facts: object) -> str:
        """The plural form of a code for ``n``."""
        ...

    def number(self, value: float, digits: int = 0) -> str:
        """A number with at most ``digits`` decimals."""
        ...

    def decimal(self, value: float, digits: int) -> str:
        """A number with just so many decimals."""
        ...

    def percent(self, ratio: float, digits: int = 1) -> str:
        """A ratio in [0, 1] as a percentage."""
        ...

    def day(self, value: date, form: str = "medium") -> str:
        """A date; ``form`` is a CLDR format name or pattern."""
        ...

    def weekday(self, value: date) -> str:
        """The short name of a date's weekday."""
        ...

    def clock(self, seconds: int) -> str:
        """Seconds from midnight as a clock time."""
        ...

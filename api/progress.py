"""Progress of long work: a phase, a fraction, and whether to stop."""

from collections.abc import Callable
from typing import Protocol


class Ticker(Protocol):
    """Told how far long work has come; asked whether to end it."""

    def phase(self, code: str) -> None:
        """A new phase begins; the code names it."""
        ...

    def fraction(self, done: float) -> None:
        """Share of the phase that is done, 0 to 1."""
        ...

    def best(self, text_code: str, **facts: object) -> None:
        """The best result so far, as a message code with facts."""
        ...

    def should_stop(self) -> bool:
        """Whether the person asked to stop and keep the best so far."""
        ...


class Quiet:
    """A ticker that shows nothing and never stops."""

    def phase(self, code: str) -> None:
        pass

    def fraction(self, done: float) -> None:
        pass

    def best(self, text_code: str, **facts: object) -> None:
        pass

    def should_stop(self) -> bool:
        return False


type ProgressCallback = Callable[[float], None]

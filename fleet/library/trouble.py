"""What goes wrong between us and a library's system, by what it means for an operation."""

from data.model.errors import BookmobileError


class LibraryTroubleError(BookmobileError):
    """An exchange that came to nothing that can be read.

    ``is_doubtful`` says that the system may have done what was asked: it was sent, and no answer
    came that could be read. Facts never hold names, cards or titles.
    """

    def __init__(self, code: str, *, is_doubtful: bool = False, **facts: object) -> None:
        super().__init__(code, **facts)
        self.is_doubtful = is_doubtful

    def being(self, *, is_doubtful: bool) -> "LibraryTroubleError":
        """The same trouble, doubtful or not."""
        made = LibraryTroubleError(self.code, is_doubtful=is_doubtful)
        made.facts = self.facts
        return made


class RefusedByLibraryError(BookmobileError):
    """The system said no to whoever asks (wrong password, no right), in its own words ``told``."""

    def __init__(self, code: str, *, told: str = "", **facts: object) -> None:
        super().__init__(code, told=told, **facts)
        self.told = told

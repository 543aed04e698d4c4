"""Errors: a code and the facts; the words are chosen at the rim (``api.words``).

Tree
----
BookmobileError            anything this program refuses, with a code and named facts
├── InputError             a file, row or value that a person gave and must mend
├── RequestError           a planning request that cannot be posed (no vehicle, no working day …)
├── RoadsError             the road engine or its data failed
├── StoreError             the database cannot be opened or is not of this version
├── NotFoundError          what was asked for is not there
├── ConflictError          what is to be changed has changed since it was read, or is taken
└── AccessError            whoever asks is not known or may not
"""


class BookmobileError(Exception):
    """A refusal that a person can act on.

    Parameters
    ----------
    code
        Message code, dotted, for example ``"region.unknown_key"``. Every code has an entry in
        both language catalogues.
    **facts
        Values named in the message: file, row, column, value, limit …
    """

    def __init__(self, code: str, **facts: object) -> None:
        self.code = code
        self.facts = facts
        told = ", ".join(f"{name}={value!r}" for name, value in facts.items())
        super().__init__(f"{code}: {told}" if told else code)


class InputError(BookmobileError):
    """A file, row or value from outside is wrong."""


class RequestError(BookmobileError):
    """The planning request itself cannot be posed."""


class RoadsError(BookmobileError):
    """The road engine or its data failed."""


class StoreError(BookmobileError):
    """The database cannot be opened, or was written by another version."""


class NotFoundError(BookmobileError):
    """What was asked for is not there."""


class ConflictError(BookmobileError):
    """What is to be changed has changed since it was read, or its name is taken."""


class AccessError(BookmobileError):
    """Whoever asks is not known, or may not do this."""

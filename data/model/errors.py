"""Errors: a code and the facts; the words are chosen at the rim (``api.words``).

Tree
----
BookmobileError            anything this program refuses, with a code and named facts
├── InputError             a file, row or value that a person gave and must mend
├── RequestError           a planning request that cannot be posed (no vehicle, no working day …)
└── RoadsError             the road engine or its data failed
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

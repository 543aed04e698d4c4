"""What a library's own system is told: one operation for each thing that happened aboard.

An operation keeps the id of the journal event that it comes from, through every file, protocol and
retry: by it alone is known whether it was told before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

from data.model.errors import BookmobileError, InputError
from data.model.patrons import NAME_MAX
from data.model.stock import check_id, check_text

OperationId = NewType("OperationId", str)
"""The id of the journal event; ``~1`` and so on follow where one event comes to several."""


class OperationKind(StrEnum):
    """Kinds of operations; the names are those in files and databases, for good."""

    LOAN = "loan"
    RETURN = "return"
    RENEWAL = "renewal"
    HOLD = "hold"
    HOLD_CANCELLED = "hold_cancelled"
    REGISTRATION = "registration"


FOR_ITEMS = frozenset({OperationKind.LOAN, OperationKind.RETURN, OperationKind.RENEWAL})
FOR_CARDS = frozenset(OperationKind) - {OperationKind.RETURN}


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryOperation:
    """One thing that happened, as a library's system is to learn of it.

    Parameters
    ----------
    at
        When it happened, by the corrected clock.
    item_id
        Barcode or tag, as scanned.
    card
        The reader's card; of a return, whoever had the item where that is known.
    catalogue_code
        The record in the library's catalogue (001, or IRBIS 903).
    brief
        A line that names the book to a person who settles a refusal.
    place
        Code of the place of issue in the library's own system.
    operator
        Who did it, in the library's own system.
    name, birth_date, phone
        Of a registration.
    """

    operation_id: OperationId
    kind: OperationKind
    at: datetime
    item_id: str = ""
    card: str = ""
    due_date: date | None = None
    inventory_no: str = ""
    catalogue_code: str = ""
    brief: str = ""
    place: str = ""
    operator: str = ""
    name: str = ""
    birth_date: date | None = None
    phone: str = ""

    def __post_init__(self) -> None:
        check_id("operation_id", self.operation_id)
        if self.at.utcoffset() is None:
            raise InputError("library.no_zone", operation_id=self.operation_id, value=str(self.at))
        for name in ("item_id", "card", "inventory_no", "catalogue_code", "place", "operator"):
            if value := getattr(self, name):
                check_id(name, value)
        if self.kind in FOR_ITEMS and not self.item_id:
            raise self._lacking("item_id")
        if self.kind in FOR_CARDS and not self.card:
            raise self._lacking("card")
        check_text("brief", self.brief)
        check_text("name", self.name, NAME_MAX)
        check_text("phone", self.phone, NAME_MAX)

    def _lacking(self, name: str) -> InputError:
        return InputError(
            "library.lacking", operation_id=self.operation_id, kind=self.kind.value, field=name
        )


class Outcome(StrEnum):
    """What became of an operation at the library's system."""

    ACCEPTED = "accepted"
    ALREADY = "already"
    """It had been told before: nothing was done again."""
    REFUSED = "refused"
    """The system said no; a person decides."""
    UNREACHABLE = "unreachable"
    """It was not told: there was no connection, or the system is busy."""
    DOUBTFUL = "doubtful"
    """It was sent and no answer came that could be read: it may have been done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The system's answer to one operation.

    Parameters
    ----------
    code
        Why, as a message code of ours; empty where the system told it in its own words.
    told
        The system's own words, unchanged.
    due_date
        Where the system set another due date than was told to the reader.
    """

    outcome: Outcome
    code: str = ""
    told: str = ""
    due_date: date | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the words of ``code`` name."""

    @property
    def is_settled(self) -> bool:
        """Whether the system has it."""
        return self.outcome in (Outcome.ACCEPTED, Outcome.ALREADY)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An operation that a file cannot carry: a person has to enter it, or it goes another way."""

    operation_id: OperationId
    code: str
    facts: Mapping[str, str] = field(default_factory=dict)


def plain_facts(wrong: BookmobileError) -> dict[str, str]:
    """The facts of a refusal as texts, to be kept with an answer."""
    return {name: str(value) for name, value in wrong.facts.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeFile:
    """A file for a library's system, what it carries and what it does not."""

    content: bytes
    carried: tuple[OperationId, ...]
    left_out: tuple[LeftOut, ...] = ()


def in_time_order(operations: Iterable[LibraryOperation]) -> list[LibraryOperation]:
    """Operations as they happened; at one instant, what ends a loan stands before a new one.

    Systems that sort by whole seconds keep the order in which they got what falls into one.
    """
    rank = {OperationKind.REGISTRATION: 0, OperationKind.RETURN: 1}
    return sorted(
        operations,
        key=lambda o: (o.at, rank.get(o.kind, 2), o.operation_id),
    )

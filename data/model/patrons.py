"""Patrons: registered readers, groups and households that borrow, and what forbids lending."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NewType

from data.model.errors import InputError
from data.model.place import StopId
from data.model.stock import check_id, check_text

PatronId = NewType("PatronId", str)
"""Opaque and lasting; never a card's number, which may be given anew."""

NAME_MAX = 200
EARLIEST_BIRTH = date(1890, 1, 1)


class PatronKind(StrEnum):
    """Who borrows."""

    PERSON = "person"
    COLLECTIVE = "collective"
    """A collective subscription: a school class, a care home, a club (one card, many books)."""
    HOME = "home"
    """Somebody who is visited at home; their stop is a private one."""


class BlockReason(StrEnum):
    """Why the library does not lend to somebody."""

    LOST_CARD = "lost_card"
    OVERDUE = "overdue"
    DEBT = "debt"
    DAMAGE = "damage"
    LIBRARY = "library"
    """Set by the library's own system, which tells no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A reason not to lend; ``until_date`` is the last date where it ends by itself."""

    reason: BlockReason
    since_date: date
    until_date: date | None = None
    note: str = ""

    def holds_on(self, on: date) -> bool:
        return self.since_date <= on and (self.until_date is None or on <= self.until_date)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patron:
    """A registered reader.

    Parameters
    ----------
    card
        Number of the reader's card as it is scanned; empty until one is given.
    stop_ids
        Stops at which the reader is served; only tablets that go there learn of them.
    expires_date
        Last date of the registration.
    """

    patron_id: PatronId
    card: str = ""
    name: str = ""
    kind: PatronKind = PatronKind.PERSON
    birth_date: date | None = None
    phone: str = ""
    stop_ids: frozenset[StopId] = frozenset()
    registered_date: date | None = None
    expires_date: date | None = None
    blocks: tuple[Block, ...] = ()
    is_disabled: bool = False
    """As the reader told, for statistics and access; never required."""
    merged_into: PatronId | None = None
    """The registration that this one turned out to double."""

    def __post_init__(self) -> None:
        check_id("patron_id", self.patron_id)
        check_text("name", self.name, NAME_MAX)
        check_text("phone", self.phone, NAME_MAX)
        if self.card:
            check_id("card", self.card)
        if self.birth_date is not None and self.birth_date < EARLIEST_BIRTH:
            raise InputError("circulation.bad_birth_date", value=self.birth_date.isoformat())

    def blocks_on(self, on: date) -> tuple[Block, ...]:
        """What forbids lending on a date."""
        return tuple(b for b in self.blocks if b.holds_on(on))

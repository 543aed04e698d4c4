"""Loans and holds, each tied to a stop and to one of its promised visits."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

from data.model.patrons import PatronId
from data.model.place import StopId
from data.model.publication import VisitId
from data.model.stock import ItemId, ItemPlace, TitleId

LoanId = NewType("LoanId", str)
"""The id of the event that made it, or the library system's own."""
HoldId = NewType("HoldId", str)


class DueBasis(StrEnum):
    """What a due date rests on."""

    VISIT = "visit"
    """A promised visit of the loan's stop."""
    MOST_DAYS = "most_days"
    """No visit is promised within the days allowed."""
    GIVEN = "given"
    """Set by a person or by the library's own system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When an item is to be back, and why then."""

    due_date: date
    basis: DueBasis = DueBasis.GIVEN
    visit_id: VisitId | None = None

    def __post_init__(self) -> None:
        if (self.visit_id is not None) != (self.basis is DueBasis.VISIT):
            raise ValueError(f"due {self.due_date}: basis {self.basis} and visit {self.visit_id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """One issue of an item to a patron, open until ``returned_at``.

    Parameters
    ----------
    place
        Where it was lent.
    due_from_date
        From which date the days of the loan run: that of the loan or its last renewal.
    is_disputed
        Lent aboard while another loan of the item was open; a person has yet to decide.
    """

    loan_id: LoanId
    item_id: ItemId
    patron_id: PatronId
    place: ItemPlace
    loaned_at: datetime
    due: Due
    due_from_date: date
    stop_id: StopId | None = None
    num_renewals: int = 0
    renewed_at: datetime | None = None
    returned_at: datetime | None = None
    return_place: ItemPlace | None = None
    is_disputed: bool = False

    @property
    def is_open(self) -> bool:
        return self.returned_at is None

    def is_overdue_on(self, on: date) -> bool:
        return self.is_open and self.due.due_date < on


class HoldState(StrEnum):
    """What has become of a hold."""

    WAITING = "waiting"
    """No item is set aside yet."""
    READY = "ready"
    """An item is set aside for the next visit of its stop."""
    HANDED = "handed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """The reader did not come in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A wish of a patron to get a title, or one item of it, at a stop.

    Parameters
    ----------
    item_id
        The item set aside; while waiting, the one item that will do, or ``None`` for any.
    pickup
        The visit at which it can be had.
    keep_until_date
        The last date for which it is kept.
    """

    hold_id: HoldId
    title_id: TitleId
    patron_id: PatronId
    stop_id: StopId
    placed_at: datetime
    state: HoldState = HoldState.WAITING
    item_id: ItemId | None = None
    pickup_visit_id: VisitId | None = None
    pickup_date: date | None = None
    keep_until_date: date | None = None

    def __post_init__(self) -> None:
        if self.state is HoldState.READY and self.item_id is None:
            raise ValueError(f"hold {self.hold_id} is ready with no item")

    @property
    def is_open(self) -> bool:
        return self.state in (HoldState.WAITING, HoldState.READY)

"""What the stock of a place is made of: children's, accessible and new items, and renewal."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from data.model.stock import Carrier, ItemPlace
from data.model.stop_review import MONTH_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class StockItem:
    """What of an item its composition asks for."""

    place: ItemPlace
    carrier: Carrier = Carrier.BOOK
    is_for_children: bool = False
    is_accessible: bool = False
    acquired_date: date | None = None
    year: int | None = None
    """Of publication."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockFigures:
    """The items of one place, or of several."""

    num_items: int
    num_children: int
    num_accessible: int
    num_new: int
    num_dated: int
    """Items of which it is known when they came or when they were published."""
    num_acquired: int
    """Came in the period."""
    by_carrier: dict[Carrier, int]

    def ratio(self, part: int) -> float | None:
        """A part of all items."""
        return part / self.num_items if self.num_items else None


def stock_figures(
    items: Iterable[StockItem], *, from_date: date, until_date: date, new_months: int
) -> StockFigures:
    """Composition as of the last date; new is what came within some months before it.

    An item without a date of coming is new where it was published in that time's years.
    """
    known = tuple(items)
    since = until_date - timedelta(days=round(new_months * MONTH_DAYS))
    num_new = num_dated = 0
    for item in known:
        if item.acquired_date is not None:
            num_new += since < item.acquired_date <= until_date
        elif item.year is not None:
            num_new += since.year < item.year <= until_date.year
        num_dated += item.acquired_date is not None or item.year is not None
    return StockFigures(
        num_items=len(known),
        num_children=sum(i.is_for_children for i in known),
        num_accessible=sum(i.is_accessible for i in known),
        num_new=num_new,
        num_dated=num_dated,
        num_acquired=sum(
            i.acquired_date is not None and from_date <= i.acquired_date <= until_date
            for i in known
        ),
        by_carrier={c: sum(i.carrier is c for i in known) for c in Carrier},
    )

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
    item_id: str = ""
    name: str = ""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class StockSpan:
    """What is told of stock: its composition on the last date, what came since the first."""

    from_date: date
    until_date: date
    new_months: int

    def is_new(self, item: StockItem) -> bool:
        """Whether an item came in the months before the last date.

        An item without a date of coming is new where it was published in that time's years.
        """
        since = self.until_date - timedelta(days=round(self.new_months * MONTH_DAYS))
        if item.acquired_date is not None:
            return since < item.acquired_date <= self.until_date
        return item.year is not None and since.year < item.year <= self.until_date.year

    def is_acquired(self, item: StockItem) -> bool:
        """Whether an item came in the span."""
        came = item.acquired_date
        return came is not None and self.from_date <= came <= self.until_date


def stock_figures(items: Iterable[StockItem], span: StockSpan) -> StockFigures:
    """What some items are made of."""
    known = tuple(items)
    return StockFigures(
        num_items=len(known),
        num_children=sum(i.is_for_children for i in known),
        num_accessible=sum(i.is_accessible for i in known),
        num_new=sum(map(span.is_new, known)),
        num_dated=sum(i.acquired_date is not None or i.year is not None for i in known),
        num_acquired=sum(map(span.is_acquired, known)),
        by_carrier={c: sum(i.carrier is c for i in known) for c in Carrier},
    )

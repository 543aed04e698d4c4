"""What a load is made of: candidate items, the rules of a load, and the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from data.model.stock import ItemId, TitleId

TYPICAL_MM = 22.0
"""Thickness of a book that nobody measured."""


class Quota(StrEnum):
    """Parts of a load that a norm asks for."""

    CHILDREN = "children"
    ACCESSIBLE = "accessible"
    """Large print, Braille, talking books."""
    NEW = "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An item that may go aboard.

    Parameters
    ----------
    num_loans, num_offers
        Loans of its title at the run's stops, and runs to them with the title aboard.
    num_readers_had
        Readers of those stops who have had the title.
    num_stale_offers
        Runs since its last loan there, or since it came aboard.
    """

    item_id: ItemId
    title_id: TitleId
    shelf: str = ""
    thickness_mm: float = TYPICAL_MM
    is_for_children: bool = False
    is_accessible: bool = False
    is_new: bool = False
    is_aboard: bool = False
    is_held: bool = False
    """Set aside for a reader of the run: it goes in any case."""
    num_loans: int = 0
    num_offers: int = 0
    num_readers_had: int = 0
    num_stale_offers: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.thickness_mm <= 500:
            raise ValueError(f"item {self.item_id}: thickness {self.thickness_mm} mm")
        for name in ("num_loans", "num_offers", "num_readers_had", "num_stale_offers"):
            if getattr(self, name) < 0:
                raise ValueError(f"item {self.item_id}: {name} is negative")

    def counts_for(self, quota: Quota) -> bool:
        """Whether it counts towards a quota."""
        return {
            Quota.CHILDREN: self.is_for_children,
            Quota.ACCESSIBLE: self.is_accessible,
            Quota.NEW: self.is_new,
        }[quota]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfRule:
    """How much of one subject goes aboard, in millimetres of shelf."""

    least_mm: float = 0.0
    most_mm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRules:
    """What a load must be like.

    Parameters
    ----------
    num_items
        How many items are meant to go; fewer where shelves are full.
    capacity_mm
        Length of all shelves.
    least_ratio
        Least part of the items for each quota (children 30 %, accessible 3 %, new 5 %).
    most_swaps
        Items that a crew can carry aboard before the run, holds apart; ``None``: no limit.
    """

    num_items: int = 1200
    capacity_mm: float = 30_000.0
    least_ratio: Mapping[Quota, float] = field(
        default_factory=lambda: {Quota.CHILDREN: 0.30, Quota.ACCESSIBLE: 0.03, Quota.NEW: 0.05}
    )
    shelves: Mapping[str, ShelfRule] = field(default_factory=dict)
    most_copies: int = 1
    most_swaps: int | None = None

    def __post_init__(self) -> None:
        if self.num_items < 1 or self.capacity_mm <= 0 or self.most_copies < 1:
            raise ValueError(
                f"a load of {self.num_items} items on {self.capacity_mm} mm, "
                f"{self.most_copies} copies of a title"
            )
        for quota, ratio in self.least_ratio.items():
            if not 0 <= ratio <= 1:
                raise ValueError(f"quota {quota}: {ratio} is no ratio")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadFault:
    """A rule that a load does not keep: code and amounts."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """Which items go on a run.

    Parameters
    ----------
    faults
        Rules that no load of these candidates can keep, as ``check_load`` tells them.
    worth, bound
        Expected loans of the load by the planner's reckoning, and what no load could exceed.
    """

    item_ids: tuple[ItemId, ...]
    put_aboard: tuple[ItemId, ...]
    taken_off: tuple[ItemId, ...]
    counts: Mapping[str, int]
    length_mm: float
    worth: float
    bound: float
    is_optimal: bool
    faults: tuple[LoadFault, ...] = ()

    @property
    def gap_ratio(self) -> float:
        """How far the load may be from the best one."""
        return 0.0 if self.bound <= 0 else max(0.0, (self.bound - self.worth) / self.bound)

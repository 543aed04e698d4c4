"""How far people are from a library: what every plan is compared on for fairness."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from data.model.place import SettlementId, StopId


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A settlement without a library in reach: its people and the way to the nearest library.

    Counts that are not known are ``None``. ``library_s`` are road seconds by car, ``None`` where
    no road leads to any library.
    """

    settlement_id: SettlementId
    name: str
    people: int | None = None
    children: int | None = None
    seniors: int | None = None
    library_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The homes that a plan is for, and the ways to its stops.

    ``near[stop]`` are pairs (index of a home, road seconds by car to the stop), only where the
    stop is nearer than every library: any other way changes nothing.
    """

    homes: tuple[Home, ...]
    near: Mapping[StopId, tuple[tuple[int, int], ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for stop_id, ways in self.near.items():
            for home, seconds in ways:
                if not 0 <= home < len(self.homes) or seconds < 0:
                    raise ValueError(f"stop {stop_id}: no way of {seconds} s to home {home}")

"""How many visits a stop may expect, as an interval, and what the worth of a stop counts."""

from dataclasses import dataclass
from enum import StrEnum


class PrizeBy(StrEnum):
    """What a stop is worth when not all can be served."""

    PEOPLE = "people"
    """Residents by the standard's weights."""
    DEMAND = "demand"
    """Visits expected in a cycle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Whom a stop serves, as far as it is known; ``None`` is not known."""

    children: int | None = None
    seniors: int | None = None
    library_m: int | None = None
    """Road metres to the nearest library."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitsEstimate:
    """Persons' visits that one stop visit brings on average.

    Notes
    -----
    ``low`` to ``high`` holds the true mean with 80 %. ``own_sd`` is the uncertainty of this stop
    alone, ``shared_sd`` that of the rates common to all stops: in a sum over stops the first adds
    in squares, the second as it is.
    """

    mean: float
    low: float
    high: float
    own_sd: float
    shared_sd: float
    num_records: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise ValueError(f"interval {self.low} to {self.high} is none")

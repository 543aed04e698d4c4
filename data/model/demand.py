"""How many visits a stop may expect, as an interval, and what the worth of a stop counts."""

from dataclasses import dataclass, replace
from enum import StrEnum


class PrizeBy(StrEnum):
    """What a stop is worth when not all can be served."""

    PEOPLE = "people"
    """Residents by the standard's weights."""
    DEMAND = "demand"
    """Visits expected in a cycle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitsEstimate:
    """Persons' visits that one stop visit brings on average.

    Notes
    -----
    ``low`` to ``high`` holds the true mean with 80 %. ``own_sd`` is the uncertainty of this stop
    alone, ``shared_sd`` that of the rates common to all stops: in a sum over stops the first adds
    in squares, the second as it is. The estimate holds for the stop's least open time; doors open
    ``r`` times as long bring ``r ** open_elasticity`` times as many.
    """

    mean: float
    low: float
    high: float
    own_sd: float
    shared_sd: float
    num_records: int = 0
    open_elasticity: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise ValueError(f"interval {self.low} to {self.high} is none")


ASKED_RATIO = 0.4
"""Share of those for whom somebody asked that come to one opening."""


def with_requests(estimate: VisitsEstimate, num_people: int) -> VisitsEstimate:
    """An estimate that takes in people who asked for the stop: never below those who will come.

    Notes
    -----
    Whoever asks does not add to what the place may expect, but says that it is not less: the mean
    is raised to ``ASKED_RATIO`` of them, and the interval reaches up to all of them.
    """
    asked = ASKED_RATIO * max(0, num_people)
    if asked <= estimate.mean:
        return estimate
    return replace(estimate, mean=asked, high=max(estimate.high, float(num_people)))

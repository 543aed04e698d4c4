"""What it is worth to keep the doors of a stop open for longer than it is owed."""

from dataclasses import dataclass

STEP_S = 300
"""Doors are kept open for longer in steps of so many seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DwellWorth:
    """The worth of time beyond a stop's least doors-open time, with diminishing benefit.

    Time ``x`` beyond the least brings the share ``1 - 2 ** (-x / half_s)`` of the most that longer
    opening can bring: every ``half_s`` seconds bring half of what the ``half_s`` before them did.
    The most is ``worth_ratio`` of the stop's prize, in weighted people.

    Notes
    -----
    With ``worth_ratio`` 0 longer opening is worth less than any stop, however small: people reached
    come first, then opening times by the same share, then driving. Above 0 the plan collects
    ``prize * (1 + worth_ratio * share)`` at a served stop, so that longer opening at some stops may
    cost stops that are worth less. A stop with no prize counts as one of ``LEAST_PRIZE``.
    """

    half_s: int = 1800
    worth_ratio: float = 0.0

    def __post_init__(self) -> None:
        if self.half_s < 1:
            raise ValueError(f"half_s is {self.half_s}, must be above 0")
        if not 0 <= self.worth_ratio <= 1:
            raise ValueError(f"worth_ratio is {self.worth_ratio}, must lie in [0, 1]")

    def share(self, extra_s: float) -> float:
        """Share of its most that ``extra_s`` seconds beyond the least bring, in [0, 1)."""
        return float(1.0 - 2.0 ** (-extra_s / self.half_s))


DEFAULT_DWELL_WORTH = DwellWorth()

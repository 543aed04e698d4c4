"""What crews do when they are late, from days that were matched to their plan."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median

from fleet.matching import MatchedDay

_LATE_S = 300.0
LEAST_VISITS = 8
"""Late visits below which nothing is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LateStay:
    """A visit that opened too late: the whole stay as planned, and how long it was."""

    late_s: float
    whole_s: float
    """Setup, open time, meal and packing up."""
    stayed_s: float


def recovery_ratio(days: Iterable[MatchedDay]) -> float | None:
    """The share of a late opening that is taken out of the stay; ``None``: too few late visits.

    The median over late visits: the departure against the one that the whole stay would have had.
    """
    return recovered(stay for day in days for stay in _stays(day))


def recovered(stays: Iterable[LateStay]) -> float | None:
    """The same from stays, however they were recorded; those hardly late say nothing."""
    shares = [
        min(1.0, max(0.0, (stay.whole_s - stay.stayed_s) / stay.late_s))
        for stay in stays
        if stay.late_s >= _LATE_S
    ]
    return median(shares) if len(shares) >= LEAST_VISITS else None


def _stays(day: MatchedDay) -> Iterator[LateStay]:
    for visit in day.visits:
        planned, seen = visit.planned, visit.observed
        if planned is None or seen is None or seen.departed_at is None:
            continue
        if seen.is_arrival_seen and seen.is_departure_seen:
            yield LateStay(
                late_s=visit.late_s,
                whole_s=planned.setup_s + planned.open_s + planned.meal_s + planned.teardown_s,
                stayed_s=(seen.departed_at - seen.arrived_at).total_seconds(),
            )

"""What crews do when they are late, from days that were matched to their plan."""

from collections.abc import Iterable
from statistics import median

from fleet.matching import MatchedDay

_LATE_S = 300.0
LEAST_VISITS = 8
"""Late visits below which nothing is said."""


def recovery_ratio(days: Iterable[MatchedDay]) -> float | None:
    """The share of a late opening that is taken out of the stay; ``None``: too few late visits.

    The median over late visits: the departure against the one that the whole stay would have had.
    """
    shares = []
    for day in days:
        for visit in day.visits:
            planned, seen = visit.planned, visit.observed
            if planned is None or seen is None or seen.departed_at is None:
                continue
            if visit.late_s < _LATE_S or not (seen.is_arrival_seen and seen.is_departure_seen):
                continue
            stay_s = planned.setup_s + planned.open_s + planned.meal_s + planned.teardown_s
            left_s = (seen.departed_at - seen.arrived_at).total_seconds()
            shares.append(min(1.0, max(0.0, (stay_s - left_s) / visit.late_s)))
    return median(shares) if len(shares) >= LEAST_VISITS else None

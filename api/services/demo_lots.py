"""How the stops of the demo's simulated past fare, each for a cause that services know.

Most have the usual visitors. To a few hardly anybody comes: the hour is wrong, the hamlet is old,
one person fetches books for a whole school, or a larger place lies within a walk. Some began
lately, some lose their people. A review of stops finds them by its own rules.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from data.model.geo import distance_m
from data.model.public_timetable import PublicStop

FEW = 0.24
"""Of the usual number of visitors."""
NEW_DAYS = (80, 330)
WALK_M = 1_200
"""A walk of twenty minutes; so far readers of the demo go to a larger place."""
LEAST_STOPS = 20
"""With fewer stops all of them are usual."""
BANDS = {"children": 0.36, "youth": 0.09, "adult": 0.30, "senior": 0.25}
OLD_BANDS = {"children": 0.03, "youth": 0.02, "adult": 0.15, "senior": 0.80}
_FALL_DAYS = 330


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """What sets a stop apart."""

    pull: float = 1.0
    """Of the usual number of visitors."""
    bands: Mapping[str, float] = field(default_factory=lambda: BANDS)
    taken: float = 1.0
    """Documents of a visit, times the usual."""
    began_days: int = 0
    """So many days ago it was added; 0 is always there."""
    fall: float = 0.0
    """Part of its visitors that the last eleven months have cost it."""

    def part(self, days_ago: int) -> float:
        """Of the usual number of visitors, so many days before the end of the past."""
        return self.pull * (1 - self.fall * max(0.0, 1 - days_ago / _FALL_DAYS))


USUAL = Lot()
_LOTS = (
    (0.02, Lot(pull=FEW)),  # nobody can come at that hour
    (0.02, Lot(pull=FEW, bands=OLD_BANDS)),
    (0.02, Lot(pull=FEW, taken=4.0)),  # a teacher fetches books for the class
    (0.02, Lot(pull=1.1, fall=0.9)),  # the school was closed and families leave
)
_NEW_SHARE = 0.05


def lots_of(
    stops: Mapping[str, PublicStop], people: Mapping[str, int], seed: int
) -> dict[str, Lot]:
    """The lot of each stop that is not usual; the same seed deals the same lots.

    Parameters
    ----------
    people
        Residents by stop.
    """
    if len(stops) < LEAST_STOPS:
        return {}
    rng = np.random.default_rng([seed, *b"lots"])
    ids = sorted(stops)
    middle = median(people[i] for i in ids)
    drawn = [ids[n] for n in rng.permutation(len(ids))]
    # The large ones first: there enough still come when few do, and many can be lost.
    drawn.sort(key=lambda i: people[i] <= middle)
    found: dict[str, Lot] = {}
    for share, lot in _LOTS:
        for _ in range(max(1, round(share * len(ids)))):
            found[drawn.pop(0 if lot.fall else -1)] = lot
    drawn = [drawn[n] for n in rng.permutation(len(drawn))]
    for _ in range(round(_NEW_SHARE * len(ids))):
        found[drawn.pop()] = Lot(began_days=int(rng.integers(*NEW_DAYS)))
    return found | dict.fromkeys(_beside_larger(stops, people), Lot(pull=FEW))


def _beside_larger(stops: Mapping[str, PublicStop], people: Mapping[str, int]) -> Sequence[str]:
    """Stops from which a walk leads to one where more people live."""
    return [
        one
        for one, stop in stops.items()
        if any(
            people[one] < people[other]
            and distance_m(stop.lon, stop.lat, where.lon, where.lat) <= WALK_M
            for other, where in stops.items()
        )
    ]

"""What a floor of fairness asks for: which stops bring people within so many minutes."""

from dataclasses import dataclass
from itertools import groupby
from math import floor

from data.model.access import Access
from data.model.place import StopId
from planner.access import WORST_SHARE

_PEOPLE_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """Homes farther than a limit from every library: their people and the stops within it."""

    people: int
    stops: frozenset[StopId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """P90 of access is at most ``limit_s`` just where at most ``most_people`` are left far off.

    A remote home is left far off where none of its stops is served.
    """

    limit_s: float
    remote: tuple[Remote, ...]
    most_people: int


def floor_of(access: Access, limit_s: float) -> Floor:
    """The floor of a limit, homes with the same stops taken together."""
    within: dict[int, set[StopId]] = {}
    for stop_id, ways in access.near.items():
        for home, way_s in ways:
            if way_s <= limit_s:
                within.setdefault(home, set()).add(stop_id)
    far = [
        (sorted(within.get(k, ())), home.people)
        for k, home in enumerate(access.homes)
        if home.people and (home.library_s is None or home.library_s > limit_s)
    ]
    far.sort(key=lambda pair: pair[0])
    remote = tuple(
        Remote(people=sum(people for _, people in same), stops=frozenset(stops))
        for stops, same in groupby(far, key=lambda pair: pair[0])
    )
    total = sum(h.people or 0 for h in access.homes)
    return Floor(
        limit_s=limit_s,
        remote=remote,
        most_people=floor(WORST_SHARE * total + _PEOPLE_TOLERANCE),
    )

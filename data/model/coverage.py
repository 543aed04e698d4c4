"""Access coverage: who has a library or a stop in reach, before and after a plan.

Access coverage counts people by where they live. The share of people who are registered readers
is another figure of another type (``data.model.reader_share``); the two are never added.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.model.errors import InputError
from data.model.place import Library, Settlement, StopId
from data.model.weighted import Floats

DAYS_28 = 28
"""Frequencies are told for four weeks."""
MINUTES_MOST = 240.0
METRES_MOST = 20_000.0
KM_MOST = 300.0
NOWHERE = -1
"""Index where there is no library or stop, seconds where no road leads."""

type Ints = NDArray[np.int32]
type Indices = NDArray[np.int64]


class Group(StrEnum):
    """People who are counted for themselves; all but residents are columns of a settlement."""

    RESIDENTS = "population"
    CHILDREN = "children"
    YOUTH = "youth"
    SENIORS = "seniors"
    DISABLED = "disabled"


class Reach(StrEnum):
    """What a settlement has in reach, the best of it; the order is from nothing to a library."""

    NONE = "none"
    STOP = "stop"
    """No library, but a stop that is visited within walking distance."""
    ASSUMED = "assumed"
    """A library that is only assumed to be there."""
    LIBRARY = "library"


REACHES = tuple(Reach)


class Rhythm(StrEnum):
    """How often a stop in reach is visited."""

    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    MONTHLY = "monthly"
    RARER = "rarer"


RHYTHM_LEAST = {Rhythm.WEEKLY: 3.5, Rhythm.FORTNIGHTLY: 1.75, Rhythm.MONTHLY: 0.85}
"""Least visits in 28 days of a class: a visit on every second Tuesday of a month makes 0.92."""


def rhythm_of(visits_28: float) -> Rhythm | None:
    """The class of so many visits in 28 days; ``None`` for none."""
    if visits_28 <= 0:
        return None
    return next((r for r, least in RHYTHM_LEAST.items() if visits_28 >= least), Rhythm.RARER)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageParams:
    """What counts as in reach, and the classes that people are told by.

    ``minutes`` by road to a fixed library, and ``library_km`` by road where that is limited too;
    ``metres`` in a straight line to a stop. Edges are those between the classes.
    """

    minutes: float = 30.0
    library_km: float | None = None
    metres: float = 1000.0
    count_points: bool = True
    """Whether library points count like libraries."""
    size_edges: tuple[int, ...] = (100, 500, 1000, 5000)
    minute_edges: tuple[float, ...] = (15.0, 30.0, 40.0)
    metre_edges: tuple[float, ...] = (500.0, 1000.0, 2000.0)

    def __post_init__(self) -> None:
        limits = (("minutes", MINUTES_MOST), ("metres", METRES_MOST), ("library_km", KM_MOST))
        for name, most in limits:
            value = getattr(self, name)
            if value is not None and not 0 <= value <= most:
                raise InputError("coverage.limit", field=name, value=value, limit=f"{most:g}")
        for edges in (self.size_edges, self.minute_edges, self.metre_edges):
            if list(edges) != sorted(set(edges)):
                raise ValueError(f"classes are not in order: {edges}")


DEFAULT_COVERAGE = CoverageParams()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedStop:
    """A stop that is visited, with its visits and open minutes in 28 days."""

    stop_id: StopId
    name: str
    lon: float
    lat: float
    visits_28: float
    open_min_28: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StopReach:
    """For each settlement the nearest stop and what the stops in reach offer.

    ``nearest`` and ``metres`` are ``NOWHERE`` and infinite without any stop. ``visits_28`` are
    those of the stop in reach that is visited most. ``minutes_per_1000`` is the open time in
    28 days for 1,000 people, each stop's time shared by all who have it in reach. ``home``,
    ``stop`` and ``away_m`` are the pairs of a settlement and a stop that are in reach.

    References
    ----------
    Two-step floating catchment areas: Luo and Wang (2003), doi:10.1068/b29120.
    """

    stops: tuple[ServedStop, ...]
    nearest: Indices
    metres: Floats
    visits_28: Floats
    minutes_per_1000: Floats
    home: Indices
    stop: Indices
    away_m: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryReach:
    """For each settlement the nearest library of all and the nearest known one, by road.

    Seconds and metres are ``NOWHERE`` where no road leads to any. ``inside`` is what stands in the
    settlement itself, as an index into ``REACHES``: it is in reach wherever its building is.
    """

    libraries: tuple[Library, ...]
    nearest: Indices
    seconds: Ints
    metres: Ints
    nearest_known: Indices
    seconds_known: Ints
    metres_known: Ints
    inside: NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Who has what in reach: arrays over the settlements of a region, in its order.

    ``before`` and ``after`` are indices into ``REACHES``. Empty settlements (population 0) are in
    the arrays, but in no figure.
    """

    settlements: tuple[Settlement, ...]
    params: CoverageParams
    library: LibraryReach
    stops_before: StopReach
    stops_after: StopReach
    before: NDArray[np.int8]
    after: NDArray[np.int8]
    people: Mapping[Group, Floats]
    """People of each group, ``nan`` where not known."""
    walk_mps: float
    travel_source: str = ""
    is_estimated: bool = False
    is_walked: bool = False
    """Whether metres to stops are those of the network on foot, not of a straight line."""

    @property
    def is_inhabited(self) -> NDArray[np.bool_]:
        """Settlements that count: all but those known to be empty."""
        inhabited: NDArray[np.bool_] = self.people[Group.RESIDENTS] != 0
        return inhabited

    def access_s(self, *, is_after: bool) -> Floats:
        """Seconds to the nearest library by road or, where less, on foot to a stop in reach."""
        stops = self.stops_after if is_after else self.stops_before
        walk = np.where(stops.metres <= self.params.metres, stops.metres / self.walk_mps, np.inf)
        return np.minimum(self.library_s, walk)

    @property
    def library_s(self) -> Floats:
        """Seconds by road to the nearest library, infinite where no road leads."""
        return np.where(self.library.seconds == NOWHERE, np.inf, self.library.seconds)


def people_of(settlements: tuple[Settlement, ...]) -> dict[Group, Floats]:
    """People of each group in every settlement, ``nan`` where not known."""
    return {
        group: np.array(
            [np.nan if (n := getattr(s, group.value)) is None else n for s in settlements],
            np.float64,
        )
        for group in Group
    }


def reach_of(library: LibraryReach, stops: StopReach, params: CoverageParams) -> NDArray[np.int8]:
    """The best that each settlement has in reach, as indices into ``REACHES``."""
    limit_s = params.minutes * 60
    found = np.full(len(library.seconds), REACHES.index(Reach.NONE), np.int8)
    found[stops.metres <= params.metres] = REACHES.index(Reach.STOP)
    limit_m = np.inf if params.library_km is None else params.library_km * 1000
    for reach, seconds, metres in (
        (Reach.ASSUMED, library.seconds, library.metres),
        (Reach.LIBRARY, library.seconds_known, library.metres_known),
    ):
        is_near = (seconds != NOWHERE) & (seconds <= limit_s) & (metres <= limit_m)
        found[is_near] = REACHES.index(reach)
    return np.maximum(found, library.inside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why somebody has nothing in reach: a code with its facts."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def reasons_of(coverage: Coverage, row: int, *, left_out: str = "") -> tuple[Reason, ...]:
    """Why a settlement has neither a library nor a stop in reach after the plan; empty if it has.

    Parameters
    ----------
    left_out
        Name of a stop within walking distance that the plan does not visit.
    """
    if coverage.after[row] != REACHES.index(Reach.NONE):
        return ()
    return (_library_reason(coverage, row), _stop_reason(coverage, row, left_out))


def _library_reason(coverage: Coverage, row: int) -> Reason:
    reach, limit = coverage.library, coverage.params.minutes
    if not reach.libraries:
        return Reason(code="coverage.reason.no_library")
    if reach.seconds[row] == NOWHERE:
        return Reason(code="coverage.reason.no_road")
    library = reach.libraries[reach.nearest[row]]
    facts = {
        "name": library.name,
        "minutes": float(reach.seconds[row]) / 60,
        "km": float(reach.metres[row]) / 1000,
        "limit": limit,
        "limit_km": coverage.params.library_km,
    }
    return Reason(code="coverage.reason.library_far", facts=facts)


def _stop_reason(coverage: Coverage, row: int, left_out: str) -> Reason:
    reach, limit = coverage.stops_after, coverage.params.metres
    if left_out:
        return Reason(code="coverage.reason.stop_left_out", facts={"name": left_out})
    if not reach.stops:
        return Reason(code="coverage.reason.no_stop")
    stop = reach.stops[reach.nearest[row]]
    facts = {"name": stop.name, "metres": float(reach.metres[row]), "limit": limit}
    return Reason(code="coverage.reason.stop_far", facts=facts)

"""Which planned visit each observed stop was: kept, early, late, skipped, out of order, unplanned.

A visit is late when the doors could not open in time, and early when the vehicle left before they
were to close. Coming early and waiting is neither: readers lose nothing by it.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from data.model.geo import distance_m
from data.model.telemetry import ObservedStop
from fleet.planned import PlannedRun, PlannedStop


class Outcome(StrEnum):
    """What became of a planned visit, or of a stop that nobody planned."""

    PENDING = "pending"
    """Still to come, however late."""
    ONGOING = "ongoing"
    """The vehicle is there."""
    KEPT = "kept"
    EARLY = "early"
    """Left before the doors were to close, or held before its time."""
    LATE = "late"
    SKIPPED = "skipped"
    UNPLANNED = "unplanned"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchParams:
    """Limits of punctuality and of what may still be the same visit."""

    tolerance_s: float = 600.0
    """Deviations within it are in time (ten minutes, as library reports count)."""
    most_shift_s: float = 6 * 3600.0
    """A stop further from the planned time is another one."""
    near_m: float = 300.0
    """A stop of no or another place counts for a planned visit so near, if nothing else does."""

    def __post_init__(self) -> None:
        if min(self.tolerance_s, self.most_shift_s, self.near_m) < 0:
            raise ValueError("limits of matching are not below zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedVisit:
    """A planned visit with the stop that it became; one of both may be missing.

    ``arrival_dev_s`` and ``departure_dev_s`` are actual minus planned, late is positive.
    ``late_s`` is by how much the doors could open too late, ``short_s`` by how much the vehicle
    left before they were to close; both are zero where readers lost nothing.
    """

    outcome: Outcome
    planned: PlannedStop | None = None
    observed: ObservedStop | None = None
    is_out_of_order: bool = False
    arrival_dev_s: float | None = None
    departure_dev_s: float | None = None
    late_s: float = 0.0
    short_s: float = 0.0

    @property
    def was_held(self) -> bool:
        return self.planned is not None and self.observed is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedDay:
    """A vehicle's day: planned visits in their order, then the stops that nobody planned."""

    run: PlannedRun
    visits: tuple[MatchedVisit, ...]
    unplanned: tuple[MatchedVisit, ...] = ()
    departed_at: datetime | None = None
    """When it left its depot."""
    returned_at: datetime | None = None

    @property
    def last_done(self) -> int:
        """Position of the last visit, in planned order, that is over or goes on; -1 before any."""
        held = [v.planned.position for v in self.visits if v.planned and v.observed]
        return max(held, default=-1)

    @property
    def here(self) -> MatchedVisit | None:
        """The planned visit that goes on."""
        return next((v for v in self.visits if v.outcome is Outcome.ONGOING), None)

    @property
    def num_held(self) -> int:
        return sum(v.was_held for v in self.visits)


def match(
    run: PlannedRun,
    stops: Sequence[ObservedStop],
    params: MatchParams | None = None,
    *,
    now: datetime | None = None,
) -> MatchedDay:
    """Match the stops of a day to what was planned.

    Parameters
    ----------
    stops
        In order of time, as ``Tracker.stops`` gives them.
    now
        Of a day that is not over: what is not visited yet may still come. ``None``: it is over.
    """
    limits = params or MatchParams()
    depots = {run.start_depot_id, run.end_depot_id} - {None}
    halts = [s for s in stops if s.place_id not in depots]
    pairs = _pairs(run, halts, limits)
    departed_at, returned_at = _ends(run, stops, pairs, halts)
    taken = set(pairs.values())
    is_over = _is_over(run, pairs, returned_at, now)
    last = max((run.stops[i].position for i in pairs), default=-1)
    disorder = _out_of_order([(i, halts[j]) for i, j in pairs.items()])
    visits = []
    for i, planned in enumerate(run.stops):
        if i in pairs:
            held = _held(planned, halts[pairs[i]], limits)
            visits.append(replace(held, is_out_of_order=i in disorder))
            continue
        is_passed = is_over or (
            planned.position < last and now is not None and now > planned.end_at
        )
        outcome = Outcome.SKIPPED if is_passed else Outcome.PENDING
        visits.append(MatchedVisit(outcome=outcome, planned=planned))
    unplanned = [
        MatchedVisit(outcome=Outcome.UNPLANNED, observed=stop)
        for j, stop in enumerate(halts)
        if j not in taken
    ]
    return MatchedDay(
        run=run,
        visits=tuple(visits),
        unplanned=tuple(unplanned),
        departed_at=departed_at,
        returned_at=returned_at,
    )


def _is_over(
    run: PlannedRun,
    pairs: dict[int, int],
    returned_at: datetime | None,
    now: datetime | None,
) -> bool:
    """Whether nothing more can come: not while it only reloads at its depot in the middle."""
    if now is None:
        return True
    if returned_at is None:
        return False
    return len(run.stops) - 1 in pairs or not run.stops or now > run.stops[-1].end_at


def _pairs(run: PlannedRun, halts: Sequence[ObservedStop], params: MatchParams) -> dict[int, int]:
    """Planned visits to stops: at the right place first, the longest time together first."""
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    ways: dict[bool, list[tuple[float, float, int, int]]] = defaultdict(list)
    for i, planned in enumerate(run.stops):
        for j, stop in enumerate(halts):
            is_there = stop.place_id == planned.stop_id
            away_m = distance_m(planned.lon, planned.lat, stop.lon, stop.lat)
            if not is_there and away_m > params.near_m:
                continue
            together_s = _together_s(planned, stop)
            shift_s = abs((stop.arrived_at - planned.arrival_at).total_seconds())
            if together_s <= 0 and shift_s > params.most_shift_s:
                continue
            ways[is_there].append((-together_s, shift_s, i, j))
    for is_there in (True, False):
        for _, _, i, j in sorted(ways[is_there]):
            if i not in pairs and j not in taken and not _crosses(run, halts, pairs, i, j):
                pairs[i] = j
                taken.add(j)
    return pairs


def _crosses(
    run: PlannedRun, halts: Sequence[ObservedStop], pairs: dict[int, int], i: int, j: int
) -> bool:
    """Whether two visits of one place would change their order: the first is the first."""
    return any(
        run.stops[other].stop_id == run.stops[i].stop_id and (other < i) != (pairs[other] < j)
        for other in pairs
    )


def _together_s(planned: PlannedStop, stop: ObservedStop) -> float:
    """How long the vehicle was there within the planned stay."""
    until = stop.departed_at or stop.last_seen_at
    first, last = max(planned.arrival_at, stop.arrived_at), min(planned.departure_at, until)
    return max(0.0, (last - first).total_seconds())


def _held(planned: PlannedStop, stop: ObservedStop, params: MatchParams) -> MatchedVisit:
    arrival_dev_s = (stop.arrived_at - planned.arrival_at).total_seconds()
    late_s = max(0.0, (stop.arrived_at - planned.start_at).total_seconds() + planned.setup_s)
    departure_dev_s, short_s = None, 0.0
    if stop.departed_at is not None:
        departure_dev_s = (stop.departed_at - planned.departure_at).total_seconds()
        short_s = max(0.0, (planned.end_at - stop.departed_at).total_seconds())
    if stop.departed_at is None:
        outcome = Outcome.ONGOING
    elif late_s > params.tolerance_s:
        outcome = Outcome.LATE
    elif short_s > params.tolerance_s:
        outcome = Outcome.EARLY
    else:
        outcome = Outcome.KEPT
    return MatchedVisit(
        outcome=outcome,
        planned=planned,
        observed=stop,
        arrival_dev_s=arrival_dev_s,
        departure_dev_s=departure_dev_s,
        late_s=late_s,
        short_s=short_s,
    )


def _out_of_order(pairs: Sequence[tuple[int, ObservedStop]]) -> set[int]:
    """Positions that break the planned order: those outside a longest run in order."""
    driven = [i for i, stop in sorted(pairs, key=lambda p: p[1].arrived_at)]
    tails: list[int] = []
    ends: list[int] = []
    back: dict[int, int | None] = {}
    for position in driven:
        k = bisect_left(tails, position)
        back[position] = ends[k - 1] if k else None
        tails[k:] = [position, *tails[k + 1 :]]
        ends[k:] = [position, *ends[k + 1 :]]
    kept: set[int] = set()
    at = ends[-1] if ends else None
    while at is not None:
        kept.add(at)
        at = back[at]
    return set(driven) - kept


def _ends(
    run: PlannedRun,
    stops: Sequence[ObservedStop],
    pairs: dict[int, int],
    halts: Sequence[ObservedStop],
) -> tuple[datetime | None, datetime | None]:
    """When the vehicle left its depot for the day, and when it was back."""
    held = [halts[j] for j in pairs.values()]
    first = min((s.arrived_at for s in held), default=None)
    last = max((s.arrived_at for s in held), default=None)
    departed_at = returned_at = None
    for stop in stops:
        is_start = stop.place_id is not None and stop.place_id == run.start_depot_id
        is_end = stop.place_id is not None and stop.place_id == run.end_depot_id
        if is_start and stop.departed_at and (first is None or stop.departed_at <= first):
            departed_at = stop.departed_at
        elif is_end and last is not None and stop.arrived_at > last:
            returned_at = returned_at or stop.arrived_at
        elif is_end and last is None and departed_at and stop.arrived_at > departed_at:
            returned_at = stop.arrived_at
    return departed_at, returned_at

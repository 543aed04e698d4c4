"""Arrivals, departures and stays of one vehicle, from fixes that come in any order.

``Tracker`` keeps the fixes in order of time. A late one is put where it belongs and what follows
is done again from the last state kept before it, so the result is always that of all fixes in
order, however they came.

A stay becomes a stop once the vehicle has stood for ``dwell_s`` near a place; it arrived when that
standing began. It goes on until the vehicle leaves the wider radius, so moving up a few metres is
no departure; it then departed when it last began to move. Driving past never stands, a level
crossing opens before ``dwell_s``.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from data.model.fleet import VehicleId
from data.model.geo import check_position, distance_m
from data.model.plan import PlanRequest
from data.model.telemetry import Fix, JudgedFix, ObservedStop, Track
from fleet.filters import FilterParams, FilterState, judge, order_key
from fleet.stands import Stand, StandDetector, StandParams

ENTER_M = 200.0
EXIT_M = 300.0
_CHECKPOINT_EVERY = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Somewhere a vehicle may stop: come within ``enter_m``, gone beyond ``exit_m``."""

    place_id: str
    lon: float
    lat: float
    enter_m: float = ENTER_M
    exit_m: float = EXIT_M

    def __post_init__(self) -> None:
        check_position(self.lon, self.lat)
        if not 0 < self.enter_m <= self.exit_m:
            raise ValueError(
                f"{self.place_id}: entered within {self.enter_m} m, left beyond {self.exit_m} m"
            )

    def distance_m(self, lon: float, lat: float) -> float:
        return distance_m(self.lon, self.lat, lon, lat)


def places_of(request: PlanRequest) -> tuple[Place, ...]:
    """The stops and depots of a plan as places."""
    stops = (Place(place_id=str(s.stop_id), lon=s.lon, lat=s.lat) for s in request.stops)
    depots = (Place(place_id=str(d.depot_id), lon=d.lon, lat=d.lat) for d in request.depots)
    return (*stops, *depots)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackParams:
    """Limits of stopping; design defaults."""

    dwell_s: float = 120.0
    """A shorter stay is a red light or a level crossing."""
    elsewhere_s: float = 300.0
    """The same away from every known place: a jam is no stop."""
    rejoin_s: float = 600.0
    """A vehicle that moves about within the exit radius for longer has departed."""
    move_up_m: float = 80.0
    """A short stand so near the stay belongs to it."""
    filters: FilterParams = field(default_factory=FilterParams)
    stands: StandParams = field(default_factory=StandParams)

    def __post_init__(self) -> None:
        if not 0 < self.dwell_s <= self.elsewhere_s:
            raise ValueError(f"dwell {self.dwell_s} s, elsewhere {self.elsewhere_s} s")


@dataclass(slots=True)
class _Stay:
    """A stop that goes on, with the stand that began it and the one that may end it."""

    place: Place | None
    first: Stand
    last: Stand

    def copy(self) -> "_Stay":
        return _Stay(self.place, self.first.copy(), self.last.copy())


@dataclass(slots=True)
class _State:
    """Everything that decides what the next fix means."""

    filters: FilterState
    detector: StandDetector
    stay: _Stay | None = None

    def copy(self) -> "_State":
        stay = None if self.stay is None else self.stay.copy()
        return _State(self.filters.copy(), self.detector.copy(), stay)


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    """The state before the fix of an index, and how many stops were over by then."""

    index: int
    num_stops: int
    state: _State


class _Ahead:
    """The fixes after one, and how far they were looked at."""

    def __init__(self, fixes: Sequence[Fix], first: int) -> None:
        self._fixes, self._first = fixes, first
        self.was_used = False
        self.seen_until: int | None = None
        """Index of the last one looked at; ``None`` where the end was reached."""

    def __iter__(self) -> Iterator[Fix]:
        self.was_used = True
        for index in range(self._first, len(self._fixes)):
            self.seen_until = index
            yield self._fixes[index]
        self.seen_until = None


@dataclass(frozen=True, slots=True)
class _Foresight:
    """A fix whose verdict hangs on those after it, up to the one that decided, if one has come."""

    key: tuple[object, ...]
    until: tuple[object, ...] | None

    def hangs_on(self, key: tuple[object, ...]) -> bool:
        return self.key < key and (self.until is None or key <= self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of fixes handed to a tracker.

    ``too_late`` are older than what it still holds: the whole day is to be replayed from the store.
    """

    num_new: int
    num_known: int
    too_late: tuple[Fix, ...] = ()


class Tracker:
    """Follows one device of one vehicle.

    Parameters
    ----------
    places
        Where it may stop, in order of preference where two are equally near.
    """

    def __init__(self, places: Sequence[Place], params: TrackParams | None = None) -> None:
        self._places = tuple(places)
        self._params = params or TrackParams()
        self._fixes: list[Fix] = []
        self._keys: list[tuple[object, ...]] = []
        self._known: dict[object, Fix] = {}
        self._judged: list[JudgedFix] = []
        self._stops: list[ObservedStop] = []
        self._state = _State(FilterState(), StandDetector(self._params.stands))
        self._checkpoints = [_Checkpoint(0, 0, self._state.copy())]
        self._num_done = 0
        self._foresights: list[_Foresight] = []
        self._floor: datetime | None = None

    def add(self, fixes: Iterable[Fix]) -> Added:
        """Take fixes in any order; those that are known already change nothing."""
        num_new = num_known = 0
        too_late = []
        for fix in fixes:
            if self._floor is not None and fix.fix_at <= self._floor:
                too_late.append(fix)
                continue
            twin = self._known.get(fix.key)
            if twin is None:
                num_new += 1
                self._insert(fix)
                continue
            num_known += 1
            if order_key(fix) < order_key(twin):
                # Of two that claim to be the same the same one counts, whichever came first.
                self._remove(twin)
                self._insert(fix)
        return Added(num_new=num_new, num_known=num_known, too_late=tuple(too_late))

    @property
    def stops(self) -> tuple[ObservedStop, ...]:
        """The stops so far in order; the last one may go on."""
        self._settle()
        going_on = self._going_on()
        return (*self._stops, going_on) if going_on else tuple(self._stops)

    @property
    def judged(self) -> tuple[JudgedFix, ...]:
        """The fixes held, in order, with their verdicts."""
        self._settle()
        return tuple(self._judged)

    @property
    def last(self) -> Fix | None:
        """The last fix that tells where the vehicle is."""
        self._settle()
        return self._state.filters.last

    @property
    def is_standing(self) -> bool:
        """Whether it stands now, at a place or anywhere, for however short."""
        self._settle()
        return self._state.detector.stand is not None

    def track(self, vehicle_id: VehicleId) -> Track:
        """The fixes held as a track."""
        return Track(vehicle_id=vehicle_id, judged=self.judged)

    def forget(self, until: datetime) -> int:
        """Let go of fixes up to an instant that never need be looked at again; how many.

        The stops stay. Fixes of that time that come later are ``too_late``.
        """
        self._settle()
        num = bisect_left(self._fixes, until, key=lambda f: f.fix_at)
        num = min([num, *(bisect_left(self._keys, f.key) for f in self._open_at(num))])
        checkpoint = max((c for c in self._checkpoints if c.index <= num), key=lambda c: c.index)
        cut = checkpoint.index
        if not cut:
            return 0
        self._floor = self._fixes[cut - 1].fix_at
        for fix in self._fixes[:cut]:
            self._known.pop(fix.key, None)
        del self._fixes[:cut], self._keys[:cut], self._judged[:cut]
        self._num_done -= cut
        self._checkpoints = [
            replace(c, index=c.index - cut) for c in self._checkpoints if c.index >= cut
        ]
        return cut

    def _open_at(self, index: int) -> list[_Foresight]:
        """The verdicts before an index that may still hang on fixes from there on."""
        return [
            f
            for f in self._foresights
            if f.until is None or bisect_left(self._keys, f.until) >= index
        ]

    def _insert(self, fix: Fix) -> None:
        key = order_key(fix)
        index = len(self._keys)
        if index and key < self._keys[-1]:
            index = bisect_left(self._keys, key)
        self._fixes.insert(index, fix)
        self._keys.insert(index, key)
        self._known[fix.key] = fix
        self._rewind(index, key)

    def _remove(self, fix: Fix) -> None:
        key = order_key(fix)
        index = bisect_left(self._keys, key)
        del self._fixes[index], self._keys[index]
        self._rewind(index, key)

    def _rewind(self, index: int, key: tuple[object, ...]) -> None:
        """Go back to before the fix of an index and before all that was judged by it."""
        for foresight in self._foresights:
            if foresight.hangs_on(key):
                index = min(index, bisect_left(self._keys, foresight.key))
        if index >= self._num_done:
            return
        while self._checkpoints[-1].index > index:
            self._checkpoints.pop()
        back = self._checkpoints[-1]
        self._state = back.state.copy()
        self._num_done = back.index
        del self._judged[back.index :], self._stops[back.num_stops :]
        first = self._keys[back.index] if back.index < len(self._keys) else key
        self._foresights = [f for f in self._foresights if f.key < min(first, key)]

    def _settle(self) -> None:
        """Take the steps that have not been taken yet."""
        for index in range(self._num_done, len(self._fixes)):
            if index - self._checkpoints[-1].index >= _CHECKPOINT_EVERY:
                checkpoint = _Checkpoint(index, len(self._stops), self._state.copy())
                self._checkpoints.append(checkpoint)
            fix = self._fixes[index]
            ahead = _Ahead(self._fixes, index + 1)
            verdict = judge(fix, self._state.filters, self._params.filters, ahead)
            if ahead.was_used:
                decided = ahead.seen_until
                until = None if decided is None else self._keys[decided]
                self._foresights.append(_Foresight(self._keys[index], until))
            self._judged.append(JudgedFix(fix=fix, verdict=verdict))
            if verdict.is_presence:
                self._step(fix)
        self._num_done = len(self._fixes)

    def _step(self, fix: Fix) -> None:
        state = self._state
        ended = state.detector.step(fix)
        if ended is not None:
            self._take(ended)
        standing = state.detector.stand
        if standing is not None:
            self._take(standing)
        stay = state.stay
        if stay is not None and (standing is None or standing.from_t != stay.last.from_t):
            self._follow(stay, fix)

    def _take(self, stand: Stand) -> None:
        """Let a stand begin a stay, go on with one, or end it; or not count."""
        stay = self._state.stay
        if stay is not None and stand.from_t == stay.first.from_t:
            stay.first = stand
        if stay is not None and self._belongs(stay, stand):
            stay.last = stand
            return
        if stand.proven_s < self._params.dwell_s:
            return
        place = self._nearest(stand)
        if stay is not None and self._goes_on(stay, place, stand):
            stay.last = stand
            return
        if place is None and stand.proven_s < self._params.elsewhere_s:
            return
        if stay is not None:
            self._close(stay)
        self._state.stay = _Stay(place, stand, stand)

    def _belongs(self, stay: _Stay, stand: Stand) -> bool:
        """Whether a stand is the stay's own, or the vehicle has moved up a little."""
        if stand.from_t == stay.last.from_t:
            return True
        away_m = distance_m(stay.first.lon, stay.first.lat, stand.lon, stand.lat)
        return away_m <= self._params.move_up_m

    def _goes_on(self, stay: _Stay, place: Place | None, stand: Stand) -> bool:
        """Whether a stand further off is still at the stay's place."""
        if place is not None or stay.place is None:
            return place is not None and place == stay.place
        return stay.place.distance_m(stand.lon, stand.lat) <= stay.place.exit_m

    def _nearest(self, stand: Stand) -> Place | None:
        near = [(p.distance_m(stand.lon, stand.lat), p) for p in self._places]
        inside = [(away, p) for away, p in near if away <= p.enter_m]
        return min(inside, key=lambda entry: entry[0])[1] if inside else None

    def _follow(self, stay: _Stay, fix: Fix) -> None:
        """A vehicle that drives: it has departed once it is out, or has been about for long."""
        if stay.place is not None:
            is_out = stay.place.distance_m(fix.lon, fix.lat) > stay.place.exit_m
        else:
            is_out = distance_m(stay.first.lon, stay.first.lat, fix.lon, fix.lat) > EXIT_M
        left_t = stay.last.last_t if stay.last.until_t is None else stay.last.until_t
        if is_out or fix.fix_at.timestamp() - left_t > self._params.rejoin_s:
            self._close(stay)

    def _close(self, stay: _Stay) -> None:
        self._stops.append(_observed(stay, is_over=True))
        self._state.stay = None

    def _going_on(self) -> ObservedStop | None:
        stay = self._state.stay
        return None if stay is None else _observed(stay, is_over=False)


def _observed(stay: _Stay, *, is_over: bool) -> ObservedStop:
    last = stay.last
    until_t = last.last_t if last.until_t is None else last.until_t
    return ObservedStop(
        place_id=None if stay.place is None else stay.place.place_id,
        lon=stay.first.lon,
        lat=stay.first.lat,
        arrived_at=_instant(stay.first.from_t),
        departed_at=_instant(max(until_t, stay.first.from_t)) if is_over else None,
        last_seen_at=_instant(last.last_t),
        arrival_doubt_s=stay.first.from_doubt_s,
        departure_doubt_s=last.until_doubt_s if is_over else 0.0,
        is_arrival_seen=stay.first.is_from_seen,
        is_departure_seen=last.is_until_seen,
    )


def _instant(t: float) -> datetime:
    return datetime.fromtimestamp(t, UTC)


def follow(
    fixes: Iterable[Fix], places: Sequence[Place], params: TrackParams | None = None
) -> Tracker:
    """A tracker that has taken all the fixes."""
    tracker = Tracker(places, params)
    tracker.add(fixes)
    return tracker

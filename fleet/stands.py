"""When a vehicle stands and when it drives, from fixes in order of time.

A stand begins when the vehicle is slower than ``still_mps`` and ends when it is faster than
``moving_mps`` or away from where it stood, so that noise about one limit does not cut it up. Begin
and end lie between two fixes; both are estimated from the way and the speed, with their doubt.
"""

from collections import deque
from dataclasses import dataclass, field, replace

from data.model.geo import distance_m
from data.model.telemetry import Fix
from fleet.filters import slack_m

_WINDOW_S = 10.0
"""Span over which a speed is taken from positions where none is reported."""
_WINDOW_MOST = 16
_COAST_RATIO = 0.8
"""Mean speed between driving and standing, as a share of the speed of driving."""
_CRAWL_MPS = 4.0
"""Time that a way may have taken at most: slower, a vehicle has stood."""
_TYPICAL_MPS = 8.0
_SEEN_S = 180.0
"""Fixes further apart leave a gap: the speed on one side tells nothing of all of it."""
_MOST_DOUBT_S = 90.0
"""A begin or end that is less certain was not seen."""
_NEAR_M = 300.0
_FAST_GAP_S = 2.0
_LONG_GAP_S = 30.0
_MOST_WEIGHT = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class StandParams:
    """Limits between standing and driving (5 and 8 km/h, sustained)."""

    still_mps: float = 1.4
    moving_mps: float = 2.2
    drift_m: float = 40.0
    """A standing receiver wanders so far."""
    leave_s: float = 20.0
    """So long faster than ``moving_mps`` on the spot is leaving too."""
    hidden_s: float = 300.0
    """A gap that holds so much more than its way must have held a stand."""

    def __post_init__(self) -> None:
        if not 0 < self.still_mps <= self.moving_mps:
            raise ValueError(f"still {self.still_mps} m/s is not below {self.moving_mps} m/s")


@dataclass(slots=True)
class Stand:
    """A span of standing; times are seconds since 1970.

    ``first_t`` to ``last_t`` are fixes that show it; ``from_t`` to ``until_t`` the estimate.
    ``gap_s`` is what gaps at both ends must have held of it.
    """

    lon: float
    lat: float
    from_t: float
    first_t: float
    last_t: float
    from_doubt_s: float = 0.0
    is_from_seen: bool = True
    num: int = 1
    gap_s: float = 0.0
    until_t: float | None = None
    until_doubt_s: float = 0.0
    is_until_seen: bool = True

    @property
    def proven_s(self) -> float:
        """How long it stood at least."""
        return self.last_t - self.first_t + self.gap_s

    def copy(self) -> "Stand":
        return replace(self)


@dataclass(slots=True)
class _Seen:
    """A fix with the speed that it has or seems to have."""

    t: float
    lon: float
    lat: float
    speed_mps: float
    slack_m: float


@dataclass(slots=True)
class StandDetector:
    """Turns fixes in order of time into stands, one step a fix."""

    params: StandParams
    stand: Stand | None = None
    """The stand that goes on now."""
    _last: _Seen | None = None
    _recent: deque[tuple[float, float, float]] = field(
        default_factory=lambda: deque(maxlen=_WINDOW_MOST)
    )
    _leaving: _Seen | None = None
    """The first of the fixes that say that the stand is over."""
    _num_leaving: int = 0
    _last_still: _Seen | None = None
    """The last fix of the stand that goes on."""

    def copy(self) -> "StandDetector":
        twin = replace(self, _recent=deque(self._recent, maxlen=_WINDOW_MOST))
        twin.stand = None if self.stand is None else self.stand.copy()
        return twin

    def step(self, fix: Fix) -> Stand | None:
        """Take the next fix; the stand that it ended, if it ended one."""
        seen = self._seen(fix)
        last, self._last = self._last, seen
        if self.stand is None:
            return self._driving(seen, last)
        return self._standing(seen)

    def _seen(self, fix: Fix) -> _Seen:
        t, slack = fix.fix_at.timestamp(), slack_m(fix)
        speed = fix.speed_mps
        if speed is None:
            speed = self._derived_mps(t, fix.lon, fix.lat, slack)
            self._recent.append((t, fix.lon, fix.lat))
        return _Seen(t, fix.lon, fix.lat, speed, slack)

    def _derived_mps(self, t: float, lon: float, lat: float, slack: float) -> float:
        recent = self._recent
        while len(recent) > 1 and recent[1][0] <= t - _WINDOW_S:
            recent.popleft()
        if not recent:
            return 0.0
        then, from_lon, from_lat = recent[0]
        way_m = distance_m(from_lon, from_lat, lon, lat)
        return max(0.0, way_m - slack) / max(t - then, 0.1)

    def _driving(self, seen: _Seen, last: _Seen | None) -> Stand | None:
        if last is not None and (hidden := self._hidden(seen, last)) is not None:
            if seen.speed_mps < self.params.still_mps:
                self._begin(seen, last)
            return hidden
        if seen.speed_mps < self.params.still_mps:
            self._begin(seen, last)
        return None

    def _hidden(self, seen: _Seen, last: _Seen) -> Stand | None:
        """A stand in a gap between two fixes of driving at nearly the same place."""
        gap_s = seen.t - last.t
        way_m = distance_m(last.lon, last.lat, seen.lon, seen.lat)
        held_s = gap_s - way_m / _CRAWL_MPS
        if held_s < self.params.hidden_s or last.speed_mps < self.params.still_mps:
            return None
        if seen.speed_mps < self.params.still_mps:
            return None  # The stand goes on: it begins in the gap.
        half_s = (gap_s - held_s) / 2
        return Stand(
            lon=(last.lon + seen.lon) / 2,
            lat=(last.lat + seen.lat) / 2,
            from_t=last.t + half_s,
            first_t=last.t + half_s,
            last_t=last.t + half_s,
            from_doubt_s=gap_s / 2,
            is_from_seen=False,
            gap_s=held_s,
            until_t=seen.t - half_s,
            until_doubt_s=gap_s / 2,
            is_until_seen=False,
        )

    def _begin(self, seen: _Seen, last: _Seen | None) -> None:
        self._leaving, self._num_leaving, self._last_still = None, 0, seen
        if last is None:
            self.stand = Stand(seen.lon, seen.lat, seen.t, seen.t, seen.t, is_from_seen=False)
            return
        gap_s = seen.t - last.t
        since = self._still_since(seen)
        if since < seen.t or gap_s <= _FAST_GAP_S:
            self.stand = Stand(seen.lon, seen.lat, since, since, seen.t, from_doubt_s=gap_s)
            return
        way_m = distance_m(last.lon, last.lat, seen.lon, seen.lat)
        speed = max(_COAST_RATIO * last.speed_mps, _TYPICAL_MPS if gap_s > _LONG_GAP_S else 1.0)
        drive_s = min(gap_s, way_m / speed)
        if last.speed_mps < self.params.still_mps:
            # It stood before too: when it set out is not known, half of what is left is as good.
            drive_s = (drive_s + gap_s) / 2
        doubt_s = min(gap_s / 2, way_m / _CRAWL_MPS)
        if last.speed_mps < self.params.still_mps:
            doubt_s = gap_s / 2
        self.stand = Stand(
            seen.lon,
            seen.lat,
            last.t + drive_s,
            seen.t,
            seen.t,
            from_doubt_s=doubt_s,
            is_from_seen=doubt_s <= _MOST_DOUBT_S,
            gap_s=max(0.0, gap_s - way_m / _CRAWL_MPS) if way_m <= _NEAR_M else 0.0,
        )

    def _still_since(self, seen: _Seen) -> float:
        """The begin of the stand among the last seconds, where fixes are dense enough to tell."""
        since = seen.t
        for t, lon, lat in reversed(self._recent):
            if distance_m(lon, lat, seen.lon, seen.lat) > seen.slack_m / 2:
                break
            since = t
        return since

    def _standing(self, seen: _Seen) -> Stand | None:
        stand = self.stand
        assert stand is not None
        away_m = distance_m(stand.lon, stand.lat, seen.lon, seen.lat)
        near_m = self.params.drift_m + seen.slack_m
        if seen.speed_mps < self.params.moving_mps and away_m <= near_m:
            self._stay(stand, seen)
            return None
        if self._leaving is None:
            self._leaving = seen
        self._num_leaving += 1
        if not self._has_left(seen, away_m, near_m):
            return None
        first, before = self._leaving, self._last_still
        self._end(stand, first)
        self.stand, self._leaving, self._num_leaving = None, None, 0
        # The fixes that ended it may already belong to the next one.
        if first.speed_mps < self.params.still_mps:
            self._begin(first, before)
            if seen is not first:
                self._standing(seen)
        elif seen.speed_mps < self.params.still_mps:
            self._begin(seen, first)
        return stand

    def _stay(self, stand: Stand, seen: _Seen) -> None:
        self._leaving, self._num_leaving = None, 0
        self._last_still = seen
        stand.last_t = seen.t
        stand.num += 1
        weight = 1 / min(stand.num, _MOST_WEIGHT)
        stand.lon += weight * (seen.lon - stand.lon)
        stand.lat += weight * (seen.lat - stand.lat)

    def _has_left(self, seen: _Seen, away_m: float, near_m: float) -> bool:
        assert self._leaving is not None
        is_far = away_m > near_m
        if self._num_leaving == 1:
            return is_far and away_m > 3 * near_m and seen.speed_mps >= self.params.moving_mps
        return is_far or seen.t - self._leaving.t >= self.params.leave_s

    def _end(self, stand: Stand, first: _Seen) -> None:
        """Set the end, between the last fix of standing and the first of leaving."""
        gap_s = first.t - stand.last_t
        if gap_s <= _FAST_GAP_S:
            stand.until_t = stand.last_t
            return
        away_m = max(0.0, distance_m(stand.lon, stand.lat, first.lon, first.lat) - first.slack_m)
        speed = _COAST_RATIO * first.speed_mps
        if speed < self.params.still_mps or gap_s > _SEEN_S:
            speed = max(speed, _TYPICAL_MPS)
        stand.until_t = first.t - min(gap_s, away_m / speed)
        stand.until_doubt_s = min(gap_s / 2, away_m / _CRAWL_MPS)
        stand.is_until_seen = stand.until_doubt_s <= _MOST_DOUBT_S
        if away_m / _TYPICAL_MPS <= gap_s / 2:
            # Silent while it stood, as phones are: they speak again once they move.
            stand.gap_s += max(0.0, gap_s - away_m / _CRAWL_MPS)

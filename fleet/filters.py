"""Which fixes tell where a vehicle was: an ordered chain of filters, each with its reason.

The chain is fed in order of time and decides by what came before; the first filter that objects
gives the verdict. Nothing is thrown away: a rejected fix keeps its reason. Whether a fix is in the
future is judged by its own time of arrival, so fixes that come late are judged as if they had not.

One question needs the fix after it: a parked vehicle that is told far off may have driven there, or
its receiver jumped. It jumped if the next sound fix is where it stood before.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice

from data.model.geo import distance_m
from data.model.telemetry import EARLIEST, Fix, JudgedFix, Verdict

_UNKNOWN_ACCURACY_M = 10.0
_MOST_SLACK_M = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterParams:
    """Limits of the filters; design defaults for a library bus."""

    future: timedelta = timedelta(seconds=60)
    """How far a device's clock may be ahead."""
    oldest: timedelta = timedelta(days=400)
    """Age at arrival beyond which a fix is no memory but a wrong clock."""
    zero_deg: float = 0.01
    accuracy_m: float = 150.0
    hdop: float = 20.0
    satellites: int = 3
    speed_mps: float = 42.0
    """151 km/h: no bus drives faster."""
    jump_m: float = 30.0
    """A jump within it is noise, however short the time."""
    agreeing: int = 3
    agreeing_s: float = 20.0
    """So many impossible fixes in a row that agree with one another, over so long, are right: it
    was the one before them that was wrong."""
    parked_mps: float = 1.5
    parked_m: float = 30.0
    """A vehicle slower than that and within so far of where it stopped has not moved."""
    spike_m: float = 150.0
    """A single fix further from where the vehicle stands, before and after, is a jump."""
    spike_s: float = 720.0
    """Fixes before and after it further apart leave time to have been there and back."""

    def __post_init__(self) -> None:
        if min(self.speed_mps, self.accuracy_m, self.parked_m, self.jump_m) <= 0:
            raise ValueError("limits of filters are above zero")
        if self.agreeing < 2:
            raise ValueError(f"{self.agreeing} fixes cannot agree with one another")


@dataclass(slots=True)
class FilterState:
    """What the filters remember of the fixes before."""

    last: Fix | None = None
    """The last one that told where the vehicle was."""
    anchor: Fix | None = None
    """Where it stands; ``None`` while it moves."""
    outlier: Fix | None = None
    first_outlier: Fix | None = None
    num_outliers: int = 0

    def copy(self) -> "FilterState":
        return replace(self)


type Filter = Callable[[Fix, FilterState, FilterParams], Verdict | None]


def _no_fix(fix: Fix, _: FilterState, __: FilterParams) -> Verdict | None:
    return None if fix.is_valid else Verdict.NO_FIX


def _zero_island(fix: Fix, _: FilterState, params: FilterParams) -> Verdict | None:
    is_there = abs(fix.lon) <= params.zero_deg and abs(fix.lat) <= params.zero_deg
    return Verdict.ZERO_ISLAND if is_there else None


def _future(fix: Fix, _: FilterState, params: FilterParams) -> Verdict | None:
    delay = fix.delay
    return Verdict.FUTURE if delay is not None and delay < -params.future else None


def _too_old(fix: Fix, _: FilterState, params: FilterParams) -> Verdict | None:
    delay = fix.delay
    return Verdict.TOO_OLD if delay is not None and delay > params.oldest else None


def _inaccurate(fix: Fix, _: FilterState, params: FilterParams) -> Verdict | None:
    if fix.accuracy_m is not None and fix.accuracy_m > params.accuracy_m:
        return Verdict.INACCURATE
    if fix.hdop is not None and fix.hdop > params.hdop:
        return Verdict.INACCURATE
    if fix.satellites is not None and fix.satellites < params.satellites and fix.accuracy_m is None:
        return Verdict.INACCURATE
    return None


def _duplicate(fix: Fix, state: FilterState, _: FilterParams) -> Verdict | None:
    is_twin = state.last is not None and state.last.fix_at == fix.fix_at
    return Verdict.DUPLICATE if is_twin else None


def _impossible_speed(fix: Fix, state: FilterState, params: FilterParams) -> Verdict | None:
    """Too far for the time since the last good fix, unless the ones between agree with it."""
    if state.last is None or is_reachable(state.last, fix, params):
        return None
    if state.num_outliers + 1 < params.agreeing or state.first_outlier is None:
        return Verdict.IMPOSSIBLE_SPEED
    if state.outlier is None or not is_reachable(state.outlier, fix, params):
        return Verdict.IMPOSSIBLE_SPEED
    since_s = (fix.fix_at - state.first_outlier.fix_at).total_seconds()
    return Verdict.IMPOSSIBLE_SPEED if since_s < params.agreeing_s else None


def _parked(fix: Fix, state: FilterState, params: FilterParams) -> Verdict | None:
    """Still near where it stopped; without a reported speed the place alone decides."""
    if state.anchor is None or (fix.speed_mps or 0.0) >= params.parked_mps:
        return None
    gap_m = distance_m(state.anchor.lon, state.anchor.lat, fix.lon, fix.lat)
    return Verdict.PARKED if gap_m <= params.parked_m else None


CHAIN: tuple[Filter, ...] = (
    _no_fix,
    _zero_island,
    _future,
    _too_old,
    _inaccurate,
    _duplicate,
    _impossible_speed,
    _parked,
)


def slack_m(fix: Fix) -> float:
    """How far off a fix may be, as far as it says so itself."""
    return min(_UNKNOWN_ACCURACY_M if fix.accuracy_m is None else fix.accuracy_m, _MOST_SLACK_M)


def is_reachable(here: Fix, there: Fix, params: FilterParams) -> bool:
    """Whether a vehicle can have come from one fix to a later one."""
    time_s = (there.fix_at - here.fix_at).total_seconds()
    way_m = distance_m(here.lon, here.lat, there.lon, there.lat)
    return way_m <= params.speed_mps * time_s + params.jump_m + slack_m(here) + slack_m(there)


def judge(
    fix: Fix, state: FilterState, params: FilterParams, following: Iterable[Fix] = ()
) -> Verdict:
    """The verdict of the next fix in order of time; the state goes on with it.

    Parameters
    ----------
    following
        The fixes after it in order, as far as they are known; looked at only where it matters.
    """
    verdict = Verdict.ACCEPTED
    for objects in CHAIN:
        found = objects(fix, state, params)
        if found is not None:
            verdict = found
            break
    if verdict is Verdict.ACCEPTED and _is_far_off(fix, state, params):
        after = next((f for f in following if _is_sound(f, fix, params)), None)
        if after is not None and _is_back(after, state, params):
            verdict = Verdict.SPIKE
    _remember(fix, verdict, state, params)
    return verdict


def judge_all(fixes: Iterable[Fix], params: FilterParams | None = None) -> tuple[JudgedFix, ...]:
    """Fixes in order of time with their verdicts."""
    state, limits = FilterState(), params or FilterParams()
    ordered = sorted(fixes, key=order_key)
    return tuple(
        JudgedFix(fix=f, verdict=judge(f, state, limits, islice(ordered, k + 1, None)))
        for k, f in enumerate(ordered)
    )


def order_key(fix: Fix) -> tuple[object, ...]:
    """A total order of fixes: by time, then by everything that may tell two of them apart."""
    return (
        fix.fix_at,
        -1 if fix.sequence is None else fix.sequence,
        fix.lon,
        fix.lat,
        -1.0 if fix.speed_mps is None else fix.speed_mps,
        -1.0 if fix.accuracy_m is None else fix.accuracy_m,
        -1.0 if fix.hdop is None else fix.hdop,
        -1 if fix.satellites is None else fix.satellites,
        not fix.is_valid,
        EARLIEST if fix.received_at is None else fix.received_at,
    )


def _is_far_off(fix: Fix, state: FilterState, params: FilterParams) -> bool:
    """Whether a vehicle that stood is told to stand elsewhere, and no odometer bears it out."""
    here = state.anchor
    if here is None or (fix.speed_mps or 0.0) >= params.parked_mps:
        return False
    away_m = distance_m(here.lon, here.lat, fix.lon, fix.lat)
    if away_m <= params.spike_m + slack_m(here) + slack_m(fix):
        return False
    if fix.odometer_m is None or here.odometer_m is None:
        return True
    return fix.odometer_m - here.odometer_m < away_m / 2


def _is_sound(after: Fix, fix: Fix, params: FilterParams) -> bool:
    """Whether a later fix may tell where the vehicle was, whatever came before it."""
    nothing = FilterState()
    alone = (_no_fix, _zero_island, _future, _too_old, _inaccurate)
    return after.fix_at > fix.fix_at and not any(f(after, nothing, params) for f in alone)


def _is_back(after: Fix, state: FilterState, params: FilterParams) -> bool:
    """Whether the vehicle is, soon enough, where it stood before."""
    here, last = state.anchor, state.last
    if here is None or last is None:
        return False
    if (after.fix_at - last.fix_at).total_seconds() > params.spike_s:
        return False
    away_m = distance_m(here.lon, here.lat, after.lon, after.lat)
    return away_m <= params.parked_m + slack_m(here) + slack_m(after)


def _remember(fix: Fix, verdict: Verdict, state: FilterState, params: FilterParams) -> None:
    if verdict is Verdict.IMPOSSIBLE_SPEED:
        agrees = state.outlier is not None and is_reachable(state.outlier, fix, params)
        state.num_outliers = state.num_outliers + 1 if agrees else 1
        state.first_outlier = state.first_outlier if agrees else fix
        state.outlier = fix
        return
    if not verdict.is_presence:
        return
    state.num_outliers, state.outlier, state.first_outlier = 0, None, None
    if verdict is Verdict.ACCEPTED:
        state.anchor = fix if _speed_mps(fix, state) < params.parked_mps else None
    state.last = fix


def _speed_mps(fix: Fix, state: FilterState) -> float:
    """The speed that the device reports, else that from the fix before it, noise taken off."""
    if fix.speed_mps is not None:
        return fix.speed_mps
    if state.last is None:
        return 0.0
    time_s = (fix.fix_at - state.last.fix_at).total_seconds()
    way_m = distance_m(state.last.lon, state.last.lat, fix.lon, fix.lat)
    return max(0.0, way_m - slack_m(fix)) / max(time_s, 0.1)

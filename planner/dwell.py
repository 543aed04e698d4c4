"""How long a stop may be open in the search, and the prize that longer opening brings.

The worth of time beyond the least is that of ``DwellWorth``: it grows with diminishing benefit.
"""

from dataclasses import replace

from data.model.dwell import STEP_S
from data.model.place import Stop
from data.model.plan import PlanRequest, StopVisit

LEAST_PRIZE = 0.01
"""Worth of an optional stop with no prize, so that free hours still serve it."""
MOST_LEVELS = 4
"""Lengths of stay of a stop that the search tries; ``planner.lengthen`` then fits them exactly."""
_GRAINS = (1.0, 0.5, 0.25, 0.1, 0.05)
_LEAST_GRAIN = 0.01
_CLOSE = 1e-9


def with_service(stop: Stop, service_s: int) -> Stop:
    """The stop with a doors-open time that leaves no choice."""
    return replace(stop, service_s=service_s, service_most_s=None)


def as_open(stop: Stop, visit: StopVisit) -> Stop:
    """The stop with the open time that a plan has chosen; as it is where there was no choice."""
    if stop.service_most_s is None:
        return stop
    return with_service(stop, visit.end_s - visit.start_s)


def num_steps(stop: Stop) -> int:
    """By how many steps of ``STEP_S`` the stop may be open for longer than the least."""
    return stop.spare_service_s // STEP_S


def kept_extra_s(request: PlanRequest) -> dict[int, int]:
    """Stops whose open time is fixed by a kept visit's closing: seconds beyond the least.

    Where kept visits of a stop were open for different times, the first one's holds.
    """
    number = {s.stop_id: k for k, s in enumerate(request.stops)}
    found: dict[int, int] = {}
    for run in request.pins.kept:
        for visit in run.visits:
            index = number.get(visit.stop_id)
            if index is None or visit.end_s is None or request.stops[index].service_most_s is None:
                continue
            stop = request.stops[index]
            extra_s = visit.end_s - visit.start_s - stop.service_s
            found.setdefault(index, min(max(0, extra_s), stop.spare_service_s))
    return found


def levels_s(stop: Stop, kept_s: int | None = None) -> tuple[int, ...]:
    """Seconds beyond the least open time that the search tries, ascending."""
    if kept_s is not None:
        return (kept_s,)
    steps, parts = num_steps(stop), MOST_LEVELS - 1
    return tuple(sorted({round(steps * k / parts) * STEP_S for k in range(MOST_LEVELS)}))


def worth_of_stops(request: PlanRequest) -> list[float]:
    """Prize that the longest opening would bring at each stop, zero where there is no choice.

    Where the request states no ratio the sum over all stops stays below the least difference that
    two sets of stops can have, so that no opening time outweighs a stop.
    """
    prizes = [max(s.prize, LEAST_PRIZE) for s in request.stops]
    ranged = [s.spare_service_s > 0 for s in request.stops]
    ratio = request.dwell_worth.worth_ratio
    if ratio == 0:
        total = sum(p for p, is_ranged in zip(prizes, ranged, strict=True) if is_ranged)
        ratio = 0.5 * _grain(prizes) / total if total else 0.0
    return [ratio * p if is_ranged else 0.0 for p, is_ranged in zip(prizes, ranged, strict=True)]


def _grain(prizes: list[float]) -> float:
    """The coarsest of some grains of which all prizes are multiples."""

    def fits(grain: float) -> bool:
        parts = [p / grain for p in prizes]
        return all(abs(p - round(p)) < _CLOSE * (1 + p) for p in parts)

    return next((grain for grain in _GRAINS if fits(grain)), _LEAST_GRAIN)

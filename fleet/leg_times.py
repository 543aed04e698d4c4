"""How long drives and stays take, and how surely: what a forecast is made of.

A forecast asks a ``LegTimes``; this one answers from a plan's own road times. Where recorded days
taught better, ``api`` hands in what the planner learned of them: ``fleet`` never plans.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from data.model.plan import PlanRequest
from data.model.travel import UNREACHABLE

DEFAULT_DRIVE_SD = 0.15
DEFAULT_DAY_SD = 0.11
"""Days differ by some 0.07; the rest is how wrong a plan's roads may be before they are learned."""
DEFAULT_STAY_SD = 0.3
SHORT_S = 60.0
"""Planned seconds at which the variance of a drive is twice that of a long one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A time that varies log-normally; ``sd`` is of its natural logarithm, by itself."""

    median_s: float
    sd: float = 0.0

    def __post_init__(self) -> None:
        if not (self.median_s >= 0 and self.sd >= 0):
            raise ValueError(f"a time of {self.median_s} s with a spread of {self.sd}")


class LegTimes(Protocol):
    """Times of one vehicle."""

    @property
    def day_sd(self) -> float:
        """Spread that all drives of one day share, of the logarithm."""

    def drive(self, origin_id: str, target_id: str, at: datetime) -> Spell:
        """A drive from one place to another that begins then."""

    def setup(self, stop_id: str) -> Spell:
        """From the arrival to the doors open, where nobody waits for the published time."""

    def turnaround(self, stop_id: str) -> Spell:
        """From when the doors should close to the departure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTimes:
    """Times of a plan as it has them, with spreads that are thought likely.

    ``drive_s`` are seconds between places by their ids; a leg that is not known takes
    ``unknown_s``.
    """

    drive_s: Mapping[tuple[str, str], float]
    setup_s: Mapping[str, float]
    turnaround_s: Mapping[str, float]
    drive_sd: float = DEFAULT_DRIVE_SD
    stay_sd: float = DEFAULT_STAY_SD
    day_sd: float = DEFAULT_DAY_SD
    unknown_s: float = 1200.0
    factor: float = 1.0

    def drive(self, origin_id: str, target_id: str, at: datetime) -> Spell:
        seconds = self.drive_s.get((origin_id, target_id), self.unknown_s)
        sd = self.drive_sd * (1 + SHORT_S / max(seconds, 1.0)) ** 0.5
        return Spell(median_s=self.factor * seconds, sd=sd)

    def setup(self, stop_id: str) -> Spell:
        return Spell(median_s=self.setup_s.get(stop_id, 0.0), sd=self.stay_sd)

    def turnaround(self, stop_id: str) -> Spell:
        return Spell(median_s=self.turnaround_s.get(stop_id, 0.0), sd=self.stay_sd)


def planned_times(
    request: PlanRequest, vehicle_id: str, place_ids: tuple[str, ...]
) -> PlannedTimes:
    """The road times of a plan between some places, without what was kept against delays."""
    matrix = next(
        (m for v, m in request.travel.items() if v == vehicle_id),
        next(iter(request.travel.values())),
    )
    known = [p for p in dict.fromkeys(place_ids) if p in matrix.index]
    drives = {}
    for origin in known:
        for target in known:
            seconds = matrix.seconds(origin, target) - matrix.buffer_seconds(origin, target)
            if origin != target and matrix.seconds(origin, target) != UNREACHABLE:
                drives[origin, target] = float(seconds)
    return PlannedTimes(
        drive_s=drives,
        setup_s={str(s.stop_id): float(s.setup_s) for s in request.stops},
        turnaround_s={str(s.stop_id): float(s.teardown_s) for s in request.stops},
    )

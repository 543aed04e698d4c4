"""The figures of a driven day: kept stops, punctuality, stays, drives, mileage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from data.model.telemetry import Track
from fleet.matching import MatchedDay, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class LegFigure:
    """One drive between places of the plan, as it was and as it was planned.

    ``planned_s`` is the road time alone; ``None`` where the plan has no such leg.
    """

    origin_id: str
    target_id: str
    drive_s: float
    planned_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """A vehicle's day in numbers; ratios are of the planned visits, ``None`` where there are none.

    ``odometer_m`` is the difference that the device's own odometer shows.
    """

    num_planned: int
    num_held: int
    num_punctual: int
    """Held with opening and leaving within the tolerance."""
    num_late: int
    num_early: int
    num_skipped: int
    num_out_of_order: int
    num_unplanned: int
    mean_late_s: float | None
    """Of the held visits, by which the doors could open too late."""
    dwell_s: float
    planned_dwell_s: float
    """Of the held visits that are over."""
    legs: tuple[LegFigure, ...]
    driven_m: float
    planned_m: int | None
    odometer_m: float | None

    @property
    def kept_ratio(self) -> float | None:
        return self.num_held / self.num_planned if self.num_planned else None

    @property
    def punctual_ratio(self) -> float | None:
        return self.num_punctual / self.num_planned if self.num_planned else None

    @property
    def drive_ratio(self) -> float | None:
        """Driving as it was over driving as planned, of the legs that both have."""
        both = [(leg.drive_s, leg.planned_s) for leg in self.legs if leg.planned_s]
        planned = sum(p for _, p in both if p)
        return sum(d for d, _ in both) / planned if planned else None


def day_figures(
    day: MatchedDay, track: Track, drive_s: dict[tuple[str, str], float] | None = None
) -> DayFigures:
    """The figures of a matched day and its track.

    Parameters
    ----------
    drive_s
        Planned seconds of driving between places.
    """
    held = [v for v in day.visits if v.was_held]
    over = [v for v in held if v.observed is not None and v.observed.is_over]
    counts = {o: sum(v.outcome is o for v in day.visits) for o in Outcome}
    return DayFigures(
        num_planned=len(day.visits),
        num_held=len(held),
        num_punctual=counts[Outcome.KEPT],
        num_late=counts[Outcome.LATE],
        num_early=counts[Outcome.EARLY],
        num_skipped=counts[Outcome.SKIPPED],
        num_out_of_order=sum(v.is_out_of_order for v in day.visits),
        num_unplanned=len(day.unplanned),
        mean_late_s=sum(v.late_s for v in held) / len(held) if held else None,
        dwell_s=sum(v.observed.dwell_s for v in over if v.observed is not None),
        planned_dwell_s=sum(
            (v.planned.departure_at - v.planned.arrival_at).total_seconds()
            for v in over
            if v.planned is not None
        ),
        legs=_legs(day, drive_s or {}),
        driven_m=track.length_m,
        planned_m=day.run.drive_m,
        odometer_m=_odometer_m(track),
    )


def _legs(day: MatchedDay, drive_s: dict[tuple[str, str], float]) -> tuple[LegFigure, ...]:
    """Drives between places that follow one another; one with a stop on the way is left out."""
    points: list[tuple[datetime, str, datetime | None]] = []
    for visit in (*day.visits, *day.unplanned):
        seen = visit.observed
        if seen is not None:
            name = visit.planned.stop_id if visit.planned else ""
            points.append((seen.arrived_at, name, seen.departed_at))
    if day.run.start_depot_id is not None and day.departed_at is not None:
        points.append((day.departed_at, day.run.start_depot_id, day.departed_at))
    if day.run.end_depot_id is not None and day.returned_at is not None:
        points.append((day.returned_at, day.run.end_depot_id, None))
    points.sort(key=lambda p: p[0])
    return tuple(_between(points, drive_s))


def _between(
    points: Sequence[tuple[datetime, str, datetime | None]],
    drive_s: dict[tuple[str, str], float],
) -> list[LegFigure]:
    legs = []
    for (_, origin, left), (came, target, _) in pairwise(points):
        if origin and target and left is not None:
            legs.append(
                LegFigure(
                    origin_id=origin,
                    target_id=target,
                    drive_s=(came - left).total_seconds(),
                    planned_s=drive_s.get((origin, target)),
                )
            )
    return legs


def _odometer_m(track: Track) -> float | None:
    told = [f.odometer_m for f in track.fixes if f.odometer_m is not None]
    if len(told) < 2 or told[-1] <= told[0]:
        return None
    return told[-1] - told[0]

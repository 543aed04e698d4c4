"""Recorded days added up: visits kept and in time, stays and drives with their spread, the way.

Every figure can be opened: ``DayRecord.in_state`` gives the visits that it counts.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from data.model.day_record import HELD, OVER, DayRecord, RecordedVisit
from data.model.live import ActualState


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A time taken often: how often, planned, mean, standard deviation, greatest.

    ``sd_s`` is ``None`` of a single time.
    """

    num: int
    mean_s: float
    sd_s: float | None
    most_s: float
    planned_s: float | None = None

    @property
    def change_s(self) -> float | None:
        """Mean over planned."""
        return None if self.planned_s is None else self.mean_s - self.planned_s

    @property
    def variance_s2(self) -> float | None:
        return None if self.sd_s is None else self.sd_s**2


def spread_of(taken_s: Sequence[float], planned_s: Sequence[float] = ()) -> Spread | None:
    """The spread of times; ``None`` without any."""
    if not taken_s:
        return None
    num = len(taken_s)
    mean = sum(taken_s) / num
    sd = None if num < 2 else sqrt(sum((t - mean) ** 2 for t in taken_s) / (num - 1))
    planned = sum(planned_s) / len(planned_s) if planned_s else None
    return Spread(num=num, mean_s=mean, sd_s=sd, most_s=max(taken_s), planned_s=planned)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayStats:
    """The figures of one day of one vehicle, or of many; ratios are of visits that are over.

    Punctual is a visit held with its opening and its leaving within the tolerance.
    """

    num_days: int
    num_planned: int
    """Visits that were to be held and are over."""
    num_held: int
    num_kept: int
    num_late: int
    num_early: int
    num_skipped: int
    num_cancelled: int
    num_unplanned: int
    num_to_come: int
    late: Spread | None
    """Of the held visits: by how much the doors could open too late."""
    dwell_s: int
    planned_dwell_s: int
    drive_s: int
    planned_drive_s: int
    """Of the drives whose planned time is known."""
    driven_m: float
    planned_m: int | None

    @property
    def kept_ratio(self) -> float | None:
        return self.num_held / self.num_planned if self.num_planned else None

    @property
    def punctual_ratio(self) -> float | None:
        return self.num_kept / self.num_planned if self.num_planned else None


def stats_of(records: Iterable[DayRecord]) -> DayStats:
    """The figures of some vehicle-days together."""
    days = tuple(records)
    visits = [v for d in days for v in d.visits]
    counts = Counter(v.state for v in visits)
    over = [v for v in visits if v.is_planned and v.state in OVER]
    stood = [v for v in over if v.dwell_s is not None and v.is_seen_whole]
    legs = [leg for d in days for leg in d.legs if leg.planned_s]
    planned = [d.planned.drive_m for d in days if d.planned.drive_m is not None]
    return DayStats(
        num_days=len(days),
        num_planned=len(over),
        num_held=sum(v.state in HELD for v in over),
        num_kept=counts[ActualState.KEPT],
        num_late=counts[ActualState.LATE],
        num_early=counts[ActualState.EARLY],
        num_skipped=counts[ActualState.SKIPPED],
        num_cancelled=counts[ActualState.CANCELLED],
        num_unplanned=counts[ActualState.UNPLANNED],
        num_to_come=counts[ActualState.TO_COME] + counts[ActualState.STANDING],
        late=spread_of([v.late_s for v in over if v.state in HELD]),
        dwell_s=sum(v.dwell_s or 0 for v in stood),
        planned_dwell_s=sum(v.planned_dwell_s or 0 for v in stood),
        drive_s=sum(leg.drive_s for leg in legs),
        planned_drive_s=sum(leg.planned_s or 0 for leg in legs),
        driven_m=sum(d.driven_m for d in days),
        planned_m=sum(planned) if planned else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StopStats:
    """What became of the visits of one stop: counts and spreads."""

    stop_id: str
    num_planned: int
    num_held: int
    num_kept: int
    dwell: Spread | None
    late: Spread | None


def stops_of(records: Iterable[DayRecord]) -> tuple[StopStats, ...]:
    """Each stop's visits, the least punctual first."""
    by_stop: dict[str, list[RecordedVisit]] = defaultdict(list)
    for record in records:
        for visit in record.visits:
            if visit.is_planned and visit.stop_id and visit.state in OVER:
                by_stop[visit.stop_id].append(visit)
    found = []
    for stop_id, visits in by_stop.items():
        stood = [v for v in visits if v.dwell_s is not None and v.is_seen_whole]
        found.append(
            StopStats(
                stop_id=stop_id,
                num_planned=len(visits),
                num_held=sum(v.state in HELD for v in visits),
                num_kept=sum(v.state is ActualState.KEPT for v in visits),
                dwell=spread_of(
                    [float(v.dwell_s or 0) for v in stood],
                    [float(v.planned_dwell_s or 0) for v in stood],
                ),
                late=spread_of([float(v.late_s) for v in visits if v.state in HELD]),
            )
        )
    return tuple(sorted(found, key=lambda s: (s.num_kept / s.num_planned, s.stop_id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class LegStats:
    """The drives from one place to another."""

    origin_id: str
    target_id: str
    drive: Spread


def legs_of(records: Iterable[DayRecord]) -> tuple[LegStats, ...]:
    """Each leg's drives, those that take most over their plan first."""
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)
    planned: dict[tuple[str, str], list[float]] = defaultdict(list)
    for record in records:
        for leg in record.legs:
            key = leg.origin_id, leg.target_id
            taken[key].append(leg.drive_s)
            if leg.planned_s:
                planned[key].append(leg.planned_s)
    found = []
    for key, times in taken.items():
        spread = spread_of(times, planned[key])
        assert spread is not None  # there is at least one
        found.append(LegStats(origin_id=key[0], target_id=key[1], drive=spread))
    return tuple(
        sorted(found, key=lambda x: (-(x.drive.change_s or 0.0), x.origin_id, x.target_id))
    )

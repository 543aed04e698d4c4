"""Plan against actual of stop visits on record: promises kept, punctuality, stays (DOMAIN §8).

Punctual is a stop visit that opened no more than ten minutes from the promised time. A stay is
the time with open doors; its change is told where all four times are known. Minutes; late and
longer are positive.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from data.model.day_stats import spread_of
from data.model.visit_record import RecordState, VisitRecord

TOLERANCE_MIN = 10.0
_MINUTE_S = 60.0


class VisitTimes(NamedTuple):
    """What is told of a stop visit; a report adds up tens of thousands."""

    is_promised: bool
    is_held: bool
    state: RecordState
    late_min: float | None
    stay_change_min: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Some stop visits' times added up; ``None`` where no time is known."""

    num_promised: int
    num_kept: int
    num_not_held: int
    num_unknown: int
    num_timed: int
    """Promised ones that were held and whose opening is known."""
    num_punctual: int
    num_late: int
    num_early: int
    late_min: float
    """Opening less promised opening, added up."""
    late_sd_min: float | None
    num_stays: int
    stay_change_min: float
    stay_sd_min: float | None
    """Of the stays' changes."""


def late_min(record: VisitRecord) -> float | None:
    """Minutes by which a promised stop visit opened late; ``None`` where that is not known."""
    return _change_min(record.planned_open_at, record.opened_at) if record.is_held else None


def stay_change_min(record: VisitRecord) -> float | None:
    """Minutes by which the doors were open longer than promised."""
    closed_late = _change_min(record.planned_close_at, record.closed_at)
    opened_late = late_min(record)
    return None if closed_late is None or opened_late is None else closed_late - opened_late


def _change_min(planned_at: datetime | None, was_at: datetime | None) -> float | None:
    if planned_at is None or was_at is None:
        return None
    return (was_at - planned_at).total_seconds() / _MINUTE_S


def _counted(holds: Callable[[float], bool]) -> Callable[[VisitRecord], float | None]:
    def amount(record: VisitRecord) -> float | None:
        late = late_min(record)
        return 1 if late is not None and holds(late) else None

    return amount


TIMING: Mapping[str, Callable[[VisitRecord], float | None]] = {
    "timed": _counted(lambda _: True),
    "punctual": _counted(lambda late: abs(late) <= TOLERANCE_MIN),
    "late": _counted(lambda late: late > TOLERANCE_MIN),
    "early": _counted(lambda late: late < -TOLERANCE_MIN),
    "late_min": late_min,
    "stays": lambda record: None if stay_change_min(record) is None else 1,
    "stay_change_min": stay_change_min,
}
"""Numbers by name: what a stop visit adds, ``None`` where it is not looked at."""
SPREADS: Mapping[str, str] = {"late_sd": "late_min", "stay_sd": "stay_change_min"}
"""Standard deviations by name: of which number."""


def times_of(record: VisitRecord) -> VisitTimes:
    """What is told of a stop visit's times."""
    late = late_min(record)
    stay = None if late is None else stay_change_min(record)
    return VisitTimes(record.is_planned, record.is_held, record.state, late, stay)


def timing_of(visits: Sequence[VisitTimes]) -> Timing:
    """The times of some stop visits."""
    late = [v.late_min for v in visits if v.late_min is not None]
    stays = [v.stay_change_min for v in visits if v.stay_change_min is not None]
    states = Counter([v.state for v in visits])
    num_late = sum([m > TOLERANCE_MIN for m in late])
    num_early = sum([m < -TOLERANCE_MIN for m in late])
    return Timing(
        num_promised=sum([v.is_promised for v in visits]),
        num_kept=sum([v.is_promised and v.is_held for v in visits]),
        num_not_held=states[RecordState.SKIPPED] + states[RecordState.CANCELLED],
        num_unknown=states[RecordState.UNKNOWN],
        num_timed=len(late),
        num_punctual=len(late) - num_late - num_early,
        num_late=num_late,
        num_early=num_early,
        late_min=sum(late),
        late_sd_min=deviation_of(late),
        num_stays=len(stays),
        stay_change_min=sum(stays),
        stay_sd_min=deviation_of(stays),
    )


def deviation_of(values: Sequence[float]) -> float | None:
    """The standard deviation of a sample; ``None`` below two values."""
    found = spread_of(values)
    return None if found is None else found.sd_s

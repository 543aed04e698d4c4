"""What was learned as rows for a person to judge: planned, typical, four days in five, how sure."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from data.model.demand import VisitsEstimate
from data.model.learned import LearnedRatio
from data.model.place import Stop
from data.model.plan import PlanRequest
from planner.learn.demand import audiences, expected_visits
from planner.learn.lessons import Lessons
from planner.learn.ratios import Prediction, predict
from planner.learn.records import leg_unit, places_of, setup_base_s, teardown_base_s

LEVEL = 0.8
_MOST_LEVEL = 0.995


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRow:
    """A time as planned and as learned; seconds.

    ``low_s`` to ``high_s`` holds the true typical time with 80 %. A new day stays within
    ``p80_s`` with 80 %, days with incidents counted.
    """

    ids: tuple[str, ...]
    """Stop, or origin and target of a leg."""
    planned_s: float
    p50_s: float
    p80_s: float
    low_s: float
    high_s: float
    num: int

    @property
    def change(self) -> float:
        """Typical over planned time, less one."""
        return self.p50_s / self.planned_s - 1 if self.planned_s else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorRow:
    """A factor common to all records, or those of one hour band or vehicle."""

    level: str
    """Empty for all."""
    unit: str
    factor: float
    low: float
    high: float
    num: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandRow:
    """Visits that one opening of a stop brings, as counted and as expected."""

    stop_id: str
    counted: float | None
    """Mean of the counts; ``None`` without any."""
    expected: VisitsEstimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Everything learned, as a person reviews it; legs and stops by id, as in the plan."""

    factors: tuple[FactorRow, ...]
    legs: tuple[TimeRow, ...]
    setup: tuple[TimeRow, ...]
    turnaround: tuple[TimeRow, ...]
    opening: tuple[TimeRow, ...]
    demand: tuple[DemandRow, ...]


def propose(request: PlanRequest, lessons: Lessons) -> Proposal:
    """The rows of a proposal: legs and stops that have records, demand of every stop."""
    learned = lessons.learned
    stops = {str(s.stop_id): s for s in request.stops}
    audience_of = audiences(request)
    demand = []
    for stop in request.stops:
        count, _, num = learned.demand.seen.get(str(stop.stop_id), (0.0, 0.0, 0))
        expected = expected_visits(learned.demand, stop, audience_of[stop.stop_id])
        demand.append(
            DemandRow(
                stop_id=str(stop.stop_id),
                counted=count / num if num else None,
                expected=expected,
            )
        )
    return Proposal(
        factors=_factors(learned.drive),
        legs=_legs(request, lessons),
        setup=_stays(stops, learned.setup, setup_base_s),
        turnaround=_stays(stops, learned.turnaround, teardown_base_s),
        opening=_stays(stops, learned.opening, lambda stop: stop.service_s),
        demand=tuple(demand),
    )


def _factors(ratio: LearnedRatio) -> tuple[FactorRow, ...]:
    whole = Prediction(
        mean=ratio.overall,
        estimate_variance=ratio.overall_variance,
        day_variance=0.0,
        residual_variance=0.0,
    )
    low, high = whole.interval()
    rows = [
        FactorRow(level="", unit="", factor=whole.median, low=low, high=high, num=ratio.num_records)
    ]
    for level in ("hour", "vehicle"):
        for unit, effect in sorted(ratio.effects.get(level, {}).items()):
            found = Prediction(
                mean=ratio.overall + effect.mean,
                estimate_variance=max(
                    0.0, ratio.overall_variance + effect.variance + 2 * effect.covariance
                ),
                day_variance=0.0,
                residual_variance=0.0,
            )
            low, high = found.interval()
            rows.append(
                FactorRow(
                    level=level, unit=unit, factor=found.median, low=low, high=high, num=effect.num
                )
            )
    return tuple(rows)


def _legs(request: PlanRequest, lessons: Lessons) -> tuple[TimeRow, ...]:
    """Legs with records, the vehicle and hour as the records had them."""
    ratio = lessons.learned.drive
    vehicles = _usual(lessons.records.drive.units["leg"], lessons.records.drive.units["vehicle"])
    matrices = {str(v): m for v, m in request.travel.items()}
    first = next(iter(request.travel.values()))
    rows = []
    for unit, effect in sorted(ratio.effects.get("leg", {}).items()):
        origin, target = places_of(unit)
        vehicle = vehicles.get(unit, "")
        matrix = matrices.get(vehicle, first)
        base_s = float(matrix.unlearned_seconds(origin, target))
        found = predict(ratio, base_s, {"leg": leg_unit(origin, target), "vehicle": vehicle})
        rows.append(_row((origin, target), base_s, found, effect.num, ratio.late_share))
    return tuple(rows)


def _usual(legs: Sequence[str], vehicles: Sequence[str]) -> Mapping[str, str]:
    """The vehicle that drove each leg most often."""
    counts: dict[str, Counter[str]] = {}
    for leg, vehicle in zip(legs, vehicles, strict=True):
        counts.setdefault(leg, Counter())[vehicle] += 1
    return {leg: found.most_common(1)[0][0] for leg, found in counts.items()}


def _stays(
    stops: Mapping[str, Stop], ratio: LearnedRatio, base_of: Callable[[Stop], int]
) -> tuple[TimeRow, ...]:
    rows = []
    for unit, effect in sorted(ratio.effects.get("stop", {}).items()):
        base_s = float(base_of(stops[unit]))
        found = predict(ratio, base_s, {"stop": unit})
        rows.append(_row((unit,), base_s, found, effect.num, ratio.late_share))
    return tuple(rows)


def _row(
    ids: tuple[str, ...], planned_s: float, found: Prediction, num: int, late_share: float
) -> TimeRow:
    low, high = found.interval()
    level = min(_MOST_LEVEL, LEVEL / (1 - late_share))
    return TimeRow(
        ids=ids,
        planned_s=planned_s,
        p50_s=planned_s * found.median,
        p80_s=planned_s * found.quantile(level),
        low_s=planned_s * low,
        high_s=planned_s * high,
        num=num,
    )

"""What can be counted over stop visits on record, each so that the lines behind it can be shown.

A measure is a sum of counts, a number of stop visits, or a number of different runs, places,
settlements or vehicles. Its value and its lines come from the same function, so they agree.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from data.model.counted_visit import Counted
from data.model.stop_counts import (
    LOAN_COUNTS,
    NAMES,
    USER_COUNTS,
    VISIT_COUNTS,
    CountMethod,
    total_of,
)
from data.model.visit_record import HELD_STATES, RecordState, VisitRecord


class Distinct(StrEnum):
    """Things of which each counts once, however many stop visits tell of it."""

    RUNS = "runs"
    """Vehicles by service date."""
    PLACES = "places"
    SETTLEMENTS = "settlements"
    VEHICLES = "vehicles"


class Over(StrEnum):
    """Which stop visits a measure looks at."""

    HELD = "held"
    PROMISED = "promised"
    """Planned ones whose time is over."""
    KEPT = "kept"
    """Planned and held."""
    NOT_HELD = "not_held"
    """Planned, skipped or cancelled."""
    UNKNOWN = "unknown"
    UNPLANNED = "unplanned"
    CONFIRMED = "confirmed"
    """Held, and a track shows the vehicle there."""
    UNCONFIRMED = "unconfirmed"
    CORRECTED = "corrected"
    """Held, with a count that a person changed later."""
    UNCOUNTED = "uncounted"
    """Held, but nothing was counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One thing to count.

    Without ``names`` and ``distinct`` it is the number of stop visits.
    """

    names: tuple[str, ...] = ()
    """Counts that are added, over all bands of age, or of one (``loans_home.children``)."""
    less: tuple[str, ...] = ()
    """Counts that are taken off."""
    distinct: Distinct | None = None
    over: Over = Over.HELD
    method: CountMethod | None = None
    """Only stop visits of which something was counted in this way."""

    def __post_init__(self) -> None:
        for name in (*self.names, *self.less):
            if name not in NAMES:
                raise ValueError(f"nobody counts {name}")
        if self.names and self.distinct:
            raise ValueError("a measure adds counts or tells things apart")


def looks_at(measure: Measure, record: Counted) -> bool:
    """Whether a measure looks at a stop visit."""
    if measure.method is not None and measure.method not in record.count_methods:
        return False
    match measure.over:
        case Over.HELD:
            return record.is_held
        case Over.PROMISED:
            return record.is_planned
        case Over.KEPT:
            return record.is_held and record.is_planned
        case Over.NOT_HELD:
            return record.state in (RecordState.SKIPPED, RecordState.CANCELLED)
        case Over.UNKNOWN:
            return record.state is RecordState.UNKNOWN
        case Over.UNPLANNED:
            return record.is_held and not record.is_planned
        case Over.CONFIRMED:
            return record.is_held and record.is_gps_confirmed
        case Over.UNCONFIRMED:
            return record.is_held and not record.is_gps_confirmed
        case Over.CORRECTED:
            return record.is_held and record.num_corrections > 0
        case Over.UNCOUNTED:
            return record.is_held and not record.counts


def thing_of(distinct: Distinct, record: Counted) -> str | None:
    """The thing that a stop visit tells of; ``None`` where it is not known."""
    match distinct:
        case Distinct.RUNS:
            return f"{record.service_date.isoformat()} {record.vehicle_id}"
        case Distinct.PLACES:
            return str(record.stop_id) if record.stop_id else f"~{record.name.casefold()}"
        case Distinct.SETTLEMENTS:
            return record.settlement_id
        case Distinct.VEHICLES:
            return str(record.vehicle_id)


def amount_of(measure: Measure, record: Counted) -> int:
    """What one stop visit adds; of things told apart, 1 for each that tells of one."""
    if not looks_at(measure, record):
        return 0
    if measure.distinct is not None:
        return int(thing_of(measure.distinct, record) is not None)
    if not measure.names:
        return 1
    counts = record.counts
    return sum(total_of(counts, n) for n in measure.names) - sum(
        total_of(counts, n) for n in measure.less
    )


def value_of(measure: Measure, records: Iterable[Counted]) -> int:
    """The measure over stop visits."""
    if measure.distinct is None:
        return sum(amount_of(measure, record) for record in records)
    which = measure.distinct
    things = {thing_of(which, r) for r in records if looks_at(measure, r)}
    return len(things - {None})


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredLine:
    """A stop visit behind a number, and what it adds to it."""

    record: VisitRecord
    amount: int | float | Decimal
    """0 where the thing that it tells of was counted at a line before."""


def lines_of(measure: Measure, records: Iterable[VisitRecord]) -> tuple[MeasuredLine, ...]:
    """Exactly the stop visits that a number sums; their amounts add up to it."""
    found: list[MeasuredLine] = []
    known: set[str] = set()
    for record in records:
        amount = amount_of(measure, record)
        if not amount:
            continue
        if measure.distinct is not None:
            thing = thing_of(measure.distinct, record) or ""
            amount = int(thing not in known)
            known.add(thing)
        found.append(MeasuredLine(record=record, amount=amount))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Stop visits added up once, so that many measures of them are told at once.

    ``value`` is the same as ``value_of`` over ``records``.
    """

    records: Sequence[Counted]
    counts: Mapping[str, int]
    """Of held stop visits."""
    num_over: Mapping[Over, int]
    num_by_method: Mapping[CountMethod, int]
    """Held stop visits by the ways in which they were counted."""
    num_things: Mapping[Distinct, int]
    """Of held stop visits."""

    def value(self, measure: Measure) -> int:
        """A measure over the stop visits."""
        is_usual = measure.over is Over.HELD and measure.method is None
        if measure.distinct is not None and is_usual:
            return self.num_things[measure.distinct]
        if measure.names and is_usual:
            return sum(total_of(self.counts, n) for n in measure.names) - sum(
                total_of(self.counts, n) for n in measure.less
            )
        if not measure.names and measure.distinct is None:
            if measure.method is None:
                return self.num_over[measure.over]
            if measure.over is Over.HELD:
                return self.num_by_method.get(measure.method, 0)
        return value_of(measure, self.records)


def sums_of(records: Sequence[Counted]) -> Sums:
    """Some stop visits added up; a report adds up tens of thousands, so each is looked at once."""
    held = [r for r in records if r.state in HELD_STATES]
    states = Counter([r.state for r in records])
    num_kept = sum([r.is_planned for r in held])
    num_confirmed = sum([r.is_gps_confirmed for r in held])
    counts: dict[str, int] = defaultdict(int)
    for record in held:
        for name, amount in record.counts.items():
            counts[name] += amount
    by_method: dict[CountMethod, int] = Counter()
    for methods, num in Counter([r.count_methods for r in held]).items():
        for method in set(methods):
            by_method[method] += num
    # Of the stop visits that tell of the same thing one is asked which.
    runs = {(r.service_date, r.vehicle_id): r for r in held}
    places = {(r.stop_id, None if r.stop_id else r.name): r for r in held}
    settlements = {r.settlement_id: r for r in held}
    one_of_each: dict[Distinct, Iterable[Counted]] = {
        Distinct.RUNS: runs.values(), Distinct.VEHICLES: runs.values(),
        Distinct.PLACES: places.values(), Distinct.SETTLEMENTS: settlements.values(),
    }  # fmt: skip
    return Sums(
        records=records,
        counts=counts,
        num_over={
            Over.HELD: len(held),
            Over.PROMISED: sum([r.is_planned for r in records]),
            Over.NOT_HELD: states[RecordState.SKIPPED] + states[RecordState.CANCELLED],
            Over.UNKNOWN: states[RecordState.UNKNOWN],
            Over.KEPT: num_kept,
            Over.UNPLANNED: len(held) - num_kept,
            Over.CONFIRMED: num_confirmed,
            Over.UNCONFIRMED: len(held) - num_confirmed,
            Over.CORRECTED: sum([r.num_corrections > 0 for r in held]),
            Over.UNCOUNTED: sum([not r.counts for r in held]),
        },
        num_by_method=by_method,
        num_things={
            distinct: len({thing_of(distinct, r) for r in some} - {None})
            for distinct, some in one_of_each.items()
        },
    )


VISITS = Measure(names=VISIT_COUNTS)
LOANS = Measure(names=LOAN_COUNTS)
USERS = Measure(names=USER_COUNTS)
KNOWN_MEASURES: dict[str, Measure] = {
    "visits": VISITS,
    "visits_service": Measure(names=("visits_service",)),
    "visits_event": Measure(names=("visits_event",)),
    "visits_children": Measure(names=("visits_service.children", "visits_event.children")),
    "visits_disabled": Measure(names=("visits_disabled",)),
    "loans": LOANS,
    "users": USERS,
    "stops": Measure(),
    "runs": Measure(distinct=Distinct.RUNS),
    "places": Measure(distinct=Distinct.PLACES),
    "settlements": Measure(distinct=Distinct.SETTLEMENTS),
    "vehicles": Measure(distinct=Distinct.VEHICLES),
    "egov": Measure(names=("egov_consultations",)),
    "internet": Measure(names=("internet_sessions",)),
    "events": Measure(names=("events_count",)),
    "participants": Measure(names=("event_participants",)),
    "references": Measure(names=("references_total",)),
    "references_virtual": Measure(names=("references_virtual",)),
    "copies": Measure(names=("copies_made",)),
    "requests": Measure(names=("requests_taken",)),
    "requests_filled": Measure(names=("requests_filled",)),
    "refusals": Measure(names=("refusals",)),
    "home": Measure(names=("home_deliveries",)),
    "home_docs": Measure(names=("home_delivery_docs",)),
    "points": Measure(names=("points_served",)),
    "collectives": Measure(names=("collectives_served",)),
    "exchange_out": Measure(names=("exchange_out",)),
    "exchange_in": Measure(names=("exchange_in",)),
    "satisfied": Measure(names=("satisfied_yes",)),
    "satisfied_partly": Measure(names=("satisfied_partly",)),
    "satisfied_no": Measure(names=("satisfied_no",)),
    "answers": Measure(names=("satisfied_yes", "satisfied_partly", "satisfied_no")),
    "promised": Measure(over=Over.PROMISED),
    "kept": Measure(over=Over.KEPT),
    "not_held": Measure(over=Over.NOT_HELD),
    "unknown": Measure(over=Over.UNKNOWN),
    "unplanned": Measure(over=Over.UNPLANNED),
    "confirmed": Measure(over=Over.CONFIRMED),
    "unconfirmed": Measure(over=Over.UNCONFIRMED),
    "corrected": Measure(over=Over.CORRECTED),
    "uncounted": Measure(over=Over.UNCOUNTED),
    **{f"method_{method}": Measure(method=method) for method in CountMethod},
}
"""Measures that reports use, by name; those of forms stand in their files."""

"""What goes on record of a stop visit, of all that is known of it (DOMAIN §7).

What people wrote goes before what a track shows; a track confirms, and speaks where nobody wrote.
Nothing here looks at a clock or a database: the same knowledge gives the same record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from data.model.fleet import VehicleId
from data.model.geo import distance_m
from data.model.live import ActualSource, ActualState, StopActual
from data.model.place import StopId
from data.model.publication import PromisedVisit, VisitState
from data.model.service_time import instant_of
from data.model.stock import PlaceKind
from data.model.stop_counts import CountMethod, add_counts
from data.model.visit_record import CountCorrection, RecordState, VisitRecord
from fleet.crew_log import VisitLog

LOST_S = 600.0
"""Readers who lost more of the promised time than this got a part of the visit."""
NEAR_M = 500.0
"""A track confirms an unplanned stop where the vehicle stood this near to what the crew told."""
NOT_SEEN = "not_seen"
"""Reason of a stop left out of which only the track tells."""
_THERE = frozenset({ActualState.KEPT, ActualState.EARLY, ActualState.LATE, ActualState.STANDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceThen:
    """A stop as it was on a service date."""

    name: str
    settlement_id: str | None = None
    municipality_id: str | None = None
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that is known of one stop visit.

    Parameters
    ----------
    lent
        What the journal itself counts: loans, returns, readers.
    lent_by
        Whose events those are.
    num_readers
        Different readers whom the journal names.
    stands
        Of an unplanned visit, the places where the track shows the vehicle that day.
    """

    region_id: str
    key: str
    visit: PromisedVisit | None = None
    log: VisitLog | None = None
    actual: StopActual | None = None
    lent: Mapping[str, int] = field(default_factory=dict)
    lent_by: tuple[str, ...] = ()
    num_readers: int = 0
    stands: Sequence[StopActual] = ()
    corrections: Sequence[CountCorrection] = ()

    @property
    def is_by_hand(self) -> bool:
        """Whether people wrote that the doors were open."""
        log = self.log
        opened = log is not None and (log.opened_at is not None or log.arrived_at is not None)
        counted = bool(self.lent) or (log is not None and bool(log.counts or log.is_unplanned))
        return opened or (counted and not self.is_skipped)

    @property
    def is_skipped(self) -> bool:
        """Whether the crew wrote that the stop was left out."""
        return self.log is not None and self.log.is_skipped

    @property
    def is_seen(self) -> bool:
        """Whether a track shows the vehicle there."""
        actual = self.actual
        if actual is not None:
            return actual.source is ActualSource.MEASURED and actual.state in _THERE
        return any(_confirms(self.log, stand) for stand in self.stands)


def record_of(
    known: Known, place: PlaceThen, zone: ZoneInfo, *, now: datetime
) -> VisitRecord | None:
    """The record of a stop visit; ``None`` while there is nothing to record."""
    visit, log, actual = known.visit, known.log, known.actual
    state, reason = _state(known, zone, now)
    if state is None:
        return None
    opened_at, closed_at = _times(known, zone)
    planned = None if visit is None else _planned(visit, zone)
    record = VisitRecord(
        region_id=known.region_id,
        key=known.key,
        visit_id=None if visit is None else visit.visit_id,
        stop_id=_stop_id(known),
        name=(log.name if log is not None and log.is_unplanned and log.name else place.name),
        settlement_id=place.settlement_id,
        municipality_id=place.municipality_id,
        vehicle_id=_vehicle(known),
        service_date=visit.service_date if visit is not None else _date(known),
        position=None if visit is None else visit.position,
        state=state,
        reason=reason,
        planned_open_at=planned[0] if planned else None,
        planned_close_at=planned[1] if planned else None,
        opened_at=opened_at,
        closed_at=closed_at,
        is_gps_confirmed=known.is_seen,
        counts=_counts(known),
        counted_by=_counted_by(known),
        count_methods=_methods(known),
        num_corrections=len(known.corrections),
        num_readers=known.num_readers,
    )
    if record.is_held and _lost_s(record, actual) > LOST_S:
        return replace(record, state=RecordState.PARTIAL)
    return record


def hand_actual(known: Known, record: VisitRecord, place: PlaceThen, zone: ZoneInfo) -> StopActual:
    """What the crew wrote, as the live board tells it: held, or left out, by hand."""
    visit = known.visit
    assert visit is not None
    clock = {
        name: instant_of(visit.service_date, getattr(visit, f"{name}_s"), zone)
        for name in ("arrival", "start", "end", "departure")
    }
    log, came, left = known.log, None, None
    if record.is_held and log is not None:
        came, left = log.opened_at or log.arrived_at, log.closed_at or log.departed_at
    if came is not None and left is not None and left < came:
        left = None
    late_s = 0 if came is None else max(0, round((came - clock["start"]).total_seconds()))
    short_s = 0 if left is None else max(0, round((clock["end"] - left).total_seconds()))
    state = ActualState.SKIPPED
    if record.is_held:
        state = ActualState.EARLY if short_s > LOST_S else ActualState.KEPT
        state = ActualState.LATE if late_s > LOST_S else state
    return StopActual(
        key=str(visit.visit_id),
        region_id=known.region_id,
        vehicle_id=visit.vehicle_id,
        service_date=visit.service_date,
        visit_id=visit.visit_id,
        stop_id=visit.stop_id,
        lon=known.actual.lon if known.actual else place.lon or 0.0,
        lat=known.actual.lat if known.actual else place.lat or 0.0,
        position=visit.position,
        state=state,
        planned_arrival_at=clock["arrival"],
        planned_open_at=clock["start"],
        planned_close_at=clock["end"],
        planned_departure_at=clock["departure"],
        actual_from_at=came,
        actual_until_at=left,
        arrival_dev_s=None if came is None else _between(clock["arrival"], came),
        departure_dev_s=None if left is None else _between(clock["departure"], left),
        late_s=late_s,
        short_s=short_s,
        # Taps tell when people thought of it: nothing is learned from them.
        is_arrival_seen=False,
        is_departure_seen=False,
        source=ActualSource.HAND,
    )


def _between(first: datetime, then: datetime) -> int:
    return round((then - first).total_seconds())


def _planned(visit: PromisedVisit, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return (
        instant_of(visit.service_date, visit.start_s, zone),
        instant_of(visit.service_date, visit.end_s, zone),
    )


def _state(known: Known, zone: ZoneInfo, now: datetime) -> tuple[RecordState | None, str]:
    visit, log, actual = known.visit, known.log, known.actual
    if known.is_skipped and log is not None:
        return RecordState.SKIPPED, log.skip_reason
    if known.is_by_hand:
        return RecordState.DONE, ""
    if visit is None:
        return None, ""
    if known.is_seen:
        return RecordState.DONE, ""
    if visit.state is VisitState.CANCELLED:
        return RecordState.CANCELLED, visit.reason
    if visit.state is VisitState.WITHDRAWN:
        return (RecordState.UNKNOWN, "") if known.corrections else (None, "")
    if visit.state in (VisitState.DONE, VisitState.PARTIAL):
        return RecordState(visit.state.value), ""
    if now < instant_of(visit.service_date, visit.departure_s, zone):
        return None, ""
    if actual is not None and actual.state is ActualState.SKIPPED:
        if actual.source is ActualSource.HAND:
            # Of a tap that was taken back: the track says nothing.
            return RecordState.UNKNOWN, ""
        return RecordState.SKIPPED, NOT_SEEN
    return RecordState.UNKNOWN, ""


def _times(known: Known, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """When the doors opened and closed: as tapped, else as far as the vehicle's stay allows.

    A vehicle comes before the doors open and leaves after they close, by the time that setting up
    and packing up take.
    """
    log, actual = known.log, known.actual
    opened, closed = (None, None) if log is None else (log.opened_at, log.closed_at)
    came, left = (None, None) if log is None else (log.arrived_at, log.departed_at)
    late_s = 0
    if actual is not None and known.is_seen:
        late_s = actual.late_s if came is None else 0
        came = came or actual.actual_from_at
        left = left or (None if actual.state is ActualState.STANDING else actual.actual_until_at)
    if known.visit is None:
        opened, closed = opened or came, closed or left
    else:
        planned = _planned(known.visit, zone)
        opened = opened or _opened_by(came, left, planned, late_s)
        packing = timedelta(seconds=known.visit.departure_s - known.visit.end_s)
        closed = closed or _closed_by(left, opened, planned, packing)
    if opened is not None and closed is not None and closed < opened:
        closed = None
    return opened, closed


def _opened_by(
    came: datetime | None,
    left: datetime | None,
    planned: tuple[datetime, datetime],
    late_s: int,
) -> datetime | None:
    """The opening where only the stay is known: as promised, or when one who came late was set up.

    Parameters
    ----------
    late_s
        By how much the doors could open too late, as the follower found it.
    """
    if came is None:
        return None
    opened = max(planned[0] + timedelta(seconds=late_s), came)
    # Nothing opens after the vehicle has gone.
    return opened if left is None or left < came else min(opened, left)


def _closed_by(
    left: datetime | None,
    opened: datetime | None,
    planned: tuple[datetime, datetime],
    packing: timedelta,
) -> datetime | None:
    """The closing where only the stay is known: as promised, later only to make up a delay."""
    if left is None:
        return None
    if opened is None:
        return min(left, planned[1])
    made_up = min(opened + (planned[1] - planned[0]), left - packing)
    return min(left, max(planned[1], made_up))


def _lost_s(record: VisitRecord, actual: StopActual | None) -> float:
    """How much of the promised time the doors were not open, as far as is known."""
    first, last = record.planned_open_at, record.planned_close_at
    if first is None or last is None:
        return 0.0
    opened, closed = record.opened_at, record.closed_at
    if actual is not None and actual.state is ActualState.STANDING and closed is None:
        return 0.0
    lost_s = 0.0
    if opened is not None:
        lost_s += max(0.0, (min(opened, last) - first).total_seconds())
    if closed is not None:
        lost_s += max(0.0, (last - max(closed, first)).total_seconds())
    return lost_s


def _stop_id(known: Known) -> StopId | None:
    if known.visit is not None:
        return known.visit.stop_id
    if known.log is not None and known.log.stop_id:
        return StopId(known.log.stop_id)
    return None


def _vehicle(known: Known) -> VehicleId:
    log = known.log
    if log is not None and log.place.kind in (PlaceKind.VEHICLE, PlaceKind.STORE):
        return VehicleId(log.place.key)
    if known.visit is not None:
        return known.visit.vehicle_id
    return VehicleId("" if log is None else log.place.key)


def _date(known: Known) -> date:
    assert known.log is not None
    return known.log.service_date


def _counts(known: Known) -> dict[str, int]:
    parts: list[Mapping[str, int]] = [known.lent]
    if known.log is not None:
        parts.append(known.log.counts)
    parts += [{c.name: c.amount} for c in known.corrections]
    return add_counts(parts)


def _counted_by(known: Known) -> tuple[str, ...]:
    own = () if known.log is None else known.log.counted_by
    return tuple(sorted({*own, *known.lent_by} - {""}))


def _methods(known: Known) -> tuple[CountMethod, ...]:
    own = () if known.log is None else known.log.count_methods
    found = {CountMethod(m) for m in own}
    if known.lent:
        found.add(CountMethod.JOURNAL)
    return tuple(m for m in CountMethod if m in found)


def _confirms(log: VisitLog | None, stand: StopActual) -> bool:
    """Whether a stand of the track is where and when the crew wrote of an unplanned stop."""
    if log is None or log.lon is None or log.lat is None or stand.actual_from_at is None:
        return False
    if distance_m(log.lon, log.lat, stand.lon, stand.lat) > NEAR_M:
        return False
    first = log.arrived_at or log.opened_at or log.closed_at
    last = log.departed_at or log.closed_at or first
    if first is None or last is None:
        return False
    until = stand.actual_until_at or stand.actual_from_at
    return stand.actual_from_at <= last and until >= first

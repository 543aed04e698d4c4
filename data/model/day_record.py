"""A vehicle's day as reports read it: each visit and drive, planned and as it was, and the way.

Times are seconds from local midnight of the service date, as those of a plan; they may pass 86 400.
A record is put together from what following the vehicle has found; nothing is measured here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from data.model.fleet import VehicleId
from data.model.geo import distance_m
from data.model.live import ActualSource, ActualState, DayEnds, StopActual
from data.model.observed import ObservedVisit, VisitStatus
from data.model.publication import VisitId
from data.model.service_time import clock_s
from data.model.telemetry import Track, Verdict

GAP_S = 180.0
"""A moving vehicle that is not heard of for longer has a gap in its track."""
NOT_SEEN = "record.not_visited"
"""Reason code of a planned visit that no track shows."""
_HALF = 0.5

HELD = frozenset({ActualState.KEPT, ActualState.EARLY, ActualState.LATE})
OVER = HELD | {ActualState.SKIPPED}
"""States of planned visits by which a day is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedVisit:
    """One planned visit as it was, or a stop that nobody planned.

    ``late_s`` is by how much the doors could open too late, ``short_s`` by how much the vehicle
    left before they were to close; both zero where readers lost nothing.
    """

    key: str
    state: ActualState
    visit_id: VisitId | None = None
    stop_id: str | None = None
    planned_arrival_s: int | None = None
    planned_open_s: int | None = None
    planned_close_s: int | None = None
    planned_departure_s: int | None = None
    arrival_s: int | None = None
    departure_s: int | None = None
    late_s: int = 0
    short_s: int = 0
    is_out_of_order: bool = False
    is_arrival_seen: bool = True
    is_departure_seen: bool = True
    """False where the moment lies in a gap of the track."""
    source: ActualSource = ActualSource.MEASURED
    lon: float | None = None
    lat: float | None = None

    @property
    def is_planned(self) -> bool:
        return self.planned_open_s is not None

    @property
    def is_seen_whole(self) -> bool:
        return self.is_arrival_seen and self.is_departure_seen

    @property
    def dwell_s(self) -> int | None:
        """How long the vehicle stood there."""
        if self.arrival_s is None or self.departure_s is None:
            return None
        return self.departure_s - self.arrival_s

    @property
    def planned_dwell_s(self) -> int | None:
        if self.planned_arrival_s is None or self.planned_departure_s is None:
            return None
        return self.planned_departure_s - self.planned_arrival_s

    @property
    def arrival_dev_s(self) -> int | None:
        """Actual minus planned; late is positive."""
        if self.arrival_s is None or self.planned_arrival_s is None:
            return None
        return self.arrival_s - self.planned_arrival_s

    @property
    def departure_dev_s(self) -> int | None:
        if self.departure_s is None or self.planned_departure_s is None:
            return None
        return self.departure_s - self.planned_departure_s


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedLeg:
    """One drive between places of the plan; ``planned_s`` is the road time, where it is known."""

    origin_id: str
    target_id: str
    depart_s: int
    drive_s: int
    planned_s: int | None = None

    @property
    def arrive_s(self) -> int:
        return self.depart_s + self.drive_s


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedEnds:
    """From where to where a vehicle's day was planned."""

    start_depot_id: str | None = None
    end_depot_id: str | None = None
    depart_s: int | None = None
    return_s: int | None = None
    drive_m: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRecord:
    """Everything that is known of one vehicle's date."""

    region_id: str
    vehicle_id: VehicleId
    service_date: date
    planned: PlannedEnds
    visits: tuple[RecordedVisit, ...] = ()
    legs: tuple[RecordedLeg, ...] = ()
    departed_s: int | None = None
    returned_s: int | None = None
    num_fixes: int = 0
    driven_m: float = 0.0

    @property
    def is_tracked(self) -> bool:
        """Whether any position of the day is known."""
        return self.num_fixes > 0

    def in_state(self, *states: ActualState) -> tuple[RecordedVisit, ...]:
        """The visits of some states."""
        return tuple(v for v in self.visits if v.state in states)


def day_record(
    region_id: str,
    vehicle_id: VehicleId,
    on: date,
    time_zone: str,
    *,
    planned: PlannedEnds,
    actuals: Sequence[StopActual],
    ends: DayEnds | None,
    drive_s: Mapping[tuple[str, str], float],
) -> DayRecord:
    """The record of one vehicle's day.

    Parameters
    ----------
    actuals
        What became of each stop visit of the vehicle and date.
    drive_s
        Planned seconds of driving between places.
    """
    zone = ZoneInfo(time_zone)

    def clock(at: datetime | None) -> int | None:
        return None if at is None else round(clock_s(on, at, zone))

    visits = sorted((_visit(a, clock) for a in actuals), key=_first_s)
    departed_s = clock(ends.departed_at) if ends else None
    returned_s = clock(ends.returned_at) if ends else None
    return DayRecord(
        region_id=region_id,
        vehicle_id=vehicle_id,
        service_date=on,
        planned=planned,
        visits=tuple(visits),
        legs=_legs(visits, planned, departed_s, returned_s, drive_s),
        departed_s=departed_s,
        returned_s=returned_s,
        num_fixes=ends.num_fixes if ends else 0,
        driven_m=float(ends.driven_m) if ends else 0.0,
    )


def _visit(actual: StopActual, clock: Callable[[datetime | None], int | None]) -> RecordedVisit:
    return RecordedVisit(
        key=actual.key,
        state=actual.state,
        visit_id=actual.visit_id,
        stop_id=None if actual.stop_id is None else str(actual.stop_id),
        planned_arrival_s=clock(actual.planned_arrival_at),
        planned_open_s=clock(actual.planned_open_at),
        planned_close_s=clock(actual.planned_close_at),
        planned_departure_s=clock(actual.planned_departure_at),
        arrival_s=clock(actual.actual_from_at),
        departure_s=clock(actual.actual_until_at),
        late_s=actual.late_s,
        short_s=actual.short_s,
        is_out_of_order=actual.is_out_of_order,
        is_arrival_seen=actual.is_arrival_seen,
        is_departure_seen=actual.is_departure_seen,
        source=actual.source,
        lon=actual.lon,
        lat=actual.lat,
    )


def _first_s(visit: RecordedVisit) -> tuple[int, bool]:
    """Planned visits by their time, the others where they fall among them."""
    planned = visit.planned_arrival_s
    return (visit.arrival_s or 0 if planned is None else planned, planned is None)


def _legs(
    visits: Sequence[RecordedVisit],
    planned: PlannedEnds,
    departed_s: int | None,
    returned_s: int | None,
    drive_s: Mapping[tuple[str, str], float],
) -> tuple[RecordedLeg, ...]:
    """Drives between places that follow one another; one with another stop on it is left out."""
    points: list[tuple[int, str, int | None, bool]] = []
    for visit in visits:
        if visit.arrival_s is not None:
            name = str(visit.stop_id or "") if visit.is_planned else ""
            left = visit.departure_s if visit.is_departure_seen else None
            points.append((visit.arrival_s, name, left, visit.is_arrival_seen))
    if planned.start_depot_id is not None and departed_s is not None:
        points.append((departed_s, planned.start_depot_id, departed_s, True))
    if planned.end_depot_id is not None and returned_s is not None:
        points.append((returned_s, planned.end_depot_id, None, True))
    points.sort(key=lambda p: p[0])
    legs = []
    for (_, origin, left, _), (came, target, _, is_seen) in pairwise(points):
        if origin and target and left is not None and is_seen and came > left:
            road_s = drive_s.get((origin, target))
            legs.append(
                RecordedLeg(
                    origin_id=origin,
                    target_id=target,
                    depart_s=left,
                    drive_s=came - left,
                    planned_s=None if road_s is None else round(road_s),
                )
            )
    return tuple(legs)


def observed_visits(record: DayRecord) -> tuple[ObservedVisit, ...]:
    """The records of a day that the planner learns from, in order of time, the skipped ones last.

    What lies in a gap of the track is no time that anything may be learned from. A stop at no known
    place is a record of its own: the drive that it interrupted is then no sample of a drive.
    """
    found = [_observed(record, v) for v in record.visits if _is_told(v)]
    planned = record.planned
    if planned.start_depot_id is not None and record.departed_s is not None:
        found.append(
            ObservedVisit(
                service_date=record.service_date,
                vehicle_id=record.vehicle_id,
                place_id=planned.start_depot_id,
                planned_departure_s=planned.depart_s,
                departure_s=record.departed_s,
            )
        )
    if planned.end_depot_id is not None and record.returned_s is not None:
        found.append(
            ObservedVisit(
                service_date=record.service_date,
                vehicle_id=record.vehicle_id,
                place_id=planned.end_depot_id,
                planned_arrival_s=planned.return_s,
                arrival_s=record.returned_s,
            )
        )
    return tuple(sorted(found, key=lambda r: (r.first_s is None, r.first_s or 0)))


def _is_told(visit: RecordedVisit) -> bool:
    return visit.state in OVER or visit.state is ActualState.UNPLANNED


def _observed(record: DayRecord, visit: RecordedVisit) -> ObservedVisit:
    is_known = visit.is_planned and visit.stop_id is not None
    place = visit.stop_id if is_known else f"@{visit.lon or 0:.4f},{visit.lat or 0:.4f}"
    is_held = visit.state is not ActualState.SKIPPED
    return ObservedVisit(
        service_date=record.service_date,
        vehicle_id=record.vehicle_id,
        place_id=str(place),
        planned_arrival_s=visit.planned_arrival_s,
        planned_open_s=visit.planned_open_s,
        planned_close_s=visit.planned_close_s,
        planned_departure_s=visit.planned_departure_s,
        arrival_s=visit.arrival_s if is_held and visit.is_arrival_seen else None,
        departure_s=visit.departure_s if is_held and visit.is_departure_seen else None,
        status=_status(visit),
        reason="" if is_held else NOT_SEEN,
    )


def _status(visit: RecordedVisit) -> VisitStatus:
    if visit.state is ActualState.SKIPPED:
        return VisitStatus.CANCELLED
    opens, closes = visit.planned_open_s, visit.planned_close_s
    came, left = visit.arrival_s, visit.departure_s
    if opens is None or closes is None or came is None or left is None:
        return VisitStatus.DONE
    if left <= opens or came >= closes:
        return VisitStatus.MOVED
    was_open_s = min(left, closes) - max(came, opens)
    return VisitStatus.PARTIAL if was_open_s < _HALF * (closes - opens) else VisitStatus.DONE


def unseen_m(track: Track) -> float:
    """The way of a track that lies in gaps, as the crow flies."""
    line = [j.fix for j in track.judged if j.verdict is Verdict.ACCEPTED]
    return sum(
        distance_m(a.lon, a.lat, b.lon, b.lat)
        for a, b in pairwise(line)
        if (b.fix_at - a.fix_at).total_seconds() > GAP_S
    )

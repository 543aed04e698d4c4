"""A matched day as records: what the planner learns from and reports count.

Doors are not seen by a receiver, so only arrivals and departures are told. A stand at no known
place is a record of its own, named by its position: the drive that it interrupted is then no sample
of a drive.
"""

from data.model.observed import ObservedVisit, VisitStatus
from data.model.telemetry import ObservedStop
from fleet.matching import MatchedDay, MatchedVisit, Outcome

NOT_SEEN = "record.not_visited"
"""Reason code of a planned visit that the track does not show."""
_HALF = 0.5


def observed_visits(day: MatchedDay) -> tuple[ObservedVisit, ...]:
    """The records of a day in order of time, the skipped visits last."""
    run = day.run
    records = [_of_visit(day, v) for v in (*day.visits, *day.unplanned) if _is_told(v)]
    if run.start_depot_id is not None and day.departed_at is not None:
        planned = None if run.depart_at is None else round(run.clock_s(run.depart_at))
        records.append(
            ObservedVisit(
                service_date=run.service_date,
                vehicle_id=run.vehicle_id,
                place_id=run.start_depot_id,
                planned_departure_s=planned,
                departure_s=round(run.clock_s(day.departed_at)),
            )
        )
    if run.end_depot_id is not None and day.returned_at is not None:
        planned = None if run.return_at is None else round(run.clock_s(run.return_at))
        records.append(
            ObservedVisit(
                service_date=run.service_date,
                vehicle_id=run.vehicle_id,
                place_id=run.end_depot_id,
                planned_arrival_s=planned,
                arrival_s=round(run.clock_s(day.returned_at)),
            )
        )
    return tuple(sorted(records, key=lambda r: (r.first_s is None, r.first_s or 0)))


def place_name(stop: ObservedStop) -> str:
    """The place of a stop, or its position where it is at none."""
    return stop.place_id or f"@{stop.lon:.4f},{stop.lat:.4f}"


def _is_told(visit: MatchedVisit) -> bool:
    return visit.outcome not in (Outcome.PENDING, Outcome.ONGOING)


def _of_visit(day: MatchedDay, visit: MatchedVisit) -> ObservedVisit:
    run, planned, seen = day.run, visit.planned, visit.observed
    arrival_s = departure_s = None
    if seen is not None:
        # What lay in a gap is no time that anything may be learned from.
        arrival_s = round(run.clock_s(seen.arrived_at)) if seen.is_arrival_seen else None
        if seen.departed_at is not None and seen.is_departure_seen:
            departure_s = round(run.clock_s(seen.departed_at))
    times: dict[str, int] = {}
    if planned is not None:
        times = {
            "planned_arrival_s": round(run.clock_s(planned.arrival_at)),
            "planned_open_s": round(run.clock_s(planned.start_at)),
            "planned_close_s": round(run.clock_s(planned.end_at)),
            "planned_departure_s": round(run.clock_s(planned.departure_at)),
        }
    place_id = planned.stop_id if planned is not None else place_name(seen) if seen else ""
    return ObservedVisit(
        service_date=run.service_date,
        vehicle_id=run.vehicle_id,
        place_id=place_id,
        arrival_s=arrival_s,
        departure_s=departure_s,
        status=_status(visit),
        reason=NOT_SEEN if visit.outcome is Outcome.SKIPPED else "",
        **times,
    )


def _status(visit: MatchedVisit) -> VisitStatus:
    if visit.outcome is Outcome.SKIPPED:
        return VisitStatus.CANCELLED
    planned, seen = visit.planned, visit.observed
    if planned is None or seen is None:
        return VisitStatus.DONE
    until = seen.departed_at or seen.last_seen_at
    if until <= planned.start_at or seen.arrived_at >= planned.end_at:
        return VisitStatus.MOVED
    open_s = min(planned.open_s, seen.dwell_s - planned.setup_s) - visit.short_s
    return VisitStatus.PARTIAL if open_s < _HALF * planned.open_s else VisitStatus.DONE

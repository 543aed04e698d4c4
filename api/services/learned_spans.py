"""How wide spans of forecasts must be in a region, from its recorded days."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from api.services.leg_times import habits, leg_times
from api.services.promised_days import PromisedDay, promised_span
from data.model.day_record import HELD, DayRecord, RecordedVisit
from data.model.learned import Learned
from data.model.service_time import instant_of
from data.model.telemetry import ObservedStop
from fleet.eta import Forecaster
from fleet.matching import MatchedDay, MatchedVisit, Outcome
from fleet.planned import PlannedStop
from fleet.spans import Spans, calibrated

MOST_DAYS = 60
"""Vehicle-days that are told over again, the newest first: enough, and soon done."""


def learned_spans(
    session: Session, region_id: str, records: Sequence[DayRecord], learned: Learned
) -> Spans | None:
    """Spans that would have held four of five arrivals of the recorded days; ``None``: too few."""
    newest = sorted(records, key=lambda r: (r.service_date, r.vehicle_id), reverse=True)[:MOST_DAYS]
    if not newest:
        return None
    first, last = newest[-1].service_date, newest[0].service_date
    promised = {
        (d.vehicle_id, d.run.service_date): d
        for d in promised_span(session, region_id, first, last)
    }
    # The factors are what is asked for: the forecasts that they are worked out from have none.
    plain = replace(learned, span_factors=None)
    scored = []
    for record in newest:
        day = promised.get((record.vehicle_id, record.service_date))
        if day is None or not day.run.stops:
            continue
        times = leg_times(day.request, day.vehicle_id, day.run.place_ids, plain)
        forecaster = Forecaster(day.run, times, params=habits(plain))
        scored.append(forecaster.scored(_matched(day, record)))
    return calibrated(scored)


def _matched(day: PromisedDay, record: DayRecord) -> MatchedDay:
    """A recorded day as the one that was followed."""
    zone = ZoneInfo(day.run.time_zone)

    def instant(seconds: int | None) -> datetime | None:
        return None if seconds is None else instant_of(record.service_date, seconds, zone)

    by_id = {v.visit_id: v for v in record.in_state(*HELD)}
    visits = []
    for planned, promised in zip(day.run.stops, day.visits, strict=True):
        seen = by_id.get(promised.visit_id)
        came = None if seen is None else instant(seen.arrival_s)
        left = None if seen is None else instant(seen.departure_s)
        if seen is None or came is None or left is None:
            visits.append(MatchedVisit(outcome=Outcome.SKIPPED, planned=planned))
        else:
            stop = _observed(planned, seen, came, left)
            visits.append(MatchedVisit(outcome=Outcome.KEPT, planned=planned, observed=stop))
    return MatchedDay(
        run=day.run,
        visits=tuple(visits),
        departed_at=instant(record.departed_s),
        returned_at=instant(record.returned_s),
    )


def _observed(
    planned: PlannedStop, seen: RecordedVisit, came: datetime, left: datetime
) -> ObservedStop:
    return ObservedStop(
        place_id=planned.stop_id,
        lon=planned.lon,
        lat=planned.lat,
        arrived_at=came,
        departed_at=left,
        last_seen_at=left,
        is_arrival_seen=seen.is_arrival_seen,
        is_departure_seen=seen.is_departure_seen,
    )

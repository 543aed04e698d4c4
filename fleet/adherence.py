"""How a vehicle keeps its day at one moment: what a live board shows and what it must warn of.

One call takes what is known (the planned run, the stops seen, the last fix) and gives phase, delay,
next stop, forecast, age of the last fix and the alerts. A vehicle that came early and waits inside
its planned stay is in time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from data.model.telemetry import Fix, ObservedStop
from fleet.corridor import Corridor, OnLine
from fleet.eta import Forecast, Forecaster, Phase
from fleet.matching import MatchedDay, MatchedVisit, MatchParams, Outcome, match
from fleet.planned import PlannedRun, PlannedStop


class AlertKind(StrEnum):
    """What a dispatcher must be told of."""

    LATE = "late"
    """The doors of the next stop will probably open too late."""
    MISSED = "missed"
    """The planned stay is over and the vehicle was not there."""
    SILENT = "silent"
    """Nothing has been heard for too long."""
    OFF_CORRIDOR = "off_corridor"
    NOT_STARTED = "not_started"
    """It should have left its depot."""
    LEFT_EARLY = "left_early"
    STANDING = "standing"
    """It stands somewhere on the road for long: a breakdown or a detour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One warning; ``key`` stays the same while it is about the same thing."""

    kind: AlertKind
    since_at: datetime
    position: int | None = None
    """Of the planned stop that it is about."""
    amount: float = 0.0
    """Seconds of delay, silence or standing; metres off the corridor."""

    @property
    def key(self) -> str:
        return self.kind.value if self.position is None else f"{self.kind.value}/{self.position}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdherenceParams:
    """From when on a dispatcher is warned."""

    late_s: float = 600.0
    silent_s: float = 600.0
    silent_parked_s: float = 3600.0
    """Phones fall silent while they stand."""
    not_started_s: float = 600.0
    off_corridor_m: float = 1500.0
    standing_s: float = 900.0
    missed_s: float = 0.0
    """So long after its planned end an unvisited stop counts as missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adherence:
    """A vehicle's day at one moment."""

    at: datetime
    day: MatchedDay
    forecast: Forecast
    position: Fix | None
    age_s: float | None
    """Age of the last fix."""
    on_line: OnLine | None
    """The position on the planned line of the current leg."""
    alerts: tuple[Alert, ...]

    @property
    def phase(self) -> Phase:
        return self.forecast.phase

    @property
    def delay_s(self) -> float:
        """Late is positive; a vehicle that waits for its time is at zero."""
        return self.forecast.delay_s

    @property
    def next_stop(self) -> PlannedStop | None:
        eta = self.forecast.next
        return None if eta is None else eta.planned


def adherence(
    run: PlannedRun,
    stops: Sequence[ObservedStop],
    position: Fix | None,
    now: datetime,
    forecaster: Forecaster,
    *,
    params: AdherenceParams | None = None,
    match_params: MatchParams | None = None,
    lines: Sequence[Corridor | None] | None = None,
) -> Adherence:
    """How a vehicle keeps its day now.

    Parameters
    ----------
    stops, position
        ``Tracker.stops`` and ``Tracker.last`` of the vehicle.
    lines
        The run's legs as lines, for the corridor; ``None`` where they are not known.
    """
    limits = params or AdherenceParams()
    day = match(run, stops, match_params, now=now)
    forecast = forecaster.forecast(day, now, position)
    age_s = None if position is None else max(0.0, (now - position.fix_at).total_seconds())
    on_line = _on_line(day, forecast, position, lines)
    alerts = [
        *_missed(day, now, limits),
        *_left_early(day),
        *_late(forecast, limits),
        *_not_started(run, forecast, now, limits),
        *_silent(run, forecast, position, age_s, now, limits),
        *_off_corridor(forecast, position, on_line, limits),
        *_standing(day, stops, now, limits),
    ]
    return Adherence(
        at=now,
        day=day,
        forecast=forecast,
        position=position,
        age_s=age_s,
        on_line=on_line,
        alerts=tuple(alerts),
    )


def _on_line(
    day: MatchedDay,
    forecast: Forecast,
    position: Fix | None,
    lines: Sequence[Corridor | None] | None,
) -> OnLine | None:
    if lines is None or position is None or forecast.phase is not Phase.DRIVING:
        return None
    leg = day.last_done + 1
    line = lines[leg] if leg < len(lines) else None
    return None if line is None else line.locate(position.lon, position.lat)


def _missed(day: MatchedDay, now: datetime, params: AdherenceParams) -> list[Alert]:
    found = []
    for visit in day.visits:
        planned = visit.planned
        if planned is None or visit.outcome not in (Outcome.PENDING, Outcome.SKIPPED):
            continue
        over_s = (now - planned.end_at).total_seconds()
        if over_s > params.missed_s:
            found.append(_alert(AlertKind.MISSED, planned.end_at, planned.position, over_s))
    return found


def _left_early(day: MatchedDay) -> list[Alert]:
    return [
        _alert(AlertKind.LEFT_EARLY, v.observed.departed_at, v.planned.position, v.short_s)
        for v in day.visits
        if v.outcome is Outcome.EARLY and _is_over(v) and v.planned and v.observed
        if v.observed.departed_at is not None
    ]


def _is_over(visit: MatchedVisit) -> bool:
    return visit.observed is not None and visit.observed.departed_at is not None


def _late(forecast: Forecast, params: AdherenceParams) -> list[Alert]:
    if forecast.delay_s <= params.late_s:
        return []
    stop = forecast.here or (forecast.next.planned if forecast.next else None)
    if stop is None:
        return []
    return [_alert(AlertKind.LATE, forecast.at, stop.position, forecast.delay_s)]


def _not_started(
    run: PlannedRun, forecast: Forecast, now: datetime, params: AdherenceParams
) -> list[Alert]:
    if forecast.phase is not Phase.NOT_STARTED or run.depart_at is None:
        return []
    late_s = (now - run.depart_at).total_seconds()
    if late_s <= params.not_started_s:
        return []
    return [_alert(AlertKind.NOT_STARTED, run.depart_at, None, late_s)]


def _silent(
    run: PlannedRun,
    forecast: Forecast,
    position: Fix | None,
    age_s: float | None,
    now: datetime,
    params: AdherenceParams,
) -> list[Alert]:
    """Silence counts from the planned departure until the day is done."""
    if forecast.phase is Phase.DONE or run.depart_at is None or now < run.depart_at:
        return []
    if position is None or age_s is None or position.fix_at < run.depart_at:
        # Nothing of today: the silence began with the day.
        since, limit_s = run.depart_at, params.silent_s
    else:
        is_parked = forecast.phase is Phase.AT_STOP
        since = position.fix_at
        limit_s = params.silent_parked_s if is_parked else params.silent_s
    silent_s = (now - since).total_seconds()
    return [_alert(AlertKind.SILENT, since, None, silent_s)] if silent_s > limit_s else []


def _off_corridor(
    forecast: Forecast, position: Fix | None, on_line: OnLine | None, params: AdherenceParams
) -> list[Alert]:
    if on_line is None or position is None or on_line.off_m <= params.off_corridor_m:
        return []
    stop = forecast.next.planned.position if forecast.next else None
    return [_alert(AlertKind.OFF_CORRIDOR, position.fix_at, stop, on_line.off_m)]


def _standing(
    day: MatchedDay, stops: Sequence[ObservedStop], now: datetime, params: AdherenceParams
) -> list[Alert]:
    last = stops[-1] if stops else None
    depots = (day.run.start_depot_id, day.run.end_depot_id)
    if last is None or last.is_over or last.place_id in depots or day.here is not None:
        return []
    stands_s = (now - last.arrived_at).total_seconds()
    if stands_s <= params.standing_s:
        return []
    return [_alert(AlertKind.STANDING, last.arrived_at, None, stands_s)]


def _alert(kind: AlertKind, since: datetime, position: int | None, amount: float) -> Alert:
    return Alert(kind=kind, since_at=since, position=position, amount=amount)

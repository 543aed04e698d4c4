"""One vehicle's day as it is followed: its fixes so far, and what they say of what was promised.

What a day says depends on its fixes and on what was promised, not on the order in which fixes came:
a fix older than what is still held makes the day be read again from the store.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from api.services.duty import day_span
from api.services.followed_plan import FollowedPlan
from data.model.alert import AlertKind
from data.model.day_record import GAP_S
from data.model.fleet import VehicleId
from data.model.geo import distance_m
from data.model.live import (
    ActualSource,
    ActualState,
    DayEnds,
    LiveEta,
    Phase,
    StopActual,
    VehicleNow,
)
from data.model.place import StopId
from data.model.publication import PromisedVisit, VisitId
from data.model.service_time import instant_of
from data.model.telemetry import Fix, JudgedFix, Verdict
from fleet import adherence as keeping
from fleet.eta import Forecast
from fleet.eta import Phase as RunPhase
from fleet.matching import MatchedDay, MatchedVisit, Outcome, match
from fleet.planned import PlannedRun
from fleet.tracking import Tracker

HOLD = timedelta(minutes=5)
"""Fixes older than this are let go; a later one of that time makes the day be read again."""
HOLD_AT_LEAST = 300
_BIN_S = 300
_STATES = {
    Outcome.PENDING: ActualState.TO_COME,
    Outcome.ONGOING: ActualState.STANDING,
    Outcome.KEPT: ActualState.KEPT,
    Outcome.EARLY: ActualState.EARLY,
    Outcome.LATE: ActualState.LATE,
    Outcome.SKIPPED: ActualState.SKIPPED,
    Outcome.UNPLANNED: ActualState.UNPLANNED,
}
_KINDS = {
    keeping.AlertKind.LATE: AlertKind.LATE,
    keeping.AlertKind.MISSED: AlertKind.MISSED,
    keeping.AlertKind.SILENT: AlertKind.SILENT,
    keeping.AlertKind.OFF_CORRIDOR: AlertKind.OFF_CORRIDOR,
    keeping.AlertKind.NOT_STARTED: AlertKind.NOT_STARTED,
    keeping.AlertKind.LEFT_EARLY: AlertKind.LEFT_EARLY,
    keeping.AlertKind.STANDING: AlertKind.UNPLANNED_STOP,
}
_BY_VISIT = frozenset({AlertKind.MISSED, AlertKind.LEFT_EARLY})
"""Kinds of which a vehicle may have several at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something that a dispatcher is to be told of now."""

    kind: AlertKind
    key: str
    visit_id: VisitId | None
    since_at: datetime
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLook:
    """A vehicle's day at one moment."""

    now: VehicleNow
    ends: DayEnds
    actuals: tuple[StopActual, ...]
    warned: tuple[Warned, ...]


@dataclass(slots=True)
class _Device:
    """One tracker's share of the day, and what is known of the part that was let go."""

    tracker: Tracker
    num: int = 0
    gone_m: float = 0.0
    gone_unseen_m: float = 0.0
    gone_last: Fix | None = None
    gone_bins: set[int] = field(default_factory=set)
    last: Fix | None = None

    def let_go(self, until: datetime) -> None:
        before = self.tracker.judged
        cut = self.tracker.forget(until)
        self.gone_m, self.gone_unseen_m, self.gone_last = self._way(before[:cut])
        self.gone_bins |= _bins(before[:cut])

    @property
    def driven_m(self) -> tuple[float, float]:
        """The way driven, and what of it lies in gaps of the track."""
        return self._way(self.tracker.judged)[:2]

    def _way(self, judged: Sequence[JudgedFix]) -> tuple[float, float, Fix | None]:
        """The way up to the end of some fixes that follow those let go, and the last of them."""
        driven_m, unseen_m, last = self.gone_m, self.gone_unseen_m, self.gone_last
        for one in judged:
            if one.verdict is Verdict.ACCEPTED:
                if last is not None:
                    step_m = distance_m(last.lon, last.lat, one.fix.lon, one.fix.lat)
                    driven_m += step_m
                    is_gap = (one.fix.fix_at - last.fix_at).total_seconds() > GAP_S
                    unseen_m += step_m if is_gap else 0.0
                last = one.fix
        return driven_m, unseen_m, last

    @property
    def bins(self) -> set[int]:
        return self.gone_bins | _bins(self.tracker.judged)


class DayState:
    """Follows one vehicle on one service date."""

    def __init__(
        self, region_id: str, vehicle_id: VehicleId, on: date, plan: FollowedPlan | None
    ) -> None:
        self.region_id, self.vehicle_id, self.on = region_id, vehicle_id, on
        self.plan = plan
        self._devices: dict[int, _Device] = {}
        self._names: dict[int, str] = {}

    def add(self, number: int, tracker_id: str, fixes: Iterable[Fix]) -> bool:
        """Take fixes of a tracker; false where the day must be read again from the store."""
        device = self._devices.get(number)
        if device is None:
            places = () if self.plan is None else self.plan.places
            device = self._devices[number] = _Device(Tracker(places))
            self._names[number] = tracker_id
        # A device's own numbers may begin anew within a day: its times tell fixes apart.
        added = device.tracker.add(replace(f, sequence=None) for f in fixes)
        device.num += added.num_new
        return not added.too_late

    def let_go(self) -> None:
        """Hold only what late fixes may still change."""
        for device in self._devices.values():
            last = device.tracker.last
            if last is not None and len(device.tracker.judged) > 2 * HOLD_AT_LEAST:
                device.let_go(last.fix_at - HOLD)

    def signature(self) -> tuple[Any, ...]:
        """Changes where a stop began or ended."""
        device = self._chosen()
        if device is None:
            return ()
        stops = device.tracker.stops
        return (len(stops), stops[-1].arrived_at, stops[-1].is_over) if stops else (0,)

    @property
    def position(self) -> Fix | None:
        """The last fix that tells where the vehicle is, of whichever tracker."""
        known = [p for d in self._devices.values() if (p := d.tracker.last) is not None]
        return max(known, key=lambda f: f.fix_at, default=None)

    def _chosen(self) -> _Device | None:
        """The tracker that the day is told by: the one that told most, else the older one."""
        best = min(self._devices, key=lambda n: (-self._devices[n].num, n), default=None)
        return None if best is None else self._devices[best]

    def look(self, now: datetime) -> DayLook:
        """What the day says at a moment."""
        device, plan = self._chosen(), self.plan
        stops = device.tracker.stops if device else ()
        position = device.tracker.last if device else None
        if plan is None:
            day = MatchedDay(run=_no_run(self.vehicle_id, self.on), visits=())
            return self._told(now, day, None, device, (), None)
        if not plan.run.stops:
            return self._told(now, MatchedDay(run=plan.run, visits=()), None, device, (), None)
        if now >= day_span(self.on, plan.run.zone)[1]:
            return self._told(now, match(plan.run, stops), None, device, (), None)
        found = keeping.adherence(plan.run, stops, position, now, plan.forecaster, lines=plan.lines)
        warned = tuple(
            self._warned(alert)
            for alert in found.alerts
            if alert.kind is not keeping.AlertKind.OFF_CORRIDOR or plan.is_off(alert)
        )
        off_m = None if found.on_line is None else round(found.on_line.off_m)
        return self._told(now, found.day, found.forecast, device, warned, off_m)

    def _told(
        self,
        now: datetime,
        day: MatchedDay,
        forecast: Forecast | None,
        device: _Device | None,
        warned: tuple[Warned, ...],
        off_m: int | None,
    ) -> DayLook:
        return DayLook(
            now=self._now(now, forecast, warned, off_m),
            ends=self._ends(day, device),
            actuals=self._actuals(day, device, now),
            warned=warned,
        )

    def _now(
        self,
        now: datetime,
        forecast: Forecast | None,
        warned: Sequence[Warned],
        off_m: int | None,
    ) -> VehicleNow:
        fix, plan = self.position, self.plan
        told = VehicleNow(
            region_id=self.region_id,
            vehicle_id=self.vehicle_id,
            service_date=self.on,
            fix=fix,
            received_at=None if fix is None else fix.received_at,
            at=now,
        )
        if forecast is None or plan is None:
            return told
        here, following = forecast.here, forecast.next
        return replace(
            told,
            phase=_phase(forecast, now),
            is_silent=any(w.kind is AlertKind.SILENT for w in warned),
            here_visit_id=None if here is None else plan.visit_id(here.position),
            next_visit_id=None if following is None else plan.visit_id(following.planned.position),
            delay_s=round(forecast.delay_s),
            departure_at=forecast.departure_at,
            return_at=forecast.return_at,
            off_m=off_m,
            etas=tuple(
                LiveEta(
                    visit_id=plan.visit_id(eta.planned.position),
                    arrival_at=eta.arrival_at,
                    low_at=eta.arrival_low_at,
                    high_at=eta.arrival_high_at,
                    opening_at=eta.opening_at,
                    departure_at=eta.departure_at,
                    delay_s=round(eta.delay_s),
                    is_measured=fix is not None,
                )
                for eta in forecast.etas
            ),
        )

    def _ends(self, day: MatchedDay, device: _Device | None) -> DayEnds:
        number = next((n for n, d in self._devices.items() if d is device), None)
        driven_m, unseen_m = (0.0, 0.0) if device is None else device.driven_m
        return DayEnds(
            region_id=self.region_id,
            vehicle_id=self.vehicle_id,
            service_date=self.on,
            departed_at=day.departed_at,
            returned_at=day.returned_at,
            driven_m=round(driven_m),
            unseen_m=round(unseen_m),
            num_fixes=0 if device is None else device.num,
            tracker_id=None if number is None else self._names[number],
        )

    def _actuals(
        self, day: MatchedDay, device: _Device | None, now: datetime
    ) -> tuple[StopActual, ...]:
        if self.plan is None:
            return ()
        bins = device.bins if device else set()
        planned = [self._actual(visit, bins, now) for visit in day.visits]
        unplanned = [self._unplanned(visit) for visit in day.unplanned]
        cancelled = [self._cancelled(visit) for visit in self.plan.cancelled]
        return (*planned, *unplanned, *cancelled)

    def _actual(self, visit: MatchedVisit, bins: set[int], now: datetime) -> StopActual:
        assert visit.planned is not None
        assert self.plan is not None
        planned, seen = visit.planned, visit.observed
        promised = self.plan.visits[planned.position]
        state = _STATES[visit.outcome]
        is_over = now > planned.departure_at
        if state in (ActualState.SKIPPED, ActualState.TO_COME) and is_over:
            first = int(planned.start_at.timestamp()) // _BIN_S
            last = int(planned.end_at.timestamp()) // _BIN_S
            is_watched = any(k in bins for k in range(first, last + 1))
            if state is ActualState.SKIPPED and not is_watched:
                state = ActualState.UNKNOWN
        return StopActual(
            key=promised.visit_id,
            region_id=self.region_id,
            vehicle_id=self.vehicle_id,
            service_date=self.on,
            visit_id=promised.visit_id,
            stop_id=promised.stop_id,
            lon=planned.lon,
            lat=planned.lat,
            position=planned.position,
            state=state,
            planned_arrival_at=planned.arrival_at,
            planned_open_at=planned.start_at,
            planned_close_at=planned.end_at,
            planned_departure_at=planned.departure_at,
            actual_from_at=None if seen is None else _second(seen.arrived_at),
            actual_until_at=None if seen is None else _second(seen.departed_at),
            arrival_dev_s=_rounded(visit.arrival_dev_s),
            departure_dev_s=_rounded(visit.departure_dev_s),
            late_s=round(visit.late_s),
            short_s=round(visit.short_s),
            is_out_of_order=visit.is_out_of_order,
            is_arrival_seen=seen is None or seen.is_arrival_seen,
            is_departure_seen=seen is None or seen.is_departure_seen,
            source=ActualSource.PLANNED if seen is None else ActualSource.MEASURED,
        )

    def _unplanned(self, visit: MatchedVisit) -> StopActual:
        seen = visit.observed
        assert seen is not None
        return StopActual(
            key=f"u{int(seen.arrived_at.timestamp())}",
            region_id=self.region_id,
            vehicle_id=self.vehicle_id,
            service_date=self.on,
            visit_id=None,
            stop_id=None if seen.place_id is None else StopId(seen.place_id),
            lon=round(seen.lon, 6),
            lat=round(seen.lat, 6),
            position=None,
            state=ActualState.UNPLANNED,
            actual_from_at=_second(seen.arrived_at),
            actual_until_at=_second(seen.departed_at),
            is_arrival_seen=seen.is_arrival_seen,
            is_departure_seen=seen.is_departure_seen,
            source=ActualSource.MEASURED,
        )

    def _cancelled(self, visit: PromisedVisit) -> StopActual:
        assert self.plan is not None
        zone = self.plan.run.zone
        lon, lat = self.plan.stops[str(visit.stop_id)]
        return StopActual(
            key=visit.visit_id,
            region_id=self.region_id,
            vehicle_id=self.vehicle_id,
            service_date=self.on,
            visit_id=visit.visit_id,
            stop_id=visit.stop_id,
            lon=lon,
            lat=lat,
            position=None,
            state=ActualState.CANCELLED,
            planned_arrival_at=instant_of(self.on, visit.arrival_s, zone),
            planned_open_at=instant_of(self.on, visit.start_s, zone),
            planned_close_at=instant_of(self.on, visit.end_s, zone),
            planned_departure_at=instant_of(self.on, visit.departure_s, zone),
        )

    def _warned(self, alert: keeping.Alert) -> Warned:
        assert self.plan is not None
        kind, position = _KINDS[alert.kind], alert.position
        visit_id = None if position is None else self.plan.visit_id(position)
        facts: dict[str, Any] = {"amount": round(alert.amount)}
        if position is not None:
            facts["stop_id"] = str(self.plan.visits[position].stop_id)
        key = f"{kind.value}/{visit_id}" if kind in _BY_VISIT else kind.value
        return Warned(kind=kind, key=key, visit_id=visit_id, since_at=alert.since_at, facts=facts)


def _phase(forecast: Forecast, now: datetime) -> Phase:
    if forecast.phase is RunPhase.AT_STOP and forecast.here is not None:
        return Phase.WAITING if now < forecast.here.start_at else Phase.STANDING
    return {
        RunPhase.NOT_STARTED: Phase.NOT_STARTED,
        RunPhase.DRIVING: Phase.DRIVING,
        RunPhase.AT_STOP: Phase.STANDING,
        RunPhase.DONE: Phase.DONE,
    }[forecast.phase]


def _no_run(vehicle_id: VehicleId, on: date) -> PlannedRun:
    return PlannedRun(vehicle_id=vehicle_id, service_date=on, time_zone="UTC", stops=())


def _bins(judged: Sequence[JudgedFix]) -> set[int]:
    """The five minutes in which something was heard."""
    return {int(j.fix.fix_at.timestamp()) // _BIN_S for j in judged if j.verdict.is_presence}


def _second(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(microsecond=0)


def _rounded(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)

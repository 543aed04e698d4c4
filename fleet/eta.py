"""When a vehicle will be at each of its later stops, and how sure that is.

The rest of the day is driven many times over: each sample takes the remaining part of the leg by
the position, then leg by leg a time drawn from what drives and stays take, doors never before the
published time, departure never before the planned one. Median and quantiles of the samples are the
forecast. What today's drives have taken so far moves the drives to come, by as much as days are
known to differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from data.model.geo import distance_m
from data.model.telemetry import Fix
from fleet.corridor import Corridor
from fleet.leg_times import LegTimes, Spell
from fleet.matching import MatchedDay, Outcome
from fleet.planned import PlannedRun, PlannedStop
from fleet.sampling import NUM_SAMPLES, Floats, Moment, stay_s, waiting_s
from fleet.spans import Scored, Spans, as_it_stood, score_of

LOW, HIGH = 0.1, 0.9
LN_2 = 0.6931471805599453
_STANDING_MPS, _DRIVING_MPS = 1.4, 2.2
DEFAULT_SPANS = Spans()


class Phase(StrEnum):
    """Where in its day a vehicle is."""

    NOT_STARTED = "not_started"
    DRIVING = "driving"
    AT_STOP = "at_stop"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class EtaParams:
    """How a crew behaves, and what is thought of one that stays beyond everything expected."""

    recovery_ratio: float = 0.2
    """Share of a late opening that is taken out of the stay."""
    start_late_s: float = 120.0
    """Mean of how much later than planned vehicles leave their depot."""
    halts_s: float = 55.0
    """Spread of lights and crossings on the way that is left."""
    incident_ratio: float = 0.03
    """Of a drive on which something holds the vehicle up, for ``incident_s`` in the mean."""
    incident_s: float = 1500.0
    overdue_s: float = 120.0
    """A vehicle that should have left by now leaves within so long, in the middle."""
    off_line_m: float = 500.0
    """Further from the planned line the crow's flight tells more of the way left."""
    spans: Spans = DEFAULT_SPANS
    """What recorded days say of how wide spans must be."""

    def __post_init__(self) -> None:
        if not 0 <= self.recovery_ratio <= 1:
            raise ValueError(f"recovery ratio is {self.recovery_ratio}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StopEta:
    """The forecast of one planned stop; low and high hold it with 80 %.

    ``delay_s`` is by how much the doors will probably open too late; zero is in time.
    """

    planned: PlannedStop
    arrival_at: datetime
    arrival_low_at: datetime
    arrival_high_at: datetime
    opening_at: datetime
    departure_at: datetime
    delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What is to be expected of the rest of a vehicle's day.

    ``delay_s`` is what the board shows: the delay of the stop where it is or that it drives to;
    a vehicle that waits inside its stay is in time. ``departure_at`` is when it will leave the
    place where it stands.
    """

    at: datetime
    phase: Phase
    delay_s: float
    etas: tuple[StopEta, ...] = ()
    here: PlannedStop | None = None
    departure_at: datetime | None = None
    return_at: datetime | None = None
    left_ratio: float | None = None
    """Part of the leg that is still to be driven."""

    @property
    def next(self) -> StopEta | None:
        return self.etas[0] if self.etas else None

    def eta_of(self, position: int) -> StopEta | None:
        return next((e for e in self.etas if e.planned.position == position), None)


class Forecaster:
    """Forecasts one vehicle's day.

    Parameters
    ----------
    lines
        The run's legs as lines, depot to first stop … last stop to depot; ``None`` where only
        the crow's flight is known.
    """

    def __init__(
        self,
        run: PlannedRun,
        times: LegTimes,
        *,
        params: EtaParams | None = None,
        lines: Sequence[Corridor | None] | None = None,
    ) -> None:
        self._run, self._times = run, times
        self._params = params or EtaParams()
        self._lines = lines

    def forecast(self, day: MatchedDay, now: datetime, position: Fix | None) -> Forecast:
        """The forecast from what has been matched by now and the last known position."""
        if self._is_done(day, now):
            return Forecast(at=now, phase=Phase.DONE, delay_s=0.0)
        day_mean, day_sd = self._day_effect(day)
        clock = Moment(now, day_mean=day_mean, day_sd=day_sd)
        here, left_ratio, departure_at = None, None, None
        origin: str | None
        coming = self._coming(day)
        if day.here is not None and day.here.planned is not None:
            phase, here = Phase.AT_STOP, day.here.planned
            assert day.here.observed is not None
            clock.samples_s = self._leaving(here, clock, day.here.observed.arrived_at)
            departure_at = clock.median_at()
            delay_s = max(0.0, (departure_at - here.departure_at).total_seconds())
            origin = here.stop_id
        elif self._is_waiting(day, position):
            phase, origin = Phase.NOT_STARTED, self._run.start_depot_id
            if self._run.depart_at is not None:
                late_s = waiting_s(self._params.start_late_s * LN_2)
                clock.leave_after(self._run.depart_at, late_s)
            departure_at = clock.median_at()
            delay_s = 0.0
        else:
            phase, origin = Phase.DRIVING, self._origin(day)
            delay_s = 0.0
            if coming:
                left_ratio = self._left_ratio(day, coming[0], origin, position)
        etas = self._rest(coming, origin, clock, left_ratio, now, position)
        if phase is not Phase.AT_STOP and etas:
            delay_s = etas[0].delay_s
        return Forecast(
            at=now,
            phase=phase,
            delay_s=delay_s,
            etas=tuple(etas),
            here=here,
            departure_at=departure_at,
            return_at=self._home(coming, origin, clock, position, now),
            left_ratio=left_ratio,
        )

    def scored(self, day: MatchedDay) -> list[Scored]:
        """What the forecasts of a day that is over would have been worth."""
        truth = {
            v.planned.position: v.observed.arrived_at
            for v in day.visits
            if v.planned is not None and v.observed is not None and v.observed.is_arrival_seen
        }
        found = []
        for at, then in as_it_stood(day):
            forecast = self.forecast(then, at, None)
            for eta in forecast.etas:
                true_at = truth.get(eta.planned.position)
                if true_at is not None and true_at > at:
                    told = (eta.arrival_low_at, eta.arrival_at, eta.arrival_high_at, true_at)
                    low, middle, high, true = ((one - at).total_seconds() for one in told)
                    is_under_way = forecast.phase is Phase.DRIVING and eta is forecast.next
                    score = score_of(low, middle, high, true, is_under_way=is_under_way)
                    found.append(score)
        return found

    def _is_done(self, day: MatchedDay, now: datetime) -> bool:
        if day.here is not None or self._coming(day):
            return False
        if day.returned_at is not None:
            return True
        return self._run.return_at is None or now > self._run.return_at + timedelta(hours=6)

    def _is_waiting(self, day: MatchedDay, position: Fix | None) -> bool:
        """Whether the vehicle has not left its depot yet, as far as is known."""
        return day.departed_at is None and day.last_done < 0 and not self._is_under_way(position)

    def _is_under_way(self, position: Fix | None) -> bool:
        return position is not None and (position.speed_mps or 0.0) > _DRIVING_MPS

    def _coming(self, day: MatchedDay) -> list[PlannedStop]:
        """The visits still to come, behind the last that was held."""
        last = day.last_done
        return [
            v.planned
            for v in day.visits
            if v.planned is not None and v.outcome is Outcome.PENDING and v.planned.position > last
        ]

    def _origin(self, day: MatchedDay) -> str | None:
        last = day.last_done
        return self._run.stops[last].stop_id if last >= 0 else self._run.start_depot_id

    def _day_effect(self, day: MatchedDay) -> tuple[float, float]:
        """What today's drives say of the day: mean and spread of its logarithm.

        A normal prior of the spread of days, each finished drive with its own spread.
        """
        prior = self._times.day_sd**2
        if prior <= 0:
            return 0.0, 0.0
        precision, weighted = 1 / prior, 0.0
        origin, left_at = self._run.start_depot_id, day.departed_at
        for visit in day.visits:
            if visit.observed is None or visit.planned is None:
                continue
            seen = visit.observed
            if origin is not None and left_at is not None and seen.is_arrival_seen:
                spell = self._times.drive(origin, visit.planned.stop_id, left_at)
                took_s = (seen.arrived_at - left_at).total_seconds()
                if spell.median_s > 0 and spell.sd > 0 and 0 < took_s < 3 * spell.median_s:
                    precision += 1 / spell.sd**2
                    weighted += float(np.log(took_s / spell.median_s)) / spell.sd**2
            origin = visit.planned.stop_id
            left_at = seen.departed_at if seen.is_departure_seen else None
        return weighted / precision, precision**-0.5

    def _leaving(self, stop: PlannedStop, clock: Moment, arrived_at: datetime) -> Floats:
        """When the vehicle leaves a stop where it is: seconds from now, none below zero."""
        came_s = np.full(NUM_SAMPLES, clock.seconds(arrived_at))
        leave_s = self._through(stop, came_s, clock)
        return np.where(leave_s >= 0, leave_s, waiting_s(self._params.overdue_s))

    def _through(self, stop: PlannedStop, arrival_s: Floats, clock: Moment) -> Floats:
        """Departures from a stop after arrivals there, never before the planned departure."""
        opening_s = self._opening(stop, arrival_s, clock)
        late_s = opening_s - clock.seconds(stop.start_at)
        open_s = np.maximum(0.3 * stop.open_s, stop.open_s - self._params.recovery_ratio * late_s)
        pack_s = stay_s(self._times.turnaround(stop.stop_id), 3 * stop.position + 3)
        left_s = opening_s + open_s + stop.meal_s + pack_s
        return np.asarray(np.maximum(left_s, clock.seconds(stop.departure_at)))

    def _opening(self, stop: PlannedStop, arrival_s: Floats, clock: Moment) -> Floats:
        ready_s = arrival_s + stay_s(self._times.setup(stop.stop_id), 3 * stop.position + 2)
        return np.asarray(np.maximum(ready_s, clock.seconds(stop.start_at)))

    def _rest(
        self,
        coming: Sequence[PlannedStop],
        origin: str | None,
        clock: Moment,
        left_ratio: float | None,
        now: datetime,
        position: Fix | None,
    ) -> list[StopEta]:
        """The stops to come one after another; the clock goes on with them."""
        etas = []
        for number, stop in enumerate(coming):
            ratio = left_ratio if number == 0 and left_ratio is not None else 1.0
            drive_s = self._ahead_s(origin, stop.stop_id, clock, 3 * stop.position + 1, ratio)
            if number == 0 and left_ratio is not None:
                drive_s = np.maximum(drive_s - _age_s(position, now), 0.0)
            arrival_s = clock.samples_s + drive_s
            opening_s = self._opening(stop, arrival_s, clock)
            departure_s = self._through(stop, arrival_s, clock)
            low, middle, high = (float(q) for q in np.quantile(arrival_s, (LOW, 0.5, HIGH)))
            left = left_ratio if number == 0 else None
            low, high = self._params.spans.limits(low, middle, high, left_ratio=left)
            # Nobody comes before now, nor before the earliest that it is left where it is before.
            low = min(max(low, 0.0, float(clock.samples_s.min())), middle)
            open_at = clock.instant(float(np.median(opening_s)))
            etas.append(
                StopEta(
                    planned=stop,
                    arrival_at=clock.instant(middle),
                    arrival_low_at=clock.instant(low),
                    arrival_high_at=clock.instant(high),
                    opening_at=open_at,
                    departure_at=clock.instant(float(np.median(departure_s))),
                    delay_s=max(0.0, (open_at - stop.start_at).total_seconds()),
                )
            )
            clock.samples_s = departure_s
            origin = stop.stop_id
        return etas

    def _ahead_s(
        self, origin: str | None, target: str, clock: Moment, row: int, ratio: float
    ) -> Floats:
        """Sampled seconds of the part of a drive that is ahead."""
        spell = self._spell(origin, target, clock)
        left_s = ratio * spell.median_s
        sd = float(np.hypot(spell.sd, self._params.halts_s / max(left_s, 1.0)))
        drive_s = clock.drive_s(Spell(median_s=left_s, sd=min(sd, 1.0)), row)
        return drive_s + clock.incident_s(
            ratio * self._params.incident_ratio, self._params.incident_s, row
        )

    def _spell(self, origin: str | None, target: str, clock: Moment) -> Spell:
        if origin is None or origin == target:
            return Spell(median_s=0.0)
        return self._times.drive(origin, target, clock.median_at())

    def _home(
        self,
        coming: Sequence[PlannedStop],
        origin: str | None,
        clock: Moment,
        position: Fix | None,
        now: datetime,
    ) -> datetime | None:
        depot = self._run.end_depot_id
        if depot is None:
            return None
        last = coming[-1].stop_id if coming else origin
        ratio = 1.0
        is_last_leg = not coming and position is not None and origin is not None
        if is_last_leg and position is not None and origin is not None:
            line = self._line(len(self._run.stops))
            ratio = self._ratio_left(line, origin, self._place(depot), position)
        drive_s = self._ahead_s(last, depot, clock, 3 * len(self._run.stops) + 1, ratio)
        if is_last_leg:
            drive_s = np.maximum(drive_s - _age_s(position, now), 0.0)
        return clock.instant(float(np.median(clock.samples_s + drive_s)))

    def _left_ratio(
        self, day: MatchedDay, stop: PlannedStop, origin: str | None, position: Fix | None
    ) -> float:
        if position is None or origin is None:
            return 1.0
        is_next = stop.position == day.last_done + 1
        line = self._line(stop.position) if is_next else None
        return self._ratio_left(line, origin, (stop.lon, stop.lat), position)

    def _line(self, leg: int) -> Corridor | None:
        if self._lines is None or not 0 <= leg < len(self._lines):
            return None
        return self._lines[leg]

    def _place(self, place_id: str) -> tuple[float, float] | None:
        return next(
            ((s.lon, s.lat) for s in self._run.stops if s.stop_id == place_id),
            self._run.depot_places.get(place_id),
        )

    def _ratio_left(
        self,
        line: Corridor | None,
        origin: str,
        target: tuple[float, float] | None,
        position: Fix,
    ) -> float:
        """The part of a leg that lies ahead, along its line or as the crow flies."""
        if line is not None and line.length_m > 0:
            found = line.locate(position.lon, position.lat)
            if found.off_m <= self._params.off_line_m:
                return 1 - found.along_m / line.length_m
        begin = self._place(origin)
        if begin is None or target is None:
            return 1.0
        behind_m = distance_m(*begin, position.lon, position.lat)
        ahead_m = distance_m(position.lon, position.lat, *target)
        return ahead_m / max(behind_m + ahead_m, 1.0)


def _age_s(position: Fix | None, now: datetime) -> float:
    """How long ago the position was true, if the vehicle was driving then."""
    if position is None or (position.speed_mps is not None and position.speed_mps < _STANDING_MPS):
        return 0.0
    return max(0.0, (now - position.fix_at).total_seconds())


def planned_plus_delay(day: MatchedDay, now: datetime) -> dict[int, datetime]:
    """The plain forecast to compare with: planned arrival plus the delay last seen.

    The delay of a vehicle that is early is none: it waits for its time.
    """
    delay = timedelta()
    held = [v for v in day.visits if v.observed is not None]
    last = max(held, key=lambda v: v.observed.arrived_at if v.observed else now, default=None)
    if last is not None and last.observed is not None and last.planned is not None:
        if last.observed.departed_at is not None:
            delay = last.observed.departed_at - last.planned.departure_at
        else:
            arrived = last.observed.arrived_at - last.planned.arrival_at
            delay = max(arrived, now - last.planned.departure_at)
    elif day.run.depart_at is not None:
        delay = (day.departed_at or max(now, day.run.depart_at)) - day.run.depart_at
    delay = max(delay, timedelta())
    return {
        v.planned.position: v.planned.arrival_at + delay
        for v in day.visits
        if v.planned is not None and v.outcome is Outcome.PENDING
    }

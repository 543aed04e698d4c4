"""When and where a vehicle may be followed: in duty time, near its route (privacy by default).

The answer depends on what is promised for the date and on the fix alone, never on what came before,
so that it is the same however late a fix comes.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from api.services.day_book import days_on
from api.services.promised_days import PromisedDay
from api.settings import Settings
from data.db import publication_store
from data.db.engine import reading
from data.model.errors import BookmobileError
from data.model.fleet import VehicleId
from data.model.service_time import instant_of
from data.model.telemetry import Fix, Refusal
from fleet.corridor import Corridor

DAY_BEGINS_S = 3 * 3600
"""A vehicle's day lasts from three in the morning to three in the morning."""
_KNOWN_FOR_S = 30.0
_MOST_KNOWN = 4000
_NOWHERE_DEG = 0.01
_KILOMETRE_M = 1000.0


class OutOfDuty(StrEnum):
    """Why a position is not kept."""

    NO_RUN = "guard.no_run"
    OFF_DUTY = "guard.off_duty"
    FAR_OFF = "guard.far_off"


def service_date_of(at: datetime, zone: ZoneInfo) -> date:
    """The service date that an instant belongs to."""
    return (at.astimezone(zone).replace(tzinfo=None) - timedelta(seconds=DAY_BEGINS_S)).date()


def day_span(on: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The instants at which a vehicle's day begins and ends."""
    following = on + timedelta(days=1)
    return instant_of(on, DAY_BEGINS_S, zone), instant_of(following, DAY_BEGINS_S, zone)


@dataclass(frozen=True, slots=True)
class Duty:
    """When and along what a vehicle is on duty on a date; ``None`` without a run."""

    from_at: datetime
    until_at: datetime
    line: Corridor | None
    near_m: float

    def objects_to(self, fix: Fix) -> OutOfDuty | None:
        """Why a fix is not to be kept; ``None``: it is."""
        if not self.from_at <= fix.fix_at <= self.until_at:
            return OutOfDuty.OFF_DUTY
        if not fix.is_valid or max(abs(fix.lon), abs(fix.lat)) < _NOWHERE_DEG:
            # It tells no place, and is judged by the filters.
            return None
        if self.line is not None and self.line.locate(fix.lon, fix.lat).off_m > self.near_m:
            return OutOfDuty.FAR_OFF
        return None


@dataclass(slots=True)
class Guard:
    """Lets through the fixes of vehicles on duty.

    Knows the duties for some seconds: a change of the timetable counts from then on.
    """

    engine: Engine
    settings: Settings
    _zones: dict[str, tuple[float, ZoneInfo]] = field(default_factory=dict)
    _duties: OrderedDict[tuple[str, str, date], tuple[float, Duty | None]] = field(
        default_factory=OrderedDict
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def parted(
        self, region_id: str, vehicle_id: VehicleId, fixes: Sequence[Fix]
    ) -> tuple[tuple[Fix, ...], tuple[tuple[int, OutOfDuty], ...]]:
        """The fixes that are kept, and those that are not by their place with the reason."""
        if not self.settings.track_guard or not fixes:
            return tuple(fixes), ()
        zone = self.zone(region_id)
        kept, dropped = [], []
        for index, fix in enumerate(fixes):
            duty = self._duty(region_id, vehicle_id, service_date_of(fix.fix_at, zone))
            reason = OutOfDuty.NO_RUN if duty is None else duty.objects_to(fix)
            if reason is None:
                kept.append(fix)
            else:
                dropped.append((index, reason))
        return tuple(kept), tuple(dropped)

    def zone(self, region_id: str) -> ZoneInfo:
        """The region's clocks."""
        known = self._zones.get(region_id)
        if known is None or known[0] < time.monotonic():
            with reading(self.engine) as session:
                head = publication_store.region_head(session, region_id)
            known = time.monotonic() + _KNOWN_FOR_S, ZoneInfo(head.time_zone)
            self._zones[region_id] = known
        return known[1]

    def forget(self) -> None:
        """Ask anew for every duty."""
        with self._lock:
            self._duties.clear()

    def _duty(self, region_id: str, vehicle_id: VehicleId, on: date) -> Duty | None:
        key = region_id, str(vehicle_id), on
        with self._lock:
            known = self._duties.get(key)
        if known is not None and known[0] >= time.monotonic():
            return known[1]
        duty = self._read(region_id, vehicle_id, on)
        with self._lock:
            self._duties[key] = time.monotonic() + _KNOWN_FOR_S, duty
            self._duties.move_to_end(key)
            while len(self._duties) > _MOST_KNOWN:
                self._duties.popitem(last=False)
        return duty

    def _read(self, region_id: str, vehicle_id: VehicleId, on: date) -> Duty | None:
        try:
            with reading(self.engine) as session:
                day = days_on(session, region_id, on).get(vehicle_id)
        except BookmobileError:
            # A region without a plan any more promises nothing.
            return None
        return None if day is None else duty_of(day, self.settings)


def duty_of(day: PromisedDay, settings: Settings) -> Duty | None:
    """The duty of a promised day; a cancelled day is none."""
    run = day.run
    if not run.stops:
        return None
    margin = timedelta(minutes=settings.track_margin_min)
    points = [run.depot_places.get(run.start_depot_id or "")]
    points += [(s.lon, s.lat) for s in run.stops]
    points.append(run.depot_places.get(run.end_depot_id or ""))
    known = [p for p in points if p is not None]
    return Duty(
        from_at=(run.depart_at or run.stops[0].arrival_at) - margin,
        until_at=(run.return_at or run.stops[-1].departure_at) + margin,
        line=Corridor(known if len(known) > 1 else known * 2),
        near_m=settings.track_near_km * _KILOMETRE_M,
    )


def refusal_of_guard(reason: OutOfDuty, index: int, fix: Fix) -> Refusal:
    """What a device is told of a position that is not kept."""
    return Refusal(code=reason.value, facts={"index": index, "sequence": fix.sequence})

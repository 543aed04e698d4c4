"""The vehicles' days that are being followed, each with all its fixes and what it is held against.

A day is read whole from the store when it is first heard of, and again when fixes come that are too
old for what is held of it.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from api.services.alerting import Day
from api.services.day_book import days_on
from api.services.day_state import DayLook, DayState
from api.services.duty import Guard, day_span, service_date_of
from api.services.followed_plan import NO_BASIS, Basis, PlanBook
from data.db import track_store, tracker_store
from data.db.track_store import Arrived
from data.model.errors import BookmobileError
from data.model.fleet import VehicleId
from data.model.live import DayEnds, StopActual
from data.model.telemetry import Fix
from data.model.track_bytes import unpack_fix
from data.model.tracker import Tracker

log = logging.getLogger(__name__)

_REPLAY_S = 5.0
"""A day with late fixes is read again at most so often."""
_REPLAY_PAUSE = 6
"""So many times as long as the reading took it rests: a backlog must not keep others waiting."""


@dataclass(slots=True, kw_only=True)
class HeldDay:
    """A day with how it was left."""

    state: DayState
    look: DayLook | None = None
    stored: tuple[DayEnds, tuple[StopActual, ...]] | None = None
    signature: tuple[object, ...] = ()
    looked_s: float = -1e9
    read_s: float = 0.0
    """When its fixes were read from the store, and how long that took."""
    reading_took_s: float = 0.0
    is_touched: bool = True
    pending: int | None = None
    """The first arrival that has not been judged and stored."""
    is_behind: bool = False
    """Fixes came that are too old for what is held."""
    basis: Basis = NO_BASIS
    """What its plan was made of."""

    @property
    def day(self) -> Day:
        return self.state.region_id, self.state.vehicle_id, self.state.on


class DaysAtHand:
    """The days of all vehicles that are followed now."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._days: dict[Day, HeldDay] = {}
        self.dates: dict[str, date] = {}
        """Of each region the date that is followed as today."""
        self._trackers: dict[int, Tracker] = {}
        self._book = PlanBook()

    def __iter__(self) -> Iterator[tuple[Day, HeldDay]]:
        return iter(tuple(self._days.items()))

    def __getitem__(self, day: Day) -> HeldDay:
        return self._days[day]

    def values(self) -> tuple[HeldDay, ...]:
        """The days without their names."""
        return tuple(self._days.values())

    @property
    def tracker_numbers(self) -> tuple[int, ...]:
        """Of all trackers, in order."""
        return tuple(sorted(self._trackers))

    def today(self, region_id: str, now: datetime) -> date:
        """The service date of a region."""
        zone: ZoneInfo = self._guard.zone(region_id)
        return service_date_of(now, zone)

    def forget(self) -> None:
        """Know nothing any more."""
        self._days.clear()
        self.dates.clear()

    def take(self, session: Session, arrived: Iterable[Arrived]) -> None:
        """Give each fix to its day."""
        by_day: dict[Day, dict[int, list[Fix]]] = defaultdict(lambda: defaultdict(list))
        first: dict[Day, int] = {}
        for one in arrived:
            tracker = self._tracker(session, one.number)
            if tracker is None or tracker.vehicle_id is None:
                continue
            fix = unpack_fix(one.key, one.body, tracker.external_id)
            on = service_date_of(fix.fix_at, self._guard.zone(tracker.region_id))
            day = (tracker.region_id, tracker.vehicle_id, on)
            by_day[day][one.number].append(fix)
            first.setdefault(day, one.arrival)
        for day, found in by_day.items():
            held = self._days.get(day)
            if held is None:
                # Read whole from the store, these fixes with it.
                held = self._open(session, day)
                held.pending = first[day]
                continue
            held.is_touched = True
            held.pending = first[day] if held.pending is None else held.pending
            for number, fixes in found.items():
                name = self._trackers[number].tracker_id
                if not held.state.add(number, name, fixes):
                    held.is_behind = True

    def read_again(self, session: Session) -> None:
        """Read days anew for which late fixes came."""
        for day, held in tuple(self._days.items()):
            pause_s = max(_REPLAY_S, _REPLAY_PAUSE * held.reading_took_s)
            if held.is_behind and time.monotonic() - held.read_s >= pause_s:
                self._open(session, day)

    def roll(self, session: Session, now: datetime) -> None:
        """Look at everybody on duty, heard of or not; begin and end days."""
        self._trackers = {t.number: t for t in tracker_store.all_trackers(session)}
        tracked: dict[str, set[VehicleId]] = defaultdict(set)
        for tracker in self._trackers.values():
            if tracker.closed_at is None and tracker.vehicle_id is not None:
                tracked[tracker.region_id].add(tracker.vehicle_id)
        for region_id, vehicle_ids in tracked.items():
            try:
                today = service_date_of(now, self._guard.zone(region_id))
                basis = self._book.basis(session, region_id)
                days = [today]
                if self.dates.get(region_id) != today:
                    # The day before is looked at once more, now that it is over.
                    days.insert(0, today - timedelta(days=1))
                    self.dates[region_id] = today
                for on in days:
                    self._roll_day(session, region_id, on, vehicle_ids, basis)
            except BookmobileError:
                log.info("follower.no_region", extra={"region": region_id})

    def drop_old(self) -> None:
        """Let go of days that are over and stored."""
        for day, held in tuple(self._days.items()):
            today = self.dates.get(day[0])
            if today is not None and day[2] != today and held.pending is None:
                del self._days[day]

    def _tracker(self, session: Session, number: int) -> Tracker | None:
        if number not in self._trackers:
            self._trackers = {t.number: t for t in tracker_store.all_trackers(session)}
        return self._trackers.get(number)

    def _open(self, session: Session, day: Day) -> HeldDay:
        """A day with all its fixes from the store."""
        region_id, vehicle_id, on = day
        basis = self._book.basis(session, region_id)
        plan = self._book.plan(session, region_id, vehicle_id, on)
        state = DayState(region_id, vehicle_id, on, plan)
        began_s = time.monotonic()
        held = HeldDay(state=state, basis=basis)
        before = self._days.get(day)
        if before is not None:
            held.stored, held.look, held.pending = before.stored, before.look, before.pending
        self._fill(session, held)
        held.read_s = time.monotonic()
        held.reading_took_s = held.read_s - began_s
        self._days[day] = held
        return held

    def _fill(self, session: Session, held: HeldDay) -> None:
        state = held.state
        span = day_span(state.on, self._guard.zone(state.region_id))
        by_number: dict[int, list[Fix]] = defaultdict(list)
        names: dict[int, str] = {}
        for one in track_store.read_track(session, state.region_id, state.vehicle_id, *span):
            by_number[one.number].append(one.fix)
            names[one.number] = one.tracker_id
        for number, fixes in by_number.items():
            state.add(number, names[number], fixes)
        state.signature()
        state.let_go()

    def _roll_day(
        self, session: Session, region_id: str, on: date, vehicle_ids: set[VehicleId], basis: Basis
    ) -> None:
        promised = days_on(session, region_id, on)
        for vehicle_id in sorted(vehicle_ids):
            day = (region_id, vehicle_id, on)
            held = self._days.get(day)
            if held is None:
                if vehicle_id in promised:
                    self._open(session, day)
                continue
            held.is_touched = True
            if held.basis != basis:
                held.basis = basis
                self._plan_anew(session, day, held)

    def _plan_anew(self, session: Session, day: Day, held: HeldDay) -> None:
        """Take over what is published and known now; where places differ, read the fixes again."""
        plan = self._book.plan(session, *day)
        held.looked_s = -1e9
        before = held.state.plan
        if plan is not None and before is not None and plan.places == before.places:
            held.state.plan = plan
        else:
            self._open(session, day)

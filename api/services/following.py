"""Follows the vehicles: what came in becomes live state, what became of stop visits, warnings.

One process follows at a time, by a lease in the database. What was followed, and how far, is
written in one transaction: a follower that dies in the middle is taken up where it was.
"""

import logging
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import batched

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from api.services.alerting import Alerts
from api.services.day_state import DayLook, DayState
from api.services.days_at_hand import DaysAtHand, HeldDay
from api.services.duty import Guard
from data.db import (
    event_store,
    live_store,
    track_store,
)
from data.db.engine import reading, writing
from data.model.fleet import VehicleId
from data.model.live import DayEnds, VehicleNow

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=20)
_RENEW_S = 5.0
_PAUSE_S = 0.3
"""Rest between two rounds, so that what comes in close together is followed together."""
_IDLE_S = 1.0
_ROLL_S = 20.0
"""So often everybody on duty is looked at, heard of or not."""
_LOOK_S = 10.0
"""A vehicle that drives on is judged anew so often; a stop that begins or ends is told at once."""
_BUDGET_S = 0.6
"""Most time of a round that goes into judging vehicles."""
_LIMIT = 20_000
_SETTLE_S = 60.0
"""So often what is over is packed."""
_PACK_AT_ONCE = 20
"""Trackers packed in one transaction."""
_MOST_NAMED = 50
TOPIC = "vehicle"
SUBJECT_MAX = 64


@dataclass(slots=True)
class _Round:
    """What a round has found and is to store."""

    now: datetime
    vehicles: dict[tuple[str, VehicleId], VehicleNow]
    days: list[tuple[HeldDay, DayLook]]


class Follower:
    """Follows in a thread of its own; ``step`` is one round."""

    def __init__(self, engine: Engine, guard: Guard, *, clock: Callable[[], datetime]) -> None:
        self._engine, self._clock = engine, clock
        self._owner = uuid.uuid4().hex
        self._event, self._ending = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self.is_owner = False
        """Whether this process is the one that follows."""
        self._renewed_s = -1e9
        self._rolled_s = self._settled_s = -1e9
        self._seen = self._safe = 0
        self._revision = 0
        self._days = DaysAtHand(guard)
        self._alerts = Alerts()
        self._is_lost = False

    def start(self) -> None:
        """Begin to follow."""
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something came in."""
        self._event.set()

    def stop(self) -> None:
        """End after the round that is under way, and let another process follow."""
        self._ending.set()
        self._event.set()
        if self._thread is not None:
            self._thread.join(timeout=15)
        if self.is_owner:
            try:
                with writing(self._engine) as session:
                    live_store.give_up_lease(session, self._owner)
            except SQLAlchemyError:
                log.warning("follower.lease_kept", exc_info=True)

    def _run(self) -> None:
        while not self._ending.is_set():
            self._event.wait(_IDLE_S)
            self._event.clear()
            try:
                has_more = self.step()
            except SQLAlchemyError:
                if not self._is_lost:
                    log.warning("follower.lost", exc_info=True)
                self._is_lost = True
                self._forget()
                self._ending.wait(2.0)
                continue
            except Exception:  # the edge of a thread: what failed is taken up anew
                log.exception("follower.failed")
                self._forget()
                self._ending.wait(2.0)
                continue
            if self._is_lost:
                log.info("follower.back")
            self._is_lost = False
            if has_more:
                self._event.set()
            self._ending.wait(_PAUSE_S)

    def step(self) -> bool:
        """One round; whether there is more to do at once."""
        now = self._clock()
        if not self._owns(now):
            return False
        with reading(self._engine) as session:
            arrived = track_store.arrived_after(session, self._seen, limit=_LIMIT)
            self._seen = max([self._seen, *(one.arrival for one in arrived)])
            self._days.take(session, arrived)
            rolled = time.monotonic() - self._rolled_s >= _ROLL_S
            if rolled:
                self._days.roll(session, now)
                self._rolled_s = time.monotonic()
            self._days.read_again(session)
        found = self._look(now)
        if found.vehicles or found.days or arrived or rolled:
            try:
                self._store(found)
            except _LeaseLostError:
                self._forget()
                return False
        self._days.drop_old()
        if time.monotonic() - self._settled_s >= _SETTLE_S:
            self._settle(now)
            self._settled_s = time.monotonic()
        late = any(h.is_touched and not h.is_behind for h in self._days.values())
        return len(arrived) >= _LIMIT or late

    def _forget(self) -> None:
        """Know nothing any more: the next round begins from the store."""
        self.is_owner = False
        self._renewed_s = self._rolled_s = -1e9
        self._days.forget()
        self._alerts = Alerts()

    def _owns(self, now: datetime) -> bool:
        if self.is_owner and time.monotonic() - self._renewed_s < _RENEW_S:
            return True
        with writing(self._engine) as session:
            lease = live_store.take_lease(session, self._owner, at=now, lasts=LEASE)
            if lease is not None and not self.is_owner:
                self._seen = self._safe = lease.followed
                self._revision = lease.revision
                self._alerts = Alerts.stored(session)
        if lease is None:
            self._forget()
            return False
        self.is_owner, self._renewed_s = True, time.monotonic()
        return True

    def _look(self, now: datetime) -> _Round:
        """Judge the days that are due; of the others take over the position."""
        found = _Round(now, {}, [])
        began_s = time.monotonic()
        self._place_those_behind(found)
        touched = [(d, h) for d, h in self._days if h.is_touched and not h.is_behind]
        for day, held in sorted(touched, key=lambda e: e[1].looked_s):
            region_id, vehicle_id, on = day
            is_today = on == self._days.today(region_id, now)
            if on > self._days.today(region_id, now):
                held.is_touched, held.pending = False, None
                continue
            signature = held.state.signature()
            is_due = time.monotonic() - held.looked_s >= _LOOK_S or signature != held.signature
            if held.look is None or not is_today or is_due:
                if time.monotonic() - began_s > _BUDGET_S:
                    break
                held.look, held.signature = held.state.look(now), signature
                held.looked_s = time.monotonic()
                found.days.append((held, held.look))
                told = held.look.now
            else:
                told = _moved(held.look.now, held.state, now)
            held.is_touched, held.pending = False, None
            if is_today:
                found.vehicles[region_id, vehicle_id] = told
            held.state.let_go()
        return found

    def _place_those_behind(self, found: _Round) -> None:
        """A vehicle whose older fixes still come in is shown where it is by now."""
        for (region_id, vehicle_id, on), held in self._days:
            if held.is_behind and held.is_touched and held.look is not None:
                held.is_touched = False
                if on == self._days.today(region_id, found.now):
                    told = _moved(held.look.now, held.state, found.now)
                    found.vehicles[region_id, vehicle_id] = told

    def _store(self, found: _Round) -> None:
        """Write what was found, and how far has been followed, in one transaction."""
        waiting = [h.pending for h in self._days.values() if h.pending is not None]
        safe = min([self._seen, *(arrival - 1 for arrival in waiting)])
        revision = self._revision + 1
        alerts = self._alerts.copy()
        with writing(self._engine) as session:
            if not live_store.advance_to(session, self._owner, followed=safe, revision=revision):
                raise _LeaseLostError
            vehicles = [replace(v, revision=revision) for v in found.vehicles.values()]
            live_store.put_vehicles(session, vehicles)
            ends: list[DayEnds] = []
            for held, look in found.days:
                if held.stored is None or look.actuals != held.stored[1]:
                    live_store.put_actuals(session, look.ends, look.actuals)
                if held.stored is None or look.ends != held.stored[0]:
                    ends.append(look.ends)
                alerts.keep(session, held.day, look.warned, found.now)
            live_store.put_ends(session, ends)
            for region_id, today in self._days.dates.items():
                alerts.end_before(session, region_id, today, found.now)
            _tell(session, vehicles, revision)
        self._revision, self._alerts, self._safe = revision, alerts, safe
        for held, look in found.days:
            held.stored = look.ends, look.actuals

    def _settle(self, now: datetime) -> None:
        """Pack the quarters of an hour that are over."""
        for part in batched(self._days.tracker_numbers, _PACK_AT_ONCE):
            with writing(self._engine) as session:
                track_store.settle(session, part, now=now, followed=self._safe)


class _LeaseLostError(Exception):
    """Another process follows by now."""


def _moved(vehicle: VehicleNow, state: DayState, now: datetime) -> VehicleNow:
    """The vehicle with its newest position."""
    fix = state.position
    return replace(vehicle, fix=fix, received_at=fix.received_at if fix else None, at=now)


def _tell(session: Session, vehicles: Sequence[VehicleNow], revision: int) -> None:
    """Tell open pages which vehicles have changed: one event a region."""
    by_region: dict[str, list[str]] = defaultdict(list)
    for vehicle in vehicles:
        by_region[vehicle.region_id].append(str(vehicle.vehicle_id))
    for region_id, ids in by_region.items():
        event_store.emit(
            session,
            TOPIC,
            ids[0] if len(ids) == 1 and len(ids[0]) <= SUBJECT_MAX else "",
            region_id,
            vehicles=ids if len(ids) <= _MOST_NAMED else None,
            revision=revision,
        )

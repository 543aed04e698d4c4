"""Warnings as they begin, go on and end: told once, kept until they are no longer true."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlmodel import Session

from api.services.day_state import Warned
from data.db import alert_store, event_store
from data.model.alert import Alert, AlertKind
from data.model.fleet import VehicleId

TOPIC = "alert"
LINGER_S = 120.0
"""A warning that is not true for a moment does not end at once."""
_AT_ONCE = frozenset({AlertKind.SILENT, AlertKind.NOT_STARTED})
_MUCH = 60
"""A change of the amount below it is not written down."""

type Day = tuple[str, VehicleId, date]
"""Region, vehicle, service date."""


@dataclass(frozen=True, slots=True)
class _Known:
    alert: Alert
    true_s: float


@dataclass(slots=True)
class Alerts:
    """The warnings that go on."""

    _known: dict[tuple[Day, str], _Known] = field(default_factory=dict)

    @classmethod
    def stored(cls, session: Session) -> "Alerts":
        """Those that the database has."""
        now_s = time.monotonic()
        return cls(
            {
                ((a.region_id, a.vehicle_id, a.service_date), a.key): _Known(a, now_s)
                for a in alert_store.open_alerts(session)
                if a.kind is not AlertKind.BREAKDOWN
            }
        )

    def copy(self) -> "Alerts":
        """The same, to be changed in a transaction that may fail."""
        return Alerts(dict(self._known))

    def keep(self, session: Session, day: Day, warned: Sequence[Warned], now: datetime) -> None:
        """Raise what is new, end what is over."""
        now_s = time.monotonic()
        for one in warned:
            known = self._known.get((day, one.key))
            alert = _raise(session, day, one, now) if known is None else known.alert
            if known is not None and _is_other(alert, one):
                alert_store.update_alert(
                    session, alert.alert_id, visit_id=one.visit_id, facts=one.facts
                )
                alert = replace(alert, visit_id=one.visit_id, facts=dict(one.facts))
            self._known[day, one.key] = _Known(alert, now_s)
        true = {one.key for one in warned}
        for (of_day, key), known in tuple(self._known.items()):
            if of_day != day or key in true:
                continue
            if known.alert.kind in _AT_ONCE or now_s - known.true_s >= LINGER_S:
                self._end(session, of_day, key, now)

    def end_before(self, session: Session, region_id: str, today: date, now: datetime) -> None:
        """A warning ends with its day."""
        for day, key in tuple(self._known):
            if day[0] == region_id and day[2] < today:
                self._end(session, day, key, now)

    def _end(self, session: Session, day: Day, key: str, now: datetime) -> None:
        known = self._known.pop((day, key))
        ended = alert_store.end_alert(session, known.alert.alert_id, now)
        if ended is not None:
            tell(session, ended, "ended")


def tell(session: Session, alert: Alert, state: str) -> None:
    """Tell open pages of a warning: ``raised``, ``ended`` or ``acknowledged``."""
    event_store.emit(
        session,
        TOPIC,
        alert.alert_id,
        alert.region_id,
        vehicle=str(alert.vehicle_id),
        kind=alert.kind.value,
        state=state,
    )


def _raise(session: Session, day: Day, warned: Warned, now: datetime) -> Alert:
    region_id, vehicle_id, on = day
    alert = Alert(
        alert_id=uuid.uuid4().hex,
        region_id=region_id,
        vehicle_id=vehicle_id,
        service_date=on,
        kind=warned.kind,
        key=warned.key,
        visit_id=warned.visit_id,
        since_at=warned.since_at,
        raised_at=now,
        facts=dict(warned.facts),
    )
    alert_store.add_alert(session, alert)
    tell(session, alert, "raised")
    return alert


def _is_other(alert: Alert, warned: Warned) -> bool:
    before, after = alert.facts.get("amount", 0), warned.facts.get("amount", 0)
    return alert.visit_id != warned.visit_id or abs(after - before) >= _MUCH

"""Warnings about vehicles: raised once, ended when they are over, acknowledged by a person."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Session, col, delete, or_, select

from data.db.tables.tracking import AlertRow
from data.model.alert import Alert, AlertKind
from data.model.errors import NotFoundError
from data.model.fleet import VehicleId
from data.model.publication import VisitId


class AlertState(StrEnum):
    """Which warnings are asked for."""

    OPEN = "open"
    """They go on."""
    ENDED = "ended"
    ALL = "all"


def add_alert(session: Session, alert: Alert) -> None:
    """Raise a warning."""
    session.add(AlertRow(**_values(alert)))
    session.flush()


def update_alert(
    session: Session, alert_id: str, *, visit_id: VisitId | None, facts: Mapping[str, Any]
) -> None:
    """Say what a warning that goes on is about by now."""
    row = session.get(AlertRow, alert_id)
    if row is not None:
        row.visit_id, row.facts = visit_id, dict(facts)
        session.flush()


def end_alert(session: Session, alert_id: str, at: datetime) -> Alert | None:
    """End a warning; ``None`` where it is over already or gone."""
    row = session.get(AlertRow, alert_id)
    if row is None or row.ended_at is not None:
        return None
    row.ended_at, row.revision = at, row.revision + 1
    session.flush()
    return _alert(row)


def save_alert(session: Session, alert: Alert) -> None:
    """Take over what a warning has become: ended, acknowledged, of another amount."""
    row = _row(session, alert.region_id, alert.alert_id)
    for name, value in _values(alert).items():
        setattr(row, name, value)
    session.flush()


def get_alert(session: Session, region_id: str, alert_id: str) -> Alert:
    """One warning.

    Raises
    ------
    NotFoundError
        ``alert.unknown``.
    """
    return _alert(_row(session, region_id, alert_id))


def open_alerts(
    session: Session, region_id: str | None = None, *, vehicle_id: VehicleId | None = None
) -> tuple[Alert, ...]:
    """Warnings that go on, the newest first; of all regions where none is named."""
    asked = select(AlertRow).where(col(AlertRow.ended_at).is_(None))
    if region_id is not None:
        asked = asked.where(AlertRow.region_id == region_id)
    if vehicle_id is not None:
        asked = asked.where(AlertRow.vehicle_id == vehicle_id)
    asked = asked.order_by(col(AlertRow.raised_at).desc(), col(AlertRow.alert_id).desc())
    return tuple(_alert(row) for row in session.exec(asked))


def list_alerts(
    session: Session,
    region_id: str,
    *,
    state: AlertState = AlertState.ALL,
    from_date: date | None = None,
    until_date: date | None = None,
    vehicle_id: VehicleId | None = None,
    limit: int,
    before: tuple[datetime, str] | None = None,
) -> tuple[Alert, ...]:
    """Warnings of a region, the newest first; ``before`` is the last one of the page before."""
    asked = select(AlertRow).where(AlertRow.region_id == region_id)
    if state is AlertState.OPEN:
        asked = asked.where(col(AlertRow.ended_at).is_(None))
    elif state is AlertState.ENDED:
        asked = asked.where(col(AlertRow.ended_at).is_not(None))
    if from_date is not None:
        asked = asked.where(col(AlertRow.service_date) >= from_date)
    if until_date is not None:
        asked = asked.where(col(AlertRow.service_date) <= until_date)
    if vehicle_id is not None:
        asked = asked.where(AlertRow.vehicle_id == vehicle_id)
    if before is not None:
        asked = asked.where(
            or_(
                col(AlertRow.raised_at) < before[0],
                (col(AlertRow.raised_at) == before[0]) & (col(AlertRow.alert_id) < before[1]),
            )
        )
    asked = asked.order_by(col(AlertRow.raised_at).desc(), col(AlertRow.alert_id).desc())
    return tuple(_alert(row) for row in session.exec(asked.limit(limit)))


def acknowledge(
    session: Session, region_id: str, alert_id: str, *, at: datetime, by: str | None, note: str
) -> Alert:
    """Note that a person has seen a warning; the first one counts, a later note is added.

    Raises
    ------
    NotFoundError
        ``alert.unknown``.
    """
    alert = get_alert(session, region_id, alert_id)
    if alert.acknowledged_at is None:
        alert = replace(alert, acknowledged_at=at, acknowledged_by=by)
    if note:
        alert = replace(alert, note=note)
    alert = replace(alert, revision=alert.revision + 1)
    save_alert(session, alert)
    return alert


def drop_before(session: Session, on: date) -> int:
    """Delete warnings of before a date; how many."""
    query = delete(AlertRow).where(col(AlertRow.service_date) < on)
    return int(session.exec(query).rowcount)


def _row(session: Session, region_id: str, alert_id: str) -> AlertRow:
    row = session.get(AlertRow, alert_id)
    if row is None or row.region_id != region_id:
        raise NotFoundError("alert.unknown", alert=alert_id)
    return row


def _values(alert: Alert) -> dict[str, Any]:
    values = {name: getattr(alert, name) for name in Alert.__dataclass_fields__}
    return values | {"kind": alert.kind.value, "facts": dict(alert.facts)}


def _alert(row: AlertRow) -> Alert:
    values = {name: getattr(row, name) for name in Alert.__dataclass_fields__}
    return Alert(
        **values
        | {
            "kind": AlertKind(row.kind),
            "vehicle_id": VehicleId(row.vehicle_id),
            "visit_id": None if row.visit_id is None else VisitId(row.visit_id),
        }
    )

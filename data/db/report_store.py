"""What reports keep: settings of a region, standing orders, deliveries; the stock they count."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Text, cast
from sqlmodel import Session, col, delete, func, select

from data.db import outbox
from data.db.tables.circulation import CirculationThingRow
from data.db.tables.regions import RegionRow
from data.db.tables.reports import ReportDeliveryRow, ReportScheduleRow, ReportSettingsRow
from data.db.tables.visit_records import VisitRecordRow
from data.db.turns import take_turn
from data.model.errors import ConflictError, NotFoundError
from data.model.report import ReportKind
from data.model.report_schedule import (
    Channel,
    DeliveryState,
    PeriodRule,
    ReportDelivery,
    ReportFormat,
    ReportSchedule,
)
from data.model.report_settings import ReportSettings
from data.model.stock import Carrier, ItemPlace, PlaceKind
from data.model.stock_figures import StockItem
from data.model.visit_record import HELD_STATES

_SETTINGS: TypeAdapter[ReportSettings] = TypeAdapter(ReportSettings)


def get_settings(session: Session, region_id: str) -> ReportSettings:
    """What a region says for its reports; the defaults, at revision 0, where it said nothing."""
    row = session.get(ReportSettingsRow, region_id)
    if row is None:
        return ReportSettings()
    return replace(_SETTINGS.validate_python(dict(row.facts)), revision=row.revision)


def put_settings(
    session: Session,
    region_id: str,
    settings: ReportSettings,
    *,
    expect_revision: int,
    by: str | None,
    at: datetime,
) -> ReportSettings:
    """Store what a region says.

    Raises
    ------
    ConflictError
        ``store.stale``.
    NotFoundError
        ``region.unknown``.
    """
    take_turn(session, f"report settings {region_id}")
    if session.get(RegionRow, region_id) is None:
        raise NotFoundError("region.unknown", region_id=region_id)
    row = session.get(ReportSettingsRow, region_id)
    found = 0 if row is None else row.revision
    if found != expect_revision:
        raise ConflictError("store.stale", subject=region_id, found=found, expected=expect_revision)
    stored = replace(settings, revision=found + 1)
    facts = _SETTINGS.dump_python(stored, mode="json")
    if row is None:
        row = ReportSettingsRow(region_id=region_id, changed_at=at)
        session.add(row)
    row.facts, row.revision, row.changed_at, row.changed_by = facts, found + 1, at, by
    session.flush()
    return stored


def add_schedule(session: Session, schedule: ReportSchedule) -> None:
    """Store a new standing order."""
    session.add(ReportScheduleRow(**asdict(schedule)))
    session.flush()


def list_schedules(
    session: Session, region_id: str | None = None, *, is_active: bool | None = None
) -> tuple[ReportSchedule, ...]:
    """Standing orders, in the order in which they were made."""
    asked = select(ReportScheduleRow)
    if region_id is not None:
        asked = asked.where(ReportScheduleRow.region_id == region_id)
    if is_active is not None:
        asked = asked.where(ReportScheduleRow.is_active == is_active)
    asked = asked.order_by(col(ReportScheduleRow.created_at), col(ReportScheduleRow.schedule_id))
    return tuple(map(_schedule, session.exec(asked)))


def get_schedule(session: Session, region_id: str, schedule_id: str) -> ReportSchedule:
    """One standing order.

    Raises
    ------
    NotFoundError
        ``reports.no_schedule``.
    """
    return _schedule(_schedule_row(session, region_id, schedule_id))


def set_active(
    session: Session, region_id: str, schedule_id: str, *, is_active: bool
) -> ReportSchedule:
    """Let a standing order rest, or go on."""
    row = _schedule_row(session, region_id, schedule_id)
    row.is_active = is_active
    row.revision += 1
    session.flush()
    return _schedule(row)


def drop_schedule(session: Session, region_id: str, schedule_id: str) -> None:
    """Take a standing order away, with the record of what it sent."""
    row = _schedule_row(session, region_id, schedule_id)
    session.exec(delete(ReportDeliveryRow).where(col(ReportDeliveryRow.schedule_id) == schedule_id))
    session.delete(row)
    session.flush()


def is_noted(session: Session, delivery: ReportDelivery) -> bool:
    """Whether a report is noted for the span already."""
    known = select(ReportDeliveryRow.delivery_id).where(
        ReportDeliveryRow.schedule_id == delivery.schedule_id,
        ReportDeliveryRow.until_date == delivery.until_date,
    )
    return session.exec(known).first() is not None


def add_delivery(session: Session, delivery: ReportDelivery) -> bool:
    """Note that a report is to be sent for a span; ``False`` where it is noted already."""
    take_turn(session, f"report schedule {delivery.schedule_id}")
    if is_noted(session, delivery) or session.get(ReportScheduleRow, delivery.schedule_id) is None:
        return False
    session.add(ReportDeliveryRow(**asdict(delivery)))
    session.flush()
    return True


def has_due(session: Session, now: datetime) -> bool:
    """Whether anything is to be sent."""
    return outbox.has_due(session, ReportDeliveryRow, now)


def claim_delivery(session: Session, now: datetime, lasts: timedelta) -> ReportDelivery | None:
    """The delivery that has been due longest, for whoever asks alone; ``None`` where none is."""
    row = outbox.claim_due(session, ReportDeliveryRow, now, lasts)
    return None if row is None else _delivery(row)


def end_delivery(session: Session, delivery: ReportDelivery) -> None:
    """Write down what became of a try; one whose order was taken away meanwhile is forgotten."""
    row = session.get(ReportDeliveryRow, delivery.delivery_id)
    if row is None:
        return
    for name, value in asdict(delivery).items():
        setattr(row, name, value)
    row.claimed_until_at = None
    session.flush()


def list_deliveries(
    session: Session, region_id: str, *, limit: int, schedule_id: str | None = None
) -> tuple[ReportDelivery, ...]:
    """Deliveries, the newest first."""
    asked = select(ReportDeliveryRow).where(ReportDeliveryRow.region_id == region_id)
    if schedule_id is not None:
        asked = asked.where(ReportDeliveryRow.schedule_id == schedule_id)
    asked = asked.order_by(
        col(ReportDeliveryRow.until_date).desc(), col(ReportDeliveryRow.delivery_id)
    ).limit(limit)
    return tuple(map(_delivery, session.exec(asked)))


def try_again(
    session: Session, region_id: str, delivery_id: str, *, at: datetime
) -> ReportDelivery:
    """Have a report sent now, whatever became of it.

    Raises
    ------
    NotFoundError
        ``reports.no_delivery``.
    """
    row = session.get(ReportDeliveryRow, delivery_id)
    if row is None or row.region_id != region_id:
        raise NotFoundError("reports.no_delivery", delivery_id=delivery_id[:64])
    row.state, row.due_at, row.tries, row.claimed_until_at = DeliveryState.WAITING, at, 0, None
    session.flush()
    return _delivery(row)


def first_held_dates(session: Session, region_id: str) -> dict[str, date]:
    """First service date on which a stop visit was held, by stop."""
    asked = (
        select(VisitRecordRow.stop_id, func.min(VisitRecordRow.service_date))
        .where(
            VisitRecordRow.region_id == region_id,
            col(VisitRecordRow.stop_id).is_not(None),
            col(VisitRecordRow.state).in_([state.value for state in HELD_STATES]),
        )
        .group_by(col(VisitRecordRow.stop_id))
    )
    return {str(stop_id): first for stop_id, first in session.exec(asked)}


def load_stock(session: Session, region_id: str) -> tuple[StockItem, ...]:
    """Items of a region's stock that were not written off, where their base has them."""
    titles = dict(_things(session, region_id, "title"))
    found = []
    for item_id, facts in _things(session, region_id, "item"):
        if facts.get("is_withdrawn"):
            continue
        title = titles.get(facts["title_id"], {})
        acquired = facts.get("acquired_date")
        found.append(
            StockItem(
                item_id=item_id,
                name=str(title.get("name", "")),
                place=ItemPlace(kind=PlaceKind(facts["place"]["kind"]), key=facts["place"]["key"]),
                carrier=Carrier(title.get("carrier", Carrier.BOOK.value)),
                is_for_children=bool(title.get("is_for_children")),
                is_accessible=bool(title.get("is_accessible")),
                acquired_date=date.fromisoformat(acquired) if acquired else None,
                year=title.get("year"),
            )
        )
    return tuple(found)


def _things(session: Session, region_id: str, kind: str) -> list[tuple[str, Mapping[str, Any]]]:
    facts = cast(col(CirculationThingRow.facts), Text)
    asked = select(CirculationThingRow.key, facts).where(
        CirculationThingRow.region_id == region_id, CirculationThingRow.kind == kind
    )
    rows = session.exec(asked).all()
    # One text of all facts is read faster than each by itself.
    told = json.loads(f"[{','.join([facts for _, facts in rows])}]")
    return [(key, facts) for (key, _), facts in zip(rows, told, strict=True)]


def _schedule_row(session: Session, region_id: str, schedule_id: str) -> ReportScheduleRow:
    row = session.get(ReportScheduleRow, schedule_id)
    if row is None or row.region_id != region_id:
        raise NotFoundError("reports.no_schedule", schedule_id=schedule_id[:64])
    return row


def _schedule(row: ReportScheduleRow) -> ReportSchedule:
    values = {name: getattr(row, name) for name in ReportSchedule.__dataclass_fields__}
    return ReportSchedule(
        **values
        | {
            "kind": ReportKind(row.kind),
            "format": ReportFormat(row.format),
            "period": PeriodRule(row.period),
            "channel": Channel(row.channel),
        }
    )


def _delivery(row: ReportDeliveryRow) -> ReportDelivery:
    values = {name: getattr(row, name) for name in ReportDelivery.__dataclass_fields__}
    return ReportDelivery(**values | {"state": DeliveryState(row.state), "facts": dict(row.facts)})

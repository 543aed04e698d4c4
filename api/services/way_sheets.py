"""Odometers that crews wrote down on tablets go into the sheets of their days.

What a person wrote into a sheet stays: a reading takes the place of nothing, of what an earlier
reading had put there, and of what a new sheet takes over from the last one. A reading that is not
in the sheet is shown beside it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from api.services.ledger import Ledger
from data.db import audit_store, day_sheet_store, publication_store
from data.model.accounts import Caller
from data.model.crew_bodies import OdometerBody, WayEnd
from data.model.day_sheet import DaySheet, next_sheet
from data.model.errors import InputError
from data.model.fleet import VehicleId
from data.model.journal import EventId, JournalEvent
from data.model.journal_bodies import VoidBody
from data.model.service_time import clock_s
from fleet.way_log import Reading, WayKey, days_touched, readings_of

FIELDS = {WayEnd.OUT: "odometer_out_km", WayEnd.IN: "odometer_in_km"}
CLOCKS = {WayEnd.OUT: "out_s", WayEnd.IN: "in_s"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAboard:
    """A reading of a tablet that is not what the sheet says."""

    end: WayEnd
    odometer_km: float
    at: datetime
    sheet_km: float | None


def tells_of_way(event: JournalEvent, known: Mapping[EventId, JournalEvent]) -> bool:
    """Whether an event is a reading, or takes one of the known events back that is."""
    body = event.body
    if isinstance(body, VoidBody):
        voided = known.get(EventId(body.event_id))
        return voided is not None and isinstance(voided.body, OdometerBody)
    return isinstance(body, OdometerBody)


def keep_sheets(
    session: Session, ledger: Ledger, event_ids: Collection[str], *, by: Caller, at: datetime
) -> int:
    """Put what new events say of the way into the sheets; gives how many changed.

    Parameters
    ----------
    event_ids
        Events that are new; the ledger has them already.
    """
    steps = ledger.replay.steps
    touched = days_touched(steps, event_ids)
    zone = ZoneInfo(publication_store.region_head(session, ledger.region_id).time_zone)
    before, after = readings_of(steps, without=event_ids), readings_of(steps)
    num = 0
    for key in sorted(touched):
        num += _keep(session, ledger.region_id, key, before.get(key, {}), after.get(key, {}),
                     zone=zone, by=by, at=at)  # fmt: skip
    return num


def _keep(
    session: Session,
    region_id: str,
    key: WayKey,
    before: Mapping[WayEnd, Reading],
    after: Mapping[WayEnd, Reading],
    *,
    zone: ZoneInfo,
    by: Caller,
    at: datetime,
) -> bool:
    vehicle_id, on = key
    stored = day_sheet_store.get_sheet(session, region_id, vehicle_id, on)
    last = day_sheet_store.last_sheet(session, region_id, vehicle_id, on)
    blank = DaySheet(region_id=region_id, vehicle_id=vehicle_id, service_date=on)
    base = stored or next_sheet(last, blank)
    taken = None if last is None else last.odometer_in_km
    values: dict[str, Any] = {}
    for end, name in FIELDS.items():
        now = getattr(base, name)
        own = before.get(end)
        is_free = now is None or (own is not None and now == own.odometer_km)
        is_taken_over = end is WayEnd.OUT and now == taken
        if is_free or is_taken_over:
            values |= _told(base, end, own, after.get(end), on=on, zone=zone, taken=taken)
    sheet = _valid(base, values)
    if sheet == base and stored is not None:
        return False
    if stored is None and not after:
        return False
    kept = day_sheet_store.put_sheet(session, sheet, expect_revision=None, by=None, at=at)
    audit_store.record(
        session, by, "sheet.write", f"{vehicle_id} {on.isoformat()}", region_id=region_id,
        vehicle=vehicle_id, date=on.isoformat(), revision=kept.revision,
    )  # fmt: skip
    return True


def _told(
    base: DaySheet,
    end: WayEnd,
    own: Reading | None,
    reading: Reading | None,
    *,
    on: date,
    zone: ZoneInfo,
    taken: float | None,
) -> dict[str, Any]:
    """What the sheet is to say of an end, with the hour and, at the end of the day, the fuel."""
    clock, name = CLOCKS[end], FIELDS[end]
    if reading is None:
        # Taken back: the sheet says again what it would without.
        return {} if own is None else {name: taken if end is WayEnd.OUT else None}
    values: dict[str, Any] = {name: reading.odometer_km}
    if getattr(base, clock) is None:
        values[clock] = max(0, round(clock_s(on, reading.at, zone)))
    if reading.fuel is not None and base.fuel in (None, own.fuel if own else None):
        values["fuel"] = reading.fuel
    return values


def _valid(base: DaySheet, values: Mapping[str, Any]) -> DaySheet:
    """The sheet with as much of the readings as it can hold: an odometer never goes back."""
    unclocked = {n: v for n, v in values.items() if n not in CLOCKS.values()}
    way_out = {n: v for n, v in values.items() if n == FIELDS[WayEnd.OUT]}
    way_in = {n: v for n, v in unclocked.items() if n not in way_out}
    for told in (values, unclocked, way_out, way_in):
        try:
            return replace(base, **told)
        except InputError:
            continue
    return base


def read_aboard(
    ledger: Ledger, on: date, sheets: Mapping[VehicleId, DaySheet | None]
) -> Mapping[VehicleId, tuple[ReadAboard, ...]]:
    """By vehicle, readings of a date that its sheet does not say."""
    found: dict[VehicleId, tuple[ReadAboard, ...]] = {}
    for (vehicle_id, day), readings in readings_of(ledger.replay.steps).items():
        if day != on:
            continue
        sheet = sheets.get(vehicle_id)
        told = []
        for end, name in FIELDS.items():
            written = None if sheet is None else getattr(sheet, name)
            reading = readings.get(end)
            if reading is not None and reading.odometer_km != written:
                told.append(
                    ReadAboard(
                        end=end,
                        odometer_km=reading.odometer_km,
                        at=reading.at,
                        sheet_km=written,
                    )
                )
        if told:
            found[vehicle_id] = tuple(told)
    return found

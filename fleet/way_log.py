"""What crews read off an odometer at the ends of their days, by vehicle and date."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from data.model.crew_bodies import OdometerBody, WayEnd
from data.model.fleet import VehicleId
from data.model.journal_bodies import VoidBody
from data.model.stock import PlaceKind
from fleet.circulation_replay import Step

type WayKey = tuple[VehicleId, date]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One end of a day's way as a crew wrote it down last."""

    end: WayEnd
    odometer_km: float
    fuel: float | None
    at: datetime
    """When it was written, by the corrected clock."""


def readings_of(
    steps: Iterable[Step], *, without: Collection[str] = ()
) -> Mapping[WayKey, Mapping[WayEnd, Reading]]:
    """The readings that hold: of each end the last that was not taken back.

    Parameters
    ----------
    steps
        In the order in which they happened.
    without
        Ids of events that are to be left out, as if they had never come.
    """
    kept = [s.timed for s in steps if s.timed.event.event_id not in without]
    voided = {t.event.body.event_id for t in kept if isinstance(t.event.body, VoidBody)}
    found: dict[WayKey, dict[WayEnd, Reading]] = {}
    for timed in kept:
        event, body = timed.event, timed.event.body
        if not isinstance(body, OdometerBody) or event.event_id in voided:
            continue
        if event.place.kind not in (PlaceKind.VEHICLE, PlaceKind.STORE):
            continue
        key = VehicleId(event.place.key), event.service_date
        found.setdefault(key, {})[body.end] = Reading(
            end=body.end, odometer_km=body.odometer_km, fuel=body.fuel, at=timed.at
        )
    return found


def days_touched(steps: Iterable[Step], event_ids: Collection[str]) -> frozenset[WayKey]:
    """Vehicles and dates of whose way some events tell, or take back what was told."""
    steps = tuple(steps)
    told = [s.timed.event for s in steps if s.timed.event.event_id in event_ids]
    ids: set[str] = {e.event_id for e in told}
    ids |= {e.body.event_id for e in told if isinstance(e.body, VoidBody)}
    return frozenset(
        (VehicleId(s.timed.event.place.key), s.timed.event.service_date)
        for s in steps
        if s.timed.event.event_id in ids and isinstance(s.timed.event.body, OdometerBody)
    )

"""What is happening on the road now, and what became of each planned stop visit."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.publication import VisitId
from data.model.telemetry import Fix


class Phase(StrEnum):
    """Where in its day a vehicle is."""

    OFF_DUTY = "off_duty"
    """No run today."""
    NOT_STARTED = "not_started"
    DRIVING = "driving"
    WAITING = "waiting"
    """At a stop before the doors are to open."""
    STANDING = "standing"
    """At a stop, doors open or closing."""
    DONE = "done"


class ActualState(StrEnum):
    """What became of a stop visit."""

    TO_COME = "to_come"
    STANDING = "standing"
    KEPT = "kept"
    EARLY = "early"
    """Left before the doors were to close."""
    LATE = "late"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    """Its time is over and no position tells what became of it."""
    UNPLANNED = "unplanned"
    CANCELLED = "cancelled"


class ActualSource(StrEnum):
    """By what an actual time is known."""

    MEASURED = "measured"
    PLANNED = "planned"
    """Nothing is known: it stands as it was planned."""
    HAND = "hand"
    """Written by a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEta:
    """When a vehicle will be at a stop to come; low and high hold it with 80 %."""

    visit_id: VisitId
    arrival_at: datetime
    low_at: datetime
    high_at: datetime
    opening_at: datetime
    departure_at: datetime
    delay_s: int
    """By how much the doors will open too late."""
    is_measured: bool
    """By a position of today; else from the timetable alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleNow:
    """A vehicle at this moment.

    ``revision`` grows with every change of any vehicle, so that pages can ask for what is newer.
    """

    region_id: str
    vehicle_id: VehicleId
    service_date: date
    fix: Fix | None = None
    """The last fix that tells where it is."""
    received_at: datetime | None = None
    """When anything came from it last."""
    phase: Phase = Phase.OFF_DUTY
    is_silent: bool = False
    here_visit_id: VisitId | None = None
    """The stop visit that goes on."""
    next_visit_id: VisitId | None = None
    delay_s: int | None = None
    departure_at: datetime | None = None
    """When it will leave the place where it stands."""
    return_at: datetime | None = None
    etas: tuple[LiveEta, ...] = ()
    off_m: int | None = None
    """How far it is off the planned line, while it drives."""
    at: datetime
    """When this was worked out."""
    revision: int = 0

    @property
    def run_id(self) -> str | None:
        """Vehicle and date: one run a day."""
        if self.phase is Phase.OFF_DUTY:
            return None
        return f"{self.vehicle_id}@{self.service_date.isoformat()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopActual:
    """What became of a stop visit, planned or not; ``key`` is its id or, unplanned, its arrival.

    Deviations are actual minus planned, late is positive. ``late_s`` is by how much the doors could
    open too late, ``short_s`` by how much the vehicle left before they were to close.
    """

    key: str
    region_id: str
    vehicle_id: VehicleId
    service_date: date
    visit_id: VisitId | None
    stop_id: StopId | None
    lon: float
    lat: float
    position: int | None
    state: ActualState
    planned_arrival_at: datetime | None = None
    planned_open_at: datetime | None = None
    planned_close_at: datetime | None = None
    planned_departure_at: datetime | None = None
    actual_from_at: datetime | None = None
    actual_until_at: datetime | None = None
    arrival_dev_s: int | None = None
    departure_dev_s: int | None = None
    late_s: int = 0
    short_s: int = 0
    is_out_of_order: bool = False
    is_arrival_seen: bool = True
    is_departure_seen: bool = True
    """False where the moment lies in a gap of the track: nothing is learned from it."""
    source: ActualSource = ActualSource.PLANNED

    def __post_init__(self) -> None:
        if self.visit_id is None and self.state is not ActualState.UNPLANNED:
            raise ValueError(f"stop {self.key}: {self.state} without a planned visit")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayEnds:
    """When a vehicle left its depot and was back, and what its track says of the way."""

    region_id: str
    vehicle_id: VehicleId
    service_date: date
    departed_at: datetime | None = None
    returned_at: datetime | None = None
    driven_m: int = 0
    unseen_m: int = 0
    """Part of ``driven_m`` that lies in gaps of the track, as the crow flies."""
    num_fixes: int = 0
    tracker_id: str | None = None
    """The tracker that the day was followed by."""

    @property
    def driven_km(self) -> float | None:
        """The way by the track; ``None`` where it shows none, as of a tracker that only stood."""
        return self.driven_m / 1000 if self.driven_m else None

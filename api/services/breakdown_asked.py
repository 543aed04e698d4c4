"""What is asked of a breakdown, what is shown of it, and what is decided."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from api.services.make_up import Offer
from data.db.publication_store import RegionHead
from data.model.calendar import MINUTE_S
from data.model.cancellation import NOTE_CHARS, CancelReason
from data.model.errors import InputError
from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.public_timetable import PublicStop
from data.model.publication import PromisedVisit, VisitId

MOST_LATE_MIN = 180
MOST_CHANGES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakdownAsked:
    """What has happened, and what may be done about it."""

    vehicle_id: VehicleId
    reason: CancelReason = CancelReason.BREAKDOWN
    note: str = ""
    back_at_s: int | None = None
    """When it goes on, seconds from midnight; ``None``: not today."""
    helpers: frozenset[VehicleId] | None = None
    """Vehicles that may help; ``None``: every other one."""
    most_late_min: int = 30
    """Minutes by which a visit may open later than promised."""
    max_changes: int = 0
    """Promised times of the helpers' own visits that may move."""
    with_other_days: bool = True
    """Whether another date is looked for where nobody can come today."""

    def __post_init__(self) -> None:
        if len(self.note) > NOTE_CHARS:
            raise InputError("cancel.note_long", length=len(self.note), limit=NOTE_CHARS)
        if self.reason is CancelReason.OTHER and not self.note.strip():
            raise InputError("cancel.needs_note")
        if not 0 <= self.most_late_min <= MOST_LATE_MIN:
            raise InputError("breakdown.late_range", value=self.most_late_min, limit=MOST_LATE_MIN)
        if not 0 <= self.max_changes <= MOST_CHANGES:
            raise InputError("breakdown.changes_range", value=self.max_changes, limit=MOST_CHANGES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """What a promised visit becomes: ``after`` today, an ``offer`` of another date, or neither."""

    visit: PromisedVisit
    after: PromisedVisit | None = None
    offer: Offer | None = None
    is_own: bool = False
    """Whether it is a helper's own visit, whose time moves."""

    @property
    def is_same_time(self) -> bool:
        return self.after is not None and self.after.opens_s == self.visit.opens_s

    @property
    def later_min(self) -> int:
        return 0 if self.after is None else (self.after.opens_s - self.visit.opens_s) // MINUTE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakdownPreview:
    """What a breakdown would come to."""

    head: RegionHead
    asked: BreakdownAsked
    on: date
    now_s: int
    rows: tuple[Instead, ...]
    unable: tuple[VehicleId, ...]
    num_helpers: int
    is_measured: bool
    """Whether the position of the vehicle itself is known from its tracker."""
    added_drive_m: int
    stops: Mapping[StopId, PublicStop]
    vehicles: Mapping[str, str]
    seen: str
    """Stands for exactly these visits in exactly this state."""
    lon: float | None = None
    lat: float | None = None

    @property
    def handed_over(self) -> tuple[Instead, ...]:
        return tuple(r for r in self.rows if r.after is not None and not r.is_own)

    @property
    def other_date(self) -> tuple[Instead, ...]:
        return tuple(r for r in self.rows if r.offer is not None)

    @property
    def cancelled(self) -> tuple[Instead, ...]:
        return tuple(r for r in self.rows if r.after is None and r.offer is None)

    @property
    def own_moved(self) -> tuple[Instead, ...]:
        return tuple(r for r in self.rows if r.is_own)

    def stop_name(self, stop_id: StopId) -> str:
        stop = self.stops.get(stop_id)
        return stop.name if stop else stop_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A visit that is held today by a vehicle, its doors opening at ``start_s``."""

    visit_id: VisitId
    vehicle_id: VehicleId
    start_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherDate:
    """A cancelled visit that is made up for."""

    visit_id: VisitId
    vehicle_id: VehicleId
    service_date: date
    start_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What is to be done of what was shown; a visit that neither list names is cancelled."""

    seen: str
    moves: tuple[Move, ...] = ()
    other_dates: tuple[OtherDate, ...] = ()

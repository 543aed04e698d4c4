"""What a day brings that no timetable foresaw: exceptions, their effects, notices to readers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from data.model.errors import InputError
from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.publication import Closure, Moment, PromisedVisit, VisitId

NOTE_CHARS = 500
"""Longest note to readers."""
MOST_DAYS = 366
"""Longest span that is cancelled in one act."""


class Scope(StrEnum):
    """What is cancelled in one act."""

    VISIT = "visit"
    RUN = "run"
    """One vehicle's visits of a date."""
    DAY = "day"
    """All visits of a date."""
    VEHICLE = "vehicle"
    """One vehicle from a date to a date; nothing new is promised there."""
    CLOSED = "closed"
    """All visits from a date to a date; nothing new is promised there."""


class CancelReason(StrEnum):
    """Why visits are cancelled, as readers are told."""

    WEATHER = "weather"
    BREAKDOWN = "breakdown"
    ILLNESS = "illness"
    ROAD = "road"
    HOLIDAY = "holiday"
    OTHER = "other"


class ExceptionKind(StrEnum):
    """Kinds of exceptions as they are stored."""

    CANCELLED = "cancelled"
    VEHICLE_OFF = "vehicle_off"
    CLOSED_DAY = "closed_day"
    CREW_ABSENT = "crew_absent"
    BREAKDOWN = "breakdown"
    """The rest of a vehicle's day went to others, to another date, or was cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """What is asked to be cancelled, and why.

    ``visit_id`` goes with ``Scope.VISIT`` alone; ``vehicle_id`` with a run or a vehicle. A single
    visit needs no dates; ``until_date`` is the first date where a span is not asked for.
    """

    scope: Scope
    reason: CancelReason
    note: str = ""
    visit_id: VisitId | None = None
    vehicle_id: VehicleId | None = None
    from_date: date | None = None
    until_date: date | None = None

    def __post_init__(self) -> None:
        needs = {
            "visit": self.scope is Scope.VISIT and self.visit_id is None,
            "vehicle": self.scope in (Scope.RUN, Scope.VEHICLE) and self.vehicle_id is None,
            "date": self.scope is not Scope.VISIT and self.from_date is None,
        }
        for name, is_missing in needs.items():
            if is_missing:
                raise InputError(f"cancel.needs_{name}")
        if self.reason is CancelReason.OTHER and not self.note.strip():
            raise InputError("cancel.needs_note")
        if len(self.note) > NOTE_CHARS:
            raise InputError("cancel.note_long", length=len(self.note), limit=NOTE_CHARS)
        if self.from_date is not None and self.until_date is not None:
            if self.until_date < self.from_date:
                raise InputError(
                    "cancel.ends_before",
                    first=self.from_date.isoformat(),
                    last=self.until_date.isoformat(),
                )
            if (self.until_date - self.from_date).days >= MOST_DAYS:
                raise InputError("cancel.too_long", limit=MOST_DAYS)

    @property
    def last_date(self) -> date | None:
        """The last date of the span; that of the first where no span can be asked for."""
        spans = (Scope.VEHICLE, Scope.CLOSED)
        return (self.until_date or self.from_date) if self.scope in spans else self.from_date

    @property
    def kind(self) -> ExceptionKind:
        """How it is stored."""
        kinds = {
            Scope.VEHICLE: ExceptionKind.VEHICLE_OFF,
            Scope.CLOSED: ExceptionKind.CLOSED_DAY,
        }
        return kinds.get(self.scope, ExceptionKind.CANCELLED)

    def takes(self, visit: PromisedVisit) -> bool:
        """Whether a visit is among those asked for, whatever has become of it."""
        if self.scope is Scope.VISIT:
            return visit.visit_id == self.visit_id
        if self.from_date is None or self.last_date is None:
            return False
        on_days = self.from_date <= visit.service_date <= self.last_date
        return on_days and self.vehicle_id in (None, visit.vehicle_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One thing that an exception changed: which step did it, and its state before and after.

    What was added has no ``before``; what a step only tells has the same on both sides.
    """

    step: str
    subject: str
    """Id of the thing within its step."""
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceException:
    """An exception with everything that was done about it, in order."""

    exception_id: str
    region_id: str
    kind: ExceptionKind
    from_date: date
    until_date: date
    vehicle_id: VehicleId | None = None
    crew_member_id: str | None = None
    visit_ids: tuple[VisitId, ...] = ()
    reason: str = ""
    note: str = ""
    effects: tuple[Effect, ...] = ()
    created_at: datetime
    created_by: str | None = None
    undone_at: datetime | None = None
    undone_by: str | None = None

    @property
    def is_undone(self) -> bool:
        return self.undone_at is not None

    @property
    def closure(self) -> Closure | None:
        """The dates on which nothing new may be promised; ``None`` for single cancelled visits."""
        if self.is_undone or self.kind not in (ExceptionKind.VEHICLE_OFF, ExceptionKind.CLOSED_DAY):
            return None
        return Closure(
            from_date=self.from_date, until_date=self.until_date, vehicle_id=self.vehicle_id
        )

    def of_step(self, step: str) -> tuple[Effect, ...]:
        """What one step did."""
        return tuple(e for e in self.effects if e.step == step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What readers of a stop are told besides its timetable: a code with facts."""

    notice_id: str
    region_id: str
    stop_id: StopId
    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    visit_id: VisitId | None = None
    exception_id: str | None = None
    shown_from_date: date
    shown_until_date: date
    created_at: datetime
    withdrawn_at: datetime | None = None

    def is_shown(self, on: date) -> bool:
        """Whether readers see it on a date."""
        return self.withdrawn_at is None and (self.shown_from_date <= on <= self.shown_until_date)


RESTORED = "notice.restored"
"""Code of a notice that something takes place after all."""


def standing(
    notices: Iterable[Notice], visits: Mapping[VisitId, PromisedVisit]
) -> tuple[Notice, ...]:
    """The notices that are still so.

    Visits restored may be cancelled or moved again, and restored once more: that is told once.

    Parameters
    ----------
    notices
        The newest first.
    """
    found: list[Notice] = []
    told: set[str] = set()
    for notice in notices:
        if notice.code == RESTORED:
            ids = set(notice.facts["visit_ids"])
            if ids <= told or not _holds(notice, visits):
                continue
            told |= ids
        found.append(notice)
    return tuple(found)


def _holds(notice: Notice, visits: Mapping[VisitId, PromisedVisit]) -> bool:
    own = [visits.get(VisitId(i)) for i in notice.facts["visit_ids"]]
    first = own[0]
    if first is None or not all(v is not None and v.is_coming for v in own):
        return False
    begins = (first.opens_date.isoformat(), first.opens_s)
    return begins == (notice.facts["date"], notice.facts["start_s"])


def next_visit(visits: Iterable[PromisedVisit], after: Moment) -> PromisedVisit | None:
    """The first visit that is still meant to happen and ends after a moment."""
    coming = (v for v in visits if v.is_coming and v.ends > after)
    return min(coming, key=lambda v: (v.opens_date, v.opens_s, v.visit_id), default=None)

"""The journal of a vehicle's day: events that are only ever added.

A device gives each event an id of its own (a UUID), its own name, and the next number of its own
sequence. Nothing is changed afterwards: a slip is voided by another event, and what a librarian
decides of a conflict is an event as well.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import NewType

from data.model.crew_bodies import (
    ConsultationBody,
    CountBody,
    DefectBody,
    GatheringBody,
    MomentBody,
    OdometerBody,
    SkipBody,
    UnplannedStopBody,
)
from data.model.errors import InputError
from data.model.journal_bodies import (
    ClockSetBody,
    DecisionBody,
    HoldBody,
    HoldCancelledBody,
    HoldExpiredBody,
    HoldHandedBody,
    HoldReadyBody,
    LoanBody,
    MoveBody,
    RegistrationBody,
    RenewalBody,
    ReregistrationBody,
    ReturnBody,
    VisitsMovedBody,
    VoidBody,
)
from data.model.place import StopId
from data.model.publication import VisitId
from data.model.stock import ItemPlace, check_id

EventId = NewType("EventId", str)
MOST_SEQUENCE = 2**53 - 1
"""The greatest whole number that a browser counts exactly."""


class EventKind(StrEnum):
    """Kinds of events; the names are those in files and databases, for good."""

    LOAN = "loan"
    RETURN = "return"
    RENEWAL = "renewal"
    REGISTRATION = "registration"
    REREGISTRATION = "reregistration"
    HOLD = "hold"
    HOLD_HANDED = "hold_handed"
    HOLD_CANCELLED = "hold_cancelled"
    HOLD_READY = "hold_ready"
    HOLD_EXPIRED = "hold_expired"
    MOVE = "move"
    COUNT = "count"
    ARRIVE = "arrive"
    OPEN = "open"
    CLOSE = "close"
    DEPART = "depart"
    SKIP = "skip"
    UNPLANNED_STOP = "unplanned_stop"
    DEFECT = "defect"
    CONSULTATION = "consultation"
    GATHERING = "gathering"
    ODOMETER = "odometer"
    CLOCK_SET = "clock_set"
    VISITS_MOVED = "visits_moved"
    VOID = "void"
    DECISION = "decision"


type EventBody = (
    LoanBody
    | ReturnBody
    | RenewalBody
    | RegistrationBody
    | ReregistrationBody
    | HoldBody
    | HoldHandedBody
    | HoldCancelledBody
    | HoldReadyBody
    | HoldExpiredBody
    | MoveBody
    | CountBody
    | MomentBody
    | SkipBody
    | UnplannedStopBody
    | DefectBody
    | ConsultationBody
    | GatheringBody
    | OdometerBody
    | ClockSetBody
    | VisitsMovedBody
    | VoidBody
    | DecisionBody
)

BODIES: dict[EventKind, type] = {
    EventKind.LOAN: LoanBody,
    EventKind.RETURN: ReturnBody,
    EventKind.RENEWAL: RenewalBody,
    EventKind.REGISTRATION: RegistrationBody,
    EventKind.REREGISTRATION: ReregistrationBody,
    EventKind.HOLD: HoldBody,
    EventKind.HOLD_HANDED: HoldHandedBody,
    EventKind.HOLD_CANCELLED: HoldCancelledBody,
    EventKind.HOLD_READY: HoldReadyBody,
    EventKind.HOLD_EXPIRED: HoldExpiredBody,
    EventKind.MOVE: MoveBody,
    EventKind.COUNT: CountBody,
    EventKind.ARRIVE: MomentBody,
    EventKind.OPEN: MomentBody,
    EventKind.CLOSE: MomentBody,
    EventKind.DEPART: MomentBody,
    EventKind.SKIP: SkipBody,
    EventKind.UNPLANNED_STOP: UnplannedStopBody,
    EventKind.DEFECT: DefectBody,
    EventKind.CONSULTATION: ConsultationBody,
    EventKind.GATHERING: GatheringBody,
    EventKind.ODOMETER: OdometerBody,
    EventKind.CLOCK_SET: ClockSetBody,
    EventKind.VISITS_MOVED: VisitsMovedBody,
    EventKind.VOID: VoidBody,
    EventKind.DECISION: DecisionBody,
}
AT_VISITS = frozenset(
    {
        EventKind.COUNT,
        EventKind.ARRIVE,
        EventKind.OPEN,
        EventKind.CLOSE,
        EventKind.DEPART,
        EventKind.SKIP,
        EventKind.UNPLANNED_STOP,
        EventKind.CONSULTATION,
        EventKind.GATHERING,
    }
)
"""Kinds that say nothing without the stop visit at which they happened."""

OFFICE_KINDS = frozenset(
    {
        EventKind.DECISION,
        EventKind.VISITS_MOVED,
        EventKind.HOLD_READY,
        EventKind.HOLD_EXPIRED,
    }
)
"""Kinds that the server and librarians write; refused from a crew's tablet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEvent:
    """One thing that happened, as the device wrote it down.

    Parameters
    ----------
    sequence
        The device's own count of its events, from 1.
    device_at
        By the device's clock, whatever that was; ``fleet.journal_clock`` corrects it.
    place
        Where it happened: on a vehicle, in its store, or at a library.
    service_date
        The date of the run that it belongs to, which may have begun the day before.
    by
        Account of whoever did it; never a name.
    snapshot_id
        The copy of readers and items by which the device decided.
    """

    event_id: EventId
    device_id: str
    sequence: int
    device_at: datetime
    kind: EventKind
    body: EventBody
    place: ItemPlace
    service_date: date
    visit_id: VisitId | None = None
    stop_id: StopId | None = None
    by: str = ""
    snapshot_id: str = ""

    def __post_init__(self) -> None:
        check_id("event_id", self.event_id)
        check_id("device_id", self.device_id)
        if not 0 < self.sequence <= MOST_SEQUENCE:
            raise InputError(
                "journal.out_of_range", field="sequence", value=self.sequence, limit=MOST_SEQUENCE
            )
        if self.device_at.utcoffset() is None:
            raise InputError("journal.no_zone", field="device_at", value=str(self.device_at))
        if not isinstance(self.body, BODIES[self.kind]):
            raise ValueError(f"an event of kind {self.kind} with {type(self.body).__name__}")
        if self.kind in AT_VISITS and self.visit_id is None:
            raise InputError("journal.missing_field", field="visit_id")
        for name in ("visit_id", "stop_id", "by", "snapshot_id"):
            if value := getattr(self, name):
                check_id(name, value)

    @property
    def utc_at(self) -> datetime:
        """The device's time as UTC, still as its clock had it."""
        return self.device_at.astimezone(UTC)

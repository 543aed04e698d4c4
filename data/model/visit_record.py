"""A stop visit as it is on record: the line of the electronic diary that every report sums.

A record puts together what was promised, what following the vehicle found, what the crew wrote
down and what the journal of loans counts (DOMAIN §7). Corrections by a person stand apart, each
with who, when and why; a record's ``counts`` have them in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from data.model.errors import InputError
from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.publication import VisitId
from data.model.stop_counts import (
    LOAN_COUNTS,
    MOST_COUNTED,
    NAMES,
    VISIT_COUNTS,
    CountMethod,
    totals_of,
)

REASON_MAX = 500


class RecordState(StrEnum):
    """What became of a stop visit."""

    DONE = "done"
    PARTIAL = "partial"
    """Opened, but readers lost some of the promised time."""
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """Its time is over and nothing tells whether it was held."""


HELD_STATES = frozenset({RecordState.DONE, RecordState.PARTIAL})
"""States of stop visits that statistics count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRecord:
    """One stop visit on record; unplanned ones have a key and a name but no ``visit_id``.

    ``settlement_id`` and ``municipality_id`` are those of the stop on the service date.
    """

    region_id: str
    key: str
    """Lasting id of a planned visit, or the unplanned one's own."""
    visit_id: VisitId | None = None
    stop_id: StopId | None = None
    name: str
    settlement_id: str | None = None
    municipality_id: str | None = None
    vehicle_id: VehicleId
    service_date: date
    position: int | None = None
    state: RecordState
    reason: str = ""
    """Code of why it was skipped or cancelled."""
    planned_open_at: datetime | None = None
    planned_close_at: datetime | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    """As the crew tapped the doors, else as promised, as far as the vehicle was there for it."""
    is_gps_confirmed: bool = False
    """Whether a track shows the vehicle there."""
    counts: Mapping[str, int] = field(default_factory=dict)
    counted_by: tuple[str, ...] = ()
    """Account or device ids."""
    count_methods: tuple[CountMethod, ...] = ()
    num_corrections: int = 0
    num_readers: int = 0
    """Different readers served who are known by their ids."""
    is_simulated: bool = False
    """Of a demonstration; never to be told as a real figure."""

    @property
    def is_held(self) -> bool:
        return self.state in HELD_STATES

    @property
    def is_planned(self) -> bool:
        """Whether it was promised; a past that is only known by its times has no ``visit_id``."""
        return self.visit_id is not None or self.planned_open_at is not None

    @property
    def open_s(self) -> int | None:
        """Seconds for which the doors were open, as far as known; else as promised."""
        for first, last in (
            (self.opened_at, self.closed_at),
            (self.planned_open_at, self.planned_close_at),
        ):
            if self.is_held and first is not None and last is not None:
                return max(0, round((last - first).total_seconds()))
        return None

    @property
    def num_visits(self) -> int:
        """Visits of people, for service and events (DOMAIN §8)."""
        return totals_of(self.counts, VISIT_COUNTS)

    @property
    def num_loans(self) -> int:
        """Documents issued: taken home and read aboard (DOMAIN §8)."""
        return totals_of(self.counts, LOAN_COUNTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountCorrection:
    """A person's change of one count of a recorded stop visit; none is ever changed or deleted."""

    correction_id: str
    region_id: str
    key: str
    """Of the record."""
    name: str
    amount: int
    """Added to the count; may be negative."""
    reason: str
    corrected_at: datetime
    corrected_by: str
    """Account id."""

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise InputError("counts.unknown", name=self.name[:64])
        if not self.amount or abs(self.amount) > MOST_COUNTED:
            raise InputError(
                "counts.too_many", name=self.name, value=self.amount, limit=MOST_COUNTED
            )
        if not self.reason.strip():
            raise InputError("record.no_reason", field="reason")
        if len(self.reason) > REASON_MAX:
            raise InputError("record.long_reason", length=len(self.reason), limit=REASON_MAX)

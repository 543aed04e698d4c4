"""Warnings to a dispatcher about vehicles on the road."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from data.model.fleet import VehicleId
from data.model.publication import VisitId

NOTE_MAX = 500


class AlertKind(StrEnum):
    """What a dispatcher must be told of."""

    LATE = "late"
    """The doors of the next stop will probably open too late."""
    MISSED = "missed"
    """The planned stay is over and the vehicle was not there."""
    SILENT = "silent"
    OFF_CORRIDOR = "off_corridor"
    NOT_STARTED = "not_started"
    """It should have left its depot."""
    LEFT_EARLY = "left_early"
    UNPLANNED_STOP = "unplanned_stop"
    """It stands somewhere on the road for long."""
    BREAKDOWN = "breakdown"
    """A person said so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One warning; ``key`` names what it is about, so that it is told once.

    ``facts``: ``amount`` (seconds of delay, silence or standing; metres off the corridor) and,
    where it is about a stop, ``stop_id``.
    """

    alert_id: str
    region_id: str
    vehicle_id: VehicleId
    service_date: date
    kind: AlertKind
    key: str
    visit_id: VisitId | None = None
    since_at: datetime
    raised_at: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    note: str = ""
    ended_at: datetime | None = None
    revision: int = 0

    @property
    def is_open(self) -> bool:
        """Whether what it warns of goes on."""
        return self.ended_at is None

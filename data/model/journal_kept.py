"""Events of the journal as a database keeps them: with when and how they came."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEvent:
    """An event that was taken.

    Parameters
    ----------
    document
        The event as ``fleet.journal_json`` writes it.
    digest
        Of the event as it came; the document may have lost what tells of a person since.
    carried_by
        The device or account that brought it.
    event_no
        Grows in the order in which events came; 0 before it is stored.
    """

    event_id: str
    device_id: str
    sequence: int
    digest: str
    received_at: datetime
    carried_by: str
    document: Mapping[str, Any]
    event_no: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMark:
    """A device's clock beside the server's, after the event of ``sequence``."""

    device_id: str
    sequence: int
    device_at: datetime
    server_at: datetime
    mark_no: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedEvent:
    """An event that could not be taken, for a person to look at."""

    digest: str
    code: str
    refused_at: datetime
    carried_by: str
    document: Mapping[str, Any]
    reasons: Mapping[str, Any] = field(default_factory=dict)
    device_id: str = ""
    event_id: str = ""
    refused_no: int = 0
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CirculationHead:
    """How a region's circulation stands; see ``data.db.tables.circulation``."""

    revision: int = 0
    base_revision: int = 0
    own_sequence: int = 0
    settled_until: datetime | None = None
    rules: Mapping[str, Any] = field(default_factory=dict)

"""What tells where a vehicle is: trackers that are known, and devices that nobody knows."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from data.model.fleet import VehicleId
from data.model.telemetry import DeviceId

TrackerId = NewType("TrackerId", str)

NAME_MAX = 120


class Protocol(StrEnum):
    """How a tracker speaks."""

    BOOKMOBILE = "bookmobile"
    """Our own batches: the on-board program, a paired tablet."""
    OWNTRACKS = "owntracks"
    OSMAND = "osmand"
    """OsmAnd and the Traccar Client app."""
    TRACCAR = "traccar"
    """Forwarded by a Traccar server."""
    WIALON = "wialon"
    """Wialon IPS over TCP."""
    FILE = "file"
    """A track that was uploaded after the fact."""


NAMED_BY_ITSELF = frozenset(
    {Protocol.OWNTRACKS, Protocol.OSMAND, Protocol.TRACCAR, Protocol.WIALON}
)
"""Protocols whose messages name their device; of the others the token or the upload does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracker:
    """A device, or a program that forwards for many, whose fixes are taken.

    ``external_id`` is what the device calls itself; of one that is known by its token alone it is
    the ``tracker_id``. Without a ``vehicle_id`` it is a forwarding server: its secret vouches for
    every tracker of its region and protocol.
    """

    tracker_id: TrackerId
    number: int = 0
    """Short name in the tables of fixes; the store gives it."""
    region_id: str
    vehicle_id: VehicleId | None
    protocol: Protocol
    external_id: DeviceId
    name: str
    has_secret: bool = True
    """Whether it must prove who it is; many hardware trackers can say no more than a number."""
    created_at: datetime
    created_by: str | None = None
    heard_at: datetime | None = None
    """When anything came from it last."""
    last_fix_at: datetime | None = None
    num_stored: int = 0
    num_known: int = 0
    """Fixes that came again."""
    num_refused: int = 0
    num_guarded: int = 0
    """Fixes that were not kept: outside duty time or far from the route."""
    closed_at: datetime | None = None

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > NAME_MAX:
            raise ValueError(f"name of tracker {self.tracker_id}: {self.name!r}")

    @property
    def is_gateway(self) -> bool:
        """Whether it forwards for others and has no vehicle."""
        return self.vehicle_id is None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownDevice:
    """A device that was refused because nobody has said whose it is, or with a wrong secret."""

    protocol: Protocol
    external_id: DeviceId
    address: str
    """The network address that it came from last."""
    code: str
    """``tracker.unknown`` or ``tracker.bad_secret``."""
    first_at: datetime
    last_at: datetime
    num_messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of fixes that were handed to the store."""

    num_new: int = 0
    num_known: int = 0
    num_refused: int = 0
    num_guarded: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            num_new=self.num_new + other.num_new,
            num_known=self.num_known + other.num_known,
            num_refused=self.num_refused + other.num_refused,
            num_guarded=self.num_guarded + other.num_guarded,
        )

"""Trackers and unknown devices as the API shows and takes them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.fields import NUL_FREE, Key, Name
from api.schemas.things import Body
from data.model.telemetry import DEVICE_ID_MAX
from data.model.tracker import NAME_MAX, Protocol, Tracker, UnknownDevice

ExternalId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=DEVICE_ID_MAX,
        pattern=r"^[^\x00-\x1f\s]([^\x00-\x1f]*[^\x00-\x1f\s])?$",
        description="What the device calls itself: an IMEI, USER/DEVICE of OwnTracks.",
    ),
]
TrackerName = Annotated[str, Field(min_length=1, max_length=NAME_MAX, pattern=NUL_FREE)]


class TrackerCreate(Body):
    """A device whose positions are to be taken, or a server that forwards for many."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "vehicle_id": "north",
                    "protocol": "wialon",
                    "external_id": "353976013445485",
                    "name": "Трекер «Северного»",
                    "needs_secret": False,
                }
            ]
        }
    )
    vehicle_id: Key | None = Field(
        default=None, description="Null: a server that forwards for trackers of the region."
    )
    protocol: Protocol
    external_id: ExternalId | None = Field(
        default=None, description="Needed where messages name their device; else left out."
    )
    name: TrackerName
    needs_secret: bool = Field(
        default=True,
        description="false: known by its number alone, for trackers that can say no more.",
    )


class TrackerUpdate(Body):
    """What can be changed of a tracker."""

    name: Name


class TrackerPublic(BaseModel):
    """A tracker."""

    tracker_id: str
    region_id: str
    vehicle_id: str | None
    protocol: Protocol
    external_id: str
    name: str
    has_secret: bool
    created_at: datetime
    heard_at: datetime | None = Field(description="When anything came from it last.")
    last_fix_at: datetime | None
    num_stored: int
    num_known: int = Field(description="Positions that came again.")
    num_refused: int = Field(description="Positions that could not be read.")
    num_guarded: int = Field(description="Not kept: outside duty time or far from the route.")
    closed_at: datetime | None

    @classmethod
    def from_domain(cls, tracker: Tracker) -> "TrackerPublic":
        """What the API tells of a tracker."""
        return cls(**{name: getattr(tracker, name) for name in cls.model_fields})


class TrackerSetUp(BaseModel):
    """A tracker with its secret, told this once, and the address that its device sends to."""

    tracker: TrackerPublic
    secret: str | None = Field(description="Null where its number alone is enough.")
    address: str = Field(description="URL, or HOST:PORT, to enter on the device.")


class UnknownDevicePublic(BaseModel):
    """A device that was refused."""

    protocol: Protocol
    external_id: str
    address: str = Field(description="The network address that it came from last.")
    code: str = Field(description="tracker.unknown, or tracker.bad_secret for a wrong secret.")
    first_at: datetime
    last_at: datetime
    num_messages: int

    @classmethod
    def from_domain(cls, device: UnknownDevice) -> "UnknownDevicePublic":
        """What the API tells of it."""
        return cls(**{name: getattr(device, name) for name in cls.model_fields})


class Adoption(Body):
    """Whose an unknown device is."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"vehicle_id": "north", "name": "Телефон водителя"}]}
    )
    vehicle_id: Key
    name: TrackerName
    needs_secret: bool = False

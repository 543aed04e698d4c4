"""Devices over HTTP."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.accounts import NUL_FREE
from data.model.accounts import Device, Role

type Key = Annotated[str, Field(min_length=1, max_length=120, pattern=NUL_FREE)]


class DeviceCreate(BaseModel):
    """A tablet or tracker that is to be paired."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "region_id": "kaliningrad",
                    "vehicle_id": "north",
                    "name": "Планшет «Северный»",
                    "roles": ["crew"],
                }
            ]
        },
    )
    region_id: Annotated[str, Field(min_length=1, max_length=64, pattern=NUL_FREE)]
    name: Annotated[str, Field(min_length=1, max_length=120, pattern=NUL_FREE)]
    vehicle_id: Key | None = Field(default=None, description="The vehicle that it rides on.")
    roles: list[Role] = Field(
        default=[Role.CREW], min_length=1, max_length=6, description="crew, librarian or both."
    )


class DevicePublic(BaseModel):
    """A tablet or tracker."""

    device_id: str
    region_id: str
    vehicle_id: str | None
    name: str
    roles: list[Role]
    created_at: datetime
    pair_until_at: datetime | None = Field(description="Until when its code is valid.")
    paired_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def from_domain(cls, device: Device) -> "DevicePublic":
        """What the API tells of a device."""
        return cls(
            device_id=device.device_id,
            region_id=device.region_id,
            vehicle_id=device.vehicle_id,
            name=device.name,
            roles=list(device.roles),
            created_at=device.created_at,
            pair_until_at=device.pair_until_at,
            paired_at=device.paired_at,
            used_at=device.used_at,
            revoked_at=device.revoked_at,
        )


class PairingOffer(BaseModel):
    """A device with the code that pairs it; the code is told this once."""

    device: DevicePublic
    code: str = Field(description="Eight digits, to type on the device.")
    address: str = Field(description="Address to open on the device: the QR code.")


class PairingCode(BaseModel):
    """The code that a dispatcher shows."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"code": "12345678"}]}
    )
    code: str = Field(max_length=40, description="Eight digits; gaps and dashes do not matter.")


class Paired(BaseModel):
    """The token of a device, told this once: send it as `Authorization: Bearer`."""

    token: str
    device: DevicePublic

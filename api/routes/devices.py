"""Devices: pairing and revoking."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.auth import Dispatcher, require_region
from api.conditions import Items, PagingDep
from api.errors import problems
from api.routes.session import address_of
from api.schemas.devices import DeviceCreate, DevicePublic, Paired, PairingCode, PairingOffer
from api.services import devices as changes
from api.state import ServiceDep
from data.db import devices_store
from data.db.engine import reading

router = APIRouter(prefix="/devices", tags=["devices"])


def _shown(offer: changes.Offer) -> PairingOffer:
    return PairingOffer(
        device=DevicePublic.from_domain(offer.device), code=offer.code, address=offer.address
    )


@router.get("")
def list_devices(
    asking: Dispatcher,
    service: ServiceDep,
    paging: PagingDep,
    region_id: Annotated[str | None, Query(max_length=64, description="Of one region.")] = None,
    revoked: Annotated[bool, Query(description="Revoked ones too.")] = False,
) -> Items[DevicePublic]:
    """Devices of the regions that one works in."""
    if region_id is not None:
        require_region(asking, region_id)
        region_ids: list[str] | None = [region_id]
    else:
        region_ids = None if asking.is_admin or not asking.region_ids else list(asking.region_ids)
    with reading(service.engine) as session:
        found = devices_store.devices(
            session,
            region_ids=region_ids,
            limit=paging.fetch,
            after=paging.after_text(),
            with_revoked=revoked,
        )
    return paging.page(found, DevicePublic.from_domain, lambda device: (device.device_id,))


@router.post("", status_code=201, responses=problems(404))
def add_device(body: DeviceCreate, asking: Dispatcher, service: ServiceDep) -> PairingOffer:
    """Add a device; the answer holds the code that pairs it, valid for ten minutes."""
    return _shown(
        changes.offer_device(
            service,
            asking,
            region_id=body.region_id,
            name=body.name,
            vehicle_id=body.vehicle_id,
            roles=body.roles,
        )
    )


@router.post("/pair", responses=problems(429))
def pair(body: PairingCode, request: Request, service: ServiceDep) -> Paired:
    """Exchange the code that a dispatcher shows for the device's token; needs no sign-in."""
    paired = changes.pair(service, body.code, address_of(request))
    return Paired(token=paired.token, device=DevicePublic.from_domain(paired.device))


@router.get("/{device_id}", responses=problems(404))
def get_device(device_id: str, asking: Dispatcher, service: ServiceDep) -> DevicePublic:
    """One device."""
    with reading(service.engine) as session:
        return DevicePublic.from_domain(changes.own_device(session, asking, device_id))


@router.post("/{device_id}/pairing", responses=problems(404))
def offer_again(device_id: str, asking: Dispatcher, service: ServiceDep) -> PairingOffer:
    """A new code for a device; its present token no longer works."""
    return _shown(changes.offer_again(service, asking, device_id))


@router.delete("/{device_id}", responses=problems(404))
def revoke(device_id: str, asking: Dispatcher, service: ServiceDep) -> DevicePublic:
    """Take a device's access away, for good."""
    return DevicePublic.from_domain(changes.revoke_device(service, asking, device_id))

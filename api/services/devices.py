"""Devices: offered for pairing by a dispatcher, paired by a code, revoked."""

import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO

import segno
from sqlmodel import Session

from api.auth import hash_token, new_token, require_region
from api.limiter import Limit, network_of
from api.state import Service
from data.db import audit_store, devices_store
from data.db.engine import writing
from data.db.regions_known_store import vehicle_names
from data.model.accounts import DEVICE_ROLES, Caller, Device, Role
from data.model.errors import AccessError, InputError, NotFoundError

CODE_DIGITS = 8
CODE_VALID = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A device with its code; ``address`` is what the QR code says."""

    device: Device
    code: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDevice:
    """A device with its new token."""

    device: Device
    token: str


def new_code() -> str:
    """A code short enough to type; the minutes and the tries that it has make it safe."""
    return "".join(secrets.choice("0123456789") for _ in range(CODE_DIGITS))


def normal_code(code: str) -> str:
    """The digits of a code, however it is typed."""
    return "".join(c for c in code if c.isdigit() and c.isascii())


def offer_device(
    service: Service,
    caller: Caller,
    *,
    region_id: str,
    name: str,
    vehicle_id: str | None,
    roles: Iterable[Role],
) -> Offer:
    """Add a device and its code.

    Raises
    ------
    AccessError
        For a region that is not the caller's.
    InputError
        ``device.name``, ``device.roles``, ``device.unknown_vehicle``.
    NotFoundError
        ``device.unknown_region``.
    """
    require_region(caller, region_id)
    wanted = sorted(set(roles), key=list(Role).index)
    if not wanted or not set(wanted) <= set(DEVICE_ROLES):
        raise InputError("device.roles", known=", ".join(DEVICE_ROLES))
    if not name.strip():
        raise InputError("device.name")
    code, now = new_code(), service.clock()
    device = Device(
        device_id=uuid.uuid4().hex,
        region_id=region_id,
        vehicle_id=vehicle_id,
        name=name.strip(),
        roles=tuple(wanted),
        created_at=now,
        created_by=caller.account_id,
        pair_until_at=now + CODE_VALID,
    )
    with writing(service.engine) as session:
        _check_vehicle(session, region_id, vehicle_id)
        added = devices_store.add_device(session, device, hash_token(code))
        audit_store.record(
            session, caller, "device.add", added.device_id, region_id=region_id,
            name=added.name, vehicle=vehicle_id, roles=list(added.roles),
        )  # fmt: skip
    return Offer(device=added, code=code, address=address_of(service, code))


def offer_again(service: Service, caller: Caller, device_id: str) -> Offer:
    """A new code for a device; whatever was paired by the old one no longer is.

    Raises
    ------
    NotFoundError
        ``device.unknown``, for a revoked one and one of another's region too.
    """
    code = new_code()
    until_at = service.clock() + CODE_VALID
    with writing(service.engine) as session:
        before = own_device(session, caller, device_id)
        if before.revoked_at is not None:
            raise NotFoundError("device.unknown", device=device_id)
        device = devices_store.offer_pairing(session, device_id, hash_token(code), until_at)
        audit_store.record(
            session, caller, "device.offer", device_id, region_id=device.region_id,
            name=device.name,
        )  # fmt: skip
    return Offer(device=device, code=code, address=address_of(service, code))


def pair(service: Service, code: str, address: str) -> PairedDevice:
    """Exchange a code for a token.

    Raises
    ------
    AccessError
        ``access.bad_code``, ``access.too_many``.
    """
    service.limiter.check(Limit.PAIRING, network_of(address))
    service.limiter.check(Limit.PAIRING_ANYWHERE)
    token = new_token()
    digits = normal_code(code)
    with writing(service.engine) as session:
        device = devices_store.pair(session, hash_token(digits), hash_token(token), service.clock())
        if device is not None:
            audit_store.record(
                session, device.as_caller(), "device.pair", device.device_id,
                region_id=device.region_id, name=device.name, address=address,
            )  # fmt: skip
    if device is None:
        raise AccessError("access.bad_code")
    return PairedDevice(device=device, token=token)


def revoke_device(service: Service, caller: Caller, device_id: str) -> Device:
    """Take a device's token away, for good; to do it twice does no harm."""
    with writing(service.engine) as session:
        before = own_device(session, caller, device_id)
        if before.revoked_at is not None:
            return before
        revoked = devices_store.revoke(session, device_id, service.clock())
        audit_store.record(
            session, caller, "device.revoke", device_id, region_id=revoked.region_id,
            name=revoked.name,
        )  # fmt: skip
    return revoked


def own_device(session: Session, caller: Caller, device_id: str) -> Device:
    """A device of a region that the caller works in.

    Raises
    ------
    NotFoundError
        ``device.unknown``: of others' regions nothing is told.
    """
    device = devices_store.device(session, device_id)
    if not caller.works_in(device.region_id):
        raise NotFoundError("device.unknown", device=device_id)
    return device


def address_of(service: Service, code: str) -> str:
    """What the QR code says; the code stands behind the ``#``, which no server log sees."""
    return f"{service.settings.public_url}/pair#{code}"


def qr_svg(address: str) -> str:
    """A QR code to put into a page."""
    drawn = BytesIO()
    segno.make(address, error="m").save(
        drawn, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=2, dark="#000"
    )
    return drawn.getvalue().decode()


def _check_vehicle(session: Session, region_id: str, vehicle_id: str | None) -> None:
    if vehicle_id is None:
        return
    if vehicle_id not in vehicle_names(session, [region_id]).get(region_id, {}):
        raise InputError("device.unknown_vehicle", vehicle=vehicle_id, region=region_id)

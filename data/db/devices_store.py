"""Paired devices."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select, update

from data.db.tables.accounts import DeviceRow
from data.db.tables.regions import RegionRow
from data.model.accounts import Device, Role
from data.model.errors import NotFoundError


def add_device(session: Session, device: Device, pair_hash: str) -> Device:
    """Store a device that waits to be paired.

    Raises
    ------
    NotFoundError
        ``device.unknown_region``.
    """
    if session.get(RegionRow, device.region_id) is None:
        raise NotFoundError("device.unknown_region", region=device.region_id)
    row = DeviceRow(
        device_id=device.device_id,
        region_id=device.region_id,
        vehicle_id=device.vehicle_id,
        name=device.name,
        roles=[str(role) for role in device.roles],
        pair_hash=pair_hash,
        pair_until_at=device.pair_until_at,
        created_at=device.created_at,
        created_by=device.created_by,
    )
    session.add(row)
    session.flush()
    return _device(row)


def device(session: Session, device_id: str) -> Device:
    """A device, revoked ones too.

    Raises
    ------
    NotFoundError
        ``device.unknown``.
    """
    return _device(_row(session, device_id))


def devices(
    session: Session,
    *,
    region_ids: Sequence[str] | None,
    limit: int,
    after: str = "",
    with_revoked: bool = False,
) -> list[Device]:
    """Devices by their id, from the one after ``after``; of all regions where none are named."""
    query = select(DeviceRow).where(col(DeviceRow.device_id) > after)
    if region_ids is not None:
        query = query.where(col(DeviceRow.region_id).in_(region_ids))
    if not with_revoked:
        query = query.where(col(DeviceRow.revoked_at).is_(None))
    rows = session.exec(query.order_by(col(DeviceRow.device_id)).limit(limit))
    return [_device(row) for row in rows]


def offer_pairing(session: Session, device_id: str, pair_hash: str, until_at: datetime) -> Device:
    """Store a new code for a device; the code before it and the token in use no longer work."""
    row = _held_row(session, device_id)
    row.pair_hash = pair_hash
    row.pair_until_at = until_at
    row.token_hash = None
    row.paired_at = None
    session.add(row)
    session.flush()
    return _device(row)


def pair(session: Session, pair_hash: str, token_hash: str, now: datetime) -> Device | None:
    """Exchange a code for a token; ``None`` for a code that is unknown, used, late or revoked."""
    row = session.exec(
        select(DeviceRow).where(DeviceRow.pair_hash == pair_hash).with_for_update()
    ).one_or_none()
    if row is None or row.revoked_at is not None:
        return None
    if row.pair_until_at is None or row.pair_until_at <= now:
        return None
    row.token_hash = token_hash
    row.pair_hash = None
    row.pair_until_at = None
    row.paired_at = now
    session.add(row)
    session.flush()
    return _device(row)


def device_of(session: Session, token_hash: str) -> Device | None:
    """The device of a token, unless it was revoked."""
    row = session.exec(
        select(DeviceRow)
        .where(DeviceRow.token_hash == token_hash)
        .where(col(DeviceRow.revoked_at).is_(None))
    ).one_or_none()
    return None if row is None else _device(row)


def touch_device(session: Session, token_hash: str, now: datetime) -> None:
    """Note that a device was heard of."""
    session.exec(
        update(DeviceRow).where(col(DeviceRow.token_hash) == token_hash).values(used_at=now)
    )


def revoke(session: Session, device_id: str, now: datetime) -> Device:
    """Let neither the device's token nor its code work any more."""
    row = _held_row(session, device_id)
    if row.revoked_at is None:
        row.revoked_at = now
    row.token_hash = None
    row.pair_hash = None
    row.pair_until_at = None
    session.add(row)
    session.flush()
    return _device(row)


def _row(session: Session, device_id: str) -> DeviceRow:
    row = session.get(DeviceRow, device_id)
    if row is None:
        raise NotFoundError("device.unknown", device=device_id)
    return row


def _held_row(session: Session, device_id: str) -> DeviceRow:
    """The row as it is now, and nobody else's until the transaction ends."""
    row = session.get(DeviceRow, device_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFoundError("device.unknown", device=device_id)
    return row


def _device(row: DeviceRow) -> Device:
    return Device(
        device_id=row.device_id,
        region_id=row.region_id,
        vehicle_id=row.vehicle_id,
        name=row.name,
        roles=tuple(Role(code) for code in row.roles),
        created_at=row.created_at,
        created_by=row.created_by,
        pair_until_at=row.pair_until_at,
        paired_at=row.paired_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
    )

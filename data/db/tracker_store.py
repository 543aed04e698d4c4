"""Trackers that are known, and devices that knocked and were refused."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, func, select

from data.db.tables.regions import RegionRow
from data.db.tables.tracking import TrackerRow, UnknownDeviceRow
from data.model.errors import ConflictError, NotFoundError
from data.model.fleet import VehicleId
from data.model.telemetry import DeviceId
from data.model.tracker import Protocol, Tracker, TrackerId, UnknownDevice

MOST_UNKNOWN = 500
"""Unknown devices that are remembered; the one not heard of for longest goes."""
SHOWN_UNKNOWN = 200


def add_tracker(session: Session, tracker: Tracker, secret_hash: str | None) -> Tracker:
    """Store a tracker.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    ConflictError
        ``tracker.taken`` where an open tracker of the protocol has its external id.
    """
    if session.get(RegionRow, tracker.region_id) is None:
        raise NotFoundError("region.unknown", region_id=tracker.region_id)
    row = TrackerRow(
        tracker_id=tracker.tracker_id,
        region_id=tracker.region_id,
        vehicle_id=tracker.vehicle_id,
        protocol=tracker.protocol.value,
        external_id=tracker.external_id,
        open_key=_open_key(tracker.protocol, tracker.external_id),
        name=tracker.name,
        secret_hash=secret_hash,
        created_at=tracker.created_at,
        created_by=tracker.created_by,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise ConflictError(
            "tracker.taken", protocol=tracker.protocol.value, external_id=tracker.external_id
        ) from None
    assert row.tracker_no is not None
    return replace(tracker, number=row.tracker_no, has_secret=secret_hash is not None)


def get_tracker(session: Session, tracker_id: str) -> Tracker:
    """A tracker, closed ones too.

    Raises
    ------
    NotFoundError
        ``tracker.not_there``.
    """
    return _tracker(_row(session, tracker_id))


def list_trackers(
    session: Session,
    region_id: str,
    *,
    vehicle_id: VehicleId | None = None,
    with_closed: bool = False,
) -> tuple[Tracker, ...]:
    """Trackers of a region by vehicle and name; forwarding servers first."""
    asked = select(TrackerRow).where(TrackerRow.region_id == region_id)
    if vehicle_id is not None:
        asked = asked.where(TrackerRow.vehicle_id == vehicle_id)
    if not with_closed:
        asked = asked.where(col(TrackerRow.closed_at).is_(None))
    rows = sorted(session.exec(asked), key=lambda r: (r.vehicle_id or "", r.name, r.tracker_no))
    return tuple(_tracker(row) for row in rows)


def all_trackers(session: Session) -> tuple[Tracker, ...]:
    """Every tracker, closed ones too: whose fixes are whose."""
    asked = select(TrackerRow).order_by(col(TrackerRow.tracker_no))
    return tuple(_tracker(row) for row in session.exec(asked))


def tracker_of(
    session: Session, protocol: Protocol, external_id: str
) -> tuple[Tracker, str | None] | None:
    """The open tracker that calls itself so, with the hash of its secret."""
    asked = select(TrackerRow).where(TrackerRow.open_key == _open_key(protocol, external_id))
    row = session.exec(asked).one_or_none()
    return None if row is None else (_tracker(row), row.secret_hash)


def tracker_of_secret(session: Session, secret_hash: str) -> Tracker | None:
    """The open tracker or forwarding server whose secret that is."""
    asked = select(TrackerRow).where(
        TrackerRow.secret_hash == secret_hash, col(TrackerRow.closed_at).is_(None)
    )
    row = session.exec(asked).one_or_none()
    return None if row is None else _tracker(row)


def set_secret(session: Session, tracker_id: str, secret_hash: str | None) -> Tracker:
    """Give a tracker another secret; with ``None`` its number alone is enough."""
    row = _row(session, tracker_id)
    row.secret_hash = secret_hash
    session.add(row)
    session.flush()
    return _tracker(row)


def rename_tracker(session: Session, tracker_id: str, name: str) -> Tracker:
    """Call a tracker otherwise."""
    row = _row(session, tracker_id)
    row.name = name
    session.add(row)
    session.flush()
    return _tracker(row)


def close_tracker(session: Session, tracker_id: str, at: datetime) -> Tracker:
    """Take no more fixes of a tracker; its tracks stay. To do it twice does no harm."""
    row = _row(session, tracker_id)
    if row.closed_at is None:
        row.closed_at = at
    row.open_key = None
    row.secret_hash = None
    session.add(row)
    session.flush()
    return _tracker(row)


def note_unknown(session: Session, device: UnknownDevice) -> None:
    """Remember a device that was refused; ``num_messages`` is added to what is known of it."""
    row = session.get(UnknownDeviceRow, (device.protocol.value, device.external_id))
    if row is None:
        _make_room(session)
        row = UnknownDeviceRow(
            protocol=device.protocol.value,
            external_id=device.external_id,
            code=device.code,
            first_at=device.first_at,
            last_at=device.last_at,
            num_messages=0,
        )
    row.address = device.address
    row.code = device.code
    row.last_at = max(row.last_at, device.last_at)
    row.num_messages = min(row.num_messages + device.num_messages, 2**31 - 1)
    session.add(row)
    session.flush()


def list_unknown(session: Session) -> tuple[UnknownDevice, ...]:
    """Devices that were refused, the one heard of last first."""
    asked = select(UnknownDeviceRow).order_by(col(UnknownDeviceRow.last_at).desc())
    return tuple(_unknown(row) for row in session.exec(asked.limit(SHOWN_UNKNOWN)))


def forget_unknown(session: Session, protocol: Protocol, external_id: str) -> bool:
    """Drop a device from the list; whether it was there."""
    row = session.get(UnknownDeviceRow, (protocol.value, external_id))
    if row is None:
        return False
    session.delete(row)
    session.flush()
    return True


def drop_unknown_before(session: Session, at: datetime) -> int:
    """Forget devices not heard of since; how many."""
    query = delete(UnknownDeviceRow).where(col(UnknownDeviceRow.last_at) < at)
    return int(session.exec(query).rowcount)


def _make_room(session: Session) -> None:
    number = session.exec(select(func.count()).select_from(UnknownDeviceRow)).one()
    if number < MOST_UNKNOWN:
        return
    oldest: Sequence[UnknownDeviceRow] = session.exec(
        select(UnknownDeviceRow)
        .order_by(col(UnknownDeviceRow.last_at))
        .limit(number - MOST_UNKNOWN + 1)
    ).all()
    for row in oldest:
        session.delete(row)


def _open_key(protocol: Protocol, external_id: str) -> str:
    return f"{protocol.value}:{external_id}"


def _row(session: Session, tracker_id: str) -> TrackerRow:
    asked = select(TrackerRow).where(TrackerRow.tracker_id == tracker_id)
    row = session.exec(asked).one_or_none()
    if row is None:
        raise NotFoundError("tracker.not_there", tracker=tracker_id)
    return row


def _tracker(row: TrackerRow) -> Tracker:
    assert row.tracker_no is not None
    return Tracker(
        tracker_id=TrackerId(row.tracker_id),
        number=row.tracker_no,
        region_id=row.region_id,
        vehicle_id=None if row.vehicle_id is None else VehicleId(row.vehicle_id),
        protocol=Protocol(row.protocol),
        external_id=DeviceId(row.external_id),
        name=row.name,
        has_secret=row.secret_hash is not None,
        created_at=row.created_at,
        created_by=row.created_by,
        heard_at=row.heard_at,
        last_fix_at=row.last_fix_at,
        num_stored=row.num_stored,
        num_known=row.num_known,
        num_refused=row.num_refused,
        num_guarded=row.num_guarded,
        closed_at=row.closed_at,
    )


def _unknown(row: UnknownDeviceRow) -> UnknownDevice:
    return UnknownDevice(
        protocol=Protocol(row.protocol),
        external_id=DeviceId(row.external_id),
        address=row.address,
        code=row.code,
        first_at=row.first_at,
        last_at=row.last_at,
        num_messages=row.num_messages,
    )

"""Devices under whose token two storages write at once, for whoever pairs tablets."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from api.state import Service
from data.db import devices_store, marks_store
from data.db.engine import reading
from data.model.accounts import Caller, Device
from fleet.journal_clock import ClockMark
from fleet.journal_doubles import base_of, doubled_devices

LOOK_BACK = timedelta(days=14)


def is_doubled(service: Service, caller: Caller, at: datetime) -> bool:
    """Whether the tablet that calls was seen to write in two places since it was paired."""
    if caller.device_id is None:
        return False
    with reading(service.engine) as session:
        device = devices_store.device(session, caller.device_id)
        return device.device_id in doubled_among(session, [device], [device.region_id], at)


def doubled_among(
    session: Session, devices: Sequence[Device], region_ids: Iterable[str], at: datetime
) -> Mapping[str, datetime]:
    """When each of the devices last wrote in two places; pairing it anew ends it."""
    paired = {d.device_id: d.paired_at for d in devices if d.paired_at is not None}
    since_at = max(at - LOOK_BACK, min(paired.values(), default=at))
    only = devices[0].device_id if len(devices) == 1 else ""
    kept = marks_store.recent_marks(session, region_ids, since_at=since_at, device_id=only)
    marks = (
        ClockMark(
            device_id=m.device_id,
            sequence=m.sequence,
            device_at=m.device_at,
            server_at=m.server_at,
        )
        for m in kept
    )
    return doubled_devices(
        m for m in marks if (since := paired.get(base_of(m.device_id))) and m.server_at >= since
    )

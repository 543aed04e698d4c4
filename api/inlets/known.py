"""Whose a device is: looked up once and remembered for some seconds, and who is not known."""

import hmac
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session

from api.auth import hash_token
from data.db import devices_store, tracker_store
from data.db.engine import reading, writing
from data.model.accounts import Device
from data.model.errors import AccessError, ConflictError
from data.model.fleet import VehicleId
from data.model.telemetry import DeviceId
from data.model.tracker import Protocol, Tracker, TrackerId, UnknownDevice

UNKNOWN, BAD_SECRET = "tracker.unknown", "tracker.bad_secret"
_KNOWN_FOR_S = 5.0
_MOST_KNOWN = 5000
_NOTE_EVERY_S = 2.0
_MOST_NOTED = 200


@dataclass(frozen=True, slots=True)
class _Named:
    tracker: Tracker | None
    secret_hash: str | None


class KnownTrackers:
    """Finds the tracker of a message; who is refused is noted for the dispatcher."""

    def __init__(self, engine: Engine, *, clock: Callable[[], datetime]) -> None:
        self._engine, self._clock = engine, clock
        self._held: OrderedDict[tuple[str, str], tuple[float, _Named]] = OrderedDict()
        self._unknown: dict[tuple[Protocol, DeviceId], UnknownDevice] = {}
        self._noted_s = 0.0
        self._lock = threading.Lock()

    def forget(self) -> None:
        """Look everybody up anew: a tracker was added, changed or closed."""
        with self._lock:
            self._held.clear()

    def by_secret(self, secret: str | None) -> Tracker | None:
        """The tracker, forwarding server or paired tablet whose secret that is."""
        if not secret:
            return None
        hashed = hash_token(secret)
        return self._get("secret", hashed, lambda session: self._of_secret(session, hashed)).tracker

    def by_name(
        self,
        protocol: Protocol,
        external_id: DeviceId,
        secret: str | None,
        address: str,
        *,
        is_vouched_for: bool = False,
    ) -> Tracker:
        """The tracker that calls itself so, if it proves it.

        Its own secret proves it, or that of a server of its region that forwards for it; who came
        through a broker of ours is vouched for.

        Raises
        ------
        AccessError
            ``tracker.unknown``, ``tracker.bad_secret``; the dispatcher is told.
        """
        named = self._get(
            protocol.value, external_id, lambda session: _named(session, protocol, external_id)
        )
        code = UNKNOWN
        if named.tracker is not None:
            if is_vouched_for or self._is_proved(named, secret):
                return named.tracker
            code = BAD_SECRET
        self._note(protocol, external_id, address, code)
        raise AccessError(code, protocol=protocol.value, external_id=external_id)

    def _is_proved(self, named: _Named, secret: str | None) -> bool:
        assert named.tracker is not None
        if named.secret_hash is None:
            return True
        if secret and hmac.compare_digest(named.secret_hash, hash_token(secret)):
            return True
        voucher = self.by_secret(secret)
        return (
            voucher is not None
            and voucher.is_gateway
            and voucher.protocol is named.tracker.protocol
            and voucher.region_id == named.tracker.region_id
        )

    def _of_secret(self, session: Session, hashed: str) -> _Named:
        tracker = tracker_store.tracker_of_secret(session, hashed)
        if tracker is None:
            device = devices_store.device_of(session, hashed)
            if device is not None and device.vehicle_id is not None:
                tracker = self._of_device(session, device)
        return _Named(tracker, hashed)

    def _of_device(self, session: Session, device: Device) -> Tracker | None:
        """The tracker that stands for a paired tablet on the vehicle that it rides on."""
        name = DeviceId(device.device_id)
        known = tracker_store.tracker_of(session, Protocol.BOOKMOBILE, name)
        if known is not None and known[0].vehicle_id == device.vehicle_id:
            return known[0]
        now = self._clock()
        added = Tracker(
            tracker_id=TrackerId(uuid.uuid4().hex),
            region_id=device.region_id,
            vehicle_id=VehicleId(str(device.vehicle_id)),
            protocol=Protocol.BOOKMOBILE,
            external_id=name,
            name=device.name,
            created_at=now,
        )
        try:
            with writing(self._engine) as own:
                if known is not None:
                    # It rides on another vehicle now: the tracks of before stay with the other.
                    tracker_store.close_tracker(own, known[0].tracker_id, now)
                return tracker_store.add_tracker(own, added, None)
        except ConflictError:
            # Another process was the first.
            with reading(self._engine) as own:
                again = tracker_store.tracker_of(own, Protocol.BOOKMOBILE, name)
            return None if again is None else again[0]

    def _get(self, kind: str, name: str, find: Callable[[Session], _Named]) -> _Named:
        key = kind, name
        with self._lock:
            held = self._held.get(key)
        if held is not None and held[0] > time.monotonic():
            return held[1]
        with reading(self._engine) as session:
            found = find(session)
        with self._lock:
            self._held[key] = time.monotonic() + _KNOWN_FOR_S, found
            self._held.move_to_end(key)
            while len(self._held) > _MOST_KNOWN:
                self._held.popitem(last=False)
        return found

    def _note(self, protocol: Protocol, external_id: DeviceId, address: str, code: str) -> None:
        """Remember who was refused; written now and then, however often somebody knocks."""
        now, key = self._clock(), (protocol, external_id)
        with self._lock:
            known = self._unknown.get(key)
            if known is None and len(self._unknown) >= _MOST_NOTED:
                return
            first = UnknownDevice(
                protocol=protocol,
                external_id=external_id,
                address=address[:64],
                code=code,
                first_at=now,
                last_at=now,
                num_messages=1,
            )
            if known is not None:
                first = replace(first, first_at=known.first_at, num_messages=known.num_messages + 1)
            self._unknown[key] = first
            if time.monotonic() - self._noted_s < _NOTE_EVERY_S:
                return
            self._noted_s = time.monotonic()
        self.write_notes()

    def write_notes(self) -> None:
        """Store who was refused since the last time."""
        with self._lock:
            noted, self._unknown = self._unknown, {}
        if not noted:
            return
        with writing(self._engine) as session:
            for device in noted.values():
                tracker_store.note_unknown(session, device)


def _named(session: Session, protocol: Protocol, external_id: DeviceId) -> _Named:
    found = tracker_store.tracker_of(session, protocol, external_id)
    return _Named(None, None) if found is None else _Named(*found)

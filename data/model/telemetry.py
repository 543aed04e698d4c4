"""Positions of vehicles: what a device said, what became of it, and the stops seen in it.

A fix is kept as its device sent it, in metres and seconds, aware UTC. It never loses its time of
observation: ``fix_at`` is when the position was true, ``device_at`` what the device's own clock
said, ``received_at`` when it came in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from math import isfinite
from types import MappingProxyType
from typing import NewType

from data.model.fleet import VehicleId
from data.model.geo import check_position, distance_m
from data.model.units import FULL_TURN_DEG

DeviceId = NewType("DeviceId", str)

DEVICE_ID_MAX = 100
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
"""A time outside is no time of a fix: a clock never set, or nonsense."""
MOST_SEQUENCE = 2**53 - 1
"""The largest sequence that every JSON reader keeps exact."""

type Plain = str | float | bool
NOTHING: Mapping[str, Plain] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One observation of a position.

    ``None`` is not known. ``sequence`` numbers the fixes of a device that counts them; with it, or
    else with ``fix_at``, a fix is known again when it comes twice.
    """

    device_id: DeviceId
    fix_at: datetime
    lon: float
    lat: float
    sequence: int | None = None
    received_at: datetime | None = None
    device_at: datetime | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    """Course over ground, degrees from true north, in [0, 360)."""
    accuracy_m: float | None = None
    """Horizontal; receivers differ on the share of fixes that it holds (68 or 95 %)."""
    altitude_m: float | None = None
    satellites: int | None = None
    hdop: float | None = None
    odometer_m: float | None = None
    battery_ratio: float | None = None
    is_valid: bool = True
    """False where the device itself says that it has no fix."""
    extra: Mapping[str, Plain] = field(default=NOTHING, compare=False)
    """What else the device said, under its own names."""

    def __post_init__(self) -> None:
        check_position(self.lon, self.lat)
        for instant in (self.fix_at, self.received_at, self.device_at):
            if instant is not None and instant.tzinfo is None:
                raise ValueError(f"fix of {self.device_id}: time {instant} has no zone")
        if self.speed_mps is not None and not 0 <= self.speed_mps < float("inf"):
            raise ValueError(f"fix of {self.device_id}: speed {self.speed_mps} m/s")
        if self.course_deg is not None and not 0 <= self.course_deg < FULL_TURN_DEG:
            raise ValueError(f"fix of {self.device_id}: course {self.course_deg}")
        if self.sequence is not None and not 0 <= self.sequence <= MOST_SEQUENCE:
            raise ValueError(f"fix of {self.device_id}: sequence {self.sequence}")

    @property
    def key(self) -> int | datetime:
        """By what a fix of its device is known again."""
        return self.fix_at if self.sequence is None else self.sequence

    @property
    def delay(self) -> timedelta | None:
        """How long after its time it came in."""
        return None if self.received_at is None else self.received_at - self.fix_at


class Verdict(StrEnum):
    """What became of a fix; every one but the first two is a reason for leaving it out."""

    ACCEPTED = "accepted"
    PARKED = "parked"
    """Noise of a receiver that stands: it proves presence and adds no way."""
    NO_FIX = "no_fix"
    """The device itself says that the position is not valid."""
    ZERO_ISLAND = "zero_island"
    """0° N 0° E: a receiver that knows nothing says this."""
    FUTURE = "future"
    """Later than its arrival here: the device's clock is wrong."""
    TOO_OLD = "too_old"
    """Older than anything that is kept: a receiver whose week count rolled over."""
    INACCURATE = "inaccurate"
    DUPLICATE = "duplicate"
    IMPOSSIBLE_SPEED = "impossible_speed"
    SPIKE = "spike"
    """Far from where the vehicle stands, once, and back there with the next fix."""

    @property
    def is_presence(self) -> bool:
        """Whether the fix tells where the vehicle was."""
        return self in (Verdict.ACCEPTED, Verdict.PARKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedFix:
    """A fix with its verdict; a rejected one keeps its reason."""

    fix: Fix
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A vehicle's fixes in order of time, with what became of each."""

    vehicle_id: VehicleId
    judged: tuple[JudgedFix, ...]

    def __post_init__(self) -> None:
        times = [j.fix.fix_at for j in self.judged]
        if any(b < a for a, b in pairwise(times)):
            raise ValueError(f"track of {self.vehicle_id}: fixes out of order")

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """The fixes that tell where the vehicle was."""
        return tuple(j.fix for j in self.judged if j.verdict.is_presence)

    @property
    def length_m(self) -> float:
        """Way driven: from fix to fix, those of a parked vehicle left out."""
        line = [j.fix for j in self.judged if j.verdict is Verdict.ACCEPTED]
        return sum(distance_m(a.lon, a.lat, b.lon, b.lat) for a, b in pairwise(line))

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many fixes of each verdict."""
        found: dict[Verdict, int] = {}
        for judged in self.judged:
            found[judged.verdict] = found.get(judged.verdict, 0) + 1
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedStop:
    """A vehicle that stood long enough at one place, seen in its fixes.

    ``place_id`` is ``None`` where no known place is near. ``departed_at`` is ``None`` while it
    stands there. The true arrival lies within ``arrival_doubt_s`` of ``arrived_at`` and is not
    known at all (``is_arrival_seen`` false) where the track begins with the vehicle standing; the
    same of the departure.
    """

    place_id: str | None
    lon: float
    lat: float
    arrived_at: datetime
    departed_at: datetime | None = None
    last_seen_at: datetime
    """The last fix that shows the vehicle there."""
    arrival_doubt_s: float = 0.0
    departure_doubt_s: float = 0.0
    is_arrival_seen: bool = True
    is_departure_seen: bool = True

    def __post_init__(self) -> None:
        check_position(self.lon, self.lat)
        if self.departed_at is not None and self.departed_at < self.arrived_at:
            raise ValueError(f"stop at {self.place_id}: departed before it arrived")

    @property
    def is_over(self) -> bool:
        return self.departed_at is not None

    @property
    def dwell_s(self) -> float:
        """How long it stood there, as far as is known."""
        return ((self.departed_at or self.last_seen_at) - self.arrived_at).total_seconds()


class SignalKind(StrEnum):
    """What a device or a tracking server tells besides positions."""

    ONLINE = "online"
    OFFLINE = "offline"
    ENTER = "enter"
    LEAVE = "leave"
    MOVING = "moving"
    STOPPED = "stopped"
    IGNITION_ON = "ignition_on"
    IGNITION_OFF = "ignition_off"
    ALARM = "alarm"
    DRIVER = "driver"
    MESSAGE = "message"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Something that a device said besides its position; a hint to a person, never proof."""

    device_id: DeviceId
    kind: SignalKind
    at: datetime | None = None
    told: str = ""
    """Name of the area, of the alarm, of the driver, as the device had it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a message, or one position in it, was not taken: a code with its facts."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)


EMPTY = "empty"


class RefusedError(Exception):
    """Raised inside a decoder; what comes out of it is the ``Refusal``."""

    def __init__(self, code: str, **facts: object) -> None:
        self.refusal = Refusal(code=code, facts=facts)
        super().__init__(code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What one message held. Nothing in it is dropped unseen.

    ``ignored`` names what was understood and is of no use (a card, a step counter, a line without
    a position; ``empty``: a list with nothing in it).
    """

    device_id: DeviceId | None = None
    fixes: tuple[Fix, ...] = ()
    signals: tuple[Signal, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    ignored: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.fixes or self.signals or self.refusals or self.ignored):
            object.__setattr__(self, "ignored", (EMPTY,))

    @property
    def is_refused(self) -> bool:
        """Whether nothing of the message could be taken."""
        return bool(self.refusals) and not (self.fixes or self.signals or self.ignored)


def device_id_of(value: object) -> DeviceId:
    """A device's name as a device said it.

    Raises
    ------
    RefusedError
        ``refusal.no_device``, ``refusal.bad_device``.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**DEVICE_ID_MAX else "9" * (DEVICE_ID_MAX + 1)
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        raise RefusedError("refusal.no_device")
    if len(text) > DEVICE_ID_MAX or not text.isprintable():
        raise RefusedError("refusal.bad_device", value=shown(text), most=DEVICE_ID_MAX)
    return DeviceId(text)


def shown(value: object, most: int = 40) -> str:
    """A value of somebody else as it can be shown and stored: printable, short."""
    text = value[: 2 * most] if isinstance(value, str) else repr(value)[: 2 * most]
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text if len(text) <= most else text[: most - 1] + "…"


def check_instant(at: datetime, *, value: object) -> datetime:
    """The instant, if a fix can be of then.

    Raises
    ------
    RefusedError
        ``refusal.bad_time``.
    """
    if not EARLIEST <= at < LATEST:
        raise RefusedError("refusal.bad_time", value=shown(value))
    return at


def positive(value: float | None) -> float | None:
    """A figure that means something only above zero (an accuracy); else not known."""
    return value if value is not None and isfinite(value) and value > 0 else None


def not_negative(value: float | None) -> float | None:
    """A figure of which devices say -1 for not known (speed, charge)."""
    return value if value is not None and isfinite(value) and value >= 0 else None


def course(value: float | None) -> float | None:
    """A course in [0, 360); 360 is north, anything else outside is not known."""
    if value is None or not isfinite(value) or not 0 <= value <= FULL_TURN_DEG:
        return None
    return value % FULL_TURN_DEG

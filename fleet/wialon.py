"""Wialon IPS, versions 1.1 and 2.0: text packets of Russian trackers over TCP.

A line is ``#TYPE#body`` with a CRC-16/ARC of the body in version 2.0. Speeds are km/h, positions
degrees and minutes, times UTC, ``NA`` is not known. Every packet is answered; a tracker keeps what
was not answered well and sends it again.

References
----------
Wialon IPS communication protocol 2.0 (Gurtam).
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import IntEnum

from data.feeds.device_values import MOST_FIXES, extra_of, make_fix, number, text_of, whole
from data.model.telemetry import (
    Decoded,
    DeviceId,
    Fix,
    Refusal,
    RefusedError,
    check_instant,
    device_id_of,
    shown,
)
from data.model.units import degrees_minutes_to_deg, kmh_to_mps

LINE_MAX = 256 * 1024
"""Longest line that is read; a black box of 5,000 short positions fits."""
END = b"\r\n"
UNKNOWN = "NA"
_SHORT_FIELDS, _FULL_FIELDS = 10, 16
_LEAST_SATELLITES = 3


class Answer(IntEnum):
    """Codes that the protocol answers a position with."""

    STRUCTURE = -1
    TIME = 0
    TAKEN = 1
    COORDINATES = 10
    SPEED = 11
    SATELLITES = 12
    CHECKSUM_SHORT = 13
    CHECKSUM_FULL = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who a tracker says it is; the service decides and answers by ``login_answer``."""

    device_id: DeviceId
    password: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What is known of one connection. ``device_id`` is ``None`` before the sign-on."""

    device_id: DeviceId | None = None
    has_crc: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One line: what it held, what to answer (nothing of a login), the session after it."""

    decoded: Decoded
    session: Session
    answer: bytes = b""
    login: Login | None = None


def crc16(body: bytes) -> int:
    """CRC-16/ARC (polynomial 0x8005, reflected, from 0).

    >>> f"{crc16(b'123456789'):04X}"
    'BB3D'
    """
    crc = 0
    for byte in body:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def encode_packet(kind: str, body: str) -> bytes:
    """A packet of version 2.0; ``body`` ends with the separator that the checksum covers."""
    raw = body.encode()
    return f"#{kind}#".encode() + raw + f"{crc16(raw):04X}".encode() + END


def login_answer(*, is_known: bool, is_password_right: bool = True) -> bytes:
    """The answer to a sign-on."""
    if not is_known:
        return b"#AL#0" + END
    return (b"#AL#1" if is_password_right else b"#AL#01") + END


def split_lines(buffer: bytes) -> tuple[list[bytes], bytes]:
    """The whole lines of what came in and what is left over.

    Raises
    ------
    RefusedError
        ``refusal.too_long`` where a line does not end: the connection is to be closed.
    """
    *lines, rest = buffer.split(b"\n")
    if len(rest) > LINE_MAX or any(len(line) > LINE_MAX for line in lines):
        longest = max(len(part) for part in (*lines, rest))
        raise RefusedError("refusal.too_long", found=longest, most=LINE_MAX)
    return [line.rstrip(b"\r") for line in lines if line.strip()], rest


def decode(line: bytes | str, session: Session, *, received_at: datetime | None = None) -> Packet:
    """What one line of a session holds.

    A login sets the session's device; whether it is a known one is for the caller to say.
    """
    try:
        kind, body = _parted(line)
        if kind == "L":
            return _login(body)
        if session.device_id is None:
            raise RefusedError("refusal.no_login", value=shown(kind))
        if kind == "P":
            return _packet(session, Decoded(device_id=session.device_id, ignored=("P",)), "#AP#")
        if kind in ("D", "SD"):
            return _position(kind, body, session, session.device_id, received_at)
        if kind == "B":
            return _black_box(body, session, session.device_id, received_at)
        if kind == "M":
            return _packet(session, Decoded(device_id=session.device_id, ignored=("M",)), "#AM#1")
        raise RefusedError("refusal.unknown_kind", value=shown(kind))
    except RefusedError as wrong:
        decoded = Decoded(device_id=session.device_id, refusals=(wrong.refusal,))
        return Packet(decoded=decoded, session=session)


def _packet(session: Session, decoded: Decoded, answer: str) -> Packet:
    return Packet(decoded=decoded, session=session, answer=answer.encode() + END)


def _parted(line: bytes | str) -> tuple[str, str]:
    text = text_of(line, most_bytes=LINE_MAX).strip("\r\n")
    parts = text.split("#", 2)
    if len(parts) != 3 or parts[0] or not parts[1]:
        raise RefusedError("refusal.not_wialon", value=shown(text))
    return parts[1], parts[2]


def _without_crc(body: str, separator: str) -> str:
    """The body before its checksum, which must be right.

    Raises
    ------
    RefusedError
        ``refusal.checksum``.
    """
    head, found, crc = body.rpartition(separator)
    expected = f"{crc16((head + found).encode()):04X}"
    if not found or crc.upper().zfill(4) != expected:
        raise RefusedError("refusal.checksum", found=shown(crc), expected=expected)
    return head


def _login(body: str) -> Packet:
    fields = body.split(";")
    is_second = fields[0] == "2.0"
    try:
        if is_second:
            fields = _without_crc(body, ";").split(";")[1:]
    except RefusedError as wrong:
        decoded = Decoded(refusals=(wrong.refusal,))
        return Packet(decoded=decoded, session=Session(), answer=b"#AL#10" + END)
    try:
        device_id = device_id_of(fields[0] if fields else "")
    except RefusedError as wrong:
        decoded = Decoded(refusals=(wrong.refusal,))
        return Packet(decoded=decoded, session=Session(), answer=b"#AL#0" + END)
    password = fields[1] if len(fields) > 1 and fields[1] != UNKNOWN else ""
    return Packet(
        decoded=Decoded(device_id=device_id, ignored=("L",)),
        session=Session(device_id=device_id, has_crc=is_second),
        login=Login(device_id=device_id, password=password),
    )


def _position(
    kind: str, body: str, session: Session, device_id: DeviceId, received_at: datetime | None
) -> Packet:
    try:
        if session.has_crc:
            body = _without_crc(body, ";")
    except RefusedError as wrong:
        code = Answer.CHECKSUM_FULL if kind == "D" else Answer.CHECKSUM_SHORT
        decoded = Decoded(device_id=device_id, refusals=(wrong.refusal,))
        return _packet(session, decoded, f"#A{kind}#{code}")
    fields = body.split(";")
    most = _FULL_FIELDS if kind == "D" else _SHORT_FIELDS
    found = _taken(fields, device_id, received_at, least=_SHORT_FIELDS, most=most)
    return _packet(session, found.decoded, f"#A{kind}#{found.answer}")


def _black_box(
    body: str, session: Session, device_id: DeviceId, received_at: datetime | None
) -> Packet:
    try:
        if session.has_crc:
            body = _without_crc(body, "|")
        parts = [part for part in body.split("|") if part]
        if len(parts) > MOST_FIXES:
            raise RefusedError("refusal.too_many", found=len(parts), most=MOST_FIXES)
    except RefusedError as wrong:
        decoded = Decoded(device_id=device_id, refusals=(wrong.refusal,))
        return _packet(session, decoded, "#AB#0" if wrong.refusal.code.endswith("many") else "#AB#")
    fixes: list[Fix] = []
    refusals: list[Refusal] = []
    ignored: list[str] = []
    for index, part in enumerate(parts):
        found = _taken(
            part.split(";"), device_id, received_at, least=_SHORT_FIELDS, most=_FULL_FIELDS
        )
        fixes += found.decoded.fixes
        ignored += found.decoded.ignored
        refusals += (replace(r, facts={**r.facts, "index": index}) for r in found.decoded.refusals)
    decoded = Decoded(
        device_id=device_id,
        fixes=tuple(fixes),
        refusals=tuple(refusals),
        ignored=tuple(ignored),
    )
    return _packet(session, decoded, f"#AB#{len(parts)}")


@dataclass(frozen=True, slots=True)
class _Taken:
    decoded: Decoded
    answer: int


def _taken(
    fields: list[str],
    device_id: DeviceId,
    received_at: datetime | None,
    *,
    least: int,
    most: int,
) -> _Taken:
    """One position with the code to answer it by."""
    code = Answer.STRUCTURE
    try:
        # The last field of a full packet ends with a separator in some trackers.
        while len(fields) > least and fields[-1] == "":
            fields = fields[:-1]
        if not least <= len(fields) <= most:
            raise RefusedError("refusal.fields", found=len(fields), least=least, most=most)
        code = Answer.TIME
        fix_at = _instant(fields[0], fields[1])
        code = Answer.COORDINATES
        if UNKNOWN in fields[2:6]:
            decoded = Decoded(device_id=device_id, ignored=("no_position",))
            return _Taken(decoded, Answer.TAKEN)
        lat, lon = _degrees(fields[2], fields[3], "NS"), _degrees(fields[4], fields[5], "EW")
        fix = _fix(fields, device_id, fix_at or received_at, lon, lat, received_at)
        return _Taken(Decoded(device_id=device_id, fixes=(fix,)), Answer.TAKEN)
    except RefusedError as wrong:
        return _Taken(Decoded(device_id=device_id, refusals=(wrong.refusal,)), code)


def _fix(
    fields: list[str],
    device_id: DeviceId,
    fix_at: datetime | None,
    lon: float,
    lat: float,
    received_at: datetime | None,
) -> Fix:
    if fix_at is None:
        raise RefusedError("refusal.missing", field="time")
    speed_kmh, satellites = number(fields[6]), whole(fields[9])
    full = len(fields) > _SHORT_FIELDS
    params = _params(fields[15]) if len(fields) > 15 else {}
    return make_fix(
        device_id,
        fix_at=fix_at,
        lon=lon,
        lat=lat,
        received_at=received_at,
        speed_mps=None if speed_kmh is None else kmh_to_mps(speed_kmh),
        course_deg=number(fields[7]),
        altitude_m=number(fields[8]),
        satellites=satellites,
        hdop=number(fields[10]) if full else None,
        is_valid=satellites is None or satellites >= _LEAST_SATELLITES,
        extra=extra_of(params, known=frozenset()),
    )


def _instant(day: str, clock: str) -> datetime | None:
    """``DDMMYY`` and ``HHMMSS``; ``None`` where the tracker does not know the time."""
    if UNKNOWN in (day, clock) or not (day or clock):
        return None
    raw = f"{day} {clock}"
    digits = day + clock.partition(".")[0]
    if not (len(digits) == 12 and digits.isascii() and digits.isdigit()):
        raise RefusedError("refusal.bad_time", value=shown(raw))
    try:
        at = datetime.strptime(digits, "%d%m%y%H%M%S").replace(tzinfo=UTC)
    except ValueError as wrong:
        raise RefusedError("refusal.bad_time", value=shown(raw)) from wrong
    return check_instant(at, value=raw)


def _degrees(text: str, letter: str, letters: str) -> float:
    try:
        degrees = degrees_minutes_to_deg(text)
    except ValueError as wrong:
        raise RefusedError("refusal.bad_degrees", value=shown(text)) from wrong
    if letter not in letters or not letter:
        raise RefusedError("refusal.bad_degrees", value=shown(f"{text};{letter}"))
    return -degrees if letter == letters[1] else degrees


def _params(text: str) -> dict[str, str | float]:
    """``name:type:value`` of the last field."""
    found: dict[str, str | float] = {}
    for part in text.split(","):
        name, _, rest = part.partition(":")
        kind, _, value = rest.partition(":")
        if name and kind in ("1", "2", "3") and value:
            plain = number(value) if kind != "3" else None
            found[name] = value if plain is None else plain
    return found

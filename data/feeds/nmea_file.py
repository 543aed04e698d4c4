"""NMEA 0183 logs of receivers as fixes: RMC with what GGA, GSA and VTG add to it.

Sentences of one moment are one fix. A sentence whose checksum is wrong is refused; one that tells
of something else (satellites in view, wind, depth) is passed over. Where no RMC comes, ZDA or the
caller gives the date.

References
----------
NMEA 0183; gpsd, "NMEA Revealed".
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from data.feeds.device_values import make_fix, number, refusal_of, whole
from data.feeds.tables import check_file
from data.model.telemetry import (
    EARLIEST,
    Decoded,
    DeviceId,
    Fix,
    Refusal,
    RefusedError,
    check_instant,
    shown,
)
from data.model.units import degrees_minutes_to_deg, kmh_to_mps, knots_to_mps

LINE_MAX = 1024
"""Standard sentences have 82 characters, some receivers write longer ones."""
_USED = frozenset({"RMC", "GGA", "GNS", "GSA", "VTG", "ZDA"})
_CENTURY_FROM = 80
_HALF_DAY_S = 43_200


@dataclass(slots=True)
class _Moment:
    """What the sentences of one time of day say together."""

    clock: time | None = None
    on: date | None = None
    lon: float | None = None
    lat: float | None = None
    is_valid: bool = True
    speed_mps: float | None = None
    course_deg: float | None = None
    altitude_m: float | None = None
    satellites: int | None = None
    hdop: float | None = None

    def is_empty(self) -> bool:
        return self.lon is None or self.clock is None


@dataclass(slots=True)
class NmeaReader:
    """Puts sentences, in the order of their coming, together to fixes.

    Parameters
    ----------
    on
        Date of the first fix for logs that name none.
    """

    device_id: DeviceId
    on: date | None = None
    _moment: _Moment = field(default_factory=_Moment)
    _last_clock: time | None = None

    def read(self, line: str) -> Decoded:
        """A sentence; the fix of the moment before is given once a new moment begins."""
        try:
            fields = sentence_fields(line)
            if fields is None:
                return Decoded(device_id=self.device_id)
            return self._take(fields)
        except RefusedError as wrong:
            return Decoded(device_id=self.device_id, refusals=(wrong.refusal,))

    def end(self) -> Decoded:
        """The fix of the last moment."""
        moment, self._moment = self._moment, _Moment()
        if moment.is_empty():
            return Decoded(device_id=self.device_id)
        try:
            return Decoded(device_id=self.device_id, fixes=(self._fix(moment),))
        except RefusedError as wrong:
            return Decoded(device_id=self.device_id, refusals=(wrong.refusal,))

    def _take(self, fields: list[str]) -> Decoded:
        kind = fields[0][-3:]
        if kind not in _USED:
            return Decoded(device_id=self.device_id, ignored=(kind,))
        done = Decoded(device_id=self.device_id)
        if kind in ("RMC", "GGA", "GNS"):
            clock = _clock(_at(fields, 1))
            if clock is not None and clock != self._moment.clock:
                done = self.end()
                self._moment.clock = clock
        if kind == "RMC":
            self._rmc(fields)
        elif kind == "GGA":
            self._gga(fields)
        elif kind == "GNS":
            self._gns(fields)
        elif kind == "GSA":
            self._moment.hdop = number(_at(fields, 16)) or self._moment.hdop
        elif kind == "VTG":
            self._vtg(fields)
        else:
            self._zda(fields)
        return done

    def _rmc(self, fields: list[str]) -> None:
        moment = self._moment
        moment.on = _date(_at(fields, 9)) or moment.on
        if _at(fields, 2) != "A" or _at(fields, 12) == "N":
            moment.is_valid = False
        self._position(fields, 3)
        knots = number(_at(fields, 7))
        if knots is not None:
            moment.speed_mps = knots_to_mps(knots)
        moment.course_deg = number(_at(fields, 8))

    def _gga(self, fields: list[str]) -> None:
        quality = whole(_at(fields, 6))
        if quality == 0:
            self._moment.is_valid = False
        self._position(fields, 2)
        self._heights(fields, satellites=7, hdop=8, altitude=9)

    def _gns(self, fields: list[str]) -> None:
        if set(_at(fields, 6)) <= {"N"}:
            self._moment.is_valid = False
        self._position(fields, 2)
        self._heights(fields, satellites=7, hdop=8, altitude=9)

    def _heights(self, fields: list[str], *, satellites: int, hdop: int, altitude: int) -> None:
        moment = self._moment
        used = whole(_at(fields, satellites))
        if used is not None:
            # Receivers of several systems send one sentence for each, with counts of its own.
            moment.satellites = max(used, moment.satellites or 0)
        dilution = number(_at(fields, hdop))
        moment.hdop = moment.hdop if dilution is None else dilution
        height = number(_at(fields, altitude))
        moment.altitude_m = moment.altitude_m if height is None else height

    def _vtg(self, fields: list[str]) -> None:
        kmh, knots = number(_at(fields, 7)), number(_at(fields, 5))
        if self._moment.speed_mps is None and knots is not None:
            self._moment.speed_mps = knots_to_mps(knots)
        elif self._moment.speed_mps is None and kmh is not None:
            self._moment.speed_mps = kmh_to_mps(kmh)
        if self._moment.course_deg is None:
            self._moment.course_deg = number(_at(fields, 1))

    def _zda(self, fields: list[str]) -> None:
        day, month, year = (whole(_at(fields, i)) for i in (2, 3, 4))
        if day and month and year and self._moment.on is None:
            try:
                self._moment.on = date(year, month, day)
            except ValueError:
                raise RefusedError("refusal.bad_time", value=",".join(fields[2:5])) from None

    def _position(self, fields: list[str], first: int) -> None:
        cells = [_at(fields, first + i) for i in range(4)]
        if not all(cells):
            return
        lat = _degrees(cells[0], cells[1], "NS")
        lon = _degrees(cells[2], cells[3], "EW")
        self._moment.lon, self._moment.lat = lon, lat

    def _fix(self, moment: _Moment) -> Fix:
        assert moment.clock is not None and moment.lon is not None and moment.lat is not None
        at = self._instant(moment.clock, moment.on)
        return make_fix(
            self.device_id,
            fix_at=at,
            lon=moment.lon,
            lat=moment.lat,
            speed_mps=moment.speed_mps,
            course_deg=moment.course_deg,
            altitude_m=moment.altitude_m,
            satellites=moment.satellites,
            hdop=moment.hdop,
            is_valid=moment.is_valid,
        )

    def _instant(self, clock: time, on: date | None) -> datetime:
        """The instant; without a date of its own, the day after where the clock went back."""
        if on is not None:
            self.on = on
        elif self.on is not None and self._last_clock is not None:
            back_s = _seconds(self._last_clock) - _seconds(clock)
            if back_s > _HALF_DAY_S:
                self.on += timedelta(days=1)
        if self.on is None:
            raise RefusedError("refusal.no_date", value=clock.isoformat())
        self._last_clock = clock
        return check_instant(datetime.combine(self.on, clock, UTC), value=self.on)


def read_nmea(
    path: Path, device_id: DeviceId, *, on: date | None = None
) -> tuple[tuple[Fix, ...], tuple[Refusal, ...]]:
    """The fixes of a log in its order, and what was refused with its line.

    Raises
    ------
    InputError
        ``feeds.file.*`` where the file is missing or empty.
    """
    check_file(path)
    with path.open(encoding="latin-1") as lines:
        return fixes_of_lines(lines, device_id, on=on)


def fixes_of_lines(
    lines: Iterable[str], device_id: DeviceId, *, on: date | None = None
) -> tuple[tuple[Fix, ...], tuple[Refusal, ...]]:
    """The fixes of lines of a log, and what was refused with its line from 1."""
    reader = NmeaReader(device_id, on=on)
    fixes: list[Fix] = []
    refusals: list[Refusal] = []
    row = 0
    for row, line in enumerate(lines, start=1):
        found = reader.read(line)
        fixes += found.fixes
        refusals += (_placed(refusal, row) for refusal in found.refusals)
    last = reader.end()
    refusals += (_placed(refusal, row) for refusal in last.refusals)
    return (*fixes, *last.fixes), tuple(refusals)


def _placed(refusal: Refusal, row: int) -> Refusal:
    return refusal_of(RefusedError(refusal.code, **refusal.facts), row=row)


def sentence_fields(line: str) -> list[str] | None:
    """The fields of a sentence, the address first; ``None`` for a line that is none.

    A tag block before the sentence is passed over; without a checksum it is taken as it is.

    Raises
    ------
    RefusedError
        ``refusal.too_long``, ``refusal.checksum``.
    """
    if len(line) > LINE_MAX:
        raise RefusedError("refusal.too_long", found=len(line), most=LINE_MAX)
    text = line.strip()
    if text.startswith("\\"):
        text = text.rpartition("\\")[2]
    if not text.startswith("$"):
        return None
    body, star, told = text[1:].partition("*")
    if star:
        expected = checksum(body)
        if told[:2].upper() != expected:
            raise RefusedError("refusal.checksum", found=shown(told[:2]), expected=expected)
    return body.split(",")


def checksum(body: str) -> str:
    """The checksum of a sentence between ``$`` and ``*``: two hexadecimal digits.

    >>> checksum("GPRMC,094737,A,5251.0093,N,00518.8170,E,5.6,230.5,200818,1.4,E,A")
    '1F'
    """
    total = 0
    for byte in body.encode("latin-1", "replace"):
        total ^= byte
    return f"{total:02X}"


def _at(fields: list[str], index: int) -> str:
    return fields[index].strip() if index < len(fields) else ""


def _clock(text: str) -> time | None:
    if not text:
        return None
    whole_part, _, fraction = text.partition(".")
    digits = whole_part + (fraction + "000000")[:6]
    if not (len(digits) == 12 and digits.isascii() and digits.isdigit()):
        raise RefusedError("refusal.bad_time", value=shown(text))
    try:
        return time(int(digits[:2]), int(digits[2:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError as wrong:
        raise RefusedError("refusal.bad_time", value=shown(text)) from wrong


def _date(text: str) -> date | None:
    if not text:
        return None
    if not (len(text) == 6 and text.isascii() and text.isdigit()):
        raise RefusedError("refusal.bad_time", value=shown(text))
    year = int(text[4:])
    century = 1900 if year >= _CENTURY_FROM else EARLIEST.year
    try:
        return date(century + year, int(text[2:4]), int(text[:2]))
    except ValueError as wrong:
        raise RefusedError("refusal.bad_time", value=shown(text)) from wrong


def _seconds(clock: time) -> int:
    return clock.hour * 3600 + clock.minute * 60 + clock.second


def _degrees(text: str, letter: str, letters: str) -> float:
    try:
        degrees = degrees_minutes_to_deg(text)
    except ValueError as wrong:
        raise RefusedError("refusal.bad_degrees", value=shown(text)) from wrong
    if len(letter) != 1 or letter not in letters:
        raise RefusedError("refusal.bad_degrees", value=shown(f"{text},{letter}"))
    return -degrees if letter == letters[1] else degrees

"""Lines of gpsd: TPV, SKY and POLL as fixes.

Speeds are metres a second already. ``alt`` is deprecated and comes in some packets only; the
height above mean sea level is taken where it is told.

References
----------
gpsd_json(5).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import hypot
from typing import Any

from data.feeds.device_values import (
    Object,
    instant,
    json_of,
    make_fix,
    needed,
    number,
    object_of,
    refusal_of,
    whole,
)
from data.model.telemetry import Decoded, DeviceId, Fix, RefusedError

LINE_MAX = 10_240
"""gpsd's own limit on a line of JSON (GPS_JSON_RESPONSE_MAX)."""
MODE_2D = 2
_CLASSES = frozenset(
    {"VERSION", "WATCH", "DEVICES", "DEVICE", "GST", "ATT", "IMU", "TOFF", "PPS", "OSC", "RTCM2"}
    | {"RTCM3", "AIS", "RAW", "ERROR", "SUBFRAME"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """The satellites of a receiver: how many are used, and the dilution of the position."""

    used: int | None = None
    hdop: float | None = None


@dataclass(slots=True)
class GpsdReader:
    """Decodes lines of one gpsd in the order of their coming; knows each receiver's satellites.

    Parameters
    ----------
    device_id
        Whose fixes they are; with several receivers ``receiver`` picks one by its path.
    """

    device_id: DeviceId
    receiver: str | None = None
    _sky: dict[str, Sky] = field(default_factory=dict)

    def decode(self, line: bytes | str, *, received_at: datetime | None = None) -> Decoded:
        """What a line holds: fixes, or the name of what was ignored, or why it was refused."""
        try:
            packet = object_of(json_of(line), what="line")
            return self._decoded(packet, received_at)
        except RefusedError as wrong:
            return Decoded(device_id=self.device_id, refusals=(wrong.refusal,))

    def _decoded(self, packet: Object, received_at: datetime | None) -> Decoded:
        kind = packet.get("class")
        if kind == "POLL":
            return self._poll(packet, received_at)
        if kind == "SKY":
            self._learn(packet)
            return Decoded(device_id=self.device_id, ignored=("SKY",))
        if kind == "TPV":
            return self._fixes([packet], received_at)
        if isinstance(kind, str) and kind in _CLASSES:
            return Decoded(device_id=self.device_id, ignored=(kind,))
        raise RefusedError("refusal.unknown_kind", value=str(kind)[:40])

    def _poll(self, packet: Object, received_at: datetime | None) -> Decoded:
        for sky in _objects(packet.get("sky")):
            self._learn(sky)
        return self._fixes(_objects(packet.get("tpv")), received_at)

    def _learn(self, sky: Object) -> None:
        satellites = _objects(sky.get("satellites"))
        used = whole(sky.get("uSat"))
        if used is None and satellites:
            used = sum(s.get("used") is True for s in satellites)
        known = self._sky.get(_path(sky), Sky())
        hdop = number(sky.get("hdop"))
        # A position with no satellite used is one whose satellites have not been told yet.
        self._sky[_path(sky)] = Sky(
            used=used or known.used, hdop=known.hdop if hdop is None else hdop
        )

    def _fixes(self, reports: list[Object], received_at: datetime | None) -> Decoded:
        fixes, refusals, ignored = [], [], []
        for report in reports:
            if self.receiver is not None and _path(report) != self.receiver:
                continue
            if not _has_fix(report):
                ignored.append("no_fix")
                continue
            try:
                fixes.append(self._fix(report, received_at))
            except RefusedError as wrong:
                refusals.append(refusal_of(wrong))
        return Decoded(
            device_id=self.device_id,
            fixes=tuple(fixes),
            refusals=tuple(refusals),
            ignored=tuple(ignored),
        )

    def _fix(self, report: Object, received_at: datetime | None) -> Fix:
        sky = self._sky.get(_path(report), Sky())
        return make_fix(
            self.device_id,
            fix_at=instant(report.get("time"), name="time"),
            lon=needed(report.get("lon"), name="lon"),
            lat=needed(report.get("lat"), name="lat"),
            received_at=received_at,
            speed_mps=number(report.get("speed")),
            course_deg=number(report.get("track")),
            accuracy_m=_accuracy_m(report),
            altitude_m=_altitude_m(report),
            satellites=sky.used,
            hdop=sky.hdop,
        )


def _objects(value: Any) -> list[Object]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _path(packet: Object) -> str:
    path = packet.get("device")
    return path if isinstance(path, str) else ""


def _has_fix(report: Mapping[str, Any]) -> bool:
    mode = number(report.get("mode"))
    return mode is not None and mode >= MODE_2D and "time" in report and "lat" in report


def _accuracy_m(report: Object) -> float | None:
    """The horizontal error (95 %), or that of its two components together."""
    eph = number(report.get("eph"))
    if eph is not None:
        return eph
    epx, epy = number(report.get("epx")), number(report.get("epy"))
    return None if epx is None or epy is None else hypot(epx, epy)


def _altitude_m(report: Object) -> float | None:
    for name in ("altMSL", "alt", "altHAE"):
        found = number(report.get(name))
        if found is not None:
            return found
    return None

"""Fixes as devices send them: the inverse of the decoders, for simulated days and for tests."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from data.feeds.nmea_file import checksum
from data.model.telemetry import Fix
from data.model.units import deg_to_degrees_minutes, mps_to_kmh, mps_to_knots


def nmea(fix: Fix) -> str:
    """RMC, GGA, GSA and GSV of one moment, each with its checksum; lines end as in NMEA."""
    clock = fix.fix_at.astimezone(UTC)
    hours = clock.strftime("%H%M%S") + f".{clock.microsecond // 10_000:02d}"
    lat = f"{deg_to_degrees_minutes(abs(fix.lat), width=2)},{'N' if fix.lat >= 0 else 'S'}"
    lon = f"{deg_to_degrees_minutes(abs(fix.lon), width=3)},{'E' if fix.lon >= 0 else 'W'}"
    status, quality = ("A", 1) if fix.is_valid else ("V", 0)
    knots = "" if fix.speed_mps is None else f"{mps_to_knots(fix.speed_mps):.3f}"
    course = "" if fix.course_deg is None else f"{fix.course_deg:.1f}"
    used = min(12, fix.satellites if fix.satellites is not None else 8)
    hdop = fix.hdop if fix.hdop is not None else 0.9
    height = fix.altitude_m if fix.altitude_m is not None else 25.0
    prns = ",".join([f"{n:02d}" for n in range(1, used + 1)] + [""] * (12 - used))
    sentences = [
        f"GPRMC,{hours},{status},{lat},{lon},{knots},{course},{clock:%d%m%y},,,A",
        f"GPGGA,{hours},{lat},{lon},{quality},{used:02d},{hdop:.1f},{height:.1f},M,30.0,M,,",
        f"GPGSA,A,{3 if fix.is_valid else 1},{prns},{hdop * 1.6:.1f},{hdop:.1f},{hdop * 1.3:.1f}",
        *_in_view(used),
    ]
    return "".join(f"${body}*{checksum(body)}\r\n" for body in sentences)


def _in_view(used: int) -> list[str]:
    """The satellites in view, four to a sentence."""
    total = max(1, -(-used // 4))
    sentences = []
    for number in range(total):
        cells = [
            f"{n:02d},{20 + 5 * n:02d},{30 * n % 360:03d},{30 + n:02d}"
            for n in range(4 * number + 1, min(used, 4 * number + 4) + 1)
        ]
        sentences.append(",".join([f"GPGSV,{total},{number + 1},{used:02d}", *cells]))
    return sentences


def owntracks(fix: Fix) -> bytes:
    """A location message, with its topic so that a file of them names the device."""
    told: dict[str, object] = {
        "_type": "location",
        "topic": f"owntracks/{fix.device_id}",
        "tst": int(fix.fix_at.timestamp()),
        "lat": fix.lat,
        "lon": fix.lon,
        "t": "t",
        "tid": str(fix.device_id)[-2:],
    }
    if fix.accuracy_m is not None:
        told["acc"] = round(fix.accuracy_m)
    if fix.speed_mps is not None:
        told["vel"] = round(mps_to_kmh(fix.speed_mps))
    if fix.course_deg is not None:
        told["cog"] = round(fix.course_deg) % 360
    if fix.received_at is not None and fix.delay is not None and fix.delay.total_seconds() > 5:
        told["created_at"] = int(fix.fix_at.timestamp()) + 1
    return _json(told)


def osmand(fix: Fix) -> str:
    """A query of OsmAnd and Traccar Client, without the address."""
    told: dict[str, object] = {
        "id": fix.device_id,
        "timestamp": int(fix.fix_at.timestamp()),
        "lat": fix.lat,
        "lon": fix.lon,
    }
    if fix.speed_mps is not None:
        told["speed"] = round(mps_to_knots(fix.speed_mps), 3)
    if fix.course_deg is not None:
        told["bearing"] = fix.course_deg
    if fix.accuracy_m is not None:
        told["accuracy"] = fix.accuracy_m
    if fix.hdop is not None:
        told["hdop"] = fix.hdop
    return urlencode(told)


def traccar(fix: Fix) -> bytes:
    """A position as a Traccar server forwards it."""
    attributes: dict[str, object] = {}
    if fix.satellites is not None:
        attributes["sat"] = fix.satellites
    if fix.hdop is not None:
        attributes["hdop"] = fix.hdop
    position: dict[str, object] = {
        "protocol": "egts",
        "fixTime": _iso(fix.fix_at),
        "deviceTime": _iso(fix.device_at or fix.fix_at),
        "serverTime": _iso(fix.received_at or fix.fix_at),
        "valid": fix.is_valid,
        "latitude": fix.lat,
        "longitude": fix.lon,
        "altitude": fix.altitude_m or 0.0,
        "speed": 0.0 if fix.speed_mps is None else round(mps_to_knots(fix.speed_mps), 4),
        "course": fix.course_deg or 0.0,
        "accuracy": fix.accuracy_m or 0.0,
        "attributes": attributes,
    }
    return _json({"position": position, "device": {"uniqueId": fix.device_id}})


def gpx(fixes: Iterable[Fix], *, name: str) -> str:
    """A track of fixes in order of time; speed and course as Garmin's extension has them."""
    points = "\n".join(_point(f) for f in sorted(fixes, key=lambda f: f.fix_at))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1" creator="Bookmobile"\n'
        '     xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v2">\n'
        f"<trk><name>{escape(name)}</name><trkseg>\n{points}\n</trkseg></trk></gpx>\n"
    )


def _point(fix: Fix) -> str:
    inner = f"<time>{_iso(fix.fix_at)}</time>"
    if fix.satellites is not None:
        inner += f"<sat>{fix.satellites}</sat>"
    if fix.hdop is not None:
        inner += f"<hdop>{fix.hdop}</hdop>"
    if fix.speed_mps is not None:
        course = ""
        if fix.course_deg is not None:
            course = f"<gpxtpx:course>{fix.course_deg}</gpxtpx:course>"
        inner += (
            "<extensions><gpxtpx:TrackPointExtension>"
            f"<gpxtpx:speed>{fix.speed_mps}</gpxtpx:speed>{course}"
            "</gpxtpx:TrackPointExtension></extensions>"
        )
    return f'<trkpt lat="{fix.lat:.7f}" lon="{fix.lon:.7f}">{inner}</trkpt>'


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(told: dict[str, object]) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()

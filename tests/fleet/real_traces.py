"""Real drives and real noise of parked receivers, put together to days with known stops."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle, pairwise

from data.feeds.nmea_file import read_nmea
from data.model.geo import distance_m
from data.model.telemetry import Fix
from fleet.tracking import Place
from tests.fleet.captured import CAPTURES, DEVICE

_POINT = re.compile(r"POINT\(([\d.]+) ([\d.]+)\)")
METRE_LAT = 1 / 111_195


def munich(name: str = "car-munich-2014-1hz.json") -> list[Fix]:
    """The drive through Munich: positions alone, no speeds."""
    fixes = []
    for row in json.loads((CAPTURES / name).read_text(encoding="utf-8")):
        found = _POINT.match(row["point"])
        assert found is not None
        fixes.append(
            Fix(
                device_id=DEVICE,
                fix_at=datetime.fromisoformat(row["time"]).astimezone(UTC),
                lon=float(found[1]),
                lat=float(found[2]),
            )
        )
    return fixes


def stands(fixes: list[Fix], *, least_s: float, within_m: float = 6.0) -> list[tuple[int, int]]:
    """Spans of fixes that stay within some metres of their first: found by looking at them all.

    This is the plain twin of ``fleet.stands``, which must decide as the fixes come.
    """
    found, at = [], 0
    while at < len(fixes):
        end = at
        while end + 1 < len(fixes) and _apart_m(fixes[at], fixes[end + 1]) < within_m:
            end += 1
        if (fixes[end].fix_at - fixes[at].fix_at).total_seconds() >= least_s:
            found.append((at, end))
            at = end
        at += 1
    return found


def _apart_m(a: Fix, b: Fix) -> float:
    return distance_m(a.lon, a.lat, b.lon, b.lat)


def parked_noise() -> list[tuple[float, float]]:
    """Metres east and north that two parked receivers wandered about their middle."""
    steps = []
    for name in ("nmea-sirfstarv-nmea.log", "nmea-neo-m8n.log"):
        fixes, _ = read_nmea(CAPTURES / name, DEVICE)
        lon = sum(f.lon for f in fixes) / len(fixes)
        lat = sum(f.lat for f in fixes) / len(fixes)
        steps += [((f.lon - lon) / METRE_LAT * 0.72, (f.lat - lat) / METRE_LAT) for f in fixes]
    return steps


def with_stays(
    fixes: list[Fix], at: list[int], *, seconds: int
) -> tuple[list[Fix], list[tuple[datetime, datetime]]]:
    """The drive with a stay at some of its fixes, and when each stay truly began and ended.

    While it stays, the position wanders as that of a parked receiver really did.
    """
    noise = cycle(parked_noise())
    out: list[Fix] = []
    truth = []
    shift = timedelta()
    for index, fix in enumerate(fixes):
        out.append(replace(fix, fix_at=fix.fix_at + shift))
        if index not in at:
            continue
        came = out[-1].fix_at
        for second in range(1, seconds + 1):
            east, north = next(noise)
            out.append(
                replace(
                    fix,
                    fix_at=came + timedelta(seconds=second),
                    lon=fix.lon + east * METRE_LAT / 0.67,
                    lat=fix.lat + north * METRE_LAT,
                )
            )
        truth.append((came, out[-1].fix_at))
        shift += timedelta(seconds=seconds)
    return out, truth


def places_along(fixes: list[Fix], *, every_m: float = 450.0) -> list[Place]:
    """Stops all along a drive, so that the vehicle passes each of them."""
    found: list[Place] = []
    way = 0.0
    for a, b in pairwise(fixes):
        way += _apart_m(a, b)
        if way >= every_m:
            found.append(Place(place_id=f"p{len(found)}", lon=b.lon, lat=b.lat))
            way = 0.0
    return found


def thinned(fixes: list[Fix], step: int) -> list[Fix]:
    return fixes[::step]

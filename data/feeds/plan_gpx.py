"""The runs of a plan as GPX files, one a run, to hand to a navigation program.

References
----------
GPX 1.1 schema, topografix.com: the order of elements matters; times are UTC.
"""

import re
import unicodedata
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from data.feeds.transliteration import latin_name
from data.model.lines import RunLines, leg_lines
from data.model.plan import Plan, PlanRequest, Run
from data.model.riders import riders_of, services_at

_NAMESPACE = "http://www.topografix.com/GPX/1/1"
_OURS = re.compile(r"\d{4}-\d\d-\d\d_[a-z0-9-]+(_\d+)?\.gpx")
_CREATOR = b'creator="Bookmobile"'
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_gpx(
    request: PlanRequest, plan: Plan, folder: Path, *, lines: RunLines | None = None
) -> tuple[Path, ...]:
    """Write one file a run and return their paths, in the order of dates.

    A file has a route (depot, the stops in order with planned times, depot) and, where the road
    line is known, a track along it. A straight line is no track: a driver would follow it.
    Files of an earlier plan in the folder are removed, so that nobody drives by them; files that
    this program did not write stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.gpx"):
        if _OURS.fullmatch(old.name) and _CREATOR in old.read_bytes()[:200]:
            old.unlink()
    names = {v.vehicle_id: v.name for v in request.vehicles}
    paths: list[Path] = []
    for run in sorted(plan.runs, key=lambda r: (r.day, r.vehicle_id)):
        on = request.cycle.date_of(run.day).isoformat()
        stem = f"{on}_{file_stem(names[run.vehicle_id])}"
        path = folder / f"{stem}.gpx"
        if path in paths:  # Two vehicles whose names differ in signs alone.
            path = folder / f"{stem}_{len(paths)}.gpx"
        tree = ET.ElementTree(_gpx(request, run, lines))
        ET.indent(tree)
        tree.write(path, encoding="utf-8", xml_declaration=True)
        paths.append(path)
    return tuple(paths)


def file_stem(name: str) -> str:
    """A name that every file system takes: Latin letters, digits and hyphens, at most 40.

    >>> file_stem("Библиобус № 1")
    'bibliobus-no-1'
    """
    plain = unicodedata.normalize("NFKD", latin_name(name) or name)
    ascii_only = plain.encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")[:40].strip("-") or "run"


def _gpx(request: PlanRequest, run: Run, lines: RunLines | None) -> ET.Element:
    vehicle = next(v for v in request.vehicles if v.vehicle_id == run.vehicle_id)
    midnight = datetime.combine(request.cycle.date_of(run.day), time(), ZoneInfo(request.time_zone))

    def at(seconds: int) -> str:
        # Clock time first, then UTC: the hour that the clocks skip is not part of the day's plan.
        return (
            (midnight + timedelta(seconds=seconds)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        )

    depots = {d.depot_id: d for d in request.depots}
    stops = {s.stop_id: s for s in request.stops}
    title = f"{vehicle.name} {request.cycle.date_of(run.day).isoformat()}"
    root = ET.Element("gpx", {"xmlns": _NAMESPACE, "version": "1.1", "creator": "Bookmobile"})
    metadata = ET.SubElement(root, "metadata")
    _text(metadata, "name", title)
    _text(metadata, "time", at(run.depart_s))
    route = ET.SubElement(root, "rte")
    _text(route, "name", title)
    people = ", ".join(p.name for p in riders_of(request, run))
    if people:
        _text(route, "cmt", people)
    first, last = (depots[place] for place in run.ends(vehicle))
    _point(route, first.lon, first.lat, at(run.depart_s), first.name)
    for visit in run.visits:
        stop = stops[visit.stop_id]
        point = _point(route, stop.lon, stop.lat, at(visit.arrival_s), stop.name)
        coming = ", ".join(sorted(services_at(request, run, stop)))
        _text(point, "cmt", f"{stop.stop_id} ({coming})" if coming else str(stop.stop_id))
    _point(route, last.lon, last.lat, at(run.return_s), last.name)
    legs, follows_roads = leg_lines(request, run, lines)
    if follows_roads:
        track = ET.SubElement(root, "trk")
        _text(track, "name", title)
        for leg in legs:
            segment = ET.SubElement(track, "trkseg")
            for lon, lat in leg:
                ET.SubElement(segment, "trkpt", {"lat": f"{lat:.6f}", "lon": f"{lon:.6f}"})
    return root


def _point(parent: ET.Element, lon: float, lat: float, at: str, name: str) -> ET.Element:
    point = ET.SubElement(parent, "rtept", {"lat": f"{lat:.6f}", "lon": f"{lon:.6f}"})
    _text(point, "time", at)
    _text(point, "name", name)
    return point


def _text(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = _NOT_XML.sub("", text)

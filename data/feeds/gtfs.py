"""A published timetable as a GTFS feed of its own: bookmobiles for whoever shows departures.

No journey planner seats anybody: every stop time forbids pick-up and drop-off. A trip is a run of a
vehicle on one date, named for both, so that its id lasts through every change of times and realtime
messages name the same thing. Arrival is the opening of the doors, departure their closing.

References
----------
GTFS Schedule reference, google/transit @2dd229b.
"""

import csv
import io
import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2s

from data.model.calendar import HOUR_S, MINUTE_S
from data.model.errors import InputError
from data.model.fleet import VehicleId
from data.model.labels import Labels
from data.model.place import StopId
from data.model.public_timetable import PublicTimetable
from data.model.publication import PromisedVisit

BUS = "3"
FORBIDDEN = "1"
EXACT = "1"
ADDED = "1"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Files carry no time, so that the same timetable is the same feed to the byte."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_DEGREES = 6

type Line = Sequence[tuple[float, float]]
type Row = Mapping[str, str]
type ShapeOf = Callable[[Sequence[PromisedVisit]], Line | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class GtfsAddresses:
    """Absolute addresses that a feed must name: of the region's page and of each stop's."""

    region: str
    stop: Callable[[StopId], str]

    def __post_init__(self) -> None:
        if not self.region.startswith(("http://", "https://")):
            raise InputError("gtfs.no_address")


def trip_id_of(visit: PromisedVisit) -> str:
    """The id of the run that a visit belongs to, in the feed and in realtime messages."""
    return f"{visit.vehicle_id}@{visit.service_date.isoformat()}"


def first_date(today: date) -> date:
    """The service date from which a feed tells: runs of yesterday may go on after midnight."""
    return today - timedelta(days=1)


def runs_of(
    visits: Iterable[PromisedVisit], from_date: date
) -> dict[str, tuple[PromisedVisit, ...]]:
    """The visits that are to be held from a date on, by trip, in order of their times."""
    found: dict[str, list[PromisedVisit]] = defaultdict(list)
    for visit in visits:
        if visit.is_coming and visit.service_date >= from_date:
            found[trip_id_of(visit)].append(visit)
    return {
        trip: tuple(sorted(run, key=lambda v: (v.start_s, v.visit_id)))
        for trip, run in sorted(found.items())
    }


def gtfs_zip(
    timetable: PublicTimetable,
    label: Labels,
    *,
    language: str,
    from_date: date,
    addresses: GtfsAddresses,
    shape_of: ShapeOf = lambda _: None,
) -> bytes:
    """The feed of all that is promised from a date on.

    Parameters
    ----------
    shape_of
        The way (lon, lat) through the stops of a run, where real roads are known.

    Raises
    ------
    InputError
        ``gtfs.nothing`` where no visit is to come.
    """
    runs = runs_of(timetable.visits, from_date)
    if not runs:
        raise InputError("gtfs.nothing", region=timetable.region_id, date=from_date.isoformat())
    dates = sorted({run[0].service_date for run in runs.values()})
    shapes = _Shapes(shape_of)
    trips = [_trip(trip, run, timetable, label, shapes) for trip, run in runs.items()]
    name = timetable.name_in(language)
    agency = {
        "agency_id": timetable.region_id,
        "agency_name": label("gtfs.agency", region=name),
        "agency_url": addresses.region,
        "agency_timezone": timetable.time_zone,
        "agency_lang": language,
        "agency_phone": timetable.phone,
    }
    info = {
        "feed_publisher_name": label("gtfs.agency", region=name),
        "feed_publisher_url": addresses.region,
        "feed_lang": language,
        "feed_start_date": _day(dates[0]),
        "feed_end_date": _day(dates[-1]),
        "feed_version": f"{timetable.version}.{timetable.revision}",
        "feed_contact_url": addresses.region,
    }
    tables: dict[str, Iterable[Row]] = {
        "agency.txt": [agency],
        "stops.txt": _stops(timetable, runs, addresses),
        "routes.txt": _routes(timetable, runs, label),
        "trips.txt": trips,
        "stop_times.txt": [row for trip, run in runs.items() for row in _times(trip, run)],
        "calendar_dates.txt": [
            {"service_id": _day(on), "date": _day(on), "exception_type": ADDED} for on in dates
        ],
        "shapes.txt": shapes.rows(),
        "feed_info.txt": [info],
    }
    return _zipped(tables)


def _trip(
    trip_id: str,
    run: Sequence[PromisedVisit],
    timetable: PublicTimetable,
    label: Labels,
    shapes: "_Shapes",
) -> Row:
    last = timetable.stop_of[run[-1].stop_id]
    return {
        "route_id": str(run[0].vehicle_id),
        "service_id": _day(run[0].service_date),
        "trip_id": trip_id,
        "trip_headsign": last.name,
        "shape_id": shapes.id_of(run),
        "wheelchair_accessible": "0",
        "bikes_allowed": "2",
    }


def _times(trip_id: str, run: Sequence[PromisedVisit]) -> Iterable[Row]:
    for visit in run:
        yield {
            "trip_id": trip_id,
            "arrival_time": _clock(visit.start_s),
            "departure_time": _clock(visit.end_s),
            "stop_id": str(visit.stop_id),
            "stop_sequence": str(sequence_of(visit)),
            "pickup_type": FORBIDDEN,
            "drop_off_type": FORBIDDEN,
            "timepoint": EXACT,
        }


def sequence_of(visit: PromisedVisit) -> int:
    """A visit's place in its trip: the minute at which it opens, which no other visit shares."""
    return visit.start_s // MINUTE_S


def _stops(
    timetable: PublicTimetable,
    runs: Mapping[str, Sequence[PromisedVisit]],
    addresses: GtfsAddresses,
) -> Iterable[Row]:
    used = {v.stop_id for run in runs.values() for v in run}
    for stop in timetable.stops:
        if stop.stop_id in used:
            yield {
                "stop_id": str(stop.stop_id),
                "stop_name": stop.name,
                "stop_desc": "" if stop.community == stop.name else stop.community,
                "stop_lat": f"{stop.lat:.{_DEGREES}f}",
                "stop_lon": f"{stop.lon:.{_DEGREES}f}",
                "stop_url": addresses.stop(stop.stop_id),
                "location_type": "0",
            }


def _routes(
    timetable: PublicTimetable, runs: Mapping[str, Sequence[PromisedVisit]], label: Labels
) -> Iterable[Row]:
    used = {run[0].vehicle_id for run in runs.values()}
    names: Mapping[VehicleId, str] = timetable.vehicles
    for number, vehicle_id in enumerate(sorted(used, key=lambda i: (names.get(i, i), i))):
        name = names.get(vehicle_id, str(vehicle_id))
        yield {
            "route_id": str(vehicle_id),
            "agency_id": timetable.region_id,
            "route_long_name": label("gtfs.route", vehicle=name),
            "route_desc": label("gtfs.route.about"),
            "route_type": BUS,
            "route_sort_order": str(number),
        }


class _Shapes:
    """The ways of runs, each once."""

    def __init__(self, shape_of: ShapeOf) -> None:
        self._shape_of = shape_of
        self._lines: dict[str, Line] = {}

    def id_of(self, run: Sequence[PromisedVisit]) -> str:
        """The id of a run's way; empty where no real one is known."""
        line = self._shape_of(run)
        if line is None or len(line) < 2:
            return ""
        told = " ".join(f"{lon:.{_DEGREES}f},{lat:.{_DEGREES}f}" for lon, lat in line)
        shape_id = blake2s(told.encode(), digest_size=8).hexdigest()
        self._lines[shape_id] = line
        return shape_id

    def rows(self) -> Iterable[Row]:
        for shape_id, line in sorted(self._lines.items()):
            for number, (lon, lat) in enumerate(line):
                yield {
                    "shape_id": shape_id,
                    "shape_pt_lat": f"{lat:.{_DEGREES}f}",
                    "shape_pt_lon": f"{lon:.{_DEGREES}f}",
                    "shape_pt_sequence": str(number),
                }


def _zipped(tables: Mapping[str, Iterable[Row]]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in tables.items():
            found = list(rows)
            if found:
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), _csv(found), zipfile.ZIP_DEFLATED)
    return held.getvalue()


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    # What is empty in every row is no column.
    columns = [name for name in rows[0] if any(row[name] for row in rows)]
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_plain(row[name]) for name in columns] for row in rows)
    return text.getvalue()


def _plain(value: str) -> str:
    """A value on one line without control characters or space at its ends."""
    return _CONTROL.sub(" ", value).strip()


def _day(on: date) -> str:
    return on.strftime("%Y%m%d")


def _clock(seconds: int) -> str:
    hours, rest = divmod(seconds, HOUR_S)
    return f"{hours:02}:{rest // MINUTE_S:02}:00"

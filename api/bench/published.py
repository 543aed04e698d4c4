"""A published timetable from its file, and travel between its stops."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

from api.bench.rounds import MAX_CYCLE_WEEKS, Listing, Timetable, cycle_of, timetable_of
from data.feeds.estimate_file import load_default_estimate
from data.feeds.stops_csv import DAYS, MobileStopRow, read_stops_csv
from data.feeds.values import CellError, parse_clock_s, parse_number
from data.model.errors import InputError
from data.model.fleet import Vehicle, VehicleId
from data.model.place import DepotId
from data.model.travel import UNREACHABLE, TravelMatrix
from maps.calibrate import fit_legs
from maps.estimate import EstimatedRoads
from maps.roads import Progress, RoadPoint, Roads
from maps.valhalla_roads import open_valhalla

BOOKMOBILE = Vehicle(
    vehicle_id=VehicleId("bookmobile"), name="bookmobile", depot_id=DepotId("none")
)
"""Size of vehicle on real roads; an estimate is a car's, as the legs that it comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A timetable and the rows of its file that could not be used."""

    file: Path
    timetable: Timetable
    left_out: tuple[InputError, ...]


def read_published(file: Path) -> Published:
    """The timetable of one file in the UK mobile-library schema.

    A row without a position, with times that do not fit or a frequency of another kind is left
    out and named. End dates and exceptions are left aside: what counts is the regular cycle.

    Raises
    ------
    InputError
        If the file cannot be read, no row can be used or the frequencies have no common cycle.
    """
    rows, _ = read_stops_csv(file)
    listings: list[Listing] = []
    left_out: list[InputError] = []
    for number, row in enumerate(rows, start=2):
        try:
            listings.append(_listing(row))
        except _UnusableCell as wrong:
            left_out.append(
                InputError(
                    "bench.row_left_out",
                    file=file.name,
                    row=number,
                    column=wrong.column,
                    value=getattr(row, wrong.column),
                )
            )
    if not listings:
        raise InputError("bench.no_rounds", file=file.name)
    weeks = cycle_of(listings)
    if weeks > MAX_CYCLE_WEEKS:
        raise InputError("bench.cycle_too_long", file=file.name, weeks=weeks, limit=MAX_CYCLE_WEEKS)
    authority = next((r.organisation for r in rows if r.organisation), file.stem)
    return Published(
        file=file, timetable=timetable_of(authority, listings), left_out=tuple(left_out)
    )


class _UnusableCell(Exception):  # noqa: N818
    def __init__(self, column: str) -> None:
        self.column = column
        super().__init__(column)


def _listing(row: MobileStopRow) -> Listing:
    numbers: dict[str, float] = {}
    for column, parse in (
        ("geox", parse_number),
        ("geoy", parse_number),
        ("arrival", parse_clock_s),
        ("departure", parse_clock_s),
    ):
        try:
            value = parse(getattr(row, column))
        except CellError:
            value = None
        if value is None:
            raise _UnusableCell(column)
        numbers[column] = value
    if not abs(numbers["geox"]) <= 180 or not abs(numbers["geoy"]) <= 90:
        raise _UnusableCell("geox")
    if numbers["departure"] <= numbers["arrival"]:
        raise _UnusableCell("departure")
    try:
        start_date = date.fromisoformat(row.start)
    except ValueError:
        raise _UnusableCell("start") from None
    if row.day in DAYS:
        # The day is what readers were told; a start on another weekday is a slip.
        start_date += timedelta(days=(DAYS.index(row.day) - start_date.weekday()) % len(DAYS))
    listing = Listing(
        mobile=row.mobile,
        route=row.route,
        name=", ".join(filter(None, (row.community, row.stop))),
        lon=numbers["geox"],
        lat=numbers["geoy"],
        arrival_s=int(numbers["arrival"]),
        departure_s=int(numbers["departure"]),
        frequency=row.frequency,
        start_date=start_date,
    )
    try:
        cycle_of([listing])
    except ValueError:
        raise _UnusableCell("frequency") from None
    return listing


@contextmanager
def open_bench_roads(
    legs: Path | None, osm: Path | None, cache_dir: Path, progress: Progress
) -> Iterator[Roads]:
    """The one source of travel times: fitted legs, an extract's roads or the default estimate.

    Raises
    ------
    InputError
        ``bench.two_sources``, or what is wrong with the file.
    """
    if legs and osm:
        raise InputError("bench.two_sources")
    if osm:
        if not osm.is_file():
            raise InputError("file.not_found", file=str(osm))
        roads: Roads = open_valhalla(osm, cache_dir / "roads", progress=progress)
    else:
        roads = EstimatedRoads((), fit_legs(legs) if legs else load_default_estimate())
    with roads:
        yield roads


def travel_between(
    published: Published, roads: Roads, progress: Progress
) -> tuple[TravelMatrix, tuple[int, ...]]:
    """Travel between the places of a timetable, and the place of each of its promises.

    Raises
    ------
    InputError
        ``bench.off_road`` or ``bench.no_way`` where a published round cannot be driven.
    """
    promises = published.timetable.promises
    positions = list(dict.fromkeys((p.lon, p.lat) for p in promises))
    number = {position: index for index, position in enumerate(positions)}
    place = tuple(number[p.lon, p.lat] for p in promises)
    vehicle = None if roads.is_estimated else BOOKMOBILE
    for index, snap in enumerate(roads.snap(positions, vehicle)):
        if snap.problem:
            raise InputError(
                "bench.off_road",
                file=published.file.name,
                stop=promises[place.index(index)].name,
                problem=snap.problem,
            )
    points = [
        RoadPoint(point_id=str(index), lon=lon, lat=lat)
        for index, (lon, lat) in enumerate(positions)
    ]
    travel = roads.matrix(points, vehicle, progress)
    for published_round in published.timetable.rounds:
        for a, b in pairwise(published_round.visits):
            if travel.travel_s[place[a], place[b]] == UNREACHABLE:
                raise InputError(
                    "bench.no_way",
                    file=published.file.name,
                    origin=promises[a].name,
                    target=promises[b].name,
                )
    return travel, place

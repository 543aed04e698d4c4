"""Between rows of the exchange schema and stops with their recurrence."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

from dateutil.rrule import rrulestr

from data.feeds.importing import stable_id
from data.feeds.report import ImportReport, Problem, Verdict
from data.feeds.stops_csv import DAYS, MobileStopRow, read_stops_csv
from data.feeds.tables import read_csv
from data.feeds.values import (
    CellError,
    parse_clock_s,
    parse_number,
    write_clock,
    write_date,
    write_number,
)
from data.model.calendar import DAYS_PER_WEEK, Window
from data.model.geo import COORDINATE_DIGITS
from data.model.place import Stop, StopId, StopKind
from data.model.recurrence import CycleFrequency, Recurrence, parse_frequency

TYPE_OF_KIND = {
    StopKind.PUBLIC: "Public",
    StopKind.PRIVATE: "Private",
    StopKind.ON_REQUEST: "Dynamic",
    StopKind.TECHNICAL: "Other",
}
_KIND_OF_TYPE = {word: kind for kind, word in TYPE_OF_KIND.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledStop:
    """A stop with when it is visited: one row of the schema as values.

    ``arrival_s`` and ``departure_s`` count from local midnight; the schema has no time zone.
    """

    stop: Stop
    organisation: str
    mobile: str
    route: str
    weekday: int
    arrival_s: int
    departure_s: int
    frequency: str
    start_date: date
    end_date: date | None = None
    exceptions: tuple[date, ...] = ()
    address: str = ""
    postcode: str = ""
    timetable: str = ""

    @property
    def cycle_frequency(self) -> CycleFrequency:
        """The frequency counted in weeks; ``ValueError`` for rules beyond weeks and months."""
        return parse_frequency(self.frequency)


def scheduled_stops(
    rows: Iterable[MobileStopRow],
) -> tuple[tuple[ScheduledStop, ...], tuple[MobileStopRow, ...]]:
    """Rows as stops with their recurrence.

    Returns
    -------
    tuple
        The stops in the order of the rows, and the rows that cannot be one: without a position,
        day, times, start or rule that can be read. What exactly is wrong with them is in the
        report of ``read_stops_csv``.
    """
    good, bad = [], []
    for row in rows:
        scheduled = _scheduled(row)
        if scheduled is None:
            bad.append(row)
        else:
            good.append(scheduled)
    return tuple(good), tuple(bad)


def _scheduled(row: MobileStopRow) -> ScheduledStop | None:
    try:
        lon, lat = parse_number(row.geox), parse_number(row.geoy)
        arrival_s, departure_s = parse_clock_s(row.arrival), parse_clock_s(row.departure)
        start = date.fromisoformat(row.start)
        end = date.fromisoformat(row.end) if row.end else None
        excepted = tuple(
            date.fromisoformat(part.strip()) for part in filter(None, row.exceptions.split(","))
        )
        rrulestr(row.frequency, dtstart=datetime.combine(start, time()))
        weekday = DAYS.index(row.day)
        kind = _KIND_OF_TYPE[row.type]
    except (CellError, ValueError, KeyError, TypeError, AttributeError):
        return None
    if lon is None or lat is None or arrival_s is None or departure_s is None:
        return None
    if departure_s <= arrival_s or abs(lon) > 180 or abs(lat) > 90:
        return None
    start += timedelta(days=(weekday - start.weekday()) % len(DAYS))
    stop = Stop(
        stop_id=StopId(
            stable_id("stop", row.organisation, row.community, row.stop, row.geox, row.geoy)
        ),
        name=row.stop.strip(),
        lon=round(lon, COORDINATE_DIGITS),
        lat=round(lat, COORDINATE_DIGITS),
        community=row.community.strip(),
        kind=kind,
        service_s=departure_s - arrival_s,
        windows=(Window(start_s=arrival_s, end_s=departure_s),),
        weekdays=frozenset({weekday}),
        mandatory=True,
    )
    return ScheduledStop(
        stop=stop,
        organisation=row.organisation,
        mobile=row.mobile,
        route=row.route,
        weekday=weekday,
        arrival_s=arrival_s,
        departure_s=departure_s,
        frequency=row.frequency,
        start_date=start,
        end_date=end,
        exceptions=excepted,
        address=row.address,
        postcode=row.postcode,
        timetable=row.timetable,
    )


def mobile_stop_rows(
    stops: Sequence[ScheduledStop], *, with_private: bool = False
) -> tuple[MobileStopRow, ...]:
    """Stops as rows of the schema, in the order given.

    Parameters
    ----------
    with_private
        Also write private stops; they name homes, so a published file leaves them out.
    """
    return tuple(
        MobileStopRow(
            organisation=item.organisation,
            mobile=item.mobile,
            route=item.route,
            community=item.stop.community,
            stop=item.stop.name,
            address=item.address,
            postcode=item.postcode,
            geox=write_number(item.stop.lon),
            geoy=write_number(item.stop.lat),
            day=DAYS[item.weekday],
            type=TYPE_OF_KIND[item.stop.kind],
            arrival=write_clock(item.arrival_s),
            departure=write_clock(item.departure_s),
            frequency=item.frequency,
            start=write_date(item.start_date),
            end=write_date(item.end_date),
            exceptions=",".join(write_date(day) for day in item.exceptions),
            timetable=item.timetable,
        )
        for item in stops
        if with_private or item.stop.kind is not StopKind.PRIVATE
    )


def stops_of_schedule(scheduled: Sequence[ScheduledStop], cycle_weeks: int) -> tuple[Stop, ...]:
    """One stop for each row, by place in the order in which places first come.

    A stop keeps the row's rule with its first and last date and its exceptions; its visits are
    also counted in a cycle of ``cycle_weeks``, at least one. Further rows of a place, for other
    weeks, weekdays or times of day, are stops of their own, numbered from 2.
    """
    places: dict[StopId, list[ScheduledStop]] = {}
    for item in scheduled:
        places.setdefault(item.stop.stop_id, []).append(item)
    return tuple(
        _ruled(item, StopId(f"{stop_id}-{number}") if number > 1 else stop_id, cycle_weeks)
        for stop_id, items in places.items()
        for number, item in enumerate(items, start=1)
    )


def _ruled(item: ScheduledStop, stop_id: StopId, cycle_weeks: int) -> Stop:
    try:
        frequency = item.cycle_frequency
    except ValueError:
        return replace(item.stop, stop_id=stop_id)
    visits = max(1, round(cycle_weeks * frequency.visits / frequency.num_weeks))
    is_even = frequency.visits == 1 and cycle_weeks % frequency.num_weeks == 0
    return replace(
        item.stop,
        stop_id=stop_id,
        visits_per_cycle=visits,
        # "Every second week" is never two weeks in a row, should the rule be taken away.
        min_gap_days=DAYS_PER_WEEK * frequency.num_weeks if is_even else 1,
        recurrence=Recurrence(
            rule=item.frequency,
            start_date=item.start_date,
            end_date=item.end_date,
            exceptions=frozenset(item.exceptions),
        ),
    )


def import_schedule(path: Path, *, cycle_weeks: int) -> tuple[tuple[Stop, ...], ImportReport]:
    """Stops of a file of the schema; rows that cannot be a stop are rejected.

    Raises
    ------
    InputError
        As ``read_stops_csv``.
    """
    rows, report = read_stops_csv(path)
    lines = [row.line for row in read_csv(path, head_is_first=True).rows]
    scheduled, bad = scheduled_stops(rows)
    bad_ids = {id(row) for row in bad}
    rejected = {line for line, row in zip(lines, rows, strict=True) if id(row) in bad_ids}
    problems = [
        replace(problem, verdict=Verdict.REJECTED) if problem.row in rejected else problem
        for problem in report.problems
    ]
    problems += [
        Problem(code="feeds.row.no_position", facts={"file": path.name, "row": line})
        for line in sorted(rejected - {problem.row for problem in report.problems})
    ]
    return stops_of_schedule(scheduled, cycle_weeks), replace(
        report, num_loaded=len(scheduled), problems=tuple(problems)
    )


def is_schedule(path: Path) -> bool:
    """Whether a file is of the exchange schema, by its columns."""
    if path.suffix.lower() != ".csv" or not path.is_file() or not path.stat().st_size:
        return False
    head = read_csv(path, head_is_first=True).columns
    return {"organisation", "mobile", "geox", "geoy", "arrival", "departure", "frequency"} <= set(
        head
    )

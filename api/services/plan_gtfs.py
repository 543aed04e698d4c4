"""The GTFS feed of a plan that nobody has published yet, for its folder."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

from api.web.public_links import FileLinks
from api.words import Words
from data.feeds.gtfs import GtfsAddresses, gtfs_zip
from data.model.lines import RunLines
from data.model.plan import Plan, PlanRequest
from data.model.public_timetable import PublicStop, PublicTimetable, is_public
from data.model.publication import LaidVisit, PromisedVisit, VisitId, lay
from data.model.region import Region
from data.model.timetable import run_dates

type Point = tuple[float, float]
_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)


def plan_gtfs(
    region: Region,
    request: PlanRequest,
    plan: Plan,
    words: Words,
    *,
    until: date,
    base_url: str,
    roads: RunLines | None,
) -> bytes:
    """The feed of a plan's public visits until a date.

    Parameters
    ----------
    base_url
        Where the pages of the region stand, or are to stand (``bookmobile site --base-url``).
    roads
        The real roads of its runs; without them the feed has no shapes.

    Raises
    ------
    InputError
        ``gtfs.nothing``, ``gtfs.no_address``.
    """
    timetable = timetable_of(region, request, plan, until=until)
    links = FileLinks(language=words.language, base_url=base_url)
    return gtfs_zip(
        timetable,
        words,
        language=words.language,
        from_date=request.cycle.first_date,
        addresses=GtfsAddresses(
            region=links.absolute(links.page("home")),
            stop=lambda stop_id: links.absolute(links.stop(stop_id)),
        ),
        shape_of=_shapes(request, plan, roads, until) if roads else (lambda _: None),
    )


def timetable_of(
    region: Region, request: PlanRequest, plan: Plan, *, until: date
) -> PublicTimetable:
    """What readers would be promised by a plan."""
    stops = tuple(s for s in map(PublicStop.of, request.stops) if is_public(s))
    public = {s.stop_id for s in stops}
    first = request.cycle.first_date
    visits = lay(request, plan, from_date=first, until_date=until)
    return PublicTimetable(
        region_id=region.region_id,
        names=region.names,
        time_zone=region.time_zone,
        language=region.language,
        from_date=first,
        until_date=until,
        stops=stops,
        vehicles={v.vehicle_id: v.name for v in request.vehicles},
        visits=tuple(_promised(region, v) for v in visits if v.stop_id in public),
        phone=region.phone,
    )


def _promised(region: Region, visit: LaidVisit) -> PromisedVisit:
    own = {name: getattr(visit, name) for name in LaidVisit.__dataclass_fields__}
    return PromisedVisit(
        **own,
        visit_id=VisitId(f"{visit.vehicle_id}@{visit.service_date}/{visit.position}"),
        region_id=region.region_id,
        timetable_id="",
        published_at=_NO_TIME,
        changed_at=_NO_TIME,
    )


def _shapes(
    request: PlanRequest, plan: Plan, roads: RunLines, until: date
) -> Callable[[Sequence[PromisedVisit]], list[Point] | None]:
    """The roads between the first and the last public stop of each run."""
    day_of = {
        (run.vehicle_id, on): run.day
        for run in plan.runs
        for on in run_dates(request, plan, run, until)
    }

    def shape(run: Sequence[PromisedVisit]) -> list[Point] | None:
        first, last = run[0], run[-1]
        key = first.vehicle_id, day_of[first.vehicle_id, first.service_date]
        line: list[Point] = []
        for leg in roads.get(key, ())[first.position + 1 : last.position + 1]:
            if len(leg) < 2:
                return None
            line += leg if not line else leg[1:]
        return line or None

    return shape

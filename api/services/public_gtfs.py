"""The GTFS feed of what a region promises, with the roads of its runs where they are known."""

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Engine

from api.services.promised_days import promised_days
from api.services.public_pages import PublicPages
from api.services.public_position import Way, way_of
from data.db import leg_line_store
from data.db.engine import reading
from data.feeds.gtfs import GtfsAddresses, first_date, gtfs_zip, runs_of
from data.model.place import StopId
from data.model.publication import PromisedVisit

type Point = tuple[float, float]


def region_gtfs(engine: Engine | None, pages: PublicPages) -> bytes:
    """The feed in the pages' language, with the runs that may still be under way.

    Parameters
    ----------
    engine
        Where the roads of runs are kept; without it the feed has no shapes.

    Raises
    ------
    InputError
        ``gtfs.nothing``, ``gtfs.no_address``.
    """
    links, timetable = pages.links, pages.timetable

    def stop_address(stop_id: StopId) -> str:
        return links.absolute(links.stop(stop_id))

    return gtfs_zip(
        timetable,
        pages.words,
        language=pages.words.language,
        from_date=first_date(pages.now[0]),
        addresses=GtfsAddresses(region=links.absolute(links.page("home")), stop=stop_address),
        shape_of=(lambda _: None) if engine is None else _shapes(engine, pages),
    )


def _shapes(
    engine: Engine, pages: PublicPages
) -> Callable[[Sequence[PromisedVisit]], Sequence[Point] | None]:
    """Ways through the public stops of runs; runs of the same stops share one."""
    timetable, first = pages.timetable, first_date(pages.now[0])
    known: dict[tuple[str, ...], Sequence[Point] | None] = {}
    public = timetable.stop_of.keys()
    with reading(engine) as session:
        if not leg_line_store.has_lines(session, timetable.region_id):
            return lambda _: None
        for run in runs_of(timetable.visits, first).values():
            key = _key(run)
            if key in known or len(run) < 2:
                continue
            days = promised_days(
                session, timetable.region_id, run[0].service_date, vehicle_id=run[0].vehicle_id
            )
            ways = (way_of(session, timetable.region_id, day, public) for day in days)
            known[key] = next((_line(way) for way in ways), None)
    return lambda run: known.get(_key(run))


def _key(visits: Iterable[PromisedVisit]) -> tuple[str, ...]:
    """Vehicle and stops of a run in their order."""
    found = list(visits)
    return (str(found[0].vehicle_id), *(str(v.stop_id) for v in found)) if found else ()


def _line(way: Way) -> list[Point] | None:
    """The whole way from the first stop to the last; ``None`` where a leg has no road."""
    legs = [way.leg_to(v.visit_id) for v in way.visits[1:]]
    line: list[Point] = []
    for leg in legs:
        if leg is None or not leg.follows_road:
            return None
        line += leg.points if not line else leg.points[1:]
    return line

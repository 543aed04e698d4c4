"""Who is far from a library and which stops are nearer: for the fairness of plans."""

from collections.abc import Sequence

from api.progress import Ticker
from api.services.needs import NeedAudit
from data.model.access import Access, Home
from data.model.place import Stop
from data.model.region import Region
from data.model.travel import UNREACHABLE
from maps.roads import Roads
from planner.need import LACKING


def access_of(
    region: Region, audit: NeedAudit, stops: Sequence[Stop], roads: Roads, tick: Ticker
) -> Access | None:
    """The inhabited settlements that lack a library, and the ways by car from stops to them.

    ``None`` where there are none, as for a region that is but a table of stops.
    """
    settlements = {s.settlement_id: s for s in region.settlements}
    needs = [
        n
        for n in audit.needs
        if n.status in LACKING and settlements[n.settlement_id].population != 0
    ]
    if not needs or not stops:
        return None
    places = [settlements[n.settlement_id] for n in needs]
    homes = tuple(
        Home(
            settlement_id=place.settlement_id,
            name=place.name,
            people=place.population,
            children=place.children,
            seniors=place.seniors,
            library_s=need.nearest_s,
        )
        for place, need in zip(places, needs, strict=True)
    )
    tick.phase("phase.access")
    # From the stop to the home, as the need's travel runs from the library.
    seconds, _ = roads.times(
        [(s.lon, s.lat) for s in stops], [(p.lon, p.lat) for p in places], None, tick.fraction
    )
    near = {}
    for row, stop in enumerate(stops):
        ways = tuple(
            (column, int(way_s))
            for column, way_s in enumerate(seconds[row].tolist())
            if way_s != UNREACHABLE
            and (homes[column].library_s is None or way_s < (homes[column].library_s or 0))
        )
        if ways:
            near[stop.stop_id] = ways
    return Access(homes=homes, near=near)

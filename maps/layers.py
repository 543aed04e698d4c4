"""What a map shows, as features without words: places, stops and runs with their facts.

Positions are lon, lat. ``maps.draw`` gives the features shape, colour and text; ``frame`` hands
them to geopandas for those who go on from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from data.model.fleet import Vehicle
from data.model.lines import RunLines, leg_lines
from data.model.norms import Need
from data.model.place import Library, Municipality, Settlement, Standing, Stop
from data.model.plan import Plan, PlanRequest, Run, StopVisit, Unserved
from data.model.region import Region

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementPoint:
    """A settlement with its need, where a norm judged it."""

    lon: float
    lat: float
    settlement: Settlement
    municipality: Municipality | None
    need: Need | None
    nearest: Library | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryPoint:
    """The libraries at one place; ``standing`` is known if one of them is."""

    lon: float
    lat: float
    libraries: tuple[Library, ...]
    standing: Standing
    settlement: Settlement | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPoint:
    """A stop with its visits in the cycle, by day, or why it has none."""

    lon: float
    lat: float
    stop: Stop
    visits: tuple[tuple[Run, StopVisit], ...]
    unserved: Unserved | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """A run with one line a leg; straight, or no roads, where ``follows_roads`` is false."""

    run: Run
    vehicle: Vehicle
    legs: tuple[tuple[tuple[float, float], ...], ...]
    follows_roads: bool


def settlement_points(region: Region, needs: Sequence[Need]) -> tuple[SettlementPoint, ...]:
    """All settlements of a region, the largest first, those of unknown population last."""
    by_id = {n.settlement_id: n for n in needs}
    libraries: dict[str | None, Library] = {lib.library_id: lib for lib in region.libraries}
    municipalities: dict[str | None, Municipality] = {
        m.municipality_id: m for m in region.municipalities
    }
    points = []
    for place in sorted(region.settlements, key=lambda s: (-(s.population or 0), s.settlement_id)):
        need = by_id.get(place.settlement_id)
        nearest = libraries.get(need.nearest_library_id) if need else None
        points.append(
            SettlementPoint(
                lon=place.lon,
                lat=place.lat,
                settlement=place,
                municipality=municipalities.get(place.municipality_id),
                need=need,
                nearest=nearest,
            )
        )
    return tuple(points)


def library_points(region: Region) -> tuple[LibraryPoint, ...]:
    """Libraries by place: a town has many at one point. Those without a place are left out."""
    homes = {s.settlement_id: s for s in region.settlements}
    found: dict[tuple[float, float], list[Library]] = {}
    settlements: dict[tuple[float, float], Settlement | None] = {}
    for library in region.libraries:
        home = homes.get(library.settlement_id) if library.settlement_id else None
        if library.lon is not None and library.lat is not None:
            place = (library.lon, library.lat)
        elif home is not None:
            place = (home.lon, home.lat)
        else:
            continue
        found.setdefault(place, []).append(library)
        settlements[place] = home
    return tuple(
        LibraryPoint(
            lon=place[0],
            lat=place[1],
            libraries=tuple(libraries),
            standing=min((lib.standing for lib in libraries), key=list(Standing).index),
            settlement=settlements[place],
        )
        for place, libraries in found.items()
    )


def stop_points(request: PlanRequest, plan: Plan) -> tuple[StopPoint, ...]:
    """All stops of a request in its order, with visits or the reason for having none."""
    visits: dict[str, list[tuple[Run, StopVisit]]] = {}
    for run in plan.runs:
        for visit in run.visits:
            visits.setdefault(visit.stop_id, []).append((run, visit))
    reasons = {u.stop_id: u for u in plan.unserved}
    return tuple(
        StopPoint(
            lon=stop.lon,
            lat=stop.lat,
            stop=stop,
            visits=tuple(
                sorted(visits.get(stop.stop_id, ()), key=lambda rv: (rv[0].day, rv[1].start_s))
            ),
            unserved=reasons.get(stop.stop_id),
        )
        for stop in request.stops
    )


def run_line_features(
    request: PlanRequest, plan: Plan, lines: RunLines | None
) -> tuple[RunLine, ...]:
    """The runs of a plan by day, then in the order of the request's vehicles."""
    order = {v.vehicle_id: i for i, v in enumerate(request.vehicles)}
    features = []
    for run in sorted(plan.runs, key=lambda r: (r.day, order[r.vehicle_id])):
        legs, follows_roads = leg_lines(request, run, lines)
        vehicle = request.vehicles[order[run.vehicle_id]]
        features.append(RunLine(run=run, vehicle=vehicle, legs=legs, follows_roads=follows_roads))
    return tuple(features)


class _Point(Protocol):
    @property
    def lon(self) -> float: ...
    @property
    def lat(self) -> float: ...


def frame(features: Sequence[_Point]) -> "GeoDataFrame":
    """Point features as a GeoDataFrame in EPSG:4326, one column a field.

    geopandas is loaded here and not above: a second that drawing need not wait.
    """
    from geopandas import GeoDataFrame, points_from_xy

    names = getattr(type(features[0]), "__slots__", ()) if features else ()
    columns = {n: [getattr(f, n) for f in features] for n in names if n not in {"lon", "lat"}}
    places = points_from_xy([f.lon for f in features], [f.lat for f in features])
    return GeoDataFrame(columns, geometry=places, crs="EPSG:4326")

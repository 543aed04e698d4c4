"""A first region made from an extract or from files, with defaults that a person then edits."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import shapely

from data.feeds.importing import stable_id
from data.feeds.osm import Boundary, OsmRegion
from data.feeds.position_checks import middle
from data.feeds.profiles import load_norm_sets, load_rule_sets
from data.feeds.settlements import completed_municipalities
from data.model.errors import InputError
from data.model.fleet import RuleSet, RuleSetId, Vehicle, VehicleId
from data.model.geo import Ring, distance_m
from data.model.norms import NormSet
from data.model.place import (
    Depot,
    DepotId,
    Library,
    LibraryKind,
    Municipality,
    MunicipalityId,
    Settlement,
    Stop,
)
from data.model.region import PopulationBand, Region, ServiceStandard, SourceNote

NUM_VEHICLES = 2
DEFAULT_NORM_SET = "design-default"
_MUNICIPAL_LEVELS = range(3, 11)
_DEPOT_LIBRARY_M = 5_000.0


OSM_SOURCE = SourceNote(
    title="OpenStreetMap contributors",
    licence="ODbL 1.0",
    address="https://www.openstreetmap.org/copyright",
)
"""What every region owes that takes anything from an extract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """Defaults of a country; every one is a setting of the region once it is made."""

    code: str
    language: str
    time_zone: str
    box: tuple[float, float, float, float]
    """West, south, east, north in degrees: where to suppose this country."""


COUNTRIES = (
    Country(code="LI", language="de", time_zone="Europe/Vaduz", box=(9.46, 47.04, 9.64, 47.28)),
    Country(
        code="RU", language="ru", time_zone="Europe/Kaliningrad", box=(19.4, 54.25, 22.95, 55.4)
    ),
    Country(code="GB", language="en", time_zone="Europe/London", box=(-8.7, 49.8, 1.8, 60.9)),
)
"""Small boxes first. Russia beyond Kaliningrad is told by its language and ``_RUSSIAN_ZONES``."""

_RUSSIAN_ZONES = (
    (47.0, "Europe/Moscow"),
    (54.0, "Europe/Samara"),
    (68.0, "Asia/Yekaterinburg"),
    (78.0, "Asia/Omsk"),
    (96.0, "Asia/Krasnoyarsk"),
    (113.0, "Asia/Irkutsk"),
    (129.0, "Asia/Yakutsk"),
    (147.0, "Asia/Vladivostok"),
    (160.0, "Asia/Magadan"),
    (180.0, "Asia/Kamchatka"),
)
"""Eastern edges, roughly: a first guess that the region file states and a person corrects."""
_RULE_SETS = {"ru": ("ru-424", "ru-pdd26"), "en": ("gb-domestic-passenger", "gb-domestic-goods")}
_OTHER_RULE_SETS = ("eu-561",)


def service_standard(language: str) -> ServiceStandard:
    """The default service of a language's country (design defaults, see docs)."""
    if language == "en":
        return ServiceStandard(
            bands=(
                PopulationBand(up_to=500, service_s=20 * 60),
                PopulationBand(up_to=None, service_s=30 * 60),
            ),
            unknown_population_service_s=20 * 60,
            setup_s=5 * 60,
            teardown_s=3 * 60,
            day_start_s=9 * 3600 + 1800,
            day_end_s=17 * 3600,
            max_gap_days=28,
            stops_per_day_max=13,
            walk_to_stop_m=400,
            weight_child=1.0,
            weight_senior=1.0,
        )
    return ServiceStandard(
        bands=(
            PopulationBand(up_to=100, service_s=3600),
            PopulationBand(up_to=300, service_s=5400),
            PopulationBand(up_to=None, service_s=7200),
        )
    )


def region_from_osm(
    osm: OsmRegion,
    *,
    region_id: str,
    name: str = "",
    language: str | None = None,
    time_zone: str | None = None,
    roads_file: str = "",
) -> Region:
    """A region of an extract alone: settlements, libraries, boundaries, roads.

    Population that the extract does not give is missing, never zero; its libraries are no
    complete register.

    Raises
    ------
    InputError
        ``feeds.init.no_settlements`` where the extract names none.
    """
    if not osm.settlements:
        raise InputError("feeds.init.no_settlements", file=osm.file)
    settlements, municipalities, districts = _with_municipalities(osm.settlements, osm.boundaries)
    country = next((b.country for b in osm.boundaries if b.admin_level == 2 and b.country), "")
    return region_from_files(
        region_id=region_id,
        name=name or _named_by(osm.boundaries, settlements) or region_id,
        settlements=settlements,
        libraries=osm.libraries,
        municipalities=municipalities,
        districts=districts,
        language=language,
        time_zone=time_zone,
        country_code=country,
        roads_file=roads_file,
        sources=(OSM_SOURCE,),
    )


def region_from_files(
    *,
    region_id: str,
    settlements: Sequence[Settlement],
    stops: Sequence[Stop] = (),
    name: str = "",
    libraries: Sequence[Library] = (),
    municipalities: Sequence[Municipality] = (),
    depots: Sequence[Depot] = (),
    vehicles: Sequence[Vehicle] = (),
    land: Sequence[Ring] = (),
    districts: Mapping[MunicipalityId, tuple[Ring, ...]] | None = None,
    language: str | None = None,
    time_zone: str | None = None,
    country_code: str = "",
    roads_file: str = "",
    sources: Sequence[SourceNote] = (),
) -> Region:
    """A region of imported tables, with defaults for whatever was not given.

    One depot stands at a library of the largest settlement, or in it, or, where there are stops
    alone, at the one nearest to their middle; two vehicles start there.
    The projected CRS is the UTM zone of the middle. Municipalities that settlements name but no
    table holds get a row of their own.

    Parameters
    ----------
    language, time_zone
        Found from the position where ``None``: the language by country, the zone by a short
        table, else English and UTC.

    Raises
    ------
    InputError
        ``feeds.init.no_settlements`` where there are none, nor stops.
    """
    places: Sequence[Settlement | Stop] = settlements or stops
    if not places:
        raise InputError("feeds.init.no_settlements", file=region_id)
    lon, lat = middle([(p.lon, p.lat) for p in places])
    language = language or _language(lon, lat, [p.name for p in places], country_code)
    time_zone = time_zone or _time_zone(lon, lat, language, country_code)
    rule_sets = _rule_sets(language)
    if not depots:
        depots = (_depot(settlements, libraries) if settlements else _depot_at(stops, lon, lat),)
    return Region(
        region_id=region_id,
        names={language: name or region_id},
        time_zone=time_zone,
        language=language,
        crs=utm_crs(lon, lat),
        settlements=tuple(settlements),
        libraries=tuple(libraries),
        municipalities=completed_municipalities(municipalities, settlements),
        depots=tuple(depots),
        stops=tuple(stops),
        vehicles=tuple(vehicles) or _vehicles(depots, language),
        standard=service_standard(language),
        norm_sets=_norm_sets(),
        norm_set_id=DEFAULT_NORM_SET,
        rule_sets=rule_sets,
        default_rule_set_ids=tuple(rule_sets),
        land=tuple(land),
        districts=dict(districts or {}),
        roads_file=roads_file,
        sources=tuple(sources),
    )


def utm_crs(lon: float, lat: float) -> str:
    """EPSG code of the UTM zone that a position lies in."""
    zone = min(60, int((lon + 180) // 6) + 1)
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"


def check_covers(osm: OsmRegion, settlements: Sequence[Settlement], *, least: float = 0.5) -> None:
    """Refuse an extract of another place than the settlements.

    Raises
    ------
    InputError
        ``feeds.init.elsewhere`` where less than ``least`` of the settlements lie in the extract.
    """
    if osm.extent is None or not settlements:
        return
    west, south, east, north = osm.extent
    inside = sum(west <= s.lon <= east and south <= s.lat <= north for s in settlements)
    if inside < least * len(settlements):
        lon, lat = middle([(s.lon, s.lat) for s in settlements])
        raise InputError(
            "feeds.init.elsewhere",
            file=osm.file,
            inside=inside,
            total=len(settlements),
            extent=f"{west:.2f}, {south:.2f} … {east:.2f}, {north:.2f}",
            middle=f"{lon:.2f}, {lat:.2f}",
        )


def _country(lon: float, lat: float, code: str) -> Country | None:
    for country in COUNTRIES:
        west, south, east, north = country.box
        in_box = west <= lon <= east and south <= lat <= north
        if country.code == code or (not code and in_box):
            return country
    return None


def _language(lon: float, lat: float, names: Sequence[str], code: str) -> str:
    country = _country(lon, lat, code)
    if country is not None:
        return country.language
    cyrillic = sum(any("а" <= letter <= "я" for letter in name.lower()) for name in names)
    return "ru" if 2 * cyrillic > len(names) else "en"


def _time_zone(lon: float, lat: float, language: str, code: str) -> str:
    country = _country(lon, lat, code)
    if country is not None and not (country.code == "RU" and lon > country.box[2]):
        return country.time_zone
    if language == "ru" or code == "RU":
        return next((zone for east, zone in _RUSSIAN_ZONES if lon < east), "UTC")
    return "UTC"


def _rule_sets(language: str) -> dict[RuleSetId, RuleSet]:
    shipped = load_rule_sets()
    wanted = _RULE_SETS.get(language, _OTHER_RULE_SETS)
    return {RuleSetId(key): shipped[RuleSetId(key)] for key in wanted}


def _norm_sets() -> tuple[NormSet, ...]:
    return tuple(n for key, n in load_norm_sets().items() if key == DEFAULT_NORM_SET)


def _largest(settlements: Sequence[Settlement]) -> Settlement:
    """The settlement of most people; where no population is known, a town before a village."""
    ranks = {"city": 4, "г": 4, "town": 3, "village": 2, "пгт": 3, "п": 2, "с": 2}
    return max(
        settlements, key=lambda s: (s.population or 0, ranks.get(s.kind, 0), s.settlement_id)
    )


def _depot(settlements: Sequence[Settlement], libraries: Sequence[Library]) -> Depot:
    home = _largest(settlements)
    near = [
        (distance_m(home.lon, home.lat, item.lon, item.lat), item.library_id, item)
        for item in libraries
        if item.kind is LibraryKind.LIBRARY
        and item.closed_date is None
        and item.lon is not None
        and item.lat is not None
    ]
    if near:
        metres, _, library = min(near)
        if metres <= _DEPOT_LIBRARY_M and library.lon is not None and library.lat is not None:
            return Depot(
                depot_id=DepotId("depot-1"),
                name=library.name or home.name,
                lon=library.lon,
                lat=library.lat,
                settlement_id=home.settlement_id,
            )
    return Depot(
        depot_id=DepotId("depot-1"),
        name=home.name,
        lon=home.lon,
        lat=home.lat,
        settlement_id=home.settlement_id,
    )


def _depot_at(stops: Sequence[Stop], lon: float, lat: float) -> Depot:
    """A depot at the stop nearest to a position."""
    stop = min(stops, key=lambda s: (distance_m(lon, lat, s.lon, s.lat), s.stop_id))
    return Depot(depot_id=DepotId("depot-1"), name=stop.name, lon=stop.lon, lat=stop.lat)


def _vehicles(depots: Sequence[Depot], language: str) -> tuple[Vehicle, ...]:
    word = "КИБО" if language == "ru" else "Mobile"
    return tuple(
        Vehicle(
            vehicle_id=VehicleId(f"vehicle-{number}"),
            name=f"{word} {number}",
            depot_id=depots[(number - 1) % len(depots)].depot_id,
        )
        for number in range(1, NUM_VEHICLES + 1)
    )


def _with_municipalities(
    settlements: Sequence[Settlement], boundaries: Sequence[Boundary]
) -> tuple[
    tuple[Settlement, ...], tuple[Municipality, ...], dict[MunicipalityId, tuple[Ring, ...]]
]:
    """Settlements under the level of boundaries that divides them and holds most of them."""
    best: dict[int, Boundary] = {}
    for level in _MUNICIPAL_LEVELS:
        found = _homes(settlements, [b for b in boundaries if b.admin_level == level])
        if len({b.boundary_id for b in found.values()}) > 1 and len(found) > len(best):
            best = found
    homes = {settlements[index].settlement_id: b for index, b in best.items()}
    used = {b.boundary_id: b for b in sorted(best.values(), key=lambda b: b.boundary_id)}
    placed = tuple(
        replace(s, municipality_id=MunicipalityId(homes[s.settlement_id].boundary_id))
        if s.settlement_id in homes
        else s
        for s in settlements
    )
    municipalities = tuple(
        Municipality(
            municipality_id=MunicipalityId(key),
            name=b.name,
            name_latin=b.name_latin,
            source="OpenStreetMap",
        )
        for key, b in used.items()
    )
    return placed, municipalities, {MunicipalityId(key): b.rings for key, b in used.items()}


def _homes(
    settlements: Sequence[Settlement], boundaries: Sequence[Boundary]
) -> dict[int, Boundary]:
    """Index of a settlement to the boundary around it."""
    if not boundaries:
        return {}
    shapes = [
        shapely.make_valid(shapely.MultiPolygon([shapely.Polygon(r) for r in b.rings]))
        for b in boundaries
    ]
    points = shapely.points([(s.lon, s.lat) for s in settlements])
    pairs = shapely.STRtree(shapes).query(points, predicate="within")
    return {int(point): boundaries[int(shape)] for point, shape in pairs.T}


def _named_by(boundaries: Iterable[Boundary], settlements: Sequence[Settlement]) -> str:
    """Name of the smallest area above the municipalities that holds nearly all settlements."""
    wide = [b for b in boundaries if b.admin_level < _MUNICIPAL_LEVELS.stop]
    holders: Counter[str] = Counter()
    names = {}
    for boundary in wide:
        held = len(_homes(settlements, [boundary]))
        if held >= 0.9 * len(settlements):
            holders[boundary.boundary_id] = boundary.admin_level
            names[boundary.boundary_id] = boundary.name
    return names[max(holders, key=lambda key: holders[key])] if holders else ""


def region_id_of(path: Path) -> str:
    """A region id from a file name: ``Rutland 2018.osm.pbf`` gives ``rutland-2018``."""
    stem = path.name.split(".")[0].lower()
    plain = "-".join("".join(c if c.isalnum() and c.isascii() else " " for c in stem).split())
    return plain or stable_id("region", stem)

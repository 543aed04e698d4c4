"""A region as a folder a person can read: ``region.toml`` and its tables."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from data.feeds.assume import assumed_libraries
from data.feeds.columns import nearest
from data.feeds.depots import DEPOTS
from data.feeds.entity import Entity
from data.feeds.libraries import LIBRARIES
from data.feeds.outlines import read_districts, read_land, write_districts, write_land
from data.feeds.profile_writer import write_norm_sets, write_rule_sets
from data.feeds.profiles import load_norm_sets, load_rule_sets, read_norm_sets, read_rule_sets
from data.feeds.region_tables import ReadRows, check_references, read_rows, write_rows
from data.feeds.region_toml import RegionHead, read_head
from data.feeds.region_toml_writer import write_head
from data.feeds.report import Problem, input_error
from data.feeds.settlements import MUNICIPALITIES, SETTLEMENTS, completed_municipalities
from data.feeds.specialists import SPECIALISTS
from data.feeds.stops import STOPS
from data.feeds.vehicles import VEHICLES
from data.model.crew import Specialist
from data.model.errors import InputError
from data.model.fleet import RuleSet, RuleSetId, Vehicle
from data.model.norms import NormSet
from data.model.place import (
    Depot,
    Library,
    Municipality,
    Settlement,
    Standing,
    Stop,
)
from data.model.region import Region

HEAD_FILE = "region.toml"
LAND_FILE = "land.geojson"
DISTRICTS_FILE = "districts.geojson"
NORMS_FILE = "norms.toml"
RULES_FILE = "rule_sets.toml"


def read_region(folder: Path) -> Region:
    """Read a region folder; nothing in it is passed over silently.

    Rule sets and norm sets that the region names come from its own ``rule_sets.toml`` and
    ``norms.toml`` or from those shipped. Libraries are the known ones followed by the assumed.

    Raises
    ------
    InputError
        Naming file, row, key or column, and value; ``problems`` holds everything that is wrong
        with the file.
    """
    path = folder / HEAD_FILE
    if not folder.is_dir():
        raise InputError("region.no_folder", folder=str(folder))
    if not path.exists():
        raise InputError("region.no_head", folder=str(folder), file=HEAD_FILE)
    head = read_head(path)
    settlements = read_rows(folder, SETTLEMENTS)
    municipalities = read_rows(folder, MUNICIPALITIES)
    libraries = read_rows(folder, LIBRARIES)
    depots = read_rows(folder, DEPOTS)
    vehicles = read_rows(folder, VEHICLES)
    specialists = read_rows(folder, SPECIALISTS)
    stops = read_rows(folder, STOPS)
    _check_references(
        settlements=settlements,
        municipalities=municipalities,
        libraries=libraries,
        depots=depots,
        vehicles=vehicles,
        specialists=specialists,
        stops=stops,
    )
    rule_sets = _rule_sets(folder, head, vehicles)
    land, districts = folder / LAND_FILE, folder / DISTRICTS_FILE
    region = Region(
        region_id=head.region_id,
        names=head.names,
        time_zone=head.time_zone,
        language=head.language,
        crs=head.crs,
        settlements=settlements.items,
        libraries=libraries.items,
        municipalities=municipalities.items,
        depots=depots.items,
        vehicles=vehicles.items,
        specialists=specialists.items,
        stops=stops.items,
        calendar=head.calendar,
        standard=head.standard,
        norm_sets=_norm_sets(folder, head),
        norm_set_id=head.norm_set_id,
        rule_sets=rule_sets,
        default_rule_set_ids=head.default_rule_set_ids,
        refuses_ended_rules=head.refuses_ended_rules,
        library_register_is_complete=head.library_register_is_complete,
        library_assumption=head.library_assumption,
        land=read_land(land) if land.exists() else (),
        districts=read_districts(districts) if districts.exists() else {},
        estimate=head.estimate,
        roads_file=head.roads_file,
        travel_factor=head.travel_factor,
        sources=head.sources,
        start_date=head.start_date,
        costs=head.costs,
        phone=head.phone,
    )
    return replace(region, libraries=region.libraries + assumed_libraries(region))


def roads_path(region: Region, folder: Path) -> Path | None:
    """Where the region's road extract lies; ``None`` where it names none."""
    return folder / region.roads_file if region.roads_file else None


def _check_references(
    *,
    settlements: ReadRows[Settlement],
    municipalities: ReadRows[Municipality],
    libraries: ReadRows[Library],
    depots: ReadRows[Depot],
    vehicles: ReadRows[Vehicle],
    specialists: ReadRows[Specialist],
    stops: ReadRows[Stop],
) -> None:
    """Every id that one table takes from another is there."""
    problems: list[Problem] = []
    if municipalities.is_there:
        check_references(
            settlements,
            {"municipality_id": municipalities.ids},
            target="municipalities.csv",
            problems=problems,
        )
    of_settlement = {"settlement_id": settlements.ids}
    for table in (libraries, depots):
        check_references(table, of_settlement, target="settlements.csv", problems=problems)
    check_references(
        stops, {"settlement_ids": settlements.ids}, target="settlements.csv", problems=problems
    )
    check_references(
        vehicles,
        {
            "depot_id": depots.ids,
            "end_depot_id": depots.ids,
            "lodgings": frozenset(d.depot_id for d in depots.items if d.is_lodging),
        },
        target="depots.csv",
        problems=problems,
    )
    check_references(
        specialists, {"vehicles": vehicles.ids}, target="vehicles.csv", problems=problems
    )
    if specialists.is_there:
        # Without that table no service is known, and every plan says which stops lack one.
        services = frozenset(s.service for s in specialists.items)
        check_references(stops, {"services": services}, target="specialists.csv", problems=problems)
    if problems:
        raise input_error(problems)


def _rule_sets(
    folder: Path, head: RegionHead, vehicles: ReadRows[Vehicle]
) -> dict[RuleSetId, RuleSet]:
    """The folder's own rule sets and those shipped ones that the region names."""
    path = folder / RULES_FILE
    own = read_rule_sets(path) if path.exists() else {}
    known = load_rule_sets() | own
    used = dict(own)
    problems: list[Problem] = []
    for rule_set_id in head.default_rule_set_ids:
        if rule_set_id in known:
            used[rule_set_id] = known[rule_set_id]
        else:
            problems.append(
                _unknown_in_head("region.unknown_rule_set", "crew.rule_sets", rule_set_id, known)
            )
    for vehicle, row in zip(vehicles.items, vehicles.rows, strict=True):
        for rule_set_id in vehicle.rule_set_ids:
            if rule_set_id in known:
                used[rule_set_id] = known[rule_set_id]
            else:
                row.note(
                    "feeds.row.unknown_rule_set",
                    "rule_sets",
                    value=rule_set_id,
                    **_known_sets(rule_set_id, known),
                )
                problems += row.causes
    if problems:
        raise input_error(problems)
    return used


def _norm_sets(folder: Path, head: RegionHead) -> tuple[NormSet, ...]:
    """The folder's own norm sets and the shipped one that the region names."""
    path = folder / NORMS_FILE
    own = read_norm_sets(path) if path.exists() else {}
    shipped = load_norm_sets()
    if not head.norm_set_id or head.norm_set_id in own:
        return tuple(own.values())
    if head.norm_set_id not in shipped:
        known = shipped | own
        raise input_error(
            [_unknown_in_head("region.unknown_norm_set", "norms.set", head.norm_set_id, known)]
        )
    return (*own.values(), shipped[head.norm_set_id])


def _unknown_in_head(code: str, key: str, value: str, known: Iterable[str]) -> Problem:
    facts = {"file": HEAD_FILE, "key": key, "value": value}
    return Problem(code=code, facts=facts | _known_sets(value, known))


def _known_sets(value: str, known: Iterable[str]) -> dict[str, str]:
    names = sorted(known)
    return {"nearest": nearest(value, names), "known": ", ".join(names)}


def write_region(region: Region, folder: Path) -> None:
    """Write a region folder, which is made if it is not there.

    ``read_region`` gives the same region back, provided that it holds the rule sets and the norm
    set that it names and no other shipped ones, and speeds and lengths that a decimal number of
    km/h and km gives. Assumed libraries are not written: they follow
    from the assumption. Municipalities that settlements name and no row holds get a row. Rings are
    written closed and read without the repeated point; outlines that stay the same keep their
    file with whatever else it says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_head(region, folder / HEAD_FILE)
    known = tuple(item for item in region.libraries if item.standing is Standing.KNOWN)
    _write_or_remove(region.settlements, folder, SETTLEMENTS)
    municipalities = region.municipalities and completed_municipalities(
        region.municipalities, region.settlements
    )
    _write_or_remove(municipalities, folder, MUNICIPALITIES)
    _write_or_remove(known, folder, LIBRARIES)
    _write_or_remove(region.depots, folder, DEPOTS)
    _write_or_remove(region.vehicles, folder, VEHICLES)
    _write_or_remove(region.specialists, folder, SPECIALISTS)
    _write_or_remove(region.stops, folder, STOPS)
    _write_outlines(region, folder)
    _remove(folder, NORMS_FILE, RULES_FILE)
    shipped_norms, shipped_rules = load_norm_sets(), load_rule_sets()
    norms = [n for n in region.norm_sets if shipped_norms.get(n.norm_set_id) != n]
    rules = [r for key, r in region.rule_sets.items() if shipped_rules.get(key) != r]
    if norms:
        write_norm_sets(norms, folder / NORMS_FILE)
    if rules:
        write_rule_sets(rules, folder / RULES_FILE)


def _write_outlines(region: Region, folder: Path) -> None:
    land, districts = folder / LAND_FILE, folder / DISTRICTS_FILE
    if not region.land:
        _remove(folder, LAND_FILE)
    elif not _says(land, read_land, region.land):
        write_land(region.land, land)
    if not region.districts:
        _remove(folder, DISTRICTS_FILE)
    elif not _says(districts, read_districts, region.districts):
        write_districts(region.districts, districts)


def _says(path: Path, read: Callable[[Path], object], value: object) -> bool:
    try:
        return path.exists() and read(path) == value
    except InputError:
        return False


def _write_or_remove[T](items: tuple[T, ...], folder: Path, entity: Entity[T]) -> None:
    if items:
        write_rows(items, folder, entity)
    else:
        _remove(folder, f"{entity.name}.csv")


def _remove(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).unlink(missing_ok=True)

"""Make and fill region folders from a person's files."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from api.progress import Ticker
from api.services.folders import not_written
from data.feeds.depots import import_depots
from data.feeds.init_region import (
    OSM_SOURCE,
    check_covers,
    region_from_files,
    region_from_osm,
    region_id_of,
)
from data.feeds.libraries import import_libraries
from data.feeds.norms_table import import_norm_sets
from data.feeds.osm import OsmRegion, read_osm
from data.feeds.outlines import read_land
from data.feeds.region_folder import read_region, write_region
from data.feeds.report import ImportReport
from data.feeds.settlements import import_municipalities, import_settlements
from data.feeds.specialists import import_specialists
from data.feeds.stops import import_stops
from data.feeds.tables import read_table
from data.feeds.vehicles import import_vehicles
from data.model.errors import InputError
from data.model.place import Standing
from data.model.region import Region

type Told = Callable[[ImportReport], None]
"""Told what an import took and refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFiles:
    """The files of one ``init`` or ``import``; ``None`` where a kind was not given."""

    osm: Path | None = None
    settlements: Path | None = None
    municipalities: Path | None = None
    libraries: Path | None = None
    depots: Path | None = None
    vehicles: Path | None = None
    specialists: Path | None = None
    stops: Path | None = None
    norms: Path | None = None
    land: Path | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    """The files' column names to ours."""
    encoding: str | None = None

    @property
    def tables(self) -> tuple[Path, ...]:
        """The tables given, whose columns the mapping may name."""
        tables = (
            self.settlements,
            self.municipalities,
            self.libraries,
            self.depots,
            self.vehicles,
            self.specialists,
            self.stops,
            self.norms,
        )
        return tuple(path for path in tables if path is not None)

    @property
    def is_empty(self) -> bool:
        return not (self.osm or self.land or self.tables)

    def mapping_of(self, path: Path) -> Mapping[str, str]:
        """The part of the mapping that is about a table; a column of no other table is kept.

        One mapping serves all files of a command, and each file has columns of its own.
        """
        if not self.mapping or len(self.tables) < 2 or path.suffix.lower() == ".toml":
            return self.mapping
        own = read_table(path, encoding=self.encoding).columns
        elsewhere = {
            column
            for other in self.tables
            if other != path and other.suffix.lower() != ".toml"
            for column in read_table(other, encoding=self.encoding).columns
        }
        return {
            theirs: ours
            for theirs, ours in self.mapping.items()
            if theirs in own or theirs not in elsewhere
        }


def make_region(
    folder: Path,
    given: GivenFiles,
    *,
    name: str,
    language: str | None,
    time_zone: str | None,
    tick: Ticker,
    told: Told,
) -> Region:
    """Make a region folder from an extract, from tables, or from tables over an extract.

    A table of stops is enough: a published timetable is planned anew without any settlement.

    Parameters
    ----------
    told
        Told what each table gave as soon as it is read, also where the region is refused then.

    Raises
    ------
    InputError
        ``region.exists`` where the folder already holds one; ``region.nothing_given`` without
        an extract, settlements and stops; ``file.not_written``; whatever the files themselves
        are refused for. Nothing is written then.
    """
    if (folder / "region.toml").exists():
        raise InputError("region.exists", folder=str(folder))
    if given.osm is None and given.settlements is None and given.stops is None:
        raise InputError("region.nothing_given", folder=str(folder))
    region_id = region_id_of(Path(folder.name))
    osm = _read_extract(given.osm, tick)
    extract = "" if given.osm is None else given.osm.name
    tables = replace(given, osm=None)
    if given.settlements is None and osm is not None:
        region = region_from_osm(
            osm,
            region_id=region_id,
            name=name,
            language=language,
            time_zone=time_zone,
            roads_file=extract,
        )
        region = filled(region, tables, told)
    else:
        region = region_of_tables(
            filled(nothing_yet(region_id), tables, told),
            osm,
            name=name,
            language=language,
            time_zone=time_zone,
            roads_file=extract,
        )
    return _written(region, given.osm, folder)


def nothing_yet(region_id: str) -> Region:
    """A region to fill with tables; what they do not give follows in ``region_of_tables``."""
    return Region(
        region_id=region_id,
        names={"en": region_id},
        time_zone="UTC",
        language="en",
        crs="EPSG:3857",
    )


def region_of_tables(
    read: Region,
    osm: OsmRegion | None,
    *,
    name: str,
    language: str | None,
    time_zone: str | None,
    roads_file: str,
) -> Region:
    """The region of imported tables, with defaults for what they do not give.

    Raises
    ------
    InputError
        ``feeds.init.elsewhere`` for an extract of another place; ``feeds.init.no_settlements``.
    """
    if osm is not None:
        check_covers(osm, read.settlements)
    region = region_from_files(
        region_id=read.region_id,
        name=name,
        settlements=read.settlements,
        libraries=read.libraries or (osm.libraries if osm else ()),
        municipalities=read.municipalities,
        depots=read.depots,
        vehicles=read.vehicles,
        stops=read.stops,
        land=read.land,
        language=language,
        time_zone=time_zone,
        roads_file=roads_file,
        sources=(OSM_SOURCE,) if osm else (),
    )
    return replace(
        region, norm_sets=(*region.norm_sets, *read.norm_sets), specialists=read.specialists
    )


def fill_region(folder: Path, given: GivenFiles, *, tick: Ticker, told: Told) -> Region:
    """Add files to a region that exists: rows of a known id are replaced, others are added.

    Raises
    ------
    InputError
        ``region.nothing_to_import`` without a file; ``file.not_written``; whatever the files are
        refused for. The folder is not touched then.
    """
    if given.is_empty:
        raise InputError("region.nothing_to_import")
    region = read_region(folder)
    osm = _read_extract(given.osm, tick)
    if osm is not None:
        region = with_extract(region, osm, osm.file)
    return _written(filled(region, given, told), given.osm, folder)


def with_extract(region: Region, osm: OsmRegion, roads_file: str) -> Region:
    """The region on the roads of an extract, whose contributors it then owes.

    Raises
    ------
    InputError
        ``feeds.init.elsewhere`` for an extract of another place.
    """
    check_covers(osm, region.settlements)
    sources = dict.fromkeys((*region.sources, OSM_SOURCE))
    return replace(region, roads_file=roads_file, sources=tuple(sources))


def filled(region: Region, given: GivenFiles, told: Told) -> Region:
    """A region with the tables of the given files merged in by id."""

    def read[T](
        path: Path | None,
        reader: Callable[..., tuple[tuple[T, ...], ImportReport]],
        old: Iterable[T],
        key: str,
        **checks: object,
    ) -> tuple[T, ...]:
        if path is None:
            return tuple(old)
        mapping = given.mapping_of(path) or None
        items, report = reader(path, mapping=mapping, encoding=given.encoding, **checks)
        told(report)
        merged = {getattr(item, key): item for item in old}
        merged.update({getattr(item, key): item for item in items})
        return tuple(merged.values())

    if given.land is not None:
        region = replace(region, land=read_land(given.land))
    region = replace(
        region,
        municipalities=read(
            given.municipalities, import_municipalities, region.municipalities, "municipality_id"
        ),
        settlements=read(
            given.settlements,
            import_settlements,
            region.settlements,
            "settlement_id",
            land=region.land or None,
        ),
    )
    homes = {str(s.settlement_id) for s in region.settlements} or None
    known = [item for item in region.libraries if item.standing is Standing.KNOWN]
    region = replace(
        region,
        libraries=read(
            given.libraries, import_libraries, known, "library_id", settlement_ids=homes
        ),
        depots=read(given.depots, import_depots, region.depots, "depot_id", settlement_ids=homes),
        stops=read(given.stops, import_stops, region.stops, "stop_id", settlement_ids=homes),
    )
    depots = {str(d.depot_id) for d in region.depots} or None
    region = replace(
        region,
        vehicles=read(
            given.vehicles, import_vehicles, region.vehicles, "vehicle_id", depot_ids=depots
        ),
    )
    vehicles = {str(v.vehicle_id) for v in region.vehicles} or None
    region = replace(
        region,
        specialists=read(
            given.specialists,
            import_specialists,
            region.specialists,
            "specialist_id",
            vehicle_ids=vehicles,
        ),
    )
    return replace(
        region, norm_sets=read(given.norms, import_norm_sets, region.norm_sets, "norm_set_id")
    )


def _read_extract(path: Path | None, tick: Ticker) -> OsmRegion | None:
    if path is None:
        return None
    tick.phase("phase.extract")
    return read_osm(path, progress=tick.fraction)


def _written(region: Region, extract: Path | None, folder: Path) -> Region:
    """The region as its folder gives it back; a region that would not read is never written."""
    with TemporaryDirectory() as trial:
        write_region(region, Path(trial))
        read_region(Path(trial))
    try:
        write_region(region, folder)
        _keep_extract(extract, folder)
    except OSError as wrong:
        raise not_written(folder, wrong) from wrong
    return read_region(folder)


def _keep_extract(path: Path | None, folder: Path) -> None:
    """Copy the extract into the folder, so that the region stands alone."""
    if path is not None and path.resolve() != (folder / path.name).resolve():
        partial = folder / (path.name + ".partial")
        shutil.copyfile(path, partial)
        partial.replace(folder / path.name)

"""Basemaps as files: of a region from what it knows, of an extract; written in one step."""

import hashlib
import logging
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path

from data.feeds.tables import check_file
from data.model.errors import InputError
from data.model.geo import Ring
from data.model.region import Region
from maps.basemap.archive import set_bounds
from maps.basemap.extract import ExtractReader
from maps.basemap.feature import MAX_ZOOM
from maps.basemap.region import REGION_MAX_ZOOM, bundled_water, region_bounds, region_features
from maps.basemap.tiler import write_tiles
from maps.basemap.tippecanoe import tile_with_tippecanoe, tippecanoe_program

log = logging.getLogger(__name__)

OSM_ATTRIBUTION = "© OpenStreetMap contributors"
READING, TILING = "basemap.reading", "basemap.tiling"
"""Phases of making the map of an extract, as message codes."""
_NATURAL_EARTH = "Natural Earth"
_TITLE_END = re.compile(r"[,:;(]")
_FORM = 1
"""Raised when the same region or extract gives another map."""
_GENERATOR = "bookmobile-planner"

type Progress = Callable[[str, float], None]
"""Told the phase, as a code, and the share of it that is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeBasemap:
    """What came of an extract."""

    path: Path
    num_features: int
    num_broken: int
    """Things left out because a part of them lies outside the extract."""
    is_plain: bool
    """Tiled without tippecanoe, which has no build for this computer: slower, larger."""


class _StoppedError(Exception):
    """The person asked to end; never leaves this module."""


def region_basemap(
    region: Region,
    cache_dir: Path,
    *,
    path: Path | None = None,
    water: tuple[Ring, ...] | None = None,
) -> Path:
    """The basemap of a region that has no extract, made unless it is there.

    Parameters
    ----------
    cache_dir
        Folder of finished maps, made if need be.
    path
        File to write instead of one in ``cache_dir``, whether it is there or not.
    water
        Outer rings of known water; ``None`` takes what ships with a bundled region.

    Returns
    -------
    Path
        A PMTiles file of zooms 0 to 10 whose name changes with what the region knows. It appears
        in one step.

    Raises
    ------
    InputError
        ``basemap.empty`` where the region has neither outline nor places,
        ``basemap.not_written`` where the folder cannot be written.
    """
    known = bundled_water(region.region_id) if water is None else water
    kept = cache_dir / f"region-{_key(region, known)}.pmtiles"
    if path is None and kept.exists():
        return kept
    bounds = region_bounds(region)
    if bounds is None:
        raise InputError("basemap.empty", region=region.region_id)
    target = path or kept
    features = region_features(region, known)
    metadata = {
        "name": region.name_in("en"),
        "attribution": _attribution(region, known),
        "type": "baselayer",
        "generator": _GENERATOR,
    }
    with new_file(target) as unfinished:
        write_tiles(
            features, unfinished, bounds=bounds, max_zoom=REGION_MAX_ZOOM, metadata=metadata
        )
    log.info("basemap_made", extra={"region": region.region_id, "bytes": target.stat().st_size})
    return target


def extract_basemap(
    extract: Path,
    path: Path,
    *,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> MadeBasemap | None:
    """Make the basemap of an OpenStreetMap extract.

    Parameters
    ----------
    extract
        ``.osm.pbf`` or ``.osm`` file.
    path
        PMTiles file of zooms 0 to 14, replaced in one step when all is done.
    progress
        Told ``basemap.reading`` and ``basemap.tiling`` with the share done, 0 to 1.
    should_stop
        Asked again and again; after a yes nothing is written.

    Returns
    -------
    MadeBasemap | None
        ``None`` where it was stopped.

    Raises
    ------
    InputError
        ``feeds.file.*``, ``feeds.osm.broken``, ``feeds.osm.not_osm``, ``basemap.extract_empty``,
        ``basemap.tiler_failed``, ``basemap.not_written``.
    """
    check_file(extract)

    def tick(phase: str, share: float) -> None:
        if should_stop is not None and should_stop():
            raise _StoppedError
        if progress is not None:
            progress(phase, share)

    reader = ExtractReader(extract, partial(tick, READING))
    program = tippecanoe_program()
    name = extract.name.removesuffix(".pbf").removesuffix(".osm")
    try:
        with new_file(path) as unfinished:
            if program is None:
                _tile_plainly(reader, unfinished, name, partial(tick, TILING))
            else:
                tile_with_tippecanoe(
                    program, reader.features(), unfinished, name=name,
                    attribution=OSM_ATTRIBUTION, tick=partial(tick, TILING),
                )  # fmt: skip
                if reader.bounds is not None:
                    set_bounds(unfinished, reader.bounds)
    except _StoppedError:
        return None
    log.info("basemap_made", extra={"extract": extract.name, "bytes": path.stat().st_size})
    return MadeBasemap(
        path=path,
        num_features=reader.num_features,
        num_broken=reader.num_broken,
        is_plain=program is None,
    )


def _tile_plainly(
    reader: ExtractReader, path: Path, name: str, tick: Callable[[float], None]
) -> None:
    features = tuple(reader.features())
    if reader.bounds is None:
        raise ValueError("the extract was not read to its end")
    metadata = {"name": name, "attribution": OSM_ATTRIBUTION, "generator": _GENERATOR}
    write_tiles(
        features, path, bounds=reader.bounds, max_zoom=MAX_ZOOM, metadata=metadata, tick=tick
    )


def extract_basemap_path(extract: Path, cache_dir: Path) -> Path:
    """Where the kept basemap of an extract lies, by the contents of the extract.

    Raises
    ------
    InputError
        ``feeds.file.*`` where there is no such extract.
    """
    check_file(extract)
    facts = extract.stat()
    key = _contents_key(str(extract.resolve()), facts.st_size, facts.st_mtime_ns)
    return cache_dir / f"extract-{key}.pmtiles"


def find_basemap(region: Region, cache_dir: Path, extract: Path | None = None) -> Path:
    """The best basemap of a region that is there, or is made in seconds.

    That is the one made of its extract by ``extract_basemap`` into ``extract_basemap_path``, else
    the one of what the region knows. Raises as ``region_basemap`` does.
    """
    if extract is not None and extract.is_file() and extract.stat().st_size:
        made = extract_basemap_path(extract, cache_dir)
        if made.exists():
            return made
    return region_basemap(region, cache_dir)


@lru_cache(maxsize=64)
def _contents_key(file: str, size: int, changed_ns: int) -> str:
    """Key of a file's contents; read again only when size or time of change differ."""
    digest = hashlib.sha256(f"{_FORM} {size}".encode())
    with Path(file).open("rb") as source:
        while block := source.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:16]


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A file beside ``path`` that takes its place when the block ends well, and goes otherwise.

    Raises
    ------
    InputError
        ``basemap.not_written`` with the cause.
    """
    unfinished: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=".pmtiles", dir=path.parent)
        os.close(handle)
        unfinished = Path(name)
        yield unfinished
        unfinished.chmod(0o644)
        unfinished.replace(path)
    except OSError as wrong:
        cause = wrong.strerror or str(wrong)
        raise InputError("basemap.not_written", file=str(path), cause=cause) from wrong
    finally:
        if unfinished is not None:
            unfinished.unlink(missing_ok=True)


def _key(region: Region, water: tuple[Ring, ...]) -> str:
    """Key of all that the map of a region shows."""
    places = [(s.name, s.name_latin, s.lon, s.lat, s.population) for s in region.settlements]
    spots = [(d.lon, d.lat) for d in region.depots] + [(s.lon, s.lat) for s in region.stops]
    shown = (
        _FORM, version("shapely"), sorted(region.names.items()), _attribution(region, water),
        region.land, sorted(region.districts.items()), water, places,
        () if region.land else spots,
    )  # fmt: skip
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def _attribution(region: Region, water: tuple[Ring, ...]) -> str:
    """Who is to be named under the map: the first words of each source, as plain text."""
    named = [_TITLE_END.split(source.title, maxsplit=1)[0].strip() for source in region.sources]
    if water:
        named.append(_NATURAL_EARTH)
    return " · ".join(dict.fromkeys(filter(None, named)))

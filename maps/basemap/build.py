"""Basemaps as files: of a region from what it knows, kept by its content."""

import hashlib
import logging
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from data.model.errors import InputError
from data.model.geo import Ring
from data.model.region import Region
from maps.basemap.feature import Feature
from maps.basemap.region import REGION_MAX_ZOOM, bundled_water, region_bounds, region_features
from maps.basemap.tiler import write_tiles

log = logging.getLogger(__name__)

OSM_ATTRIBUTION = "© OpenStreetMap contributors"
_NATURAL_EARTH = "Natural Earth"
_TITLE_END = re.compile(r"[,:;(]")
_FORM = 1
"""Raised when the same region gives another map."""


def region_basemap(
    region: Region, cache_dir: Path, *, water: tuple[Ring, ...] | None = None
) -> Path:
    """The basemap of a region that has no extract, made unless it is there.

    Parameters
    ----------
    cache_dir
        Folder of finished maps, made if need be.
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
    bounds = region_bounds(region)
    if bounds is None:
        raise InputError("basemap.empty", region=region.region_id)
    features = region_features(region, known)
    path = cache_dir / f"region-{_key(features)}.pmtiles"
    if path.exists():
        return path
    metadata = {
        "name": region.name_in("en"),
        "attribution": _attribution(region, known),
        "type": "baselayer",
        "generator": "bookmobile-planner",
    }
    with new_file(path) as unfinished:
        write_tiles(
            features, unfinished, bounds=bounds, max_zoom=REGION_MAX_ZOOM, metadata=metadata
        )
    log.info("basemap_made", extra={"region": region.region_id, "bytes": path.stat().st_size})
    return path


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


def _key(features: tuple[Feature, ...]) -> str:
    digest = hashlib.sha256(f"{_FORM} {version('shapely')}".encode())
    for feature in features:
        digest.update(feature.line().encode())
    return digest.hexdigest()[:16]


def _attribution(region: Region, water: tuple[Ring, ...]) -> str:
    """Who is to be named under the map: the first words of each source, as plain text."""
    named = [_TITLE_END.split(source.title, maxsplit=1)[0].strip() for source in region.sources]
    if water:
        named.append(_NATURAL_EARTH)
    return " · ".join(dict.fromkeys(filter(None, named)))

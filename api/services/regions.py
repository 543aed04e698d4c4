"""Find a region by its folder or its bundled name, and open its roads."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from api.progress import Ticker
from data.feeds.estimate_file import load_default_estimate
from data.feeds.region_folder import read_region
from data.model.errors import InputError
from data.model.region import Region
from maps.estimate import EstimatedRoads
from maps.matrix import MatrixCache
from maps.roads import Roads
from maps.valhalla_roads import open_valhalla


def bundled_regions() -> dict[str, Path]:
    """Folders of the regions that ship with the program, by id."""
    samples = Path(str(files("data") / "samples"))
    return {p.parent.name: p.parent for p in sorted(samples.glob("*/region.toml"))}


def region_folder(name: str) -> Path:
    """The folder of a region given as a path or as a bundled name.

    Raises
    ------
    InputError
        ``region.not_found`` if neither is there.
    """
    folder = Path(name)
    if (folder / "region.toml").is_file():
        return folder
    bundled = bundled_regions()
    if name in bundled:
        return bundled[name]
    raise InputError("region.not_found", folder=name, bundled=", ".join(bundled))


def load_region(name: str, *, roads_file: Path | None = None) -> Region:
    """Read a region; ``roads_file`` replaces the extract that its folder names."""
    folder = region_folder(name)
    region = read_region(folder)
    if roads_file is not None and not roads_file.is_file():
        raise InputError("file.not_found", file=str(roads_file))
    return region


@contextmanager
def open_roads(
    region: Region, folder: Path, *, cache_dir: Path, extract: Path | None, tick: Ticker
) -> Iterator[Roads]:
    """The road engine of a region: its extract if it has one, else the estimate."""
    source = extract
    if source is None and region.roads_file:
        source = folder / region.roads_file
    if source is not None:
        if not source.is_file():
            raise InputError("file.not_found", file=str(source))
        tick.phase("phase.roads")
        roads: Roads = open_valhalla(
            source,
            cache_dir / "roads",
            travel_factor=region.travel_factor,
            progress=tick.fraction,
        )
    else:
        roads = EstimatedRoads(region.land, region.estimate or load_default_estimate())
    cached = MatrixCache(roads, cache_dir / "matrices")
    try:
        yield cached
    finally:
        cached.close()

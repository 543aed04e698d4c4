"""Open the roads of a region: its extract if it has one, else the estimate."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.progress import Ticker
from data.feeds.estimate_file import load_default_estimate
from data.model.errors import InputError
from data.model.region import Region
from maps.estimate import EstimatedRoads
from maps.matrix import MatrixCache
from maps.roads import Roads
from maps.valhalla_roads import open_valhalla


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

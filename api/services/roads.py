"""Open the roads of a region: its extract if it has one, else the estimate.

An engine is loaded with the first roads that it opens; a server that opens none stays small.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.progress import Ticker
from data.feeds.estimate_file import load_default_estimate
from data.feeds.region_folder import roads_path
from data.feeds.tables import check_file
from data.model.region import Region
from maps.matrix import MatrixCache
from maps.roads import Roads


@contextmanager
def open_roads(
    region: Region, folder: Path, *, cache_dir: Path, extract: Path | None, tick: Ticker
) -> Iterator[Roads]:
    """The road engine of a region: its extract if it has one, else the estimate.

    Raises
    ------
    InputError
        ``feeds.file.*`` where the extract is no file with something in it.
    """
    source = extract or roads_path(region, folder)
    if source is not None:
        from maps.valhalla_roads import open_valhalla

        check_file(source)
        tick.phase("phase.roads")
        roads: Roads = open_valhalla(
            source,
            cache_dir / "roads",
            travel_factor=region.travel_factor,
            progress=tick.fraction,
        )
    else:
        roads = estimated_roads(region)
    cached = MatrixCache(roads, cache_dir / "matrices")
    try:
        yield cached
    finally:
        cached.close()


def estimated_roads(region: Region) -> Roads:
    """Travel estimated from the shape of the region's land."""
    from maps.estimate import EstimatedRoads

    return EstimatedRoads(region.land, region.estimate or load_default_estimate())

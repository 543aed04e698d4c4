"""The basemap that the desk shows of a region, and the making of one from its extract.

``python -m api.services.basemaps EXTRACT FILE`` makes one and ends with whoever started it. What
draws maps is loaded with the first one asked for.
"""

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from api.services.region_home import check_inside
from api.settings import Settings
from data.model.errors import BookmobileError
from data.model.region import Region

log = logging.getLogger(__name__)

FOLDER = "basemaps"
"""Under the cache folder."""
_PATIENCE = 10
"""Steps by which the making gives way to everything else on the machine."""
_STALE_S = 86_400

_making: dict[Path, subprocess.Popen[bytes]] = {}
_lock = threading.Lock()


def desk_basemap(region: Region, settings: Settings) -> Path:
    """The basemap of a region, in a second or two at most.

    Where the region has an extract and its map is not made yet, the making begins in a process of
    its own, and until it is done the map of what the region knows serves.

    Raises
    ------
    InputError
        ``basemap.empty``, ``basemap.not_written``; ``jobs.extract_outside``.
    """
    from maps.basemap import extract_basemap_path, find_basemap

    cache_dir = settings.cache_dir / FOLDER
    extract = _extract(region, settings)
    if extract is None:
        return find_basemap(region, cache_dir)
    target = extract_basemap_path(extract, cache_dir)
    if not target.exists():
        _begin(extract, target)
    return find_basemap(region, cache_dir, extract)


def _extract(region: Region, settings: Settings) -> Path | None:
    if not region.roads_file:
        return None
    file = check_inside(region, settings) / region.roads_file
    return file if file.is_file() and file.stat().st_size else None


def _begin(extract: Path, target: Path) -> None:
    """Start the making once; an extract that failed is not tried again by this server."""
    with _lock:
        if target in _making:
            return
        _sweep(target.parent)
        command = [sys.executable, "-P", "-m", "api.services.basemaps", str(extract), str(target)]
        _making[target] = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    log.info("basemap.making", extra={"extract": extract.name})


def _sweep(folder: Path) -> None:
    """Remove what makings that were killed left behind, once it is surely nobody's."""
    for path in folder.glob(".*"):
        if time.time() - path.stat().st_mtime > _STALE_S:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def wait_for_basemaps(timeout_s: float) -> None:
    """Wait until every making that this server began has ended."""
    with _lock:
        children = list(_making.values())
    for child in children:
        child.wait(timeout_s)


def main() -> int:
    """Make the basemap of an extract; give up when the server that asked for it is gone."""
    from maps.basemap import extract_basemap

    extract, target = map(Path, sys.argv[1:])
    server = os.getppid()
    # An end by signal must pass through the clearing up of the tiler and its files.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if os.name != "nt":
        os.nice(_PATIENCE)
    try:
        made = extract_basemap(
            extract, target, should_stop=lambda: os.name != "nt" and os.getppid() != server
        )
    except BookmobileError as refused:
        sys.stderr.write(f"basemap.failed {refused}\n")
        return 2
    return 0 if made is not None else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""Road tiles from an OpenStreetMap extract: built once, kept by the extract's contents."""

import copy
import hashlib
import json
import logging
import shutil
import subprocess
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from data.model.errors import RoadsError
from maps.engine import worker_command, worker_environment
from maps.roads import Progress

log = logging.getLogger(__name__)

BUILD_FAILED = "roads.build_failed"
EXTRACT_MISSING = "roads.extract_missing"
EXTRACT_ROADLESS = "roads.extract_roadless"

_OPTIONS = {"admin": "", "timezone": "", "concurrency": 2}
"""Builder settings other than the defaults: administrative and time zone databases are not used."""
_LOG_LINES = 125
"""The builder writes about that many lines; the share of them is the progress."""


def engine_version() -> str:
    """Name and version of the road engine, without loading it."""
    return f"valhalla-{version('pyvalhalla')}"


@cache
def _defaults() -> str:
    done = subprocess.run(
        worker_command("defaults"), capture_output=True, env=worker_environment(), check=True
    )
    return done.stdout.decode()


def default_config() -> dict[str, Any]:
    """The engine's default configuration, a fresh copy."""
    return copy.deepcopy(json.loads(_defaults()))


def network_key(extract: Path) -> str:
    """Names a built network: engine version, contents of the extract and build options.

    Raises
    ------
    RoadsError
        ``roads.extract_missing`` where there is no such file.
    """
    digest = hashlib.sha256(json.dumps(_OPTIONS, sort_keys=True).encode())
    try:
        with extract.open("rb") as source:
            while block := source.read(1 << 20):
                digest.update(block)
    except OSError as error:
        cause = error.strerror or str(error)
        raise RoadsError(EXTRACT_MISSING, file=str(extract), cause=cause) from error
    return f"{engine_version()}-{digest.hexdigest()[:16]}"


def build_tiles(extract: Path, cache_dir: Path, progress: Progress | None = None) -> Path:
    """The packed road tiles of an extract, built unless they are there.

    Parameters
    ----------
    extract
        ``.osm.pbf`` file.
    cache_dir
        Folder of built networks, made if need be. The file appears in one step, so a reader finds
        the old network or the new one, never half of one.
    progress
        Told the share of the build that is done.

    Raises
    ------
    RoadsError
        ``roads.extract_missing``, ``roads.build_failed`` (cut short, not a pbf …) or
        ``roads.extract_roadless``.
    """
    packed = cache_dir / f"{network_key(extract)}.tar"
    if packed.exists():
        return packed
    cache_dir.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="building-", dir=cache_dir))
    try:
        _build_in(folder, extract, progress).replace(packed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    log.info("roads_built", extra={"extract": extract.name, "key": packed.stem})
    return packed


def _build_in(folder: Path, extract: Path, progress: Progress | None) -> Path:
    """Build inside a folder of our own; returns the packed file."""
    tiles, packed, config_file = folder / "tiles", folder / "roads.tar", folder / "build.json"
    tiles.mkdir()
    config = default_config()
    config["mjolnir"] |= {**_OPTIONS, "tile_dir": str(tiles), "tile_extract": str(packed)}
    config_file.write_text(json.dumps(config), encoding="utf-8")
    last_line = ""
    with subprocess.Popen(
        worker_command("build", str(config_file), str(extract.resolve())),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=worker_environment(),
        encoding="utf-8",
        errors="replace",
    ) as child:
        try:
            for count, line in enumerate(child.stdout or ()):
                last_line = line.strip() or last_line
                if progress is not None:
                    progress(min(0.99, count / _LOG_LINES))
        except BaseException:
            child.kill()
            raise
    is_roadless = "edge_shapes.bin" in last_line  # what the builder stumbles over without roads
    if child.returncode and not is_roadless:
        raise RoadsError(BUILD_FAILED, file=str(extract), cause=_plain(last_line))
    if is_roadless or not any(tiles.rglob("*.gph")) or not packed.exists():
        raise RoadsError(EXTRACT_ROADLESS, file=str(extract))
    if progress is not None:
        progress(1.0)
    return packed


def _plain(line: str) -> str:
    """A log line without its time stamp, colours and level."""
    return line.rsplit("\x1b[0m", 1)[-1].removeprefix("what():").strip()

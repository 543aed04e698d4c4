"""Travel matrices kept on disk: what was driven once is looked up, only new pairs are computed."""

import hashlib
import json
import logging
import os
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from data.model.fleet import Vehicle
from data.model.geo import COORDINATE_DIGITS
from data.model.travel import UNREACHABLE, TravelMatrix
from maps.roads import (
    NO_CLOSURES,
    Area,
    Closures,
    Position,
    Progress,
    ReachMode,
    RoadPoint,
    Roads,
    RouteLine,
    Snap,
    Times,
    matrix_of,
    profile_of,
    rounded,
    scaled,
)

log = logging.getLogger(__name__)

MAX_FILES = 8
"""Least recently used files beyond that many are deleted."""
MAX_POINTS = 5_000
"""A file that would hold more points starts again with those of the request."""
_UNKNOWN = UNREACHABLE - 1
"""Cell value of a pair that was never asked for."""


@dataclass(slots=True)
class _Table:
    """Known travel of one network, vehicle profile and set of closures, engine seconds."""

    index: dict[tuple[int, int], int]
    """Row by position in units of the last kept digit."""
    seconds: NDArray[np.int32]
    metres: NDArray[np.int32]

    @classmethod
    def empty(cls) -> Self:
        nothing = np.zeros((0, 0), np.int32)
        return cls(index={}, seconds=nothing, metres=nothing.copy())

    def rows(self, positions: Sequence[Position]) -> NDArray[np.intp]:
        """The row of each position; new positions get rows of unknown cells."""
        keys = [_units(position) for position in positions]
        new = [key for key in dict.fromkeys(keys) if key not in self.index]
        if new:
            for key in new:
                self.index[key] = len(self.index)
            wider = (0, len(self.index) - len(self.seconds))
            self.seconds = np.pad(self.seconds, (wider, wider), constant_values=_UNKNOWN)
            self.metres = np.pad(self.metres, (wider, wider), constant_values=_UNKNOWN)
        return np.array([self.index[key] for key in keys], np.intp)


class MatrixCache:
    """Any roads with their matrices kept in a folder; everything else is passed on.

    A file belongs to one network, vehicle profile and set of closures. Known pairs are looked up;
    a new point costs its row and its column. The travel factor is applied on reading, so a new
    calibration invalidates nothing.

    Parameters
    ----------
    roads
        What computes the missing pairs; closed with the cache.
    folder
        Where the ``.npz`` files are kept, made if need be. Files appear in one step; of two
        programs that write at once one wins and nothing breaks. One thread at a time.
    """

    def __init__(self, roads: Roads, folder: Path) -> None:
        self._roads = roads
        self._engine = roads.unscaled()
        self._folder = folder
        self._tables: dict[str, _Table] = {}
        self.key = roads.key
        self.is_estimated = roads.is_estimated
        self.source = roads.source
        self.travel_factor = roads.travel_factor

    def unscaled(self) -> "MatrixCache":
        """The same files, seconds as the engine gives them."""
        return MatrixCache(self._engine, self._folder)

    def times(
        self,
        origins: Sequence[Position],
        targets: Sequence[Position],
        vehicle: Vehicle | None,
        progress: Progress | None = None,
        closures: Closures = NO_CLOSURES,
    ) -> Times:
        """Seconds and metres, from the file where they are known."""
        origins, targets = rounded(origins), rounded(targets)
        name = _file_name(self.key, vehicle, closures)
        table = self._table(name)
        if len({*table.index, *map(_units, origins), *map(_units, targets)}) > MAX_POINTS:
            table = self._tables[name] = _Table.empty()
        rows, columns = table.rows(origins), table.rows(targets)
        if self._fill(table, rows, columns, [origins, targets], vehicle, progress, closures):
            self._write(name, table)
        if progress is not None:
            progress(1.0)
        cut = np.ix_(rows, columns)
        return scaled(table.seconds[cut], self.travel_factor), table.metres[cut]

    def matrix(
        self,
        points: Sequence[RoadPoint],
        vehicle: Vehicle | None,
        progress: Progress | None = None,
        closures: Closures = NO_CLOSURES,
    ) -> TravelMatrix:
        """The square matrix of named points."""
        return matrix_of(self, points, vehicle, progress, closures)

    def snap(self, points: Sequence[Position], vehicle: Vehicle | None) -> list[Snap]:
        """Where each point meets the network."""
        return self._roads.snap(points, vehicle)

    def route(
        self,
        points: Sequence[Position],
        vehicle: Vehicle | None,
        language: str,
        closures: Closures = NO_CLOSURES,
    ) -> RouteLine:
        """The drive through the points; its legs equal the cells."""
        return self._roads.route(points, vehicle, language, closures)

    def walks(self, place: Position, homes: Sequence[Position]) -> NDArray[np.float64]:
        """Metres on foot from each home to a place."""
        return self._roads.walks(place, homes)

    def reach(self, lon: float, lat: float, minutes: float, mode: ReachMode) -> tuple[Area, ...]:
        """What lies within some minutes of a point."""
        return self._roads.reach(lon, lat, minutes, mode)

    def close(self) -> None:
        """Close the roads; the files are complete at any time."""
        self._roads.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _fill(
        self,
        table: _Table,
        rows: NDArray[np.intp],
        columns: NDArray[np.intp],
        positions: Sequence[Sequence[Position]],
        vehicle: Vehicle | None,
        progress: Progress | None,
        closures: Closures,
    ) -> bool:
        """Compute the unknown cells: whole rows of new origins, then columns for the others."""
        place = dict(zip([*rows, *columns], [*positions[0], *positions[1]], strict=True))
        rows, columns = np.unique(rows), np.unique(columns)
        unknown = table.seconds[np.ix_(rows, columns)] == _UNKNOWN
        if not unknown.any():
            return False
        is_new = unknown.mean(axis=1) > 0.5
        late = unknown[~is_new].any(axis=0) if (~is_new).any() else np.zeros(len(columns), bool)
        blocks = [(rows[is_new], columns), (rows[~is_new], columns[late])]
        blocks = [(r, c) for r, c in blocks if len(r) and len(c)]
        # One search an origin: the work is the number of rows.
        total, done = sum(len(r) for r, _ in blocks), 0
        for r, c in blocks:
            share = _share_of(progress, done / total, len(r) / total)
            froms, tos = [place[i] for i in r], [place[j] for j in c]
            seconds, metres = self._engine.times(froms, tos, vehicle, share, closures)
            table.seconds[np.ix_(r, c)] = seconds
            table.metres[np.ix_(r, c)] = metres
            done += len(r)
        return True

    def _table(self, name: str) -> _Table:
        path = self._folder / name
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = _read(path)
        with suppress(FileNotFoundError):
            os.utime(path)  # used just now
        return table

    def _write(self, name: str, table: _Table) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, made = tempfile.mkstemp(dir=self._folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as target:
                np.savez(
                    target,
                    points=np.array(list(table.index), np.int32).reshape(-1, 2),
                    seconds=table.seconds,
                    metres=table.metres,
                )
            Path(made).replace(self._folder / name)
        except BaseException:
            Path(made).unlink(missing_ok=True)
            raise
        with suppress(OSError):  # another program may be tidying up, too
            files = sorted(self._folder.glob("*.npz"), key=lambda p: p.stat().st_mtime)
            for old in files[:-MAX_FILES]:
                old.unlink(missing_ok=True)


def _units(position: Position) -> tuple[int, int]:
    scale = 10**COORDINATE_DIGITS
    return round(position[0] * scale), round(position[1] * scale)


def _file_name(key: str, vehicle: Vehicle | None, closures: Closures) -> str:
    told = json.dumps([key, profile_of(vehicle), asdict(closures)], sort_keys=True)
    return f"{hashlib.sha256(told.encode()).hexdigest()[:24]}.npz"


def _read(path: Path) -> _Table:
    """The table of a file; an absent or damaged one is empty, and is written anew."""
    try:
        with path.open("rb") as source, np.load(source, allow_pickle=False) as stored:
            points = stored["points"].tolist()
            seconds, metres = stored["seconds"], stored["metres"]
    except FileNotFoundError:
        return _Table.empty()
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        log.warning("matrix_cache_damaged", extra={"file": path.name, "cause": str(error)})
        return _Table.empty()
    n = len(points)
    if seconds.shape != (n, n) or metres.shape != (n, n):
        log.warning("matrix_cache_damaged", extra={"file": path.name, "cause": "shape"})
        return _Table.empty()
    index = {(x, y): i for i, (x, y) in enumerate(points)}
    return _Table(index=index, seconds=seconds, metres=metres)


def _share_of(progress: Progress | None, start: float, share: float) -> Progress | None:
    """Progress of a part of the work, told as progress of the whole."""
    return None if progress is None else lambda done: progress(start + share * done)

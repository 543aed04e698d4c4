"""Zip files from outside: looked at before anything is unpacked, unpacked by the byte.

A zip may say little of what it holds and name files outside its folder. So entries are counted
and measured first, only plain names of files that we know are taken, and what comes out is
counted again while it is written.
"""

import shutil
import stat
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

from data.feeds.learned_file import NAMES as LEARNED
from data.feeds.region_folder import HEAD_FILE
from data.model.errors import InputError

MOST_ENTRIES = 2_000
MOST_RATIO = 200
"""Times that what comes out may be larger than what went in; texts reach some 20."""
SMALL_BYTES = 10_000_000
"""Below this size no ratio is asked about."""
_CHUNK = 1 << 20
_FOLDER_SUFFIXES = (".csv", ".toml", ".geojson", ".json", ".pbf", ".md")
_SHAPE_SUFFIXES = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_MAC_FOLDER = "__MACOSX"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """What came out of a zip: the folder of a region, or one Shapefile."""

    region: Path | None = None
    shape: Path | None = None
    passed_over: tuple[str, ...] = ()
    """Entries that were not needed."""


def check_archive(path: Path, *, most_bytes: int) -> tuple[ZipInfo, ...]:
    """The files in a zip (also a workbook), if it is none that fills the disk.

    Raises
    ------
    InputError
        ``setup.zip.broken``, ``setup.zip.entries``, ``setup.zip.size``, ``setup.zip.bomb``,
        ``setup.zip.locked`` or ``setup.zip.path``.
    """
    name = path.name
    try:
        with ZipFile(path) as archive:
            entries = tuple(e for e in archive.infolist() if not e.is_dir())
    except (BadZipFile, OSError, ValueError, RuntimeError) as wrong:
        raise InputError("setup.zip.broken", file=name) from wrong
    if len(entries) > MOST_ENTRIES:
        raise InputError("setup.zip.entries", file=name, found=len(entries), limit=MOST_ENTRIES)
    size = sum(e.file_size for e in entries)
    if size > most_bytes:
        limits = {"size_mb": size // 1_000_000, "limit_mb": most_bytes // 1_000_000}
        raise InputError("setup.zip.size", file=name, **limits)
    packed = max(1, sum(e.compress_size for e in entries))
    if size > SMALL_BYTES and size > MOST_RATIO * packed:
        raise InputError("setup.zip.bomb", file=name, ratio=size // packed, limit=MOST_RATIO)
    for entry in entries:
        _check_entry(name, entry)
    return entries


def _check_entry(file: str, entry: ZipInfo) -> None:
    if entry.flag_bits & 1:
        raise InputError("setup.zip.locked", file=file, entry=entry.filename)
    inside = PurePosixPath(entry.filename)
    is_link = stat.S_ISLNK(entry.external_attr >> 16)
    odd = "\\" in entry.filename or "\0" in entry.filename or ":" in entry.filename
    if is_link or odd or inside.is_absolute() or ".." in inside.parts:
        raise InputError("setup.zip.path", file=file, entry=entry.filename)


def unpack(path: Path, into: Path, *, most_bytes: int) -> Unpacked:
    """Take a region folder or a Shapefile out of a zip.

    Raises
    ------
    InputError
        As ``check_archive``; ``setup.zip.nothing`` where it holds neither,
        ``setup.zip.several`` where it holds more than one of them.
    """
    entries = check_archive(path, most_bytes=most_bytes)
    plain = [e for e in entries if not e.filename.startswith(_MAC_FOLDER)]
    heads = [e for e in plain if PurePosixPath(e.filename).name == HEAD_FILE]
    shapes = [e for e in plain if e.filename.lower().endswith(".shp")]
    found = heads or shapes
    if not found:
        raise InputError("setup.zip.nothing", file=path.name, head=HEAD_FILE)
    if len(found) > 1:
        names = ", ".join(sorted(e.filename for e in found)[:5])
        raise InputError("setup.zip.several", file=path.name, entries=names)
    home = PurePosixPath(found[0].filename)
    if heads:
        wanted = _files_beside(plain, home, _is_of_region)
    else:
        wanted = _files_beside(
            plain, home, lambda n: Path(n).stem == home.stem and n.lower().endswith(_SHAPE_SUFFIXES)
        )
    try:
        _write_all(path, wanted, into, most_bytes)
    except BaseException:
        shutil.rmtree(into, ignore_errors=True)
        raise
    passed_over = tuple(e.filename for e in entries if e not in wanted.values())
    if heads:
        return Unpacked(region=into, passed_over=passed_over)
    return Unpacked(shape=into / f"{home.stem}.shp", passed_over=passed_over)


def _write_all(path: Path, wanted: dict[str, ZipInfo], into: Path, most_bytes: int) -> None:
    """Write the wanted files into a folder that holds nothing else."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    left = most_bytes
    with ZipFile(path) as archive:
        for name, entry in wanted.items():
            written = _extract(archive, entry, into / name, left, path.name)
            if written is None:
                limit_mb = most_bytes // 1_000_000
                raise InputError(
                    "setup.zip.size", file=path.name, size_mb=limit_mb + 1, limit_mb=limit_mb
                )
            left -= written


def _is_of_region(name: str) -> bool:
    return name.lower().endswith(_FOLDER_SUFFIXES) or name in LEARNED


def _files_beside(
    entries: list[ZipInfo], home: PurePosixPath, is_wanted: Callable[[str], bool]
) -> dict[str, ZipInfo]:
    """Entries in the folder of one of them, by plain name; endings in small letters."""
    found: dict[str, ZipInfo] = {}
    for entry in entries:
        place = PurePosixPath(entry.filename)
        if place.parent == home.parent and is_wanted(place.name):
            found[place.stem + place.suffix.lower()] = entry
    return found


def _extract(archive: ZipFile, entry: ZipInfo, target: Path, left: int, file: str) -> int | None:
    """Write one entry and give its size; ``None`` where more comes out than is left."""
    written = 0
    try:
        with archive.open(entry) as source, target.open("wb") as out:
            while chunk := source.read(_CHUNK):
                written += len(chunk)
                if written > left:
                    return None
                out.write(chunk)
    except (BadZipFile, zlib.error, RuntimeError, EOFError) as wrong:
        raise InputError("setup.zip.broken", file=file) from wrong
    return written

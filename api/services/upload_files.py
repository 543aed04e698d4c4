"""Uploaded files of a region: what each may be, and that it is what its name says.

An uploaded name never becomes a path as it is, and nothing is handed to a reader before its first
bytes were looked at: the vector library opens a file by what is in it, whatever it is called.
"""

import re
import unicodedata
from enum import StrEnum
from pathlib import Path, PureWindowsPath

from data.model.errors import InputError


class UploadKind(StrEnum):
    """What a file is for; the tables in the order in which they are read."""

    REGION = "region"
    """A region folder as a zip."""
    OSM = "osm"
    LAND = "land"
    MUNICIPALITIES = "municipalities"
    SETTLEMENTS = "settlements"
    LIBRARIES = "libraries"
    DEPOTS = "depots"
    STOPS = "stops"
    VEHICLES = "vehicles"
    SPECIALISTS = "specialists"
    NORMS = "norms"


ALONE = (UploadKind.REGION, UploadKind.OSM, UploadKind.LAND)
"""Kinds of which a region takes one file."""
TABLES = tuple(kind for kind in UploadKind if kind not in ALONE)

EXTRACT = ".pbf"
ARCHIVE = ".zip"
_TEXT = (".csv", ".tsv", ".txt", ".toml")
_SHEETS = (".xlsx", ".xlsm")
_SHAPES = (".geojson", ".json")
_PACKAGE = ".gpkg"
SUFFIXES = (*_TEXT, *_SHEETS, *_SHAPES, _PACKAGE, ARCHIVE, EXTRACT)
NAME_MAX = 100
HEAD_BYTES = 4096
_ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
_PACKAGE_MARK = b"SQLite format 3\x00"
_EXTRACT_MARK = b"OSMHeader"
_PICTURE_MARKS = (b"\x89PNG", b"%PDF", b"\xff\xd8", b"GIF8")
_UNSAFE = re.compile(r"[^\w .,()+@№-]+")


def tidy_name(name: str) -> str:
    """An uploaded file's name as we keep it: no folder, no odd sign, a known ending.

    Raises
    ------
    InputError
        ``setup.file_kind`` for an ending that no reader knows.
    """
    plain = PureWindowsPath(unicodedata.normalize("NFC", name).replace("\0", "")).name
    plain = _UNSAFE.sub("_", plain).strip(" .")
    suffix = Path(plain).suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError("setup.file_kind", file=plain or "?", known=", ".join(SUFFIXES))
    stem = plain[: -len(suffix)].strip(" .") or "file"
    return stem[: NAME_MAX - len(suffix)] + suffix


def check_head(name: str, head: bytes) -> None:
    """Refuse a file whose first bytes are not those of its kind.

    Raises
    ------
    InputError
        ``feeds.file.empty``, or ``setup.content.*`` with what the file looks like.
    """
    if not head:
        raise InputError("feeds.file.empty", file=name)
    suffix = Path(name).suffix.lower()
    looks = looks_like(head)
    wanted = {
        _PACKAGE: "gpkg",
        ARCHIVE: "zip",
        EXTRACT: "pbf",
        **dict.fromkeys(_SHEETS, "zip"),
        **dict.fromkeys(_SHAPES, "json"),
    }.get(suffix, "text")
    if looks != wanted and not (wanted == "text" and looks == "json"):
        raise InputError(f"setup.content.{looks}", file=name, kind=suffix)


def looks_like(head: bytes) -> str:
    """What the first bytes of a file are: ``zip``, ``gpkg``, ``pbf``, ``json``, ``text``, other."""
    if head.startswith(_ZIP_MARKS):
        return "zip"
    if head.startswith(_PACKAGE_MARK):
        return "gpkg"
    if _EXTRACT_MARK in head[:64]:
        return "pbf"
    is_odd = any(byte < 9 for byte in head) or head.startswith(_PICTURE_MARKS)
    if is_odd and not _is_wide(head):
        return "other"
    plain = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return "json" if plain.startswith(b"{") else "text"


def _is_wide(head: bytes) -> bool:
    """Whether bytes are UTF-16: a mark in front, or every second byte that of Latin or Cyrillic."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    halves = (head[0::2], head[1::2])
    return any(10 * sum(byte in (0, 4) for byte in half) > 9 * len(half) for half in halves)


def kind_of_name(name: str) -> UploadKind | None:
    """What a file is for, where its ending alone says so."""
    suffix = Path(name).suffix.lower()
    if suffix == EXTRACT:
        return UploadKind.OSM
    return UploadKind.NORMS if suffix == ".toml" else None


def check_kind(name: str, kind: UploadKind) -> None:
    """Refuse a use of a file that its ending rules out.

    Raises
    ------
    InputError
        ``setup.kind_of_file``.
    """
    suffix = Path(name).suffix.lower()
    allowed: tuple[str, ...]
    match kind:
        case UploadKind.OSM:
            allowed = (EXTRACT,)
        case UploadKind.REGION:
            allowed = (ARCHIVE,)
        case UploadKind.LAND:
            allowed = _SHAPES
        case UploadKind.NORMS:
            allowed = (*_TEXT, *_SHEETS)
        case _:
            allowed = tuple(s for s in SUFFIXES if s not in {EXTRACT, ".toml"})
    if suffix not in allowed:
        raise InputError("setup.kind_of_file", file=name, kind=kind.value, known=", ".join(allowed))

"""A backup as a file: what it holds, and whether it is whole.

It is a zip: ``tables/<name>.jsonl`` with a row a line, ``files/<region>/<name>`` as they lie, and
``manifest.json`` with the size and SHA-256 of each.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data.db import dump
from data.db.migrate import newest_revision
from data.model.errors import InputError

FORMAT = "bookmobile-backup"
VERSION = 1
MANIFEST = "manifest.json"
GIGABYTE = 1_000_000_000
MOST_GB = 50
CHUNK = 1 << 20
_MOST_MANIFEST = 20_000_000
_MOST_ENTRIES = 200_000

type Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
type Count = Annotated[int, Field(ge=0)]


class Entry(BaseModel):
    """One file of the zip."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    name: str = Field(max_length=1000)
    size: Count
    sha256: Sha
    rows: Count | None = None


class Manifest(BaseModel):
    """What the zip holds, and who wrote it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    format: str
    version: int
    program: str
    revision: str
    made_at: str
    database: str
    tables: list[Entry]
    files: list[Entry] = Field(max_length=_MOST_ENTRIES)
    left_out: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup that was written or read."""

    manifest: Manifest
    num_bytes: int

    @property
    def num_rows(self) -> int:
        return sum(entry.rows or 0 for entry in self.manifest.tables)


@contextmanager
def opened_backup(source: Path, *, most_bytes: int) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """A backup, once every entry of it has been read and found as its manifest says.

    Raises
    ------
    InputError
        ``backup.missing``, ``backup.not_whole``, ``backup.not_a_backup``, ``backup.too_large``,
        ``backup.damaged``, ``backup.other_revision``.
    """
    if not source.is_file():
        raise InputError("backup.missing", file=str(source))
    try:
        archive = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, OSError, ValueError) as wrong:
        raise InputError("backup.not_whole", file=source.name) from wrong
    with archive:
        try:
            manifest = _manifest(archive, source.name)
            _check(archive, manifest, source.name, most_bytes)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as wrong:
            raise InputError("backup.not_whole", file=source.name) from wrong
        yield archive, manifest


def _manifest(archive: zipfile.ZipFile, file: str) -> Manifest:
    entries = archive.infolist()
    known = {e.filename: e for e in entries}
    head = known.get(MANIFEST)
    if head is None or head.file_size > _MOST_MANIFEST or len(entries) > _MOST_ENTRIES:
        raise InputError("backup.not_a_backup", file=file)
    with archive.open(head) as source:
        raw = source.read(_MOST_MANIFEST + 1)
    try:
        manifest = Manifest.model_validate_json(raw)
    except ValidationError as wrong:
        raise InputError("backup.not_a_backup", file=file) from wrong
    if manifest.format != FORMAT or manifest.version != VERSION or len(known) != len(entries):
        raise InputError("backup.not_a_backup", file=file)
    if manifest.revision != newest_revision():
        raise InputError(
            "backup.other_revision",
            file=file,
            program=manifest.program,
            revision=manifest.revision,
            newest=newest_revision(),
        )
    return manifest


def _check(archive: zipfile.ZipFile, manifest: Manifest, file: str, most_bytes: int) -> None:
    expected = [f"tables/{name}.jsonl" for name in dump.tables()]
    told = [*manifest.tables, *manifest.files]
    names = {entry.name for entry in told}
    if [entry.name for entry in manifest.tables] != expected or len(names) != len(told):
        raise InputError("backup.not_a_backup", file=file)
    if names | {MANIFEST} != set(archive.namelist()):
        raise InputError("backup.damaged", file=file, entry=MANIFEST)
    size = sum(entry.size for entry in told)
    if size > most_bytes:
        raise InputError(
            "backup.too_large",
            file=file,
            size_gb=round(size / GIGABYTE, 1),
            limit_gb=round(most_bytes / GIGABYTE, 1),
        )
    for entry in manifest.files:
        target_of(Path(), entry.name, file)
    for entry in told:
        if not _is_as_told(archive, entry):
            raise InputError("backup.damaged", file=file, entry=entry.name)


def _is_as_told(archive: zipfile.ZipFile, entry: Entry) -> bool:
    if archive.getinfo(entry.name).file_size != entry.size:
        return False
    size, sha = 0, hashlib.sha256()
    with archive.open(entry.name) as source:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            if size > entry.size:
                return False
            sha.update(chunk)
    return size == entry.size and sha.hexdigest() == entry.sha256


def target_of(home: Path, name: str, file: str) -> Path:
    """Where a file of the zip goes; only into the folder of a region."""
    inside = PurePosixPath(name)
    parts = inside.parts[1:]
    odd = "\\" in name or "\0" in name or ":" in name or ".." in parts or "." in parts
    if odd or inside.parts[0] != "files" or len(parts) < 2 or inside.as_posix() != name:
        raise InputError("backup.damaged", file=file, entry=name)
    return home.joinpath(*parts)

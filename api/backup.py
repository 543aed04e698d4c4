"""Write the whole service into one file: rows of every table, and the regions' files."""

import hashlib
import json
import os
import secrets
import zipfile
from collections.abc import Iterator
from datetime import datetime
from importlib import metadata
from pathlib import Path

from sqlalchemy import Engine

from api.backup_file import CHUNK, FORMAT, MANIFEST, VERSION, Backup, Entry, Manifest
from api.settings import Settings
from data.db import dump
from data.db.migrate import current_revision, newest_revision
from data.model.errors import ConflictError, InputError

_PART = ".part"


def write_backup(
    engine: Engine, settings: Settings, target: Path, *, at: datetime, replace: bool = False
) -> Backup:
    """Write everything into a file, which appears only when it is whole.

    Raises
    ------
    ConflictError
        ``backup.exists`` where there is such a file and ``replace`` is false.
    InputError
        ``backup.not_migrated`` for a database of another version, ``backup.cannot_write``.
    """
    if target.exists() and not replace:
        raise ConflictError("backup.exists", file=str(target))
    revision = current_revision(engine)
    if revision != newest_revision():
        raise InputError("backup.not_migrated", revision=revision, newest=newest_revision())
    part = target.with_name(f"{target.name}.{secrets.token_hex(4)}{_PART}")
    try:
        manifest = _write(engine, settings, part, revision, at)
        part.replace(target)
    except OSError as wrong:
        cause = wrong.strerror or str(wrong)
        raise InputError("backup.cannot_write", file=str(target), cause=cause) from wrong
    finally:
        part.unlink(missing_ok=True)
    return Backup(manifest=manifest, num_bytes=target.stat().st_size)


def _write(engine: Engine, settings: Settings, part: Path, revision: str, at: datetime) -> Manifest:
    # Hashes of passwords and tokens of devices are in it: it is for its owner alone.
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            with dump.snapshot(engine) as connection:
                tables = [
                    _add(archive, f"tables/{name}.jsonl", _lines(dump.rows_of(connection, name)))
                    for name in dump.tables()
                ]
            files = [
                _add(archive, f"files/{name}", _chunks(path), zipfile.ZIP_STORED)
                for name, path in _region_files(settings)
            ]
            manifest = Manifest(
                format=FORMAT,
                version=VERSION,
                program=metadata.version("bookmobile-planner"),
                revision=revision,
                made_at=at.isoformat(),
                database=engine.dialect.name,
                tables=tables,
                files=[entry.model_copy(update={"rows": None}) for entry in files],
                left_out=sorted(dump.PASSING),
            )
            archive.writestr(MANIFEST, manifest.model_dump_json(indent=1))
        out.flush()
        os.fsync(out.fileno())
    return manifest


def _add(
    archive: zipfile.ZipFile, name: str, parts: Iterator[bytes], kind: int = zipfile.ZIP_DEFLATED
) -> Entry:
    size, rows, sha = 0, 0, hashlib.sha256()
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type, entry.external_attr = kind, 0o600 << 16
    with archive.open(entry, "w", force_zip64=True) as out:
        for part in parts:
            out.write(part)
            sha.update(part)
            size, rows = size + len(part), rows + 1
    return Entry(name=name, size=size, sha256=sha.hexdigest(), rows=rows)


def _lines(rows: Iterator[dump.Row]) -> Iterator[bytes]:
    for row in rows:
        text = json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        yield text.encode("utf-8") + b"\n"


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as source:
        while chunk := source.read(CHUNK):
            yield chunk


def _region_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Files of the regions by their name in the zip: photos, extracts, learned times, maps."""
    home = settings.data_dir / "regions"
    for path in sorted(home.rglob("*")) if home.is_dir() else ():
        if path.is_file() and not path.is_symlink() and path.suffix != _PART:
            yield path.relative_to(home).as_posix(), path

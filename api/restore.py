"""Bring the whole service back from a file, into SQLite or PostgreSQL: all of it, or nothing."""

import json
import secrets
import shutil
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from api.backup_file import CHUNK, GIGABYTE, MOST_GB, Backup, Manifest, opened_backup, target_of
from api.settings import Settings
from data.db import dump, job_store
from data.model.errors import ConflictError, InputError

_MOST_LINE = 512_000_000
_ALIVE = timedelta(minutes=1)


def restore_backup(
    engine: Engine,
    settings: Settings,
    source: Path,
    *,
    at: datetime,
    replace: bool = False,
    most_bytes: int = MOST_GB * GIGABYTE,
) -> Backup:
    """Put everything of a file in the place of what there is; all of it, or nothing.

    Raises
    ------
    InputError
        As ``opened_backup``; ``backup.bad_row`` for a row that no table takes.
    ConflictError
        ``backup.not_empty`` without ``replace``, ``backup.in_use`` while a worker searches.
    """
    with opened_backup(source, most_bytes=most_bytes) as (archive, manifest):
        staged = settings.data_dir / f".restore-{secrets.token_hex(4)}"
        try:
            _stage(archive, manifest, staged, source.name)
            with engine.begin() as connection:
                with Session(connection) as session:
                    _refuse_used(session, at)
                if not dump.is_empty(connection):
                    if not replace:
                        raise ConflictError("backup.not_empty", file=source.name)
                    dump.clear(connection)
                _load(connection, archive, manifest, source.name)
                _move(staged, settings.data_dir / "regions")
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    return Backup(manifest=manifest, num_bytes=source.stat().st_size)


def _refuse_used(session: Session, at: datetime) -> None:
    running = job_store.num_running(session, heard_since=at - _ALIVE)
    if running:
        raise ConflictError("backup.in_use", n=running)


def _load(connection: Connection, archive: zipfile.ZipFile, manifest: Manifest, file: str) -> None:
    for name, entry in zip(dump.tables(), manifest.tables, strict=True):
        try:
            with archive.open(entry.name) as source:
                number = dump.load_rows(connection, name, _rows(source))
        except (ValueError, TypeError, AttributeError, SQLAlchemyError) as wrong:
            cause = str(wrong).splitlines()[0][:200]
            raise InputError("backup.bad_row", file=file, table=name, cause=cause) from wrong
        if number != entry.rows:
            raise InputError("backup.damaged", file=file, entry=entry.name)
    dump.renumber(connection)


def _rows(source: IO[bytes]) -> Iterator[dict[str, Any]]:
    while line := source.readline(_MOST_LINE):
        row = json.loads(line)
        if not isinstance(row, dict):
            raise ValueError("a line is no row")
        yield row


def _stage(archive: zipfile.ZipFile, manifest: Manifest, staged: Path, file: str) -> None:
    for entry in manifest.files:
        target = target_of(staged, entry.name, file)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with archive.open(entry.name) as source, target.open("wb") as out:
            shutil.copyfileobj(source, out, CHUNK)


def _move(staged: Path, home: Path) -> None:
    """Files take their places just before the rows that name them are committed."""
    for path in sorted(staged.rglob("*")) if staged.is_dir() else ():
        if path.is_file():
            target = home / path.relative_to(staged)
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.replace(target)

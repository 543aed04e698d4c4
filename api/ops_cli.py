"""The commands that keep the service safe: backup and restore."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api.backup import write_backup
from api.backup_file import GIGABYTE, MOST_GB, Backup, opened_backup
from api.common_cli import JsonOption, LangOption, print_json, words_for
from api.restore import restore_backup
from api.settings import Settings
from api.supervisor import prepare_database
from api.words import Words
from data.db.engine import open_engine

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The backup, a zip.")]


def backup(
    file: FileArgument,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over a file that is there.")
    ] = False,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Write the whole service into a file, also while it runs: database and regions' files."""
    words = words_for(lang)
    settings = Settings.from_environment()
    engine = open_engine(settings.database_url)
    try:
        made = write_backup(engine, settings, file, at=datetime.now(UTC), replace=replace)
    finally:
        engine.dispose()
    _tell(words, "backup.written", file, made, as_json=as_json)


def restore(
    file: FileArgument,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put it in the place of what is there.")
    ] = False,
    check_only: Annotated[
        bool, typer.Option("--check", help="Only read it through and tell whether it is whole.")
    ] = False,
    most_gb: Annotated[
        int, typer.Option("--most-gb", min=1, help="Largest size unpacked, in GB.")
    ] = MOST_GB,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Bring the service back from a file; stop it first. Nothing changes unless all is whole."""
    words = words_for(lang)
    settings = Settings.from_environment()
    with opened_backup(file, most_bytes=most_gb * GIGABYTE) as (_, manifest):
        found = Backup(manifest=manifest, num_bytes=file.stat().st_size)
    if check_only:
        _tell(words, "backup.whole", file, found, as_json=as_json)
        return
    engine = prepare_database(settings)
    try:
        restored = restore_backup(
            engine,
            settings,
            file,
            at=datetime.now(UTC),
            replace=replace,
            most_bytes=most_gb * GIGABYTE,
        )
    finally:
        engine.dispose()
    _tell(words, "backup.restored", file, restored, as_json=as_json)


def _tell(words: Words, code: str, file: Path, told: Backup, *, as_json: bool) -> None:
    manifest = told.manifest
    if as_json:
        print_json(
            {
                "file": file,
                "bytes": told.num_bytes,
                "made_at": manifest.made_at,
                "revision": manifest.revision,
                "rows": {Path(e.name).stem: e.rows for e in manifest.tables},
                "files": len(manifest.files),
            }
        )
        return
    Console().print(
        words(
            code,
            file=file,
            rows=words.number(told.num_rows),
            files=words.number(len(manifest.files)),
            mb=words.number(told.num_bytes / 1_000_000, 1),
            made=manifest.made_at[:16].replace("T", " "),
        ),
        markup=False,
    )

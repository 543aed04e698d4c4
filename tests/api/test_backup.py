"""A backup brings everything back, into either database, and nothing of a damaged one."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from api.backup import write_backup
from api.backup_file import MANIFEST
from api.restore import restore_backup
from api.settings import Settings
from data.db import accounts_store, dump, event_store, job_store, region_store
from data.db.engine import open_engine, reading, writing
from data.model.accounts import Account, Role
from data.model.errors import BookmobileError
from data.model.jobs import Claim, Job, JobFailure, JobKind, JobPlan, JobPlanDocument, JobState
from tests.api.runner import Terminal
from tests.databases import migrated, postgres_url
from tests.plan_example import STOPS, region

NOW = datetime(2026, 11, 26, 12, 0, 30, 123456, tzinfo=UTC)
PHOTO = ("rutland", "photos", "0123.jpg")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres_url() as url:
        yield url


@contextmanager
def postgres(url: str) -> Iterator[Engine]:
    """An empty, migrated PostgreSQL database."""
    empty = open_engine(url)
    with empty.begin() as connection:
        connection.execute(text("drop schema public cascade"))
        connection.execute(text("create schema public"))
    empty.dispose()
    with migrated(url) as engine:
        yield engine


@contextmanager
def sqlite(folder: Path, name: str) -> Iterator[Engine]:
    with migrated(f"sqlite:///{folder / name}") as engine:
        yield engine


def settings_in(folder: Path) -> Settings:
    return Settings(data_dir=folder, cache_dir=folder / "cache")


def fill(engine: Engine, settings: Settings) -> None:
    """Rows of many kinds: text in Russian, bytes, dates, JSON, nothing."""
    with writing(engine) as session:
        region_store.add_region(session, replace(region(), stops=STOPS), at=NOW)
        account = Account(
            account_id="a" * 32,
            login="olga",
            name="Ольга «Книга» \\ \u2028",
            roles=(Role.DISPATCHER,),
            created_at=NOW,
        )
        accounts_store.add_account(session, account, "argon2 hash")
        accounts_store.add_sign_in(session, "t" * 64, "a" * 32, NOW, NOW + timedelta(days=1))
        job = Job(
            job_id="j" * 32,
            region_id="rutland",
            kind=JobKind.FRONTIER,
            params={"seed": 1, "deep": [{"x": 1.5, "y": None}]},
            created_at=NOW,
        )
        job_store.add_job(session, job)
        job_store.claim(session, job.job_id, worker="w", at=NOW - timedelta(hours=1))
        document = JobPlanDocument(request=bytes(range(256)), plan=b"\x00\xff")
        job_store.add_job_plans(session, job.job_id, [(JobPlan(name="1", summary={}), document)])
        held = Claim(job_id=job.job_id, worker="w", tries=1)
        failure = JobFailure(code="jobs.lost", facts={"tries": 3})
        job_store.finish(session, held, JobState.FAILED, at=NOW, failure=failure)
    for _ in range(3):
        with writing(engine) as session:
            event_store.emit(session, "job", "j" * 32, "rutland", fraction=0.5)
    photo = settings.data_dir.joinpath("regions", *PHOTO)
    photo.parent.mkdir(parents=True)
    photo.write_bytes(b"\xff\xd8 picture")


def contents(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    with engine.connect() as connection:
        return {name: list(dump.rows_of(connection, name)) for name in dump.tables()}


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, dict[str, list[dict[str, Any]]]]:
    """A backup of a filled SQLite database, and the rows that it was made of."""
    folder = tmp_path / "first"
    folder.mkdir()
    with sqlite(folder, "first.sqlite") as engine:
        fill(engine, settings_in(folder))
        file = tmp_path / "backup.zip"
        write_backup(engine, settings_in(folder), file, at=NOW)
        return file, contents(engine)


def test_a_backup_restores_into_either_database_and_back(
    tmp_path: Path, server: str, made: tuple[Path, dict[str, list[dict[str, Any]]]]
) -> None:
    """From SQLite into PostgreSQL and from there into SQLite, every row and file is as it was.

    Sign-ins are not kept; numbers go on after those restored.
    """
    file, before = made
    assert len(before["stop"]) == 5 and len(before["event"]) == 3
    second, third = tmp_path / "second", tmp_path / "third"
    with postgres(server) as engine:
        told = restore_backup(engine, settings_in(second), file, at=NOW)
        assert contents(engine) == before
        assert told.num_rows == sum(len(rows) for rows in before.values())
        with reading(engine) as session:
            assert accounts_store.count_sign_ins(session) == 0
            assert accounts_store.password_hash(session, "a" * 32) == "argon2 hash"
            assert len(region_store.load_region(session, "rutland").stops) == 5
        again = tmp_path / "again.zip"
        write_backup(engine, settings_in(second), again, at=NOW)
        with writing(engine) as session:
            event_store.emit(session, "job", "j" * 32, "rutland")
        with reading(engine) as session:
            ids = [e.event_id for e in event_store.events_after(session, 0)]
        assert ids == [1, 2, 3, 4]
    third.mkdir()
    with sqlite(third, "third.sqlite") as engine:
        restore_backup(engine, settings_in(third), again, at=NOW)
        assert contents(engine) == before
    for folder in (second, third):
        assert folder.joinpath("regions", *PHOTO).read_bytes() == b"\xff\xd8 picture"
        assert not list(folder.glob(".restore-*"))


def rewritten(file: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """A copy of a zip with entries changed; ``None`` leaves one out."""
    target = file.with_name("changed.zip")
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(target, "w") as out:
        for name in source.namelist():
            raw = change(name, source.read(name))
            if raw is not None:
                out.writestr(name, raw)
    return target


def cut(file: Path) -> Path:
    target = file.with_name("cut.zip")
    target.write_bytes(file.read_bytes()[:-40])
    return target


def flipped(file: Path) -> Path:
    """One byte in the middle of a packed table is another one."""
    raw = bytearray(file.read_bytes())
    with zipfile.ZipFile(file) as source:
        entry = source.getinfo("tables/stop.jsonl")
    raw[entry.header_offset + 120] ^= 0xFF
    target = file.with_name("flipped.zip")
    target.write_bytes(raw)
    return target


def tampered(file: Path) -> Path:
    """A row was changed, and the manifest was not."""

    def change(name: str, raw: bytes) -> bytes:
        return raw.replace(b'"olga"', b'"eve!"') if name == "tables/account.jsonl" else raw

    return rewritten(file, change)


def lacking(file: Path) -> Path:
    return rewritten(file, lambda name, raw: None if name == "tables/stop.jsonl" else raw)


def escaping(file: Path) -> Path:
    """A file that would be written beside the database."""

    def change(name: str, raw: bytes) -> bytes:
        return raw.replace(b"files/rutland/photos/", b"files/../../photos/x/")

    target = file.with_name("escaping.zip")
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(target, "w") as out:
        for name in source.namelist():
            raw = source.read(name)
            new = name.replace("files/rutland/photos/", "files/../../photos/x/")
            out.writestr(new, change(name, raw) if name == MANIFEST else raw)
    return target


def bomb(file: Path) -> Path:
    """The manifest says little, and much comes out."""

    def change(name: str, raw: bytes) -> bytes:
        return b"0" * 30_000_000 if name == "tables/stop.jsonl" else raw

    return rewritten(file, change)


def strange(file: Path) -> Path:
    target = file.with_name("strange.zip")
    with zipfile.ZipFile(target, "w") as out:
        out.writestr("hello.txt", "hello")
    return target


def no_zip(file: Path) -> Path:
    target = file.with_name("no.zip")
    target.write_text("not a zip")
    return target


def of_later(file: Path) -> Path:
    def change(name: str, raw: bytes) -> bytes:
        if name != MANIFEST:
            return raw
        told = json.loads(raw)
        return json.dumps({**told, "revision": "9999", "program": "9.0.0"}).encode()

    return rewritten(file, change)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (cut, "backup.not_whole"),
        (flipped, "backup.not_whole"),
        (tampered, "backup.damaged"),
        (lacking, "backup.damaged"),
        (escaping, "backup.damaged"),
        (bomb, "backup.damaged"),
        (strange, "backup.not_a_backup"),
        (no_zip, "backup.not_whole"),
        (of_later, "backup.other_revision"),
    ],
)
def test_a_damaged_backup_changes_nothing(
    tmp_path: Path,
    made: tuple[Path, dict[str, list[dict[str, Any]]]],
    spoil: Callable[[Path], Path],
    code: str,
) -> None:
    """Cut off, changed, hostile or of another version: refused, and all stays as it was."""
    spoiled, home = spoil(made[0]), tmp_path / "first"
    with sqlite(home, "first.sqlite") as engine:
        with pytest.raises(BookmobileError) as refused:
            restore_backup(engine, settings_in(home), spoiled, at=NOW, replace=True)
        assert refused.value.code == code
        assert contents(engine) == made[1]
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_dir()) == ["first"]
    assert sorted(p.name for p in home.iterdir() if p.is_dir()) == ["regions"]


def forged(file: Path, table: str, row: dict[str, Any]) -> Path:
    """A backup whose checksums are right and whose row is not."""
    import hashlib

    raw = json.dumps(row).encode() + b"\n"
    name = f"tables/{table}.jsonl"

    def change(entry: str, old: bytes) -> bytes:
        if entry == name:
            return raw
        if entry != MANIFEST:
            return old
        told = json.loads(old)
        for one in told["tables"]:
            if one["name"] == name:
                one |= {"size": len(raw), "sha256": hashlib.sha256(raw).hexdigest(), "rows": 1}
        return json.dumps(told).encode()

    return rewritten(file, change)


@pytest.mark.parametrize(
    "change",
    [
        {"lon": "west"},
        {"created_at": 7},
        {"extra": 1},
        {"region_id": "nowhere"},
    ],
)
def test_a_row_that_fits_nowhere_changes_nothing(
    tmp_path: Path,
    made: tuple[Path, dict[str, list[dict[str, Any]]]],
    change: dict[str, Any],
) -> None:
    """Half of a backup is never restored: the rows before the bad one are taken back."""
    table = "region" if "created_at" in change else "stop"
    spoiled = forged(made[0], table, made[1][table][0] | change)
    with sqlite(tmp_path / "first", "first.sqlite") as engine:
        with pytest.raises(BookmobileError) as refused:
            restore_backup(engine, settings_in(tmp_path), spoiled, at=NOW, replace=True)
        assert (refused.value.code, refused.value.facts["table"]) == ("backup.bad_row", table)
        assert contents(engine) == made[1]


def test_a_database_in_use_or_not_empty_is_left_alone(
    tmp_path: Path, made: tuple[Path, dict[str, list[dict[str, Any]]]]
) -> None:
    """Only ``replace`` overwrites, and not under a worker that searches."""
    home = tmp_path / "first"
    with sqlite(home, "first.sqlite") as engine:
        with pytest.raises(BookmobileError) as refused:
            restore_backup(engine, settings_in(home), made[0], at=NOW)
        assert refused.value.code == "backup.not_empty"
        with writing(engine) as session:
            job = Job(
                job_id="r" * 32,
                region_id="rutland",
                kind=JobKind.PLAN,
                params={},
                created_at=NOW,
            )
            job_store.add_job(session, job)
            job_store.claim(session, job.job_id, worker="w", at=NOW)
        with pytest.raises(BookmobileError) as refused:
            restore_backup(engine, settings_in(home), made[0], at=NOW, replace=True)
        assert refused.value.code == "backup.in_use"
        later = NOW + timedelta(hours=1)
        restore_backup(engine, settings_in(home), made[0], at=later, replace=True)
        assert contents(engine) == made[1]


def test_too_large_a_backup_is_refused_unread(
    tmp_path: Path, made: tuple[Path, dict[str, list[dict[str, Any]]]]
) -> None:
    """The limit holds for what comes out, and is told."""
    with (
        sqlite(tmp_path, "empty.sqlite") as engine,
        pytest.raises(BookmobileError) as refused,
    ):
        restore_backup(engine, settings_in(tmp_path), made[0], at=NOW, most_bytes=1000)
    assert refused.value.code == "backup.too_large"


def test_a_backup_is_one_moment_of_a_database_in_use(tmp_path: Path) -> None:
    """What is written meanwhile is in it whole or not at all."""
    import threading

    with sqlite(tmp_path, "busy.sqlite") as engine:
        fill(engine, settings_in(tmp_path))
        is_over = threading.Event()

        def write() -> None:
            number = 0
            while not is_over.is_set():
                number += 1
                with writing(engine) as session:
                    for half in "ab":
                        job = Job(
                            job_id=f"{number}{half}",
                            region_id="rutland",
                            kind=JobKind.PLAN,
                            params={},
                            created_at=NOW,
                        )
                        job_store.add_job(session, job)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for number in range(3):
                write_backup(engine, settings_in(tmp_path), tmp_path / f"{number}.zip", at=NOW)
        finally:
            is_over.set()
            thread.join()
    sizes = []
    for number in range(3):
        with zipfile.ZipFile(tmp_path / f"{number}.zip") as archive:
            lines = io.BytesIO(archive.read("tables/plan_job.jsonl")).readlines()
        sizes.append(len(lines))
        assert (len(lines) - 1) % 2 == 0
    assert sizes[0] < sizes[2]


def test_the_commands_write_and_bring_back(
    bookmobile: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the terminal: a file for its owner alone, not overwritten, checked, restored."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    with sqlite(first, "bookmobile.sqlite") as engine:
        fill(engine, settings_in(first))
        before = contents(engine)
    monkeypatch.setenv("BOOKMOBILE_DATA", str(first))
    file = tmp_path / "night.zip"
    told = bookmobile("backup", file)
    assert (told.code, "files 1" in told.said) == (0, True), told.said
    assert file.stat().st_mode & 0o777 == 0o600
    refused = bookmobile("backup", file)
    assert refused.code == 2 and "already" in refused.said
    monkeypatch.setenv("BOOKMOBILE_DATA", str(second))
    assert bookmobile("restore", file, "--check").code == 0
    assert not second.exists()
    restored = bookmobile("restore", file)
    assert restored.code == 0, restored.said
    with sqlite(second, "bookmobile.sqlite") as engine:
        assert contents(engine) == before
    again = bookmobile("restore", file)
    assert again.code == 2 and "--replace" in again.said
    assert bookmobile("restore", file, "--replace", "--json").code == 0
    missing = bookmobile("restore", tmp_path / "none.zip")
    assert missing.code == 2 and "none.zip" in missing.said

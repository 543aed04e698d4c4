"""Set a region up: uploads into a draft, its reading in a child process, the confirmation.

A region comes to be, or grows, in one transaction at the end; until then everything lies in the
draft's folder, and a draft that is dropped leaves nothing.
"""

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from anyio import to_thread
from sqlalchemy import Engine
from sqlmodel import Session

from api.services.import_outcome import Outcome
from api.services.import_runs import Progress, Runs
from api.services.region_drafts import BASE, Draft, DraftFile, Drafts
from api.services.regions import bundled_regions
from api.services.upload_files import HEAD_BYTES, UploadKind, check_head, check_kind, tidy_name
from data.db import audit_store, event_store, region_store
from data.db.engine import reading, writing
from data.feeds.learned_file import NAMES as LEARNED
from data.feeds.region_folder import read_region, write_region
from data.model.accounts import Caller
from data.model.errors import ConflictError, InputError
from data.model.region import Region

KEEP_DRAFTS = timedelta(days=7)
TABLE_MAX_MB = 100
ZIP_RATIO = 4
"""Times the largest upload that all files of a zip may take when unpacked."""
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftView:
    """A draft as its page shows it.

    ``state``: ``collecting`` (files are being given), ``reading``, ``read``, ``confirmed``.
    """

    draft: Draft
    files: tuple[DraftFile, ...]
    state: str
    mark: str
    progress: Progress | None = None
    outcome: Outcome | None = None
    is_outdated: bool = False
    """Whether something changed since the outcome."""


@dataclass(slots=True)
class RegionSetup:
    """Everything that the set-up page and its routes do.

    Parameters
    ----------
    data_dir
        Of the settings: drafts and the files of regions lie in it.
    """

    engine: Engine
    data_dir: Path
    upload_max_mb: int
    drafts: Drafts = field(init=False)
    runs: Runs = field(init=False)

    def __post_init__(self) -> None:
        self.drafts = Drafts(self.data_dir / "imports")
        self.runs = Runs(self.drafts, ZIP_RATIO * self.upload_max_mb)

    def begin(
        self,
        session: Session,
        caller: Caller,
        *,
        region_id: str,
        is_new: bool,
        at: datetime,
        name: str = "",
        language: str | None = None,
        time_zone: str | None = None,
    ) -> Draft:
        """Begin a draft; old ones are swept away.

        Raises
        ------
        ConflictError
            ``region.taken`` for a new region of an id in use.
        NotFoundError
            ``region.unknown`` for an old one that is not there.
        """
        taken = {r.region_id for r in region_store.list_regions(session, with_closed=True)}
        if is_new and region_id in taken:
            raise ConflictError("region.taken", region_id=region_id)
        if not is_new:
            region_store.region_revision(session, region_id)
        self.drafts.sweep(at - KEEP_DRAFTS)
        draft = Draft(
            draft_id=uuid4().hex,
            region_id=region_id,
            is_new=is_new,
            made_at=at,
            made_by=caller.account_id,
            name=name,
            language=language,
            time_zone=time_zone,
        )
        self.drafts.add(draft)
        return draft

    async def receive(
        self,
        draft_id: str,
        name: str,
        kind: UploadKind | None,
        chunks: AsyncIterator[bytes],
    ) -> DraftFile:
        """Take an upload piece by piece onto the disk; a refused one leaves nothing.

        Raises
        ------
        InputError
            ``setup.file_size``, ``setup.file_kind``, ``setup.kind_of_file``, ``setup.content`` …
        """
        self._check_open(draft_id)
        plain = tidy_name(name)
        if kind is not None:
            check_kind(plain, kind)
        is_table = Path(plain).suffix not in {".pbf", ".zip"}
        limit_mb = min(TABLE_MAX_MB, self.upload_max_mb) if is_table else self.upload_max_mb
        file_id, target = self.drafts.new_file(draft_id)
        try:
            size, digest = await _write(plain, target, chunks, limit_mb)
            file = DraftFile(file_id=file_id, name=plain, size_bytes=size, sha256=digest, kind=kind)
            self.drafts.keep_file(draft_id, file, target)
        except BaseException:
            self.drafts.drop_file(draft_id, file_id)
            raise
        return file

    def change_file(
        self,
        draft_id: str,
        file_id: str,
        *,
        kind: UploadKind | None,
        encoding: str | None,
        mapping: dict[str, str],
    ) -> DraftFile:
        """Say what a file is for and how it is read."""
        self._check_open(draft_id)
        file = self.drafts.file(draft_id, file_id)
        if kind is not None:
            check_kind(file.name, kind)
        changed = replace(file, kind=kind, encoding=encoding or None, mapping=mapping)
        self.drafts.put_file(draft_id, changed)
        return changed

    def drop_file(self, draft_id: str, file_id: str) -> None:
        self._check_open(draft_id)
        self.drafts.file(draft_id, file_id)
        self.drafts.drop_file(draft_id, file_id)

    def change(self, draft: Draft) -> None:
        """Take over a draft's name, address, language or time zone."""
        self._check_open(draft.draft_id)
        self.drafts.put(draft)

    def drop(self, draft_id: str) -> None:
        """Forget a draft and its files, and end its reading."""
        self.runs.stop(draft_id)
        self.drafts.remove(draft_id)

    def read(self, draft_id: str) -> None:
        """Start reading in a child process, unless one is at it."""
        view = self.view(draft_id)
        if view.state == "reading":
            return
        self._check_open(draft_id)
        if not view.draft.is_new:
            folder = self.drafts.folder(draft_id)
            with reading(self.engine) as session:
                region = region_store.load_region(session, view.draft.region_id)
            shutil.rmtree(folder / BASE, ignore_errors=True)
            write_region(region, folder / BASE)
        self.runs.begin(draft_id)

    def view(self, draft_id: str) -> DraftView:
        """A draft as it stands; a reading that lost its process is begun again, once."""
        draft, files = self.drafts.get(draft_id), self.drafts.files(draft_id)
        mark = self.drafts.print_of(draft_id)
        found = self.runs.follow(draft_id)
        outcome = found if isinstance(found, Outcome) else None
        if draft.confirmed_at is not None:
            state = "confirmed"
        elif outcome is not None:
            state = "read"
        else:
            state = "collecting" if found is None else "reading"
        return DraftView(
            draft=draft,
            files=files,
            state=state,
            mark=mark,
            progress=found if isinstance(found, Progress) else None,
            outcome=outcome,
            is_outdated=outcome is not None and outcome.print_of_draft != mark,
        )

    def confirm(self, draft_id: str, caller: Caller, *, at: datetime, from_date: date) -> Region:
        """Store the draft's region in one transaction.

        Raises
        ------
        ConflictError
            ``setup.not_read`` where the files or choices changed since they were read,
            ``region.taken``.
        """
        view = self.view(draft_id)
        outcome = view.outcome
        if view.state != "read" or outcome is None or view.is_outdated or not outcome.is_ready:
            raise ConflictError("setup.not_read")
        folder = self.drafts.folder(draft_id)
        region = read_region(folder / outcome.folder)
        extract = Path(outcome.roads_path) if outcome.roads_path else None
        region, staged = self._stage_files(region, extract, view)
        kept: list[Path] = []
        try:
            with writing(self.engine) as session:
                told: dict[str, object] = {"files": [f.name for f in view.files]}
                if view.draft.is_new:
                    region_store.add_region(session, region, at=at)
                    action = "region.add"
                else:
                    replaced = region_store.replace_contents(
                        session, region, from_date=from_date, at=at
                    )
                    told["replaced"] = {
                        kind: [r.added, r.changed, r.ended] for kind, r in replaced.items()
                    }
                    action = "region.import"
                audit_store.record(
                    session, caller, action, region.region_id, region_id=region.region_id, **told
                )
                event_store.emit(session, "region", region.region_id, region.region_id)
                # Only whoever has the region's turn: files of one who is refused are nobody's.
                for part, target in staged:
                    if not target.exists():
                        part.replace(target)
                        kept.append(target)
        except BaseException:
            for path in kept:
                path.unlink(missing_ok=True)
            raise
        finally:
            for part, _ in staged:
                part.unlink(missing_ok=True)
        self.drafts.put(replace(view.draft, region_id=region.region_id, confirmed_at=at))
        shutil.rmtree(folder / "files", ignore_errors=True)
        (folder / "files").mkdir()
        return region

    def add_bundled(self, name: str, caller: Caller, *, at: datetime) -> Region:
        """Take over a region that ships with the program.

        Raises
        ------
        InputError
            ``setup.no_bundled``.
        """
        folders = bundled_regions()
        if name not in folders:
            raise InputError("setup.no_bundled", name=name, known=", ".join(folders))
        region = read_region(folders[name])
        with writing(self.engine) as session:
            region_store.add_region(session, region, at=at)
            audit_store.record(
                session,
                caller,
                "region.add",
                region.region_id,
                region_id=region.region_id,
                bundled=name,
            )
            event_store.emit(session, "region", region.region_id, region.region_id)
        return region

    def _stage_files(
        self, region: Region, extract: Path | None, view: DraftView
    ) -> tuple[Region, list[tuple[Path, Path]]]:
        """Lay the extract and what was learned beside where they are to be, each with its place."""
        home = region_files_folder(self.data_dir, region.region_id)
        sources: list[tuple[Path, Path]] = []
        if extract is not None:
            digest = next((f.sha256 for f in view.files if f.name == extract.name), uuid4().hex)
            target = home / f"roads-{digest[:12]}.osm.pbf"
            region = replace(region, roads_file=target.name)
            sources.append((extract, target))
        sources += [
            (found, home / found.name)
            for found in self.drafts.folder(view.draft.draft_id).glob("files/*/unpacked/learned.*")
            if found.name in LEARNED
        ]
        staged = []
        for source, target in sources:
            if not target.exists():
                home.mkdir(parents=True, exist_ok=True)
                part = home / f"{uuid4().hex}.part"
                _link_or_copy(source, part)
                staged.append((part, target))
        return region, staged

    def _check_open(self, draft_id: str) -> None:
        if self.drafts.get(draft_id).confirmed_at is not None:
            raise ConflictError("setup.confirmed_already")


def region_files_folder(data_dir: Path, region_id: str) -> Path:
    """Where the files of a region lie that are not in the database: its extract, what was learned.

    It stands in for the region's folder wherever roads are opened.
    """
    return data_dir / "regions" / region_id


async def _write(
    name: str, target: Path, chunks: AsyncIterator[bytes], limit_mb: int
) -> tuple[int, str]:
    """Write an upload; gives its size and SHA-256."""
    digest, size, buffer, is_checked = sha256(), 0, bytearray(), False
    with target.open("wb") as out:
        async for chunk in chunks:
            buffer += chunk
            size += len(chunk)
            if size > limit_mb * 1_000_000:
                raise InputError("setup.file_size", file=name, limit_mb=limit_mb)
            if not is_checked and len(buffer) >= HEAD_BYTES:
                check_head(name, bytes(buffer[:HEAD_BYTES]))
                is_checked = True
            if len(buffer) >= _CHUNK:
                digest.update(buffer)
                await to_thread.run_sync(out.write, bytes(buffer))
                buffer.clear()
        if not is_checked:
            check_head(name, bytes(buffer[:HEAD_BYTES]))
        digest.update(buffer)
        await to_thread.run_sync(out.write, bytes(buffer))
    return size, digest.hexdigest()


def _link_or_copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)

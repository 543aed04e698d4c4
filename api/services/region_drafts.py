"""Drafts of a region's import: uploaded files and what is to be made of them, on disk.

A draft is a folder of its own, so that it outlives a reload of the page and a restart of the
server. Nothing in it belongs to a region until the draft is confirmed. Every file is written
whole under another name first, then renamed.
"""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2s
from pathlib import Path
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from api.services.upload_files import UploadKind
from data.model.errors import InputError, NotFoundError

MOST_FILES = 40
BASE = "base"
"""Folder in a draft with the region that is added to."""
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftFile:
    """An uploaded file and how it is to be read."""

    file_id: str
    name: str
    size_bytes: int
    sha256: str
    kind: UploadKind | None = None
    """``None``: told from its columns when it is read."""
    encoding: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    """The file's column names to ours, where the synonyms do not know them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a set of files is to become: a new region, or more for one that exists."""

    draft_id: str
    is_new: bool
    made_at: datetime
    region_id: str = ""
    """Of a new region empty where its files or its name are to give it."""
    made_by: str | None = None
    name: str = ""
    language: str | None = None
    time_zone: str | None = None
    confirmed_at: datetime | None = None


_DRAFT, _FILE = TypeAdapter(Draft), TypeAdapter(DraftFile)


def write_whole(path: Path, text: bytes) -> None:
    """Write a file so that a reader sees the old or the new one, never half of it."""
    part = path.with_name(f"{path.name}.{uuid4().hex[:8]}.part")
    part.write_bytes(text)
    part.replace(path)


@dataclass(frozen=True, slots=True)
class Drafts:
    """The folder of all drafts."""

    root: Path

    def folder(self, draft_id: str) -> Path:
        """A draft's own folder.

        Raises
        ------
        NotFoundError
            ``setup.unknown``; also for an id that is none.
        """
        folder = self.root / draft_id
        if not _ID.fullmatch(draft_id) or not (folder / "draft.json").exists():
            raise NotFoundError("setup.unknown", id=draft_id[:40])
        return folder

    def add(self, draft: Draft) -> None:
        """Begin a draft."""
        (self.root / draft.draft_id / "files").mkdir(parents=True)
        self.put(draft)

    def put(self, draft: Draft) -> None:
        write_whole(self.root / draft.draft_id / "draft.json", _DRAFT.dump_json(draft))

    def get(self, draft_id: str) -> Draft:
        return _DRAFT.validate_json((self.folder(draft_id) / "draft.json").read_bytes())

    def remove(self, draft_id: str) -> None:
        shutil.rmtree(self.folder(draft_id), ignore_errors=True)

    def all(self) -> tuple[Draft, ...]:
        """Every draft that can be read, the newest first."""
        found = []
        for path in self.root.glob("*/draft.json"):
            try:
                found.append(_DRAFT.validate_json(path.read_bytes()))
            except (OSError, ValidationError):
                continue
        return tuple(sorted(found, key=lambda d: d.made_at, reverse=True))

    def sweep(self, before: datetime) -> int:
        """Remove drafts that were begun earlier; how many."""
        old = [draft for draft in self.all() if draft.made_at < before]
        for draft in old:
            shutil.rmtree(self.root / draft.draft_id, ignore_errors=True)
        return len(old)

    def files(self, draft_id: str) -> tuple[DraftFile, ...]:
        """Files of a draft in the order in which they came."""
        metas = (self.folder(draft_id) / "files").glob("*/file.json")
        found = [_FILE.validate_json(meta.read_bytes()) for meta in metas]
        return tuple(sorted(found, key=lambda file: file.file_id))

    def file(self, draft_id: str, file_id: str) -> DraftFile:
        """One file.

        Raises
        ------
        NotFoundError
            ``setup.unknown_file``.
        """
        for found in self.files(draft_id):
            if found.file_id == file_id:
                return found
        raise NotFoundError("setup.unknown_file", id=file_id[:40])

    def path(self, draft_id: str, file: DraftFile) -> Path:
        """Where a file's bytes lie, under its own name."""
        return self.folder(draft_id) / "files" / file.file_id / "data" / file.name

    def new_file(self, draft_id: str) -> tuple[str, Path]:
        """Id of the next file and a place to write its bytes to.

        Raises
        ------
        InputError
            ``setup.too_many_files``.
        """
        files = self.folder(draft_id) / "files"
        numbers = [int(p.name) for p in files.iterdir() if p.name.isdigit()]
        if len(numbers) >= MOST_FILES:
            raise InputError("setup.too_many_files", limit=MOST_FILES)
        number = max(numbers, default=0) + 1
        while True:
            try:
                (files / f"{number:04d}").mkdir()
            except FileExistsError:
                number += 1
            else:
                return f"{number:04d}", files / f"{number:04d}" / "upload.part"

    def keep_file(self, draft_id: str, file: DraftFile, upload: Path) -> None:
        """Take an upload over under its name."""
        home = self.folder(draft_id) / "files" / file.file_id
        (home / "data").mkdir()
        upload.replace(home / "data" / file.name)
        self.put_file(draft_id, file)

    def put_file(self, draft_id: str, file: DraftFile) -> None:
        home = self.folder(draft_id) / "files" / file.file_id
        write_whole(home / "file.json", _FILE.dump_json(file))

    def drop_file(self, draft_id: str, file_id: str) -> None:
        """Forget a file and its bytes; also one whose upload broke off."""
        if file_id.isdigit():
            shutil.rmtree(self.folder(draft_id) / "files" / file_id, ignore_errors=True)

    def print_of(self, draft_id: str) -> str:
        """A mark of everything that the outcome depends on: it changes with any of it."""
        digest = blake2s(digest_size=8)
        draft = self.get(draft_id)
        for value in (draft.region_id, draft.name, draft.language, draft.time_zone):
            digest.update(f"{value}\x1f".encode())
        for file in self.files(draft_id):
            digest.update(_FILE.dump_json(file))
        return digest.hexdigest()

"""Imports over HTTP: drafts, their files, what reading them gave."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.fields import NUL_FREE, Text
from api.schemas.regions import MessagePublic, RegionIdText
from api.schemas.things import Body
from api.services.import_outcome import FileOutcome, Told
from api.services.region_setup import DraftView
from api.services.upload_files import UploadKind
from api.words import Words

TimeZone = Annotated[str, Field(max_length=64, pattern=NUL_FREE)]
Language = Annotated[str, Field(pattern="^[a-z]{2,3}$")]


class ImportCreate(Body):
    """What the files are to become."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Моя область"}, {"into": "kaliningrad"}]}
    )
    into: str | None = Field(
        default=None, max_length=64, description="A region that they are added to; null: a new one."
    )
    region_id: RegionIdText | None = Field(default=None, description="Id of the new region.")
    name: Text = ""
    language: Language | None = None
    time_zone: TimeZone | None = None


class ImportUpdate(Body):
    """What to change; what is left out stays."""

    region_id: RegionIdText | None = None
    name: Text | None = None
    language: Language | None = None
    time_zone: TimeZone | None = None


class ImportFileUpdate(Body):
    """How a file is read."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "libraries", "mapping": {"Библ.": "name", "Код НП": "settlement_id"}}
            ]
        }
    )
    kind: UploadKind | None = Field(default=None, description="null: told from its columns.")
    encoding: Annotated[str, Field(max_length=20, pattern="^[A-Za-z0-9_-]*$")] | None = None
    mapping: dict[Text, Annotated[str, Field(max_length=60)]] = Field(
        default={}, max_length=200, description="The file's column names to ours."
    )


class ColumnPublic(BaseModel):
    """A column of a file and what it was read as; empty: nothing."""

    theirs: str
    ours: str
    samples: list[str]


class RowProblemPublic(MessagePublic):
    """What is wrong with a row, and whether it was left out."""

    verdict: str


class ImportFilePublic(BaseModel):
    """An uploaded file and, once read, its report."""

    file_id: str
    name: str
    size_bytes: int
    kind: UploadKind | None
    is_guessed: bool = False
    num_rows: int | None = None
    num_loaded: int | None = None
    num_rejected: int | None = None
    num_flagged: int | None = None
    encoding: str = ""
    columns: list[ColumnPublic] = []
    problems: list[RowProblemPublic] = Field(default=[], description="The first 1,000.")
    errors: list[MessagePublic] = Field(default=[], description="Why nothing could be read.")


class ImportPublic(BaseModel):
    """A draft as it stands."""

    import_id: str
    state: str = Field(description="`collecting`, `reading`, `read` or `confirmed`.")
    is_new: bool
    region_id: str
    name: str
    language: str | None
    time_zone: str | None
    made_at: datetime
    phase: str = ""
    fraction: float = 0.0
    files: list[ImportFilePublic]
    is_outdated: bool = Field(description="Whether something changed since the files were read.")
    is_ready: bool = Field(description="Whether it can be confirmed.")
    errors: list[MessagePublic] = []
    holds: dict[str, int] = {}
    about: dict[str, str] = {}
    assumed: list[MessagePublic] = []
    missing: list[MessagePublic] = []
    changes: dict[str, tuple[int, int]] = Field(
        default={}, description="Of an old region: things added and changed by kind."
    )

    @classmethod
    def from_view(cls, view: DraftView, words: Words) -> "ImportPublic":
        """What the API tells of a draft, in words."""
        outcome, draft = view.outcome, view.draft
        reports = {f.file_id: f for f in outcome.files} if outcome else {}
        told: dict[str, Any] = {}
        if outcome is not None:
            told = {
                "errors": _messages(outcome.errors, words),
                "holds": dict(outcome.holds),
                "about": dict(outcome.about),
                "assumed": _messages(outcome.assumed, words),
                "missing": _messages(outcome.missing, words),
                "changes": dict(outcome.changes),
            }
        progress = view.progress
        return cls(
            import_id=draft.draft_id,
            state=view.state,
            is_new=draft.is_new,
            region_id=draft.region_id,
            name=draft.name,
            language=draft.language,
            time_zone=draft.time_zone,
            made_at=draft.made_at,
            phase=words(progress.phase) if progress else "",
            fraction=progress.fraction if progress else 0.0,
            files=[
                ImportFilePublic(
                    file_id=file.file_id,
                    name=file.name,
                    size_bytes=file.size_bytes,
                    **{"kind": file.kind, **_report(reports.get(file.file_id), words)},
                )
                for file in view.files
            ],
            is_outdated=view.is_outdated,
            is_ready=outcome is not None and outcome.is_ready and not view.is_outdated,
            **told,
        )


def _messages(told: tuple[Told, ...], words: Words) -> list[MessagePublic]:
    return [
        MessagePublic(code=one.code, message=words(one.code, **one.facts), facts=dict(one.facts))
        for one in told
    ]


def _report(found: FileOutcome | None, words: Words) -> dict[str, Any]:
    if found is None:
        return {}
    return {
        "kind": found.kind,
        "is_guessed": found.is_guessed,
        "num_rows": found.num_rows,
        "num_loaded": found.num_loaded,
        "num_rejected": found.num_rejected,
        "num_flagged": found.num_flagged,
        "encoding": found.encoding,
        "columns": [
            ColumnPublic(theirs=c.theirs, ours=c.ours, samples=list(c.samples))
            for c in found.columns
        ],
        "problems": [
            RowProblemPublic(
                code=one.code,
                message=words(one.code, **one.facts),
                facts=dict(one.facts),
                verdict=one.verdict.value,
            )
            for one in found.problems
        ],
        "errors": _messages(found.errors, words),
    }

"""Circulation over HTTP for librarians: conflicts, decisions, imports."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.fields import NUL_FREE
from api.schemas.sync import HistoryPublic
from data.feeds.report import ImportReport
from data.model.journal_bodies import Choice
from data.model.journal_kept import RefusedEvent
from fleet.circulation_outcome import Proposal, Verdict

Told = Annotated[str, Field(max_length=64, pattern=NUL_FREE)]


class OpenConflictPublic(BaseModel):
    """An event that waits for a person."""

    event_id: str
    kind: str
    happened_at: datetime
    is_clock_doubtful: bool
    place: str
    rule: str
    message: str = Field(description="The rule in the language of whoever asks.")
    proposal: Proposal | None
    proposed: str = Field(description="What `apply` does, in words.")
    asks_for: str = Field(
        description="Field that a decision must fill in: item_id, patron_id, card."
    )
    item_id: str
    item_name: str
    patron_name: str
    facts: dict[str, Any]
    own_history: list[HistoryPublic]
    other_history: list[HistoryPublic]


class RefusedPublic(BaseModel):
    """An event that could not be taken; it stays on its device too."""

    number: int
    code: str
    message: str
    device_id: str
    event_id: str
    carried_by: str
    refused_at: datetime

    @classmethod
    def from_domain(cls, refused: RefusedEvent, message: str) -> "RefusedPublic":
        """What the API tells of it."""
        return cls(
            number=refused.refused_no,
            code=refused.code,
            message=message,
            device_id=refused.device_id,
            event_id=refused.event_id,
            carried_by=refused.carried_by,
            refused_at=refused.refused_at,
        )


class WaitingPublic(BaseModel):
    """All that waits for a person."""

    conflicts: list[OpenConflictPublic]
    refused: list[RefusedPublic]
    num_events: int
    num_items: int
    num_patrons: int
    num_loans: int = Field(description="Open ones.")
    revision: int


class DecisionCreate(BaseModel):
    """What a person decides of a conflict."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"rule": "lent_to_other", "choice": "apply", "note": "спросили читателя"}]
        },
    )
    rule: Told = Field(description="As it was shown: another one decides nothing.")
    choice: Choice
    item_id: Told = ""
    patron_id: Told = ""
    card: Told = ""
    note: Annotated[str, Field(max_length=1000, pattern=NUL_FREE)] = ""


class DecisionPublic(BaseModel):
    """What became of the event."""

    event_id: str
    answer: Verdict


class RowProblem(BaseModel):
    """One row that was not taken, or taken with a remark."""

    code: str
    message: str
    row: int | None
    is_rejected: bool


class EncodingRead(BaseModel):
    """How the first lines of a file read in an encoding."""

    encoding: str
    lines: list[str]
    num_wrong: int = Field(description="Lines that cannot be read in it.")
    is_likely: bool


class TakenIn(BaseModel):
    """The account of an import."""

    is_trial: bool
    encoding: str
    num_rows: int
    num_loaded: int
    num_rejected: int
    columns: dict[str, str]
    unused_columns: list[str]
    problems: list[RowProblem]
    previews: list[EncodingRead] = Field(
        default=[], description="Of a trial: the file in each encoding, the likeliest first."
    )

    @classmethod
    def of(cls, report: ImportReport, problems: list[RowProblem], *, is_trial: bool) -> "TakenIn":
        """What the API tells of it."""
        return cls(
            is_trial=is_trial,
            encoding=report.encoding,
            num_rows=report.num_rows,
            num_loaded=report.num_loaded,
            num_rejected=report.num_rejected,
            columns=dict(report.columns),
            unused_columns=list(report.unused_columns),
            problems=problems,
        )


class Forgotten(BaseModel):
    """A reader's data are gone."""

    patron_id: str
    num_events: int = Field(description="Events that told of the reader and no longer do.")

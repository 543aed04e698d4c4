"""One exchange with a tablet, a relay or a file: events in, an answer for each of them out."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from api.schemas.fields import NUL_FREE
from fleet.circulation_outcome import Proposal, Verdict
from fleet.circulation_sync import HistoryLine

MOST_EVENTS = 1000
MOST_MARKS = 200
JournalId = Annotated[str, Field(min_length=1, max_length=64, pattern=NUL_FREE)]


class MarkSent(BaseModel):
    """A device's clock beside the server's at an earlier exchange, as the device kept it."""

    model_config = ConfigDict(extra="forbid")
    device_id: JournalId
    sequence: Annotated[int, Field(ge=0, le=2**53 - 1)]
    device_at: AwareDatetime
    server_at: AwareDatetime


class SyncRequest(BaseModel):
    """What a device brings. Send an empty list first: its clock is then measured best."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "device_id": "3f7a90.k7q2xw",
                    "device_now": "2026-11-26T15:02:11.250Z",
                    "last_sequence": 118,
                    "events": [
                        {
                            "v": 1,
                            "event_id": "5f0e1b0a-4f0c-4a54-9d0a-0d6a1f6d4f11",
                            "device_id": "3f7a90.k7q2xw",
                            "sequence": 118,
                            "device_at": "2026-11-26T08:12:40.100Z",
                            "kind": "loan",
                            "place": "vehicle:north",
                            "service_date": "2026-11-26",
                            "visit_id": "0f6b2c",
                            "stop_id": "lugovoe",
                            "snapshot_id": "6f1c0e9ab3d24f58a7c0b1d2e3f4a5b6",
                            "body": {
                                "item_id": "2000000034",
                                "patron_id": "p-17",
                                "due_date": "2026-12-10",
                                "due_visit_id": "7aa1",
                            },
                        }
                    ],
                }
            ]
        },
    )
    device_id: JournalId = Field(description="The journal whose clock `device_now` is.")
    device_now: AwareDatetime = Field(description="By the device's clock, when it sends.")
    last_sequence: Annotated[int, Field(ge=0, le=2**53 - 1)] = Field(
        description="Number of the last event that the device has written, sent or not."
    )
    events: list[dict[str, JsonValue]] = Field(
        max_length=MOST_EVENTS,
        description="Events as `fleet/journal_json` writes them, in any order, new or sent before;"
        " also other devices' events that this one relays.",
    )
    marks: list[MarkSent] = Field(
        default=[], max_length=MOST_MARKS, description="Of relayed journals and of files."
    )


class HistoryPublic(BaseModel):
    """One thing that happened to an item; ids, no names."""

    at: datetime
    kind: str
    place: str
    event_id: str
    device_id: str
    by: str
    patron_id: str
    loan_id: str
    verdict: str
    to_place: str = Field(description="Where a move put the item; empty for all else.")

    @classmethod
    def from_domain(cls, line: HistoryLine) -> "HistoryPublic":
        """What the API tells of it."""
        return cls(**{name: getattr(line, name) for name in cls.model_fields})


class ConflictPublic(BaseModel):
    """What a person must decide; what was done aboard holds until then."""

    rule: str
    message: str = Field(description="The rule in the language of whoever asks.")
    proposal: Proposal | None
    facts: dict[str, Any]
    own_history: list[HistoryPublic] = Field(description="What happened at the event's place.")
    other_history: list[HistoryPublic] = Field(description="What happened elsewhere.")


class EventAnswer(BaseModel):
    """What became of one event: all but refused ones may leave the device."""

    index: int = Field(description="Place in the request.")
    event_id: str = Field(description="Empty where the event could not be read.")
    answer: Verdict
    code: str = Field(default="", description="Why it was refused.")
    message: str = ""
    facts: dict[str, Any] = {}
    conflict: ConflictPublic | None = None
    corrected_at: datetime | None = None
    is_clock_doubtful: bool = False


class SyncAnswer(BaseModel):
    """The answers, in the order of the request."""

    server_now: datetime
    offset_s: float = Field(description="To be added to the device's clock to get the server's.")
    answers: list[EventAnswer]
    num_altered: int = Field(description="Earlier events whose answers are other now.")
    missing: dict[str, list[tuple[int, int]]] = Field(
        description="By journal: spans of numbers [first, last] that have not come by any way."
    )
    revision: int = Field(description="Greater than the day's: fetch the day again.")
    is_doubled: bool = Field(
        default=False,
        description="Another storage writes under this device's token too: copied, or open twice.",
    )

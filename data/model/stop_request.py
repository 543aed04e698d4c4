"""A resident asks for a stop: where, why, how many would come; the library answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from data.model.errors import InputError

PLACE_MAX, REASON_MAX, CONTACT_MAX, ANSWER_MAX = 120, 1000, 200, 1000
MOST_PEOPLE = 500
MOST_OPEN = 500
"""Requests of a region that wait for an answer; beyond it none is taken."""
CONTACT_DAYS = 90
"""So long after the answer the way to reach whoever asked is erased."""
KEEP_DAYS = 730
"""So long after it was made a request is kept at all."""


class RequestState(StrEnum):
    """What has become of a request."""

    OPEN = "open"
    ACCEPTED = "accepted"
    """The place gets a stop, or is to get one."""
    DECLINED = "declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestAsked:
    """What a form says; ``contact`` may stay empty: the answer is found at a private address."""

    place: str
    reason: str
    contact: str = ""
    people: int | None = None

    def __post_init__(self) -> None:
        if not self.place.strip():
            raise InputError("stop_request.no_place", field="place")
        if not self.reason.strip():
            raise InputError("stop_request.no_reason", field="reason")
        for name, limit in (
            ("place", PLACE_MAX),
            ("reason", REASON_MAX),
            ("contact", CONTACT_MAX),
        ):
            length = len(getattr(self, name))
            if length > limit:
                raise InputError("stop_request.too_long", field=name, length=length, limit=limit)
        if self.people is not None and not 1 <= self.people <= MOST_PEOPLE:
            raise InputError(
                "stop_request.bad_people", field="people", value=self.people, limit=MOST_PEOPLE
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequest:
    """A request as it is kept."""

    request_id: str
    region_id: str
    place: str
    reason: str
    contact: str = ""
    people: int | None = None
    settlement_id: str | None = None
    """The settlement that the place was taken for."""
    language: str
    state: RequestState = RequestState.OPEN
    answer: str = ""
    answered_at: datetime | None = None
    answered_by: str | None = None
    score: Mapping[str, Any] = field(default_factory=dict)
    """What it was found to be worth; empty: not scored yet."""
    scored_at: datetime | None = None
    created_at: datetime

    @property
    def points(self) -> float:
        """The score as one number; zero where none was worked out."""
        return float(self.score.get("points", 0.0))

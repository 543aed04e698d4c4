"""Requests for stops over HTTP: asked by residents, scored, answered and counted at the desk."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.schemas.fields import NUL_FREE
from api.schemas.things import Body
from data.model.stop_request import (
    ANSWER_MAX,
    CONTACT_MAX,
    MOST_PEOPLE,
    PLACE_MAX,
    REASON_MAX,
    RequestAsked,
    RequestState,
    StopRequest,
)


class StopRequestBody(Body):
    """A resident asks for a stop."""

    place: str = Field(min_length=1, max_length=PLACE_MAX, pattern=NUL_FREE, description="Village.")
    reason: str = Field(min_length=1, max_length=REASON_MAX, pattern=NUL_FREE)
    contact: str = Field(default="", max_length=CONTACT_MAX, pattern=NUL_FREE)
    people: int | None = Field(default=None, ge=1, le=MOST_PEOPLE, description="Who would come.")

    def to_domain(self) -> RequestAsked:
        """The request."""
        return RequestAsked(
            place=self.place, reason=self.reason, contact=self.contact, people=self.people
        )


class StopRequestTaken(BaseModel):
    """Where the answer will stand; the secret is told this once."""

    secret: str
    page: str = Field(description="Address of the answer for people.")
    address: str = Field(description="Address of the answer for programs.")


class StopRequestTold(BaseModel):
    """A request and its answer, for whoever has its secret."""

    place: str
    reason: str
    people: int | None
    state: RequestState
    answer: str
    created_at: datetime
    answered_at: datetime | None

    @classmethod
    def of(cls, found: StopRequest) -> "StopRequestTold":
        """What whoever asked may read."""
        return cls(**{name: getattr(found, name) for name in cls.model_fields})


class StopRequestPublic(StopRequestTold):
    """A request as the desk sees it."""

    request_id: str
    settlement_id: str | None = Field(description="The settlement that the place is taken for.")
    contact: str
    points: float = Field(description="What it was found to be worth; 0 where not worked out.")
    score: Mapping[str, Any] = Field(description="What the points are made of.")
    scored_at: datetime | None
    answered_by: str | None
    counted_people: int | None = Field(description="How many the planner expects because of it.")
    counted_at: datetime | None
    counted_by: str | None

    @classmethod
    def of(cls, found: StopRequest) -> "StopRequestPublic":
        """The request as JSON."""
        return cls(**{name: getattr(found, name) for name in cls.model_fields})


class AnswerBody(Body):
    """The library's answer."""

    state: Literal[RequestState.ACCEPTED, RequestState.DECLINED]
    answer: str = Field(min_length=1, max_length=ANSWER_MAX, pattern=NUL_FREE)


class CountBody(Body):
    """How many people the planner is to expect because of an accepted request."""

    people: int | None = Field(ge=1, le=MOST_PEOPLE, description="null: no longer.")

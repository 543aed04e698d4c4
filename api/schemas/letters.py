"""Letters about stops over HTTP: what a resident asks for, what the desk is told."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.schemas.fields import Key
from api.schemas.things import Body
from data.db.letter_store import LetterFigures
from data.model.letters import ADDRESS_MAX


class WishBody(Body):
    """To be told by e-mail of what happens at a stop."""

    stop_id: Key
    address: str = Field(max_length=ADDRESS_MAX, examples=["vera@example.org"])
    reminder: bool = Field(default=False, description="Also the day before each visit.")


class WishTaken(BaseModel):
    """The same whoever asks: it tells nothing of the address."""

    stop_id: str
    confirm_days: int = Field(
        description="Days in which the owner of the address may say yes; nothing is sent before."
    )


class ReadersOfStop(BaseModel):
    """How many are told about a stop."""

    stop_id: str
    readers: int


class LettersPublic(BaseModel):
    """Letters of a region in numbers; no address of anybody."""

    readers: list[ReadersOfStop] = Field(description="Confirmed readers, the most first.")
    unconfirmed: int
    waiting: int
    failing: int = Field(description="Of those that wait, tried in vain.")
    failed: int = Field(description="In the last seven days.")
    sent: int = Field(description="In the last seven days.")
    oldest_at: datetime | None = Field(description="When the one was written that waits longest.")
    last_code: str
    last_cause: str = Field(description="What the mail server said last.")
    can_send: bool = Field(description="Whether a letter would reach anybody.")

    @classmethod
    def from_domain(cls, figures: LetterFigures, *, can_send: bool) -> "LettersPublic":
        """The figures as JSON."""
        by_stop = sorted(figures.num_by_stop.items(), key=lambda one: (-one[1], one[0]))
        return cls(
            readers=[ReadersOfStop(stop_id=stop, readers=num) for stop, num in by_stop],
            unconfirmed=figures.num_unconfirmed,
            waiting=figures.num_waiting,
            failing=figures.num_failing,
            failed=figures.num_failed,
            sent=figures.num_sent,
            oldest_at=figures.oldest_at,
            last_code=figures.last_code,
            last_cause=figures.last_cause,
            can_send=can_send,
        )


class TriedAgain(BaseModel):
    """Letters that are tried at once."""

    letters: int

"""Letters to residents: who asked to be told about a stop, and each letter with what became of it.

Nobody is told anything before the owner of an address has said so twice (double opt-in). What a
letter says is not kept: it is made when it is sent, from the notice that it tells of.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from data.model.errors import InputError

ADDRESS_MAX = 254
CONFIRM_DAYS = 2
"""So long a request to be told waits for the owner of the address; then the address is erased."""
ASK_AGAIN = timedelta(minutes=10)
"""Nobody gets a second letter about the same request before."""
MOST_OF_ADDRESS = 50
"""Stops that one address may be told about."""
MOST_WAITING = 2000
"""Requests of a region that wait for the owners of their addresses."""
MOST_REFUSALS = 3
"""Letters that an address may refuse for good, one after the other, before it is erased."""
GONE_DAYS = 400
"""So long after a stop's last visit its readers are kept: it may be visited in summer only."""
KEEP_DAYS = 90
"""So long it is kept that a letter was sent."""
REMIND_FROM_S, REMIND_UNTIL_S = 9 * 3600, 21 * 3600
"""Hours of the day before at which people are reminded, by the region's clocks."""
RETRY_AFTER = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=30),
    timedelta(hours=1),
)
"""Waits after failed tries; after the last, again and again until the letter is of no use."""
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class LetterKind(StrEnum):
    """What a letter is about."""

    CONFIRM = "confirm"
    """Asks the owner of an address whether it was they who asked."""
    KNOWN = "known"
    """Tells an owner who asks again that it was done long ago."""
    NOTICE = "notice"
    """A notice to the readers of a stop: cancelled, moved, made up, gone from the timetable."""
    RESTORED = "restored"
    """A cancellation of which one had been told was taken back."""
    REMINDER = "reminder"
    """The stop visit of tomorrow."""
    ANSWER = "answer"
    """The library's answer to a request for a stop."""
    HOOK = "hook"
    """A message to a program that reaches people in another way."""


class LetterState(StrEnum):
    """What has become of a letter."""

    WAITING = "waiting"
    SENT = "sent"
    DROPPED = "dropped"
    """Of no use any more before it was sent: taken back, or nobody wants it."""
    FAILED = "failed"
    """Refused for good, or not delivered while it was of use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """An address that is told about a stop, or, before it is confirmed, is to be asked."""

    subscription_id: str
    region_id: str
    stop_id: str
    address: str
    language: str
    wants_reminder: bool = False
    key: str
    """Signs the links of its letters; with the row every link of it is gone."""
    created_at: datetime
    asked_at: datetime
    """When its owner was last asked, or told that it is done."""
    expires_at: datetime | None = None
    """Until when it waits to be confirmed."""
    confirmed_at: datetime | None = None
    num_refused: int = 0

    @property
    def is_confirmed(self) -> bool:
        return self.confirmed_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutLetter:
    """A letter that is to go out, or went; ``mark`` stands for the change, once for each reader."""

    letter_id: str
    region_id: str
    kind: LetterKind
    mark: str
    subscription_id: str | None = None
    request_id: str | None = None
    """The request for a stop that is answered."""
    notice_id: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    state: LetterState = LetterState.WAITING
    tries: int = 0
    created_at: datetime
    due_at: datetime
    until_at: datetime
    """From then on it is of no use."""
    ended_at: datetime | None = None
    code: str = ""
    """Why it was not sent."""
    cause: str = ""
    """What the mail server said, without any address."""


def mail_address(text: str) -> str:
    """An e-mail address as it is written to; its host in ASCII.

    Raises
    ------
    InputError
        ``letters.bad_address``.
    """
    given = text.strip()
    local, at, host = given.rpartition("@")
    try:
        told = host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        told = ""
    labels = told.split(".")
    is_host = len(labels) > 1 and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()
    is_local = len(local) <= 64 and _LOCAL.fullmatch(local) is not None
    if not (at and is_local and is_host) or len(local) + 1 + len(told) > ADDRESS_MAX:
        raise InputError("letters.bad_address", field="address", value=given[:80])
    return f"{local}@{told}"


def masked(address: str) -> str:
    """An address as its owner knows it and nobody else learns it."""
    local, _, host = address.rpartition("@")
    return f"{local[:1]}…@{host}"


def without_addresses(text: str) -> str:
    """What a mail server said, without the addresses that it repeats."""
    return re.sub(r"[^\s<>()\[\]:;,\"]+@[^\s<>()\[\]:;,\"]+", "<…>", text)


def retry_at(tries: int, now: datetime) -> datetime:
    """When to try again after so many failed tries."""
    return now + RETRY_AFTER[min(max(tries, 1), len(RETRY_AFTER)) - 1]


def is_reminding(now_date: date, now_s: int, opens_date: date) -> bool:
    """Whether people are reminded now of a stop visit that opens on a date."""
    return opens_date - now_date == timedelta(days=1) and REMIND_FROM_S <= now_s < REMIND_UNTIL_S

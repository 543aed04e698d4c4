"""What happened: entries of the audit log, live events, kept answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who changed what, when; ``account_id`` ``None``: the program or nobody signed in."""

    audit_id: int
    at: datetime
    action: str
    subject: str = ""
    account_id: str | None = None
    device_id: str | None = None
    region_id: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEvent:
    """Something that open pages want to know; ``event_id`` is its Last-Event-ID."""

    event_id: int
    at: datetime
    topic: str
    subject: str = ""
    region_id: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """The answer to a request that named an idempotency key."""

    key: str
    request_hash: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    at: datetime

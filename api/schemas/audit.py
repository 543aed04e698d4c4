"""The audit log over HTTP."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from data.model.records import AuditEntry


class AuditEntryPublic(BaseModel):
    """Who changed what, when."""

    audit_id: int
    at: datetime
    account_id: str | None = Field(description="null: the program itself, or nobody signed in.")
    device_id: str | None
    region_id: str | None
    action: str = Field(examples=["plan.publish"])
    subject: str = Field(description="Id of the thing changed.")
    facts: dict[str, Any]

    @classmethod
    def from_domain(cls, entry: AuditEntry) -> "AuditEntryPublic":
        """What the API tells of an entry."""
        return cls(
            audit_id=entry.audit_id,
            at=entry.at,
            account_id=entry.account_id,
            device_id=entry.device_id,
            region_id=entry.region_id,
            action=entry.action,
            subject=entry.subject,
            facts=dict(entry.facts),
        )

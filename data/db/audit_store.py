"""The audit log: who changed what, when. Entries are added in the transaction of the change."""

from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session, col, delete, select

from data.db.tables.records import AuditRow
from data.model.accounts import Caller
from data.model.records import AuditEntry

SUBJECT_CHARS = 200


def record(
    session: Session,
    caller: Caller,
    action: str,
    subject: str,
    *,
    region_id: str | None = None,
    **facts: Any,
) -> None:
    """Note a change beside the change itself.

    Parameters
    ----------
    action
        Dotted code: ``plan.publish``, ``account.add`` …
    subject
        Id of the thing changed.
    **facts
        What to tell of it, as JSON; never a password, a token or a reader's name.
    """
    session.add(
        AuditRow(
            at=datetime.now(UTC),
            account_id=caller.account_id,
            device_id=caller.device_id,
            region_id=region_id,
            action=action,
            subject=subject[:SUBJECT_CHARS],
            facts=facts,
        )
    )


def entries(
    session: Session,
    *,
    limit: int,
    before: int | None = None,
    account_id: str | None = None,
    region_id: str | None = None,
    action: str = "",
    subject: str = "",
    since_at: datetime | None = None,
    until_at: datetime | None = None,
) -> list[AuditEntry]:
    """Entries, the newest first, from the one before ``before``.

    ``action`` is a code or its beginning up to a dot: ``account`` finds ``account.add``.
    """
    query = select(AuditRow)
    if before is not None:
        query = query.where(col(AuditRow.audit_id) < before)
    if account_id is not None:
        query = query.where(AuditRow.account_id == account_id)
    if region_id is not None:
        query = query.where(AuditRow.region_id == region_id)
    if action:
        within = col(AuditRow.action).startswith(f"{action}.", autoescape=True)
        query = query.where((col(AuditRow.action) == action) | within)
    if subject:
        query = query.where(AuditRow.subject == subject)
    if since_at is not None:
        query = query.where(col(AuditRow.at) >= since_at)
    if until_at is not None:
        query = query.where(col(AuditRow.at) < until_at)
    rows = session.exec(query.order_by(col(AuditRow.audit_id).desc()).limit(limit))
    return [_entry(row) for row in rows]


def drop_before(session: Session, action: str, at: datetime) -> int:
    """Delete entries of one action that are older; how many."""
    query = delete(AuditRow).where(col(AuditRow.action) == action).where(col(AuditRow.at) < at)
    return int(session.exec(query).rowcount)


def _entry(row: AuditRow) -> AuditEntry:
    assert row.audit_id is not None
    return AuditEntry(
        audit_id=row.audit_id,
        at=row.at,
        action=row.action,
        subject=row.subject,
        account_id=row.account_id,
        device_id=row.device_id,
        region_id=row.region_id,
        facts=row.facts,
    )

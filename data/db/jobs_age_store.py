"""How long work has waited, for the service's health."""

from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, select

from data.db.tables.jobs import PlanJobRow


def oldest_queued(session: Session) -> datetime | None:
    """When the job was made that has waited longest; ``None`` where none waits."""
    return session.exec(
        select(func.min(PlanJobRow.created_at)).where(PlanJobRow.state == "queued")
    ).one()

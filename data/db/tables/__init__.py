"""All tables; importing this fills the metadata that migrations compare with."""

from sqlmodel import SQLModel

from data.db import base
from data.db.tables import (
    accounts,
    circulation,
    days,
    jobs,
    letters,
    plans,
    publication,
    records,
    regions,
    reports,
    stop_requests,
    tracking,
    visit_records,
)

__all__ = [
    "METADATA",
    "accounts",
    "base",
    "circulation",
    "days",
    "jobs",
    "letters",
    "plans",
    "publication",
    "records",
    "regions",
    "reports",
    "stop_requests",
    "tracking",
    "visit_records",
]

METADATA = SQLModel.metadata

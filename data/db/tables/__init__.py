"""All tables; importing this fills the metadata that migrations compare with."""

from sqlmodel import SQLModel

from data.db import base
from data.db.tables import accounts, jobs, plans, publication, records, regions

__all__ = ["METADATA", "accounts", "base", "jobs", "plans", "publication", "records", "regions"]

METADATA = SQLModel.metadata

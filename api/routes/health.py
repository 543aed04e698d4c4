"""Whether the service is well, for whatever watches over it."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError

from api.state import ServiceDep
from data.db import job_store
from data.db.engine import reading
from data.db.migrate import current_revision, newest_revision

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """How the service is."""

    status: Literal["ok", "failing"]
    database: Literal["ok", "unreachable", "not_migrated"]
    revision: str | None = Field(default=None, description="Revision of the database's tables.")
    oldest_queued_s: float | None = Field(
        default=None, description="Age of the oldest job that waits; null: none waits."
    )


@router.get("/health", responses={503: {"model": Health, "description": "Something fails"}})
def health(service: ServiceDep, response: Response) -> Health:
    """Database reachable and of this version; how long the oldest job waits."""
    try:
        revision = current_revision(service.engine)
        if revision != newest_revision():
            response.status_code = 503
            return Health(status="failing", database="not_migrated", revision=revision)
        with reading(service.engine) as session:
            since = job_store.figures(session).oldest_queued_at
    except SQLAlchemyError:
        response.status_code = 503
        return Health(status="failing", database="unreachable")
    age = None if since is None else max(0.0, (service.clock() - since).total_seconds())
    return Health(status="ok", database="ok", revision=revision, oldest_queued_s=age)

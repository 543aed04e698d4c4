"""What every route may need, made once by the app factory and found on ``request.app``."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request
from jinja2 import Environment
from sqlalchemy import Engine

from api.limiter import Limiter
from api.live import LiveEvents
from api.oidc import OidcClient
from api.services.ledger import Ledgers
from api.settings import Settings


def utc_now() -> datetime:
    """The instant it is, aware, UTC."""
    return datetime.now(UTC)


def clock_of(settings: Settings) -> Callable[[], datetime]:
    """The clock of a service: the time it is, or what a demo pretends it to be."""
    if not settings.clock_offset_s:
        return utc_now
    offset = timedelta(seconds=settings.clock_offset_s)
    return lambda: utc_now() + offset


@dataclass(slots=True, kw_only=True)
class Service:
    """The parts of the running service."""

    settings: Settings
    engine: Engine
    templates: Environment
    limiter: Limiter
    live: LiveEvents
    oidc: OidcClient | None = None
    """Sign-in by the organisation's accounts, where it is set up."""
    clock: Callable[[], datetime] = utc_now
    ledgers: Ledgers = field(default_factory=Ledgers)
    """The circulation of each region, replayed."""


def service_of(request: Request) -> Service:
    """The service that a request came to."""
    service: Service = request.app.state.service
    return service


ServiceDep = Annotated[Service, Depends(service_of)]
"""Parameter of a route that gives it the service."""

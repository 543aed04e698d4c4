"""What pages and routes of regions share: set-up, regions read before, audits, one for each app."""

import atexit
import threading
from dataclasses import dataclass

from fastapi import Request

from api.services.coverage_view import Coverages
from api.services.needs_view import Audits
from api.services.region_cache import RegionCache
from api.services.region_setup import RegionSetup
from api.state import Service, service_of

_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionParts:
    """Parts that live as long as the application."""

    setup: RegionSetup
    regions: RegionCache
    audits: Audits
    coverages: Coverages


def parts_of(request: Request) -> RegionParts:
    """The parts of the application that a request came to, made at the first."""
    state = request.app.state
    with _LOCK:
        parts: RegionParts | None = getattr(state, "region_parts", None)
        if parts is None:
            parts = state.region_parts = make_parts(service_of(request))
        return parts


def make_parts(service: Service) -> RegionParts:
    settings = service.settings
    setup = RegionSetup(service.engine, settings.data_dir, settings.upload_max_mb)
    atexit.register(setup.runs.close)
    return RegionParts(
        setup=setup,
        regions=RegionCache(),
        audits=Audits(cache_dir=settings.cache_dir, data_dir=settings.data_dir),
        coverages=Coverages(cache_dir=settings.cache_dir, data_dir=settings.data_dir),
    )

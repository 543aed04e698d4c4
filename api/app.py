"""The service over HTTP: ``create_app(settings)`` puts its parts together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache
from importlib import metadata

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

from api.delivering import deliver_now_and_then
from api.errors import COMMON, install_errors
from api.inlets.http import router as inlets_router
from api.limiter import Limiter
from api.live import LiveEvents
from api.logs import RequestLog
from api.metrics import RequestFigures
from api.metrics import router as metrics_router
from api.middleware import HeadAsGet, SameSite, SecurityHeaders
from api.oidc import OidcClient
from api.pages import PAGES
from api.record_keeping import keep_records_now_and_then
from api.rendering import make_templates
from api.request_limits import Failures, RequestLimit
from api.road import Road, make_road
from api.routes import ROUTERS
from api.routes.health import router as health_router
from api.setting_variables import Environment
from api.settings import Settings
from api.state import Service, clock_of
from api.static_files import HashedStatic
from api.tidying import tidy_now_and_then
from data.db.engine import open_engine
from data.db.migrate import check_revision

API = "/api/v1"


def create_app(settings: Settings) -> FastAPI:
    """The application on a database that the migrations have built.

    Raises
    ------
    InputError
        For settings that are not safe (``Settings.check``).
    """
    settings.check()
    static = HashedStatic(is_changing=settings.environment is Environment.DEVELOPMENT)
    engine = open_engine(settings.database_url)
    service = Service(
        settings=settings,
        engine=engine,
        templates=make_templates(
            static.url, is_changing=settings.environment is Environment.DEVELOPMENT
        ),
        limiter=Limiter(),
        live=LiveEvents(engine),
        oidc=OidcClient(settings) if settings.oidc_issuer else None,
        clock=clock_of(settings),
    )
    app = FastAPI(
        title="Bookmobile",
        version=metadata.version("bookmobile-planner"),
        summary="Plans, runs and publishes the rounds of mobile libraries.",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_living,
    )
    app.state.service = service
    app.state.static_version = static.version
    app.state.road = make_road(service)
    install_errors(app)
    app.router.routes.extend(_routes())
    app.mount("/static", static, name="static")
    app.add_middleware(HeadAsGet)
    app.add_middleware(RequestLimit, settings=settings)
    app.add_middleware(SameSite, settings=settings)
    app.add_middleware(Failures)
    app.add_middleware(SecurityHeaders, settings=settings)
    app.add_middleware(RequestFigures)
    app.add_middleware(RequestLog)
    return app


@cache
def _routes() -> list[BaseRoute]:
    """What is answered where; put together once, since all applications of a process answer alike.

    FastAPI works out the parameters of each route when it is first asked for, which takes a second
    for all of them.
    """
    every = APIRouter()
    every.include_router(health_router)
    every.include_router(metrics_router)
    for router in ROUTERS:
        every.include_router(router, prefix=API, responses=COMMON)
    every.include_router(inlets_router, responses=COMMON)
    for router in PAGES:
        every.include_router(router, include_in_schema=False)
    return every.routes


@asynccontextmanager
async def _living(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    await asyncio.to_thread(check_revision, service.engine)
    road: Road = app.state.road
    await road.start()
    tasks = [
        asyncio.create_task(service.live.run()),
        asyncio.create_task(tidy_now_and_then(service)),
        asyncio.create_task(deliver_now_and_then(service)),
        asyncio.create_task(
            keep_records_now_and_then(service, is_mine=lambda: road.follower.is_owner)
        ),
    ]
    try:
        yield
    finally:
        service.live.end()
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        await road.stop()
        service.engine.dispose()

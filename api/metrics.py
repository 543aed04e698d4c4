"""Figures for Prometheus: requests, open streams, jobs, the database.

Labels hold patterns of paths, never a path: no id, no name. With several processes that answer
requests, prometheus-client adds up what each has counted (its multiprocess mode).
"""

import ipaddress
import time
from collections.abc import Iterator
from datetime import datetime

from fastapi import APIRouter, Request, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth import caller, require
from api.logs import route_of
from api.settings import Settings, shares_metrics
from api.state import ServiceDep
from data.db import job_store
from data.db.engine import reading
from data.model.accounts import Role
from data.model.jobs import JobFigures

STREAM = "text/event-stream"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_requests = Counter("bookmobile_requests", "Requests answered.", ("method", "route", "status"))
_seconds = Histogram(
    "bookmobile_request_seconds",
    "Time until the last byte of an answer, streams of events left out.",
    ("method", "route"),
    buckets=_SECONDS,
)
_streams = Gauge(
    "bookmobile_open_streams", "Open streams of live events.", multiprocess_mode="livesum"
)

router = APIRouter(include_in_schema=False)


class RequestFigures:
    """Counts requests by pattern and status, and times them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = time.perf_counter()
        status, is_stream = 500, False

        async def send_noted(message: Message) -> None:
            nonlocal status, is_stream
            if message["type"] == "http.response.start":
                status = message["status"]
                kind = Headers(raw=message["headers"]).get("content-type", "")
                if kind.startswith(STREAM):
                    is_stream = True
                    _streams.inc()
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            route = route_of(scope)
            _requests.labels(method, route, status).inc()
            if is_stream:
                _streams.dec()
            else:
                _seconds.labels(method, route).observe(time.perf_counter() - began_s)


class ServiceFigures(Collector):
    """Jobs and the database, as they stand when they are asked for."""

    def __init__(self, engine: Engine, now: datetime) -> None:
        self._engine, self._now = engine, now

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("bookmobile_database_up", "Whether the database answers.")
        found = self._figures()
        up.add_metric([], 0 if found is None else 1)
        yield up
        if found is None:
            return
        jobs = GaugeMetricFamily("bookmobile_jobs", "Jobs by state.", labels=["state"])
        for state, number in found.num_by_state.items():
            jobs.add_metric([state.value], number)
        yield jobs
        since = found.oldest_queued_at
        age = GaugeMetricFamily(
            "bookmobile_oldest_queued_job_seconds", "Age of the oldest job that waits."
        )
        age.add_metric([], 0 if since is None else max(0.0, (self._now - since).total_seconds()))
        yield age

    def _figures(self) -> JobFigures | None:
        try:
            with reading(self._engine) as session:
                return job_store.figures(session)
        except SQLAlchemyError:
            return None


def is_from(host: str, networks: str) -> bool:
    """Whether an address lies in one of some networks, a comma between them."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    parts = (part.strip() for part in networks.split(","))
    return any(address in ipaddress.ip_network(part, strict=False) for part in parts if part)


@router.get("/metrics")
def metrics(request: Request, service: ServiceDep) -> Response:
    """Figures for Prometheus: for the machines that the settings name, and administrators."""
    settings: Settings = service.settings
    host = request.client.host if request.client else ""
    if not is_from(host, settings.metrics_from):
        require(Role.ADMIN)(caller(request))
    own = CollectorRegistry()
    own.register(ServiceFigures(service.engine, service.clock()))
    requests: CollectorRegistry = REGISTRY
    if shares_metrics():
        requests = CollectorRegistry()
        MultiProcessCollector(requests)  # type: ignore[no-untyped-call]
    body = generate_latest(requests) + generate_latest(own)
    return Response(body, headers={"content-type": CONTENT_TYPE_LATEST})

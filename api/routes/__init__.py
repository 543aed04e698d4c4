"""Routers of the API; each is included under ``/api/v1``."""

from fastapi import APIRouter

from api.routes import (
    accounts,
    audit,
    devices,
    events,
    exceptions,
    imports,
    jobs,
    needs,
    plan_edits,
    plans,
    regions,
    session,
    things,
)

ROUTERS: tuple[APIRouter, ...] = (
    session.router,
    accounts.router,
    events.router,
    plans.router,
    plan_edits.router,
    jobs.router,
    devices.router,
    audit.router,
    regions.router,
    imports.router,
    needs.router,
    exceptions.router,
    things.SUFFIXED,
    things.router,
)

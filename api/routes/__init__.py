"""Routers of the API; each is included under ``/api/v1``."""

from fastapi import APIRouter

from api.routes import (
    accounts,
    audit,
    cancellations,
    devices,
    events,
    exceptions,
    feeds,
    imports,
    jobs,
    needs,
    plan_edits,
    plans,
    public,
    regions,
    scenarios,
    session,
    things,
    timetables,
    visits,
)

ROUTERS: tuple[APIRouter, ...] = (
    session.router,
    accounts.router,
    events.router,
    plans.router,
    plan_edits.router,
    scenarios.router,
    jobs.router,
    devices.router,
    audit.router,
    regions.router,
    imports.router,
    needs.router,
    exceptions.router,
    timetables.router,
    visits.router,
    cancellations.router,
    feeds.router,
    public.router,
    things.SUFFIXED,
    things.router,
)

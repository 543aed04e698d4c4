"""Routers of the API; each is included under ``/api/v1``."""

from fastapi import APIRouter

from api.routes import accounts, events, plan_edits, plans, session

ROUTERS: tuple[APIRouter, ...] = (
    session.router,
    accounts.router,
    events.router,
    plans.router,
    plan_edits.router,
)

"""Routers of the API; each is included under ``/api/v1``."""

from fastapi import APIRouter

from api.routes import accounts, events, session

ROUTERS: tuple[APIRouter, ...] = (
    session.router,
    accounts.router,
    events.router,
)

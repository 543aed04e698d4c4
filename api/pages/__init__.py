"""Routers of HTML pages; each is included at the root."""

from fastapi import APIRouter

from api.pages import (
    accounts,
    audit,
    board,
    calendar,
    cancel,
    devices,
    documents,
    home,
    language,
    needs,
    norms,
    own_account,
    places,
    plans,
    public,
    regions,
    scenarios,
    setup,
    sign_in,
    timetable,
)

PAGES: tuple[APIRouter, ...] = (
    home.router,
    sign_in.router,
    language.router,
    accounts.router,
    own_account.router,
    devices.router,
    audit.router,
    documents.router,
    plans.router,
    board.router,
    scenarios.router,
    timetable.router,
    cancel.router,
    public.router,
    setup.router,
    regions.router,
    needs.router,
    calendar.router,
    norms.router,
    places.router,
    # Takes any single word, so it stays the last.
    public.short,
)

"""Routers of HTML pages; each is included at the root."""

from fastapi import APIRouter

from api.pages import (
    accounts,
    audit,
    board,
    devices,
    documents,
    home,
    language,
    own_account,
    public,
    sign_in,
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
    board.router,
    public.router,
    # Takes any single word, so it stays the last.
    public.short,
)

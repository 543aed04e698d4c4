"""Routers of HTML pages; each is included at the root."""

from fastapi import APIRouter

from api.pages import accounts, home, language, sign_in

PAGES: tuple[APIRouter, ...] = (
    home.router,
    sign_in.router,
    language.router,
    accounts.router,
)

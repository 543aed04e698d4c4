"""The language of pages: the switch in the header, the words for scripts."""

import json
from functools import cache
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import RedirectResponse

from api.auth import Anyone
from api.language import COOKIE
from api.pages.forms import safe_next
from api.services.accounts import change_own_language
from api.state import ServiceDep
from api.words import messages
from data.model.errors import NotFoundError

router = APIRouter()
YEAR_S = 365 * 86_400

BROWSER_DOMAINS = ("web_js", "board", "jobs", "web_live", "web_tablet")
"""Catalogues whose words go to browsers; a domain that does not exist yet is left out."""


@router.post("/language")
def choose_language(
    request: Request,
    asking: Anyone,
    service: ServiceDep,
    lang: Annotated[Literal["en", "ru"], Form()],
    after: Annotated[str, Form(alias="next", max_length=2000)] = "/",
) -> Response:
    """Remember a language, in the account where there is one, else in the browser."""
    if asking.account_id is not None:
        change_own_language(service, asking, lang)
    response = RedirectResponse(safe_next(after), status_code=303)
    response.set_cookie(
        COOKIE,
        lang,
        max_age=YEAR_S,
        path="/",
        secure=service.settings.is_secure,
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/words/{name}.json")
def words_of_browser(name: str) -> Response:
    """Words for scripts: code to text, or to its plural forms."""
    if name not in ("en", "ru"):
        raise NotFoundError("request.no_page")
    return Response(
        words_json(name),
        media_type="application/json",
        headers={"cache-control": "public, max-age=300"},
    )


@cache
def words_json(language: str) -> str:
    """The catalogues for browsers as one JSON object."""
    words: dict[str, str | list[str]] = {}
    for domain in BROWSER_DOMAINS:
        words |= messages(language, domain)
    return json.dumps(words, ensure_ascii=False, sort_keys=True)

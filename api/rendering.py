"""HTML pages and fragments from templates, in the reader's language."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from api.auth import know_caller
from api.language import words_of
from api.state import service_of
from api.web.navigation import DESK_AREAS
from api.words import LANGUAGES, Words
from data.model.accounts import NOBODY

TEMPLATES = Path(__file__).parent / "web" / "templates"


def make_templates(url_static: Callable[[str], str], *, is_changing: bool = False) -> Environment:
    """The environment of all templates: escaping, and no silence about a missing name."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=is_changing,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["url_static"] = url_static
    environment.globals["languages"] = LANGUAGES
    environment.globals["desk_areas"] = DESK_AREAS
    return environment


def is_htmx(request: Request) -> bool:
    """Whether htmx asks for a fragment."""
    return request.headers.get("hx-request") == "true"


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    language: str | None = None,
    **context: Any,
) -> HTMLResponse:
    """A page or fragment.

    Parameters
    ----------
    template
        Path under ``api/web/templates``.
    language
        Language of the region, for readers who have chosen none.
    **context
        Names for the template, beside ``t``, ``tn``, ``number``, ``percent``, ``day``, ``moment``,
        ``when``, ``clock``, ``lang``, ``caller``, ``here`` (address of the page), ``url_static``.
    """
    know_caller(request)
    words = words_of(request, language)
    service = service_of(request)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    names = {
        **words_for_templates(words),
        "caller": getattr(request.state, "caller", NOBODY),
        "here": here,
        "is_demo": service.settings.is_demo,
        "demo_clock": service.clock() if service.settings.clock_offset_s else None,
        **context,
    }
    body = service.templates.get_template(template).render(names)
    sent = page_headers(words.language) | dict(headers or {})
    return HTMLResponse(body, status_code=status, headers=sent)


def page_headers(language: str) -> dict[str, str]:
    """What every page says of itself."""
    return {"content-language": language, "vary": "Cookie, Accept-Language, HX-Request"}


@cache
def _words(language: str) -> dict[str, Any]:
    words = Words(language)
    locale = "en_GB" if language == "en" else language

    def moment(at: datetime, zone: str = "UTC", form: str = "d MMM y, HH:mm") -> str:
        """An instant in a time zone."""
        return str(format_datetime(at, form, tzinfo=ZoneInfo(zone), locale=locale))

    def when(at: datetime) -> Markup:
        """An instant, told in the browser's own time zone where scripts run."""
        told = moment(at)
        return Markup('<time datetime="{}" data-when>{} UTC</time>').format(at.isoformat(), told)

    def day(value: date, form: str = "medium") -> str:
        return words.day(value, form)

    return {
        "t": words,
        "tn": words.count,
        "number": words.number,
        "percent": words.percent,
        "day": day,
        "moment": moment,
        "when": when,
        "clock": words.clock,
        "lang": words.language,
    }


def words_for_templates(words: Words) -> dict[str, Any]:
    """The names by which templates speak one language."""
    return _words(words.language)

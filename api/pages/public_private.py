"""Public pages that are one person's own: forms, and pages behind a secret address."""

from typing import Any

from fastapi import Request
from starlette.responses import Response

from api.rendering import render
from api.services.public_pages import PublicPages

TRAP = "website"
"""A field that people do not see; programs that fill in everything fill it in, too."""
PRIVATE = {
    "cache-control": "private, no-store",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
}
"""Nothing of such a page stays anywhere, and its address is told to nobody."""


def show_private(
    request: Request,
    pages: PublicPages,
    template: str,
    *,
    here: str,
    status: int = 200,
    **context: Any,
) -> Response:
    """Such a page.

    Parameters
    ----------
    here
        Which of the region's pages it is, for the navigation.
    """
    return render(
        request,
        f"public/{template}.html",
        status=status,
        headers=PRIVATE,
        language=pages.timetable.language,
        links=pages.links,
        views=pages.views,
        region_name=pages.region_name,
        here_page=here,
        trap=TRAP,
        **context,
    )

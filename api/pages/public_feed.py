"""Answers of feeds: the same for everybody, made only where something has changed."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime

from fastapi import Request
from starlette.responses import Response

from api.conditions import names_tag
from api.limiter import Limit, network_asking
from api.pages.public_region import named_pages, pages_of, published_of
from api.services.public import Published
from api.services.public_pages import PublicPages
from api.state import Service
from api.words import LANGUAGES, Words

FEED_AGE_S = 900
OPEN = {"access-control-allow-origin": "*", "access-control-expose-headers": "ETag, Last-Modified"}
"""Feeds are there for everybody's pages."""


def asked_language(lang: str | None, published: Published) -> str:
    """The language that an address names, else the region's."""
    return lang if lang in LANGUAGES else Words(published.timetable.language).language


class Feed:
    """One feed's answer: the same for everybody, made only where it has changed."""

    def __init__(
        self,
        request: Request,
        service: Service,
        region: str,
        lang: str | None,
        *,
        is_paper: bool = False,
    ) -> None:
        # Paper outlives the address by which somebody asked for it; nothing else does.
        published = published_of(request, service, region)
        self._request = request
        self._limiter = service.limiter
        self._changed_at = published.timetable.changed_at
        language = asked_language(lang, published)
        if is_paper:
            self.pages = pages_of(service, published, language)
        else:
            self.pages = named_pages(request, service, published, language)

    def answer(
        self,
        kind: str,
        make: Callable[[], bytes],
        *,
        variant: str = "",
        state: str = "",
        name: str = "",
    ) -> Response:
        """The feed, or that it has not changed.

        Parameters
        ----------
        variant
            What else of the address tells it from others.
        state
            Of what else it is made than of what is published.
        name
            Name under which a browser saves it.
        """
        pages, request = self.pages, self._request
        name_of = (request.url.path, variant, pages.words.language, pages.links.absolute(""))
        told = "\n".join(
            (
                *name_of,
                state,
                pages.published.mark,
                pages.now[0].isoformat(),
                request.app.version,
            )
        )
        tag = f'"{hashlib.sha256(told.encode()).hexdigest()[:24]}"'
        headers = {
            **OPEN,
            "etag": tag,
            "cache-control": f"public, max-age={FEED_AGE_S}",
            "content-language": pages.words.language,
            "content-type": kind,
        }
        # A date tells nothing where a feed is made of more than what is published.
        changed_at = None if state else self._changed_at
        if changed_at is not None:
            headers["last-modified"] = format_datetime(changed_at, usegmt=True)
        if name:
            headers["content-disposition"] = f'inline; filename="{name}"'
        if self._is_known(tag, changed_at):
            return Response(status_code=304, headers=headers)
        body = pages.published.feeds.get("\n".join(name_of), make, state=tag)
        return Response(body, headers=headers)

    def limited(self, limit: Limit, make: Callable[[], bytes]) -> Callable[[], bytes]:
        """What makes the feed, as often as one address of the network may have it made.

        What is kept is for everybody, as often as they like.
        """

        def made() -> bytes:
            self._limiter.check(limit, network_asking(self._request))
            return make()

        return made

    def _is_known(self, tag: str, changed_at: datetime | None) -> bool:
        """Whether whoever asks has the feed as it is (RFC 9110, 13.1: the tag goes first)."""
        given = self._request.headers.get("if-none-match")
        if given is not None:
            return names_tag(given, tag)
        since = self._request.headers.get("if-modified-since")
        if since is None or changed_at is None:
            return False
        return _same_day(since, changed_at, self.pages)


def _same_day(since: str, changed_at: datetime, pages: PublicPages) -> bool:
    """Whether nothing has changed since an instant; a new day drops what is past."""
    try:
        at = parsedate_to_datetime(since)
    except ValueError:
        return False
    if at.tzinfo is None or at < changed_at.replace(microsecond=0):
        return False
    return pages.published.now(at)[0] == pages.now[0]

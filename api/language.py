"""Which language somebody reads."""

from fastapi import Request

from api.state import service_of
from api.words import LANGUAGES, Words
from data.model.accounts import NOBODY, Caller

COOKIE = "lang"


def language_of(request: Request, otherwise: str | None = None) -> str:
    """The account's choice, else the browser's cookie, else its languages, else the region's.

    Parameters
    ----------
    otherwise
        Language of the region that the page is about.
    """
    caller: Caller = getattr(request.state, "caller", NOBODY)
    chosen = caller.language or request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    accepted = request.headers.get("accept-language")
    asked = _accepted(accepted) if accepted else None
    return asked or Words(otherwise or service_of(request).settings.language).language


def words_of(request: Request, otherwise: str | None = None) -> Words:
    """The words of that language."""
    return Words(language_of(request, otherwise))


def _accepted(header: str) -> str | None:
    """The language of ours that an ``Accept-Language`` header likes best."""
    weighed: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")):
        tag, _, parameter = part.strip().partition(";")
        _, _, weight = parameter.partition("=")
        try:
            liking = float(weight) if weight else 1.0
        except ValueError:
            liking = 0.0
        short = tag.split("-")[0].strip().lower()
        if short in LANGUAGES and liking > 0:
            weighed.append((-liking, place, short))
    return min(weighed)[2] if weighed else None

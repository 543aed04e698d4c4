"""The first page, and the desk's choice of a region."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from api.auth import Anyone, Staff
from api.language import language_of
from api.rendering import render
from api.state import ServiceDep
from data.db.engine import reading
from data.db.regions_known_store import region_names

router = APIRouter()


@router.get("/")
def home(request: Request, asking: Anyone, service: ServiceDep) -> HTMLResponse:
    """Regions with a public timetable; whoever is signed in finds the desk here."""
    with reading(service.engine) as session:
        regions = region_names(session)
    lang = language_of(request)
    return render(request, "home.html", regions=_named(regions, lang))


@router.get("/desk")
def desk(request: Request, asking: Staff, service: ServiceDep) -> HTMLResponse:
    """The regions that one works in."""
    with reading(service.engine) as session:
        regions = region_names(session)
    own = {key: names for key, names in regions.items() if asking.works_in(key)}
    return render(request, "desk_regions.html", regions=_named(own, language_of(request)))


def _named(regions: Mapping[str, Mapping[str, str]], language: str) -> list[tuple[str, str]]:
    """Regions with their names in a language, by name."""
    named = [
        (region_id, names.get(language) or next(iter(names.values()), region_id))
        for region_id, names in regions.items()
    ]
    return sorted(named, key=lambda pair: pair[1])

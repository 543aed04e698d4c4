"""The first page, and the desk's choice of a region."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from api.auth import Anyone, Staff
from api.language import language_of
from api.pages.naming import named_regions, own_regions
from api.rendering import render
from api.state import ServiceDep
from data.db.engine import reading
from data.db.regions_known_store import region_names

router = APIRouter()


@router.get("/")
def home(request: Request, asking: Anyone, service: ServiceDep) -> HTMLResponse:
    """Regions with a public timetable."""
    with reading(service.engine) as session:
        regions = region_names(session)
    return render(request, "home.html", regions=named_regions(regions, language_of(request)))


@router.get("/desk")
def desk(request: Request, asking: Staff, service: ServiceDep) -> HTMLResponse:
    """The regions that one works in."""
    with reading(service.engine) as session:
        regions = own_regions(session, asking, language_of(request))
    return render(request, "desk_regions.html", regions=regions)

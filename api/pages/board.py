"""The weekly board of a plan."""

import json

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from api.auth import Staff, require_region
from api.language import words_of
from api.pages.naming import region_name
from api.rendering import render
from api.services.basemaps import desk_basemap
from api.services.plan_access import plan_for
from api.services.region_parts import parts_of
from api.state import ServiceDep
from api.static_files import FOLDER
from api.web.map_words import map_words
from data.db import plan_store
from data.db.engine import reading
from data.model.accounts import Role
from data.model.errors import NotFoundError

router = APIRouter()
MINUTES = "private, max-age=300"
_LATER = frozenset({"plan_map.mjs", "plans_page.mjs", "choices_page.mjs"})
MODULES = (
    "words.mjs",
    *(f"vendor/preact/{n}.mjs" for n in ("preact", "hooks", "htm", "signals", "signals-core")),
    "vendor/sortable/sortable.mjs",
    *sorted(
        f"board/{path.name}" for path in (FOLDER / "board").glob("*.mjs") if path.name not in _LATER
    ),
)
"""Modules that the board begins with: a browser told of them all fetches them at once."""


@router.get("/desk/{region_id}/board")
def newest_board(region_id: str, asking: Staff, service: ServiceDep) -> Response:
    """The board of the plan that was changed last, else the list of plans."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        found = plan_store.list_plans(session, region_id)
    path = f"/desk/{region_id}/plans"
    if found:
        path += f"/{max(found, key=lambda plan: plan.changed_at).plan_id}"
    return RedirectResponse(path, status_code=303)


@router.get("/desk/{region_id}/plans/{plan_id}")
def board(
    region_id: str, plan_id: str, request: Request, asking: Staff, service: ServiceDep
) -> HTMLResponse:
    """The board of one plan; everything on it comes from the API."""
    words = words_of(request)
    with reading(service.engine) as session:
        stored = plan_for(session, asking, plan_id)
        if stored.region_id != region_id:
            raise NotFoundError("plan.unknown", plan_id=plan_id)
        name = region_name(session, region_id, words.language)
    return render(
        request,
        "board/board.html",
        region_id=region_id,
        region_name=name,
        area="board",
        plan=stored,
        can_edit=asking.may(Role.DISPATCHER),
        map_words=json.dumps(map_words(words), ensure_ascii=False),
        modules=MODULES,
    )


@router.get("/desk/{region_id}/basemap.pmtiles")
def basemap(region_id: str, request: Request, asking: Staff, service: ServiceDep) -> FileResponse:
    """The basemap of a region, of its extract where that is made, else of what it knows."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        region, _ = parts_of(request).regions.load(session, region_id)
    path = desk_basemap(region, service.settings)
    return FileResponse(
        path, media_type="application/vnd.pmtiles", headers={"cache-control": MINUTES}
    )

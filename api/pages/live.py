"""The desk's live board: map and list of the vehicles on the road."""

import json
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from api.auth import Staff
from api.pages.desk_region import Desk, open_desk
from api.state import ServiceDep
from api.static_files import FOLDER
from api.web.map_words import map_words
from data.model.addresses import part_of

router = APIRouter()
SHARED = (
    "words.mjs",
    "board/view.mjs",
    "board/calls.mjs",
    *(f"vendor/preact/{n}.mjs" for n in ("preact", "hooks", "htm", "signals", "signals-core")),
)
"""Modules of both live pages: a browser told of them all fetches them at once."""
BOARD = (
    *SHARED,
    *(
        f"live/{n}.mjs"
        for n in (
            "live",
            "alerts",
            "crew",
            "feed",
            "geo",
            "list",
            "pointing",
            "state",
            "strip",
            "telling",
        )
    ),
)


def fleet_of(desk: Desk) -> dict[str, Any]:
    """What stays on a page while vehicles move: clocks, depots, the order of the fleet."""
    region = desk.region
    return {
        "time_zone": region.time_zone,
        "days": f"{desk.root}/live",
        "depots": [
            {"depot_id": d.depot_id, "name": d.name, "lon": d.lon, "lat": d.lat}
            for d in region.depots
        ],
        "vehicles": {
            v.vehicle_id: {"number": k, "part": part_of(v.vehicle_id)}
            for k, v in enumerate(region.vehicles)
        },
    }


@router.get("/desk/{region_id}/live")
def live_board(
    region_id: str, request: Request, asking: Staff, service: ServiceDep
) -> HTMLResponse:
    """The live board; everything on it comes from the API."""
    desk = open_desk(request, service, asking, region_id)
    return desk.render(
        "live/live.html",
        area="live",
        fleet=json.dumps(fleet_of(desk), ensure_ascii=False),
        map_words=json.dumps(map_words(desk.words), ensure_ascii=False),
        modules=[name for name in BOARD if (FOLDER / name).is_file()],
    )

"""What crews told of a stop, on the page of the stop."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.auth import Staff
from api.pages.desk_region import open_desk
from api.schemas.crew_notes import CrewNotePublic
from api.services.crew_notes import stop_notes
from api.services.photos import photos_folder
from api.state import ServiceDep
from data.model.place import StopId

router = APIRouter(prefix="/desk/{region_id}")


@router.get("/told/stops/{stop_id:path}")
def stop_notes_part(
    request: Request, region_id: str, stop_id: str, asking: Staff, service: ServiceDep
) -> Response:
    """A part of the stop's page, fetched after it: years of a journal are looked through."""
    desk = open_desk(request, service, asking, region_id)
    folder = photos_folder(service.settings.data_dir, region_id)
    told = stop_notes(service, region_id, StopId(stop_id))
    return desk.render(
        "places/told.html",
        area="settings",
        notes=[CrewNotePublic.of(note, region_id, folder) for note in told],
        zone=desk.region.time_zone,
    )

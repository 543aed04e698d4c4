"""What crews told of a day, with the photos of defects."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import FileResponse

from api.auth import Staff, require_region
from api.errors import problems
from api.schemas.crew_notes import CrewNotePublic
from api.schemas.fields import NUL_FREE
from api.services.crew_notes import crew_notes, stop_notes
from api.services.photos import crew_photo_path, photos_folder
from api.state import ServiceDep
from data.model.place import StopId

router = APIRouter(prefix="/regions/{region_id}/crew-notes", tags=["live"])
RegionId = Annotated[str, Path(max_length=64, pattern=NUL_FREE, description="The region.")]
PhotoId = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="As the note names it.")]


@router.get("", responses=problems(404))
def list_crew_notes(
    region_id: RegionId,
    asking: Staff,
    service: ServiceDep,
    on: Annotated[date, Query(alias="date", description="Service date.")],
) -> list[CrewNotePublic]:
    """Stops left out with their reasons, stops in no plan, defects of sites; the newest first."""
    require_region(asking, region_id)
    folder = photos_folder(service.settings.data_dir, region_id)
    return [
        CrewNotePublic.of(note, region_id, folder) for note in crew_notes(service, region_id, on)
    ]


@router.get("/stops/{stop_id}", responses=problems(404))
def list_stop_notes(
    region_id: RegionId,
    stop_id: Annotated[str, Path(max_length=120, pattern=NUL_FREE)],
    asking: Staff,
    service: ServiceDep,
) -> list[CrewNotePublic]:
    """The newest that crews told of a stop, whenever it was: defects, why it was left out."""
    require_region(asking, region_id)
    folder = photos_folder(service.settings.data_dir, region_id)
    told = stop_notes(service, region_id, StopId(stop_id))
    return [CrewNotePublic.of(note, region_id, folder) for note in told]


@router.get("/photos/{photo_id}", response_class=FileResponse, responses=problems(404))
def get_crew_photo(
    region_id: RegionId, photo_id: PhotoId, asking: Staff, service: ServiceDep
) -> FileResponse:
    """A photo that a crew took of a defect."""
    require_region(asking, region_id)
    path = crew_photo_path(photos_folder(service.settings.data_dir, region_id), photo_id)
    headers = {"cache-control": "private, max-age=86400"}
    return FileResponse(path, media_type="image/jpeg", headers=headers)

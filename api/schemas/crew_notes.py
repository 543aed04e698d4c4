"""What crews told of a day, as the API shows it."""

from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from pydantic import BaseModel, Field

from api.services.crew_notes import CrewNote
from api.services.photos import has_crew_photo
from data.model.journal import EventKind


class CrewNotePublic(BaseModel):
    """One thing that a crew told."""

    event_id: str
    kind: EventKind = Field(description="skip, unplanned_stop or defect.")
    at: datetime
    vehicle_id: str
    visit_id: str | None
    stop_id: str | None
    stop_name: str
    what: str = Field(description="Reason of a stop left out, or kind of a defect.")
    note: str = Field(description="In the crew's own words.")
    lon: float | None
    lat: float | None
    photo_urls: list[str]
    num_photos_waiting: int = Field(description="Taken, and not sent by the tablet yet.")

    @classmethod
    def of(cls, note: CrewNote, region_id: str, folder: Path) -> "CrewNotePublic":
        """What the API tells of it; ``folder`` holds the region's photos."""
        own = {"photo_urls", "num_photos_waiting"}
        shown = {name: getattr(note, name) for name in cls.model_fields if name not in own}
        here = [i for i in note.photo_ids if has_crew_photo(folder, i)]
        return cls(
            **shown,
            photo_urls=[photo_url(region_id, photo_id) for photo_id in here],
            num_photos_waiting=len(note.photo_ids) - len(here),
        )


def photo_url(region_id: str, photo_id: str) -> str:
    """Where a crew's photo is to be had."""
    return f"/api/v1/regions/{quote(region_id, safe='')}/crew-notes/photos/{photo_id}"

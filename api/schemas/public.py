"""What residents are told, as the API shows it."""

from datetime import date, datetime

from pydantic import BaseModel as Model
from pydantic import Field

from data.model.publication import VisitState


class PublicVisit(Model):
    """A visit as residents are told of it; times are local."""

    visit_id: str
    opens_date: date
    opens: str = Field(examples=["10:00"])
    closes: str = Field(examples=["11:30"])
    vehicle: str
    state: VisitState
    reason: str = Field(description="In words; empty where it takes place.")
    make_up_for: str | None
    replaced_by: str | None


class PublicStopModel(Model):
    """A stop as residents look for it."""

    stop_id: str
    name: str
    community: str
    lon: float
    lat: float
    step_free: bool | None
    page: str
    calendar: str
    distance_m: int | None = None
    next: PublicVisit | None


class PublicStopWhole(PublicStopModel):
    """A stop with all its coming visits."""

    rhythm: list[str]
    visits: list[PublicVisit]


class NoticePublic(Model):
    """A notice to residents."""

    notice_id: str
    stop_id: str
    stop: str
    text: str
    created_at: datetime


class FeedPublic(Model):
    """An address that stays, for calendars, maps and other programs."""

    name: str
    address: str
    media_type: str

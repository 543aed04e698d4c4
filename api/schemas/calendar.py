"""The calendar over HTTP."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.fields import Text
from api.schemas.things import Body
from api.services.calendar_days import Entry, EntryKind
from data.model.publication import PromisedVisit


class EntryBody(Body):
    """What some days bring."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "closed",
                    "first": "2027-01-01",
                    "last": "2027-01-08",
                    "name": "Новый год",
                },
                {"kind": "vehicle_off", "first": "2026-12-14", "subject": "kibo-1"},
            ]
        }
    )
    kind: EntryKind
    first: date
    last: date | None = Field(default=None, description="Included; null: the first alone.")
    name: str = Field(default="", max_length=200, pattern=r"^[^\x00-\x1f]*$")
    subject: Text = Field(
        default="", description="Vehicle, crew member or specialist; for schools their calendar."
    )

    def to_domain(self) -> Entry:
        """The entry."""
        return Entry(
            kind=self.kind,
            first=self.first,
            last=self.last or self.first,
            name=self.name.strip(),
            subject=self.subject.strip(),
        )


class EntryPublic(BaseModel):
    """An entry of the calendar."""

    mark: str = Field(description="Names the entry in its address.")
    kind: EntryKind
    first: date
    last: date
    name: str
    subject: str
    subject_name: str

    @classmethod
    def from_domain(cls, entry: Entry) -> "EntryPublic":
        """What the API tells of an entry."""
        return cls(
            mark=entry.mark,
            kind=entry.kind,
            first=entry.first,
            last=entry.last,
            name=entry.name,
            subject=entry.subject,
            subject_name=entry.subject_name,
        )


class HitPublic(BaseModel):
    """A promised visit that falls on an entry."""

    visit_id: str
    stop_id: str
    vehicle_id: str
    service_date: date
    start_s: int
    end_s: int

    @classmethod
    def from_domain(cls, visit: PromisedVisit) -> "HitPublic":
        """What the API tells of a visit here."""
        return cls(
            visit_id=visit.visit_id,
            stop_id=visit.stop_id,
            vehicle_id=visit.vehicle_id,
            service_date=visit.service_date,
            start_s=visit.start_s,
            end_s=visit.end_s,
        )


class AddedEntry(BaseModel):
    """An entry as it was added, and what was promised on its days."""

    entry: EntryPublic
    hits: list[HitPublic] = Field(description="Promised visits to cancel or to hold otherwise.")


class CalendarPublic(BaseModel):
    """The entries that touch a span of dates."""

    first: date
    last: date
    working_weekdays: list[int] = Field(description="Monday is 0.")
    schools: list[str]
    entries: list[EntryPublic]

"""Breakdowns as the API shows and takes them."""

from datetime import date
from typing import Any

from pydantic import BaseModel as Model
from pydantic import ConfigDict, Field

from api.schemas.fields import Text
from api.schemas.publication import OfferPublic, Seconds
from api.schemas.things import Body
from api.services.breakdown_asked import (
    MOST_CHANGES,
    MOST_LATE_MIN,
    BreakdownAsked,
    BreakdownPreview,
    Decided,
    Instead,
    Move,
    OtherDate,
)
from data.model.cancellation import NOTE_CHARS, CancelReason
from data.model.fleet import VehicleId
from data.model.publication import VisitId

_EXAMPLE: dict[str, Any] = {
    "vehicle_id": "kibo-1",
    "reason": "breakdown",
    "most_late_min": 30,
    "max_changes": 0,
}


class BreakdownBody(Body):
    """Which vehicle, why, and what may be done about the rest of its day."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})
    vehicle_id: Text
    reason: CancelReason = CancelReason.BREAKDOWN
    note: str = Field(default="", max_length=NOTE_CHARS, pattern=r"^[^\x00]*$")
    back_at_s: Seconds | None = Field(default=None, description="When it goes on; null: not today.")
    helpers: list[Text] | None = Field(
        default=None, max_length=200, description="Vehicles that may help; null: every other one."
    )
    most_late_min: int = Field(
        default=30, ge=0, le=MOST_LATE_MIN, description="Minutes later than promised, at most."
    )
    max_changes: int = Field(
        default=0, ge=0, le=MOST_CHANGES, description="Promised times of helpers that may move."
    )
    with_other_days: bool = Field(
        default=True, description="Look for another date where nobody can come today."
    )

    def to_asked(self) -> BreakdownAsked:
        """What the service asks for."""
        return BreakdownAsked(
            vehicle_id=VehicleId(self.vehicle_id),
            reason=self.reason,
            note=self.note,
            back_at_s=self.back_at_s,
            helpers=None if self.helpers is None else frozenset(VehicleId(h) for h in self.helpers),
            most_late_min=self.most_late_min,
            max_changes=self.max_changes,
            with_other_days=self.with_other_days,
        )


class MoveBody(Body):
    """A visit held today by a vehicle."""

    visit_id: Text
    vehicle_id: Text
    start_s: Seconds


class OtherDateBody(Body):
    """A visit on another date instead."""

    visit_id: Text
    vehicle_id: Text
    service_date: date
    start_s: Seconds


class DecidedBody(BreakdownBody):
    """What is to be done of a preview; a visit that neither list names is cancelled."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _EXAMPLE
                | {
                    "seen": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
                    "moves": [{"visit_id": "7d1c", "vehicle_id": "kibo-2", "start_s": 50400}],
                    "other_dates": [],
                }
            ]
        }
    )
    seen: Text = Field(description="Of the preview: stands for exactly these visits.")
    moves: list[MoveBody] = Field(default=[], max_length=200)
    other_dates: list[OtherDateBody] = Field(default=[], max_length=200)

    def to_decided(self) -> Decided:
        """What the service does."""
        return Decided(
            seen=self.seen,
            moves=tuple(
                Move(
                    visit_id=VisitId(m.visit_id),
                    vehicle_id=VehicleId(m.vehicle_id),
                    start_s=m.start_s,
                )
                for m in self.moves
            ),
            other_dates=tuple(
                OtherDate(
                    visit_id=VisitId(o.visit_id),
                    vehicle_id=VehicleId(o.vehicle_id),
                    service_date=o.service_date,
                    start_s=o.start_s,
                )
                for o in self.other_dates
            ),
        )


class InsteadPublic(Model):
    """What a promised visit becomes."""

    visit_id: str
    stop_id: str
    stop: str
    vehicle_id: str
    start_s: int
    end_s: int
    to_vehicle_id: str | None = Field(description="Who holds it today; null: nobody.")
    to_start_s: int | None
    offer: OfferPublic | None = Field(description="Another date, where nobody can come today.")
    is_own: bool = Field(description="A helper's own visit whose time moves.")

    @classmethod
    def from_domain(cls, row: Instead, name: str) -> "InsteadPublic":
        """As the API shows it."""
        return cls(
            visit_id=row.visit.visit_id,
            stop_id=row.visit.stop_id,
            stop=name,
            vehicle_id=row.visit.vehicle_id,
            start_s=row.visit.start_s,
            end_s=row.visit.end_s,
            to_vehicle_id=row.after.vehicle_id if row.after else None,
            to_start_s=row.after.start_s if row.after else None,
            offer=OfferPublic.from_domain(row.offer) if row.offer else None,
            is_own=row.is_own,
        )


class BreakdownPublic(Model):
    """What a breakdown would come to; nothing is stored."""

    service_date: date
    now_s: int
    seen: str
    is_measured: bool
    added_drive_m: int
    unable: list[str] = Field(description="Vehicles that cannot even keep their own promises.")
    visits: list[InsteadPublic]

    @classmethod
    def from_domain(cls, shown: BreakdownPreview) -> "BreakdownPublic":
        """As the API shows it."""
        return cls(
            service_date=shown.on,
            now_s=shown.now_s,
            seen=shown.seen,
            is_measured=shown.is_measured,
            added_drive_m=shown.added_drive_m,
            unable=[str(v) for v in shown.unable],
            visits=[
                InsteadPublic.from_domain(row, shown.stop_name(row.visit.stop_id))
                for row in shown.rows
            ],
        )

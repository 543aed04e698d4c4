"""Timetables, promised visits and cancellations as the API shows and takes them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel as Model
from pydantic import ConfigDict, Field

from api.schemas.fields import Text
from api.schemas.things import Body
from api.services.cancelling import CancelPreview
from api.services.circulation_followed import Followed
from api.services.make_up import Offer
from api.services.publishing import PublishAsked, PublishPreview
from data.db.publication_store import Timetable
from data.model.calendar import DAY_S
from data.model.cancellation import (
    NOTE_CHARS,
    Cancellation,
    CancelReason,
    ExceptionKind,
    Scope,
    ServiceException,
)
from data.model.fleet import VehicleId
from data.model.publication import ChangeKind, PromisedVisit, VisitChange, VisitId, VisitState

Note = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")]
Seconds = Annotated[
    int, Field(ge=0, le=2 * DAY_S, description="Seconds from midnight of the service date.")
]


class PublishBody(Body):
    """Which plan is to be published, and for which dates."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "plan_id": "5d0b5c3b8f4e4c0f9b1f0f6c2f3f4a11",
                    "from_date": "2026-12-01",
                    "until_date": "2027-05-31",
                    "max_changes": 20,
                    "note": "Зимний график",
                }
            ]
        }
    )
    plan_id: Text
    from_date: date | None = Field(
        default=None, description="First service date; null: tomorrow or the plan's first."
    )
    until_date: date | None = Field(default=None, description="Last; null: half a year.")
    max_changes: int | None = Field(
        default=None, ge=0, le=1_000_000, description="Promised times that may be lost at most."
    )
    note: Note = ""

    def to_domain(self) -> PublishAsked:
        """The request."""
        return PublishAsked(
            plan_id=self.plan_id,
            from_date=self.from_date,
            until_date=self.until_date,
            max_changes=self.max_changes,
            note=self.note.strip(),
        )


class TimetablePublic(Model):
    """One published version."""

    version: int
    timetable_id: str
    plan_id: str
    plan_revision: int
    from_date: date
    until_date: date
    note: str
    changes: dict[str, int] = Field(
        description="Visits kept, altered, moved, added, withdrawn, dropped."
    )
    published_at: datetime
    published_by: str

    @classmethod
    def from_domain(cls, timetable: Timetable, names: Mapping[str, str]) -> "TimetablePublic":
        """As the API shows it; ``names`` are those of accounts."""
        shown = {n: getattr(timetable, n) for n in cls.model_fields if n != "published_by"}
        return cls(
            **shown | {"changes": dict(timetable.changes)},
            published_by=names.get(timetable.published_by or "", ""),
        )


class VisitPublic(Model):
    """One promised stop visit; its id lasts through every change."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "visit_id": "0c5d…",
                    "stop_id": "kalinovka",
                    "vehicle_id": "kibo-1",
                    "service_date": "2026-12-01",
                    "position": 0,
                    "arrival_s": 35400,
                    "start_s": 36000,
                    "end_s": 41400,
                    "departure_s": 41700,
                    "services": [],
                    "state": "planned",
                    "reason": "",
                    "sequence": 0,
                    "make_up_for": None,
                    "published_at": "2026-11-26T12:00:00Z",
                    "changed_at": "2026-11-26T12:00:00Z",
                }
            ]
        }
    )
    visit_id: str
    stop_id: str
    vehicle_id: str
    service_date: date = Field(description="Date of the run; times may pass 86 400.")
    position: int
    arrival_s: Seconds
    start_s: Seconds
    end_s: Seconds
    departure_s: Seconds
    services: list[str]
    state: VisitState
    reason: str
    sequence: int
    make_up_for: str | None = Field(description="The cancelled visit that it stands in for.")
    published_at: datetime
    changed_at: datetime

    @classmethod
    def from_domain(cls, visit: PromisedVisit) -> "VisitPublic":
        """As the API shows it."""
        shown = {n: getattr(visit, n) for n in cls.model_fields}
        return cls(**shown | {"services": sorted(visit.services)})


class ChangePublic(Model):
    """What a publication does to one visit."""

    kind: ChangeKind
    before: VisitPublic | None
    after: VisitPublic

    @classmethod
    def from_domain(cls, change: VisitChange) -> "ChangePublic":
        """As the API shows it."""
        return cls(
            kind=change.kind,
            before=None if change.before is None else VisitPublic.from_domain(change.before),
            after=VisitPublic.from_domain(change.after),
        )


class PreviewPublic(Model):
    """What publishing would change; send its ``revision`` as If-Match to publish just this."""

    revision: int
    from_date: date
    until_date: date
    counts: dict[str, int]
    num_changed: int = Field(description="Promised times that readers would lose.")
    is_possible: bool
    broken_rules: list[str] = Field(description="Codes of the rules that the plan breaks.")
    changes: list[ChangePublic] = Field(description="Without the visits that stay as they are.")

    @classmethod
    def from_domain(cls, shown: PublishPreview) -> "PreviewPublic":
        """As the API shows it."""
        return cls(
            revision=shown.revision,
            from_date=shown.from_date,
            until_date=shown.until_date,
            counts=shown.result.counts,
            num_changed=shown.result.num_changed,
            is_possible=shown.is_possible,
            broken_rules=[v.code for v in shown.violations],
            changes=[
                ChangePublic.from_domain(c)
                for c in shown.result.changes
                if c.kind is not ChangeKind.KEPT
            ],
        )


class CancelBody(Body):
    """What is to be cancelled, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"scope": "visit", "reason": "weather", "visit_id": "0c5d…"},
                {
                    "scope": "vehicle",
                    "reason": "breakdown",
                    "vehicle_id": "kibo-1",
                    "from_date": "2026-12-01",
                    "until_date": "2026-12-04",
                },
                {"scope": "closed", "reason": "holiday", "from_date": "2027-01-04"},
            ]
        }
    )
    scope: Scope
    reason: CancelReason
    note: str = Field(
        default="",
        max_length=NOTE_CHARS,
        pattern=r"^[^\x00]*$",
        description="Shown to readers; needed where the reason is `other`.",
    )
    visit_id: Text | None = None
    vehicle_id: Text | None = None
    from_date: date | None = None
    until_date: date | None = Field(default=None, description="Included; for spans of days.")
    seen: Text | None = Field(
        default=None, description="`seen` of the preview: nothing else is then cancelled."
    )

    def to_domain(self) -> Cancellation:
        """The request.

        Raises
        ------
        InputError
            For what is missing or wrong in it.
        """
        return Cancellation(
            scope=self.scope,
            reason=self.reason,
            note=self.note,
            visit_id=None if self.visit_id is None else VisitId(self.visit_id),
            vehicle_id=None if self.vehicle_id is None else VehicleId(self.vehicle_id),
            from_date=self.from_date,
            until_date=self.until_date,
        )


class CancelledStop(Model):
    """A visit that would be cancelled, and what the stop has instead."""

    visit: VisitPublic
    stop: str
    people: int | None
    next: VisitPublic | None = Field(description="The stop's next real visit.")


class CancelPreviewPublic(Model):
    """What a cancellation would do."""

    seen: str = Field(description="Stands for exactly these visits; send it to cancel them.")
    num_visits: int
    people: int
    people_expected: float | None
    loans: int = Field(description="Loans that would be due at a later visit.")
    holds: int = Field(description="Holds that would be kept for a later visit.")
    visits: list[CancelledStop]

    @classmethod
    def from_domain(cls, shown: CancelPreview, followed: Followed) -> "CancelPreviewPublic":
        """As the API shows it."""
        return cls(
            loans=followed.num_loans,
            holds=followed.num_holds,
            seen=shown.seen,
            num_visits=len(shown.visits),
            people=shown.people,
            people_expected=shown.people_expected,
            visits=[
                CancelledStop(
                    visit=VisitPublic.from_domain(v),
                    stop=shown.stop_name(v.stop_id),
                    people=stop.people if (stop := shown.stops.get(v.stop_id)) else None,
                    next=_visit(shown.next_after.get(v.stop_id)),
                )
                for v in shown.visits
            ],
        )


def _visit(visit: PromisedVisit | None) -> VisitPublic | None:
    return None if visit is None else VisitPublic.from_domain(visit)


class EffectPublic(Model):
    """One thing that was changed, before and after."""

    step: str
    subject: str
    before: dict[str, object] | None
    after: dict[str, object] | None


class CancellationPublic(Model):
    """A cancellation with everything that followed from it."""

    exception_id: str
    kind: ExceptionKind
    from_date: date
    until_date: date
    vehicle_id: str | None
    visit_ids: list[str]
    reason: str
    note: str
    effects: list[EffectPublic]
    created_at: datetime
    created_by: str
    undone_at: datetime | None
    undone_by: str

    @classmethod
    def from_domain(
        cls, exception: ServiceException, names: Mapping[str, str]
    ) -> "CancellationPublic":
        """As the API shows it; ``names`` are those of accounts."""
        told = ("effects", "created_by", "undone_by", "visit_ids")
        shown = {n: getattr(exception, n) for n in cls.model_fields if n not in told}
        return cls(
            **shown,
            visit_ids=list(exception.visit_ids),
            effects=[
                EffectPublic(
                    step=e.step,
                    subject=e.subject,
                    before=None if e.before is None else dict(e.before),
                    after=None if e.after is None else dict(e.after),
                )
                for e in exception.effects
            ],
            created_by=names.get(exception.created_by or "", ""),
            undone_by=names.get(exception.undone_by or "", ""),
        )


class OfferPublic(Model):
    """A free place for a make-up visit."""

    vehicle_id: str
    vehicle_name: str
    service_date: date
    start_s: Seconds
    end_s: Seconds
    added_drive_s: int
    added_drive_m: int
    days_after: int
    is_shorter: bool
    is_before_next: bool

    @classmethod
    def from_domain(cls, offer: Offer) -> "OfferPublic":
        """As the API shows it."""
        return cls(**{n: getattr(offer, n) for n in cls.model_fields})


class OfferBody(Body):
    """An offered place that is taken."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"vehicle_id": "kibo-1", "service_date": "2026-12-02", "start_s": 50400}]
        }
    )
    vehicle_id: Text
    service_date: date
    start_s: Seconds

    @property
    def key(self) -> tuple[VehicleId, date, int]:
        """What names the offer."""
        return VehicleId(self.vehicle_id), self.service_date, self.start_s

"""Stop visits on record and the diary as the API shows them."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel as Model
from pydantic import Field

from api.schemas.fields import NUL_FREE
from api.schemas.things import Body
from api.services.diary import Diary, Sums, faults_of
from api.services.visit_records_correct import mark_of
from data.model.stop_counts import MOST_COUNTED, CountMethod
from data.model.visit_record import (
    REASON_MAX,
    CountCorrection,
    RecordState,
    VisitRecord,
)


class FaultPublic(Model):
    """What cannot be right, or has to be asked."""

    code: str
    facts: dict[str, Any]


class RecordPublic(Model):
    """A stop visit on record; `counts` have the corrections in."""

    key: str
    visit_id: str | None
    stop_id: str | None
    name: str
    settlement_id: str | None
    municipality_id: str | None
    vehicle_id: str
    service_date: date
    position: int | None
    state: RecordState
    reason: str
    planned_open_at: datetime | None
    planned_close_at: datetime | None
    opened_at: datetime | None
    closed_at: datetime | None
    is_gps_confirmed: bool = Field(description="A track shows the vehicle there.")
    counts: dict[str, int]
    counted_by: list[str]
    count_methods: list[CountMethod]
    num_corrections: int
    is_simulated: bool
    num_visits: int
    num_loans: int
    faults: list[FaultPublic]
    revision: int = Field(description="For `If-Match` of a correction.")

    @classmethod
    def from_domain(cls, record: VisitRecord) -> "RecordPublic":
        """As the API shows it."""
        own = {
            name: getattr(record, name)
            for name in cls.model_fields
            if name not in ("faults", "revision", "counts")
        }
        faults = [FaultPublic(code=f.code, facts=dict(f.facts)) for f in faults_of(record)]
        return cls(**own, counts=dict(record.counts), faults=faults, revision=mark_of(record))


class CorrectionPublic(Model):
    """A person's change of one count."""

    correction_id: str
    key: str
    name: str
    amount: int
    reason: str
    corrected_at: datetime
    corrected_by: str

    @classmethod
    def from_domain(cls, correction: CountCorrection) -> "CorrectionPublic":
        """As the API shows it."""
        return cls(**{name: getattr(correction, name) for name in cls.model_fields})


class RecordWhole(RecordPublic):
    """A record with its corrections, in the order in which they were made."""

    corrections: list[CorrectionPublic]


class CorrectionBody(Body):
    """The right number of one count, and why."""

    name: Annotated[
        str, Field(max_length=64, pattern=NUL_FREE, description="`visits_service.children` …")
    ]
    value: Annotated[int, Field(ge=0, le=MOST_COUNTED)]
    reason: Annotated[str, Field(min_length=1, max_length=REASON_MAX, pattern=NUL_FREE)]


class SumsPublic(Model):
    """Figures of some records; counts are those of stop visits held."""

    num_runs: int
    num_stops: int
    num_states: dict[str, int]
    num_confirmed: int
    num_faults: int
    num_corrections: int
    counts: dict[str, int]
    km: float | None
    fuel: float | None
    is_simulated: bool

    @classmethod
    def from_domain(cls, sums: Sums) -> "SumsPublic":
        """As the API shows it."""
        return cls(**{name: getattr(sums, name) for name in cls.model_fields})


class DiaryDayPublic(Model):
    """One date."""

    service_date: date
    sums: SumsPublic


class DiaryPublic(Model):
    """A month: what the year had before it, each day, the month, the year up to its end."""

    vehicle_id: str | None = Field(description="Null: all vehicles together.")
    first_date: date
    last_date: date
    opening: SumsPublic
    days: list[DiaryDayPublic]
    month: SumsPublic
    year: SumsPublic

    @classmethod
    def from_domain(cls, diary: Diary) -> "DiaryPublic":
        """As the API shows it."""
        return cls(
            vehicle_id=diary.vehicle_id,
            first_date=diary.first,
            last_date=diary.last,
            opening=SumsPublic.from_domain(diary.opening),
            days=[
                DiaryDayPublic(service_date=d.on, sums=SumsPublic.from_domain(d.sums))
                for d in diary.days
            ],
            month=SumsPublic.from_domain(diary.month),
            year=SumsPublic.from_domain(diary.year),
        )

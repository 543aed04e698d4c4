"""Driven days as the API shows them, and what is written down of them."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel as Model
from pydantic import ConfigDict, Field

from api.schemas.fields import Text
from api.schemas.publication import Seconds
from api.schemas.things import Body
from api.services.day_report import DayReport, PeriodReport, VehicleDay
from data.model.day_record import RecordedLeg, RecordedVisit
from data.model.day_sheet import (
    MOST_FUEL,
    MOST_KM,
    NOTE_MAX,
    TEXT_MAX,
    DaySheet,
    OdometerCheck,
    OdometerVerdict,
)
from data.model.day_stats import DayStats, LegStats, Spread, StopStats
from data.model.fleet import VehicleId
from data.model.learned_proposal import LearnedProposal, ProposalState
from data.model.live import ActualSource, ActualState

_LINE = r"^[^\x00]*$"


class SpreadPublic(Model):
    """A time taken often; seconds. `sd_s` is null of a single time."""

    num: int
    mean_s: float
    sd_s: float | None
    most_s: float
    planned_s: float | None

    @classmethod
    def from_domain(cls, found: Spread | None) -> "SpreadPublic | None":
        """As the API shows it."""
        if found is None:
            return None
        return cls(**{name: getattr(found, name) for name in cls.model_fields})


class StatsPublic(Model):
    """Figures of vehicle-days together; ratios are of planned visits that are over."""

    num_days: int
    num_planned: int
    num_held: int
    num_kept: int = Field(description="Held in time: opening and leaving within ten minutes.")
    num_late: int
    num_early: int
    num_skipped: int
    num_cancelled: int
    num_unplanned: int
    num_to_come: int
    kept_ratio: float | None
    punctual_ratio: float | None
    dwell_s: int
    planned_dwell_s: int
    drive_s: int
    planned_drive_s: int
    driven_m: float
    planned_m: int | None

    @classmethod
    def from_domain(cls, stats: DayStats) -> "StatsPublic":
        """As the API shows it."""
        return cls(**{name: getattr(stats, name) for name in cls.model_fields})


class VisitRecordPublic(Model):
    """A visit as promised and as it was; seconds from midnight of the service date."""

    visit_id: str | None
    stop_id: str | None
    stop: str
    state: ActualState
    source: ActualSource
    planned_arrival_s: int | None
    planned_open_s: int | None
    planned_close_s: int | None
    planned_departure_s: int | None
    arrival_s: int | None
    departure_s: int | None
    arrival_dev_s: int | None
    departure_dev_s: int | None
    dwell_s: int | None
    late_s: int
    short_s: int
    is_out_of_order: bool
    is_seen_whole: bool
    lon: float | None
    lat: float | None

    @classmethod
    def from_domain(cls, visit: RecordedVisit, name: str) -> "VisitRecordPublic":
        """As the API shows it."""
        own = {n: getattr(visit, n) for n in cls.model_fields if n != "stop"}
        return cls(**own, stop=name)


class LegRecordPublic(Model):
    """A drive as it was; `planned_s` is the road time."""

    origin_id: str
    target_id: str
    depart_s: int
    arrive_s: int
    drive_s: int
    planned_s: int | None

    @classmethod
    def from_domain(cls, leg: RecordedLeg) -> "LegRecordPublic":
        """As the API shows it."""
        return cls(**{name: getattr(leg, name) for name in cls.model_fields})


class OdometerPublic(Model):
    """The odometer held against the track."""

    verdict: OdometerVerdict
    odometer_km: float | None
    track_km: float | None
    difference_km: float | None
    unseen_km: float = Field(description="Way in gaps of the track, as the crow flies.")
    between_km: float | None = Field(description="Since the vehicle's last sheet.")

    @classmethod
    def from_domain(cls, check: OdometerCheck) -> "OdometerPublic":
        """As the API shows it."""
        return cls(**{name: getattr(check, name) for name in cls.model_fields})


class SheetBody(Body):
    """Odometer, fuel and waybill of a vehicle and date; null is not known."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"number": "1127", "odometer_out_km": 48210, "odometer_in_km": 48371, "fuel": 41.5}
            ]
        }
    )
    number: str = Field(default="", max_length=TEXT_MAX, pattern=_LINE)
    valid_until: date | None = None
    owner_name: str = Field(default="", max_length=TEXT_MAX, pattern=_LINE)
    owner_address: str = Field(default="", max_length=TEXT_MAX, pattern=_LINE)
    owner_phone: str = Field(default="", max_length=TEXT_MAX, pattern=_LINE)
    owner_ogrn: str = Field(default="", max_length=15, pattern=_LINE)
    plate: str = Field(default="", max_length=TEXT_MAX, pattern=_LINE)
    make_model: str = Field(default="", max_length=TEXT_MAX, pattern=_LINE)
    technical_s: Seconds | None = None
    is_technical_passed: bool | None = None
    driver: str = Field(default="", max_length=TEXT_MAX, pattern=_LINE)
    licence: str = Field(default="", max_length=TEXT_MAX, pattern=_LINE)
    medical_before_s: Seconds | None = None
    is_medical_before_passed: bool | None = None
    medical_after_s: Seconds | None = None
    is_medical_after_passed: bool | None = None
    carriage: str = Field(default="", max_length=TEXT_MAX, pattern=_LINE)
    odometer_out_km: float | None = Field(default=None, ge=0, le=MOST_KM)
    odometer_in_km: float | None = Field(default=None, ge=0, le=MOST_KM)
    out_s: Seconds | None = None
    in_s: Seconds | None = None
    fuel: float | None = Field(default=None, ge=0, le=MOST_FUEL)
    note: str = Field(default="", max_length=NOTE_MAX, pattern=_LINE)

    def to_domain(self, region_id: str, vehicle_id: VehicleId, on: date) -> DaySheet:
        """What is stored."""
        return DaySheet(
            region_id=region_id, vehicle_id=vehicle_id, service_date=on, **self.model_dump()
        )


class SheetPublic(SheetBody):
    """A sheet as it stands; revision 0 was begun from the vehicle's last and is not stored."""

    vehicle_id: str
    service_date: date
    revision: int

    @classmethod
    def from_domain(cls, sheet: DaySheet) -> "SheetPublic":
        """As the API shows it."""
        return cls(**{name: getattr(sheet, name) for name in cls.model_fields})


class VehicleDayPublic(Model):
    """One vehicle's date."""

    vehicle_id: str
    name: str
    is_tracked: bool
    num_fixes: int
    departed_s: int | None
    returned_s: int | None
    stats: StatsPublic
    visits: list[VisitRecordPublic]
    legs: list[LegRecordPublic]
    odometer: OdometerPublic
    sheet: SheetPublic | None

    @classmethod
    def from_domain(cls, found: VehicleDay, report: DayReport) -> "VehicleDayPublic":
        """As the API shows it."""
        record = found.record
        return cls(
            vehicle_id=found.vehicle_id,
            name=found.name,
            is_tracked=record.is_tracked,
            num_fixes=record.num_fixes,
            departed_s=record.departed_s,
            returned_s=record.returned_s,
            stats=StatsPublic.from_domain(found.stats),
            visits=[
                VisitRecordPublic.from_domain(v, report.place(v.stop_id)) for v in record.visits
            ],
            legs=[LegRecordPublic.from_domain(leg) for leg in record.legs],
            odometer=OdometerPublic.from_domain(found.check),
            sheet=None if found.sheet is None else SheetPublic.from_domain(found.sheet),
        )


class DayReportPublic(Model):
    """All vehicles of a date; `total` counts those that were followed."""

    service_date: date
    time_zone: str
    is_over: bool
    total: StatsPublic
    vehicles: list[VehicleDayPublic]

    @classmethod
    def from_domain(cls, report: DayReport) -> "DayReportPublic":
        """As the API shows it."""
        return cls(
            service_date=report.on,
            time_zone=report.head.time_zone,
            is_over=report.is_over,
            total=StatsPublic.from_domain(report.total),
            vehicles=[VehicleDayPublic.from_domain(v, report) for v in report.vehicles],
        )


class DatePublic(Model):
    """The figures of a date."""

    service_date: date
    stats: StatsPublic


class VehiclePublic(Model):
    """The figures of a vehicle."""

    vehicle_id: str
    name: str
    stats: StatsPublic


class StopStatsPublic(Model):
    """What became of the visits of one stop."""

    stop_id: str
    stop: str
    num_planned: int
    num_held: int
    num_kept: int
    dwell: SpreadPublic | None
    late: SpreadPublic | None

    @classmethod
    def from_domain(cls, found: StopStats, name: str) -> "StopStatsPublic":
        """As the API shows it."""
        return cls(
            stop_id=found.stop_id,
            stop=name,
            num_planned=found.num_planned,
            num_held=found.num_held,
            num_kept=found.num_kept,
            dwell=SpreadPublic.from_domain(found.dwell),
            late=SpreadPublic.from_domain(found.late),
        )


class LegStatsPublic(Model):
    """The drives from one place to another."""

    origin_id: str
    target_id: str
    origin: str
    target: str
    drive: SpreadPublic | None

    @classmethod
    def from_domain(cls, found: LegStats, origin: str, target: str) -> "LegStatsPublic":
        """As the API shows it."""
        return cls(
            origin_id=found.origin_id,
            target_id=found.target_id,
            origin=origin,
            target=target,
            drive=SpreadPublic.from_domain(found.drive),
        )


class PeriodReportPublic(Model):
    """A span of dates."""

    first_date: date
    last_date: date
    total: StatsPublic
    days: list[DatePublic]
    vehicles: list[VehiclePublic]
    stops: list[StopStatsPublic]
    legs: list[LegStatsPublic]

    @classmethod
    def from_domain(cls, report: PeriodReport) -> "PeriodReportPublic":
        """As the API shows it."""
        return cls(
            first_date=report.first,
            last_date=report.last,
            total=StatsPublic.from_domain(report.total),
            days=[
                DatePublic(service_date=on, stats=StatsPublic.from_domain(s))
                for on, s in report.days
            ],
            vehicles=[
                VehiclePublic(
                    vehicle_id=i,
                    name=report.names.get(str(i), str(i)),
                    stats=StatsPublic.from_domain(s),
                )
                for i, s in report.vehicles
            ],
            stops=[StopStatsPublic.from_domain(s, report.place(s.stop_id)) for s in report.stops],
            legs=[
                LegStatsPublic.from_domain(
                    leg, report.place(leg.origin_id), report.place(leg.target_id)
                )
                for leg in report.legs
            ],
        )


class LearnBody(Body):
    """Of which days is to be learned."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"first_date": "2026-10-01", "last_date": "2026-11-25"}]}
    )
    first_date: date
    last_date: date


class DecisionBody(Body):
    """What is to become of a proposal."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"state": "accepted", "note": ""}]})
    state: ProposalState
    note: str = Field(default="", max_length=NOTE_MAX, pattern=_LINE)


class ProposalPublic(Model):
    """What recorded days taught: rows to judge, in seconds."""

    proposal_id: Text
    plan_id: str
    state: ProposalState
    first_date: date
    last_date: date
    num_days: int
    num_legs: int
    review: dict[str, Any]
    note: str
    created_at: datetime
    decided_at: datetime | None
    revision: int

    @classmethod
    def from_domain(cls, found: LearnedProposal) -> "ProposalPublic":
        """As the API shows it."""
        own = {n: getattr(found, n) for n in cls.model_fields if n != "review"}
        return cls(**own, review=dict(found.review))

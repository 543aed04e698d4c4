"""Vehicles on the road, what became of stop visits, warnings and tracks as the API shows them."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.fields import NUL_FREE
from api.schemas.things import Body
from data.model.alert import NOTE_MAX, Alert, AlertKind
from data.model.live import ActualSource, ActualState, LiveEta, Phase, StopActual
from data.model.telemetry import Fix, Verdict


class FixPublic(BaseModel):
    """Where a vehicle was."""

    fix_at: datetime
    lon: float
    lat: float
    speed_mps: float | None
    course_deg: float | None
    accuracy_m: float | None

    @classmethod
    def from_domain(cls, fix: Fix) -> "FixPublic":
        """What the API tells of a fix."""
        return cls(**{name: getattr(fix, name) for name in cls.model_fields})


class EtaPublic(BaseModel):
    """When a vehicle will be at a stop to come."""

    visit_id: str
    arrival_at: datetime
    low_at: datetime = Field(description="With high_at it holds the arrival with 80 %.")
    high_at: datetime
    opening_at: datetime
    departure_at: datetime
    delay_s: int = Field(description="By how much the doors will open too late.")
    is_measured: bool = Field(description="By a position of today; else from the timetable alone.")

    @classmethod
    def from_domain(cls, eta: LiveEta) -> "EtaPublic":
        """What the API tells of a forecast."""
        return cls(**{name: getattr(eta, name) for name in cls.model_fields})


class StopLive(BaseModel):
    """A stop visit of today, planned or not, and what has become of it."""

    key: str = Field(description="Lasting id of a planned visit; unplanned, its own.")
    visit_id: str | None
    stop_id: str | None
    stop_name: str
    lon: float
    lat: float
    position: int | None
    state: ActualState
    planned_arrival_at: datetime | None
    planned_open_at: datetime | None
    planned_close_at: datetime | None
    planned_departure_at: datetime | None
    actual_from_at: datetime | None
    actual_until_at: datetime | None
    arrival_dev_s: int | None = Field(description="Actual minus planned; late is positive.")
    departure_dev_s: int | None
    late_s: int = Field(description="By how much the doors could open too late.")
    short_s: int = Field(description="By how much it left before the doors were to close.")
    is_out_of_order: bool
    source: ActualSource
    eta: EtaPublic | None = None

    @classmethod
    def of(cls, actual: StopActual, *, stop_name: str, eta: LiveEta | None) -> "StopLive":
        """What the API tells of it."""
        own = {"stop_name", "eta"}
        shown = {name: getattr(actual, name) for name in cls.model_fields if name not in own}
        told = None if eta is None else EtaPublic.from_domain(eta)
        return cls(**shown, stop_name=stop_name, eta=told)


class VehicleLive(BaseModel):
    """A vehicle at this moment, with its run of today."""

    vehicle_id: str
    vehicle_name: str
    service_date: date
    run_id: str | None = Field(description="Null: no run today.")
    fix: FixPublic | None
    received_at: datetime | None
    age_s: int | None = Field(description="Age of the last fix.")
    phase: Phase
    is_silent: bool
    here_visit_id: str | None
    next_visit_id: str | None
    delay_s: int | None = Field(description="Late is positive; 0 while it waits for its time.")
    departure_at: datetime | None = Field(description="When it will leave where it stands.")
    return_at: datetime | None
    off_m: int | None = Field(description="Metres off the planned line, while it drives.")
    departed_at: datetime | None = Field(description="When it left its depot.")
    returned_at: datetime | None
    stops: list[StopLive]
    line_url: str | None = Field(description="GeoJSON of the planned way; null without a run.")
    track_url: str = Field(description="GeoJSON of the driven way.")
    revision: int


class AlertPublic(BaseModel):
    """A warning."""

    alert_id: str
    vehicle_id: str
    vehicle_name: str
    service_date: date
    kind: AlertKind
    visit_id: str | None
    stop_name: str = Field(description="Empty where it is about no stop.")
    since_at: datetime
    raised_at: datetime
    amount: float | None = Field(description="Seconds; of off_corridor metres.")
    facts: dict[str, Any]
    acknowledged_at: datetime | None
    acknowledged_by: str | None = Field(description="Name of the person.")
    note: str
    ended_at: datetime | None

    @classmethod
    def of(
        cls, alert: Alert, *, vehicle_name: str, stop_name: str, by: str | None
    ) -> "AlertPublic":
        """What the API tells of it; the names are those of people, vehicles and stops."""
        own = {"vehicle_name", "stop_name", "amount", "facts", "acknowledged_by"}
        shown = {name: getattr(alert, name) for name in cls.model_fields if name not in own}
        return cls(
            **shown,
            vehicle_name=vehicle_name,
            stop_name=stop_name,
            amount=alert.facts.get("amount"),
            facts=dict(alert.facts),
            acknowledged_by=by,
        )


class LiveBoard(BaseModel):
    """All vehicles of a region at this moment."""

    at: datetime
    revision: int = Field(description="`since` of the next question.")
    service_date: date
    vehicles: list[VehicleLive] = Field(description="With `since`: those that changed.")
    alerts: list[AlertPublic] = Field(description="Those that go on.")


class Acknowledgement(Body):
    """What a person says of a warning."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"note": "Водитель предупредил, прокол колеса"}]}
    )
    note: Annotated[str, Field(max_length=NOTE_MAX, pattern=NUL_FREE)] = ""


class RejectedFix(BaseModel):
    """A fix that was left out of the track, and why."""

    fix_at: datetime
    lon: float
    lat: float
    reason: Verdict


class TrackPieceProperties(BaseModel):
    """Times of a piece of a track."""

    tracker_id: str
    times: list[datetime] = Field(description="One for each point.")
    speeds_mps: list[float | None]


class TrackPiece(BaseModel):
    """A piece of a track without gaps."""

    type: str = "Feature"
    geometry: dict[str, Any]
    properties: TrackPieceProperties


class TrackPublic(BaseModel):
    """The way driven on a date as a GeoJSON FeatureCollection, and what was left out of it."""

    type: str = "FeatureCollection"
    vehicle_id: str
    service_date: date
    features: list[TrackPiece]
    rejected: list[RejectedFix]
    counts: dict[str, int] = Field(description="Fixes of each verdict.")
    length_m: int

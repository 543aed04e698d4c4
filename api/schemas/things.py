"""Things of a region over HTTP: what they are told as (``…Body``) and shown as (``…Public``)."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.fields import (
    Clock,
    Code,
    Codes,
    Count,
    Dates,
    Key,
    Keys,
    Kilograms,
    Lat,
    Lon,
    LongText,
    Metres,
    Name,
    Seconds,
    Text,
    Weekdays,
    Year,
)
from api.schemas.shown import shown_as
from data.model.costs import FuelKind
from data.model.place import DepotKind, LibraryKind, Standing, StopKind
from data.model.seasons import SchoolTime
from data.model.staff import CrewRole


class Body(BaseModel):
    """What can be said of a thing; what is left out takes its default."""

    model_config = ConfigDict(extra="forbid")


class WindowBody(Body):
    """A span of the day in which the doors may be open."""

    start_s: Clock
    end_s: Clock
    weekdays: Weekdays = []


class SiteBody(Body):
    """A stop's ground, as a crew must know it; null is not known."""

    surface: Text = ""
    room_m: Metres | None = Field(default=None, description="Length of vehicle that fits.")
    power: bool | None = None
    mobile_signal: bool | None = None
    light: bool | None = None
    toilet: bool | None = None
    step_free: bool | None = None
    contact: Text = ""
    permission_until_date: date | None = None
    photo: str = Field(default="", max_length=80, pattern=r"^([0-9a-f]{32}\.jpg)?$")
    notes: LongText = ""


class SeasonBody(Body):
    """A part of every year, both ends included."""

    first_month: int = Field(ge=1, le=12)
    first_day: int = Field(ge=1, le=31)
    last_month: int = Field(ge=1, le=12)
    last_day: int = Field(ge=1, le=31)


class RecurrenceBody(Body):
    """When visits are to be, by rule (RFC 5545)."""

    rule: str = Field(default="", max_length=300, pattern=r"^[A-Za-z0-9=;,:+\- ]*$")
    period_weeks: int = Field(default=4, ge=1, le=53)
    period_visits: int = Field(default=1, ge=1, le=100)
    start_date: date | None = None
    end_date: date | None = None
    exceptions: Dates = []
    extra_dates: Dates = []
    seasons: list[SeasonBody] = Field(default=[], max_length=12)
    school_time: SchoolTime | None = None
    school: Text = ""


class StopBody(Body):
    """A place where the doors open, and what the timetable must give it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Дом культуры",
                    "lon": 20.8406,
                    "lat": 55.1537,
                    "community": "Рыбачий",
                    "settlement_ids": ["inid-146540"],
                    "service_s": 5400,
                    "windows": [{"start_s": 32400, "end_s": 64800}],
                    "site": {"surface": "asphalt", "room_m": 12, "power": True},
                }
            ]
        }
    )
    name: Name
    lon: Lon
    lat: Lat
    community: Text = ""
    kind: StopKind = StopKind.PUBLIC
    settlement_ids: Keys = Field(default=[], description="Settlements served, its own first.")
    service_s: Seconds = Field(default=3600, description="Doors open, seconds.")
    service_most_s: Seconds | None = Field(
        default=None, description="Longest that a plan may choose; null: fixed."
    )
    setup_s: Seconds = 0
    teardown_s: Seconds = 0
    visits_per_cycle: int = Field(default=1, ge=1, le=100)
    windows: list[WindowBody] = Field(default=[], max_length=50)
    weekdays: Weekdays = []
    same_weekday: bool = True
    min_gap_days: int = Field(default=1, ge=0, le=1000)
    max_gap_days: int | None = Field(default=None, ge=0, le=1000)
    needs: Codes = Field(default=[], description="Abilities that the vehicle must have.")
    services: Codes = Field(default=[], description="Who must be aboard.")
    services_visits: int | None = Field(default=None, ge=1, le=100)
    mandatory: bool = False
    people: Count | None = None
    prize: float = Field(default=0.0, ge=0, le=1e9, allow_inf_nan=False)
    site: SiteBody = SiteBody()
    recurrence: RecurrenceBody | None = None


StopPublic = shown_as(StopBody, "StopPublic")


class SettlementBody(Body):
    """An inhabited place. Unknown figures are null, never zero."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Рыбачий",
                    "lon": 20.83,
                    "lat": 55.15,
                    "kind": "п",
                    "municipality_id": "27710000",
                    "population": 871,
                    "population_year": 2021,
                }
            ]
        }
    )
    name: Name
    lon: Lon
    lat: Lat
    name_latin: Text = ""
    kind: Text = ""
    municipality_id: Key | None = None
    population: Count | None = None
    population_year: Year | None = None
    children: Count | None = None
    youth: Count | None = None
    seniors: Count | None = None
    disabled: Count | None = None
    source: LongText = ""
    flags: Codes = []


SettlementPublic = shown_as(SettlementBody, "SettlementPublic")


class SettlementMerge(Body):
    """What a settlement becomes part of, and from which date on."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"into": "inid-146540", "on_date": "2027-01-01"}]}
    )
    into: Key
    on_date: date
    adds_people: bool = Field(default=False, description="Whether its residents are added there.")


class LibraryBody(Body):
    """A fixed library or library point, by its own position or its settlement."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Модельная библиотека п. Рыбачий",
                    "settlement_id": "inid-146540",
                    "address": "ул. Гагарина, 7",
                    "opening_hours": "вт–сб 11–18",
                }
            ]
        }
    )
    name: Text = ""
    standing: Standing = Standing.KNOWN
    kind: LibraryKind = LibraryKind.LIBRARY
    settlement_id: Key | None = None
    lon: Lon | None = None
    lat: Lat | None = None
    address: Text = ""
    opening_hours: Text = ""
    opened_date: date | None = None
    closed_date: date | None = None
    source: LongText = ""


LibraryPublic = shown_as(LibraryBody, "LibraryPublic")


class LibraryClose(Body):
    """The date on which a branch closes; it stays in the register."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"closed_date": "2027-01-01"}]})
    closed_date: date


class MunicipalityBody(Body):
    """A municipal unit with its census figures."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Нестеровский округ", "population": 14918}]}
    )
    name: Name
    name_latin: Text = ""
    population: Count | None = None
    population_urban: Count | None = None
    population_rural: Count | None = None
    population_year: Year | None = None
    source: LongText = ""


MunicipalityPublic = shown_as(MunicipalityBody, "MunicipalityPublic")


class DepotBody(Body):
    """A base, or a lodging where a vehicle spends a night."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Гараж", "lon": 20.51102, "lat": 54.70639}]}
    )
    name: Name
    lon: Lon
    lat: Lat
    settlement_id: Key | None = None
    kind: DepotKind = DepotKind.BASE
    room_m: Metres | None = Field(default=None, description="Longest vehicle; null: any.")
    check_s: Seconds = 600
    night_cost_s: Seconds = 3600


DepotPublic = shown_as(DepotBody, "DepotPublic")


class VehicleBody(Body):
    """A bookmobile: size, abilities, working days."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "КИБО 1",
                    "depot_id": "kaliningrad",
                    "length_m": 9.5,
                    "abilities": ["lift"],
                    "off_dates": ["2026-12-14"],
                }
            ]
        }
    )
    name: Name
    depot_id: Key
    end_depot_id: Key | None = None
    height_m: Metres = 3.4
    width_m: Metres = 2.5
    length_m: Metres = 9.5
    weight_kg: Kilograms = 10_500.0
    axle_load_kg: Kilograms = 6_500.0
    avoid_unpaved: bool = False
    abilities: Codes = []
    weekdays: Weekdays = []
    off_dates: Dates = Field(default=[], description="Service and inspection days.")
    duty_start_s: Clock = 8 * 3600
    duty_end_s: Clock = 18 * 3600
    prep_s: Seconds = 20 * 60
    closing_s: Seconds = 20 * 60
    max_stops_per_run: int | None = Field(default=None, ge=1, le=100)
    seats: int | None = Field(default=None, ge=0, le=100)
    rule_set_ids: Keys = []
    fuel: FuelKind | None = None
    fuel_per_100km: float | None = Field(default=None, ge=0, le=1000, allow_inf_nan=False)
    max_nights_away: int = Field(default=0, ge=0, le=30)
    lodging_ids: Keys = []


VehiclePublic = shown_as(VehicleBody, "VehiclePublic")


class CrewMemberBody(Body):
    """A driver or librarian."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "Иванов П. С.", "role": "driver", "vehicle_ids": ["kibo-1"]}]
        }
    )
    name: Name
    role: CrewRole
    vehicle_ids: Keys = Field(default=[], description="Empty: any vehicle.")
    weekdays: Weekdays = []
    off_dates: Dates = []
    phone: str = Field(default="", max_length=60, pattern=r"^[^\x00-\x1f]*$")


CrewMemberPublic = shown_as(CrewMemberBody, "CrewMemberPublic")


class SpecialistBody(Body):
    """A person who rides along on some days and gives one service."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "Анна", "service": "children", "weekdays": [1, 3]}]
        }
    )
    name: Name
    service: Code
    weekdays: Weekdays = []
    off_dates: Dates = []
    duty_start_s: Clock | None = None
    duty_end_s: Clock | None = None
    vehicle_ids: Keys = []
    days_per_week_max: int | None = Field(default=None, ge=0, le=7)


SpecialistPublic = shown_as(SpecialistBody, "SpecialistPublic")

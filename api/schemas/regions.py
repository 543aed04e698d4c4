"""Regions over HTTP: the list, what one holds, its own settings."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.fields import Clock, Key, LongText, Name, Seconds, Text
from api.schemas.things import Body
from data.db.region_store import RegionSummary
from data.model.demand import PrizeBy

RegionIdText = Annotated[
    str,
    Field(
        min_length=2,
        max_length=64,
        pattern=r"^[a-z0-9](-?[a-z0-9])+$",
        description="Small Latin letters, digits and hyphens: it stands in addresses.",
    ),
]
Names = Annotated[
    dict[Annotated[str, Field(pattern="^[a-z]{2,3}$")], Name],
    Field(min_length=1, max_length=10, description="Name by language code."),
]
Price = Annotated[Decimal, Field(ge=0, le=1_000_000_000, max_digits=15, allow_inf_nan=False)]


class RegionCreate(Body):
    """A region that ships with the program."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"bundled": "kaliningrad"}]})
    bundled: str = Field(max_length=64, description="Its name; files come by `/imports`.")


class RegionPublic(BaseModel):
    """A region in the list."""

    region_id: str
    names: dict[str, str]
    revision: int = Field(description="Grows with every change in the region.")
    created_at: datetime

    @classmethod
    def from_summary(cls, summary: RegionSummary) -> "RegionPublic":
        """What the API tells of a region."""
        return cls(
            region_id=summary.region_id,
            names=summary.names,
            revision=summary.revision,
            created_at=summary.created_at,
        )


class MessagePublic(BaseModel):
    """A message in the caller's language."""

    code: str
    message: str
    facts: dict[str, Any] = {}


class SourcePublic(BaseModel):
    """Where data come from, and under which licence."""

    title: str
    licence: str
    address: str


class RegionDetail(RegionPublic):
    """A region with what it holds and what it lacks."""

    time_zone: str
    language: str
    crs: str
    holds: dict[str, int] = Field(description="Numbers of things: settlements, people …")
    missing: list[MessagePublic] = Field(description="What plans need, or would be better with.")
    sources: list[SourcePublic]


class BandBody(Body):
    """Service owed to a stop by the people it serves."""

    up_to: int | None = Field(default=None, ge=0, le=100_000_000, description="null: the rest.")
    service_s: Seconds
    visits_per_cycle: int = Field(default=1, ge=1, le=42)
    service_most_s: Seconds | None = None


class DwellBody(Body):
    """What it is worth to stay open for longer than owed."""

    half_s: int = Field(default=1800, ge=1, le=86_400)
    worth_ratio: float = Field(default=0.0, ge=0, le=1, allow_inf_nan=False)


class StandardBody(Body):
    """What a stop gets and how stops are chosen."""

    cycle_weeks: int = Field(default=4, ge=1, le=6)
    bands: list[BandBody] = Field(min_length=1, max_length=12)
    unknown_population_service_s: Seconds = 3600
    dwell_worth: DwellBody = DwellBody()
    setup_s: Seconds = 600
    teardown_s: Seconds = 300
    day_start_s: Clock = 32_400
    day_end_s: Clock = 64_800
    max_gap_days: int = Field(default=35, ge=1, le=400)
    same_weekday: bool = True
    clock_tolerance_s: Seconds = 900
    meal_window_start_s: Clock = 39_600
    meal_window_end_s: Clock = 54_000
    stops_per_day_max: int = Field(default=6, ge=1, le=100)
    walk_to_stop_m: int = Field(default=1000, ge=0, le=20_000)
    min_population: int = Field(default=0, ge=0, le=1_000_000)
    weight_adult: float = Field(default=1.0, ge=0, le=100, allow_inf_nan=False)
    weight_child: float = Field(default=1.5, ge=0, le=100, allow_inf_nan=False)
    weight_senior: float = Field(default=1.5, ge=0, le=100, allow_inf_nan=False)
    prize_by: PrizeBy = PrizeBy.PEOPLE
    unknown_population_people: float = Field(default=20.0, ge=0, le=100_000, allow_inf_nan=False)


class AssumptionBody(Body):
    """How libraries that nobody listed are filled in."""

    rule: str = Field(default="largest_settlements", pattern="^largest_settlements$")
    official_count: int = Field(ge=0, le=100_000)
    people_per_library: int | None = Field(default=None, ge=1, le=10_000_000)
    source: LongText = ""


class CostsBody(Body):
    """Prices in one currency; null is not known."""

    currency: str = Field(default="", max_length=10, pattern=r"^[^\x00-\x1f]*$")
    per_km: Price | None = None
    per_hour: Price | None = None
    per_day: Price | None = None
    per_night: Price | None = None


class SourceBody(Body):
    """Where data come from, and under which licence."""

    title: Name
    licence: Text = ""
    address: Text = ""


class SettingsBody(Body):
    """A region's own settings."""

    names: Names
    time_zone: str = Field(max_length=64, description="Like Europe/Kaliningrad.")
    language: str = Field(pattern="^[a-z]{2,3}$", description="Language of its people.")
    start_date: date | None = Field(default=None, description="First Monday of the cycle.")
    standard: StandardBody
    norm_set_id: Key
    default_rule_set_ids: list[Key] = Field(default=[], max_length=20)
    library_register_is_complete: bool = False
    library_assumption: AssumptionBody | None = None
    travel_factor: float = Field(default=1.0, ge=0.2, le=5, allow_inf_nan=False)
    costs: CostsBody = CostsBody()
    sources: list[SourceBody] = Field(default=[], max_length=100)
    phone: str = Field(
        default="",
        max_length=60,
        pattern=r"^[^\x00-\x1f]*$",
        description="Number that readers call.",
    )

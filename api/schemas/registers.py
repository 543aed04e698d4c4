"""Registers over HTTP: sets of access norms, sets of working-time rules."""

from datetime import date
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from api.schemas.fields import Count, LongText, Name, Seconds, Text
from api.schemas.shown import shown_as
from api.schemas.things import Body

Mark = Annotated[
    Literal["V", "S", "C", "U", "D"],
    Field(
        description="V read in the primary text, S secondary source, C computed, U unverified, "
        "D default of this program."
    ),
]


class AccessBandBody(Body):
    """What a settlement of some size is owed; only the limits given count."""

    population_from: Count = 0
    population_to: Count | None = Field(default=None, description="Exclusive; null: open.")
    max_minutes: float | None = Field(default=None, ge=0, le=1440, allow_inf_nan=False)
    max_km: float | None = Field(default=None, ge=0, le=1000, allow_inf_nan=False)


class NormSetBody(Body):
    """A named set of access norms. Bands begin at 0 and follow one another without a hole."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Р-2879",
                    "source": "Распоряжение Минкультуры 23.10.2023 № Р-2879",
                    "mark": "V",
                    "bands": [
                        {"population_from": 0, "population_to": 500, "max_minutes": 40},
                        {"population_from": 500, "max_minutes": 30, "max_km": 5},
                    ],
                    "unknown_population": {"max_minutes": 40},
                }
            ]
        }
    )
    name: Name
    bands: list[AccessBandBody] = Field(min_length=1, max_length=20)
    unknown_population: AccessBandBody
    source: LongText = ""
    mark: Mark = "U"
    valid_from: date | None = None
    valid_to: date | None = Field(default=None, description="First date on which it is void.")
    names: dict[Annotated[str, Field(pattern="^[a-z]{2}$")], Text] = Field(
        default={}, max_length=10, description="The name in further languages."
    )


NormSetPublic = shown_as(NormSetBody, "NormSetPublic")


class CrewRulesBody(Body):
    """Limits on driving, work and rest, in seconds; null sets no limit."""

    drive_daily_max_s: Seconds | None = None
    drive_extended_max_s: Seconds | None = None
    drive_extended_per_week: int | None = Field(default=None, ge=0, le=7)
    drive_week_max_s: int | None = Field(default=None, ge=0, le=604_800)
    drive_two_week_max_s: int | None = Field(default=None, ge=0, le=1_209_600)
    drive_continuous_max_s: Seconds | None = None
    break_s: Seconds | None = None
    break_split_s: list[Seconds] = Field(default=[], max_length=6)
    shift_max_s: Seconds | None = None
    meal_after_s: Seconds | None = None
    meal_min_s: Seconds | None = None
    meal_max_s: Seconds | None = None
    daily_rest_s: Seconds | None = None
    rest_shift_ratio: float | None = Field(default=None, ge=0, le=10, allow_inf_nan=False)
    week_work_max_s: int | None = Field(default=None, ge=0, le=604_800)


class RuleSetBody(Body):
    """A named set of working-time rules."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Местное соглашение",
                    "rules": {"drive_daily_max_s": 28800, "shift_max_s": 36000},
                    "source": "Коллективный договор, п. 4.2",
                    "mark": "V",
                }
            ]
        }
    )
    name: Name
    rules: CrewRulesBody
    source: LongText = ""
    mark: Mark = "U"
    valid_from: date | None = None
    valid_to: date | None = Field(default=None, description="First date on which it is void.")


RuleSetPublic = shown_as(RuleSetBody, "RuleSetPublic")

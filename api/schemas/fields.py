"""Kinds of values that several bodies share."""

from datetime import date
from typing import Annotated

from pydantic import Field

NUL_FREE = r"^[^\x00]*$"
"""PostgreSQL stores no NUL character."""

Text = Annotated[str, Field(max_length=300, pattern=NUL_FREE)]
Name = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]
LongText = Annotated[str, Field(max_length=2_000, pattern=NUL_FREE)]
Key = Annotated[
    str,
    Field(
        min_length=1,
        max_length=120,
        pattern=r"^[^\x00-\x1f\s]([^\x00-\x1f]*[^\x00-\x1f\s])?$",
        description="The region's own id.",
    ),
]
Code = Annotated[
    str,
    Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f;]+$", description="A word of yours."),
]
Lon = Annotated[float, Field(ge=-180, le=180, description="Degrees east, WGS 84.")]
Lat = Annotated[float, Field(ge=-90, le=90, description="Degrees north, WGS 84.")]
Seconds = Annotated[int, Field(ge=0, le=172_800)]
Clock = Annotated[int, Field(ge=0, le=172_800, description="Seconds from midnight.")]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Year = Annotated[int, Field(ge=1800, le=2200)]
Weekday = Annotated[int, Field(ge=0, le=6, description="Monday is 0.")]
Weekdays = Annotated[list[Weekday], Field(max_length=7, description="Empty: any.")]
Dates = Annotated[list[date], Field(max_length=2_000)]
Keys = Annotated[list[Key], Field(max_length=500)]
Codes = Annotated[list[Code], Field(max_length=50)]
Metres = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Kilograms = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]

"""The audit of need over HTTP."""

from datetime import date
from typing import Any

from pydantic import BaseModel, Field

from api.services.needs_view import AuditedRegion, NeedLine
from data.model.norms import AccessBand, NeedStatus
from data.model.place import Standing


class BandPublic(BaseModel):
    """What the norm asks for a settlement of its size."""

    population_from: int
    population_to: int | None
    max_minutes: float | None
    max_km: float | None

    @classmethod
    def from_domain(cls, band: AccessBand) -> "BandPublic":
        """What the API tells of a band."""
        return cls(
            population_from=band.population_from,
            population_to=band.population_to,
            max_minutes=band.max_minutes,
            max_km=band.max_km,
        )


class NeedPublic(BaseModel):
    """One settlement, judged."""

    settlement_id: str
    name: str
    lon: float
    lat: float
    district: str
    population: int | None
    population_year: int | None
    status: NeedStatus
    passes: bool = Field(description="Whether the norm is kept, be it by an assumed library.")
    has_library_inside: bool
    nearest_library: str | None
    nearest_standing: Standing | None = Field(description="`known`, or `assumed`.")
    minutes: float | None = Field(description="By road, to the nearest library.")
    km: float | None
    band: BandPublic

    @classmethod
    def from_line(cls, line: NeedLine) -> "NeedPublic":
        """What the API tells of a settlement's verdict."""
        place, library = line.settlement, line.library
        return cls(
            settlement_id=place.settlement_id,
            name=place.name,
            lon=place.lon,
            lat=place.lat,
            district=line.district,
            population=place.population,
            population_year=place.population_year,
            status=line.status,
            passes=line.passes,
            has_library_inside=line.has_library_inside,
            nearest_library=library.name if library else None,
            nearest_standing=library.standing if library else None,
            minutes=None if line.minutes is None else round(line.minutes, 1),
            km=None if line.km is None else round(line.km, 2),
            band=BandPublic.from_domain(line.band),
        )


class CountPublic(BaseModel):
    """Settlements and known residents of one status."""

    settlements: int
    people: int


class NormPublic(BaseModel):
    """The norm that judges, as it is quoted."""

    norm_set_id: str
    name: str
    source: str
    mark: str
    valid_from: date | None
    valid_to: date | None


class NeedsPublic(BaseModel):
    """The audit of a region, one page of it."""

    norm: NormPublic
    on_date: date
    is_estimated: bool = Field(description="Whether times are estimated, not measured on roads.")
    travel_source: str
    register_is_complete: bool
    counts: dict[NeedStatus, CountPublic]
    total: int = Field(description="Settlements that match the filter.")
    items: list[NeedPublic]
    next: str | None = Field(default=None, description="`after` of the next page; null: the last.")


class MeasuringPublic(BaseModel):
    """The ways are still being measured: ask again."""

    state: str = "measuring"
    phase: str
    fraction: float


def needs_geojson(audited: AuditedRegion, lines: tuple[NeedLine, ...]) -> dict[str, Any]:
    """Settlements as points for a map."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": line.settlement.settlement_id,
                "geometry": {
                    "type": "Point",
                    "coordinates": [line.settlement.lon, line.settlement.lat],
                },
                "properties": NeedPublic.from_line(line).model_dump(
                    mode="json", exclude={"lon", "lat", "band"}
                )
                | {"norm_set_id": audited.audit.norm.norm_set_id},
            }
            for line in lines
        ],
    }

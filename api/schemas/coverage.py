"""Access coverage over HTTP."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from pydantic import BaseModel, Field

from api.services.coverage import weighted_of
from api.services.coverage_report import CoverageReport
from data.feeds.coverage_files import csv_rows
from data.feeds.coverage_lines_table import reason_told
from data.model.coverage import Group, Reach, Rhythm
from data.model.coverage_count import Cut, Row, groups_of, rows_of, total_of
from data.model.coverage_equity import equity_of
from data.model.coverage_lines import CoverageLine
from data.model.place import Standing


class CountPublic(BaseModel):
    """Settlements and their people; those of unknown population are counted apart."""

    settlements: int
    people: int
    unknown: int = Field(description="Settlements among them of unknown population.")


class ClassPublic(BaseModel):
    """A class of settlements and what they have in reach."""

    key: str
    low: float | None
    high: float | None
    total: CountPublic
    before: dict[Reach, CountPublic]
    after: dict[Reach, CountPublic]
    ratio_before: float | None = Field(description="People in reach to people, 0 to 1.")
    ratio_after: float | None
    gained: int = Field(description="People brought into reach.")

    @classmethod
    def from_domain(cls, row: Row) -> "ClassPublic":
        """What the API tells of a class."""
        counts: dict[str, Any] = {
            name: {reach: _count(count) for reach, count in side.items()}
            for name, side in (("before", row.before), ("after", row.after))
        }
        return cls(
            key=row.key,
            low=row.low,
            high=row.high,
            total=_count(row.total),
            ratio_before=row.ratio(is_after=False),
            ratio_after=row.ratio(is_after=True),
            gained=row.gained,
            **counts,
        )


def _count(count: Any) -> CountPublic:
    return CountPublic(settlements=count.settlements, people=count.people, unknown=count.unknown)


class GroupPublic(BaseModel):
    """People of a group in reach, of those whose number is known."""

    group: Group
    total: int
    covered_before: int
    covered_after: int
    num_unknown: int = Field(description="Settlements that do not tell the group.")


class EquityPublic(BaseModel):
    """How evenly the time to a library or stop is spread; seconds, null where some have no way."""

    group: Group | None
    kind: str = Field(description="`weighted` or `lacking` where `group` is null.")
    is_after: bool
    mean_s: float | None
    p90_s: float | None
    worst_tenth_s: float | None
    gini: float | None


class LinePublic(BaseModel):
    """One settlement."""

    settlement_id: str
    name: str
    municipality: str
    lon: float
    lat: float
    population: int | None
    population_year: int | None
    before: Reach
    after: Reach
    library: str | None
    library_standing: Standing | None
    library_minutes: float | None
    library_km: float | None
    stop_id: str | None
    stop: str | None
    stop_metres: float | None = Field(
        description="On foot by the road network where there is one, else straight."
    )
    rhythm: Rhythm | None
    open_minutes_per_1000: float | None
    reasons: list[str]


class LimitsPublic(BaseModel):
    """What counts as in reach."""

    minutes: float
    km: float | None
    metres: float


class CoveragePublic(BaseModel):
    """Access coverage of a region, its settlements by pages."""

    on_date: date
    before_name: str
    after_name: str
    limits: LimitsPublic
    is_estimated: bool = Field(description="Whether ways by road are estimated, not measured.")
    travel_source: str
    register_is_complete: bool
    total_class: ClassPublic
    classes: dict[Cut, list[ClassPublic]]
    groups: list[GroupPublic]
    equity: list[EquityPublic]
    total: int = Field(description="Settlements that match the filter.")
    items: list[LinePublic]
    next: str | None = Field(default=None, description="`after` of the next page; null: the last.")


def coverage_public(
    report: CoverageReport, *, total: int, items: list[LinePublic], following: str | None
) -> CoveragePublic:
    """What the API tells of a report."""
    coverage = report.coverage
    params = coverage.params
    return CoveragePublic(
        on_date=report.on,
        before_name=report.before_name,
        after_name=report.after_name,
        limits=LimitsPublic(minutes=params.minutes, km=params.library_km, metres=params.metres),
        is_estimated=coverage.is_estimated,
        travel_source=coverage.travel_source,
        register_is_complete=report.region.library_register_is_complete,
        total_class=ClassPublic.from_domain(total_of(coverage)),
        classes={
            cut: [ClassPublic.from_domain(row) for row in rows_of(coverage, cut)] for cut in Cut
        },
        groups=[
            GroupPublic(
                group=g.group,
                total=g.total,
                covered_before=g.covered_before,
                covered_after=g.covered_after,
                num_unknown=g.num_unknown,
            )
            for g in groups_of(coverage)
        ],
        equity=[
            EquityPublic(
                group=e.group,
                kind=e.kind,
                is_after=e.is_after,
                mean_s=e.mean_s,
                p90_s=e.p90_s,
                worst_tenth_s=e.worst_tenth_s,
                gini=e.gini,
            )
            for e in equity_of(coverage, weighted_of(report.region))
        ],
        total=total,
        items=items,
        next=following,
    )


def line_public(report: CoverageReport, line: CoverageLine) -> LinePublic:
    """What the API tells of a settlement."""
    place, library, stop = line.settlement, line.library, line.stop
    return LinePublic(
        settlement_id=place.settlement_id,
        name=place.name,
        municipality=line.municipality,
        lon=place.lon,
        lat=place.lat,
        population=place.population,
        population_year=place.population_year,
        before=line.before,
        after=line.after,
        library=library.name if library else None,
        library_standing=library.standing if library else None,
        library_minutes=line.library_minutes,
        library_km=line.library_km,
        stop_id=stop.stop_id if stop else None,
        stop=stop.name if stop else None,
        stop_metres=line.stop_metres,
        rhythm=line.rhythm,
        open_minutes_per_1000=line.minutes_per_1000,
        reasons=[reason_told(r.code, r.facts, report.words) for r in line.reasons],
    )


def points_of(report: CoverageReport, lines: Iterable[CoverageLine]) -> dict[str, Any]:
    """Settlements as points for a map."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": row["settlement_id"],
                "geometry": {"type": "Point", "coordinates": [row["lon"], row["lat"]]},
                "properties": {n: v for n, v in row.items() if n not in {"lon", "lat"}},
            }
            for row in csv_rows(report.coverage, lines)
        ],
    }

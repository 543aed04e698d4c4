"""Access coverage: who has a library or a stop in reach, as figures, CSV and GeoJSON."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.responses import JSONResponse

from api.auth import Staff, require_region
from api.conditions import PagingDep, cursor_of
from api.errors import problems
from api.language import words_of
from api.schemas.coverage import CoveragePublic, coverage_public, line_public, points_of
from api.schemas.needs import MeasuringPublic
from api.services.coverage import params_for
from api.services.coverage_filter import Among, LineFilter
from api.services.coverage_view import (
    CoverageAsked,
    CoverageRun,
    MeasuredCoverage,
    served_by,
)
from api.services.region_parts import parts_of
from api.state import Service, ServiceDep
from data.db import publication_store, region_store
from data.db.engine import reading
from data.model.coverage import Group, Reach
from data.model.coverage_count import Cut
from data.model.region import Region

router = APIRouter(prefix="/regions/{region_id}", tags=["coverage"])
RegionId = Annotated[str, Path(max_length=64, description="The region.")]
WAIT_S = 20.0
MEASURING: dict[int | str, dict[str, Any]] = {
    202: {"model": MeasuringPublic, "description": "Still measuring; ask again after Retry-After."}
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which coverage is asked for; limits left out are those of the region's norm."""

    plan: str = ""
    against: str = ""
    minutes: float | None = None
    km: float | None = None
    metres: float | None = None
    on: date | None = None


def wanted_of(
    plan: Annotated[
        str, Query(max_length=64, description="After: a plan's id, or `current`; left out: none.")
    ] = "",
    against: Annotated[
        str, Query(max_length=64, description="Before: a plan's id, or `current`; left out: none.")
    ] = "",
    minutes: Annotated[float | None, Query(description="Minutes by road to a library.")] = None,
    km: Annotated[float | None, Query(description="Kilometres by road to a library.")] = None,
    metres: Annotated[float | None, Query(description="Metres to a stop on foot.")] = None,
    on: Annotated[date | None, Query(description="Date of the register; left out: today.")] = None,
) -> Wanted:
    """What an address asks for."""
    return Wanted(plan=plan, against=against, minutes=minutes, km=km, metres=metres, on=on)


def filter_of(
    text: Annotated[str, Query(max_length=120, description="Part of a name.")] = "",
    cut: Annotated[Cut | None, Query(description="Classes by which `key` is one.")] = None,
    key: Annotated[str, Query(max_length=120)] = "",
    among: Annotated[Among, Query()] = Among.ALL,
    reach_before: Annotated[Reach | None, Query()] = None,
    reach_after: Annotated[Reach | None, Query()] = None,
    group: Annotated[Group, Query(description="Whose people are counted.")] = Group.RESIDENTS,
) -> LineFilter:
    """Which settlements are wanted."""
    return LineFilter(
        text=text,
        cut=cut,
        key=key,
        among=among,
        before=reach_before,
        after=reach_after,
        group=group,
    )


WantedDep = Annotated[Wanted, Depends(wanted_of)]
FilterDep = Annotated[LineFilter, Depends(filter_of)]


def asked_of(request: Request, service: Service, region_id: str, wanted: Wanted) -> CoverageAsked:
    """What is asked for, of the region as it was on its date.

    Raises
    ------
    InputError
        ``coverage.limit``, ``coverage.no_settlements``.
    NotFoundError
        ``plan.unknown``, ``coverage.no_publication``.
    """
    with reading(service.engine) as session:
        on = wanted.on or publication_store.today_in(session, region_id, service.clock())
        revision = region_store.region_revision(session, region_id)
        region = parts_of(request).regions.load_on(session, region_id, on)
        params = params_for(
            region, minutes=wanted.minutes, metres=wanted.metres, library_km=wanted.km
        )
        return CoverageAsked(
            region=region,
            revision=revision,
            on=on,
            params=params,
            before=served_by(session, region_id, wanted.against, on),
            after=served_by(session, region_id, wanted.plan, on),
        )


def begin_coverage(
    request: Request, service: Service, region_id: str, wanted: Wanted
) -> tuple[CoverageRun, Region]:
    """The measurement that is asked for."""
    asked = asked_of(request, service, region_id, wanted)
    return parts_of(request).coverages.of(asked), asked.region


def measured(
    request: Request, service: Service, region_id: str, wanted: Wanted
) -> MeasuredCoverage | Response:
    """The coverage, or the answer that it is still being measured."""
    run, region = begin_coverage(request, service, region_id, wanted)
    found = run.result(WAIT_S)
    if found is not None:
        return found
    words = words_of(request, region.language)
    body = MeasuringPublic(phase=words(run.phase_code), fraction=run.done)
    return JSONResponse(body.model_dump(), status_code=202, headers={"retry-after": "2"})


@router.get("/coverage", response_model=CoveragePublic, responses=MEASURING | problems(404))
def get_coverage(
    request: Request,
    region_id: RegionId,
    asking: Staff,
    service: ServiceDep,
    wanted: WantedDep,
    chosen: FilterDep,
    paging: PagingDep,
) -> Any:
    """People in reach before and after: in all, by class, by group, and the settlements.

    The share of registered readers is another figure and not here.
    """
    require_region(asking, region_id)
    found = measured(request, service, region_id, wanted)
    if isinstance(found, Response):
        return found
    report = found.report(words_of(request, found.asked.region.language))
    lines = chosen.apply(report.lines)
    start = paging.after_number() or 0
    end = start + paging.limit
    return coverage_public(
        report,
        total=len(lines),
        items=[line_public(report, line) for line in lines[start:end]],
        following=cursor_of((end,)) if end < len(lines) else None,
    )


@router.get(
    "/coverage.csv",
    response_class=Response,
    responses=MEASURING
    | problems(404)
    | {200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "CSV"}},
)
def coverage_csv(
    request: Request, region_id: RegionId, asking: Staff, service: ServiceDep, wanted: WantedDep
) -> Response:
    """Every settlement as CSV."""
    require_region(asking, region_id)
    found = measured(request, service, region_id, wanted)
    if isinstance(found, Response):
        return found
    report = found.report(words_of(request, found.asked.region.language))
    name = f"coverage-{region_id}-{report.on.isoformat()}.csv"
    return Response(
        # The mark in front tells spreadsheet programs that this is UTF-8.
        "\ufeff" + report.csv(),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


@router.get("/coverage.geojson", responses=MEASURING | problems(404))
def coverage_points(
    request: Request,
    region_id: RegionId,
    asking: Staff,
    service: ServiceDep,
    wanted: WantedDep,
    chosen: FilterDep,
) -> Response:
    """Settlements as points for a map."""
    require_region(asking, region_id)
    found = measured(request, service, region_id, wanted)
    if isinstance(found, Response):
        return found
    report = found.report(words_of(request, found.asked.region.language))
    points = points_of(report, chosen.apply(report.lines))
    return JSONResponse(points, media_type="application/geo+json")

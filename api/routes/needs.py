"""Settlements without a library: the audit by a norm, as pages, CSV and GeoJSON."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.responses import JSONResponse

from api.auth import Staff, require_region
from api.conditions import PagingDep, cursor_of
from api.errors import problems
from api.language import words_of
from api.schemas.needs import (
    CountPublic,
    MeasuringPublic,
    NeedPublic,
    NeedsPublic,
    NormPublic,
    needs_geojson,
)
from api.services.needs import norm_set_of
from api.services.needs_view import (
    AuditedRegion,
    AuditRun,
    NeedFilter,
    SortBy,
    counts_of,
    csv_of,
)
from api.services.region_parts import parts_of
from api.state import Service, ServiceDep
from data.db import publication_store, region_store
from data.db.engine import reading
from data.model.errors import InputError
from data.model.norms import NeedStatus
from data.model.region import Region

router = APIRouter(prefix="/regions/{region_id}", tags=["needs"])
RegionId = Annotated[str, Path(max_length=64, description="The region.")]
WAIT_S = 20.0
"""How long a program waits for an audit before it is told to ask again."""
MEASURING: dict[int | str, dict[str, Any]] = {
    202: {"model": MeasuringPublic, "description": "Still measuring; ask again after Retry-After."}
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which audit is asked for."""

    norm_set_id: str | None
    on: date | None


def asked(
    norm: Annotated[
        str | None, Query(max_length=120, description="Norm set; left out: the region's.")
    ] = None,
    on: Annotated[date | None, Query(description="Date of the audit; left out: today.")] = None,
) -> Asked:
    """Norm set and date of an audit."""
    return Asked(norm_set_id=norm or None, on=on)


def need_filter(
    text: Annotated[str, Query(max_length=120, description="Part of a name.")] = "",
    district: Annotated[str, Query(max_length=120, description="Id of a municipality.")] = "",
    status: Annotated[NeedStatus | None, Query()] = None,
    lacking: Annotated[bool, Query(description="Only those that fail.")] = False,
    people_from: Annotated[int | None, Query(ge=0, le=100_000_000)] = None,
    people_to: Annotated[int | None, Query(ge=0, le=100_000_000)] = None,
    sort: Annotated[SortBy, Query()] = SortBy.STATUS,
    descending: Annotated[bool, Query()] = False,
) -> NeedFilter:
    """Which settlements are wanted, in which order."""
    return NeedFilter(
        text=text,
        district=district,
        status=status,
        lacking=lacking,
        people_from=people_from,
        people_to=people_to,
        sort=sort,
        descending=descending,
    )


AskedDep = Annotated[Asked, Depends(asked)]
FilterDep = Annotated[NeedFilter, Depends(need_filter)]


def begin_audit(
    request: Request, service: Service, region_id: str, wanted: Asked
) -> tuple[AuditRun, Region]:
    """The audit that is asked for, of the region as it was on its date.

    Raises
    ------
    InputError
        ``norms.unknown``, ``needs.no_settlements``.
    """
    with reading(service.engine) as session:
        on = wanted.on or publication_store.today_in(session, region_id, service.clock())
        revision = region_store.region_revision(session, region_id)
        region = parts_of(request).regions.load_on(session, region_id, on)
    if not region.settlements:
        raise InputError("needs.no_settlements", region=region_id, on=on)
    norm = norm_set_of(region, wanted.norm_set_id)
    run = parts_of(request).audits.of(region, revision, norm_set_id=norm.norm_set_id, on=on)
    return run, region


def measured(
    request: Request, service: Service, region_id: str, wanted: Asked
) -> AuditedRegion | Response:
    """The audit, or the answer that it is still being measured."""
    run, region = begin_audit(request, service, region_id, wanted)
    found = run.result(WAIT_S)
    if found is not None:
        return found
    words = words_of(request, region.language)
    body = MeasuringPublic(phase=words(run.phase_code), fraction=run.done)
    return JSONResponse(body.model_dump(), status_code=202, headers={"retry-after": "2"})


@router.get("/needs", response_model=NeedsPublic, responses=MEASURING | problems(404))
def list_needs(
    request: Request,
    region_id: RegionId,
    asking: Staff,
    service: ServiceDep,
    wanted: AskedDep,
    chosen: FilterDep,
    paging: PagingDep,
) -> Any:
    """Settlements judged by a norm: what was found, what the norm asks, whether it is kept."""
    require_region(asking, region_id)
    found = measured(request, service, region_id, wanted)
    if isinstance(found, Response):
        return found
    lines = chosen.apply(found.lines)
    start = paging.after_number() or 0
    shown = lines[start : start + paging.limit]
    end = start + len(shown)
    norm = found.audit.norm
    return NeedsPublic(
        norm=NormPublic(
            norm_set_id=norm.norm_set_id,
            name=norm.name_in(words_of(request).language),
            source=norm.source,
            mark=norm.mark,
            valid_from=norm.valid_from,
            valid_to=norm.valid_to,
        ),
        on_date=found.on,
        is_estimated=found.audit.is_estimated,
        travel_source=found.audit.travel_source,
        register_is_complete=found.region.library_register_is_complete,
        counts={
            count.status: CountPublic(settlements=count.settlements, people=count.people)
            for count in counts_of(found.lines)
        },
        total=len(lines),
        items=[NeedPublic.from_line(line) for line in shown],
        next=cursor_of((end,)) if end < len(lines) else None,
    )


@router.get(
    "/needs.csv",
    response_class=Response,
    responses=MEASURING
    | problems(404)
    | {200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "CSV"}},
)
def needs_csv(
    request: Request,
    region_id: RegionId,
    asking: Staff,
    service: ServiceDep,
    wanted: AskedDep,
    chosen: FilterDep,
) -> Response:
    """The same settlements as CSV."""
    require_region(asking, region_id)
    found = measured(request, service, region_id, wanted)
    if isinstance(found, Response):
        return found
    name = f"needs-{region_id}-{found.on.isoformat()}.csv"
    return Response(
        # The mark in front tells spreadsheet programs that this is UTF-8.
        "\ufeff" + csv_of(found, chosen.apply(found.lines)),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


@router.get("/needs.geojson", responses=MEASURING | problems(404))
def needs_points(
    request: Request,
    region_id: RegionId,
    asking: Staff,
    service: ServiceDep,
    wanted: AskedDep,
    chosen: FilterDep,
) -> Response:
    """The same settlements as points for a map."""
    require_region(asking, region_id)
    found = measured(request, service, region_id, wanted)
    if isinstance(found, Response):
        return found
    return JSONResponse(
        needs_geojson(found, chosen.apply(found.lines)), media_type="application/geo+json"
    )

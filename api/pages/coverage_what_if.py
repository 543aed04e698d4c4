"""What if a branch becomes a library point plus a stop: asked and answered in a browser."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.auth import Staff
from api.errors import status_of
from api.pages.coverage import FILE_WAIT_S, QueryDep, number_of
from api.pages.desk_region import Desk, open_desk
from api.routes.coverage import asked_of
from api.services.coverage_what_if import WhatIf, WhatIfAsked
from api.services.coverage_what_if_told import changed_table, summary_table
from api.services.needs import placed_libraries
from api.services.region_parts import parts_of
from api.services.report_costs import costs_of
from api.services.scenarios import price_of
from api.state import ServiceDep
from data.db import publication_store, report_store
from data.db.engine import reading
from data.feeds.coverage_table import CoverageTable, told
from data.model.costs import Costs
from data.model.errors import BookmobileError, NotFoundError

router = APIRouter(prefix="/desk/{region_id}/coverage")
_FIELDS = ("library", "visits", "open", "branch_year")
_TEXT_MAX = 120


def given_of(request: Request) -> dict[str, str]:
    """What the form of the page was sent with."""
    asked = request.query_params
    return {n: asked.get(n, "")[:_TEXT_MAX].replace("\0", "").strip() for n in _FIELDS}


GivenDep = Annotated[dict[str, str], Depends(given_of)]


@router.get("/what-if")
def what_if_page(
    request: Request,
    region_id: str,
    asking: Staff,
    service: ServiceDep,
    query: QueryDep,
    given: GivenDep,
) -> Response:
    """The form, and below it what would change."""
    desk = open_desk(request, service, asking, region_id)
    with reading(service.engine) as session:
        costs = costs_of(report_store.get_settings(session, region_id), desk.region)
    found, error = None, None
    try:
        if given["library"]:
            found = _found(desk, query.wanted, given, costs)
    except BookmobileError as wrong:
        error = wrong
    libraries, _ = placed_libraries(desk.region, desk.today)
    context: dict[str, Any] = {
        "given": given | {"visits": given["visits"] or "1", "open": given["open"] or "60"},
        "query": query,
        "libraries": sorted(
            ((lib.name or str(lib.library_id), str(lib.library_id)) for lib in libraries),
            key=lambda pair: pair[0].casefold(),
        ),
        "error": error,
        "currency": costs.currency,
        "tables": _tables(desk, found) if found else (),
    }
    status = 200 if error is None else status_of(error)
    return desk.render("coverage/what_if.html", area="coverage", status=status, **context)


def _found(desk: Desk, wanted: Any, given: dict[str, str], costs: Costs) -> WhatIf:
    region_id = desk.region.region_id
    with reading(desk.service.engine) as session:
        timetable = publication_store.newest_timetable(session, region_id)
    if not wanted.plan and timetable is not None:
        wanted = type(wanted)(plan="current", on=wanted.on)
    asked = asked_of(desk.request, desk.service, region_id, wanted)
    visits, minutes = number_of("visits", given["visits"]), number_of("open", given["open"])
    branch = WhatIfAsked(
        library_id=given["library"],
        visits_28=1.0 if visits is None else visits,
        open_min=60.0 if minutes is None else minutes,
        branch_year=price_of("".join(given["branch_year"].split()), "branch_year"),
    )
    found = parts_of(desk.request).coverages.what_if(asked, branch, costs).result(FILE_WAIT_S)
    if found is None:
        raise NotFoundError("coverage.still_measuring")
    return found


def _tables(desk: Desk, found: WhatIf) -> list[tuple[CoverageTable, list[list[str]]]]:
    words = desk.words
    return [
        (
            table,
            [
                [
                    told(cell, column.kind, words)
                    for cell, column in zip(row, table.columns, strict=True)
                ]
                for row in table.rows
            ],
        )
        for table in (summary_table(found, words), changed_table(found, words))
    ]

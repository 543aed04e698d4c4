"""What if a branch becomes a library point plus a stop: asked and answered in a browser."""

from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api.auth import Staff
from api.errors import status_of
from api.pages.coverage import FILE_WAIT_S, PAGE, QueryDep, number_of
from api.pages.desk_region import Desk, open_desk
from api.routes.coverage import asked_of
from api.services.coverage_links import CoverageLinks
from api.services.coverage_prices import OF_PLAN, Prices, prices_behind
from api.services.coverage_view import CURRENT
from api.services.coverage_what_if import WhatIf, WhatIfAsked
from api.services.coverage_what_if_behind import what_if_behind
from api.services.coverage_what_if_told import changed_table, made_table, summary_table
from api.services.needs import placed_libraries
from api.services.region_parts import parts_of
from api.services.scenarios import price_of
from api.state import ServiceDep
from data.db import publication_store, report_store
from data.db.engine import reading
from data.feeds.coverage_table import UNKNOWN, CoverageTable, told
from data.feeds.workbook import Kind
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


ANCHORS = {"people": "#t-changed", "service": "#made-service", "km": "#made-km",
           "work": "#made-work"}  # fmt: skip
"""Figures that are told further down on the page."""


@router.get("/what-if")
def what_if_page(
    request: Request,
    region_id: str,
    asking: Staff,
    service: ServiceDep,
    query: QueryDep,
    given: GivenDep,
) -> Response:
    """The form, and below it what would change; each number opens what it is made of."""
    desk = open_desk(request, service, asking, region_id)
    prices = _prices(desk)
    found, error = None, None
    try:
        if given["library"]:
            found = _found(desk, query, given, prices.costs)
    except BookmobileError as wrong:
        error = wrong
    libraries, _ = placed_libraries(desk.region, desk.today)
    links = query.links(desk)
    linked = _Linked(links=links, given=given, prices=prices)
    context: dict[str, Any] = {
        "given": given | {"visits": given["visits"] or "1", "open": given["open"] or "60"},
        "query": query,
        "links": links,
        "libraries": sorted(
            ((lib.name or str(lib.library_id), str(lib.library_id)) for lib in libraries),
            key=lambda pair: pair[0].casefold(),
        ),
        "error": error,
        "currency": prices.costs.currency,
        "tables": _tables(desk, found, linked) if found else (),
        "found": found,
        "is_number": _is_number,
    }
    status = 200 if error is None else status_of(error)
    return desk.render("coverage/what_if.html", area="coverage", status=status, **context)


def _prices(desk: Desk) -> Prices:
    with reading(desk.service.engine) as session:
        settings = report_store.get_settings(session, desk.region.region_id)
    return prices_behind(settings, desk.region)


def _found(desk: Desk, query: QueryDep, given: dict[str, str], costs: Costs) -> WhatIf:
    region_id, wanted = desk.region.region_id, query.wanted
    with reading(desk.service.engine) as session:
        timetable = publication_store.newest_timetable(session, region_id)
    if "plan" not in query.given and timetable is not None:
        wanted = replace(wanted, plan=CURRENT)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Linked:
    """Where the cells of the tables lead."""

    links: CoverageLinks
    given: dict[str, str]
    prices: Prices

    def cell(self, table: CoverageTable, row: int, column: int) -> str:
        """An address or a place on the page; empty for what is no figure."""
        key, value = table.keys[row], table.rows[row][column]
        if value in (None, "", UNKNOWN) or not column:
            return ""
        if table.name == "changed":
            return self.links.verdict(key) if column in (1, 4) else self._after(column)
        if table.name == "what_if":
            if key == "cost":
                return "#made-branch" if column == 1 else "#made-cost"
            when = "before" if column == 1 else "after"
            return ANCHORS.get(key) or self.links.address(
                "/what-if/lines", **self.given, figure=key, when=when
            )
        if table.name == "made" and column == 3:
            return self._setting(key)
        return ""

    def _setting(self, key: str) -> str:
        """Where the first price of a kilometre or an hour was given."""
        origins = {"per_km": self.prices.of_km, "per_hour": self.prices.of_hour}.get(key, ())
        if not origins:
            return ""
        setting = origins[0].setting
        part = "settings/standard" if setting == OF_PLAN else f"reports/settings#{setting}"
        return f"{self.links.root}/{part}"

    def _after(self, column: int) -> str:
        if column != 5:
            return ""
        return self.links.address("/what-if/lines", **self.given, figure="mean", when="after")


type _Shown = list[tuple[str, str]]
"""Texts of a row's cells, and where each leads."""


def _is_number(table: CoverageTable, column: int) -> bool:
    """Whether a column stands to the right."""
    numbers = {"what_if": (1, 2), "made": (2,)}.get(table.name, ())
    return table.columns[column].kind is not Kind.TEXT or column in numbers


def _tables(desk: Desk, found: WhatIf, linked: _Linked) -> list[tuple[CoverageTable, list[_Shown]]]:
    words = desk.words
    made = made_table(found, linked.prices, words)
    return [
        (
            table,
            [
                [
                    (told(cell, table.columns[j].kind, words), linked.cell(table, i, j))
                    for j, cell in enumerate(row)
                ]
                for i, row in enumerate(table.rows)
            ],
        )
        for table in (summary_table(found, words), made, changed_table(found, words))
    ]


@router.get("/what-if/lines")
def what_if_lines(
    request: Request,
    region_id: str,
    asking: Staff,
    service: ServiceDep,
    query: QueryDep,
    given: GivenDep,
    figure: Annotated[str, Query(max_length=40)] = "",
    when: Annotated[str, Query(max_length=40)] = "after",
) -> Response:
    """The settlements whom a figure counts, or whose time it tells, with the branch or without.

    Raises
    ------
    NotFoundError
        ``coverage.what_if.unknown`` for a figure that has no lines of its own.
    """
    desk = open_desk(request, service, asking, region_id)
    found = _found(desk, query, given, _prices(desk).costs)
    lines = what_if_behind(found, figure, is_after=when == "after", words=desk.words)
    links = query.links(desk)
    chosen = given | {"figure": figure, "when": when}
    return desk.render(
        "coverage/what_if_lines.html",
        area="coverage",
        found=found,
        behind=lines,
        when=when,
        lines=lines.rows[query.start : query.start + PAGE],
        start=query.start,
        page=PAGE,
        links=links,
        back=links.address("/what-if", **given),
        pager=lambda start: links.address("/what-if/lines", **chosen, start=str(start)),
    )

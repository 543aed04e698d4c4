"""What stands behind equity and open minutes in a browser: lines that can be added up again."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.auth import Staff
from api.pages.coverage import PAGE, XLSX, QueryDep, file_links, kept_report
from api.pages.desk_region import Desk, open_desk
from api.services.coverage import weighted_of
from api.services.coverage_behind import EquityTold, sharers, stops_shared
from api.services.coverage_report import CoverageReport
from api.state import ServiceDep
from data.feeds.coverage_files import write_workbook
from data.model.coverage_equity import Whom, equity_lines
from data.model.errors import NotFoundError

router = APIRouter(prefix="/desk/{region_id}/coverage")
FIGURES = ("mean", "p90", "tenth", "gini")
Text = Annotated[str, Query(max_length=120)]


def equity_told(report: CoverageReport, whom: str, when: str) -> EquityTold:
    """The lines of some people's access time, before or after.

    Raises
    ------
    NotFoundError
        ``coverage.equity.unknown`` for people whom nobody counts, or who are not known here.
    """
    found = None
    if whom in set(Whom) and when in ("before", "after"):
        found = equity_lines(
            report.coverage,
            Whom(whom),
            is_after=when == "after",
            weights=weighted_of(report.region),
        )
    if found is None:
        raise NotFoundError("coverage.equity.unknown", value=f"{whom}, {when}"[:60])
    return EquityTold(found=found, coverage=report.coverage, words=report.words)


@router.get("/equity")
def equity_page(
    request: Request,
    region_id: str,
    asking: Staff,
    service: ServiceDep,
    query: QueryDep,
    whom: Text = Whom.RESIDENTS,
    when: Text = "after",
    figure: Text = "mean",
) -> Response:
    """Mean, P90, worst tenth and Gini of some people, and every settlement in their sums."""
    desk = open_desk(request, service, asking, region_id)
    report = kept_report(desk, query)
    told = equity_told(report, whom, when)
    shown = figure if figure in FIGURES else FIGURES[0]
    lines = told.found.lines
    start = query.start if "start" in request.query_params else told.start_of(shown, PAGE)
    links = query.links(desk)

    def address(part: str, **more: str) -> str:
        return links.address(part, whom=whom, when=when, figure=shown, **more)

    return desk.render(
        "coverage/equity.html",
        area="coverage",
        report=report,
        told=told,
        sums=told.sums(),
        figure=shown,
        others=[(w, links.address("/equity", whom=w, when=when)) for w in _known(report)],
        other_time=links.address(
            "/equity", whom=whom, when="before" if when == "after" else "after", figure=shown
        ),
        lines=lines[start : start + PAGE],
        num_lines=len(lines),
        start=start,
        page=PAGE,
        links=links,
        pager=lambda begin: address("/equity", start=str(begin)) + "#lines",
        workbook=address("/equity.xlsx"),
    )


def _known(report: CoverageReport) -> list[str]:
    """Of whom the report tells figures."""
    keys = report.table("equity").keys
    return list(dict.fromkeys(key.split("/")[0] for key in keys))


@router.get("/equity.xlsx")
def equity_workbook(
    request: Request,
    region_id: str,
    asking: Staff,
    service: ServiceDep,
    query: QueryDep,
    whom: Text = Whom.RESIDENTS,
    when: Text = "after",
) -> Response:
    """The same lines as a workbook, with all their decimals."""
    desk = open_desk(request, service, asking, region_id)
    report = kept_report(desk, query)
    told = equity_told(report, whom, when)
    title, facts = _about(desk, report, told, file_links(desk, query, report).address("/equity"))
    with TemporaryDirectory() as folder:
        made = Path(folder) / "equity.xlsx"
        write_workbook(
            made, report.words, title=title, facts=facts, tables=[told.table()], made_on=report.on
        )
        body = made.read_bytes()
    saved = f"coverage-equity-{told.found.whom}-{when}-{region_id}-{report.on.isoformat()}.xlsx"
    headers = {"content-disposition": f'attachment; filename="{saved}"'}
    return Response(body, media_type=XLSX, headers=headers)


def _about(
    desk: Desk, report: CoverageReport, told: EquityTold, address: str
) -> tuple[str, list[tuple[str, str]]]:
    words = desk.words
    when = "coverage.after" if told.found.is_after else "coverage.before"
    whom = words(f"coverage.group.{told.found.whom}")
    title = words("coverage.equity.title", group=whom, when=words(when))
    notes = [*told.sums().values(), words("coverage.equity_told"), *report.notes]
    return title, [
        (words("coverage.fact.compared"), report.subtitle),
        (words("coverage.fact.on"), words.day(report.on)),
        *((words("coverage.fact.note"), note) for note in notes),
        (words("coverage.fact.page"), address),
    ]


@router.get("/open-minutes")
def open_minutes(
    request: Request,
    region_id: str,
    asking: Staff,
    service: ServiceDep,
    query: QueryDep,
    settlement: Text = "",
    stop: Text = "",
) -> Response:
    """The stops whose open time a settlement has a part in, or who shares one stop."""
    desk = open_desk(request, service, asking, region_id)
    report = kept_report(desk, query)
    coverage, links = report.coverage, query.links(desk)
    if stop:
        shared, homes = sharers(coverage, stop)
        return desk.render(
            "coverage/sharers.html",
            area="coverage",
            report=report,
            stop=shared,
            homes=homes,
            people=sum(one.settlement.population or 0 for one in homes),
            links=links,
        )
    place, stops = stops_shared(coverage, settlement)
    return desk.render(
        "coverage/open_minutes.html",
        area="coverage",
        report=report,
        place=place,
        stops=stops,
        total=sum(one.per_1000 or 0.0 for one in stops),
        links=links,
    )

"""Coverage in a browser: who has a library or a stop in reach, before and after."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.auth import Staff
from api.conditions import names_tag
from api.errors import status_of
from api.pages.desk_region import Desk, open_desk
from api.rendering import is_htmx
from api.routes.coverage import Wanted, begin_coverage
from api.services.coverage_filter import Among, LineFilter
from api.services.coverage_links import ASKED, CoverageLinks
from api.services.coverage_report import CHARTS, CoverageReport
from api.services.coverage_view import CURRENT, CoverageRun
from api.services.report_files import desk_address
from api.state import ServiceDep
from data.db import plan_store, publication_store
from data.db.engine import reading
from data.feeds.coverage_lines_table import reason_told
from data.feeds.coverage_table import CoverageTable, told
from data.model.coverage import REACHES, Group, Reach
from data.model.coverage_count import Cut, total_of
from data.model.errors import BookmobileError, InputError, NotFoundError

router = APIRouter(prefix="/desk/{region_id}/coverage")
PAGE = 100
WAIT_S = 2.0
FILE_WAIT_S = 60.0
_TEXT_MAX = 120
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS = {
    "coverage-map.html": "text/html; charset=utf-8",
    "coverage.xlsx": XLSX,
    "coverage.pdf": "application/pdf",
}
LOOKS = {Reach.NONE: "bad", Reach.STOP: "good", Reach.ASSUMED: "warn", Reach.LIBRARY: "good"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What the address of the page asks for, as it was written."""

    given: dict[str, str]
    start: int = 0

    def text(self, name: str) -> str:
        """One parameter."""
        return self.given.get(name, "")

    @property
    def wanted(self) -> Wanted:
        """Plan, date and limits.

        Raises
        ------
        InputError
            ``coverage.not_a_number``.
        """
        try:
            on = date.fromisoformat(self.text("on")) if self.text("on") else None
        except ValueError:
            on = None
        return Wanted(
            plan=self.text("plan"),
            against=self.text("against"),
            minutes=number_of("minutes", self.text("minutes")),
            km=number_of("km", self.text("km")),
            metres=number_of("metres", self.text("metres")),
            on=on,
        )

    @property
    def filter(self) -> LineFilter:
        """Which settlements are listed; an odd value asks for nothing."""
        cut, among = self.text("cut"), self.text("among")
        before, after, group = (self.text(name) for name in ("before", "after", "group"))
        return LineFilter(
            text=self.text("text"),
            cut=Cut(cut) if cut in set(Cut) else None,
            key=self.text("key"),
            among=Among(among) if among in set(Among) else Among.ALL,
            before=Reach(before) if before in set(Reach) else None,
            after=Reach(after) if after in set(Reach) else None,
            group=Group(group) if group in set(Group) else Group.RESIDENTS,
        )

    def links(self, desk: Desk) -> CoverageLinks:
        """Addresses with the same plan and limits."""
        return CoverageLinks(root=desk.root, asked=self.given)

    @property
    def filtered(self) -> dict[str, str]:
        """The parameters of the filter."""
        return {n: v for n, v in self.given.items() if n not in ASKED and n != "measuring"}


_FILTER = ("text", "cut", "key", "among", "before", "after", "group", "measuring")


def read_query(request: Request) -> Query:
    """The query of a request; without a plan named, the timetable in force."""
    given = {
        name: request.query_params[name][:_TEXT_MAX].replace("\0", "")
        for name in (*ASKED, *_FILTER)
        if name in request.query_params
    }
    start = request.query_params.get("start", "")
    is_whole = start.isascii() and start.isdigit() and len(start) < 10
    return Query(given=given, start=int(start) if is_whole else 0)


QueryDep = Annotated[Query, Depends(read_query)]


def number_of(field: str, text: str) -> float | None:
    """A number as people write it, comma or point; ``None`` where nothing was written."""
    if not text.strip():
        return None
    try:
        return float(text.strip().replace(",", ".").replace("\N{NO-BREAK SPACE}", ""))
    except ValueError:
        raise InputError("coverage.not_a_number", field=field, value=text[:40]) from None


@router.get("")
def coverage_page(
    request: Request, region_id: str, asking: Staff, service: ServiceDep, query: QueryDep
) -> Response:
    """Figures, map and tables; each number opens the settlements that it counts."""
    desk = open_desk(request, service, asking, region_id)
    plans, version = _choices(desk)
    if "plan" not in query.given and version:
        query = Query(given=query.given | {"plan": CURRENT}, start=query.start)
    links = query.links(desk)
    context = {
        "query": query,
        "links": links,
        "plans": plans,
        "version": version,
        "current": CURRENT,
    }
    try:
        run, _ = begin_coverage(request, service, region_id, query.wanted)
        found = run.result(WAIT_S)
    except BookmobileError as wrong:
        return _shell(desk, context, error=wrong)
    if found is None:
        return _shell(desk, context, run=run)
    if query.text("measuring") and is_htmx(request):
        return Response(status_code=204, headers={"HX-Redirect": links.address()})
    return _measured(desk, context, query, found.report(desk.words))


def _choices(desk: Desk) -> tuple[list[tuple[str, str]], int]:
    """Plans by id and name, and the version of the timetable in force (0: none)."""
    with reading(desk.service.engine) as session:
        plans = plan_store.list_plans(session, desk.region.region_id)
        timetable = publication_store.newest_timetable(session, desk.region.region_id)
    return [(p.plan_id, p.name) for p in plans], timetable.version if timetable else 0


def _shell(
    desk: Desk,
    context: dict[str, Any],
    *,
    run: CoverageRun | None = None,
    error: BookmobileError | None = None,
) -> Response:
    """The page before there are figures: measuring, or refused."""
    if is_htmx(desk.request) and error is None:
        return desk.render("coverage/measuring.html", area="coverage", run=run, **context)
    return desk.render(
        "coverage/waiting.html",
        area="coverage",
        status=200 if error is None else status_of(error),
        run=run,
        error=error,
        **context,
    )


def _measured(
    desk: Desk, context: dict[str, Any], query: Query, report: CoverageReport
) -> Response:
    words, chosen = desk.words, query.filter
    links = query.links(desk)
    lines = chosen.apply(report.lines)
    shown = lines[query.start : query.start + PAGE]
    total = total_of(report.coverage)
    return desk.render(
        "coverage/page.html",
        area="coverage",
        report=report,
        total=total,
        looks=LOOKS,
        reaches=tuple(reversed(REACHES)),
        tables=[_Shown(table=table, report=report, links=links) for table in report.tables],
        lines=shown,
        chosen=chosen,
        num_lines=len(lines),
        num_people=sum(chosen.adds(line) for line in lines),
        start=query.start,
        page=PAGE,
        more=query.start + PAGE < len(lines),
        among=tuple(Among),
        reasons=lambda line: [reason_told(r.code, r.facts, words) for r in line.reasons],
        pager=lambda start: links.settlements(**query.filtered, start=str(start)),
        file=lambda name: links.address(f"/files/{name}"),
        picture=lambda name: links.address(f"/{name}.svg"),
        api=lambda ending: _api(desk, query, ending),
        path=f"{desk.root}/coverage",
        **context,
    )


def _api(desk: Desk, query: Query, ending: str) -> str:
    pairs = {n: v for n, v in query.given.items() if n in ASKED and v}
    path = f"/api/v1/regions/{desk.region.region_id}/coverage.{ending}"
    return f"{path}?{urlencode(pairs)}" if pairs else path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A table as the page shows it."""

    table: CoverageTable
    report: CoverageReport
    links: CoverageLinks

    @property
    def chart(self) -> str:
        """Name of its chart, empty where it has none."""
        return self.table.cut.value if self.table.cut in CHARTS and self.table.cut else ""

    @property
    def rows(self) -> list[list[tuple[str, str]]]:
        """Texts of the cells, and where each leads."""
        kinds = [column.kind for column in self.table.columns]
        return [
            [
                (told(cell, kind, self.report.words), self.links.cell(self.table, i, j))
                for j, (cell, kind) in enumerate(zip(row, kinds, strict=True))
            ]
            for i, row in enumerate(self.table.rows)
        ]


def kept_report(desk: Desk, query: Query) -> CoverageReport:
    """The report that is asked for, measured anew if need be.

    Raises
    ------
    NotFoundError
        ``coverage.still_measuring``.
    """
    run, _ = begin_coverage(desk.request, desk.service, desk.region.region_id, query.wanted)
    found = run.result(FILE_WAIT_S)
    if found is None:
        raise NotFoundError("coverage.still_measuring")
    return found.report(desk.words)


@router.get("/map.svg")
def plot(
    request: Request, region_id: str, asking: Staff, service: ServiceDep, query: QueryDep
) -> Response:
    """The map as a picture."""
    desk = open_desk(request, service, asking, region_id)
    return _svg(request, kept_report(desk, query).plot_kept)


@router.get("/{cut}.svg")
def chart(
    request: Request,
    region_id: str,
    cut: Cut,
    asking: Staff,
    service: ServiceDep,
    query: QueryDep,
) -> Response:
    """A chart of the shares in reach."""
    desk = open_desk(request, service, asking, region_id)
    return _svg(request, kept_report(desk, query).chart(cut))


def _svg(request: Request, svg: str) -> Response:
    """A picture, asked for anew each time: the table beside it may have changed."""
    tag = f'"{hashlib.sha256(svg.encode()).hexdigest()[:24]}"'
    headers = {
        "cache-control": "private, no-cache",
        "vary": "Cookie, Accept-Language",
        "etag": tag,
    }
    if names_tag(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    return Response(svg, media_type="image/svg+xml", headers=headers)


def file_links(desk: Desk, query: Query, report: CoverageReport) -> CoverageLinks:
    """Addresses for a file, that give the same figures another day."""
    settings = desk.service.settings
    root = desk_address(settings, desk.region.region_id, asked_at=str(desk.request.base_url))
    asked = {"plan": query.text("plan")} | query.given | {"on": report.on.isoformat()}
    return CoverageLinks(root=root, asked=asked)


@router.get("/files/{name}")
def file(
    request: Request,
    region_id: str,
    name: str,
    asking: Staff,
    service: ServiceDep,
    query: QueryDep,
) -> Response:
    """A report as a file: map, workbook or PDF.

    Raises
    ------
    NotFoundError
        ``coverage.no_file``.
    """
    desk = open_desk(request, service, asking, region_id)
    if name not in KINDS:
        raise NotFoundError("coverage.no_file", name=name[:60], known=", ".join(KINDS))
    report = kept_report(desk, query)
    links = file_links(desk, query, report)
    if name.endswith(".html"):
        body = report.page().encode()
    elif name.endswith(".pdf"):
        body = report.pdf(at=datetime.combine(report.on, time(), UTC), links=links)
    else:
        with TemporaryDirectory() as folder:
            made = Path(folder) / name
            report.write_xlsx(made, links)
            body = made.read_bytes()
    stem, _, ending = name.rpartition(".")
    saved = f"{stem}-{region_id}-{report.on.isoformat()}.{ending}"
    return Response(
        body,
        media_type=KINDS[name],
        headers={"content-disposition": f'attachment; filename="{saved}"'},
    )

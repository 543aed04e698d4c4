"""Settlements without a library in a browser: map, table, and the norm quoted for each."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.auth import Staff
from api.errors import status_of
from api.pages.desk_region import Desk, open_desk
from api.pages.needs_query import Query, QueryDep
from api.rendering import is_htmx
from api.routes.needs import Asked, begin_audit
from api.services.needs_view import AuditedRegion, AuditRun, NeedLine, SortBy, counts_of
from api.state import ServiceDep
from api.web.map_words import map_words
from data.feeds.profiles import load_norm_sets
from data.model.errors import BookmobileError, NotFoundError
from data.model.norms import NeedStatus, NormSet

router = APIRouter(prefix="/desk/{region_id}/needs")
PAGE = 100
WAIT_S = 1.5
"""A page waits so long for an audit before it shows how far the measuring has come."""
LOOKS = {
    NeedStatus.SERVED: "good",
    NeedStatus.SERVED_ASSUMED: "warn",
    NeedStatus.UNSERVED: "bad",
    NeedStatus.UNSERVED_ASSUMED: "bad",
}
WORST_FIRST = tuple(reversed(NeedStatus))


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A column of the table that can be sorted by."""

    name: str
    sort: SortBy
    is_number: bool = False


HEADINGS = (
    Heading(name="name", sort=SortBy.NAME),
    Heading(name="district", sort=SortBy.DISTRICT),
    Heading(name="population", sort=SortBy.POPULATION, is_number=True),
    Heading(name="status", sort=SortBy.STATUS),
    Heading(name="minutes", sort=SortBy.MINUTES, is_number=True),
    Heading(name="km", sort=SortBy.KM, is_number=True),
)


@router.get("")
def needs_page(
    request: Request, region_id: str, asking: Staff, service: ServiceDep, query: QueryDep
) -> Response:
    """Map and table of the audit by a norm on a date."""
    desk = open_desk(request, service, asking, region_id)
    asked = Asked(norm_set_id=query.norm or None, on=query.on or desk.today)
    try:
        run, _ = begin_audit(request, service, region_id, asked)
        audited = run.result(WAIT_S)
    except BookmobileError as wrong:
        return _shell(desk, query, error=wrong)
    if audited is None:
        return _shell(desk, query, run=run)
    return _audited(desk, query, audited)


def _shell(
    desk: Desk,
    query: Query,
    *,
    run: AuditRun | None = None,
    error: BookmobileError | None = None,
) -> Response:
    """The page before there is an audit: measuring, or refused."""
    if run is not None and is_htmx(desk.request):
        return desk.render("needs/measuring.html", area="needs", run=run, query=query)
    return desk.render(
        "needs/waiting.html",
        area="needs",
        status=200 if error is None else status_of(error),
        run=run,
        error=error,
        query=query,
    )


def _audited(desk: Desk, query: Query, audited: AuditedRegion) -> Response:
    if query.measuring and is_htmx(desk.request):
        # The page that waited takes itself anew, now that there is an audit.
        address = f"{desk.root}/needs?{urlencode(query.pairs())}"
        return Response(status_code=204, headers={"HX-Redirect": address})
    lines = query.filter.apply(audited.lines)
    shown = lines[query.start : query.start + PAGE]
    context = _context(desk, query, audited)
    context |= {
        "lines": shown,
        "total": len(lines),
        "num_people": sum(line.settlement.population or 0 for line in lines),
        "start": query.start,
        "page": PAGE,
        "more": query.start + PAGE < len(lines),
        "headings": HEADINGS,
        "counts": counts_of(audited.lines),
        "statuses": WORST_FIRST,
    }
    template = "needs/table.html" if is_htmx(desk.request) else "needs/page.html"
    return desk.render(template, area="needs", **context)


def _context(desk: Desk, query: Query, audited: AuditedRegion) -> dict[str, Any]:
    language = desk.words.language
    region, norm = audited.region, audited.audit.norm
    known = load_norm_sets() | {n.norm_set_id: n for n in region.norm_sets}
    lacking = sum(not line.passes for line in audited.lines)
    return {
        "query": query,
        "links": Links(root=desk.root, query=query),
        "looks": LOOKS,
        "norm": norm,
        "norm_name": norm.name_in(language),
        "norm_in_force": _in_force(norm, audited),
        "norms": sorted((key, one.name_in(language)) for key, one in known.items()),
        "on": audited.on,
        "audit": audited.audit,
        "num_lacking": lacking,
        "num_settlements": len(audited.lines),
        "register_is_complete": region.library_register_is_complete,
        "num_assumed": sum(lib.standing.value == "assumed" for lib in audited.audit.libraries),
        "districts": sorted((m.name, m.municipality_id) for m in region.municipalities),
        "map_words": map_words(desk.words),
    }


def _in_force(norm: NormSet, audited: AuditedRegion) -> bool:
    return (norm.valid_from is None or norm.valid_from <= audited.on) and (
        norm.valid_to is None or audited.on < norm.valid_to
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Addresses of the same page with something changed."""

    root: str
    query: Query

    def sorted_by(self, sort: SortBy) -> str:
        """Sorted by a column; once more turns the order round."""
        now = self.query.filter
        descending = not now.descending if now.sort is sort else False
        return self._with(replace(now, sort=sort, descending=descending))

    def lacking(self) -> str:
        """Those that fail the norm."""
        return self._with(replace(self.query.filter, status=None, lacking=True)) + "#need-table"

    def with_status(self, status: NeedStatus | None) -> str:
        return self._with(replace(self.query.filter, status=status, lacking=False))

    def at(self, start: int) -> str:
        pairs = [*self.query.pairs(), ("start", str(start))]
        return f"{self.root}/needs?{urlencode(pairs)}"

    def detail(self, settlement_id: str) -> str:
        """Address of one settlement's verdict by the same norm and date."""
        pairs = [p for p in self.query.pairs() if p[0] in ("norm", "on")]
        pairs.append(("settlement", settlement_id))
        return f"{self.root}/needs/verdict?{urlencode(pairs)}"

    def api(self, ending: str, region_id: str) -> str:
        """Address of the same settlements in another form."""
        return f"/api/v1/regions/{region_id}/needs.{ending}?{urlencode(self.query.pairs())}"

    def _with(self, changed: Any) -> str:
        pairs = replace(self.query, filter=changed, start=0).pairs()
        return f"{self.root}/needs?{urlencode(pairs)}"


@router.get("/verdict")
def verdict(
    request: Request,
    region_id: str,
    asking: Staff,
    service: ServiceDep,
    query: QueryDep,
    settlement: str = "",
) -> Response:
    """One settlement: what was found, what the norm asks, whether it is kept."""
    desk = open_desk(request, service, asking, region_id)
    asked = Asked(norm_set_id=query.norm or None, on=query.on or desk.today)
    run, _ = begin_audit(request, service, region_id, asked)
    audited = run.result(20.0)
    if audited is None:
        return _shell(desk, query, run=run)
    line = _line_of(audited, settlement)
    context = _context(desk, query, audited) | {"line": line, "own_libraries": _own(audited, line)}
    template = "needs/verdict.html" if is_htmx(request) else "needs/verdict_page.html"
    return desk.render(template, area="needs", **context)


def _line_of(audited: AuditedRegion, settlement_id: str) -> NeedLine:
    for line in audited.lines:
        if line.settlement.settlement_id == settlement_id:
            return line
    raise NotFoundError("thing.unknown", kind="settlement", key=settlement_id[:120])


def _own(audited: AuditedRegion, line: NeedLine) -> list[Any]:
    """Libraries inside a settlement, as far as they name it."""
    home = line.settlement.settlement_id
    return [lib for lib in audited.audit.libraries if lib.settlement_id == home]

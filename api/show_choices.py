"""Sets of plans for people and programs: tables, facts, and the page with their charts."""

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table

from api.compare_cli import minutes, worst_home
from api.services.choices import BaseRow, FleetSizes, Sized
from api.services.comparing import cost_of
from api.words import Words
from data.model.calendar import HOUR_S, MINUTE_S
from data.model.plan import PlanRequest
from data.model.region import Region
from data.model.rule_notes import provisional_notes
from maps.chart_page import Row, Section, chart_page
from maps.charts import bars_svg, dots_svg
from maps.dots import Dot
from planner.access import AccessFigures
from planner.frontier import Frontier
from planner.frontier_points import Point
from planner.score import PlanSummary

_KM = 1000
_ROLES = ("most_people", "fairest", "least_driving")


def point_names(points: Sequence[Point]) -> list[str]:
    """Folder of each plan: its number and what it is best in."""
    return ["-".join([f"{k:02d}", *_roles(p)]) for k, p in enumerate(points, 1)]


def _roles(point: Point) -> list[str]:
    return [r.replace("_", "-") for r in _ROLES if getattr(point, f"is_{r}")]


def frontier_facts(request: PlanRequest, found: Frontier, names: Sequence[str]) -> dict[str, Any]:
    """A frontier as JSON has it."""
    return {
        "region": request.region_id,
        "num_searches": found.num_searches,
        "num_planned": found.num_planned,
        "num_found": found.num_found,
        "plans": [
            {"name": name, "file": f"{name}/plan.json", "best_in": _roles(point)}
            | _summary_facts(
                point.summary, point.access, cost_of(point.summary, request.costs), request
            )
            for name, point in zip(names, found.points, strict=True)
        ],
    }


def _summary_facts(
    summary: PlanSummary, access: AccessFigures | None, cost: Decimal | None, request: PlanRequest
) -> dict[str, Any]:
    return {
        "people_reached": summary.people_reached,
        "people_total": summary.people_total,
        "prize_collected": summary.prize_collected,
        "stops_served": summary.stops_served,
        "drive_m": summary.drive_m,
        "drive_s": summary.drive_s,
        "open_s": summary.open_s,
        "work_s": summary.work_s,
        "vehicle_days_used": summary.vehicle_days_used,
        "bound": summary.bound,
        "access": None if access is None else asdict(access),
        "cost": None if cost is None else str(cost),
        "currency": None if cost is None else request.costs.currency,
    }


def show_frontier(console: Console, words: Words, request: PlanRequest, found: Frontier) -> None:
    """A line for each plan, most people first."""
    table = Table(title=words("frontier.title"))
    columns, rows = _frontier_rows(words, request, found.points)
    # The settlements' names would leave no room: they stand below.
    wide = {words("frontier.col.worst"), words("frontier.col.mean")}
    shown = [k for k, name in enumerate(columns) if name not in wide]
    for k in shown:
        # Numbers hold together by themselves; the name of a plan needs its room.
        table.add_column(
            columns[k], justify="left" if k == 0 else "right", min_width=12 if k == 0 else None
        )
    for row in rows:
        table.add_row(*(row[k] for k in shown))
    console.print(table)
    for worst in dict.fromkeys(worst_home(words, p.access) for p in found.points if p.access):
        whose = [
            str(k) for k, p in enumerate(found.points, 1) if worst_home(words, p.access) == worst
        ]
        told = words("frontier.worst_told", worst=worst, plans=", ".join(whose))
        console.print(told, markup=False)
    for note in _frontier_notes(words, request, found):
        console.print(note, markup=False)


def _frontier_rows(
    words: Words, request: PlanRequest, points: Sequence[Point]
) -> tuple[list[str], list[list[str]]]:
    """Titles and cells of the table of a frontier."""
    has_access = request.access is not None
    has_cost = request.costs.is_known
    columns = [words(f"frontier.col.{c}") for c in ("plan", "people", "prize", "km", "work")]
    if has_access:
        columns += [words(f"frontier.col.{c}") for c in ("p90", "mean", "tenth", "gini", "worst")]
    if has_cost:
        columns.append(words("compare.cost", currency=request.costs.currency))
    rows = []
    for number, point in enumerate(points, 1):
        told = [words(f"frontier.{r}") for r in _ROLES if getattr(point, f"is_{r}")]
        row = [
            f"{number} ({', '.join(told)})" if told else str(number),
            words.number(point.summary.people_reached),
            words.number(point.summary.prize_collected),
            words.number(point.summary.drive_m / _KM),
            words.number(point.summary.work_s / HOUR_S),
        ]
        if has_access:
            row += _access_cells(words, point.access)
        if has_cost:
            row.append(_money(words, cost_of(point.summary, request.costs)))
        rows.append(row)
    return columns, rows


def _access_cells(words: Words, access: AccessFigures | None) -> list[str]:
    if access is None:
        return ["—"] * 5
    return [
        minutes(words, access.p90_s),
        minutes(words, access.mean_s),
        minutes(words, access.worst_tenth_s),
        "—" if access.gini is None else words.number(access.gini, 3),
        worst_home(words, access),
    ]


def _frontier_notes(words: Words, request: PlanRequest, found: Frontier) -> list[str]:
    notes = [words("frontier.told")]
    if request.access is None:
        notes.append(words("frontier.no_access"))
    else:
        notes += [words("compare.access_told"), words("frontier.gini_told")]
    if found.num_found > len(found.points):
        left = found.num_found - len(found.points)
        notes.append(words.count("frontier.more", left))
    if found.num_searches < found.num_planned:
        notes.append(
            words("frontier.cut_short", done=found.num_searches, planned=found.num_planned)
        )
    return notes


def frontier_page(
    region: Region, request: PlanRequest, found: Frontier, names: Sequence[str], words: Words
) -> tuple[str, dict[str, str]]:
    """The page of a frontier, and its charts by file name."""
    dots = [
        Dot(
            name=str(number),
            link=f"{name}/map.html",
            x=point.summary.drive_m / _KM,
            y=point.summary.people_reached,
            shade=None if point.p90_s is None else point.p90_s / MINUTE_S,
        )
        for number, (name, point) in enumerate(zip(names, found.points, strict=True), 1)
    ]
    people, km = words("frontier.axis.people"), words("frontier.axis.km")
    p90 = words("frontier.axis.p90")
    svgs = {
        "people-km.svg": dots_svg(dots, words, x=km, y=people, shade=words("frontier.axis.shade"))
    }
    captions = [words("frontier.caption.km")]
    fair = [Dot(name=d.name, link=d.link, x=d.shade, y=d.y) for d in dots if d.shade is not None]
    if fair:
        svgs["people-fairness.svg"] = dots_svg(fair, words, x=p90, y=people)
        captions.append(words("frontier.caption.p90"))
    columns, rows = _frontier_rows(words, request, found.points)
    section = Section(
        title=words("frontier.title"),
        charts=tuple(zip(svgs.values(), captions, strict=True)),
        columns=tuple(columns),
        rows=tuple(
            Row(cells=tuple(row), link=f"{name}/map.html")
            for name, row in zip(names, rows, strict=True)
        ),
        notes=tuple(_frontier_notes(words, request, found)),
    )
    title = words("frontier.page", region=region.name_in(words.language))
    lead = [words("frontier.lead")]
    if any(m.is_estimated for m in request.travel.values()):
        lead.append(words("show.estimated"))
    lead += provisional_notes(request, words)
    return chart_page([section], language=words.language, title=title, lead=lead), svgs


def size_facts(sized: Sized) -> dict[str, Any]:
    """The plan of a number of vehicles as JSON has it; one that breaks a rule has no file."""
    name = f"vehicles-{len(sized.vehicles):02d}"
    return {
        "name": name,
        "file": None if sized.violations else f"{name}/plan.json",
        "num_vehicles": len(sized.vehicles),
        "num_borrowed": sized.borrowed,
        "bases": list(sized.bases),
        "num_violations": len(sized.violations),
    } | _summary_facts(sized.summary, sized.access, sized.cost, sized.request)


def base_facts(base: BaseRow) -> dict[str, Any]:
    """A base as JSON has it."""
    depot = base.screened.depot
    name = f"base-{depot.depot_id}".removeprefix("base-base-")
    name = name if name.startswith("base-") else f"base-{name}"
    facts: dict[str, Any] = {
        "name": name,
        "base": base.name,
        "lon": depot.lon,
        "lat": depot.lat,
        "is_own": base.is_own,
        "is_assumed": base.is_assumed,
        "prize_in_reach": base.screened.prize,
        "stops_in_reach": base.screened.num_stops,
        "bound": base.bound,
        "is_beaten": base.is_beaten,
        "file": None,
    }
    if base.sized is None:
        return facts
    facts["file"] = None if base.sized.violations else f"{name}/plan.json"
    facts["num_violations"] = len(base.sized.violations)
    sized = base.sized
    return (
        facts
        | _summary_facts(sized.summary, sized.access, sized.cost, sized.request)
        | {"bound": base.bound}
    )


def _size_rows(words: Words, sizes: Sequence[Sized]) -> tuple[list[str], list[list[str]]]:
    """Titles and cells of the table by number of vehicles; the gain is that of the last vehicle."""
    codes = ("vehicles", "bases", "people", "gain", "prize", "km", "work", "p90")
    columns = [words(f"fleet.col.{c}") for c in codes]
    has_cost = any(s.cost is not None for s in sizes)
    if has_cost:
        columns.append(words("compare.cost", currency=sizes[0].request.costs.currency))
    rows = []
    before = 0
    for sized in sizes:
        people = sized.summary.people_reached
        number = words.number(len(sized.vehicles))
        if sized.borrowed:
            number = words("fleet.borrowed", n=number, borrowed=sized.borrowed)
        row = [
            number,
            ", ".join(sized.bases),
        ]
        if sized.violations:
            row += [words("fleet.broken"), *["—"] * 5]
        else:
            row += [
                words.number(people),
                f"+{words.number(people - before)}",
                words.number(sized.summary.prize_collected),
                words.number(sized.summary.drive_m / _KM),
                words.number(sized.summary.work_s / HOUR_S),
                minutes(words, sized.access.p90_s if sized.access else None),
            ]
            before = people
        if has_cost:
            row.append(_money(words, None if sized.violations else sized.cost))
        rows.append(row)
    return columns, rows


def _base_rows(words: Words, bases: Sequence[BaseRow]) -> tuple[list[str], list[list[str]]]:
    codes = ("base", "reach", "people", "prize", "bound", "km", "work", "p90")
    columns = [words(f"fleet.col.{c}") for c in codes]
    rows = []
    for base in bases:
        code = "fleet.own_base" if base.is_own else "fleet.assumed_base"
        is_plain = not (base.is_own or base.is_assumed)
        row = [
            base.name if is_plain else words(code, name=base.name),
            words.number(base.screened.prize),
        ]
        sized = base.sized
        if sized is None or sized.violations:
            code = (
                "fleet.broken" if sized else "fleet.beaten" if base.is_beaten else "fleet.not_run"
            )
            row += [words(code), "—", words.number(base.bound), "—", "—", "—"]
        else:
            row += [
                words.number(sized.summary.people_reached),
                words.number(sized.summary.prize_collected),
                words.number(base.bound),
                words.number(sized.summary.drive_m / _KM),
                words.number(sized.summary.work_s / HOUR_S),
                minutes(words, sized.access.p90_s if sized.access else None),
            ]
        rows.append(row)
    return columns, rows


def _fleet_notes(words: Words, found: FleetSizes) -> tuple[list[str], list[str]]:
    """What is to be said of the sizes and of the bases."""
    sizes = [words("fleet.sizes_told")]
    if found.is_cut_short:
        sizes.append(words("fleet.cut_short"))
    bases = [
        words(
            "fleet.screen_told",
            chosen=len(found.bases),
            candidates=found.num_candidates,
            min=words.number(found.comfortable_s / MINUTE_S),
        ),
        words("fleet.bound_told"),
    ]
    return sizes, bases if found.bases else []


def show_fleet(console: Console, words: Words, found: FleetSizes) -> None:
    """Both tables with what is to be said of them."""
    notes = _fleet_notes(words, found)
    parts = [("fleet.by_number", _size_rows(words, found.sizes), notes[0])]
    if found.bases:
        parts.append(("fleet.by_base", _base_rows(words, found.bases), notes[1]))
    # What does not fit a terminal stands in the page.
    wide = {words("fleet.col.reach"), words("fleet.col.work"), words("fleet.col.bases")}
    for title, (columns, rows), told in parts:
        table = Table(title=words(title))
        shown = [k for k, name in enumerate(columns) if name not in wide]
        for k in shown:
            table.add_column(columns[k], justify="left" if k == 0 else "right")
        for row in rows:
            table.add_row(*(row[k] for k in shown))
        console.print(table)
        for note in told:
            console.print(note, markup=False)


def fleet_page(region: Region, found: FleetSizes, words: Words) -> tuple[str, dict[str, str]]:
    """The page of a comparison of fleets, and its charts by file name."""
    notes = _fleet_notes(words, found)
    good = [s for s in found.sizes if not s.violations]
    dots = [
        Dot(
            name=words.number(s.summary.people_reached),
            link=f"{size_facts(s)['name']}/map.html",
            x=len(s.vehicles),
            y=s.summary.people_reached,
        )
        for s in good
    ]
    svgs = {}
    people = words("frontier.axis.people")
    if dots:
        svgs["vehicles.svg"] = dots_svg(
            dots, words, x=words("fleet.axis.vehicles"), y=people, is_line=True
        )
    columns, rows = _size_rows(words, found.sizes)
    sections = [
        Section(
            title=words("fleet.by_number"),
            charts=tuple((svg, words("fleet.caption.number")) for svg in svgs.values()),
            columns=tuple(columns),
            rows=tuple(
                Row(
                    cells=tuple(row),
                    link="" if s.violations else f"{size_facts(s)['name']}/map.html",
                )
                for s, row in zip(found.sizes, rows, strict=True)
            ),
            notes=tuple(notes[0]),
        )
    ]
    if found.bases:
        bars = [
            Dot(
                name=b.name,
                link=f"{base_facts(b)['name']}/map.html",
                x=b.sized.summary.people_reached,
                y=0.0,
                is_marked=b.is_own,
            )
            for b in found.bases
            if b.sized is not None and not b.sized.violations
        ]
        charts = []
        if bars:
            svgs["bases.svg"] = bars_svg(bars, words, x=people)
            charts.append((svgs["bases.svg"], words("fleet.caption.base")))
        columns, rows = _base_rows(words, found.bases)
        sections.append(
            Section(
                title=words("fleet.by_base"),
                charts=tuple(charts),
                columns=tuple(columns),
                rows=tuple(
                    Row(
                        cells=tuple(row),
                        link=f"{base_facts(b)['name']}/map.html" if base_facts(b)["file"] else "",
                    )
                    for b, row in zip(found.bases, rows, strict=True)
                ),
                notes=tuple(notes[1]),
            )
        )
    title = words("fleet.page", region=region.name_in(words.language))
    lead = [words("fleet.lead")]
    if any(m.is_estimated for s in found.sizes for m in s.request.travel.values()):
        lead.append(words("show.estimated"))
    lead += dict.fromkeys(n for s in found.sizes for n in provisional_notes(s.request, words))
    return chart_page(sections, language=words.language, title=title, lead=lead), svgs


def _money(words: Words, amount: Decimal | None) -> str:
    return "—" if amount is None else words.number(float(amount), 2)

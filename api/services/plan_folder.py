"""The folder of a plan: everything a dispatcher prints, publishes or hands on."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from api.progress import Ticker
from api.services.folders import made_folder
from api.services.needs import NeedAudit
from api.services.plan_gtfs import plan_gtfs
from api.services.planning import PlanResult
from api.words import Words
from data.feeds.need_table import write_need
from data.feeds.plan_file import write_plan
from data.feeds.plan_geojson import write_geojson
from data.feeds.plan_gpx import write_gpx
from data.feeds.plan_xlsx import write_xlsx
from data.feeds.timetable_csv import write_timetable
from data.feeds.timetable_ical import write_ical
from data.model.lines import RunLines
from data.model.plan import PlanRequest, Run
from data.model.region import Region
from maps.draw import draw_map
from maps.roads import NO_CLOSURES, Closures, Roads
from maps.run_sheet import run_sheets_html


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """How a plan is published: repeated until a date, under a name, with an address."""

    until: date
    organisation: str
    timetable_url: str = ""
    online_base: bool = False
    base_url: str = ""
    """Where the region's pages are on the web; a GTFS feed must name them."""

    @classmethod
    def half_a_year(
        cls,
        region: Region,
        request: PlanRequest,
        words: Words,
        *,
        online_base: bool = False,
        base_url: str = "",
    ) -> "Published":
        """Half a year from the cycle's start, rounded up to whole cycles; all of dated plans."""
        last = request.cycle.last_date
        if request.cycle.repeats:
            weeks = 26
            cycles = -(-weeks // request.cycle.num_weeks)
            last = request.cycle.start_date + timedelta(days=cycles * request.cycle.num_days - 1)
        return cls(
            until=last,
            organisation=region.name_in(words.language),
            online_base=online_base,
            base_url=base_url,
        )


def run_lines(
    request: PlanRequest,
    runs: tuple[Run, ...],
    roads: Roads,
    language: str,
    closures: Closures = NO_CLOSURES,
) -> RunLines:
    """The road line of every leg of every run, from the same roads that timed it."""
    depots = {d.depot_id: d for d in request.depots}
    stops = {s.stop_id: s for s in request.stops}
    vehicles = {v.vehicle_id: v for v in request.vehicles}
    lines = {}
    for run in runs:
        vehicle = vehicles[run.vehicle_id]
        first, last = (depots[place] for place in run.ends(vehicle))
        served = [stops[visit.stop_id] for visit in run.visits]
        points = [(first.lon, first.lat)]
        points += [(stop.lon, stop.lat) for stop in served]
        points.append((last.lon, last.lat))
        legs = roads.route(points, vehicle, language, closures).legs
        lines[run.vehicle_id, run.day] = [leg.line for leg in legs]
    return lines


def write_plan_folder(
    region: Region,
    audit: NeedAudit,
    result: PlanResult,
    roads: Roads,
    out: Path,
    words: Words,
    *,
    published: Published,
    tick: Ticker,
    closures: Closures = NO_CLOSURES,
) -> tuple[Path, ...]:
    """Write every file of a plan and return their paths, the map first.

    The plan file is written first: should a drawing fail, the plan is not lost.

    Raises
    ------
    InputError
        ``file.not_written`` where the folder takes no files.
    """
    tick.phase("phase.write")
    made_folder(out)
    request, plan = result.request, result.plan
    write_plan(out / "plan.json", request, plan)
    lines = run_lines(request, plan.runs, roads, words.language, closures)
    write_timetable(
        request,
        plan,
        out / "timetable.csv",
        organisation=published.organisation,
        timetable_url=published.timetable_url,
        until=published.until,
    )
    write_ical(request, plan, out / "timetable.ics", until=published.until, label=words)
    write_geojson(request, plan, out / "plan.geojson", lines=lines)
    write_gpx(request, plan, out / "gpx", lines=lines)
    write_xlsx(region, audit.needs, request, plan, out / "plan.xlsx", label=words)
    if published.base_url:
        feed = plan_gtfs(
            region,
            request,
            plan,
            words,
            until=published.until,
            base_url=published.base_url,
            roads=None if roads.is_estimated else lines,
        )
        (out / "gtfs.zip").write_bytes(feed)
    sheets = run_sheets_html(request, plan, words, until=published.until)
    (out / "run-sheets.html").write_text(sheets, encoding="utf-8")
    write_needs(region, audit, out, words)
    page = draw_map(
        region,
        audit.needs,
        request,
        plan,
        lines,
        words,
        estimated=roads.is_estimated,
        online_base=published.online_base,
        until=published.until,
    )
    (out / "map.html").write_text(page, encoding="utf-8")
    return tuple(sorted(p for p in out.rglob("*") if p.is_file()))


def write_needs(region: Region, audit: NeedAudit, out: Path, words: Words) -> None:
    """Write the need table in its three formats."""
    made_folder(out)
    write_need(
        region,
        audit.needs,
        audit.libraries,
        out,
        label=words,
        norm=audit.norm,
        is_estimated=audit.is_estimated,
    )

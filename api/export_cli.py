"""The command that writes the folder of a plan anew: after a hand edit, or of a chosen plan."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Console

from api.common_cli import LangOption, words_for
from api.plan_cli import OnlineOption, OsmOption, OutOption
from api.services.folders import check_folder
from api.services.needs import audit_region
from api.services.plan_folder import Published, write_plan_folder
from api.services.planning import PlanResult
from api.services.regions import load_region, region_folder
from api.services.roads import open_roads
from api.settings import Settings
from api.show_plan import show_plan, show_violations
from api.terminal import progress_bars
from api.words import Words
from data.feeds.outlines import read_land
from data.feeds.plan_file import read_plan
from data.model.errors import InputError
from maps.roads import NO_CLOSURES, Closures
from planner.score import check, summarise


def export(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN.json", help="Plan file.")],
    region: Annotated[
        str | None,
        typer.Option("--region", help="Region folder or bundled name; else the plan's own."),
    ] = None,
    out: OutOption = None,
    osm: OsmOption = None,
    online_base: OnlineOption = False,
    closures: Annotated[
        Path | None, typer.Option("--closures", help="Areas of closed roads (GeoJSON polygons).")
    ] = None,
    base_url: Annotated[
        str,
        typer.Option("--base-url", help="Address of the region's pages: writes gtfs.zip as well."),
    ] = "",
    lang: LangOption = None,
) -> None:
    """Write a plan's folder anew: timetables, run sheets, workbook, GPX and map.

    A plan that breaks a rule is not written: each broken rule is named, and the exit code is 1.
    """
    console, words = Console(), words_for(lang)
    request, plan = read_plan(plan_file)
    name = region or request.region_id
    loaded = load_region(name)
    if loaded.region_id != request.region_id:
        raise InputError(
            "export.other_region",
            file=plan_file,
            value=request.region_id,
            region=loaded.region_id,
        )
    violations = check(request, plan)
    if violations:
        show_violations(console, words, request, violations)
        raise typer.Exit(1)
    folder = out or Path("out") / plan_file.stem
    check_folder(folder)
    parts = urlsplit(base_url)
    if base_url and not (parts.scheme in ("http", "https") and parts.netloc):
        raise InputError("site.base_url", value=base_url)
    closed = Closures(polygons=read_land(closures)) if closures else NO_CLOSURES
    sheet = Words(lang or loaded.language)
    result = PlanResult(
        request=request,
        plan=plan,
        summary=summarise(request, plan),
        violations=(),
        off_road=(),
        borrowed=0,
    )
    with (
        progress_bars(console, words) as bars,
        open_roads(
            loaded,
            region_folder(name),
            cache_dir=Settings.from_environment().cache_dir,
            extract=osm,
            tick=bars,
        ) as roads,
    ):
        audit = audit_region(loaded, roads, on=request.cycle.start_date, tick=bars)
        write_plan_folder(
            loaded,
            audit,
            result,
            roads,
            folder,
            sheet,
            published=Published.half_a_year(
                loaded, request, sheet, online_base=online_base, base_url=base_url
            ),
            tick=bars,
            closures=closed,
        )
        source = roads.source
    show_plan(console, words, loaded, result)
    if plan.provenance is not None and source not in plan.provenance.travel_source:
        console.print(
            words("export.other_roads", plan=plan.provenance.travel_source, map=source),
            style="yellow",
        )
    console.print(words("cli.written", folder=folder))

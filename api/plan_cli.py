"""The commands that plan, judge and show: thin above the services."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from api.common_cli import JsonOption, LangOption, print_json, progress_console, words_for
from api.services.fixing import NO_WISHES, Wishes
from api.services.folders import check_folder
from api.services.learning import guidance_of
from api.services.needs import audit_region
from api.services.plan_folder import Published, write_needs, write_plan_folder
from api.services.plan_frame import check_frame, with_nights
from api.services.planning import PlanResult, plan_region
from api.services.regions import load_region, region_folder
from api.services.roads import open_roads
from api.settings import Settings
from api.show_changes import change_facts, show_changes, show_pin_reasons
from api.show_learned import learned_facts, show_learned
from api.show_plan import plan_facts, show_need, show_plan, show_violations, violation_facts
from api.terminal import progress_bars
from api.words import Words
from data.feeds.outlines import read_land
from data.feeds.plan_file import read_plan
from data.model.demand import PrizeBy
from data.model.errors import InputError
from data.model.region import Region
from maps.draw import draw_need_map
from maps.roads import NO_CLOSURES, Closures
from planner.changes import changes
from planner.learn.buffers import KEEP_RATIO
from planner.params import SolveParams
from planner.score import check as check_plan
from planner.skeleton import brought_to

DEFAULT_TIME_LIMIT_S = 40.0

RegionArgument = Annotated[str, typer.Argument(help="Region folder, or a bundled region's name.")]
OutOption = Annotated[Path | None, typer.Option("--out", help="Folder to write into.")]
OsmOption = Annotated[
    Path | None, typer.Option("--osm", help="OpenStreetMap extract (.osm.pbf) to travel on.")
]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed of the search.")]
TimeOption = Annotated[float, typer.Option("--time-limit", min=1.0, help="Seconds to search.")]
OnlineOption = Annotated[
    bool, typer.Option("--online-base", help="Offer an online base layer on the map.")
]

LearnedOption = Annotated[
    Path | None,
    typer.Option("--learned", help="File of bookmobile learn; else the region folder's own."),
]
WithoutLearnedOption = Annotated[
    bool, typer.Option("--without-learned", help="Leave the region's learned times aside.")
]
OnTimeOption = Annotated[
    float,
    typer.Option(
        "--on-time", min=0.5, max=0.95, help="Share of days on which learned buffers keep arrivals."
    ),
]
PrizeByOption = Annotated[
    PrizeBy | None,
    typer.Option("--prize-by", help="What a stop is worth: its people or its expected visits."),
]


FromOption = Annotated[
    datetime | None,
    typer.Option("--from", formats=["%Y-%m-%d"], help="First date of a dated plan, with --until."),
]
UntilOption = Annotated[
    datetime | None,
    typer.Option(
        "--until",
        formats=["%Y-%m-%d"],
        help="Last date: every day is planned by its date, nothing repeats.",
    ),
]


def given_dates(
    start: datetime | None,
    from_date: datetime | None,
    until_date: datetime | None,
    weeks: int | None,
) -> tuple[date | None, date | None]:
    """First date and, of a dated plan, the last one, as far as they are given.

    Raises
    ------
    InputError
        ``request.from_without_until``, ``request.until_and_weeks``, ``request.from_and_start``.
    """
    if until_date is None and from_date is not None:
        raise InputError("request.from_without_until", start=f"{from_date:%Y-%m-%d}")
    if until_date is not None and weeks is not None:
        raise InputError("request.until_and_weeks", until=f"{until_date:%Y-%m-%d}", weeks=weeks)
    if from_date is not None and start is not None:
        raise InputError("request.from_and_start", start=f"{start:%Y-%m-%d}")
    first = from_date or start
    return first.date() if first else None, until_date.date() if until_date else None


def need(
    region: RegionArgument,
    out: OutOption = None,
    osm: OsmOption = None,
    norm: Annotated[str | None, typer.Option("--norm", help="Norm set to judge by.")] = None,
    lang: LangOption = None,
) -> None:
    """Show which settlements lack a library, as a table and a map."""
    console, words = Console(), words_for(lang)
    loaded = load_region(region)
    sheet = Words(lang or loaded.language)
    with (
        progress_bars(console, words) as bars,
        open_roads(
            loaded,
            region_folder(region),
            cache_dir=Settings.from_environment().cache_dir,
            extract=osm,
            tick=bars,
        ) as roads,
    ):
        audit = audit_region(loaded, roads, on=today_in(loaded), tick=bars, norm_set_id=norm)
    show_need(console, words, loaded, audit)
    folder = out or Path("out") / f"{loaded.region_id}-need"
    write_needs(loaded, audit, folder, sheet)
    page = draw_need_map(loaded, audit.needs, sheet, norm=audit.norm, estimated=audit.is_estimated)
    (folder / "need-map.html").write_text(page, encoding="utf-8")
    console.print(words("cli.written", folder=folder))


def plan(
    region: RegionArgument,
    weeks: Annotated[
        int | None, typer.Option("--weeks", min=1, max=6, help="Weeks of the cycle.")
    ] = None,
    vehicles: Annotated[int | None, typer.Option("--vehicles", help="Vehicles to use.")] = None,
    time_limit: TimeOption = DEFAULT_TIME_LIMIT_S,
    seed: SeedOption = 1,
    out: OutOption = None,
    osm: OsmOption = None,
    start: Annotated[
        datetime | None,
        typer.Option("--start", formats=["%Y-%m-%d"], help="First Monday of the cycle."),
    ] = None,
    from_date: FromOption = None,
    until_date: UntilOption = None,
    norm: Annotated[str | None, typer.Option("--norm", help="Norm set to judge need by.")] = None,
    online_base: OnlineOption = False,
    closures: Annotated[
        Path | None, typer.Option("--closures", help="Areas of closed roads (GeoJSON polygons).")
    ] = None,
    start_from: Annotated[
        Path | None,
        typer.Option(
            "--start-from",
            help="Earlier plan.json to go on from; gives the first day and the weeks too.",
        ),
    ] = None,
    pin: Annotated[
        list[str] | None,
        typer.Option("--pin", help="Fix a visit: STOP@VEHICLE:DATE or …THH:MM; repeatable."),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", help="Keep runs of --start-from: DATE or VEHICLE:DATE; repeatable."),
    ] = None,
    forbid: Annotated[
        list[str] | None,
        typer.Option(
            "--forbid", help="Forbid visits: STOP@VEHICLE, @DATE or @mon … sun; repeatable."
        ),
    ] = None,
    max_changes: Annotated[
        int | None,
        typer.Option(
            "--max-changes", min=0, help="Most published times of --start-from that may change."
        ),
    ] = None,
    nights: Annotated[
        int | None,
        typer.Option(
            "--nights", min=0, max=6, help="Most nights in a row away from base, of every vehicle."
        ),
    ] = None,
    work_limit: Annotated[
        int | None,
        typer.Option(
            "--work-limit", min=1, help="Search steps; with --workers 1 repeatable exactly."
        ),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Search threads.")] = 2,
    learned: LearnedOption = None,
    without_learned: WithoutLearnedOption = False,
    on_time: OnTimeOption = KEEP_RATIO,
    prize_by: PrizeByOption = None,
    as_json: JsonOption = False,
    dwell: Annotated[
        str | None,
        typer.Option(
            "--dwell",
            metavar="MIN-MAX",
            help="Minutes that every stop is open, chosen by the plan between least and longest.",
        ),
    ] = None,
    lang: LangOption = None,
) -> None:
    """Plan a cycle, or dates, and write the folder: plan, timetables, sheets and map."""
    words_for(lang)
    first, until = given_dates(start, from_date, until_date, weeks)
    make_plan(
        region,
        osm=osm,
        weeks=weeks,
        vehicles=vehicles,
        time_limit=time_limit,
        seed=seed,
        out=out,
        start=first,
        until=until,
        norm=norm,
        online_base=online_base,
        closures=closures,
        wishes=Wishes(
            pin=tuple(pin or ()),
            keep=tuple(keep or ()),
            forbid=tuple(forbid or ()),
            max_changes=max_changes,
            earlier=read_plan(start_from) if start_from else None,
            dwell=dwell,
        ),
        nights=nights,
        work_limit=work_limit,
        workers=workers,
        learned=learned,
        use_learned=not without_learned,
        on_time=on_time,
        prize_by=prize_by,
        as_json=as_json,
        lang=lang,
    )


def check(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN.json")],
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Judge a plan by every rule: exit 0 if all hold, 1 with each violation named."""
    console, words = Console(), words_for(lang)
    request, stored = read_plan(plan_file)
    violations = check_plan(request, stored)
    if as_json:
        told = [violation_facts(words, request, v) for v in violations]
        print_json({"file": plan_file, "violations": told})
        raise typer.Exit(1 if violations else 0)
    if violations:
        show_violations(console, words, request, violations)
        raise typer.Exit(1)
    console.print(
        words("cli.check.passed", file=plan_file, runs=len(stored.runs), stops=len(request.stops))
    )


def make_plan(
    name: str,
    *,
    osm: Path | None,
    weeks: int | None,
    vehicles: int | None,
    time_limit: float,
    seed: int,
    out: Path | None,
    lang: str | None,
    start: date | None = None,
    until: date | None = None,
    norm: str | None = None,
    online_base: bool = False,
    closures: Path | None = None,
    wishes: Wishes = NO_WISHES,
    nights: int | None = None,
    work_limit: int | None = None,
    workers: int = 2,
    learned: Path | None = None,
    use_learned: bool = True,
    on_time: float = KEEP_RATIO,
    prize_by: PrizeBy | None = None,
    as_json: bool = False,
) -> PlanResult:
    """Plan a region from end to end and write the folder.

    Raises
    ------
    typer.Exit
        With code 1 if the checker finds a broken rule: no such plan leaves the program.
    """
    words = words_for(lang)
    console = progress_console() if as_json else Console()
    loaded = with_nights(load_region(name), nights)
    sheet = Words(lang or loaded.language)
    if wishes.earlier is not None:
        cycle = wishes.earlier[0].cycle
        if start is None and until is None and weeks is None and not cycle.repeats:
            start, until = cycle.first_date, cycle.last_date
        start = start or cycle.start_date
        if cycle.repeats:
            weeks = weeks or cycle.num_weeks
    first = start or loaded.start_date or next_monday(today_in(loaded))
    params = SolveParams(seed=seed, time_limit_s=time_limit, work_limit=work_limit, workers=workers)
    folder = out or Path("out") / loaded.region_id
    closed = Closures(polygons=read_land(closures)) if closures else NO_CLOSURES
    num_weeks = weeks or loaded.standard.cycle_weeks
    check_frame(loaded, start_date=first, weeks=num_weeks, until_date=until, num_vehicles=vehicles)
    check_folder(folder)
    guidance = guidance_of(
        region_folder(name),
        learned_file=learned,
        use_learned=use_learned,
        keep_ratio=on_time,
        prize_by=prize_by or loaded.standard.prize_by,
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
        audit = audit_region(loaded, roads, on=first, tick=bars, norm_set_id=norm)
        result = plan_region(
            loaded,
            audit,
            roads,
            start_date=first,
            weeks=num_weeks,
            until_date=until,
            num_vehicles=vehicles,
            params=params,
            tick=bars,
            closures=closed,
            wishes=wishes,
            guidance=guidance,
        )
        if not result.violations:
            published = Published.half_a_year(
                loaded, result.request, sheet, online_base=online_base
            )
            write_plan_folder(
                loaded,
                audit,
                result,
                roads,
                folder,
                sheet,
                published=published,
                tick=bars,
                closures=closed,
            )
    before = None
    if wishes.earlier is not None:
        before = brought_to(result.request, wishes.earlier[0].cycle, wishes.earlier[1])
    if as_json:
        found = () if before is None else changes(before, result.plan)
        told = {"changes": [change_facts(words, result.request, c) for c in found]}
        written = {"folder": None if result.violations else folder}
        print_json(plan_facts(words, result) | learned_facts(result) | told | written)
        if result.violations:
            raise typer.Exit(1)
        return result
    show_need(console, words, loaded, audit)
    if result.violations:
        show_violations(console, words, result.request, result.violations)
        show_pin_reasons(console, words, result.plan)
        raise typer.Exit(1)
    show_plan(console, words, loaded, result)
    show_learned(console, words, result)
    if before is not None:
        show_changes(console, words, result.request, before, result.plan)
        if wishes.max_changes is not None:
            console.print(words("show.changes.capped", limit=wishes.max_changes))
    console.print(words("cli.written", folder=folder))
    return result


def today_in(region: Region) -> date:
    """Today's date where the region is."""
    return datetime.now(ZoneInfo(region.time_zone)).date()


def next_monday(day: date) -> date:
    """The first Monday after a date."""
    return day + timedelta(days=7 - day.weekday())

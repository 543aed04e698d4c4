"""The commands that find sets of plans to choose from: frontier and fleet-size."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api.common_cli import JsonOption, LangOption, print_json, progress_console, words_for
from api.plan_cli import (
    FromOption,
    LearnedOption,
    OnTimeOption,
    OsmOption,
    OutOption,
    PrizeByOption,
    RegionArgument,
    SeedOption,
    UntilOption,
    WithoutLearnedOption,
    given_dates,
    next_monday,
    today_in,
)
from api.services.choices import Setting, fleet_sizes, frontier_of, write_choice
from api.services.folders import check_folder, made_folder
from api.services.learning import guidance_of
from api.services.needs import audit_region
from api.services.plan_frame import check_frame
from api.services.regions import load_region, region_folder
from api.services.roads import open_roads
from api.settings import Settings
from api.show_choices import (
    base_facts,
    fleet_page,
    frontier_facts,
    frontier_page,
    point_names,
    show_fleet,
    show_frontier,
    size_facts,
)
from api.terminal import Bars, progress_bars
from api.words import Words
from data.feeds.outlines import read_land
from data.model.demand import PrizeBy
from maps.roads import NO_CLOSURES, Closures
from planner.frontier import LEAST_PLANS, MOST_PLANS
from planner.learn.buffers import KEEP_RATIO
from planner.params import SolveParams

FRONTIER_S = 120.0
FLEET_S = 180.0
PAGE = "index.html"

WeeksOption = Annotated[
    int | None, typer.Option("--weeks", min=1, max=6, help="Weeks of the cycle.")
]
StartOption = Annotated[
    datetime | None,
    typer.Option("--start", formats=["%Y-%m-%d"], help="First Monday of the cycle."),
]
NormOption = Annotated[str | None, typer.Option("--norm", help="Norm set to judge need by.")]
ClosuresOption = Annotated[
    Path | None, typer.Option("--closures", help="Areas of closed roads (GeoJSON polygons).")
]
TotalTimeOption = Annotated[
    float, typer.Option("--time-limit", min=1.0, help="Seconds of search in all.")
]
WorkersOption = Annotated[int, typer.Option("--workers", min=1, help="Search threads.")]


def frontier(
    region: RegionArgument,
    weeks: WeeksOption = None,
    vehicles: Annotated[int | None, typer.Option("--vehicles", help="Vehicles to use.")] = None,
    plans: Annotated[
        int, typer.Option("--plans", min=LEAST_PLANS, help="Most plans to choose from.")
    ] = MOST_PLANS,
    time_limit: TotalTimeOption = FRONTIER_S,
    seed: SeedOption = 1,
    out: OutOption = None,
    osm: OsmOption = None,
    start: StartOption = None,
    from_date: FromOption = None,
    until_date: UntilOption = None,
    norm: NormOption = None,
    closures: ClosuresOption = None,
    work_limit: Annotated[
        int | None,
        typer.Option(
            "--work-limit", min=1, help="Search steps; with --workers 1 repeatable exactly."
        ),
    ] = None,
    workers: WorkersOption = 2,
    learned: LearnedOption = None,
    without_learned: WithoutLearnedOption = False,
    on_time: OnTimeOption = KEEP_RATIO,
    prize_by: PrizeByOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Find plans that trade people reached, fairness and kilometres; none beats another in all."""
    words = words_for(lang)
    console = progress_console() if as_json else Console()
    params = SolveParams(seed=seed, time_limit_s=time_limit, work_limit=work_limit, workers=workers)
    folder = out or Path("out") / f"{load_region(region).region_id}-frontier"
    given = _Given(
        name=region,
        vehicles=vehicles,
        dates=given_dates(start, from_date, until_date, weeks),
        weeks=weeks,
        osm=osm,
        norm=norm,
        closures=closures,
        learned=learned,
        use_learned=not without_learned,
        on_time=on_time,
        prize_by=prize_by,
    )
    with _setting(console, words, folder, given) as (setting, bars):
        sheet = Words(lang or setting.region.language)
        ready, found = frontier_of(
            setting, num_vehicles=vehicles, num_plans=plans, params=params, tick=bars
        )
        if not found.points:
            console.print(words("frontier.none"), style="red")
            raise typer.Exit(1)
        bars.phase("phase.write")
        names = point_names(found.points)
        for name, point in zip(names, found.points, strict=True):
            write_choice(setting, ready.request, point.plan, folder / name, sheet)
        facts = frontier_facts(ready.request, found, names)
        _write(folder, "frontier.json", json.dumps(facts, ensure_ascii=False, indent=1))
        page, charts = frontier_page(setting.region, ready.request, found, names, sheet)
        _write(folder, PAGE, page)
        for chart, svg in charts.items():
            _write(folder, chart, svg)
    if as_json:
        print_json({"folder": folder, **facts})
        return
    show_frontier(console, words, ready.request, found)
    console.print(words("frontier.written", folder=folder, page=folder / PAGE))


def fleet_size(
    region: RegionArgument,
    max_vehicles: Annotated[
        int | None,
        typer.Option("--max-vehicles", min=1, max=40, help="Most vehicles; else the own and two."),
    ] = None,
    bases: Annotated[
        int, typer.Option("--bases", min=0, help="Bases to compare for one vehicle; 0 for none.")
    ] = 6,
    weeks: WeeksOption = None,
    time_limit: TotalTimeOption = FLEET_S,
    seed: SeedOption = 1,
    out: OutOption = None,
    osm: OsmOption = None,
    start: StartOption = None,
    from_date: FromOption = None,
    until_date: UntilOption = None,
    norm: NormOption = None,
    closures: ClosuresOption = None,
    work_limit: Annotated[
        int | None,
        typer.Option(
            "--work-limit", min=1, help="Search steps; with --workers 1 repeatable exactly."
        ),
    ] = None,
    workers: WorkersOption = 2,
    learned: LearnedOption = None,
    without_learned: WithoutLearnedOption = False,
    on_time: OnTimeOption = KEEP_RATIO,
    prize_by: PrizeByOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Compare one to N vehicles, and where one vehicle should be based: people, hours, km, cost."""
    words = words_for(lang)
    console = progress_console() if as_json else Console()
    params = SolveParams(seed=seed, time_limit_s=time_limit, work_limit=work_limit, workers=workers)
    loaded = load_region(region)
    most = max_vehicles or len(loaded.vehicles) + 2
    folder = out or Path("out") / f"{loaded.region_id}-fleet"
    given = _Given(
        name=region,
        vehicles=most,
        dates=given_dates(start, from_date, until_date, weeks),
        weeks=weeks,
        osm=osm,
        norm=norm,
        closures=closures,
        learned=learned,
        use_learned=not without_learned,
        on_time=on_time,
        prize_by=prize_by,
    )
    with _setting(console, words, folder, given) as (setting, bars):
        sheet = Words(lang or setting.region.language)
        found = fleet_sizes(setting, most_vehicles=most, num_bases=bases, params=params, tick=bars)
        bars.phase("phase.write")
        facts = {
            "region": setting.region.region_id,
            "sizes": [size_facts(s) for s in found.sizes],
            "bases": [base_facts(b) for b in found.bases],
            "num_base_candidates": found.num_candidates,
            "comfortable_s": round(found.comfortable_s),
            "is_cut_short": found.is_cut_short,
        }
        made_folder(folder)
        for sized in found.sizes:
            if not sized.violations:
                name = str(size_facts(sized)["name"])
                write_choice(setting, sized.request, sized.plan, folder / name, sheet)
        for base in found.bases:
            if base.sized is not None and not base.sized.violations:
                name = str(base_facts(base)["name"])
                write_choice(setting, base.sized.request, base.sized.plan, folder / name, sheet)
        _write(folder, "fleet.json", json.dumps(facts, ensure_ascii=False, indent=1))
        page, charts = fleet_page(setting.region, found, sheet)
        _write(folder, PAGE, page)
        for chart, svg in charts.items():
            _write(folder, chart, svg)
    if as_json:
        print_json({"folder": folder, **facts})
    else:
        show_fleet(console, words, found)
        console.print(words("frontier.written", folder=folder, page=folder / PAGE))
    if all(s.violations for s in found.sizes):
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What both commands are told of the plans that they seek."""

    name: str
    vehicles: int | None
    dates: tuple[date | None, date | None]
    weeks: int | None
    osm: Path | None
    norm: str | None
    closures: Path | None
    learned: Path | None
    use_learned: bool
    on_time: float
    prize_by: PrizeBy | None


@contextmanager
def _setting(
    console: Console, words: Words, folder: Path, given: _Given
) -> Iterator[tuple[Setting, Bars]]:
    """Everything that the plans of a set share, its roads open while the block runs."""
    loaded = load_region(given.name)
    first = given.dates[0] or loaded.start_date or next_monday(today_in(loaded))
    until = given.dates[1]
    num_weeks = given.weeks or loaded.standard.cycle_weeks
    closed = Closures(polygons=read_land(given.closures)) if given.closures else NO_CLOSURES
    check_frame(
        loaded, start_date=first, weeks=num_weeks, until_date=until, num_vehicles=given.vehicles
    )
    guidance = guidance_of(
        region_folder(given.name),
        learned_file=given.learned,
        use_learned=given.use_learned,
        keep_ratio=given.on_time,
        prize_by=given.prize_by or loaded.standard.prize_by,
    )
    check_folder(folder)
    with (
        progress_bars(console, words) as bars,
        open_roads(
            loaded,
            region_folder(given.name),
            cache_dir=Settings.from_environment().cache_dir,
            extract=given.osm,
            tick=bars,
        ) as roads,
    ):
        audit = audit_region(loaded, roads, on=first, tick=bars, norm_set_id=given.norm)
        setting = Setting(
            region=loaded,
            audit=audit,
            roads=roads,
            start_date=first,
            weeks=num_weeks,
            until_date=until,
            closures=closed,
            guidance=guidance,
        )
        yield setting, bars


def _write(folder: Path, name: str, text: str) -> None:
    (made_folder(folder) / name).write_text(text, encoding="utf-8", newline="\n")

"""The command that tells who has a library or a stop in reach, and what if a branch went."""

from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from api.common_cli import JsonOption, LangOption, print_json, progress_console, words_for
from api.services.coverage import (
    counted_libraries,
    cover_region,
    left_out_stops,
    params_for,
    plan_stops,
)
from api.services.coverage_prices import plan_prices
from api.services.coverage_report import CoverageReport, make_areas, readers_table, write_report
from api.services.coverage_what_if import WhatIf, WhatIfAsked, what_if
from api.services.coverage_what_if_told import changed_table, made_table, summary_table
from api.services.folders import check_folder
from api.services.needs import audit_region
from api.services.regions import load_region, region_folder
from api.services.roads import open_roads
from api.services.scenarios import price_of
from api.settings import Settings
from api.terminal import progress_bars
from api.words import Words
from data.feeds.coverage_table import CoverageTable, told
from data.feeds.plan_file import read_plan
from data.feeds.readers_file import read_readers
from data.feeds.workbook import Kind
from data.model.coverage import Coverage, CoverageParams, ServedStop
from data.model.coverage_count import Cut, groups_of, rows_of, total_of
from data.model.coverage_equity import equity_of
from data.model.errors import InputError
from data.model.plan import Plan, PlanRequest
from data.model.region import Region

type _Number = float | None
RegionArgument = Annotated[str, typer.Argument(help="Region folder, or a bundled region's name.")]
PlanOption = Annotated[
    Path | None, typer.Option("--plan", help="plan.json: after it, against libraries alone.")
]
AgainstOption = Annotated[
    Path | None, typer.Option("--against", help="plan.json to compare with, in place of nothing.")
]
MinutesOption = Annotated[
    float | None, typer.Option("--minutes", help="Minutes by road to a library.")
]
KmOption = Annotated[float | None, typer.Option("--km", help="Kilometres by road to a library.")]
MetresOption = Annotated[
    float | None,
    typer.Option("--metres", help="Metres on foot to a stop: by the network, else straight."),
]
OsmOption = Annotated[
    Path | None, typer.Option("--osm", help="OpenStreetMap extract (.osm.pbf) to travel on.")
]


def coverage(
    region: RegionArgument,
    action: Annotated[
        str, typer.Argument(help="what-if: a branch becomes a point plus a stop.", show_default="")
    ] = "",
    plan: PlanOption = None,
    against: AgainstOption = None,
    minutes: MinutesOption = None,
    km: KmOption = None,
    metres: MetresOption = None,
    readers: Annotated[
        Path | None,
        typer.Option("--readers", help="Table of municipality_id, readers, year, source."),
    ] = None,
    library: Annotated[str, typer.Option("--library", help="what-if: the branch's id.")] = "",
    visits: Annotated[
        float, typer.Option("--visits", help="what-if: stop visits in four weeks.")
    ] = 1.0,
    open_min: Annotated[
        float, typer.Option("--open", help="what-if: minutes that the doors are open.")
    ] = 60.0,
    branch_cost: Annotated[
        str, typer.Option("--branch-cost", help="what-if: what the branch costs a year.")
    ] = "",
    norm: Annotated[str | None, typer.Option("--norm", help="Norm set to audit by.")] = None,
    osm: OsmOption = None,
    on: Annotated[
        datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="Date of the register.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write into.")] = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Tell who has a library or a stop in reach, before and after a plan: tables, maps, PDF.

    Limits that are left out are those of the region's norm and standard.
    """
    words = words_for(lang)
    console = progress_console() if as_json else Console()
    loaded = load_region(region)
    sheet = Words(lang or loaded.language)
    params = params_for(loaded, minutes=minutes, metres=metres, library_km=km)
    shares = read_readers(readers, loaded.municipalities) if readers else ()
    after, before = _plan_of(plan, loaded), _plan_of(against, loaded)
    if action:
        if action != "what-if":
            raise InputError("coverage.what_if.action", value=action)
        if not library:
            raise InputError("coverage.what_if.library_missing")
        asked = WhatIfAsked(
            library_id=library,
            visits_28=visits,
            open_min=open_min,
            branch_year=price_of(branch_cost, "--branch-cost"),
        )
        stops = plan_stops(*after) if after else ()
        what = _WhatIf(region=loaded, name=region, osm=osm, params=params, stops=stops)
        what.tell(console, words, asked, on=on.date() if on else _today(loaded), as_json=as_json)
        return
    folder = out or Path("out") / f"{loaded.region_id}-coverage"
    check_folder(folder)
    day = on.date() if on else _today(loaded)
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
        found = cover_region(
            loaded,
            roads,
            on=day,
            tick=bars,
            before=plan_stops(*before) if before else (),
            after=plan_stops(*after) if after else (),
            params=params,
        )
        _, places = counted_libraries(loaded, day, found.params)
        areas = make_areas(loaded, found, places, roads, bars)
        has_norm = bool(loaded.norm_set_id or norm)
        audit = (
            audit_region(loaded, roads, on=day, tick=bars, norm_set_id=norm) if has_norm else None
        )
    report = CoverageReport(
        region=loaded,
        coverage=found,
        words=sheet,
        on=day,
        before_name=_name(against, sheet),
        after_name=_name(plan, sheet),
        areas=areas,
        left_out=left_out_stops(*after) if after else (),
        readers=shares,
        audit=audit,
    )
    write_report(report, folder)
    if as_json:
        print_json(coverage_facts(found) | {"folder": str(folder)})
        return
    _show(console, words, report)
    console.print(words("cli.written", folder=folder))


@dataclass(frozen=True, kw_only=True)
class _WhatIf:
    """A region to close a branch of, in thought."""

    region: Region
    name: str
    osm: Path | None
    params: CoverageParams
    stops: tuple[ServedStop, ...]

    def tell(
        self, console: Console, words: Words, asked: WhatIfAsked, *, on: date, as_json: bool
    ) -> None:
        with (
            progress_bars(console, words) as bars,
            open_roads(
                self.region,
                region_folder(self.name),
                cache_dir=Settings.from_environment().cache_dir,
                extract=self.osm,
                tick=bars,
            ) as roads,
        ):
            found = what_if(
                self.region,
                roads,
                asked,
                on=on,
                params=self.params,
                stops=self.stops,
                costs=self.region.costs,
                tick=bars,
            )
        if as_json:
            print_json(what_if_facts(found))
            return
        made = made_table(found, plan_prices(self.region.costs), words)
        for table in (summary_table(found, words), made, changed_table(found, words)):
            show_table(console, words, table)


def what_if_facts(found: WhatIf) -> dict[str, Any]:
    """What changes as JSON tells it: without the whole coverage that it was taken from."""
    told = {f.name: getattr(found, f.name) for f in fields(found)}
    for whole in ("before", "after", "rows"):
        del told[whole]
    told |= {n: asdict(told[n]) for n in ("library", "asked", "costs")}
    told |= {"legs": None if found.legs is None else asdict(found.legs)}
    return told | {"changed": [asdict(c) for c in found.changed], "saved": found.saved}


def coverage_facts(found: Coverage) -> dict[str, Any]:
    """The figures as JSON tells them."""
    total = total_of(found)
    return {
        "limits": {
            "minutes": found.params.minutes,
            "km": found.params.library_km,
            "metres": found.params.metres,
        },
        "is_estimated": found.is_estimated,
        "travel_source": found.travel_source,
        "total": asdict(total) | _shares(total),
        "by": {
            cut.value: [asdict(row) | _shares(row) for row in rows_of(found, cut)] for cut in Cut
        },
        "groups": [asdict(group) for group in groups_of(found)],
        "equity": [asdict(one) for one in equity_of(found)],
    }


def _shares(row: Any) -> dict[str, float | None]:
    return {
        "ratio_before": row.ratio(is_after=False),
        "ratio_after": row.ratio(is_after=True),
    }


def _plan_of(path: Path | None, region: Region) -> tuple[PlanRequest, Plan] | None:
    """A plan of this region."""
    if path is None:
        return None
    request, plan = read_plan(path)
    if request.region_id != region.region_id:
        raise InputError(
            "export.other_region", file=path, value=request.region_id, region=region.region_id
        )
    return request, plan


def _name(path: Path | None, words: Words) -> str:
    if path is None:
        return words("coverage.libraries_alone")
    return words("coverage.plan", name=path.parent.name or path.stem)


def _today(region: Region) -> date:
    return datetime.now(ZoneInfo(region.time_zone)).date()


def _show(console: Console, words: Words, report: CoverageReport) -> None:
    """The first tables, and what they rest on, in the terminal's language."""
    told_in = CoverageReport(
        region=report.region,
        coverage=report.coverage,
        words=words,
        on=report.on,
        before_name=report.before_name,
        after_name=report.after_name,
        areas=report.areas,
        audit=report.audit,
    )
    for name in ("reach", "municipality", "groups", "equity", *(("norm",) if report.audit else ())):
        show_table(console, words, told_in.table(name), _NARROW.get(name))
    if report.readers:
        show_table(console, words, readers_table(report.readers, words))
    for note in told_in.notes:
        console.print(note, markup=False, highlight=False)


_NARROW = {"municipality": (0, 2, 4, 6, 7)}
"""Columns that a terminal has room for."""


def show_table(
    console: Console, words: Words, table: CoverageTable, chosen: tuple[int, ...] | None = None
) -> None:
    """A table, or some of its columns, on the terminal."""
    shown = Table(title=table.title, title_justify="left")
    numbers = range(len(table.columns)) if chosen is None else chosen
    for number in numbers:
        column = table.columns[number]
        shown.add_column(column.title, justify="left" if column.kind is Kind.TEXT else "right")
    for row in table.rows:
        shown.add_row(*(told(row[n], table.columns[n].kind, words) for n in numbers))
    console.print(shown)
    for note in table.notes:
        console.print(note, markup=False, highlight=False)

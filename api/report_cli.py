"""``bookmobile report``: figures of the service's diary on the terminal and as files."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from api.common_cli import JsonOption, LangOption, print_json, words_for
from api.database import open_database
from api.mail import write_whole
from api.schemas.reports import LinePublic, NumberPublic, ReportPublic
from api.services.number_behind import number_behind
from api.services.report_costs import prices_of
from api.services.report_files import desk_address, report_file
from api.services.report_frame import known_forms
from api.services.report_sending import deliver_due
from api.services.report_told import Teller, is_numeric
from api.services.reports import build_report
from api.settings import Settings
from api.state import utc_now
from api.words import Words
from data.db import region_store, report_store
from data.db.engine import reading
from data.feeds.form_file import read_form
from data.model.errors import InputError
from data.model.number_behind import NumberBehind
from data.model.publication import moment_of
from data.model.region import Region
from data.model.report import Drill, Report, ReportAsked, ReportKind, until_today
from data.model.report_schedule import ReportFormat

report = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Tell and send reports of the service's diary.",
)
RegionArgument = Annotated[str, typer.Argument(metavar="REGION", help="Id of the region.")]
FromOption = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First date.")
]
UntilOption = Annotated[
    datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="Last date; else today.")
]
VehicleOption = Annotated[str | None, typer.Option("--vehicle", help="Id of one bookmobile.")]


def _region(engine: Engine, region_id: str) -> Region:
    with reading(engine) as session:
        return region_store.load_region(session, region_id)


def _span(region: Region, first: datetime | None, last: datetime | None) -> tuple[date, date]:
    until = last.date() if last else moment_of(utc_now(), region.time_zone)[0]
    return (first.date() if first else date(until.year, 1, 1)), until


@report.command()
def show(
    kind: Annotated[
        ReportKind,
        typer.Argument(help="form, services, targets, punctuality, review, stock or costs."),
    ],
    region_id: RegionArgument,
    first: FromOption = None,
    last: UntilOption = None,
    vehicle: VehicleOption = None,
    form: Annotated[
        str, typer.Option("--form", help="Edition of the form; else the one in force.")
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write: .pdf, .xlsx, .csv or .geojson."),
    ] = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Tell a report of a span of dates, or write it into a file."""
    words = words_for(lang)
    ending = _ending(out)
    settings = Settings.from_environment()
    with open_database() as engine:
        region = _region(engine, region_id)
        from_date, until_date = _span(region, first, last)
        asked = ReportAsked(
            kind=kind,
            region_id=region_id,
            from_date=from_date,
            until_date=until_date,
            vehicle_id=vehicle,
            form_id=form,
        )
        with reading(engine) as session:
            today = moment_of(utc_now(), region.time_zone)[0]
            found = build_report(session, region, asked, known_forms(settings), today=today)
    if out is not None and ending is not None:
        name = region.name_in(words.language)
        body = report_file(
            found,
            ending,
            words,
            region_name=name,
            at=utc_now().astimezone(ZoneInfo(region.time_zone)),
            desk_url=desk_address(settings, region_id),
        )
        write_whole(out, body)
        Console().print(words("cli.written", folder=out), markup=False)
    elif as_json:
        print_json(ReportPublic.from_domain(found, Teller(words=words)).model_dump(mode="json"))
    else:
        _show(Console(), words, found)


def _ending(out: Path | None) -> ReportFormat | None:
    if out is None:
        return None
    ending = out.suffix.removeprefix(".").lower()
    if ending not in set(ReportFormat):
        known = ", ".join(ReportFormat)
        raise InputError("reports.bad_choice", field="--out", value=out.name, known=known)
    return ReportFormat(ending)


def _show(console: Console, words: Words, found: Report) -> None:
    teller = Teller(words=words)
    console.print(teller.report_title(found), style="bold", markup=False)
    console.print(teller.period(found.asked.from_date, found.asked.until_date), markup=False)
    if found.num_simulated:
        told = words.count("reports.simulated", found.num_simulated)
        console.print(told, style="yellow", markup=False)
    for table in found.tables:
        shown = Table(title=teller.title(table), title_justify="left")
        for k, column in enumerate(table.columns):
            right = bool(table.rows) and is_numeric(table.rows[0][k], column)
            shown.add_column(teller.head(column), justify="right" if right else "left")
        for row in table.rows:
            cells = zip(row, table.columns, strict=True)
            shown.add_row(*(_escaped(teller.cell(cell, column)) for cell, column in cells))
        console.print(shown)
    for note in found.notes:
        console.print(teller.said(note), markup=False)


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")


@report.command()
def lines(
    measure: Annotated[
        str, typer.Argument(help="A number's name: visits, runs, 6nk-2019:kibo_stops …")
    ],
    region_id: RegionArgument,
    first: FromOption = None,
    last: UntilOption = None,
    vehicle: VehicleOption = None,
    stop: Annotated[str | None, typer.Option("--stop", help="Id of one stop.")] = None,
    place: Annotated[
        str, typer.Option("--place", help="Of stock: vehicle:ID, store:ID, point:ID.")
    ] = "",
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """List exactly the lines that a number sums, or the numbers of its formula."""
    words = words_for(lang)
    with open_database() as engine:
        region = _region(engine, region_id)
        from_date, until_date = _span(region, first, last)
        until_date = until_today(from_date, until_date, moment_of(utc_now(), region.time_zone)[0])
        drill = Drill(
            measure=measure,
            from_date=from_date,
            until_date=until_date,
            vehicle_id=vehicle,
            stop_id=stop,
            place=place,
        )
        with reading(engine) as session:
            found = number_behind(session, region, drill, known_forms(Settings.from_environment()))
            currency = prices_of(report_store.get_settings(session, region_id), region).currency
    if as_json:
        print_json(
            NumberPublic.from_domain(found, 0, len(found.lines) or 1).model_dump(mode="json")
        )
        return
    console, teller = Console(), Teller(words=words)
    if found.lines:
        console.print(_lines_table(found, teller))
    for part in found.parts:
        told = f"{teller.value(part.name, part.kind)}: {teller.behind(part, currency)}"
        console.print(f"{told}  ({part.drill.measure})", markup=False)
    told = teller.value(found.name, found.kind)
    console.print(f"{told}: {teller.behind(found, currency)}", markup=False)


def _lines_table(found: NumberBehind, teller: Teller) -> Table:
    words, shown = teller.words, Table()
    for code in ("date", "vehicle", "what", "state", "amount"):
        shown.add_column(words(f"reports.col.{code}"))
    for line in found.lines:
        told = LinePublic.from_domain(line)
        shown.add_row(
            words.day(told.service_date) if told.service_date else "",
            _escaped(told.vehicle_id or ""),
            _escaped(told.name),
            words(f"reports.state.{told.state.value}") if told.state else "",
            teller.amount(line.amount, found),
        )
    return shown


@report.command("check-form")
def check_form(
    file: Annotated[Path, typer.Argument(metavar="FORM.toml", help="An edition of a form.")],
    lang: LangOption = None,
) -> None:
    """Check the file of an edition; what is wrong is told with its line."""
    words = words_for(lang)
    form = read_form(file)
    told = words("forms.good", name=form.name_in(words.language), figures=len(form.figures))
    Console().print(told, markup=False)


@report.command()
def send(lang: LangOption = None) -> None:
    """Send the reports that have fallen due, as a running service does by itself."""
    words = words_for(lang)
    with open_database() as engine:
        num = deliver_due(engine, Settings.from_environment(), utc_now())
        Console().print(words.count("reports.cli.tried", num), markup=False)
        if not num:
            return
        with reading(engine) as session:
            for region in region_store.list_regions(session):
                for one in report_store.list_deliveries(session, region.region_id, limit=num):
                    state = words(f"reports.delivery.{one.state.value}")
                    why = f": {words(one.code, **one.facts)}" if one.code else ""
                    told = f"{words.day(one.until_date)} {one.file} {state}{why}"
                    Console().print(told, markup=False)

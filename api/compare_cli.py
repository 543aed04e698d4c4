"""The command that puts plans side by side."""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.common_cli import LangOption, words_for
from api.services.comparing import Compared, Prices, compare_plans
from api.words import Words
from data.feeds.plan_file import read_plan
from data.model.errors import InputError


def compare(
    plan_files: Annotated[list[Path], typer.Argument(metavar="PLAN.json PLAN.json …")],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of a table.")] = False,
    cost_km: Annotated[
        str | None, typer.Option("--cost-km", help="Cost of a kilometre.", metavar="NUMBER")
    ] = None,
    cost_hour: Annotated[
        str | None, typer.Option("--cost-hour", help="Cost of an hour of work.", metavar="NUMBER")
    ] = None,
    cost_day: Annotated[
        str | None, typer.Option("--cost-day", help="Cost of a vehicle-day.", metavar="NUMBER")
    ] = None,
    currency: Annotated[
        str, typer.Option("--currency", help="Currency of the costs, as it is to be printed.")
    ] = "¤",
    co2_km: Annotated[
        str | None, typer.Option("--co2-km", help="Grams of CO2 a kilometre.", metavar="NUMBER")
    ] = None,
    lang: LangOption = None,
) -> None:
    """Put plans side by side: people, stops, km, hours, cost, CO2, changes against the first."""
    console, words = Console(), words_for(lang)
    prices = Prices(
        currency=currency,
        km=_price(cost_km, "--cost-km"),
        hour=_price(cost_hour, "--cost-hour"),
        day=_price(cost_day, "--cost-day"),
        co2_g_per_km=_price(co2_km, "--co2-km"),
    )
    names = _names(plan_files)
    plans = [(n, *read_plan(p)) for n, p in zip(names, plan_files, strict=True)]
    rows = compare_plans(plans, prices)
    if as_json:
        told = [_plain(row, path, prices) for row, path in zip(rows, plan_files, strict=True)]
        typer.echo(json.dumps({"plans": told}, ensure_ascii=False, indent=1))
        return
    show_compared(console, words, rows, prices)


def show_compared(console: Console, words: Words, rows: Sequence[Compared], prices: Prices) -> None:
    """A table with a column for each plan."""
    table = Table(title=words("compare.title"))
    table.add_column("")
    for row in rows:
        table.add_column(row.name, justify="right", overflow="fold")

    def add(code: str, value: Callable[[Compared], str], **facts: object) -> None:
        table.add_row(words(f"compare.{code}", **facts), *(value(row) for row in rows))

    number = words.number
    add("weeks", lambda r: number(r.weeks))
    add("people", lambda r: number(r.summary.people_reached))
    add("prize", lambda r: number(r.summary.prize_collected))
    add("stops", lambda r: number(r.summary.stops_served))
    add("visits", lambda r: number(r.summary.visits))
    add("km", lambda r: number(r.summary.drive_m / 1000))
    add("driving", lambda r: number(r.summary.drive_s / 3600, 1))
    add("open", lambda r: number(r.summary.open_s / 3600, 1))
    add("work", lambda r: number(r.summary.work_s / 3600, 1))
    add("days", lambda r: number(r.summary.vehicle_days_used))
    if prices.has_cost:
        add("cost", lambda r: _money(words, r.cost), currency=prices.currency)
        add("per_resident", lambda r: _money(words, r.cost_per_resident), currency=prices.currency)
    if prices.co2_g_per_km is not None:
        add("co2", lambda r: _money(words, r.co2_kg))
    add("changes", lambda r: "—" if r.num_changes is None else number(r.num_changes))
    add("violations", lambda r: number(r.num_violations))
    console.print(table)
    if len({row.weeks for row in rows}) > 1:
        console.print(words("compare.other_cycle"), style="yellow")
    if any(row.num_violations for row in rows):
        console.print(words("compare.broken"), style="yellow")


def _money(words: Words, amount: Decimal | None) -> str:
    return "—" if amount is None else words.number(float(amount), 2)


def _price(text: str | None, option: str) -> Decimal | None:
    """A price as it was written, comma or point."""
    if text is None:
        return None
    try:
        price = Decimal(text.strip().replace(",", "."))
    except InvalidOperation as wrong:
        raise InputError("compare.bad_price", option=option, text=text) from wrong
    if not price.is_finite() or price < 0:
        raise InputError("compare.bad_price", option=option, text=text)
    return price


def _names(paths: Sequence[Path]) -> list[str]:
    """Short names that tell files apart: the folder of a ``plan.json``, else the file's stem."""
    short = [p.resolve().parent.name if p.name == "plan.json" else p.stem for p in paths]
    return [
        name if short.count(name) == 1 else str(p) for name, p in zip(short, paths, strict=True)
    ]


def _plain(row: Compared, path: Path, prices: Prices) -> dict[str, object]:
    """A plan's figures as JSON has them; money is text so that no cent is lost."""
    summary = row.summary
    return {
        "name": row.name,
        "file": str(path),
        "weeks": row.weeks,
        "people_reached": summary.people_reached,
        "people_total": summary.people_total,
        "prize_collected": summary.prize_collected,
        "stops_served": summary.stops_served,
        "stops_unserved": summary.stops_unserved,
        "visits": summary.visits,
        "drive_m": summary.drive_m,
        "drive_s": summary.drive_s,
        "open_s": summary.open_s,
        "work_s": summary.work_s,
        "vehicle_days_used": summary.vehicle_days_used,
        "num_changes": row.num_changes,
        "num_violations": row.num_violations,
        "currency": prices.currency if prices.has_cost else None,
        "cost": None if row.cost is None else str(row.cost),
        "cost_per_resident": None if row.cost_per_resident is None else str(row.cost_per_resident),
        "co2_kg": None if row.co2_kg is None else str(row.co2_kg),
    }

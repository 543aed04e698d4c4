"""The command that puts plans side by side."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.common_cli import LangOption, words_for
from api.services.comparing import Compared, compare_plans
from api.show_learned import interval
from api.words import Words
from data.feeds.fuels_file import load_fuels
from data.feeds.plan_file import read_plan
from data.model.calendar import HOUR_S, MINUTE_S
from data.model.costs import Costs
from data.model.demand import PrizeBy
from data.model.errors import InputError
from planner.access import AccessFigures, Group

GROUPS = ("residents", "children", "seniors")
"""Groups of people in the order of the table."""


def compare(
    plan_files: Annotated[list[Path], typer.Argument(metavar="PLAN.json PLAN.json …")],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of a table.")] = False,
    cost_km: Annotated[
        str | None,
        typer.Option("--cost-km", help="Cost of a kilometre; else the region's.", metavar="NUMBER"),
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
        str | None,
        typer.Option("--co2-km", help="Grams of CO2 a kilometre; else by fuel.", metavar="NUMBER"),
    ] = None,
    lang: LangOption = None,
) -> None:
    """Put plans side by side: people, stops, km, hours, cost, CO2, changes against the first."""
    console, words = Console(), words_for(lang)
    costs = Costs(
        currency=currency,
        per_km=_price(cost_km, "--cost-km"),
        per_hour=_price(cost_hour, "--cost-hour"),
        per_day=_price(cost_day, "--cost-day"),
    )
    names = _names(plan_files)
    plans = [(n, *read_plan(p)) for n, p in zip(names, plan_files, strict=True)]
    rows = compare_plans(plans, costs, co2_g_per_km=_price(co2_km, "--co2-km"), fuels=load_fuels())
    if as_json:
        told = [_plain(row, path) for row, path in zip(rows, plan_files, strict=True)]
        typer.echo(json.dumps({"plans": told}, ensure_ascii=False, indent=1))
        return
    show_compared(console, words, rows)


def show_compared(console: Console, words: Words, rows: Sequence[Compared]) -> None:
    """A table with a column for each plan, and below it what its figures rest on."""
    table = Table(title=words("compare.title"))
    table.add_column("")
    for row in rows:
        table.add_column(row.name, justify="right", overflow="fold")

    def add(code: str, value: Callable[[Compared], str], **facts: object) -> None:
        table.add_row(words(f"compare.{code}", **facts), *(value(row) for row in rows))

    number = words.number
    add("weeks", lambda r: number(r.weeks))
    add("people", lambda r: number(r.summary.people_reached))
    for kind in GROUPS:
        if any(kind in row.groups for row in rows):
            add(kind, lambda r, kind=kind: _of(words, r.groups.get(kind)))  # type: ignore[misc]
    by_demand = all(row.prize_by is PrizeBy.DEMAND for row in rows)
    prize = "prize_demand" if by_demand else "prize"
    add(prize, lambda r: number(r.summary.prize_collected))
    if any(row.expected_visits for row in rows):
        add(
            "expected_visits",
            lambda r: "—" if r.expected_visits is None else interval(words, r.expected_visits),
        )
    add("stops", lambda r: number(r.summary.stops_served))
    add("visits", lambda r: number(r.summary.visits))
    add("km", lambda r: number(r.summary.drive_m / 1000))
    add("driving", lambda r: number(r.summary.drive_s / HOUR_S, 1))
    if any(row.buffer_s for row in rows):
        add("buffer", lambda r: number(r.buffer_s / HOUR_S, 1))
    add("open", lambda r: number(r.summary.open_s / HOUR_S, 1))
    if any(row.summary.dwell_added_s for row in rows):
        add("dwell", lambda r: number(r.summary.dwell_added_s / 3600, 1))
    add("work", lambda r: number(r.summary.work_s / HOUR_S, 1))
    add("days", lambda r: number(r.summary.vehicle_days_used))
    if any(row.summary.nights_away for row in rows):
        add("nights", lambda r: number(r.summary.nights_away))
    if any(row.summary.specialist_days for row in rows):
        add("specialist_days", lambda r: number(r.summary.specialist_days))
    currencies = {row.currency for row in rows if row.cost is not None}
    if currencies:
        # Plans of several currencies name each its own.
        shared = currencies.pop() if len(currencies) == 1 else ""
        add("cost", lambda r: _money(words, r.cost, r.currency, shared), currency=shared or "¤")
        add(
            "per_resident",
            lambda r: _money(words, r.cost_per_resident, r.currency, shared),
            currency=shared or "¤",
        )
    if any(row.co2_kg is not None or row.fuels for row in rows):
        add("co2", lambda r: _money(words, r.co2_kg))
    if any(row.access for row in rows):
        add("mean", lambda r: minutes(words, r.access.mean_s if r.access else None))
        add("p90", lambda r: minutes(words, r.access.p90_s if r.access else None))
        add("tenth", lambda r: minutes(words, r.access.worst_tenth_s if r.access else None))
        add("gini", lambda r: _ratio(words, r.access.gini if r.access else None))
        add("worst", lambda r: worst_home(words, r.access))
    add("changes", lambda r: "—" if r.num_changes is None else number(r.num_changes))
    add("violations", lambda r: number(r.num_violations))
    console.print(table)
    _show_remarks(console, words, rows)


def _show_remarks(console: Console, words: Words, rows: Sequence[Compared]) -> None:
    """What the figures rest on and what is wrong with them."""
    if len({row.prize_by for row in rows}) > 1:
        console.print(words("compare.prize_mixed"), style="yellow")
    if any(row.access for row in rows):
        console.print(words("compare.access_told"))
    for fuel in {f.kind: f for row in rows for f in row.fuels}.values():
        told = words(
            "compare.fuel",
            fuel=words(f"fuel.{fuel.kind}"),
            unit=words(f"fuel_unit.{fuel.unit}"),
            grams=words.number(fuel.co2_g or 0),
            source=fuel.source,
            mark=fuel.mark,
        )
        console.print(told, markup=False)
    lacking = sorted({name for row in rows for name in row.without_fuel})
    if lacking and any(row.co2_kg is not None or row.fuels for row in rows):
        console.print(words("compare.no_fuel", vehicles=", ".join(lacking)), markup=False)
    if len({row.weeks for row in rows}) > 1:
        console.print(words("compare.other_cycle"), style="yellow")
    if any(row.num_violations for row in rows):
        console.print(words("compare.broken"), style="yellow")


def minutes(words: Words, seconds: float | None) -> str:
    """Seconds as minutes with one decimal; a dash where they are not known."""
    return "—" if seconds is None else words.number(seconds / MINUTE_S, 1)


def worst_home(words: Words, access: AccessFigures | None) -> str:
    """The settlement that is worst off, with its minutes."""
    if access is None or access.worst_id is None:
        return "—"
    if access.worst_s is None:
        return words("compare.no_way", name=access.worst_name)
    return words("compare.worst_at", name=access.worst_name, min=minutes(words, access.worst_s))


def _ratio(words: Words, value: float | None) -> str:
    return "—" if value is None else words.number(value, 3)


def _of(words: Words, group: Group | None) -> str:
    if group is None:
        return "—"
    share = words.percent(group.served / group.total) if group.total else "—"
    return f"{words.number(group.served)} ({share})"


def _money(words: Words, amount: Decimal | None, currency: str = "", shared: str = "") -> str:
    if amount is None:
        return "—"
    return words.money(float(amount), "" if shared else currency)


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


def _plain(row: Compared, path: Path) -> dict[str, object]:
    """A plan's figures as JSON has them; money is text so that no cent is lost."""
    summary = row.summary
    return {
        "name": row.name,
        "file": str(path),
        "weeks": row.weeks,
        "people_reached": summary.people_reached,
        "people_total": summary.people_total,
        "groups": {kind: asdict(group) for kind, group in row.groups.items()},
        "prize_collected": summary.prize_collected,
        "stops_served": summary.stops_served,
        "stops_unserved": summary.stops_unserved,
        "visits": summary.visits,
        "drive_m": summary.drive_m,
        "drive_s": summary.drive_s,
        "buffer_s": row.buffer_s,
        "prize_by": row.prize_by.value,
        "expected_visits": None if row.expected_visits is None else asdict(row.expected_visits),
        "open_s": summary.open_s,
        "dwell_added_s": summary.dwell_added_s,
        "work_s": summary.work_s,
        "vehicle_days_used": summary.vehicle_days_used,
        "nights_away": summary.nights_away,
        "specialist_days": summary.specialist_days,
        "access": None if row.access is None else asdict(row.access),
        "num_changes": row.num_changes,
        "num_violations": row.num_violations,
        "currency": row.currency if row.cost is not None else None,
        "cost": None if row.cost is None else str(row.cost),
        "cost_per_resident": None if row.cost_per_resident is None else str(row.cost_per_resident),
        "co2_kg": None if row.co2_kg is None else str(row.co2_kg),
        "co2_factors": [asdict(fuel) for fuel in row.fuels],
        "vehicles_without_fuel": list(row.without_fuel),
    }

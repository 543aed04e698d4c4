"""What if a branch becomes a point plus a stop, in words: the same lines on page and terminal."""

from collections.abc import Sequence
from decimal import Decimal

from api.services.coverage_prices import PriceOrigin, Prices
from api.services.coverage_what_if import WhatIf
from api.words import Words
from data.feeds.coverage_table import UNKNOWN, CoverageTable
from data.feeds.workbook import Cell, Column, Kind


def money_told(value: Decimal | None, currency: str, words: Words) -> str:
    """An amount with its currency, never broken in two."""
    if value is None:
        return UNKNOWN
    return f"{words.decimal(float(value), 2)}\N{NO-BREAK SPACE}{words.currency(currency)}".strip()


def summary_table(found: WhatIf, words: Words) -> CoverageTable:
    """People, minutes and money, before and after."""

    def count(value: float | None, digits: int = 0) -> str:
        return UNKNOWN if value is None else words.number(value, digits)

    def money(value: Decimal | None) -> str:
        return money_told(value, found.currency, words)

    lines = [
        ("people", count(found.people), count(found.people)),
        ("library", count(found.library_before), count(found.library_after)),
        ("in_reach", count(found.in_reach_before), count(found.in_reach_after)),
        ("mean", count(found.mean_min_before, 1), count(found.mean_min_after, 1)),
        ("p90", count(found.p90_min_before, 1), count(found.p90_min_after, 1)),
        ("service", UNKNOWN, count(found.service_min)),
        ("km", UNKNOWN, count(found.drive_km, 1)),
        ("work", UNKNOWN, count(found.work_h, 1)),
        ("cost", money(found.branch_cost), money(found.stop_cost)),
    ]
    names = (("what", 52), ("before", 18), ("after", 18))
    notes = [words("coverage.what_if.told")]
    if found.saved is not None:
        notes.append(words("coverage.what_if.saved", money=money(found.saved)))
    if found.stop_cost is None:
        notes.append(words("coverage.what_if.no_costs"))
    if found.branch_cost is None:
        notes.append(words("coverage.what_if.no_branch_cost"))
    if found.is_estimated:
        notes.append(words("coverage.estimated") + " " + words("coverage.estimated.about"))
    return CoverageTable(
        name="what_if",
        title=words(
            "coverage.what_if.title", name=found.library.name or words("map.library_unnamed")
        ),
        columns=tuple(Column(words(f"coverage.col.{n}"), Kind.TEXT, w) for n, w in names),
        rows=tuple((words(f"coverage.what_if.{n}"), a, b) for n, a, b in lines),
        keys=tuple(n for n, _, _ in lines),
        notes=tuple(notes),
    )


def made_table(found: WhatIf, prices: Prices, words: Words) -> CoverageTable:
    """How kilometres, hours and money come about; each amount follows from those above it."""
    rows = [*_driven(found, words), *_paid(found, prices, words)]
    names = (("what", 44), ("reckoning", 60), ("comes_to", 18), ("source", 40))
    return CoverageTable(
        name="made",
        title=words("coverage.what_if.made"),
        columns=tuple(Column(words(f"coverage.col.{n}"), Kind.TEXT, w) for n, w in names),
        rows=tuple((words(f"coverage.made.{key}"), *cells) for key, *cells in rows),
        keys=tuple(key for key, *_ in rows),
    )


type _Made = tuple[str, str, str, str]
"""Key of a row, the reckoning, what it comes to, the source."""


def _driven(found: WhatIf, words: Words) -> list[_Made]:
    asked, legs = found.asked, found.legs
    facts: dict[str, object] = {
        "visits": words.number(asked.visits_28, 2),
        "open": words.number(asked.open_min, 1),
    }
    rows: list[_Made] = [
        (
            "service",
            words("coverage.made.service.sum", **facts),
            words("coverage.made.minutes", value=words.number(found.service_min, 1)),
            "",
        )
    ]
    if legs is None or found.drive_km is None or found.work_h is None:
        return [*rows, ("km", words("coverage.made.no_base"), UNKNOWN, "")]
    facts |= {
        "base": legs.base,
        "out_km": words.number(legs.out_m / 1000, 3),
        "back_km": words.number(legs.back_m / 1000, 3),
        "out": words.number(legs.out_s / 60, 2),
        "back": words.number(legs.back_s / 60, 2),
        "setup": words.number(legs.setup_s / 60, 2),
        "teardown": words.number(legs.teardown_s / 60, 2),
    }
    km = words("coverage.made.in_km", value=words.number(found.drive_km, 3))
    hours = words("coverage.made.in_hours", value=words.number(found.work_h, 3))
    return [
        *rows,
        ("km", words("coverage.made.km.sum", **facts), km, ""),
        ("work", words("coverage.made.work.sum", **facts), hours, ""),
    ]


def _paid(found: WhatIf, prices: Prices, words: Words) -> list[_Made]:
    costs, rows = found.costs, list[_Made]()

    def money(value: Decimal | None) -> str:
        return money_told(value, found.currency, words)

    def source(origins: Sequence[PriceOrigin]) -> str:
        told = []
        for one in origins:
            name = words(f"reports.{one.setting}")
            told.append(f"{name}: {one.source}" if one.source else name)
        return "; ".join(told)

    def exact(value: Decimal) -> str:
        return words.number(float(value), 3)

    if costs.per_km is not None:
        rows.append(("per_km", _km_price(prices, words), exact(costs.per_km), source(prices.of_km)))
    if costs.per_hour is not None:
        rows.append(("per_hour", "", exact(costs.per_hour), source(prices.of_hour)))
    parts = []
    for key, amount, price in (
        ("km_cost", found.drive_km, costs.per_km),
        ("work_cost", found.work_h, costs.per_hour),
    ):
        if amount is None or price is None:
            continue
        part = Decimal(repr(amount)) * price
        parts.append(money(part))
        told = words(f"coverage.made.{key}.sum", value=words.number(amount, 3), price=exact(price))
        rows.append((key, told, parts[-1], ""))
    rows.append(("cost", " + ".join(parts), money(found.stop_cost), ""))
    if found.branch_cost is not None and found.asked.branch_year is not None:
        year = money(found.asked.branch_year)
        told = words("coverage.made.branch.sum", value=year)
        rows.append(("branch", told, money(found.branch_cost), words("coverage.made.given")))
    if found.saved is not None:
        told = f"{money(found.branch_cost)} − {money(found.stop_cost)}"
        rows.append(("saved", told, money(found.saved), ""))
    return rows


def _km_price(prices: Prices, words: Words) -> str:
    """How the price of a kilometre is put together; empty where somebody gave it whole."""
    if not prices.fuels:
        return ""
    uses = [
        words(
            "coverage.made.fuel",
            vehicle=f.vehicle,
            use=words.number(float(f.per_100km), 2),
            price=words.number(float(f.price), 2),
        )
        for f in prices.fuels
    ]
    told = words("coverage.made.fuels", uses=" + ".join(uses), vehicles=words.number(len(uses)))
    if prices.fixed_km is not None:
        told += words("coverage.made.wear", price=words.number(float(prices.fixed_km), 3))
    return told


def changed_table(found: WhatIf, words: Words) -> CoverageTable:
    """The settlements whom it concerns."""
    names: tuple[tuple[str, Kind, int], ...] = (
        ("name", Kind.TEXT, 26),
        ("people", Kind.COUNT, 10),
        ("before", Kind.TEXT, 30),
        ("after", Kind.TEXT, 30),
        ("minutes_before", Kind.NUMBER, 14),
        ("minutes_after", Kind.NUMBER, 14),
        ("metres", Kind.COUNT, 14),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            line.settlement.name,
            words("table.unknown")
            if line.settlement.population is None
            else line.settlement.population,
            words(f"coverage.reach.{line.before}"),
            words(f"coverage.reach.{line.after}"),
            line.minutes_before,
            line.minutes_after,
            line.stop_metres,
        )
        for line in found.changed
    ]
    return CoverageTable(
        name="changed",
        title=words("coverage.what_if.changed"),
        columns=tuple(Column(words(f"coverage.col.{n}"), k, w) for n, k, w in names),
        rows=tuple(rows),
        keys=tuple(str(line.settlement.settlement_id) for line in found.changed),
    )

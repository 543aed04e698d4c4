"""What if a branch becomes a point plus a stop, in words: the same lines on page and terminal."""

from decimal import Decimal

from api.services.coverage_what_if import WhatIf
from api.words import Words
from data.feeds.coverage_table import UNKNOWN, CoverageTable
from data.feeds.workbook import Cell, Column, Kind


def summary_table(found: WhatIf, words: Words) -> CoverageTable:
    """People, minutes and money, before and after."""

    def count(value: float | None, digits: int = 0) -> str:
        return UNKNOWN if value is None else words.number(value, digits)

    def money(value: Decimal | None) -> str:
        if value is None:
            return UNKNOWN
        return f"{words.number(float(value), 2)} {found.currency}".strip()

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
        notes=tuple(notes),
    )


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
    )

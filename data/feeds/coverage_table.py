"""Figures of access coverage as tables: for pages, printed reports and workbooks alike.

A table is made once, with typed cells; a page tells them as text (``told``), a workbook keeps them
as numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from data.feeds.workbook import Cell, Column, Kind
from data.model.calendar import MINUTE_S
from data.model.coverage import Coverage, Reach
from data.model.coverage_count import Count, Cut, Row, groups_of, rows_of, total_of
from data.model.coverage_equity import equity_of
from data.model.labels import Labels
from data.model.weighted import Floats

UNKNOWN = "—"
_DECIMALS = {Kind.NUMBER: 1, Kind.FINE: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageTable:
    """A table of figures; ``keys[i]`` says what row ``i`` tells: a class, a group, a settlement."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    keys: tuple[str, ...] = ()
    cut: Cut | None = None
    notes: tuple[str, ...] = ()


def told(cell: Cell, kind: Kind, label: Labels) -> str:
    """A cell as people read it."""
    if cell is None or cell == "":
        return UNKNOWN
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool) or kind is Kind.FLAG:
        return label("table.yes" if cell else "table.no")
    if isinstance(cell, date):
        return label.day(cell)
    if kind in _DECIMALS:
        return label.decimal(cell, _DECIMALS[kind])
    return label.number(cell)


def summary_table(coverage: Coverage, label: Labels) -> CoverageTable:
    """The whole region: what is in reach, before and after."""
    total = total_of(coverage)
    rows: list[tuple[Cell, ...]] = []
    for reach in reversed(Reach):
        before, after = total.before[reach], total.after[reach]
        rows.append(
            (
                label(f"coverage.reach.{reach}"),
                before.settlements,
                before.people,
                _share(before.people, total),
                after.settlements,
                after.people,
                _share(after.people, total),
            )
        )
    covered = [total.covered(is_after=is_after) for is_after in (False, True)]
    both: list[Cell] = [label("coverage.in_reach")]
    for count in covered:
        both += [count.settlements, count.people, _share(count.people, total)]
    notes = []
    if total.total.unknown:
        notes.append(label.count("coverage.unknown_population", total.total.unknown))
    return CoverageTable(
        name="reach",
        title=label("coverage.table.reach"),
        columns=columns_of(
            label,
            ("reach", Kind.TEXT, 44),
            ("settlements_before", Kind.COUNT, 14),
            ("people_before", Kind.COUNT, 14),
            ("share_before", Kind.NUMBER, 12),
            ("settlements_after", Kind.COUNT, 14),
            ("people_after", Kind.COUNT, 14),
            ("share_after", Kind.NUMBER, 12),
        ),
        rows=(tuple(both), *rows),
        keys=("covered", *(r.value for r in reversed(Reach))),
        notes=tuple(notes),
    )


def cut_table(
    coverage: Coverage, cut: Cut, label: Labels, municipalities: Mapping[str, str]
) -> CoverageTable:
    """Settlements and people by class, in reach before and after."""
    found = rows_of(coverage, cut)
    return CoverageTable(
        name=cut.value,
        title=label(f"coverage.table.{cut}"),
        columns=columns_of(
            label,
            (cut.value, Kind.TEXT, 36),
            ("settlements", Kind.COUNT, 14),
            ("people", Kind.COUNT, 12),
            ("people_before", Kind.COUNT, 14),
            ("share_before", Kind.NUMBER, 12),
            ("people_after", Kind.COUNT, 14),
            ("share_after", Kind.NUMBER, 12),
            ("gained", Kind.COUNT, 12),
            ("left", Kind.COUNT, 14),
        ),
        rows=tuple(_cut_row(row, cut, label, municipalities) for row in found),
        keys=tuple(row.key for row in found),
        cut=cut,
    )


def _cut_row(
    row: Row, cut: Cut, label: Labels, municipalities: Mapping[str, str]
) -> tuple[Cell, ...]:
    before, after = row.covered(is_after=False), row.covered(is_after=True)
    return (
        class_name(row, cut, label, municipalities),
        row.total.settlements,
        row.total.people,
        before.people,
        _share(before.people, row),
        after.people,
        _share(after.people, row),
        row.gained,
        row.after[Reach.NONE].settlements,
    )


def class_name(row: Row, cut: Cut, label: Labels, municipalities: Mapping[str, str]) -> str:
    """A class in words: a municipality's name, "100 to 499 people" …"""
    if cut is Cut.MUNICIPALITY:
        return municipalities.get(row.key, row.key) or label("coverage.no_municipality")
    if not row.key:
        return label(f"coverage.class.{cut}.none")
    if cut is Cut.RHYTHM:
        return label(f"coverage.rhythm.{row.key}")
    low = None if row.low is None else label.number(row.low)
    if row.high is None:
        return label(f"coverage.class.{cut}.from", low=low)
    # Whole people: the class ends one below the next.
    high = label.number(row.high - 1 if cut is Cut.SIZE else row.high)
    if low is None:
        return label(f"coverage.class.{cut}.to", high=high)
    return label(f"coverage.class.{cut}.between", low=low, high=high)


def groups_table(coverage: Coverage, label: Labels) -> CoverageTable:
    """Age groups and people with a disability, as far as the region's data tell them."""
    rows, unknown, keys = [], [], []
    for group in groups_of(coverage):
        name = label(f"coverage.group.{group.group}")
        if not group.is_known:
            unknown.append(name)
            continue
        keys.append(group.group.value)
        before, after = (100 * n / group.total for n in (group.covered_before, group.covered_after))
        rows.append(
            (name, group.total, group.covered_before, before, group.covered_after, after,
             group.num_unknown)
        )  # fmt: skip
    notes = (label("coverage.groups_unknown", groups=", ".join(unknown)),) if unknown else ()
    return CoverageTable(
        name="groups",
        title=label("coverage.table.groups"),
        columns=columns_of(
            label,
            ("group", Kind.TEXT, 32),
            ("people", Kind.COUNT, 12),
            ("people_before", Kind.COUNT, 14),
            ("share_before", Kind.NUMBER, 12),
            ("people_after", Kind.COUNT, 14),
            ("share_after", Kind.NUMBER, 12),
            ("untold", Kind.COUNT, 18),
        ),
        rows=tuple(rows),
        keys=tuple(keys),
        notes=notes,
    )


def equity_table(coverage: Coverage, label: Labels, weights: Floats | None) -> CoverageTable:
    """How evenly the time to a library or stop is spread: mean, P90, worst tenth, Gini."""
    rows, keys = [], []
    for one in equity_of(coverage, weights):
        keys.append(f"{one.whom}/{'after' if one.is_after else 'before'}")
        times = (one.mean_s, one.p90_s, one.worst_tenth_s)
        rows.append(
            (
                label(f"coverage.group.{one.whom}"),
                label("coverage.after" if one.is_after else "coverage.before"),
                *(None if t is None else round(t / MINUTE_S, 1) for t in times),
                one.gini,
            )
        )
    return CoverageTable(
        name="equity",
        title=label("coverage.table.equity"),
        columns=columns_of(
            label,
            ("group", Kind.TEXT, 32),
            ("when", Kind.TEXT, 12),
            ("mean", Kind.NUMBER, 14),
            ("p90", Kind.NUMBER, 14),
            ("tenth", Kind.NUMBER, 18),
            ("gini", Kind.FINE, 12),
        ),
        rows=tuple(rows),
        keys=tuple(keys),
        notes=(label("coverage.equity_told"),),
    )


def all_tables(
    coverage: Coverage, label: Labels, municipalities: Mapping[str, str], weights: Floats | None
) -> tuple[CoverageTable, ...]:
    """Every table of figures, in the order of a report."""
    return (
        summary_table(coverage, label),
        *(cut_table(coverage, cut, label, municipalities) for cut in Cut),
        groups_table(coverage, label),
        equity_table(coverage, label, weights),
    )


def columns_of(label: Labels, *named: tuple[str, Kind, int]) -> tuple[Column, ...]:
    """Columns by their codes, with kinds and widths."""
    return tuple(Column(label(f"coverage.col.{n}"), kind, width) for n, kind, width in named)


def _share(people: int, row: Row) -> float | None:
    total: Count = row.total
    return 100 * people / total.people if total.people else None

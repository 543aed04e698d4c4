"""Access coverage in figures: by municipality, size, distance, rhythm and group."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from data.model.coverage import NOWHERE, REACHES, Coverage, Group, Reach, Rhythm, rhythm_of
from data.model.weighted import Floats


class Cut(StrEnum):
    """By what people are told apart."""

    MUNICIPALITY = "municipality"
    SIZE = "size"
    LIBRARY = "library"
    """By road minutes to the nearest library."""
    WALK = "walk"
    """By metres to the nearest stop after the plan."""
    RHYTHM = "rhythm"
    """By how often the stop in reach is visited after the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Settlements and their people; those of unknown population are counted apart."""

    settlements: int
    people: int
    unknown: int = 0
    """Settlements among them of which the population is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One class of a cut: all who belong to it, and what they have in reach.

    ``key`` is the municipality, the number of the class, or the rhythm; empty where it is not
    known. ``low`` and ``high`` are the edges of a class, ``None`` where it is open.
    """

    key: str
    total: Count
    before: Mapping[Reach, Count]
    after: Mapping[Reach, Count]
    low: float | None = None
    high: float | None = None

    def covered(self, *, is_after: bool) -> Count:
        """Who has a library, known or assumed, or a stop in reach."""
        side = self.after if is_after else self.before
        parts = [count for reach, count in side.items() if reach is not Reach.NONE]
        return Count(
            settlements=sum(c.settlements for c in parts),
            people=sum(c.people for c in parts),
            unknown=sum(c.unknown for c in parts),
        )

    def ratio(self, *, is_after: bool) -> float | None:
        """People in reach to all people of known number; ``None`` where there are none."""
        total = self.total.people
        return self.covered(is_after=is_after).people / total if total else None

    @property
    def gained(self) -> int:
        """People whom the plan brings into reach; below zero where it takes them away."""
        return self.covered(is_after=True).people - self.covered(is_after=False).people


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """People of one group: how many are in reach, of those whose number is known."""

    group: Group
    total: int
    covered_before: int
    covered_after: int
    num_unknown: int
    """Inhabited settlements that do not tell the group."""

    @property
    def is_known(self) -> bool:
        return self.total > 0


def class_of(values: Floats, edges: Sequence[float]) -> NDArray[np.int64]:
    """Number of each value's class, ``NOWHERE`` for ``nan``; an edge begins the class above."""
    found = np.searchsorted(np.asarray(edges, np.float64), values, side="right").astype(np.int64)
    return np.where(np.isnan(values), NOWHERE, found)


def keys_of(coverage: Coverage, cut: Cut) -> list[str]:
    """The class of every settlement, as text; empty where it is not known or has none."""
    params = coverage.params
    match cut:
        case Cut.MUNICIPALITY:
            return [str(s.municipality_id or "") for s in coverage.settlements]
        case Cut.RHYTHM:
            within = coverage.stops_after.metres <= params.metres
            visits = np.where(within, coverage.stops_after.visits_28, 0.0)
            return [(rhythm_of(v) or "") for v in visits.tolist()]
        case Cut.SIZE:
            numbers = class_of(coverage.people[Group.RESIDENTS], params.size_edges)
        case Cut.LIBRARY:
            seconds = coverage.library.seconds
            minutes = np.where(seconds == NOWHERE, np.nan, seconds / 60)
            # Thirty minutes are within thirty minutes: the edge belongs to the class below.
            numbers = class_of(minutes, np.nextafter(np.array(params.minute_edges), np.inf))
        case Cut.WALK:
            metres = coverage.stops_after.metres
            known = np.where(np.isinf(metres), np.nan, metres)
            numbers = class_of(known, np.nextafter(np.array(params.metre_edges), np.inf))
    return ["" if n == NOWHERE else str(n) for n in numbers.tolist()]


def rows_of(coverage: Coverage, cut: Cut) -> tuple[Row, ...]:
    """The figures of a cut; classes without a settlement are left out."""
    keys = keys_of(coverage, cut)
    order = _order(cut, keys)
    place = {key: i for i, key in enumerate(order)}
    index = np.array([place[key] for key in keys], np.int64)
    edges: tuple[float, ...] = {
        Cut.SIZE: tuple(float(e) for e in coverage.params.size_edges),
        Cut.LIBRARY: coverage.params.minute_edges,
        Cut.WALK: coverage.params.metre_edges,
    }.get(cut, ())
    tables = _tables(coverage, index, len(order))
    rows = []
    for i, key in enumerate(order):
        total, before, after = (table(i) for table in tables)
        if not total[None].settlements:
            continue
        low, high = _edges(key, edges)
        rows.append(
            Row(
                key=key,
                total=total[None],
                before={r: before[r] for r in REACHES},
                after={r: after[r] for r in REACHES},
                low=low,
                high=high,
            )
        )
    return tuple(rows)


def total_of(coverage: Coverage) -> Row:
    """The whole region as one row."""
    index = np.zeros(len(coverage.settlements), np.int64)
    total, before, after = (table(0) for table in _tables(coverage, index, 1))
    return Row(
        key="",
        total=total[None],
        before={r: before[r] for r in REACHES},
        after={r: after[r] for r in REACHES},
    )


type _Table = Callable[[int], Mapping[Reach | None, Count]]


def _tables(coverage: Coverage, index: NDArray[np.int64], size: int) -> tuple[_Table, ...]:
    """Counts by class: of all, by reach before, by reach after."""
    counts = coverage.is_inhabited
    people = coverage.people[Group.RESIDENTS]
    known = np.where(np.isnan(people), 0.0, people)
    unknown = np.isnan(people).astype(np.float64)

    def table(side: NDArray[np.int8] | None) -> _Table:
        width = 1 if side is None else len(REACHES)
        cell = index * width + (0 if side is None else side)
        sums = [
            np.bincount(cell[counts], weights[counts], size * width).round().astype(np.int64)
            for weights in (np.ones(len(people)), known, unknown)
        ]
        names: Sequence[Reach | None] = (None,) if side is None else REACHES

        def of(row: int) -> Mapping[Reach | None, Count]:
            return {
                name: Count(
                    settlements=int(sums[0][row * width + j]),
                    people=int(sums[1][row * width + j]),
                    unknown=int(sums[2][row * width + j]),
                )
                for j, name in enumerate(names)
            }

        return of

    return table(None), table(coverage.before), table(coverage.after)


def _order(cut: Cut, keys: Sequence[str]) -> list[str]:
    """Keys in the order of a table; what is not known comes last."""
    found = set(keys)
    ordered: list[str]
    if cut is Cut.RHYTHM:
        ordered = [str(r.value) for r in Rhythm if r.value in found]
    elif cut is Cut.MUNICIPALITY:
        ordered = [key for key in dict.fromkeys(keys) if key]
    else:
        ordered = sorted((key for key in found if key), key=int)
    return [*ordered, ""] if "" in found else ordered


def _edges(key: str, edges: Sequence[float]) -> tuple[float | None, float | None]:
    if not key or not edges:
        return None, None
    number = int(key)
    low = edges[number - 1] if number else None
    return low, edges[number] if number < len(edges) else None


def groups_of(coverage: Coverage) -> tuple[GroupRow, ...]:
    """Every group's people in reach; a group that no settlement tells has a total of 0."""
    counts = coverage.is_inhabited
    none = REACHES.index(Reach.NONE)
    rows = []
    for group, people in coverage.people.items():
        known = np.where(np.isnan(people), 0.0, people)
        rows.append(
            GroupRow(
                group=group,
                total=round(float(known[counts].sum())),
                covered_before=round(float(known[counts & (coverage.before != none)].sum())),
                covered_after=round(float(known[counts & (coverage.after != none)].sum())),
                num_unknown=int(np.isnan(people)[counts].sum()),
            )
        )
    return tuple(rows)

"""What stands behind figures of a coverage that no list of settlements tells by itself.

Equity: every settlement by its access time, with its part in each sum. Open minutes: the stops in
reach of a settlement, and the settlements that share a stop.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from api.words import Words
from data.feeds.coverage_table import CoverageTable, columns_of
from data.feeds.workbook import Cell, Kind
from data.model.calendar import MINUTE_S
from data.model.coverage import Coverage, Group, ServedStop, StopReach
from data.model.coverage_equity import WORST_SHARE, EquityLine, EquityLines, Whom
from data.model.errors import NotFoundError
from data.model.place import Settlement


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityTold:
    """The figures of some people in one language, as sums that can be reckoned again."""

    found: EquityLines
    coverage: Coverage
    words: Words

    @property
    def has_parts(self) -> bool:
        """Whether people are told in parts, because the region weighs them."""
        return self.found.whom is Whom.WEIGHTED

    def people(self, value: float) -> str:
        """People of a sum; whole ones where nobody is weighed."""
        return self.words.number(value, 1)

    def sums(self) -> Mapping[str, str]:
        """Each figure with the sum that it comes from."""
        words, figures, lines = self.words, self.found.figures, self.found.lines
        whole = self.found.people
        if figures.mean_s is None:
            return {"mean": words("coverage.equity.no_way")} | self._p90()
        tenth = [line for line in lines if line.worst]
        worst_min = sum(line.worst * line.seconds for line in tenth) / MINUTE_S
        parts = sum(line.gini_part or 0.0 for line in lines)
        told = {
            "mean": words(
                "coverage.equity.mean",
                product=words.number(sum(x.person_s for x in lines) / MINUTE_S, 1),
                people=self.people(whole),
                value=self.minutes(figures.mean_s),
            )
        }
        told |= self._p90()
        told["tenth"] = words(
            "coverage.equity.tenth",
            people=self.people(whole * WORST_SHARE),
            settlements=words.number(len(tenth)),
            product=words.number(worst_min, 1),
            value=self.minutes(figures.worst_tenth_s),
        )
        code = "gini" if any(line.gini_part is not None for line in lines) else "gini_none"
        told["gini"] = words(
            f"coverage.equity.{code}",
            parts=words.decimal(parts, 5),
            value=words.decimal(figures.gini or 0.0, 3),
        )
        return told

    def _p90(self) -> dict[str, str]:
        line = next(x for x in self.found.lines if x.is_p90)
        told = self.words(
            "coverage.equity.p90" if np.isfinite(line.seconds) else "coverage.equity.p90_no_way",
            people=self.people(self.found.people),
            share=self.people(self.found.people * (1 - WORST_SHARE)),
            name=self.place(line).name,
            value=self.minutes(line.seconds),
        )
        return {"p90": told}

    def minutes(self, seconds: float | None) -> str:
        """Minutes as the table of figures tells them."""
        if seconds is None or not np.isfinite(seconds):
            return "—"
        return self.words.number(round(seconds / MINUTE_S, 1), 1)

    @staticmethod
    def has_way(line: EquityLine) -> bool:
        """Whether any road or path leads from there."""
        return bool(np.isfinite(line.seconds))

    def place(self, line: EquityLine) -> Settlement:
        """The settlement of a line."""
        return self.coverage.settlements[line.row]

    def way(self, line: EquityLine) -> str:
        """How the time is spent: by road to a library, or on foot to a stop."""
        if line.is_walk:
            side = self.coverage.stops_after if self.found.is_after else self.coverage.stops_before
            metres = round(float(side.metres[line.row]))
            return self.words(
                "coverage.equity.way.walk" if metres else "coverage.equity.way.stop_here",
                name=side.stops[side.nearest[line.row]].name,
                metres=self.words.number(metres),
            )
        return library_way(self.coverage, line.row, self.words)

    def start_of(self, figure: str, page: int) -> int:
        """Where the page of lines begins on which a figure is found."""
        lines = self.found.lines
        if figure == "p90":
            at = next(i for i, line in enumerate(lines) if line.is_p90)
        elif figure == "tenth":
            at = next(i for i, line in enumerate(lines) if line.worst)
        else:
            at = 0
        return at - at % page

    def table(self) -> CoverageTable:
        """All lines as a sheet."""
        rows: list[tuple[Cell, ...]] = []
        whole, passed = self.found.people, 0.0
        for number, line in enumerate(self.found.lines, start=1):
            passed += line.people
            has_way = self.has_way(line)
            rows.append(
                (
                    number,
                    self.place(line).name,
                    self.way(line),
                    line.seconds / MINUTE_S if has_way else None,
                    line.people,
                    passed,
                    100 * passed / whole,
                    line.person_s / MINUTE_S if has_way else None,
                    line.worst,
                    line.lorenz,
                    line.gini_part,
                )
            )
        return CoverageTable(
            name="equity_lines",
            title=self.words("coverage.table.equity"),
            columns=columns_of(
                self.words,
                ("place", Kind.COUNT, 6),
                ("name", Kind.TEXT, 26),
                ("way", Kind.TEXT, 44),
                ("access_min", Kind.NUMBER, 12),
                ("people", Kind.COUNT, 12),
                ("people_sum", Kind.COUNT, 16),
                ("people_share", Kind.NUMBER, 16),
                ("person_min", Kind.NUMBER, 16),
                ("worst", Kind.NUMBER, 16),
                ("lorenz", Kind.FINE, 16),
                ("gini_part", Kind.FINE, 16),
            ),
            rows=tuple(rows),
        )


def library_way(coverage: Coverage, row: int, words: Words) -> str:
    """The way by road to the nearest library of a settlement."""
    reach = coverage.library
    if not np.isfinite(coverage.library_s[row]):
        return words("coverage.equity.way.none")
    library = reach.libraries[reach.nearest[row]]
    here = "" if reach.metres[row] else "_here"
    return words(
        f"coverage.equity.way.road{here}",
        name=library.name or words("map.library_unnamed"),
        km=words.number(float(reach.metres[row]) / 1000, 1),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedStop:
    """A stop in reach of a settlement: its open time is shared by all who have it in reach."""

    stop: ServedStop
    number: int
    """Of the stop among those that are visited."""
    away_m: float
    people: float
    per_1000: float | None
    """Minutes for 1,000 people in four weeks; ``None`` where nobody is known to share it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharer:
    """A settlement that has a stop in reach."""

    settlement: Settlement
    away_m: float


def stops_shared(coverage: Coverage, settlement_id: str) -> tuple[Settlement, list[SharedStop]]:
    """The stops in reach of a settlement, the nearest first; their ``per_1000`` add up to its own.

    Raises
    ------
    NotFoundError
        ``thing.unknown``.
    """
    places = coverage.settlements
    row = next((i for i, s in enumerate(places) if s.settlement_id == settlement_id), None)
    if row is None:
        raise NotFoundError("thing.unknown", kind="settlement", key=settlement_id[:120])
    reach = coverage.stops_after
    found = []
    for pair in np.flatnonzero(reach.home == row).tolist():
        number = int(reach.stop[pair])
        stop, people = reach.stops[number], _sharing(coverage, reach, number)
        found.append(
            SharedStop(
                stop=stop,
                number=number,
                away_m=float(reach.away_m[pair]),
                people=people,
                per_1000=1000 * stop.open_min_28 / people if people else None,
            )
        )
    return places[row], sorted(found, key=lambda one: one.away_m)


def sharers(coverage: Coverage, stop_id: str) -> tuple[ServedStop, list[Sharer]]:
    """The settlements that have a stop in reach, the nearest first.

    Raises
    ------
    NotFoundError
        ``thing.unknown``.
    """
    reach = coverage.stops_after
    number = next((i for i, s in enumerate(reach.stops) if s.stop_id == stop_id), None)
    if number is None:
        raise NotFoundError("thing.unknown", kind="stop", key=stop_id[:120])
    pairs = np.flatnonzero(reach.stop == number).tolist()
    found = [
        Sharer(
            settlement=coverage.settlements[int(reach.home[pair])],
            away_m=float(reach.away_m[pair]),
        )
        for pair in pairs
    ]
    return reach.stops[number], sorted(found, key=lambda one: one.away_m)


def _sharing(coverage: Coverage, reach: StopReach, number: int) -> float:
    people = np.nan_to_num(coverage.people[Group.RESIDENTS])
    return float(people[reach.home[reach.stop == number]].sum())

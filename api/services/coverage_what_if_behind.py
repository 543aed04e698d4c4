"""The settlements behind a figure of what if: whom it counts, or whose time it tells."""

from dataclasses import dataclass

import numpy as np

from api.services.coverage_behind import library_way
from api.services.coverage_what_if import WhatIf
from api.words import Words
from data.model.calendar import MINUTE_S
from data.model.coverage import REACHES, Coverage, Group, Reach
from data.model.coverage_equity import time_lines
from data.model.errors import NotFoundError
from data.model.place import Settlement
from data.model.weighted import weighted_mean, weighted_percentile

LEAST = {"library": Reach.ASSUMED, "in_reach": Reach.STOP}
"""What a settlement has at least, to be counted by a figure."""
TIMES = ("mean", "p90")


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """A settlement's part; people of unknown number add nothing."""

    settlement: Settlement
    people: float
    people_sum: float
    """With those of all lines above."""
    way: str
    minutes: float | None
    reach: Reach
    was: Reach | None
    """What it has on the other side, where that differs."""
    is_p90: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureBehind:
    """A figure with its lines; ``sums`` say in words how it comes about."""

    figure: str
    title: str
    sums: tuple[str, ...]
    rows: tuple[Behind, ...]
    is_time: bool


def what_if_behind(found: WhatIf, figure: str, *, is_after: bool, words: Words) -> FigureBehind:
    """The lines of a figure, with the branch (before) or without it.

    Raises
    ------
    NotFoundError
        ``coverage.what_if.unknown``.
    """
    if figure in TIMES:
        return _time(found, figure, is_after=is_after, words=words)
    if figure not in LEAST:
        raise NotFoundError("coverage.what_if.unknown", value=figure[:40])
    side, other = (found.after, found.before) if is_after else (found.before, found.after)
    people = np.nan_to_num(side.people[Group.RESIDENTS])
    counts = np.flatnonzero((side.after >= REACHES.index(LEAST[figure])) & side.is_inhabited)
    order = sorted(counts.tolist(), key=lambda row: -people[row])
    sums = np.cumsum(people[order])
    title = words(f"coverage.what_if.lines.{figure}")
    return FigureBehind(
        figure=figure,
        title=title,
        sums=(words("coverage.among.sum.population", people=words.number(float(sums[-1]))),)
        if order
        else (),
        rows=tuple(
            _line(side, other, row, float(people[row]), float(total), words)
            for row, total in zip(order, sums.tolist(), strict=True)
        ),
        is_time=False,
    )


def _time(found: WhatIf, figure: str, *, is_after: bool, words: Words) -> FigureBehind:
    side, other = (found.after, found.before) if is_after else (found.before, found.after)
    rows = np.array(found.rows, np.int64)
    people = np.nan_to_num(side.people[Group.RESIDENTS])[rows]
    seconds = side.library_s[rows]
    lines = time_lines(seconds, np.zeros(len(rows), np.bool_), people) if people.sum() > 0 else ()
    told = []
    total = float(people.sum())
    mean, p90 = weighted_mean(seconds, people), weighted_percentile(seconds, people, 0.9)
    if mean is not None:
        told.append(
            words(
                "coverage.equity.mean",
                product=words.number(sum(x.person_s for x in lines) / MINUTE_S, 1),
                people=words.number(total),
                value=words.number(mean / MINUTE_S, 1),
            )
        )
    elif lines:
        told.append(words("coverage.equity.no_way"))
    if p90 is not None:
        at = next(x for x in lines if x.is_p90)
        told.append(
            words(
                "coverage.equity.p90",
                people=words.number(total),
                share=words.number(0.9 * total, 1),
                name=side.settlements[rows[at.row]].name,
                value=words.number(p90 / MINUTE_S, 1),
            )
        )
    return FigureBehind(
        figure=figure,
        title=words("coverage.what_if.lines.time"),
        sums=tuple(told),
        rows=tuple(
            _line(side, other, int(rows[x.row]), x.people, x.people_before + x.people, words,
                  is_p90=x.is_p90)
            for x in lines
        ),
        is_time=True,
    )  # fmt: skip


def _line(
    side: Coverage,
    other: Coverage,
    row: int,
    people: float,
    people_sum: float,
    words: Words,
    *,
    is_p90: bool = False,
) -> Behind:
    seconds = float(side.library_s[row])
    was = REACHES[other.after[row]]
    reach = REACHES[side.after[row]]
    return Behind(
        settlement=side.settlements[row],
        people=people,
        people_sum=people_sum,
        way=library_way(side, row, words),
        minutes=seconds / MINUTE_S if np.isfinite(seconds) else None,
        reach=reach,
        was=None if was is reach else was,
        is_p90=is_p90,
    )

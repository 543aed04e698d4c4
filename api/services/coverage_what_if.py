"""What if a branch becomes a library point plus a bookmobile stop: people, minutes, money.

A point lends what it holds, but is no library: it counts for nobody's access. The bookmobile's
money is that of an out-and-back drive from the nearest base with the time at the stop, which is
the most that the stop costs; as a part of a round it costs less.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np

from api.progress import Ticker
from api.services.coverage import cover_region
from api.services.needs import placed_libraries
from data.model.calendar import HOUR_S, MINUTE_S
from data.model.costs import Costs
from data.model.coverage import (
    DAYS_28,
    NOWHERE,
    REACHES,
    Coverage,
    CoverageParams,
    Group,
    Reach,
    ServedStop,
)
from data.model.errors import InputError
from data.model.place import Library, Settlement, StopId
from data.model.region import Region
from data.model.travel import UNREACHABLE
from data.model.weighted import weighted_mean, weighted_percentile
from maps.roads import Position, Roads

_CENT = Decimal("0.01")
DAYS_YEAR = 365
VISITS_MOST, OPEN_MOST = 28.0, 600.0
_LISTED = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfAsked:
    """The branch and the stop in its place.

    ``visits_28`` are stop visits in four weeks, ``open_min`` the doors' time at each;
    ``branch_year`` is what the branch costs in a year, ``None`` where not known.
    """

    library_id: str
    visits_28: float = 1.0
    open_min: float = 60.0
    branch_year: Decimal | None = None

    def __post_init__(self) -> None:
        limits = (("visits", self.visits_28, VISITS_MOST), ("open", self.open_min, OPEN_MOST))
        for name, value, most in limits:
            if not 0 <= value <= most:
                raise InputError("coverage.limit", field=name, value=value, limit=f"{most:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A settlement for which the branch was the nearest library, or whose access changes."""

    settlement: Settlement
    before: Reach
    after: Reach
    minutes_before: float | None
    minutes_after: float | None
    """By road to the nearest library."""
    stop_metres: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Legs:
    """One drive out and back from the nearest base, with what is done at the stop."""

    base: str
    out_s: int
    out_m: int
    back_s: int
    back_m: int
    setup_s: int
    teardown_s: int
    open_min: float

    @property
    def km(self) -> float:
        """Of one stop visit."""
        return (self.out_m + self.back_m) / 1000

    @property
    def hours(self) -> float:
        """Of one stop visit, from the base to the base."""
        at_stop_s = self.open_min * MINUTE_S + self.setup_s + self.teardown_s
        return (self.out_s + self.back_s + at_stop_s) / HOUR_S


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """What changes in four weeks; ``None`` is not known. Money is in ``currency``."""

    library: Library
    asked: WhatIfAsked
    changed: tuple[Changed, ...]
    people: int
    """Residents of the settlements that change, as far as known."""
    in_reach_before: int
    in_reach_after: int
    """Of the whole region's people."""
    library_before: int
    library_after: int
    """People with a library in reach, known or assumed."""
    mean_min_before: float | None
    mean_min_after: float | None
    p90_min_before: float | None
    p90_min_after: float | None
    """Minutes by road to a library of the people whom it concerns."""
    service_min: float
    """Minutes of open doors in four weeks."""
    drive_km: float | None
    work_h: float | None
    stop_cost: Decimal | None
    branch_cost: Decimal | None
    currency: str
    is_estimated: bool
    legs: Legs | None
    """``None`` where no road leads from any base."""
    costs: Costs
    before: Coverage
    after: Coverage
    """All the region, with the branch and without it; ``after`` of each is the side to read."""
    rows: tuple[int, ...]
    """Places in both of the settlements that change."""

    @property
    def saved(self) -> Decimal | None:
        """Money left over in four weeks; below zero where the stop costs more."""
        if self.stop_cost is None or self.branch_cost is None:
            return None
        return self.branch_cost - self.stop_cost


def branch_of(region: Region, library_id: str, on: date) -> tuple[Library, Position]:
    """An open library and where it stands.

    Raises
    ------
    InputError
        ``coverage.no_branch``.
    """
    libraries, places = placed_libraries(region, on)
    for library, place in zip(libraries, places, strict=True):
        if library.library_id == library_id:
            return library, place
    known = ", ".join(str(lib.library_id) for lib in libraries[:_LISTED])
    more = ", …" if len(libraries) > _LISTED else ""
    raise InputError("coverage.no_branch", library=library_id[:80], known=known + more)


def what_if(
    region: Region,
    roads: Roads,
    asked: WhatIfAsked,
    *,
    on: date,
    params: CoverageParams,
    stops: Sequence[ServedStop],
    costs: Costs,
    tick: Ticker,
) -> WhatIf:
    """Close a branch in thought and let the bookmobile come to its door.

    Raises
    ------
    InputError
        ``coverage.no_branch``.
    """
    library, place = branch_of(region, asked.library_id, on)
    before = cover_region(region, roads, on=on, tick=tick, after=stops, params=params)
    others = tuple(lib for lib in region.libraries if lib.library_id != library.library_id)
    stop = ServedStop(
        stop_id=StopId(f"what-if-{library.library_id}"),
        name=library.name,
        lon=place[0],
        lat=place[1],
        visits_28=asked.visits_28,
        open_min_28=asked.visits_28 * asked.open_min,
    )
    comes = (*stops, stop) if asked.visits_28 else tuple(stops)
    without = replace(region, libraries=others)
    after = cover_region(without, roads, on=on, tick=tick, after=comes, params=params)
    rows = _rows(before, after, library)
    legs = _legs(region, roads, place, asked)
    drive_km = None if legs is None else asked.visits_28 * legs.km
    work_h = None if legs is None else asked.visits_28 * legs.hours
    branch = asked.branch_year
    return WhatIf(
        library=library,
        asked=asked,
        changed=tuple(_changed(before, after, row) for row in rows),
        people=round(float(np.nan_to_num(before.people[Group.RESIDENTS])[rows].sum())),
        in_reach_before=_people(before, Reach.STOP),
        in_reach_after=_people(after, Reach.STOP),
        library_before=_people(before, Reach.ASSUMED),
        library_after=_people(after, Reach.ASSUMED),
        **_minutes(before, after, rows),
        service_min=asked.visits_28 * asked.open_min,
        drive_km=drive_km,
        work_h=work_h,
        stop_cost=_stop_cost(costs, drive_km, work_h),
        branch_cost=None if branch is None else (branch * DAYS_28 / DAYS_YEAR).quantize(_CENT),
        currency=costs.currency,
        is_estimated=before.is_estimated,
        legs=legs,
        costs=costs,
        before=before,
        after=after,
        rows=tuple(rows),
    )


def _rows(before: Coverage, after: Coverage, library: Library) -> list[int]:
    """Settlements whom it concerns, those with most people first."""
    number = next(
        i for i, lib in enumerate(before.library.libraries) if lib.library_id == library.library_id
    )
    is_farther = before.library.seconds != after.library.seconds
    touched = (before.library.nearest == number) & is_farther
    touched |= before.after != after.after
    touched &= before.is_inhabited
    people = np.nan_to_num(before.people[Group.RESIDENTS])
    return sorted(np.flatnonzero(touched).tolist(), key=lambda row: -people[row])


def _changed(before: Coverage, after: Coverage, row: int) -> Changed:
    metres = float(after.stops_after.metres[row])
    return Changed(
        settlement=before.settlements[row],
        before=REACHES[before.after[row]],
        after=REACHES[after.after[row]],
        minutes_before=_way(before, row),
        minutes_after=_way(after, row),
        stop_metres=metres if np.isfinite(metres) else None,
    )


def _way(coverage: Coverage, row: int) -> float | None:
    seconds = int(coverage.library.seconds[row])
    return None if seconds == NOWHERE else seconds / MINUTE_S


def _people(coverage: Coverage, least: Reach) -> int:
    people = np.nan_to_num(coverage.people[Group.RESIDENTS])
    return round(float(people[coverage.after >= REACHES.index(least)].sum()))


def _minutes(before: Coverage, after: Coverage, rows: list[int]) -> dict[str, float | None]:
    weight = np.nan_to_num(before.people[Group.RESIDENTS])[rows]
    found: dict[str, float | None] = {}
    for name, coverage in (("before", before), ("after", after)):
        ways = coverage.library.seconds[rows]
        minutes = np.where(ways == NOWHERE, np.inf, ways / MINUTE_S)
        found[f"mean_min_{name}"] = weighted_mean(minutes, weight)
        found[f"p90_min_{name}"] = weighted_percentile(minutes, weight, 0.9)
    return found


def _legs(region: Region, roads: Roads, place: Position, asked: WhatIfAsked) -> Legs | None:
    """The drive out and back from the base that is nearest in time."""
    depots = [d for d in region.depots if not d.is_lodging]
    bases = [(d.lon, d.lat) for d in depots]
    if not bases:
        return None
    vehicle = region.vehicles[0] if region.vehicles else None
    out_s, out_m = roads.times(bases, [place], vehicle)
    back_s, back_m = roads.times([place], bases, vehicle)
    there = (out_s[:, 0] != UNREACHABLE) & (back_s[0] != UNREACHABLE)
    if not there.any():
        return None
    seconds = np.where(there, out_s[:, 0].astype(np.int64) + back_s[0], np.iinfo(np.int64).max)
    base = int(seconds.argmin())
    return Legs(
        base=depots[base].name,
        out_s=int(out_s[base, 0]),
        out_m=int(out_m[base, 0]),
        back_s=int(back_s[0, base]),
        back_m=int(back_m[0, base]),
        setup_s=region.standard.setup_s,
        teardown_s=region.standard.teardown_s,
        open_min=asked.open_min,
    )


def _stop_cost(costs: Costs, km: float | None, hours: float | None) -> Decimal | None:
    """Kilometres and hours at their prices; a day's price belongs to the whole round.

    ``None`` where one of them is not known: half of the money would tell of savings that are none.
    """
    if km is None or hours is None or costs.per_km is None or costs.per_hour is None:
        return None
    total = costs.per_km * Decimal(repr(km)) + costs.per_hour * Decimal(repr(hours))
    return total.quantize(_CENT)

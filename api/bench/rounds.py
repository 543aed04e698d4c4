"""Published rounds of mobile libraries: what a timetable promises, as numbers to replan.

A timetable in the UK mobile-library schema lists stops with clock times and recurrences. Here it
becomes *promises* (a stop, its dwell, the cycle days on which it is visited) and *rounds* (one
vehicle on one cycle day: which promises in which order, from when to when).
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from data.model.calendar import DAYS_PER_WEEK

MONTH_WEEKS = 4
"""A monthly visit comes once in a cycle of four weeks."""
MAX_CYCLE_WEEKS = 24

_EPOCH = date(2001, 1, 1)  # a Monday
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BY_DAY = re.compile(r"(-?\d*)(MO|TU|WE|TH|FR|SA|SU)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One row of a published timetable; times in seconds from midnight."""

    mobile: str
    route: str
    name: str
    lon: float
    lat: float
    arrival_s: int
    departure_s: int
    frequency: str
    start_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What readers of one stop are promised in every cycle.

    ``days`` are the published cycle days. ``clock_s`` is the arrival if all visits of several
    share one, else ``None``.
    """

    name: str
    lon: float
    lat: float
    dwell_s: int
    days: frozenset[int]
    clock_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One vehicle on one cycle day as published: promises by index, in order of arrival."""

    mobile: str
    day: int
    start_s: int
    end_s: int
    visits: tuple[int, ...]
    arrivals_s: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """The rounds of one authority over one cycle.

    ``num_split`` counts vehicle-days that list several routes at one time and were taken as
    one round for each route.
    """

    authority: str
    cycle_weeks: int
    promises: tuple[Promise, ...]
    rounds: tuple[Round, ...]
    num_split: int

    @property
    def num_visits(self) -> int:
        return sum(len(p.days) for p in self.promises)

    @property
    def num_days(self) -> int:
        return self.cycle_weeks * DAYS_PER_WEEK


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """Visits every ``interval_weeks`` weeks on cycle days counted within that interval."""

    interval_weeks: int
    days: frozenset[int]

    def in_cycle(self, cycle_weeks: int) -> frozenset[int]:
        """The days within a longer cycle that the interval divides."""
        length = self.interval_weeks * DAYS_PER_WEEK
        turns = cycle_weeks // self.interval_weeks
        return frozenset(turn * length + day for turn in range(turns) for day in self.days)


def recurrence_of(rule: str, start_date: date) -> Recurrence:
    """The recurrence of an iCalendar rule, weekly or on the nth weekday of the month.

    Raises
    ------
    ValueError
        If the rule is of another kind.
    """
    parts = dict(part.split("=", 1) for part in rule.upper().split(";") if "=" in part)
    by_day = [_BY_DAY.fullmatch(word) for word in parts.get("BYDAY", "").split(",") if word]
    interval = int(parts.get("INTERVAL", "1"))
    if interval < 1 or any(match is None for match in by_day):
        raise ValueError(rule)
    named = [(match[1], _WEEKDAYS.index(match[2])) for match in by_day if match]
    if parts.get("FREQ") == "WEEKLY" and not any(nth for nth, _ in named):
        week = (start_date - _EPOCH).days // DAYS_PER_WEEK % interval
        weekdays = [weekday for _, weekday in named] or [start_date.weekday()]
        days = frozenset(week * DAYS_PER_WEEK + weekday for weekday in weekdays)
        return Recurrence(interval_weeks=interval, days=days)
    if parts.get("FREQ") == "MONTHLY" and named and all(nth for nth, _ in named) and interval == 1:
        # A fifth or last week of the month counts as the fourth.
        weeks = [MONTH_WEEKS if int(nth) < 0 else min(int(nth), MONTH_WEEKS) for nth, _ in named]
        days = frozenset(
            (week - 1) * DAYS_PER_WEEK + weekday
            for week, (_, weekday) in zip(weeks, named, strict=True)
        )
        return Recurrence(interval_weeks=MONTH_WEEKS, days=days)
    raise ValueError(rule)


def cycle_of(listings: Iterable[Listing]) -> int:
    """Weeks after which all recurrences repeat together.

    Raises
    ------
    ValueError
        If a recurrence is of an unknown kind.
    """
    rules = (recurrence_of(row.frequency, row.start_date) for row in listings)
    return math.lcm(1, *(rule.interval_weeks for rule in rules))


def timetable_of(authority: str, listings: Sequence[Listing]) -> Timetable:
    """The promises and rounds of a published timetable.

    Rows of one stop with one dwell on different days are one promise: its visits keep their
    distance from one another. A second row on the same day is a promise of its own.

    Raises
    ------
    ValueError
        If a recurrence is of an unknown kind.
    """
    cycle_weeks = cycle_of(listings)
    days = [recurrence_of(row.frequency, row.start_date).in_cycle(cycle_weeks) for row in listings]
    promises: list[Promise] = []
    visits: dict[tuple[str, int], list[_Visit]] = defaultdict(list)
    for rows in _promised_together(listings, days):
        first = listings[rows[0]]
        arrivals = {listings[row].arrival_s for row in rows}
        all_days = frozenset().union(*(days[row] for row in rows))
        for row in rows:
            for day in days[row]:
                visit = _Visit(promise=len(promises), listing=listings[row])
                visits[listings[row].mobile, day].append(visit)
        promises.append(
            Promise(
                name=first.name,
                lon=first.lon,
                lat=first.lat,
                dwell_s=first.departure_s - first.arrival_s,
                days=all_days,
                clock_s=first.arrival_s if len(all_days) > 1 and len(arrivals) == 1 else None,
            )
        )
    rounds: list[Round] = []
    num_split = 0
    for (mobile, day), listed in sorted(visits.items(), key=lambda item: item[0]):
        groups = _separate_routes(listed)
        num_split += len(groups) > 1
        rounds += [_round(mobile, day, group) for group in groups]
    return Timetable(
        authority=authority,
        cycle_weeks=cycle_weeks,
        promises=tuple(promises),
        rounds=tuple(rounds),
        num_split=num_split,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    promise: int
    listing: Listing


def _promised_together(
    listings: Sequence[Listing], days: Sequence[frozenset[int]]
) -> list[list[int]]:
    """Rows by the promise that they make up; no promise has two visits on one day."""
    by_stop: dict[tuple[object, ...], list[list[int]]] = defaultdict(list)
    for row, listing in enumerate(listings):
        dwell_s = listing.departure_s - listing.arrival_s
        groups = by_stop[listing.mobile, listing.name, listing.lon, listing.lat, dwell_s]
        for group in groups:
            if all(days[row].isdisjoint(days[other]) for other in group):
                group.append(row)
                break
        else:
            groups.append([row])
    return [group for groups in by_stop.values() for group in groups]


def _separate_routes(visits: Iterable[_Visit]) -> list[list[_Visit]]:
    """One group, or one for each route if two routes are published at one and the same time."""
    ordered = sorted(visits, key=lambda v: (v.listing.arrival_s, v.listing.departure_s))
    clash = any(
        later.listing.arrival_s < earlier.listing.departure_s
        and later.listing.route != earlier.listing.route
        for earlier, later in pairwise(ordered)
    )
    if not clash:
        return [ordered]
    by_route: dict[str, list[_Visit]] = defaultdict(list)
    for visit in ordered:
        by_route[visit.listing.route].append(visit)
    return list(by_route.values())


def _round(mobile: str, day: int, visits: Sequence[_Visit]) -> Round:
    return Round(
        mobile=mobile,
        day=day,
        start_s=visits[0].listing.arrival_s,
        end_s=max(v.listing.departure_s for v in visits),
        visits=tuple(v.promise for v in visits),
        arrivals_s=tuple(v.listing.arrival_s for v in visits),
    )

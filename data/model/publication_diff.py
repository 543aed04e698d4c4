"""What a new timetable changes, put so that a dispatcher can read it: by stop, alike together."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.publication import ChangeKind, PromisedVisit, VisitChange

type PrintedTime = tuple[int, int, int, VehicleId]
"""Weekday (Monday is 0), opening and closing in seconds, vehicle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffLine:
    """Visits of a stop that change alike: from one printed time to another."""

    kind: ChangeKind
    before: PrintedTime | None
    after: PrintedTime | None
    dates: tuple[tuple[date | None, date | None], ...]
    """For each visit its date before and after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopDiff:
    """What changes at one stop; ``num_changed`` counts promised times that readers lose."""

    stop_id: StopId
    lines: tuple[DiffLine, ...]
    num_kept: int

    @property
    def num_changed(self) -> int:
        lost = (ChangeKind.MOVED, ChangeKind.WITHDRAWN)
        return sum(len(line.dates) for line in self.lines if line.kind in lost)


_KINDS = (ChangeKind.WITHDRAWN, ChangeKind.MOVED, ChangeKind.ALTERED, ChangeKind.ADDED)
"""What hurts most comes first."""


def diff_by_stop(changes: Iterable[VisitChange]) -> tuple[StopDiff, ...]:
    """The stops with something to tell, those that lose most times first."""
    kept: dict[StopId, int] = defaultdict(int)
    alike: dict[StopId, dict[tuple[object, ...], list[VisitChange]]] = {}
    for change in changes:
        stop_id = change.after.stop_id
        if change.kind is ChangeKind.KEPT:
            kept[stop_id] += 1
            continue
        key = (change.kind, *_sides(change))
        alike.setdefault(stop_id, {}).setdefault(key, []).append(change)
    found = [
        StopDiff(
            stop_id=stop_id,
            lines=tuple(sorted((_line(same) for same in groups.values()), key=_order)),
            num_kept=kept[stop_id],
        )
        for stop_id, groups in alike.items()
    ]
    return tuple(sorted(found, key=lambda d: (-d.num_changed, _order(d.lines[0]), d.stop_id)))


def _sides(change: VisitChange) -> tuple[PrintedTime | None, PrintedTime | None]:
    before = None if change.before is None else _time(change.before)
    after = None if change.kind is ChangeKind.WITHDRAWN else _time(change.after)
    return before, after


def _time(visit: PromisedVisit) -> PrintedTime:
    return visit.opens_date.weekday(), visit.opens_s, visit.closes_s, visit.vehicle_id


def _line(same: list[VisitChange]) -> DiffLine:
    before, after = _sides(same[0])
    dates = tuple(
        (
            None if c.before is None else c.before.opens_date,
            None if c.kind is ChangeKind.WITHDRAWN else c.after.opens_date,
        )
        for c in same
    )
    return DiffLine(kind=same[0].kind, before=before, after=after, dates=dates)


def _order(line: DiffLine) -> tuple[int, date]:
    first = min(d for pair in line.dates for d in pair if d is not None)
    return _KINDS.index(line.kind), first

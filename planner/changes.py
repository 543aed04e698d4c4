"""What readers would notice between two plans: published times that moved, went or came.

A published time is a stop, a cycle day and the seconds at which the doors open and close; which
vehicle comes is not part of it.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """When the doors of a stop open and close in a cycle, and whose."""

    day: int
    start_s: int
    end_s: int
    vehicle_id: VehicleId


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One time of a stop before and after; ``None`` where there is none."""

    stop_id: StopId
    before: Time | None
    after: Time | None
    is_published: bool
    """Whether the stop had any time before; a stop that is new changes nothing published."""


def changes(before: Plan, after: Plan) -> tuple[Change, ...]:
    """Every difference in times, by stop in order of the first day concerned.

    Times of a stop that both plans have are no change. Of the others one before and one after are
    one change, on the same day first, then in order of days.
    """
    old, new = _times(before), _times(after)
    found = [c for stop_id in {**old, **new} for c in _of_stop(stop_id, old, new)]
    return tuple(sorted(found, key=_order))


def num_changes(before: Plan, after: Plan) -> int:
    """Published times that change: moved, dropped or added at a stop that was published."""
    return sum(c.is_published for c in changes(before, after))


def _times(plan: Plan) -> dict[StopId, list[Time]]:
    times: dict[StopId, list[Time]] = defaultdict(list)
    for run in plan.runs:
        for visit in run.visits:
            times[visit.stop_id].append(
                Time(
                    day=run.day,
                    start_s=visit.start_s,
                    end_s=visit.end_s,
                    vehicle_id=run.vehicle_id,
                )
            )
    return dict(times)


def _of_stop(
    stop_id: StopId, old: dict[StopId, list[Time]], new: dict[StopId, list[Time]]
) -> Iterator[Change]:
    gone = {_when(t): t for t in sorted(old.get(stop_id, []), key=_when)}
    come = {_when(t): t for t in sorted(new.get(stop_id, []), key=_when)}
    left = [t for when, t in gone.items() if when not in come]
    added = [t for when, t in come.items() if when not in gone]
    pairs: list[tuple[Time | None, Time | None]] = []
    for time in list(left):
        same_day = next((t for t in added if t.day == time.day), None)
        if same_day is not None:
            pairs.append((time, same_day))
            left.remove(time)
            added.remove(same_day)
    num = max(len(left), len(added))
    pairs += zip(
        [*left, *[None] * (num - len(left))], [*added, *[None] * (num - len(added))], strict=True
    )
    for was, now in pairs:
        yield Change(stop_id=stop_id, before=was, after=now, is_published=stop_id in old)


def _when(time: Time) -> tuple[int, int, int]:
    return time.day, time.start_s, time.end_s


def _order(change: Change) -> tuple[int, int, int, str]:
    first = change.before or change.after
    assert first is not None  # a change has at least one side
    return (*_when(first), change.stop_id)

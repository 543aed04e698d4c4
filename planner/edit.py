"""Changes by hand: a move as a value, the plan after it, and what it breaks and costs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import fsum

from data.model.errors import RequestError
from data.model.fleet import VehicleId
from data.model.nights import nights_of
from data.model.place import Stop, StopId
from data.model.plan import Plan, PlanRequest, Provenance, Run, Unserved, Violation
from data.model.travel import UNREACHABLE
from planner.aboard import Crewing
from planner.changes import Change, changes
from planner.dwell import as_open
from planner.retime import Retimer, Span, Timed, Wish
from planner.score import check

BY_HAND = "unserved.by_hand"
"""Reason of a stop whose last visit a person has taken out."""
HAND_EDITS = "hand_edits"
"""Parameter in the provenance: how many edits were made by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """One more visit. ``position`` counts the run's visits from 0; ``None`` is the best one.

    ``at_s`` is when the doors are to open, seconds from midnight.
    """

    stop_id: StopId
    vehicle_id: VehicleId
    day: int
    position: int | None = None
    at_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """A stop's visit on a day taken out; without a day all its visits."""

    stop_id: StopId
    day: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The visit of ``from_day`` goes to another vehicle, day or position.

    ``position`` counts the visits of the run without the moved one.
    """

    stop_id: StopId
    from_day: int
    vehicle_id: VehicleId
    day: int
    position: int | None = None
    at_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Two visits change places."""

    stop_id: StopId
    day: int
    other_id: StopId
    other_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRun:
    """A whole run goes to another vehicle or day; a run that is there comes here instead."""

    vehicle_id: VehicleId
    day: int
    to_vehicle_id: VehicleId
    to_day: int


type Edit = Add | Remove | Move | Swap | MoveRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The plan after an edit and what the edit does; differences are after less before."""

    plan: Plan
    violations: tuple[Violation, ...]
    delta_prize: float
    delta_drive_s: int
    delta_drive_m: int
    delta_work_s: int
    changed: tuple[Change, ...]


def apply(request: PlanRequest, plan: Plan, edit: Edit | Sequence[Edit]) -> Plan:
    """The plan after one edit, or several in turn; the runs they touch are timed anew.

    Published starts of touched runs stay where they can. A run that cannot keep the rules gets
    times all the same: what it breaks is for the checker to say.

    Raises
    ------
    RequestError
        ``edit.unknown_stop``, ``edit.unknown_vehicle``, ``edit.no_visit``, ``edit.no_run``,
        ``edit.already_there``, ``edit.day_outside_cycle``, ``edit.no_position``,
        ``edit.no_travel``.
    """
    draft = Draft(request, plan)
    for one in [edit] if isinstance(edit, Add | Remove | Move | Swap | MoveRun) else edit:
        draft.apply(one)
    return draft.plan()


def judge(request: PlanRequest, plan: Plan, edit: Edit | Sequence[Edit]) -> Judgement:
    """The plan after an edit, every rule it breaks, and what it changes.

    Raises
    ------
    RequestError
        As ``apply``.
    """
    after = apply(request, plan, edit)
    return Judgement(
        plan=after,
        violations=check(request, after),
        delta_prize=_prize(request, after) - _prize(request, plan),
        delta_drive_s=sum(r.drive_s for r in after.runs) - sum(r.drive_s for r in plan.runs),
        delta_drive_m=sum(r.drive_m for r in after.runs) - sum(r.drive_m for r in plan.runs),
        delta_work_s=sum(r.work_s for r in after.runs) - sum(r.work_s for r in plan.runs),
        changed=changes(plan, after),
    )


def _prize(request: PlanRequest, plan: Plan) -> float:
    visited = {v.stop_id for r in plan.runs for v in r.visits}
    return fsum(s.prize for s in request.stops if s.stop_id in visited)


_Key = tuple[VehicleId, int]


class Draft:
    """A plan under change: its runs as lists of visits, and which of them must be timed anew."""

    def __init__(self, request: PlanRequest, plan: Plan, retimer: Retimer | None = None) -> None:
        self._request = request
        self._before = plan
        self._stops = {s.stop_id: s for s in request.stops}
        self._retimer = retimer or Retimer(request, nights_of(request, plan))
        self._runs: dict[_Key, Run] = {(r.vehicle_id, r.day): r for r in plan.runs}
        self._crewing = Crewing(request, plan.runs, nights_of(request, plan))
        self._num_edits = 0
        self._wishes: dict[_Key, list[Wish]] = {}
        """Visits of the runs that were touched."""

    def apply(self, edit: Edit) -> None:
        """Take up one edit."""
        self._num_edits += 1
        match edit:
            case Add():
                stop = self._as_elsewhere(self._stop(edit.stop_id))
                wish = Wish(stop=stop, asked_s=edit.at_s, is_moved=True)
                self._put(wish, edit.vehicle_id, edit.day, edit.position)
            case Remove():
                self._remove(edit)
            case Move():
                wish = self._take(edit.stop_id, edit.from_day)
                wish = replace(wish, asked_s=edit.at_s, is_moved=True)
                self._put(wish, edit.vehicle_id, edit.day, edit.position)
            case Swap():
                self._swap(edit)
            case MoveRun():
                self._move_run(edit)

    def plan(self) -> Plan:
        """The plan with every touched run timed anew, and its unserved stops listed."""
        while self._wishes:
            # The runs settle one after the other: each keeps to those that stand already.
            key = min(self._wishes, key=lambda k: (k[1], k[0]))
            wishes = self._wishes[key]
            if not wishes:
                self._wishes.pop(key)
                self._runs.pop(key, None)
                self._crewing.drop(key)
                continue
            timed = self._timed(key, wishes)
            assert timed is not None  # an answer is always given where rules may break
            self._wishes.pop(key)
            self._runs[key] = timed.run
            self._crewing.settle(timed.run)
        order = {v.vehicle_id: k for k, v in enumerate(self._request.vehicles)}
        runs = sorted(self._runs.values(), key=lambda r: (order[r.vehicle_id], r.day))
        return replace(
            self._before,
            runs=tuple(runs),
            unserved=self._unserved(runs),
            provenance=self._provenance(),
        )

    def _provenance(self) -> Provenance | None:
        """That of the plan before, with how many edits make it unlike what its search gave."""
        before = self._before.provenance
        if before is None:
            return None
        edits = int(before.parameters.get(HAND_EDITS, 0)) + self._num_edits
        return replace(before, parameters={**before.parameters, HAND_EDITS: edits})

    def _unserved(self, runs: list[Run]) -> tuple[Unserved, ...]:
        visited = {v.stop_id for r in runs for v in r.visits}
        told = {u.stop_id: u for u in self._before.unserved}
        return tuple(
            told.get(s.stop_id)
            or Unserved(stop_id=s.stop_id, reason=BY_HAND, facts={"stop": s.name})
            for s in self._request.stops
            if s.stop_id not in visited
        )

    def _timed(
        self, key: _Key, wishes: Sequence[Wish], *, legal_only: bool = False
    ) -> Timed | None:
        spans = {w.stop.stop_id: self._span(w.stop, key) for w in wishes}
        stops = [w.stop for w in wishes]
        riders = self._crewing.riders(self._retimer.vehicle(key[0]), key[1], stops)
        return self._retimer.time(*key, wishes, spans, riders=riders, legal_only=legal_only)

    def _span(self, stop: Stop, but: _Key) -> Span:
        """Starts within the clock tolerance of the stop's visits in all other runs."""
        starts = []
        for key, run in self._runs.items():
            if key != but and key not in self._wishes:
                starts += [v.start_s for v in run.visits if v.stop_id == stop.stop_id]
        for key, wishes in self._wishes.items():
            if key != but:
                known = [w for w in wishes if w.stop.stop_id == stop.stop_id]
                starts += [s for w in known if (s := w.asked_s or w.published_s) is not None]
        room = 2 * self._request.clock_tolerance_s
        return (max(starts) - room, min(starts) + room) if starts else (0, 2 * 86_400)

    def _stop(self, stop_id: StopId) -> Stop:
        if stop_id not in self._stops:
            raise RequestError("edit.unknown_stop", stop_id=stop_id)
        return self._stops[stop_id]

    def _as_elsewhere(self, stop: Stop) -> Stop:
        """The stop with the open time of its other visits, if it has any."""
        opened = (v for r in self._before.runs for v in r.visits if v.stop_id == stop.stop_id)
        visit = next(opened, None)
        return stop if visit is None else as_open(stop, visit)

    def _key(self, vehicle_id: VehicleId, day: int) -> _Key:
        self._retimer.vehicle(vehicle_id)
        if not 0 <= day < self._request.cycle.num_days:
            raise RequestError(
                "edit.day_outside_cycle",
                date=self._request.cycle.date_of(day).isoformat(),
                first=self._request.cycle.first_date.isoformat(),
                last=self._request.cycle.last_date.isoformat(),
            )
        return vehicle_id, day

    def _open(self, key: _Key) -> list[Wish]:
        """The visits of a vehicle-day, from now on to be timed anew."""
        if key not in self._wishes:
            run = self._runs.get(key)
            self._wishes[key] = [
                Wish(stop=as_open(self._stop(v.stop_id), v), published_s=v.start_s)
                for v in (run.visits if run else ())
            ]
        return self._wishes[key]

    def _find(self, stop_id: StopId, day: int) -> _Key:
        stop = self._stop(stop_id)
        for key, wishes in self._wishes.items():
            if key[1] == day and any(w.stop.stop_id == stop_id for w in wishes):
                return key
        for key, run in self._runs.items():
            is_there = any(v.stop_id == stop_id for v in run.visits)
            if key[1] == day and key not in self._wishes and is_there:
                return key
        date = self._request.cycle.date_of(day).isoformat()
        raise RequestError("edit.no_visit", stop=stop.name, stop_id=stop_id, date=date)

    def _take(self, stop_id: StopId, day: int) -> Wish:
        wishes = self._open(self._find(stop_id, day))
        at = next(k for k, w in enumerate(wishes) if w.stop.stop_id == stop_id)
        return wishes.pop(at)

    def _remove(self, edit: Remove) -> None:
        days = self._before.days_of(edit.stop_id) if edit.day is None else (edit.day,)
        if not days:
            stop = self._stop(edit.stop_id)
            raise RequestError("edit.not_served", stop=stop.name, stop_id=stop.stop_id)
        for day in days:
            self._take(edit.stop_id, day)

    def _put(self, wish: Wish, vehicle_id: VehicleId, day: int, position: int | None) -> None:
        key = self._key(vehicle_id, day)
        wishes = self._open(key)
        if any(w.stop.stop_id == wish.stop.stop_id for w in wishes):
            date = self._request.cycle.date_of(day).isoformat()
            raise RequestError("edit.already_there", stop=wish.stop.name, date=date)
        if position is None:
            position = self._best_position(key, wishes, wish)
        if not 0 <= position <= len(wishes):
            raise RequestError("edit.no_position", position=position, limit=len(wishes))
        wishes.insert(position, wish)

    def _best_position(self, key: _Key, wishes: list[Wish], wish: Wish) -> int:
        """Where the run keeps its rules with least driving; else where driving is least."""
        if wish.asked_s is not None:
            starts = [w.asked_s or w.published_s or 0 for w in wishes]
            at = sum(s <= wish.asked_s for s in starts)
            if starts == sorted(starts):
                return at
        orders = [[*wishes[:at], wish, *wishes[at:]] for at in range(len(wishes) + 1)]
        legal = [(self._timed(key, order, legal_only=True), at) for at, order in enumerate(orders)]
        ranked = [(t.run.drive_s, t.run.work_s, at) for t, at in legal if t is not None]
        if ranked:
            return min(ranked)[-1]
        vehicle = self._retimer.vehicle(key[0])
        legs = [self._retimer.legs(vehicle, [w.stop for w in order], key[1]) for order in orders]
        return min(range(len(orders)), key=lambda at: (UNREACHABLE in legs[at], sum(legs[at]), at))

    def _swap(self, edit: Swap) -> None:
        here, there = self._find(edit.stop_id, edit.day), self._find(edit.other_id, edit.other_day)
        one, two = self._open(here), self._open(there)
        i = next(k for k, w in enumerate(one) if w.stop.stop_id == edit.stop_id)
        j = next(k for k, w in enumerate(two) if w.stop.stop_id == edit.other_id)
        one[i], two[j] = replace(two[j], is_moved=True), replace(one[i], is_moved=True)

    def _move_run(self, edit: MoveRun) -> None:
        here = self._key(edit.vehicle_id, edit.day)
        there = self._key(edit.to_vehicle_id, edit.to_day)
        if not self._open(here):
            date = self._request.cycle.date_of(edit.day).isoformat()
            name = self._retimer.vehicle(edit.vehicle_id).name
            raise RequestError("edit.no_run", vehicle=name, date=date)
        self._open(there)
        self._wishes[here], self._wishes[there] = self._wishes[there], self._wishes[here]
        self._crewing.swap(here, there)

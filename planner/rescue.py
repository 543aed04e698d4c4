"""The rest of a vehicle's day handed to others: from where they are now, by the planner itself.

What is left of the day becomes a small request: every vehicle that may help starts where it is now,
with what its crew has driven and worked already taken off its limits; its own visits are pinned to
their promised times. First the visits to be handed over are tried at exactly the promised time,
then up to a given delay, then, if it is allowed, with a few of the others' times moved as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from data.model.calendar import MINUTE_S
from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.plan import Plan, StopVisit, Violation
from planner.capped import solve_capped
from planner.edit import Add, apply
from planner.params import SolveParams
from planner.rescue_request import Due, Helper, Placed, RestOfDay, last_off_s, problem_of
from planner.score import check
from planner.solve import solve

SEARCH = SolveParams(work_limit=3000, workers=1, time_limit_s=6.0, tour_ratio=0.0)
"""A day's rest is small; with a limit on work the same state gives the same answer."""
_LATE_RATIO = 0.8
"""What a visit that opens later than promised is worth of one in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescue:
    """Who holds which visit now; ``left`` are those that nobody can hold today."""

    placed: tuple[Placed, ...]
    left: tuple[Due, ...]
    added_drive_s: int = 0
    added_drive_m: int = 0
    unable: tuple[VehicleId, ...] = ()
    """Helpers that cannot even keep their own promises from where they are."""
    num_changes: int = 0
    """Promised times of the helpers' own visits that move."""


def rescue(rest: RestOfDay, params: SolveParams = SEARCH) -> Rescue:
    """The best hand-over found that breaks no rule and no promise beyond the cap."""
    helpers, unable = _able(rest, params)
    rest = replace(rest, helpers=helpers)
    if not helpers or not rest.due:
        return Rescue(placed=_unmoved(rest), left=rest.due, unable=unable)
    alone = _solved(rest, {}, params)
    exact = {d.visit_id: 0 for d in rest.due}
    best = _solved(rest, exact, params, start=alone)
    found = _kept(rest, best)
    if len(found) < len(rest.due) and rest.most_late_s > 0:
        loose = {d.visit_id: 0 if d.visit_id in found else rest.most_late_s for d in rest.due}
        best = _better(rest, best, _solved(rest, loose, params, start=best, kept=found))
        found = _kept(rest, best)
    if len(found) < len(rest.due) and rest.most_late_s > 0:
        # One visit later than it need be may leave room for one more.
        every = {d.visit_id: rest.most_late_s for d in rest.due}
        best = _better(rest, best, _solved(rest, every, params, start=best))
        found = _kept(rest, best)
    num_changes = 0
    if len(found) < len(rest.due) and rest.max_changes > 0:
        late = {d.visit_id: rest.most_late_s for d in rest.due}
        freed = _solved(rest, late, params, start=best, kept=found, is_capped=True)
        better = _better(rest, best, freed)
        num_changes = _num_changes(rest, better)
        best = better
    placed = _placed(best)
    done = {p.visit_id for p in placed}
    return Rescue(
        placed=placed,
        left=tuple(d for d in rest.due if d.visit_id not in done),
        added_drive_s=_drive_s(best) - _drive_s(alone),
        added_drive_m=_drive_m(best) - _drive_m(alone),
        unable=unable,
        num_changes=num_changes,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A hand-over as it would be from now on, and what it would break."""

    placed: tuple[Placed, ...]
    broken: tuple[Violation, ...]


def judge_again(rest: RestOfDay, starts: Mapping[str, tuple[VehicleId, int]]) -> Judged:
    """What a hand-over would be, and break, if it were to begin now.

    Parameters
    ----------
    starts
        Vehicle and opening of each visit that is handed over or moved; the helpers' other visits
        stay as promised.
    """
    own = {o.visit_id: (h, o) for h in rest.helpers for o in h.own}
    dues = tuple(d for d in rest.due if d.visit_id in starts)
    promised = {i: (h.vehicle.vehicle_id, o.start_s) for i, (h, o) in own.items()}
    wanted = promised | {
        i: starts[i] for i in starts if i in own or i in {d.visit_id for d in dues}
    }
    known = {d.visit_id: d for d in dues} | {i: o for i, (_, o) in own.items()}
    late = {i: max(0, start_s - known[i].start_s) for i, (_, start_s) in wanted.items()}
    most = max(rest.most_late_s, *late.values(), 0)
    problem = problem_of(replace(rest, due=dues, most_late_s=most), late, is_open=True)
    adds = [
        Add(stop_id=StopId(i), vehicle_id=vehicle_id, day=problem.day, at_s=start_s)
        for i, (vehicle_id, start_s) in sorted(wanted.items(), key=lambda w: (w[1][0], w[1][1]))
    ]
    laid = apply(problem.request, Plan(runs=()), adds) if adds else Plan(runs=())
    broken = list(check(problem.request, laid))
    placed = _placed(laid)
    found = {p.visit_id: p.start_s for p in placed}
    for visit_id, (_, start_s) in wanted.items():
        if found.get(visit_id) != start_s and not _is_late_already(own, visit_id, found):
            stop = known[visit_id].stop.name
            facts = {"stop": stop, "asked_s": start_s, "found_s": found.get(visit_id)}
            broken.append(Violation(code="rescue.not_in_time", facts=facts))
    return Judged(placed=placed, broken=tuple(broken))


def _is_late_already(
    own: Mapping[str, tuple[Helper, Due]], visit_id: str, found: Mapping[str, int]
) -> bool:
    """Whether a helper's own visit is only as late as it was going to be anyway."""
    if visit_id not in own or visit_id not in found:
        return False
    due = own[visit_id][1]
    return due.start_s <= found[visit_id] <= due.latest_s


def _able(rest: RestOfDay, params: SolveParams) -> tuple[tuple[Helper, ...], tuple[VehicleId, ...]]:
    """The helpers that can keep their own promises, and those that cannot."""
    able: list[Helper] = []
    unable: list[VehicleId] = []
    for helper in rest.helpers:
        vehicle_id = helper.vehicle.vehicle_id
        if last_off_s(helper) <= helper.free_at_s + MINUTE_S:
            unable.append(vehicle_id)
            continue
        alone = replace(rest, helpers=(helper,), due=())
        plan = _solved(alone, {}, params) if helper.own else Plan(runs=())
        if len(_placed(plan)) == len(helper.own):
            able.append(helper)
        else:
            unable.append(vehicle_id)
    return tuple(able), tuple(unable)


def _solved(
    rest: RestOfDay,
    late: Mapping[str, int],
    params: SolveParams,
    *,
    start: Plan | None = None,
    kept: Mapping[str, Placed] | None = None,
    is_capped: bool = False,
) -> Plan:
    """The best plan of the rest; visits to hand over that ``late`` does not name stay out."""
    wanted = tuple(d for d in rest.due if d.visit_id in late)
    problem = problem_of(replace(rest, due=wanted), late, kept=kept, is_capped=is_capped)
    if not problem.request.stops:
        return Plan(runs=())
    if is_capped:
        plan = solve_capped(problem.request, params, start=start or Plan(runs=()))
    else:
        plan = solve(problem.request, params, start=start)
    if check(problem.request, plan):
        return start or Plan(runs=())
    return plan


def _placed(plan: Plan) -> tuple[Placed, ...]:
    return tuple(
        _place(run.vehicle_id, position, visit)
        for run in plan.runs
        for position, visit in enumerate(run.visits)
    )


def _place(vehicle_id: VehicleId, position: int, visit: StopVisit) -> Placed:
    return Placed(
        visit_id=str(visit.stop_id),
        vehicle_id=vehicle_id,
        position=position,
        arrival_s=visit.arrival_s,
        start_s=visit.start_s,
        end_s=visit.end_s,
        departure_s=visit.departure_s,
    )


def _unmoved(rest: RestOfDay) -> tuple[Placed, ...]:
    """The helpers' own visits as promised."""
    return tuple(
        Placed(
            visit_id=own.visit_id,
            vehicle_id=helper.vehicle.vehicle_id,
            position=position,
            arrival_s=own.start_s - own.stop.setup_s,
            start_s=own.start_s,
            end_s=own.end_s,
            departure_s=own.end_s + own.stop.teardown_s,
        )
        for helper in rest.helpers
        for position, own in enumerate(helper.own)
    )


def _kept(rest: RestOfDay, plan: Plan) -> dict[str, Placed]:
    """The visits that a plan hands over."""
    wanted = {d.visit_id for d in rest.due}
    return {p.visit_id: p for p in _placed(plan) if p.visit_id in wanted}


def _better(rest: RestOfDay, one: Plan, other: Plan) -> Plan:
    """The plan that hands over more, by worth, a late visit for less; of equals the first."""
    due = {d.visit_id: d for d in rest.due}

    def value(plan: Plan) -> float:
        return sum(
            max(1.0, due[i].stop.prize) * (1.0 if p.start_s <= due[i].earliest_s else _LATE_RATIO)
            for i, p in _kept(rest, plan).items()
        )

    return other if value(other) > value(one) else one


def _num_changes(rest: RestOfDay, plan: Plan) -> int:
    promised = {o.visit_id: o.start_s for h in rest.helpers for o in h.own}
    placed = {p.visit_id: p.start_s for p in _placed(plan)}
    late = {o.visit_id: o.latest_s for h in rest.helpers for o in h.own}
    return sum(
        i not in placed or not start_s <= placed[i] <= late[i] for i, start_s in promised.items()
    )


def _drive_s(plan: Plan) -> int:
    return sum(r.drive_s for r in plan.runs)


def _drive_m(plan: Plan) -> int:
    return sum(r.drive_m for r in plan.runs)

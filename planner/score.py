"""The checker and the figures of a plan; it shares no code with the solver."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from data.model.nights import nights_of
from data.model.plan import Plan, PlanRequest, Violation
from planner.rules import EVERY_RULE
from planner.rules.view import PlanView


def check(request: PlanRequest, plan: Plan) -> tuple[Violation, ...]:
    """Every violation of every rule; an empty tuple means that the plan may be used.

    References that lead nowhere are reported once and passed over by the other rules.
    """
    view = PlanView.of(request, plan)
    return tuple(violation for rule in EVERY_RULE for violation in rule(view))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSummary:
    """A plan in figures; distances in metres, times in seconds.

    ``people_total`` and ``people_reached`` count residents of stops whose number is known; stops
    without one are counted apart. Prizes are weighted people. ``gap_ratio`` is the share of the
    bound that the plan does not collect, ``None`` without a bound.
    """

    stops_served: int
    stops_unserved: int
    visits: int
    people_reached: int
    people_total: int
    stops_with_unknown_people: int
    served_with_unknown_people: int
    prize_collected: float
    prize_total: float
    drive_s: int
    drive_m: int
    open_s: int
    work_s: int
    runs: int
    vehicle_days_used: int
    vehicle_days_available: int
    nights_away: int
    specialist_days: int
    """Days on which specialists ride, each counted by himself."""
    """Nights that vehicles spend at lodgings."""
    work_min_s: int
    work_mean_s: float
    work_max_s: int
    """Least, mean and greatest work of a run; zero without runs."""
    bound: float | None = None
    bound_kind: str = ""
    gap_ratio: float | None = None
    dwell_added_s: int = 0
    """Open time of all visits beyond the least that their stops are owed, seconds."""
    unserved_by_reason: Mapping[str, int] = field(default_factory=dict)


def summarise(request: PlanRequest, plan: Plan) -> PlanSummary:
    """The figures of a plan, from the plan and its request alone.

    A stop counts as served if it has a visit. The sums hold for one cycle.
    """
    visited = {v.stop_id for r in plan.runs for v in r.visits}
    ranged = {s.stop_id: s.service_s for s in request.stops if s.service_most_s is not None}
    served = [s for s in request.stops if s.stop_id in visited]
    work = [r.work_s for r in plan.runs]
    collected = math.fsum(s.prize for s in served)
    bound = plan.provenance.bound if plan.provenance else None
    reasons = Counter(u.reason for u in plan.unserved)
    return PlanSummary(
        stops_served=len(served),
        stops_unserved=len(request.stops) - len(served),
        visits=sum(len(r.visits) for r in plan.runs),
        people_reached=sum(s.people or 0 for s in served),
        people_total=sum(s.people or 0 for s in request.stops),
        stops_with_unknown_people=sum(s.people is None for s in request.stops),
        served_with_unknown_people=sum(s.people is None for s in served),
        prize_collected=collected,
        prize_total=math.fsum(s.prize for s in request.stops),
        drive_s=sum(r.drive_s for r in plan.runs),
        drive_m=sum(r.drive_m for r in plan.runs),
        open_s=sum(r.open_s for r in plan.runs),
        work_s=sum(work),
        runs=len(plan.runs),
        vehicle_days_used=len({(r.vehicle_id, r.day) for r in plan.runs}),
        vehicle_days_available=sum(len(request.working_days(v)) for v in request.vehicles),
        nights_away=len(nights_of(request, plan)),
        specialist_days=sum(len(set(r.specialist_ids)) for r in plan.runs),
        work_min_s=min(work, default=0),
        work_mean_s=sum(work) / len(work) if work else 0.0,
        work_max_s=max(work, default=0),
        bound=bound,
        bound_kind=plan.provenance.bound_kind if plan.provenance else "",
        gap_ratio=None if not bound else max(0.0, 1 - collected / bound),
        dwell_added_s=sum(
            v.end_s - v.start_s - ranged[v.stop_id]
            for r in plan.runs
            for v in r.visits
            if v.stop_id in ranged
        ),
        unserved_by_reason=dict(sorted(reasons.items())),
    )

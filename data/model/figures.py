"""The figures of a plan that tables, maps and the terminal show: counted once, here."""

from collections.abc import Sequence
from dataclasses import dataclass

from data.model.norms import Need, NeedStatus
from data.model.place import Settlement
from data.model.plan import Plan, PlanRequest

LACKING = frozenset({NeedStatus.UNSERVED, NeedStatus.UNSERVED_ASSUMED})
"""Statuses of settlements that have no library in reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFigures:
    """What a plan achieves in one cycle. Metres, seconds, people.

    ``people_lacking`` are the residents of settlements with no library in reach as far as their
    number is known; ``people_reached`` are those of them whose settlement a stop of the plan
    serves. ``gap_ratio`` is the part of the proven bound on the prize that the plan leaves.
    """

    people_lacking: int
    people_reached: int
    settlements_lacking: int
    settlements_reached: int
    settlements_unknown: int
    """Settlements without a library whose population is not known."""
    stops_served: int
    stops_unserved: int
    num_visits: int
    drive_m: int
    drive_s: int
    open_s: int
    vehicle_days: int
    vehicle_days_available: int
    gap_ratio: float | None

    @property
    def reached_ratio(self) -> float | None:
        return self.people_reached / self.people_lacking if self.people_lacking else None


def plan_figures(
    settlements: Sequence[Settlement], needs: Sequence[Need], request: PlanRequest, plan: Plan
) -> PlanFigures:
    """Count a plan. Without needs, every settlement that a stop names counts as lacking."""
    served = {v.stop_id for r in plan.runs for v in r.visits}
    stops = [s for s in request.stops if s.stop_id in served]
    if needs:
        lacking_ids = {n.settlement_id for n in needs if n.status in LACKING}
    else:
        lacking_ids = {i for s in request.stops for i in s.settlement_ids}
    reached_ids = {i for s in stops for i in s.settlement_ids} & lacking_ids
    lacking = [s for s in settlements if s.settlement_id in lacking_ids]
    reached = [s for s in lacking if s.settlement_id in reached_ids]
    bound = plan.provenance.bound if plan.provenance else None
    return PlanFigures(
        people_lacking=sum(s.population or 0 for s in lacking),
        people_reached=sum(s.population or 0 for s in reached),
        settlements_lacking=len(lacking),
        settlements_reached=len(reached),
        settlements_unknown=sum(s.population is None for s in lacking),
        stops_served=len(stops),
        stops_unserved=len(request.stops) - len(stops),
        num_visits=sum(len(r.visits) for r in plan.runs),
        drive_m=sum(r.drive_m for r in plan.runs),
        drive_s=sum(r.drive_s for r in plan.runs),
        open_s=sum(r.open_s for r in plan.runs),
        vehicle_days=len(plan.runs),
        vehicle_days_available=sum(len(request.working_days(v)) for v in request.vehicles),
        gap_ratio=max(0.0, 1 - sum(s.prize for s in stops) / bound) if bound else None,
    )

"""Progress of a search in words: the best so far, and how far it is from what none can exceed."""

from dataclasses import dataclass

from api.progress import Ticker
from data.model.calendar import HOUR_S
from data.model.demand import PrizeBy
from data.model.plan import PlanRequest
from planner.bound import prize_bound, travel_bound
from planner.solve import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What no plan of a request can exceed: prize of optional stops above, driving below.

    ``None`` where nothing is proved: driving is bounded only where every stop must be served.
    """

    prize: float | None = None
    drive_s: float | None = None

    @classmethod
    def of(cls, request: PlanRequest) -> "Limits":
        """The limits of a request with travel."""
        if all(s.mandatory for s in request.stops):
            return cls(drive_s=travel_bound(request) or None)
        bound, _ = prize_bound(request)
        # What a search tells leaves the mandatory stops aside, the bound does not.
        optional = bound - sum(s.prize for s in request.stops if s.mandatory)
        return cls(prize=optional if optional > 0 else None)


def tell_progress(progress: Progress, limits: Limits, prize_by: PrizeBy, tick: Ticker) -> None:
    """Tell how far a search is, and its gap in whole per cent where a limit is known."""
    tick.fraction(progress.fraction)
    if progress.mandatory_unserved:
        tick.best("plan.best_mandatory", n=progress.mandatory_unserved)
        return
    prize, hours = round(progress.prize), round(progress.travel_s / HOUR_S)
    code = "plan.best_demand" if prize_by is PrizeBy.DEMAND else "plan.best"
    if limits.prize is not None:
        gap = round(100 * max(0.0, 1 - progress.prize / limits.prize))
        tick.best(f"{code}_below", prize=prize, hours=hours, gap=gap)
    elif limits.drive_s is not None:
        gap = round(100 * max(0.0, progress.travel_s / limits.drive_s - 1))
        tick.best("plan.best_above", hours=hours, gap=gap)
    else:
        tick.best(code, prize=prize, hours=hours)

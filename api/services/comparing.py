"""Plans side by side: the same figures of each, and what each changes against the first."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from data.model.calendar import HOUR_S
from data.model.plan import Plan, PlanRequest
from planner.changes import num_changes
from planner.score import PlanSummary, check, summarise

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What a kilometre, an hour of work and a vehicle-day cost, in one currency.

    ``None`` is not known; a cost is told where at least one of them is.
    """

    currency: str = ""
    km: Decimal | None = None
    hour: Decimal | None = None
    day: Decimal | None = None
    co2_g_per_km: Decimal | None = None

    @property
    def has_cost(self) -> bool:
        return any(price is not None for price in (self.km, self.hour, self.day))


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A plan's figures for one cycle beside those of others."""

    name: str
    weeks: int
    summary: PlanSummary
    num_violations: int
    num_changes: int | None
    """Published times that change against the first plan; ``None`` for cycles of other length."""
    cost: Decimal | None
    cost_per_resident: Decimal | None
    """Cost of a cycle for each resident reached; ``None`` where none is known to be."""
    co2_kg: Decimal | None


def compare_plans(
    plans: Sequence[tuple[str, PlanRequest, Plan]], prices: Prices
) -> tuple[Compared, ...]:
    """Each plan's figures in the order given; the first is what the others change."""
    first = plans[0] if plans else None
    rows = []
    for name, request, plan in plans:
        summary = summarise(request, plan)
        cost = _cost(summary, prices) if prices.has_cost else None
        people = summary.people_reached
        km = Decimal(summary.drive_m) / 1000
        grams = prices.co2_g_per_km
        is_alike = first is not None and first[1].cycle.num_weeks == request.cycle.num_weeks
        rows.append(
            Compared(
                name=name,
                weeks=request.cycle.num_weeks,
                summary=summary,
                num_violations=len(check(request, plan)),
                num_changes=num_changes(first[2], plan) if first and is_alike else None,
                cost=cost,
                cost_per_resident=(cost / people).quantize(_CENT)
                if cost is not None and people
                else None,
                co2_kg=None if grams is None else (grams * km / 1000).quantize(_CENT),
            )
        )
    return tuple(rows)


def _cost(summary: PlanSummary, prices: Prices) -> Decimal:
    """Cost of a cycle: kilometres, hours of work and vehicle-days at their prices."""
    km = Decimal(summary.drive_m) / 1000
    hours = Decimal(summary.work_s) / HOUR_S
    parts = (
        (prices.km, km),
        (prices.hour, hours),
        (prices.day, Decimal(summary.vehicle_days_used)),
    )
    return sum((p * n for p, n in parts if p is not None), Decimal(0)).quantize(_CENT)

"""Plans side by side: the same figures of each, and what each changes against the first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from data.model.access import Access
from data.model.buffers import plan_buffer_s
from data.model.calendar import HOUR_S
from data.model.costs import Costs, Fuel, FuelKind
from data.model.demand import PrizeBy, VisitsEstimate
from data.model.fleet import Vehicle
from data.model.plan import Plan, PlanRequest
from planner.access import AccessFigures, Group, groups_served, measure, served_stops
from planner.changes import num_changes
from planner.score import PlanSummary, check, summarise

_CENT = Decimal("0.01")
_G_PER_KG = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A plan's figures for one cycle beside those of others; ``None`` is not known."""

    name: str
    weeks: int
    summary: PlanSummary
    groups: Mapping[str, Group]
    """Residents, children and seniors without a library in reach, as far as known."""
    access: AccessFigures | None
    """Fairness; ``None`` for a plan whose file does not tell how far people are."""
    num_violations: int
    num_changes: int | None
    """Published times that change against the first plan; ``None`` for cycles of other length."""
    currency: str
    cost: Decimal | None
    cost_per_resident: Decimal | None
    """Cost of a cycle for each resident reached; ``None`` where none is known to be."""
    co2_kg: Decimal | None
    fuels: tuple[Fuel, ...] = ()
    """Whose factors ``co2_kg`` rests on."""
    buffer_s: int = 0
    """Driving time kept against delays; zero where nothing was learned."""
    expected_visits: VisitsEstimate | None = None
    """Visits expected in a cycle."""
    prize_by: PrizeBy = PrizeBy.PEOPLE
    without_fuel: tuple[str, ...] = ()
    """Names of the vehicles in use of which fuel, its use or its factor is not known."""


def compare_plans(
    plans: Sequence[tuple[str, PlanRequest, Plan]],
    costs: Costs,
    *,
    co2_g_per_km: Decimal | None = None,
    fuels: Mapping[FuelKind, Fuel] | None = None,
) -> tuple[Compared, ...]:
    """Each plan's figures in the order given; the first is what the others change.

    Parameters
    ----------
    costs
        Prices for all plans; where none is known, each plan's own count.
    co2_g_per_km
        Of every vehicle; without it, what each vehicle's fuel emits by ``fuels``.
    """
    first = plans[0] if plans else None
    rows = []
    for name, request, plan in plans:
        summary = summarise(request, plan)
        prices = costs if costs.is_known else request.costs
        cost = cost_of(summary, prices)
        people = summary.people_reached
        co2_kg, burnt, unknown = _co2_kg(request, plan, co2_g_per_km, fuels or {})
        is_alike = first is not None and request.cycle.counts_like(first[1].cycle)
        rows.append(
            Compared(
                name=name,
                weeks=request.cycle.num_weeks,
                summary=summary,
                groups=groups_served(request, plan),
                access=fairness(request.access, plan),
                num_violations=len(check(request, plan)),
                num_changes=num_changes(first[2], plan) if first and is_alike else None,
                currency=prices.currency,
                cost=cost,
                cost_per_resident=(cost / people).quantize(_CENT)
                if cost is not None and people
                else None,
                co2_kg=co2_kg,
                fuels=burnt,
                without_fuel=unknown,
                buffer_s=plan_buffer_s(request, plan),
                expected_visits=_expected_visits(request, plan),
                prize_by=request.prize_by,
            )
        )
    return tuple(rows)


def fairness(access: Access | None, plan: Plan) -> AccessFigures | None:
    """The measures of fairness of a plan, if its request tells how far people are."""
    return None if access is None else measure(access, served_stops(plan))


def _expected_visits(request: PlanRequest, plan: Plan) -> VisitsEstimate | None:
    """Visits that a plan brings; the statistics are loaded where stops tell what they expect."""
    if all(s.visits_expected is None for s in request.stops):
        return None
    from planner.learn.demand import expected_total

    return expected_total(request, plan)


def cost_of(summary: PlanSummary, costs: Costs) -> Decimal | None:
    """Cost of a cycle: km, hours of work, vehicle-days and nights away at the known prices."""
    if not costs.is_known:
        return None
    km = Decimal(summary.drive_m) / 1000
    hours = Decimal(summary.work_s) / HOUR_S
    parts = (
        (costs.per_km, km),
        (costs.per_hour, hours),
        (costs.per_day, Decimal(summary.vehicle_days_used)),
        (costs.per_night, Decimal(summary.nights_away)),
    )
    return sum((p * n for p, n in parts if p is not None), Decimal(0)).quantize(_CENT)


def _co2_kg(
    request: PlanRequest,
    plan: Plan,
    g_per_km: Decimal | None,
    fuels: Mapping[FuelKind, Fuel],
) -> tuple[Decimal | None, tuple[Fuel, ...], tuple[str, ...]]:
    """CO2 of a cycle, the fuels it comes from, and the vehicles for which it is not known."""
    vehicles = {v.vehicle_id: v for v in request.vehicles}
    grams, burnt, unknown = Decimal(0), {}, {}
    for run in plan.runs:
        vehicle = vehicles[run.vehicle_id]
        km = Decimal(run.drive_m) / 1000
        fuel = fuels.get(vehicle.fuel) if vehicle.fuel is not None else None
        each = g_per_km if g_per_km is not None else _g_per_km(vehicle, fuel)
        if each is None:
            unknown[vehicle.vehicle_id] = vehicle.name
            continue
        grams += each * km
        if g_per_km is None and fuel is not None:
            burnt[fuel.kind] = fuel
    total = None if unknown else (grams / _G_PER_KG).quantize(_CENT)
    return total, tuple(burnt.values()), tuple(unknown.values())


def _g_per_km(vehicle: Vehicle, fuel: Fuel | None) -> Decimal | None:
    if fuel is None or fuel.co2_g is None or vehicle.fuel_per_100km is None:
        return None
    return Decimal(repr(vehicle.fuel_per_100km)) * Decimal(repr(fuel.co2_g)) / 100

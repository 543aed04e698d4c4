"""Of what the prices of a kilometre and an hour are made, and who gave them."""

from dataclasses import dataclass, field
from decimal import Decimal

from api.services.report_costs import costs_of
from data.model.costs import Costs, FuelKind
from data.model.region import Region
from data.model.report_settings import ReportSettings

OF_PLAN = "price.of_plan"
"""Setting of a price that stands with the region's standard of planning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FuelUse:
    """What a vehicle burns on 100 km, and the price of a unit of it."""

    vehicle: str
    fuel: FuelKind
    per_100km: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceOrigin:
    """A source as somebody wrote it, and the field of the settings where the price stands."""

    setting: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices of a kilometre and an hour with what they are made of.

    The kilometre is ``fixed_km`` and, by the mean of the bookmobiles, ``fuels``.
    """

    costs: Costs
    fixed_km: Decimal | None = None
    fuels: tuple[FuelUse, ...] = ()
    of_km: tuple[PriceOrigin, ...] = field(default_factory=tuple)
    of_hour: tuple[PriceOrigin, ...] = field(default_factory=tuple)

    @property
    def fuel_km(self) -> Decimal | None:
        """Fuel of a kilometre, the mean of the bookmobiles."""
        if not self.fuels:
            return None
        return sum((f.price * f.per_100km / 100 for f in self.fuels), Decimal(0)) / len(self.fuels)


def plan_prices(costs: Costs) -> Prices:
    """Prices that a region gives its planning."""
    origin = (PriceOrigin(setting=OF_PLAN),)
    return Prices(
        costs=costs,
        fixed_km=costs.per_km,
        of_km=origin if costs.per_km is not None else (),
        of_hour=origin if costs.per_hour is not None else (),
    )


def prices_behind(settings: ReportSettings, region: Region) -> Prices:
    """The prices that ``costs_of`` takes: those of planning, else of the reports."""
    costs = costs_of(settings, region)
    if costs == region.costs:
        return plan_prices(costs)
    prices, sources = settings.prices, settings.prices.sources
    fuels = tuple(
        FuelUse(
            vehicle=v.name,
            fuel=v.fuel,
            per_100km=Decimal(str(v.fuel_per_100km)),
            price=price,
        )
        for v in region.vehicles
        if v.fuel is not None
        and v.fuel_per_100km is not None
        and (price := prices.fuel.get(v.fuel)) is not None
    )
    named = [f"fuel.{kind}" for kind in dict.fromkeys(f.fuel for f in fuels)]
    named += ["vehicle_km"] if prices.vehicle_km is not None else []

    def origin(name: str) -> PriceOrigin:
        return PriceOrigin(setting=f"price.{name}", source=sources.get(name, ""))

    return Prices(
        costs=costs,
        fixed_km=prices.vehicle_km,
        fuels=fuels,
        of_km=tuple(origin(name) for name in named),
        of_hour=(origin("crew_hour"),) if prices.crew_hour is not None else (),
    )

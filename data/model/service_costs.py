"""What the driven service cost: fuel, crew and vehicle of each run, and by visit, loan, person.

Prices are data of a region, each with its source; what is not known is not counted as nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from data.model.costs import FuelKind
from data.model.errors import InputError
from data.model.fleet import Vehicle

MOST_PRICE = Decimal(10_000_000)
SOURCE_MAX = 300
HOUR_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPrices:
    """Prices in one currency; ``None`` is not known."""

    currency: str = "RUB"
    fuel: Mapping[FuelKind, Decimal] = field(default_factory=dict)
    """Of a litre, kilogram or kilowatt-hour."""
    crew_hour: Decimal | None = None
    """Of an hour of the whole crew, with what the employer pays on top."""
    vehicle_km: Decimal | None = None
    """Repairs, tyres, wear."""
    vehicle_day: Decimal | None = None
    """Depreciation, insurance, garage, by day of use."""
    has_fuel_in_km: bool = False
    """Whether the price of a kilometre holds its fuel, too."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Of each price by its name (``fuel.diesel``, ``crew_hour`` …)."""

    def __post_init__(self) -> None:
        told = {f"fuel.{kind}": price for kind, price in self.fuel.items()} | {
            name: getattr(self, name) for name in ("crew_hour", "vehicle_km", "vehicle_day")
        }
        for name, price in told.items():
            if price is not None and not (price.is_finite() and 0 <= price <= MOST_PRICE):
                raise InputError(
                    "reports.out_of_range", field=name, value=str(price), least=0, most=MOST_PRICE
                )
        if len(self.currency) != 3 or not (self.currency.isascii() and self.currency.isupper()):
            raise InputError("reports.bad_currency", value=self.currency[:20])
        for name, source in self.sources.items():
            if len(source) > SOURCE_MAX:
                raise InputError(
                    "reports.long_text", field=name, length=len(source), limit=SOURCE_MAX
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUse:
    """What is known of a run: kilometres, fuel, hours."""

    vehicle_id: str
    service_date: date
    km: float | None = None
    fuel: float | None = None
    """As written down; else it follows from the kilometres."""
    hours: float | None = None
    is_km_measured: bool = False
    is_hours_measured: bool = False


class CostPart(StrEnum):
    """What a run's money is made of."""

    FUEL = "fuel"
    CREW = "crew"
    VEHICLE = "vehicle"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCost:
    """A run's money by part; ``None`` where a price or a use is not known."""

    use: RunUse
    fuel: Decimal | None
    crew: Decimal | None
    vehicle: Decimal | None
    unknown: frozenset[CostPart] = frozenset()
    """Parts of which nothing, or not all, is known."""

    @property
    def known(self) -> Decimal:
        """What is known of it."""
        return sum((p for p in (self.fuel, self.crew, self.vehicle) if p is not None), Decimal(0))

    @property
    def total(self) -> Decimal | None:
        """All of it; ``None`` where nothing is known."""
        parts = (self.fuel, self.crew, self.vehicle)
        return None if all(p is None for p in parts) else self.known


@dataclass(frozen=True, slots=True, kw_only=True)
class KmMeans:
    """Mean kilometres of a run by year: of each vehicle, and of all."""

    by_vehicle: Mapping[tuple[int, str], float] = field(default_factory=dict)
    overall: Mapping[int, float] = field(default_factory=dict)

    def of(self, vehicle_id: str, on: date) -> float | None:
        """What a run of a vehicle is taken to be; ``None`` where none of its year is known."""
        return self.by_vehicle.get((on.year, vehicle_id), self.overall.get(on.year))


def km_means(known: Iterable[tuple[date, str, float]]) -> KmMeans:
    """Means of the runs whose kilometres are known: date, vehicle, kilometres.

    They are those of whole years, so that a run is told alike in every span that it lies in.
    """
    by_vehicle: dict[tuple[int, str], list[float]] = {}
    overall: dict[int, list[float]] = {}
    for on, vehicle_id, km in known:
        by_vehicle.setdefault((on.year, vehicle_id), []).append(km)
        overall.setdefault(on.year, []).append(km)
    return KmMeans(
        by_vehicle={k: sum(some) / len(some) for k, some in by_vehicle.items()},
        overall={k: sum(some) / len(some) for k, some in overall.items()},
    )


def filled_in(uses: Iterable[RunUse], means: KmMeans) -> tuple[RunUse, ...]:
    """Runs with the mean kilometres of their vehicle, else of all, where none are known."""
    return tuple(
        use if use.km is not None else replace(use, km=means.of(use.vehicle_id, use.service_date))
        for use in uses
    )


def cost_of(run: RunUse, prices: CostPrices, vehicle: Vehicle | None) -> RunCost:
    """A run's money."""
    fuel = _fuel(run, prices, vehicle)
    crew = _times(prices.crew_hour, run.hours)
    use = _vehicle(run, prices)
    has_no_way = prices.vehicle_km is not None and run.km is None
    lacking = {
        CostPart.FUEL: fuel is None and not prices.has_fuel_in_km,
        CostPart.CREW: crew is None,
        CostPart.VEHICLE: use is None or has_no_way,
    }
    unknown = frozenset(part for part, is_lacking in lacking.items() if is_lacking)
    return RunCost(use=run, fuel=fuel, crew=crew, vehicle=use, unknown=unknown)


def _fuel(run: RunUse, prices: CostPrices, vehicle: Vehicle | None) -> Decimal | None:
    if vehicle is None or vehicle.fuel is None:
        return None
    used = run.fuel
    if used is None and run.km is not None and vehicle.fuel_per_100km is not None:
        used = run.km * vehicle.fuel_per_100km / 100
    return _times(prices.fuel.get(vehicle.fuel), used)


def _vehicle(run: RunUse, prices: CostPrices) -> Decimal | None:
    way = _times(prices.vehicle_km, run.km)
    if way is None and prices.vehicle_day is None:
        return None
    return (way or Decimal(0)) + (prices.vehicle_day or Decimal(0))


def _times(price: Decimal | None, amount: float | None) -> Decimal | None:
    return None if price is None or amount is None else price * Decimal(str(round(amount, 6)))


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSum:
    """Runs added up."""

    num_runs: int
    num_km_measured: int
    num_hours_measured: int
    num_partly: int
    """Runs of whose money something is not known: the sums are too low by that."""
    num_unknown: Mapping[CostPart, int]
    km: float | None
    hours: float | None
    fuel: Decimal | None
    crew: Decimal | None
    vehicle: Decimal | None

    @property
    def total(self) -> Decimal | None:
        parts = [p for p in (self.fuel, self.crew, self.vehicle) if p is not None]
        return sum(parts, Decimal(0)) if parts else None


def sum_costs(costs: Sequence[RunCost]) -> CostSum:
    """The money of some runs, as far as it is known; ``num_partly`` says how far it is not."""
    uses = [c.use for c in costs]
    return CostSum(
        num_runs=len(costs),
        num_km_measured=sum(u.is_km_measured for u in uses),
        num_hours_measured=sum(u.is_hours_measured for u in uses),
        num_partly=sum(bool(c.unknown) for c in costs),
        num_unknown={part: sum(part in c.unknown for c in costs) for part in CostPart},
        km=_sum([u.km for u in uses]),
        hours=_sum([u.hours for u in uses]),
        fuel=_money([c.fuel for c in costs]),
        crew=_money([c.crew for c in costs]),
        vehicle=_money([c.vehicle for c in costs]),
    )


def _sum(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) if known else None


def _money(values: Sequence[Decimal | None]) -> Decimal | None:
    known = [v for v in values if v is not None]
    return sum(known, Decimal(0)) if known else None

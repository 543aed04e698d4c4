"""What the service costs and burns: prices and fuels as they are given, unknown ones ``None``."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Prices in one currency; ``None`` is not known, and then not counted as nothing.

    ``per_hour`` is an hour of a vehicle's work with its crew, ``per_day`` a vehicle-day in use,
    ``per_night`` a night away from the base.
    """

    currency: str = ""
    per_km: Decimal | None = None
    per_hour: Decimal | None = None
    per_day: Decimal | None = None
    per_night: Decimal | None = None

    def __post_init__(self) -> None:
        for name in ("per_km", "per_hour", "per_day", "per_night"):
            price = getattr(self, name)
            if price is not None and not (price.is_finite() and price >= 0):
                raise ValueError(f"{name} is {price}, a price is a number from 0")

    @property
    def is_known(self) -> bool:
        """Whether any price is known."""
        prices = (self.per_km, self.per_hour, self.per_day, self.per_night)
        return any(price is not None for price in prices)


NO_COSTS = Costs()


class FuelKind(StrEnum):
    """What a vehicle runs on."""

    DIESEL = "diesel"
    PETROL = "petrol"
    LPG = "lpg"
    CNG = "cng"
    ELECTRIC = "electric"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuel:
    """What burning one unit of a fuel emits at the exhaust, with the source of the figure.

    ``unit`` is litres, kilograms or kilowatt-hours, as a vehicle's use of it is told. ``co2_g`` is
    ``None`` where it depends on the place, as for electricity.
    """

    kind: FuelKind
    unit: str
    co2_g: float | None
    source: str = ""
    mark: str = "U"

"""What a region says for its reports: targets and their base, rules of review, prices, quotas."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from data.model.errors import InputError
from data.model.report import FIRST_YEAR
from data.model.service_costs import SOURCE_MAX, CostPrices
from data.model.stop_review import ReviewRules

MOST_COUNT = 1_000_000_000


class TargetKey(StrEnum):
    """Promises of the concept that reports follow (DOMAIN §2)."""

    VISITS = "visits"
    """Growth of visits against the base year."""
    COVERAGE = "coverage"
    SATISFACTION = "satisfaction"
    VEHICLES = "vehicles"
    """Bookmobiles that work for settlements without a library."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Goals of a region; ``None`` is not followed. Ratios, but for ``vehicles``."""

    visits: float | None = 0.10
    coverage: float | None = 0.35
    satisfaction: float | None = 0.85
    vehicles: int | None = 2
    base_year: int | None = None
    """``None``: the year before the one that is told."""
    base_visits: int | None = None
    """Visits of the base year where the diary does not know them."""
    library_users: int | None = None
    """Users of all other libraries of the region in a year."""
    source: str = "225-ОД, 09.07.2019 (Калининградская область / Kaliningrad oblast)"

    def __post_init__(self) -> None:
        limits: dict[str, tuple[float, float]] = {
            "visits": (-1, 10),
            "coverage": (0, 1),
            "satisfaction": (0, 1),
            "vehicles": (0, 10_000),
            "base_year": (FIRST_YEAR, 2200),
            "base_visits": (0, MOST_COUNT),
            "library_users": (0, MOST_COUNT),
        }
        for name, (least, most) in limits.items():
            check_range(name, getattr(self, name), least, most)
        check_length("source", self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class StockQuotas:
    """Parts of the stock aboard that are to be there, and its renewal in a year."""

    children: float = 0.30
    accessible: float = 0.03
    new: float = 0.05
    new_months: int = 12
    renewal: float = 0.10
    """Part of the stock that is to be bought anew each year (ABOS 2004: 10 %)."""

    def __post_init__(self) -> None:
        for name in ("children", "accessible", "new", "renewal"):
            check_range(name, getattr(self, name), 0, 1)
        check_range("new_months", self.new_months, 1, 120)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """Everything that reports take from a region beside its diary; revision 0 was never stored."""

    targets: Targets = field(default_factory=Targets)
    review: ReviewRules = field(default_factory=ReviewRules)
    prices: CostPrices = field(default_factory=CostPrices)
    quotas: StockQuotas = field(default_factory=StockQuotas)
    revision: int = 0


def check_range(name: str, value: float | None, least: float, most: float) -> None:
    """Refuse a value beyond its limits: ``reports.out_of_range``."""
    if value is not None and not least <= value <= most:
        raise InputError("reports.out_of_range", field=name, value=value, least=least, most=most)


def check_length(name: str, text: str, limit: int = SOURCE_MAX) -> None:
    """Refuse a text that is too long: ``reports.long_text``."""
    if len(text) > limit:
        raise InputError("reports.long_text", field=name, length=len(text), limit=limit)


def base_year_of(targets: Targets, on: date) -> int:
    """The year that growth is told against."""
    return targets.base_year if targets.base_year is not None else on.year - 1

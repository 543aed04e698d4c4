"""Review of stops, money and stock: rules and sums that were done by hand."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from data.model.costs import FuelKind
from data.model.errors import InputError
from data.model.fleet import Vehicle, VehicleId
from data.model.place import DepotId
from data.model.report import year_earlier
from data.model.service_costs import (
    CostPart,
    CostPrices,
    RunUse,
    cost_of,
    filled_in,
    km_means,
    sum_costs,
)
from data.model.stock import ItemPlace, PlaceKind
from data.model.stock_figures import StockItem, StockSpan, stock_figures
from data.model.stop_review import (
    ReviewRules,
    StopFigures,
    Trend,
    judge_stop,
    t_quantile,
    trend_of,
)

RULES = ReviewRules()
ON = date(2026, 11, 30)
OLD = date(2020, 1, 1)


def stop(**more: Any) -> StopFigures:
    """A stop of old with two visits by stop visit, on which nothing else is known."""
    values: dict[str, Any] = {
        "stop_id": "s", "name": "Деревня", "num_held": 10, "open_s": 36_000,
        "num_open_visits": 20, "num_open_loans": 10, "num_visits": 20, "num_loans": 10,
        "first_date": OLD, "is_new": False, "people": 200,
    }  # fmt: skip
    return StopFigures(**values | more)


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"num_visits": 30}, "keep"),
        ({"num_visits": 29}, "shift"),
        ({"num_held": 3, "num_visits": 3}, "too_few"),
        ({"near": (("Сосед", 900.0),)}, "merge"),
        ({"near": (("Сосед", 1100.0),)}, "shift"),
        ({"near": (("Сосед", 900.0),), "people": 10}, "merge"),
        ({"people": 30}, "home"),
        ({"people": 31}, "shift"),
        ({"people": None}, "shift"),
        ({"senior_percent": 60.0}, "home"),
        ({"senior_percent": 59.9}, "shift"),
        ({"senior_percent": 80.0, "num_loans": 50}, "home"),
        ({"num_loans": 50}, "point"),
        ({"num_loans": 50, "people": 20}, "home"),
        ({"is_new": True, "first_date": date(2026, 4, 1)}, "grace"),
        ({"is_new": True, "first_date": date(2026, 2, 1)}, "shift"),
        ({"is_new": True, "first_date": date(2026, 2, 1), "trend": Trend(slope=1, low=-1, high=3)},
         "grace"),
        ({"is_new": True, "first_date": date(2025, 11, 1), "trend": Trend(slope=1, low=-1, high=3)},
         "shift"),
        ({"is_new": False, "first_date": date(2026, 4, 1)}, "shift"),
        ({"num_visits": 40, "trend": Trend(slope=-0.5, low=-0.9, high=-0.1)}, "watch"),
        ({"num_visits": 40, "trend": Trend(slope=-0.5, low=-1.1, high=0.1)}, "keep"),
        ({"num_visits": 90, "trend": Trend(slope=-0.5, low=-0.9, high=-0.1)}, "keep"),
        # The line passes through the mean in the middle of a year: to there are six months more.
        ({"num_visits": 80, "trend": Trend(slope=-0.5, low=-0.9, high=-0.1,
                                           mid_date=date(2026, 5, 31))}, "watch"),
    ],
)  # fmt: skip
def test_each_stop_gets_the_verdict_of_the_rule(more: dict[str, Any], rule: str) -> None:
    """The stated rules in their order: grace, too few, enough, and the first proposal that fits."""
    verdict = judge_stop(stop(**more), RULES, ON)
    assert verdict.rule == rule
    assert verdict.facts["mean"] == stop(**more).visits_mean


def test_figures_by_open_hour() -> None:
    """Twenty visits in ten hours are two an hour; without an open time nothing is told."""
    assert stop().visits_per_hour == 2
    assert stop().loans_per_hour == 1
    assert stop(open_s=0).visits_per_hour is None
    assert stop(open_s=18_000, num_open_visits=10).visits_per_hour == 2, "of those alone"
    assert stop(cost=Decimal(500)).cost_per_visit == 25
    assert stop(num_visits=0, cost=Decimal(500)).cost_per_visit is None


def test_a_trend_is_that_of_the_textbook() -> None:
    """Five points on months 0..4: slope 1.9, and the interval with t(3) = 3.182."""
    month = timedelta(days=365.25 / 12)
    days = [date(2026, 1, 1) + n * month for n in range(5)]
    found = trend_of(list(zip(days, [1.0, 3.0, 4.0, 8.0, 8.0], strict=True)))
    assert found is not None
    # Sums by hand: sxx 10, sxy 19, residuals 2.7, so a half width of 3.182 * sqrt(2.7 / 3 / 10).
    assert found.slope == pytest.approx(1.9, abs=0.03)
    assert found.high - found.slope == pytest.approx(0.955, abs=0.03)
    assert trend_of([(ON, 1.0)] * 9) is None
    assert trend_of([(d, 1.0) for d in days[:4]]) is None


@pytest.mark.parametrize(("freedom", "t"), [(3, 3.182), (5, 2.571), (10, 2.228), (60, 2.000)])
def test_quantiles_of_student(freedom: int, t: float) -> None:
    """As tables have them, within one in a hundred."""
    assert t_quantile(freedom) == pytest.approx(t, rel=0.01)


def test_rules_out_of_reason_are_refused() -> None:
    """Grace while growing is not shorter than grace."""
    with pytest.raises(InputError) as refused:
        ReviewRules(grace_months=12, grace_most_months=9)
    assert refused.value.facts["field"] == "grace_most_months"


BUS = Vehicle(
    vehicle_id=VehicleId("kibo-1"), name="КИБО-1", depot_id=DepotId("base"),
    fuel=FuelKind.DIESEL, fuel_per_100km=20,
)  # fmt: skip
PRICES = CostPrices(
    fuel={FuelKind.DIESEL: Decimal(70)}, crew_hour=Decimal(600), vehicle_km=Decimal(5),
    vehicle_day=Decimal(1000),
)  # fmt: skip


def use(day: int, **more: Any) -> RunUse:
    return RunUse(vehicle_id="kibo-1", service_date=date(2026, 3, day), **more)


def test_a_run_costs_fuel_crew_and_vehicle() -> None:
    """100 km: 20 litres at 70; 8 hours at 600; 100 km at 5 and a day at 1,000."""
    cost = cost_of(use(1, km=100.0, hours=8.0), PRICES, BUS)
    told = (cost.fuel, cost.crew, cost.vehicle, cost.total)
    assert told == tuple(map(Decimal, (1400, 4800, 1500, 7700)))
    written = cost_of(use(1, km=100.0, fuel=30.0), PRICES, BUS)
    assert (written.fuel, written.crew) == (Decimal(2100), None)


def test_what_has_no_price_is_not_known() -> None:
    """No price, no sum: unknown is not nothing."""
    cost = cost_of(use(1, km=100.0, hours=8.0), CostPrices(), BUS)
    assert (cost.fuel, cost.crew, cost.vehicle, cost.total) == (None, None, None, None)
    assert sum_costs([cost]).total is None
    assert cost_of(use(1, km=100.0), PRICES, None).fuel is None


def test_money_that_is_known_in_part_says_so() -> None:
    """Diesel has a price and gas none: one run of the sum is told as lacking."""
    gas = replace(BUS, fuel=FuelKind.CNG)
    runs = [
        cost_of(use(1, km=100.0, hours=8.0), PRICES, BUS),
        cost_of(use(2, km=100.0, hours=8.0), PRICES, gas),
    ]
    assert [c.unknown for c in runs] == [frozenset(), {CostPart.FUEL}]
    told = sum_costs(runs)
    assert (told.num_runs, told.num_partly, told.num_unknown[CostPart.FUEL]) == (2, 1, 1)
    assert told.num_unknown[CostPart.CREW] == told.num_unknown[CostPart.VEHICLE] == 0
    no_hours = cost_of(use(3, km=100.0), PRICES, BUS)
    assert no_hours.unknown == {CostPart.CREW}
    # The price of the day alone is not all of the vehicle where a kilometre has one.
    assert cost_of(use(3, hours=8.0), PRICES, BUS).unknown == {CostPart.FUEL, CostPart.VEHICLE}
    whole = CostPrices(crew_hour=Decimal(1), vehicle_km=Decimal(30), has_fuel_in_km=True)
    assert cost_of(use(4, km=100.0, hours=8.0), whole, gas).unknown == frozenset()


def test_missing_kilometres_are_the_mean_of_the_vehicle_and_marked() -> None:
    """Known 100 and 140 km: the third run is taken as 120, and counted as not measured."""
    known = [use(1, km=100.0, is_km_measured=True), use(2, km=140.0, is_km_measured=True)]
    means = km_means((u.service_date, u.vehicle_id, u.km) for u in known if u.km is not None)
    runs = filled_in([*known, use(3)], means)
    told = sum_costs([cost_of(run, PRICES, BUS) for run in runs])
    assert (told.km, told.num_km_measured, told.num_runs) == (360, 2, 3)
    assert filled_in([use(1)], km_means([])) == (use(1),)
    later = replace(use(1), service_date=date(2027, 3, 1))
    assert filled_in([later], means) == (later,), "another year tells nothing of it"


@pytest.mark.parametrize(
    "wrong",
    [{"crew_hour": Decimal(-1)}, {"vehicle_km": Decimal("NaN")}, {"currency": "руб"},
     {"fuel": {FuelKind.DIESEL: Decimal("1e9")}}],
)  # fmt: skip
def test_prices_out_of_reason_are_refused(wrong: dict[str, Any]) -> None:
    """A price is a number from nought; a currency three letters."""
    with pytest.raises(InputError):
        CostPrices(**wrong)


def test_stock_is_counted_by_its_parts() -> None:
    """Ten items: three for children, one accessible, one new by date, one by its year."""
    place = ItemPlace(kind=PlaceKind.VEHICLE, key="kibo-1")
    items = [
        StockItem(place=place, is_for_children=True, acquired_date=date(2020, 1, 1)),
        StockItem(place=place, is_for_children=True, acquired_date=date(2026, 3, 1)),
        StockItem(place=place, is_for_children=True, year=2026),
        StockItem(place=place, is_accessible=True, year=2025),
        *(StockItem(place=place) for _ in range(6)),
    ]
    year = StockSpan(from_date=date(2026, 1, 1), until_date=date(2026, 12, 31), new_months=12)
    found = stock_figures(items, year)
    assert (found.num_items, found.num_children, found.num_accessible) == (10, 3, 1)
    assert (found.num_new, found.num_dated, found.num_acquired) == (2, 4, 1)
    assert found.ratio(found.num_children) == pytest.approx(0.3)


def test_a_year_earlier_than_a_leap_day() -> None:
    """29 February has no day of its own a year before."""
    assert year_earlier(date(2028, 2, 29)) == date(2027, 2, 28)

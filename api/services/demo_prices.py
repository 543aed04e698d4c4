"""Example prices of the demo, so that its reports of costs show something; each says what it is.

They are no figures of a library: a library types its own over them (Reports → Settings).
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Engine

from api.services.demo_lots import WALK_M
from data.db import report_store
from data.db.engine import writing
from data.model.costs import FuelKind
from data.model.fleet import Vehicle
from data.model.region import Region
from data.model.report_settings import ReportSettings
from data.model.service_costs import CostPrices
from data.model.stop_review import ReviewRules

FUEL_PER_100KM = 17.0
"""Litres; the middle of what the simulated waybills write."""
EXAMPLE_PRICES = CostPrices(
    currency="RUB",
    fuel={FuelKind.DIESEL: Decimal("71.48")},
    crew_hour=Decimal(863),
    vehicle_km=Decimal(8),
    vehicle_day=Decimal(2833),
    sources={
        "fuel.diesel": "ПРИМЕР: средняя по России, Росстат (news.mail.ru/society/67616398)",
        "crew_hour": (
            "ПРИМЕР: двое × 54 377 руб. в месяц, доход, к которому приравнены работники культуры "
            "области (newkaliningrad.ru 24134429, 20.08.2025), × 1,302 взносы ÷ 164 ч, наш расчёт"
        ),
        "vehicle_km": "ПРИМЕР: условная величина без источника — впишите свою",
        "vehicle_day": (
            "ПРИМЕР: КИБО за 6,8 млн руб. (chr.aif.ru 1748488, 2011), 10 лет службы "
            "(Квинсленд), 240 дней в году; наш расчёт"
        ),
    },
)
"""Figures of second-hand sources and what we computed from them; each says so itself."""


def with_fuel(region: Region) -> Region:
    """The demo's region, its bookmobiles burning an example's fuel."""

    def burning(vehicle: Vehicle) -> Vehicle:
        if vehicle.fuel is not None:
            return vehicle
        return replace(vehicle, fuel=FuelKind.DIESEL, fuel_per_100km=FUEL_PER_100KM)

    return replace(region, vehicles=tuple(map(burning, region.vehicles)))


def put_example_prices(engine: Engine, region_id: str, *, at: datetime) -> None:
    """Store the example prices, where nobody has said anything yet.

    The demo's review takes a walk to be as long as its readers go.
    """
    with writing(engine) as session:
        held = report_store.get_settings(session, region_id)
        if held.revision:
            return
        settings = ReportSettings(prices=EXAMPLE_PRICES, review=ReviewRules(merge_m=WALK_M))
        report_store.put_settings(session, region_id, settings, expect_revision=0, by=None, at=at)

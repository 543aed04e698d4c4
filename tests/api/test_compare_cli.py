"""Plans stand side by side with the same figures, costs and changes."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from data.feeds.plan_file import write_plan
from data.model.access import Access, Home
from data.model.calendar import MINUTE_S
from data.model.costs import Costs, FuelKind
from data.model.place import SettlementId
from data.model.plan import Unserved
from tests.api.runner import Terminal
from tests.planner.examples import KALINOVKA, KAMENSKOE, make_plan, make_request, shifted


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A plan, and one without its second run whose first goes a minute later."""
    request, plan = make_request(), make_plan()
    stop = replace(KAMENSKOE, mandatory=False)
    stops = tuple(stop if s is KAMENSKOE else s for s in request.stops)
    alone = Unserved(stop_id=stop.stop_id, reason="unserved.no_capacity")
    other = replace(
        plan,
        runs=(shifted(plan.runs[0], MINUTE_S),),
        unserved=(*plan.unserved, alone),
    )
    paths = [tmp_path / "one.json", tmp_path / "two.json"]
    write_plan(paths[0], replace(request, stops=stops), plan)
    write_plan(paths[1], replace(request, stops=stops), other)
    return paths


def test_figures_of_both(bookmobile: Terminal, files: list[Path]) -> None:
    """Sums by hand: 58 + 72 minutes and kilometres, 501 + 470 + 547 people.

    The second plan moves two times, drops Kalinovka's and Kamenskoe's second run: four changes;
    and it breaks the rule that Kalinovka has two visits.
    """
    told = bookmobile(
        "compare", *files, "--json", "--cost-km", "10", "--cost-day", "1000,50",
        "--currency", "RUB", "--co2-km", "250",
    )  # fmt: skip
    assert told.code == 0, told.said
    first, second = json.loads(told.said)["plans"]
    assert (first["name"], second["name"]) == ("one", "two")
    assert first["people_reached"] == 501 + 470 + 547
    assert first["drive_m"] == 130_000
    assert first["cost"] == "3301.00"
    assert first["cost_per_resident"] == "2.17"
    assert first["co2_kg"] == "32.50"
    assert (first["num_changes"], second["num_changes"]) == (0, 4)
    assert first["num_violations"] == 0
    assert second["num_violations"] > 0
    assert second["drive_m"] == 58_000


def test_a_table_for_people(bookmobile: Terminal, files: list[Path]) -> None:
    """A column for each plan; without prices no cost is claimed; broken rules are pointed at."""
    told = bookmobile("compare", *files)
    assert told.code == 0
    assert "one" in told.said
    assert "Cost" not in told.said
    assert "1,518" in told.said
    assert "bookmobile check" in told.said


@pytest.mark.parametrize("price", ["much", "-1", "nan"])
def test_a_price_that_is_no_number(bookmobile: Terminal, files: list[Path], price: str) -> None:
    """It is refused with the option's name."""
    told = bookmobile("compare", *files, f"--cost-km={price}")
    assert told.code == 2
    assert "--cost-km" in told.said


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """A plan whose file tells prices, fuel and how far two settlements are from a library."""
    request, plan = make_request(), make_plan()
    home = Home(
        settlement_id=SettlementId("a"), name="Калиновка", people=300, children=30, library_s=1200
    )
    other = replace(home, settlement_id=SettlementId("b"), name="Загорское", people=100)
    stop = replace(KALINOVKA, settlement_ids=(home.settlement_id,))
    burning = replace(request.vehicles[0], fuel=FuelKind.DIESEL, fuel_per_100km=25.0)
    known = replace(
        request,
        stops=(stop, *request.stops[1:]),
        vehicles=(burning, *request.vehicles[1:]),
        access=Access(homes=(home, other), near={KALINOVKA.stop_id: ((0, 60),)}),
        costs=Costs(currency="₽", per_km=Decimal(30), per_day=Decimal(1000)),
    )
    write_plan(tmp_path / "known.json", known, plan)
    return tmp_path / "known.json"


def test_groups_fairness_and_what_the_region_knows(bookmobile: Terminal, known: Path) -> None:
    """By hand: 130 km at 30 and two days at 1,000; 25 l/100 km of diesel at 2,676 g.

    300 people are a minute from a stop, 100 twenty minutes from a library.
    """
    told = bookmobile("compare", known, "--json")
    assert told.code == 0, told.said
    (row,) = json.loads(told.said)["plans"]
    assert row["groups"]["residents"] == {"served": 300, "total": 400, "num_unknown": 0}
    assert row["groups"]["children"]["served"] == 30
    assert "seniors" not in row["groups"]
    assert (row["cost"], row["currency"]) == ("5900.00", "₽")
    assert row["co2_kg"] == "86.97"
    assert row["access"]["mean_s"] == 345
    assert row["access"]["p90_s"] == 1200
    assert row["access"]["worst_name"] == "Загорское"


def test_what_figures_rest_on_is_said(bookmobile: Terminal, known: Path, files: list[Path]) -> None:
    """The CO2 factor with its source; a plan that knows nothing has dashes, not zeros."""
    told = bookmobile("compare", known, files[0], "--lang", "ru")
    assert told.code == 0, told.said
    assert "IPCC" in told.said
    assert "fuel_per_100km" in told.said
    assert "Загорское, 20 мин" in told.said
    assert "—" in told.said

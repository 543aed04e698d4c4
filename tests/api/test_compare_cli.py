"""Plans stand side by side with the same figures, costs and changes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from data.feeds.plan_file import write_plan
from data.model.calendar import MINUTE_S
from data.model.plan import Unserved
from tests.api.runner import Terminal
from tests.planner.examples import KAMENSKOE, make_plan, make_request, shifted


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

"""Consistent problems: read as published, promises held exactly, broken ones named."""

import json
import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.bench.convrp import ConvrpInstance, read_convrp
from api.bench.instance import Tour
from api.bench_cli import bench
from data.model.errors import InputError
from planner.improve import optimise
from planner.params import SolveParams

TINY = Path(__file__).resolve().parents[2] / "instances" / "tiny-convrp.vrp"
SHARED = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "benchmarks" / "convrp"


def tour(day: int, driver: int, places: tuple[int, ...], starts: tuple[float, ...]) -> Tour:
    return Tour(day=day, vehicle=driver, places=places, starts=starts)


def codes(instance: ConvrpInstance, *tours: Tour) -> list[str]:
    return [v.code for v in instance.violations(tours)]


GOOD = (
    tour(0, 0, (1, 2), (4, 8)),
    tour(0, 1, (3,), (4,)),
    tour(1, 0, (1,), (4,)),
    tour(1, 1, (3, 4), (4, 8)),
)


def test_distance_is_counted_by_hand() -> None:
    """Two pairs 4 from the depot and 3 apart: (4 + 3 + 5) + 8 on each of two days."""
    instance = read_convrp(TINY)
    assert codes(instance, *GOOD) == []
    assert instance.value(GOOD) == 40
    assert instance.widest(GOOD) == 0


def test_each_broken_rule_is_named() -> None:
    """Another driver, another time, another day, too much load, too soon: each has its name."""
    instance = read_convrp(TINY, spread=5.0)
    first, second, third, last = GOOD
    swapped = (tour(1, 1, (1,), (4,)), tour(1, 0, (3, 4), (4, 8)))
    assert codes(instance, first, second, *swapped) == ["bench.many_drivers"] * 2
    late = tour(1, 0, (1,), (9.5,))
    assert codes(instance, first, second, late, last) == ["bench.spread"]
    assert codes(instance, first, second, tour(1, 0, (1,), (9,)), last) == []
    assert codes(instance, first, second, third, tour(1, 1, (3,), (4,))) == ["bench.wrong_days"]
    full = tour(0, 0, (1, 2, 3), (4, 8, 17))
    assert "bench.over_capacity" in codes(instance, full, third, tour(1, 0, (3, 4), (30, 34)))
    hurried = tour(0, 0, (1, 2), (4, 7.5))
    assert codes(instance, hurried, second, third, last) == ["bench.too_soon"]
    twice = (tour(0, 0, (3,), (4,)), third, tour(1, 0, (3, 4), (4, 8)))
    assert codes(instance, first, *twice) == ["bench.driver_twice"] * 2


def test_waiting_counts_and_a_late_start_does_not() -> None:
    """Thirty are allowed: leaving at 50 is no harm, waiting 20 between two customers is."""
    instance = read_convrp(TINY)
    shifted = tuple(tour(t.day, t.vehicle, t.places, tuple(s + 50 for s in t.starts)) for t in GOOD)
    assert codes(instance, *shifted) == []
    waiting = (tour(0, 0, (1, 2), (4, 28)), *GOOD[1:])
    assert codes(instance, *waiting) == ["bench.over_duration"]


@pytest.mark.parametrize("spread", [1.0, 5.0, math.inf])
def test_the_search_holds_every_promise(spread: float) -> None:
    """Whatever the spread, the search's solution passes the checker and finds the least."""
    instance = read_convrp(TINY, spread=spread)
    problem = instance.problem()
    params = SolveParams(work_limit=500, workers=1, rounds=1)
    tours = instance.tours(problem, optimise(problem, params))
    assert codes(instance, *tours) == []
    assert instance.value(tours) == 40


def test_a_day_alone_forgets_the_others() -> None:
    """The first day alone has its three customers and no driver to keep."""
    alone = read_convrp(TINY).alone(0)
    assert [set(c.demand) for c in alone.customers] == [{0}] * 3
    assert alone.num_days == 1
    assert alone.spread == math.inf


def test_a_file_without_its_headings_is_refused(tmp_path: Path) -> None:
    """The heading that is missing is named."""
    text = TINY.read_text(encoding="utf-8")
    for heading in ("NUM_DAYS: 2\n", "SVC_TIME_SECTION\n"):
        file = tmp_path / "bad.vrp"
        file.write_text(text.replace(heading, ""), encoding="utf-8")
        with pytest.raises(InputError, match=r"bench\.no_heading") as caught:
            read_convrp(file)
        assert str(caught.value.facts["heading"]) in heading


def test_the_command_tells_what_consistency_costs(tmp_path: Path) -> None:
    """The record has the cost alone and consistent, the drivers and the spread that was held."""
    out = tmp_path / "out.json"
    words = ["convrp", str(TINY), "--json", str(out), "--lang", "en", "--time-limit", "1"]
    result = CliRunner().invoke(bench, words)
    assert result.exit_code == 0, result.output
    (record,) = json.loads(out.read_text(encoding="utf-8"))
    assert (record["alone"], record["cost"], record["price_pct"]) == (40, 40, 0)
    assert record["spread"] <= record["spread_limit"] == 5
    assert record["feasible"] is True


@pytest.mark.skipif(not SHARED.is_dir(), reason="published instances are not here")
def test_published_files_are_read() -> None:
    """Sizes of the three published sets, and one customer's days as its line says."""
    small = read_convrp(SHARED / "convrp-small" / "convrp_10_test_1.vrp")
    assert (len(small.customers), small.num_days, small.max_duration) == (10, 3, 35)
    assert small.customers[1].demand == {1: 1}
    large = read_convrp(SHARED / "convrp-extended" / "Christofides_6_5_0.5.txt")
    assert (len(large.customers), large.num_days, large.max_duration) == (50, 5, 200)
    assert large.customers[0].service == {1: 10}
    assert read_convrp(SHARED / "convrp-0-7" / "Christofides_1_5_0.7.vrp").max_duration == math.inf

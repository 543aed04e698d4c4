"""The planner on published problems and rounds, each against a stated baseline.

Off by default: ``pytest -m benchmark``, several minutes. The baselines are what the first release
promises; docs/benchmarks.md has the figures as measured.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from api.bench.instance import Instance
from api.bench.measure import RoundsOutcome, measure, measure_rounds
from api.bench.published import open_bench_roads, read_published
from api.bench.pvrp import read_pvrp
from api.bench.table import mean_gap_pct, outcome_table, rounds_table
from api.bench.top import read_top
from api.bench.vrptw import read_vrptw
from api.progress import Quiet
from api.words import Words
from planner.params import SolveParams
from planner.warm_up import warm_up

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
SECONDS = 20.0

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(not SHARED.is_dir(), reason="published instances are not here"),
]


@pytest.mark.parametrize(
    ("folder", "pattern", "read", "most_pct"),
    [
        ("pvrp", "p*.txt", read_pvrp, 1.0),
        ("vrptw", "[RC]*1*.txt", read_vrptw, 2.0),
        ("top", "p*.txt", read_top, 2.0),
    ],
)
def test_mean_gap_stays_below_the_baseline(
    folder: str, pattern: str, read: Callable[[Path], Instance], most_pct: float
) -> None:
    """Every solution keeps its instance's rules and the mean gap to the best known is small."""
    params = SolveParams(seed=1, time_limit_s=SECONDS)
    warm_up()
    files = sorted((SHARED / "benchmarks" / folder).glob(pattern))
    outcomes = [measure(read(file), file, params, Quiet()) for file in files]
    Console().print(outcome_table(outcomes, Words("en")))
    assert [o.instance for o in outcomes if not o.is_feasible] == []
    mean = mean_gap_pct(outcomes)
    assert mean is not None
    assert mean <= most_pct


def test_replanned_rounds_drive_less_than_published() -> None:
    """On the same travel times and vehicle-days no authority drives more, all together less."""
    folder = SHARED / "uk-mobile-libraries"
    params = SolveParams(seed=1, time_limit_s=SECONDS)
    outcomes: list[RoundsOutcome] = []
    with open_bench_roads(folder / "legs.csv", None, folder, lambda _: None) as roads:
        for file in sorted((folder / "stops").glob("*.csv")):
            outcomes += measure_rounds(read_published(file), roads, params, Quiet())
    Console().print(rounds_table(outcomes, Words("en")))
    assert [o.authority for o in outcomes if not o.is_feasible] == []
    assert [o.authority for o in outcomes if (o.change_pct or 0) > 0] == []
    assert all(o.planned and o.planned.vehicle_days <= o.published.vehicle_days for o in outcomes)

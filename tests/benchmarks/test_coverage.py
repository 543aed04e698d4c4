"""Coverage of an oblast and of all Russia against a plain geopandas distance join, in one run."""

import json
import subprocess
import sys
from typing import Any

import pytest
from rich.console import Console

from tests.benchmarks.coverage_run import FILE

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(not FILE.is_file(), reason="the settlements of Russia are not at hand"),
]
ROUNDS = 3


def measured(how: str, which: str) -> dict[str, Any]:
    """The fastest of some runs, each in a process of its own."""
    asked = [sys.executable, "-m", "tests.benchmarks.coverage_run", how, which]
    runs = [
        json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
        for _ in range(ROUNDS)
    ]
    return dict(min(runs, key=lambda run: run["cpu_s"]))


@pytest.mark.parametrize("which", ["kaliningrad", "russia"])
def test_time_and_memory_against_a_distance_join(which: str) -> None:
    """All figures, before and after; the people near a stop are those of the join within 1 %."""
    ours, join = measured("ours", which), measured("join", which)
    Console().print(
        f"{which}: {ours['settlements']} settlements; processor {ours['cpu_s']:.2f} s against "
        f"{join['cpu_s']:.2f} s (x{ours['cpu_s'] / join['cpu_s']:.2f}; without making settlements "
        f"of rows {ours['counting_cpu_s']:.2f} s), wall {ours['seconds']:.2f} "
        f"against {join['seconds']:.2f} s; memory grown {ours['grown_mib']:.0f} MiB against "
        f"{join['grown_mib']:.0f} (peak {ours['peak_mib']:.0f} against {join['peak_mib']:.0f}); "
        f"people near a stop {ours['people_near_stop']} against {join['people_near_stop']} of "
        f"{ours['people']}"
    )
    assert ours["people"] == join["people"]
    assert ours["people_near_stop"] == pytest.approx(join["people_near_stop"], rel=0.01)

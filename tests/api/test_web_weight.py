"""The process that answers requests is small and quick to start: it loads what pages need alone."""

import subprocess
import sys

HEAVY = {
    "altair",
    "folium",
    "geopandas",
    "numba",
    "ortools",
    "osmium",
    "pandas",
    "pyogrio",
    "scipy",
    "typst",
    "valhalla",
    "vl_convert",
}
"""Libraries that search, measure roads, read foreign files and draw."""


def test_the_application_loads_no_solver_and_nothing_that_draws() -> None:
    """Jobs load these in processes of their own, a page the moment that it needs one."""
    asked = "import sys, api.app; print(*{name.partition('.')[0] for name in sys.modules})"
    told = subprocess.run(
        [sys.executable, "-P", "-c", asked], capture_output=True, text=True, check=True
    )
    assert HEAVY & set(told.stdout.split()) == set()

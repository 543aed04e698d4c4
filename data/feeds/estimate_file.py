"""The travel estimate that is shipped: figures fitted to real legs (``data/samples``)."""

import tomllib
from functools import cache
from importlib.resources import files

from data.model.region import EstimateParams


@cache
def load_default_estimate() -> EstimateParams:
    """The estimate used where neither a region nor a road network says better.

    ``data/samples/estimate.toml`` tells where its figures come from and how good they are.
    """
    text = (files("data") / "samples" / "estimate.toml").read_text(encoding="utf-8")
    told = tomllib.loads(text)
    table = told["estimate"]
    return EstimateParams(
        knots_m=tuple(1000.0 * km for km in table["knots_km"]),
        detour_ratio=tuple(float(ratio) for ratio in table["detour_ratio"]),
        speed_mps=tuple(kmh / 3.6 for kmh in table["speed_kmh"]),
        leg_fixed_s=float(table["leg_fixed_s"]),
        bookmobile_factor=float(told["bookmobile"]["factor"]),
        source="UK mobile-library legs, default table",
    )

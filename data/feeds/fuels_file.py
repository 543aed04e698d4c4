"""The fuels that are shipped: what burning them emits (``data/samples/fuels.toml``)."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from data.model.costs import Fuel, FuelKind


@cache
def load_fuels() -> Mapping[FuelKind, Fuel]:
    """Every kind of fuel with its factor and source."""
    told = tomllib.loads((files("data") / "samples" / "fuels.toml").read_text(encoding="utf-8"))
    return {
        kind: Fuel(
            kind=kind,
            unit=told[kind]["unit"],
            co2_g=told[kind].get("co2_g"),
            source=told[kind]["source"],
            mark=told[kind]["mark"],
        )
        for kind in FuelKind
    }

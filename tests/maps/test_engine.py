"""A native crash costs one request, whatever the request."""

from pathlib import Path

import pytest

from data.model.errors import RoadsError
from maps.build import build_tiles
from maps.engine import Engine, EngineError
from maps.valhalla_requests import write_config
from tests.osm_region import RegionFacts


def test_a_request_that_crashes_the_engine_is_reported(region: RegionFacts, networks: Path) -> None:
    """The engine dies of a known fault twice; the error says so and the next request is served."""
    config = write_config(build_tiles(region.path, networks))
    villages = [region.villages[i] for i in region.on_network[:2]]
    shape = [{"lon": v.lon, "lat": v.lat} for v in villages]
    options = {"truck": {"disable_hierarchy_pruning": True}}
    deadly = {"shape": shape, "costing": "truck", "costing_options": options}
    route = {"locations": shape, "costing": "auto"}
    engine = Engine(config, workers=1)
    try:
        with pytest.raises(RoadsError) as refused:
            engine.ask("trace_attributes", {**deadly, "shape_match": "map_snap"})
        assert refused.value.code == "roads.engine_crashed"
        assert engine.ask("route", route)["trip"]["legs"]
        with pytest.raises(EngineError) as told:
            engine.ask("route", {**route, "costing": "broom"})
        assert told.value.code > 0
    finally:
        engine.close()
    assert not engine.pids()

"""One generated region and its roads for all tests of the package."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from data.model.fleet import Vehicle, VehicleId
from data.model.place import DepotId
from maps.roads import Position, Roads
from maps.valhalla_roads import open_valhalla
from tests.osm_region import RegionFacts, make_region

BUS = Vehicle(vehicle_id=VehicleId("bus"), name="bus", depot_id=DepotId("depot"))
"""10.5 t and 3.4 m high."""
VAN = replace(BUS, weight_kg=3_000.0, axle_load_kg=1_500.0, height_m=2.5)
SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


@pytest.fixture(scope="session")
def region(tmp_path_factory: pytest.TempPathFactory) -> RegionFacts:
    """Forty villages."""
    return make_region(tmp_path_factory.mktemp("region") / "region.osm.pbf", seed=1)


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for built networks."""
    return tmp_path_factory.mktemp("networks")


@pytest.fixture(scope="session")
def roads(region: RegionFacts, networks: Path) -> Iterator[Roads]:
    """The roads of the region."""
    with open_valhalla(region.path, networks) as opened:
        yield opened


@pytest.fixture(scope="session")
def positions(region: RegionFacts) -> list[Position]:
    """Where the villages are."""
    return [(village.lon, village.lat) for village in region.villages]

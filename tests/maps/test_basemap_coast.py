"""Land lies on the left of a coastline, whole or cut."""

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from maps.basemap.coast import land_and_sea

BOUNDS = (20.0, 54.0, 22.0, 56.0)


def line(*points: tuple[float, float]) -> NDArray[np.float64]:
    return np.array(points, np.float64)


def has(shape: shapely.Geometry, lon: float, lat: float) -> bool:
    return bool(shapely.covers(shape, shapely.Point(lon, lat)))


def test_without_a_coast_all_is_land() -> None:
    """An inland extract has no sea."""
    land, sea = land_and_sea([], BOUNDS)
    assert shapely.equals(land, shapely.box(*BOUNDS))
    assert shapely.is_empty(sea)


@pytest.mark.parametrize("heading", ["north", "south"])
def test_the_left_side_is_land(heading: str) -> None:
    """A coast that runs north has land in the west, one that runs south in the east."""
    coast = line((21, 53.5), (21, 55), (21, 56.5))
    northwards = heading == "north"
    land, sea = land_and_sea([coast if northwards else coast[::-1]], BOUNDS)
    assert has(land, 20.5, 55) is northwards
    assert has(sea, 21.5, 55) is northwards
    assert shapely.area(land) + shapely.area(sea) == pytest.approx(4)


def test_an_island_and_a_lake_open_to_the_sea() -> None:
    """A ring run anticlockwise is an island in the sea of a coast."""
    coast = line((21, 53), (21, 57))
    island = line((21.4, 55), (21.6, 55), (21.6, 55.2), (21.4, 55.2), (21.4, 55))
    land, sea = land_and_sea([coast, island], BOUNDS)
    assert has(land, 21.5, 55.1)
    assert has(sea, 21.3, 55.1)
    assert has(land, 20.5, 55)


def test_a_coast_in_pieces_that_ends_inside_is_carried_on() -> None:
    """Pieces in any order, cut 20 km before the edge, still divide land from sea."""
    pieces = [line((21, 55), (21, 55.8)), line((21, 54.2), (21, 54.6)), line((21, 54.6), (21, 55))]
    land, sea = land_and_sea(pieces, BOUNDS)
    assert shapely.area(land) == pytest.approx(2, rel=0.01)
    assert has(land, 20.1, 54.1)
    assert has(sea, 21.9, 55.9)


def test_a_sea_that_holds_only_an_island() -> None:
    """Where the only coast is an island's, all the rest is sea."""
    island = line((20.9, 55), (21.1, 55), (21.1, 55.2), (20.9, 55.2), (20.9, 55))
    land, sea = land_and_sea([island], BOUNDS)
    assert shapely.area(land) == pytest.approx(0.04)
    assert has(sea, 20.1, 54.1)


def test_broken_lines_do_no_harm() -> None:
    """A line of one point, or one that stands still, is passed over."""
    still = line((21, 55), (21, 55))
    land, sea = land_and_sea([line((21, 55)), still, line((21, 53), (21, 57))], BOUNDS)
    assert shapely.area(land) + shapely.area(sea) == pytest.approx(4)
    assert has(land, 20.5, 55)

"""The compiled kernels do what their plain Python does."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from shapely.geometry import LineString, Polygon

from maps.visible import round_corners, visible

WALLS = Polygon([(0, 0), (10, 0), (10, 10), (6, 10), (6, 3), (4, 3), (4, 10), (0, 10)])
spots = arrays(np.float64, (4, 2), elements=st.floats(0.125, 9.875))
metres = arrays(np.float64, (3, 4), elements=st.floats(0, 50))
square = arrays(np.float64, (4, 4), elements=st.floats(0, 50))


@settings(max_examples=50, deadline=None)
@given(spots, spots)
def test_sight_lines_match_shapely(origins: np.ndarray, targets: np.ndarray) -> None:
    """A line is in sight where it crosses no side of the outline."""
    corners = np.array(WALLS.exterior.coords)
    walls = np.hstack([corners[:-1], corners[1:]])
    seen = visible(origins, targets, walls)
    for i, a in enumerate(origins):
        for j, b in enumerate(targets):
            line = LineString([a, b])
            if WALLS.exterior.distance(line) == 0 and not line.crosses(WALLS.exterior):
                continue  # it only touches
            if 0 < WALLS.exterior.distance(line) < 1e-6:
                continue
            assert seen[i, j] == (not line.intersects(WALLS.exterior))


@settings(max_examples=50, deadline=None)
@given(metres, square, metres)
def test_ways_round_corners_match_numpy(
    origins: np.ndarray, between: np.ndarray, targets: np.ndarray
) -> None:
    """The least sum over all pairs of corners."""
    sums = origins[:, None, :, None] + between[None, None] + targets[None, :, None, :]
    expected = sums.min(axis=(2, 3))
    assert np.allclose(round_corners(origins, between, targets), expected)

"""Lines of legs as few bytes."""

from hypothesis import given
from hypothesis import strategies as st

from data.model.lines import pack_line, unpack_line

_POINTS = st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), max_size=50)


@given(_POINTS)
def test_a_line_comes_back(points: list[tuple[float, float]]) -> None:
    """Every point within a metre of where it was; no line stays no line."""
    found = unpack_line(pack_line(points))
    assert len(found) == len(points)
    for (lon, lat), (was_lon, was_lat) in zip(found, points, strict=True):
        assert abs(lon - was_lon) < 6e-6
        assert abs(lat - was_lat) < 6e-6

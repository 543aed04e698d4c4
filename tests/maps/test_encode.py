"""Lines survive being made small."""

from hypothesis import given
from hypothesis import strategies as st

from data.model.geo import distance_m
from maps.encode import encoded, simplified

positions = st.tuples(st.floats(-179.9, 179.9), st.floats(-89.9, 89.9))


def decoded(text: str) -> list[tuple[float, float]]:
    """The format's own decoding, lon before lat."""
    numbers, value, shift = [], 0, 0
    for character in text:
        part = ord(character) - 63
        value |= (part & 31) << shift
        shift += 5
        if part < 32:
            numbers.append(~(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    line, lat, lon = [], 0, 0
    for d_lat, d_lon in zip(numbers[::2], numbers[1::2], strict=True):
        lat, lon = lat + d_lat, lon + d_lon
        line.append((lon / 1e5, lat / 1e5))
    return line


def test_the_published_example() -> None:
    """The line of the format's own description."""
    line = [(-120.2, 38.5), (-120.95, 40.7), (-126.453, 43.252)]
    assert encoded(line) == "_p~iF~ps|U_ulLnnqC_mqNvxq`@"


@given(st.lists(positions, max_size=20))
def test_a_line_is_read_back_to_a_metre(line: list[tuple[float, float]]) -> None:
    """Rounding does not add up along the line."""
    back = decoded(encoded(line))
    assert len(back) == len(line)
    for a, b in zip(line, back, strict=True):
        assert abs(a[0] - b[0]) < 0.6e-5
        assert abs(a[1] - b[1]) < 0.6e-5


def test_points_beside_the_line_go_and_corners_stay() -> None:
    """Two metres aside is not seen; two hundred are."""
    line = [(20.0, 54.7), (20.01, 54.70002), (20.02, 54.7), (20.02, 54.702), (20.03, 54.7)]
    kept = simplified(line, 12.0)
    assert [round(lon, 6) for lon, _ in kept] == [20.0, 20.02, 20.02, 20.03]
    assert all(min(distance_m(*k, *p) for p in line) < 0.01 for k in kept)
    assert simplified(line[:2], 12.0) == tuple(line[:2])
